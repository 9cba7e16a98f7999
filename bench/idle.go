package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/ssh/keys"
)

// idle measures what connections cost that do nothing. Server and client are
// processes of their own: this program again, with -child.
func idle(_ context.Context, e *env) ([]figure, error) {
	n := e.connections
	if e.short {
		n /= 8
	}
	e.mention("%d connections from one process to another, logged in, each with one open channel on which a byte went there and back. Memory is the growth of VmRSS after a garbage collection and after free memory was given back; the kernel's socket buffers are not in it.", n)
	f := []figure{
		{name: "memory, server", unit: "KiB", lower: true, goals: []goal{{theirs, 1}}},
		{name: "memory, client", unit: "KiB", lower: true, goals: []goal{{theirs, 1}}},
		{name: "goroutines, server", unit: "each", lower: true},
		{name: "goroutines, client", unit: "each", lower: true},
	}
	for _, column := range []int{ours, theirs} {
		var got [4]float64
		f[0].run[column] = func(ctx context.Context) (v float64, err error) {
			got, err = idleCost(ctx, column, n)
			return got[0], err
		}
		for i := 1; i < len(f); i++ { // measured together with the first
			f[i].run[column] = func(context.Context) (float64, error) {
				if got == [4]float64{} {
					return 0, errors.New("measured together with the server's memory")
				}
				return got[i], nil
			}
		}
	}
	return f, nil
}

// usage is what a process uses.
type usage struct {
	Memory     int64 // bytes
	Goroutines int
}

func thisUsage() usage {
	runtime.GC()
	debug.FreeOSMemory()
	kib, _ := strconv.ParseInt(strings.TrimSuffix(field("/proc/self/status", "VmRSS"), " kB"), 10, 64)
	return usage{kib << 10, runtime.NumGoroutine()}
}

// idleCost returns, for each connection: the server's and the client's memory
// in KiB, the server's and the client's goroutines.
func idleCost(ctx context.Context, column, n int) (cost [4]float64, err error) {
	server, err := startChild(ctx, "serve "+strconv.Itoa(column))
	if err != nil {
		return cost, err
	}
	defer server.end()
	var at struct{ Addr, Host string }
	if err := server.ask("", &at); err != nil {
		return cost, err
	}
	client, err := startChild(ctx, fmt.Sprintf("dial %d %s %s", column, at.Addr, at.Host))
	if err != nil {
		return cost, err
	}
	defer client.end()
	var before, after [2]usage
	err = errors.Join(client.ask("1", &before[1]), server.ask("usage", &before[0])) // the first one warms up
	if err == nil {
		err = errors.Join(client.ask(strconv.Itoa(n), &after[1]), server.ask("usage", &after[0]))
	}
	for i := range 2 {
		cost[i] = float64(after[i].Memory-before[i].Memory) / 1024 / float64(n)
		cost[i+2] = float64(after[i].Goroutines-before[i].Goroutines) / float64(n)
	}
	return cost, err
}

// process is this program as another process, which answers each line with a
// line of JSON.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startChild(ctx context.Context, what string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, exe, "-child", what)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

func (p *process) ask(line string, answer any) error {
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return err
	}
	b, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the other process: %w", err)
	}
	return json.Unmarshal(b, answer)
}

func (p *process) end() {
	p.in.Close()
	_ = p.cmd.Wait()
}

// child is the other process: it ends when its input does.
func child(ctx context.Context, what string, in io.Reader, out io.Writer) error {
	words := strings.Fields(what)
	if len(words) < 2 {
		return fmt.Errorf("no such child: %q", what)
	}
	column, err := strconv.Atoi(words[1])
	if err != nil || column != ours && column != theirs {
		return fmt.Errorf("no such library: %q", words[1])
	}
	answer := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	switch {
	case words[0] == "serve":
		return childServe(libraries[column], lines, answer)
	case words[0] == "dial" && len(words) == 4:
		return childDial(ctx, libraries[column], words[2], words[3], lines, answer)
	}
	return fmt.Errorf("no such child: %q", what)
}

func childServe(l library, lines *bufio.Scanner, answer *json.Encoder) error {
	p, err := l.serve(algorithms{}, "")
	if err != nil {
		return err
	}
	defer p.stop()
	for first := true; lines.Scan(); first = false {
		var v any = thisUsage()
		if first {
			v = map[string]string{"Addr": p.addr, "Host": base64.StdEncoding.EncodeToString(p.host.Marshal())}
		}
		if err := answer.Encode(v); err != nil {
			return err
		}
	}
	return lines.Err()
}

func childDial(ctx context.Context, l library, addr, host string, lines *bufio.Scanner, answer *json.Encoder) error {
	blob, err := base64.StdEncoding.DecodeString(host)
	if err != nil {
		return err
	}
	key, err := keys.ParsePublic(blob)
	if err != nil {
		return err
	}
	p := &endpoint{addr: addr, user: "bench", host: key}
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		for range n {
			c, s, err := idleConnection(ctx, l, p)
			if err != nil {
				return err
			}
			defer c.Close()
			defer s.Close()
		}
		if err := answer.Encode(thisUsage()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// idleConnection logs in and sends one byte there and back.
func idleConnection(ctx context.Context, l library, p *endpoint) (client, stream, error) {
	c, err := l.dial(ctx, p, algorithms{})
	if err != nil {
		return nil, nil, err
	}
	s, err := c.open(ctx, "echo")
	if err != nil {
		return nil, nil, err
	}
	var b [1]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, nil, err
	}
	if _, err := s.Write(b[:]); err != nil {
		return nil, nil, err
	}
	_, err = io.ReadFull(s, b[:])
	return c, s, err
}
