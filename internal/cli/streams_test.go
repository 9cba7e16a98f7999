//go:build unix

package cli

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inTime runs cmd and waits for its end, but not for ever.
func inTime(t *testing.T, cmd *exec.Cmd) *os.ProcessState {
	t.Helper()
	if cmd.Process == nil {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	_ = cmd.Wait() // the state says it
	if !late.Stop() {
		t.Fatalf("%v did not end: %v", cmd.Args, cmd.Stderr)
	}
	return cmd.ProcessState
}

func client(home string, args ...string) *exec.Cmd {
	cmd := exec.Command("wirelark", args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "SSH_AUTH_SOCK=")
	cmd.Stderr = new(bytes.Buffer)
	return cmd
}

func TestStandardInputIsNotWaitedFor(t *testing.T) {
	home, port := sshHome(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	cmd := client(home, "ssh", "-p", port, "127.0.0.1", "exit 5")
	cmd.Stdin = r
	if got := inTime(t, cmd).ExitCode(); got != 5 {
		t.Errorf("status %d, want 5", got)
	}
}

// TestNobodyReads ends our output in the middle: the client ends too, and what
// it records is complete.
func TestNobodyReads(t *testing.T) {
	home, port := sshHome(t)
	for _, capture := range []bool{false, true} {
		file := filepath.Join(home, "c.pcapng")
		args := []string{"ssh", "-p", port}
		if capture {
			args = append(args, "--capture", file)
		}
		cmd := client(home, append(args, "127.0.0.1", "cat")...)
		cmd.Stdin = strings.NewReader(strings.Repeat("all work and no play\n", 1<<17))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		out.Close()
		state := inTime(t, cmd)
		ws := state.Sys().(syscall.WaitStatus)
		// With a capture it is the remote command that breaks, and says so by
		// its signal, or its shell by a status.
		if code := state.ExitCode(); capture && code != exitPipe && code != exitSSH || !capture && ws.Signal() != syscall.SIGPIPE {
			t.Errorf("capture %v: it ended with %v: %v", capture, state, cmd.Stderr)
		}
		if capture {
			see := client(home, "see", "-r", file, "ssh.channel_close")
			if got, err := see.Output(); err != nil || !bytes.Contains(got, []byte("SSH_MSG_CHANNEL_CLOSE")) {
				t.Errorf("the capture does not go to the end: %s %v %v", got, err, see.Stderr)
			}
		}
	}
}

func TestInterrupts(t *testing.T) {
	home, port := sshHome(t)
	for _, tt := range []struct {
		name   string
		signal os.Signal
		again  bool
		status int
	}{
		{"interrupt", os.Interrupt, false, exitSSH},
		{"request to end", syscall.SIGTERM, false, exitSSH},
		{"two interrupts", os.Interrupt, true, -1}, // by the signal
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := "echo ready; sleep 1000"
			if tt.again {
				line = "trap '' TERM; echo ready; while :; do sleep 1; done"
			}
			cmd := client(home, "ssh", "-p", port, "127.0.0.1", line)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			if tt.again {
				tick := time.NewTicker(10 * time.Millisecond)
				defer tick.Stop()
				over := make(chan struct{})
				defer close(over)
				go func() { // stops with the test
					for {
						select {
						case <-tick.C:
							_ = cmd.Process.Signal(tt.signal) // it may have ended
						case <-over:
							return
						}
					}
				}()
			}
			if got := inTime(t, cmd).ExitCode(); got != tt.status {
				t.Errorf("status %d, want %d: %v", got, tt.status, cmd.Stderr)
			}
			if text := cmd.Stderr.(*bytes.Buffer).String(); !tt.again && !strings.Contains(text, "interrupted  [code 130]") {
				t.Errorf("it said %q", text)
			}
		})
	}
}
