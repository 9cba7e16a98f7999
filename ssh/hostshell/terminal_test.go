//go:build unix

package hostshell_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/hostshell"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// modes encodes terminal modes: pairs of opcode and value (RFC 4254 §8).
func modes(pairs ...byte) []byte {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = append(b, pairs[i], 0, 0, 0, pairs[i+1])
	}
	return append(b, 0)
}

func TestTerminal(t *testing.T) {
	c := dial(t, hostshell.Config{})
	for _, row := range []struct {
		name, command string
		modes         []byte
		want          string
	}{
		{"size", "stty size", nil, "24 80\r\n"},
		{"term", "echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo tty; test -c $SSH_TTY && echo named", nil, "xterm-lark\r\ntty\r\nnamed\r\n"},
		{"echo off", "stty -a | grep -o -e '-echo '", modes(53, 0), "-echo \r\n"},
		{"erase", "stty -a | grep -o '; erase = ^.'", modes(3, 8), "; erase = ^H\r\n"},
		{"character disabled", "stty -a | grep -o 'intr = <undef>'", modes(1, 255), "intr = <undef>\r\n"},
		{"no output processing", "echo raw", modes(70, 0), "raw\n"},
		{"speed and unknown modes are passed over", "stty -a | grep -o -e '-echo '", modes(129, 1, 100, 7, 53, 0, 200, 9), "-echo \r\n"},
		{"modes cut short", "echo well", []byte{53, 0, 0}, "well\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cmd := c.Command(row.command)
			cmd.PTY = &ssh.PTY{Term: "xterm-lark", Size: ssh.WindowSize{Columns: 80, Rows: 24}, Modes: row.modes}
			out, err := cmd.Output(deadline(t))
			if err != nil || string(out) != row.want {
				t.Errorf("got %q, %v, want %q", out, err, row.want)
			}
		})
	}
}

func TestHugeTerminal(t *testing.T) {
	cmd := dial(t, hostshell.Config{}).Command("stty size")
	cmd.PTY = &ssh.PTY{Term: "x\x00y", Size: ssh.WindowSize{Columns: 1<<32 - 1, Rows: 70000}}
	if out, err := cmd.Output(deadline(t)); err != nil || string(out) != "65535 65535\r\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestResizeAndInterrupt(t *testing.T) {
	c := dial(t, hostshell.Config{})
	cmd := c.Command(`trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.01; done`)
	cmd.PTY = &ssh.PTY{Term: "xterm", Size: ssh.WindowSize{Columns: 80, Rows: 24}}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t)
	if err := cmd.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\r\n"))); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Resize(ctx, ssh.WindowSize{Columns: 132, Rows: 43}); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(out); err != nil || string(rest) != "43 132\r\n" {
		t.Errorf("got %q, %v", rest, err)
	}
	if ee, ok := errors.AsType[*sshclient.ExitError](cmd.Wait()); !ok || ee.Status != 5 {
		t.Errorf("got %v, want status 5", ee)
	}

	// What is typed is a signal to whatever runs.
	cmd = c.Command(`trap 'exit 9' INT; echo ready; while :; do sleep 0.01; done`)
	cmd.PTY = &ssh.PTY{Term: "xterm"}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\r\n"))); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(out); err != nil {
		t.Error(err)
	}
	if ee, ok := errors.AsType[*sshclient.ExitError](cmd.Wait()); !ok || ee.Status != 9 {
		t.Errorf("got %v, want status 9", ee)
	}
}

func TestLoginShell(t *testing.T) {
	c := dial(t, hostshell.Config{Env: []string{"PS1=$ ", "ENV="}})
	for _, terminal := range []bool{false, true} {
		var out bytes.Buffer
		sh := c.Shell()
		sh.Stdin, sh.Stdout = strings.NewReader("echo \"[$0]\"\nexit 6\n"), &out
		if terminal {
			sh.PTY = &ssh.PTY{Term: "dumb"}
		}
		err := sh.Run(deadline(t))
		if ee, ok := errors.AsType[*sshclient.ExitError](err); !ok || ee.Status != 6 {
			t.Errorf("terminal %v: got %v, want status 6", terminal, err)
		}
		if !strings.Contains(out.String(), "[-sh]") {
			t.Errorf("terminal %v: got %q", terminal, out.String())
		}
	}
}

func TestTerminalOutputIsComplete(t *testing.T) {
	cmd := dial(t, hostshell.Config{}).Command("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; sleep 300 & exit 0")
	cmd.PTY = &ssh.PTY{Term: "dumb"}
	out, err := cmd.Output(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(out), "\r\n"); n != 5000 || !strings.HasSuffix(string(out), "line 4999\r\n") {
		t.Errorf("got %d lines, want 5000", n)
	}
}

func TestTerminalClientGoesAway(t *testing.T) {
	for _, command := range []string{"echo $$; exec sleep 300", "trap '' HUP; echo $$; while :; do sleep 0.05; done", "echo $$; exec yes"} {
		t.Run(command, func(t *testing.T) {
			c := dial(t, hostshell.Config{Grace: 50 * time.Millisecond})
			cmd := c.Command(command)
			cmd.PTY = &ssh.PTY{Term: "dumb"}
			pid := started(t, deadline(t), cmd)
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			gone(t, pid)
		})
	}
}
