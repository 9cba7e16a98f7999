package sshclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/trace"
)

// TestBothOutputsAreRead writes more than a window to stderr, and then to
// stdout: a client that read one at a time would wait for ever.
func TestBothOutputsAreRead(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	const size = 5 << 20
	cmd := c.Command("fill 5242880 5242880")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(t.Context()); err != nil || out.Len() != size || errs.Len() != size {
		t.Errorf("Run = %v, %d and %d bytes", err, out.Len(), errs.Len())
	}
	if out, err := c.Command("fill 3000000 4000000").Output(t.Context()); len(out) != 3_000_000 || err != nil {
		t.Errorf("Output = %d bytes, %v", len(out), err)
	}
	if out, err := c.Command("fill 3000000 4000000").CombinedOutput(t.Context()); len(out) != 7_000_000 || err != nil {
		t.Errorf("CombinedOutput = %d bytes, %v", len(out), err)
	}
}

func TestCanceledCommandIsTerminated(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	cmd := c.Command("wait") // for a signal
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := cmd.Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	if got, err := io.ReadAll(out); string(got) != "TERM\n" || err != nil {
		t.Errorf("output = %q, %v", got, err)
	}
	if err := cmd.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait = %v, want %v", err, context.Canceled)
	}
	if out, err := c.Command("echo alive").Output(t.Context()); string(out) != "alive\n" || err != nil {
		t.Errorf("the connection did not survive: %q, %v", out, err)
	}
}

func TestCanceledCommandThatDoesNotCare(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Exec = func(ctx context.Context, _ *sshserver.Session) error { <-ctx.Done(); return nil }
	})
	cmd := s.Dial().Command("x")
	cmd.WaitDelay = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := cmd.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run = %v, want %v", err, context.DeadlineExceeded)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Run took %v", took)
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }

// TestOutputThatNobodyTakes has a writer fail: an endless command ends.
func TestOutputThatNobodyTakes(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Exec = func(_ context.Context, s *sshserver.Session) error {
			for {
				if _, err := s.Write(make([]byte, 1000)); errors.Is(err, io.ErrClosedPipe) {
					return nil // the client has told us
				} else if err != nil {
					return err
				}
			}
		}
	})
	full := errors.New("disk full")
	cmd := s.Dial().Command("yes")
	cmd.Stdout = failingWriter{full}
	if err := cmd.Run(t.Context()); !errors.Is(err, full) {
		t.Errorf("Run = %v, want %v", err, full)
	}
}

func TestPipes(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	cmd := c.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cmd.StdoutPipe(); err == nil {
		t.Error("a second StdoutPipe = nil")
	}
	if err := cmd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(t.Context()); err == nil {
		t.Error("a second Start = nil")
	}
	for _, want := range []string{"one", "two"} {
		io.WriteString(in, want)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(out, got); string(got) != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	in.Close()
	if rest, err := io.ReadAll(io.MultiReader(out, errs)); len(rest) != 0 || err != nil {
		t.Errorf("rest = %q, %v", rest, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestStdinFails(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	broken := errors.New("bad sector")
	cmd := c.Command("cat")
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = io.MultiReader(strings.NewReader("half"), failingReader{broken}), &out
	if err := cmd.Run(t.Context()); !errors.Is(err, broken) || out.String() != "half" {
		t.Errorf("Run = %v, %q, want %v", err, out.String(), broken)
	}
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

func TestEnv(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	cmd := c.Command("env")
	cmd.Env = []string{"LC_ALL=C", "PATH=/evil", "LC_TIME=a=b"}
	if out, err := cmd.Output(t.Context()); string(out) != "LC_ALL=C\nLC_TIME=a=b\n" || err != nil {
		t.Errorf("env = %q, %v", out, err)
	}
	cmd = c.Command("env")
	cmd.Env = []string{"no equals sign"}
	if err := cmd.Run(t.Context()); err == nil {
		t.Error("Run with a broken environment = nil")
	}
}

func TestTerminal(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Shell = func(ctx context.Context, s *sshserver.Session) error {
			p := s.PTY()
			if p == nil || p.Term != "vt100" || p.Size.Columns != 80 || string(p.Modes) != "\x00" {
				return errors.New("no terminal")
			}
			e, err := s.Event(ctx)
			if err != nil || e.Size == nil || e.Size.Rows != 50 || s.PTY().Size.Rows != 50 {
				return errors.New("no resize")
			}
			s.Exit(5)
			return nil
		}
	})
	cmd := s.Dial().Shell()
	cmd.PTY = &ssh.PTY{Term: "vt100", Size: ssh.WindowSize{Columns: 80, Rows: 24}, Modes: []byte{0}}
	if err := cmd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Resize(t.Context(), ssh.WindowSize{Columns: 80, Rows: 50}); err != nil {
		t.Fatal(err)
	}
	var status *sshclient.ExitError
	if err := cmd.Wait(); !errors.As(err, &status) || status.Status != 5 {
		t.Errorf("Wait = %v, want status 5", err)
	}
}

func TestRefusals(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Shell = nil
		s.Password = nil
		s.PublicKey = restricted{sshserver.Grant{NoPTY: true}}
	})
	c := s.Dial()
	shell, pty := c.Shell(), c.Command("echo")
	pty.PTY = &ssh.PTY{Term: "x"}
	for want, cmd := range map[string]*sshclient.Cmd{"shell": shell, "pty-req": pty} {
		var refused *sshclient.RequestError
		if err := cmd.Run(t.Context()); !errors.As(err, &refused) || refused.Request != want {
			t.Errorf("Run = %v, want a refusal of %s", err, want)
		}
	}
	if err := c.Command("x").Wait(); err == nil {
		t.Error("Wait of a command that was not started = nil")
	}
}

// TestSilentEnd has a server close a session without saying how it ended.
func TestSilentEnd(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Exec = func(_ context.Context, s *sshserver.Session) error { return s.Close() }
	})
	if err := s.Dial().Command("x").Run(t.Context()); !errors.Is(err, sshclient.ErrNoExitStatus) {
		t.Errorf("Run = %v, want %v", err, sshclient.ErrNoExitStatus)
	}
}

// TestLostOutput cuts the line after a command has ended well and before its
// output has: that is no success.
func TestLostOutput(t *testing.T) {
	for _, ended := range []bool{false, true} {
		near, far := testkit.Pipe()
		p := sshtest.NewPeer(t, trace.Server, far)
		p.HostKey = newKey(t)
		result := make(chan error)
		go func() { // stops when the peer has closed
			c, err := sshclient.New(context.Background(), near, "h:22", &sshclient.Config{
				User: "ada", HostKeys: sshclient.FixedHostKeys(p.HostKey.PublicKey()),
				Auth: []sshclient.AuthMethod{sshclient.PublicKeys(newKey(t))},
			})
			if err == nil {
				defer c.Close()
				_, err = c.Command("x").Output(context.Background())
			}
			result <- err
		}()
		p.Reach(sshtest.Open)
		for p.Receive(&ssh.ChannelRequest{}) != nil {
		}
		p.Send(&ssh.ChannelSuccess{Recipient: p.Channel()})
		p.Send(&ssh.ChannelRequest{Recipient: p.Channel(), Type: ssh.RequestExitStatus})
		p.Send(&ssh.ChannelData{Recipient: p.Channel(), Data: []byte("half")})
		if ended {
			p.Send(&ssh.ChannelEOF{Recipient: p.Channel()})
		}
		p.Close()
		if err := <-result; (err == nil) != ended {
			t.Errorf("Output = %v, with the end of the output: %v", err, ended)
		}
	}
}
