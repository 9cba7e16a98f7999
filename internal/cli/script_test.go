package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for what should happen at once.
const patience = time.Minute

// server is a "wirelark serve" in the background.
type server struct {
	cmd    *exec.Cmd
	cancel context.CancelFunc
	ended  bool
}

// servers of the running scripts, by serverKey.
var servers sync.Map

func serverKey(ts *testscript.TestScript, name string) string { return ts.Getenv("WORK") + "|" + name }

func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve NAME ARG...")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	cmd := exec.CommandContext(ctx, "wirelark", append([]string{"serve"}, args[1:]...)...)
	if path, err := exec.LookPath(filepath.Join(binDir(ts), "wirelark")); err == nil {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = scriptEnv(ts)
	log, err := os.Create(ts.MkAbs(args[0] + ".log"))
	ts.Check(err)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s := &server{cmd: cmd, cancel: cancel}
	key := serverKey(ts, args[0])
	servers.Store(key, s)
	ts.Defer(func() {
		s.end()
		servers.Delete(key)
		log.Close()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		text, _ := os.ReadFile(log.Name())
		ts.Fatalf("serve %q said %q (%v)\n%s", args[1:], line, err, text)
	}
	setAddr(ts, args[0], addr)
}

// end asks the server to stop and waits for it.
func (s *server) end() error {
	if s.ended {
		return nil
	}
	s.ended = true
	defer s.cancel()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		_ = s.cmd.Process.Kill() // where there are no signals, or nothing is left
	}
	return s.cmd.Wait()
}

func cmdStop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stop NAME")
	}
	s, ok := servers.Load(serverKey(ts, args[0]))
	if !ok {
		ts.Fatalf("there is no server %s", args[0])
	}
	if err := s.(*server).end(); err != nil {
		ts.Fatalf("server %s ended with %v", args[0], err)
	}
}

var passwordLine = regexp.MustCompile(`user \w+, password (\S+) `)

func cmdLogin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: login NAME")
	}
	m := passwordLine.FindStringSubmatch(ts.ReadFile(args[0] + ".log"))
	if m == nil {
		ts.Fatalf("no password in %s.log", args[0])
	}
	ts.Setenv(args[0]+"_PASSWORD", m[1])
}

func setAddr(ts *testscript.TestScript, name, addr string) {
	_, port, err := net.SplitHostPort(addr)
	ts.Check(err)
	ts.Setenv(name, addr)
	ts.Setenv(name+"_PORT", port)
}

// binDir is where testscript put the commands of TestMain.
func binDir(ts *testscript.TestScript) string {
	return filepath.SplitList(ts.Getenv("PATH"))[0]
}

func scriptEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "USERPROFILE", "TMPDIR", "USER", "LOGNAME", "SSH_AUTH_SOCK", "SystemRoot", "GOCOVERDIR",
	} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// listen starts a TCP server that lives as long as the script.
func listen(ts *testscript.TestScript, name string, serve func(net.Conn)) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	setAddr(ts, name, ln.Addr().String())
	go func() { // stops when the listener is closed
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { // stops when the other side hangs up, or in time
				defer c.Close()
				c.SetDeadline(time.Now().Add(patience))
				serve(c)
			}()
		}
	}()
}

func cmdSpeaker(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: speaker NAME TEXT")
	}
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	listen(ts, args[0], func(c net.Conn) {
		io.WriteString(c, text)
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	})
}

func cmdEcho(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: echo NAME")
	}
	listen(ts, args[0], func(c net.Conn) { io.Copy(c, c) })
}

func cmdSilent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: silent NAME")
	}
	listen(ts, args[0], func(c net.Conn) { io.Copy(io.Discard, c) })
}

func cmdTalk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: talk PORT TEXT")
	}
	var c net.Conn
	var err error
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if c, err = net.Dial("tcp", "127.0.0.1:"+args[0]); err == nil {
			break
		}
		if time.Now().After(end) {
			ts.Fatalf("nobody listens: %v", err)
		}
	}
	defer c.Close()
	ts.Check(c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, args[1])
	ts.Check(err)
	closeErr := c.(*net.TCPConn).CloseWrite() // fails when the other side is gone already
	reply, err := io.ReadAll(c)
	err = errors.Join(closeErr, err)
	if err != nil {
		reply = append(reply, err.Error()...)
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", reply)
}

func cmdAuthorize(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: authorize FILE OPTIONS KEY.pub")
	}
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = io.WriteString(f, strings.TrimSpace(args[1]+" "+ts.ReadFile(args[2]))+"\n")
	ts.Check(err)
	ts.Check(f.Close())
}

func cmdFreePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], fmt.Sprint(ln.Addr().(*net.TCPAddr).Port))
	ts.Check(ln.Close())
}

func cmdBigFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bigfile FILE SIZE")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	r := rand.New(rand.NewPCG(1, uint64(size)))
	b := make([]byte, size+8)
	for i := 0; i < size; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b[:size], 0o600))
}

func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same FILE FILE")
	}
	var b [2][]byte
	for i, name := range args {
		var err error
		b[i], err = os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
	}
	if same := bytes.Equal(b[0], b[1]); same == neg {
		ts.Fatalf("same: %v: %s has %d bytes, %s has %d", same, args[0], len(b[0]), args[1], len(b[1]))
	}
}

func cmdCut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE SIZE")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// cmdMode checks the permission bits of a file.
func cmdMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// cmdMkconf writes an ssh_config in which a, b and c are the servers A, B and C
// of the script.
func cmdMkconf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mkconf FILE")
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	for _, name := range []string{"a", "b", "c"} {
		line("Host %s\n  Port %s\n  HostKeyAlias %s", name, ts.Getenv(strings.ToUpper(name)+"_PORT"), name)
	}
	line("Host behind\n  Port %s\n  HostKeyAlias c\n  ProxyJump a,b", ts.Getenv("C_PORT"))
	line("Host program\n  Port %s\n  HostKeyAlias b", ts.Getenv("B_PORT"))
	line("  ProxyCommand wirelark ssh -F conf -W %%h:%%p a")
	line("Host remote\n  Port %s\n  HostKeyAlias a\n  RemoteCommand echo configured x   y", ts.Getenv("A_PORT"))
	line("Host asking\n  Port %s\n  StrictHostKeyChecking ask\n  HostKeyAlias asking", ts.Getenv("B_PORT"))
	line("Host gone\n  Port 1")
	line("Host loop\n  Port 2\n  ProxyJump round")
	line("Host round\n  Port 3\n  ProxyJump loop")
	line("Host *\n  HostName 127.0.0.1\n  IdentityFile %s\n  IdentitiesOnly yes", ts.MkAbs("id"))
	line("  UserKnownHostsFile %s\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking accept-new", ts.MkAbs("known"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}
