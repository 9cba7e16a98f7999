package sshserver_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
)

// TestSessionRequests has a client make requests in any order.
func TestSessionRequests(t *testing.T) {
	exec := &ssh.ChannelRequest{Type: ssh.RequestExec, Command: "cat"}
	pty := &ssh.ChannelRequest{Type: ssh.RequestPTY, PTY: ssh.PTY{Term: "x"}}
	env := &ssh.ChannelRequest{Type: ssh.RequestEnv, EnvName: "LC_ALL", EnvValue: "C"}
	tests := []struct {
		name string
		say  []*ssh.ChannelRequest
		want []bool
	}{
		{"one command", []*ssh.ChannelRequest{exec, exec}, []bool{true, false}},
		{"shell after command", []*ssh.ChannelRequest{exec, {Type: ssh.RequestShell}}, []bool{true, false}},
		{"one terminal", []*ssh.ChannelRequest{pty, pty}, []bool{true, false}},
		{"terminal after command", []*ssh.ChannelRequest{exec, pty}, []bool{true, false}},
		{"environment", []*ssh.ChannelRequest{env, {Type: ssh.RequestEnv, EnvName: "LD_PRELOAD"}, {Type: ssh.RequestEnv, EnvName: "LC_A=B"}, exec, env}, []bool{true, false, false, true, false}},
		{"no such subsystem", []*ssh.ChannelRequest{{Type: ssh.RequestSubsystem, Subsystem: "x"}, exec}, []bool{false, true}},
		{"resize without terminal", []*ssh.ChannelRequest{{Type: ssh.RequestWindowChange}}, []bool{false}},
		{"agent, x11, unknown", []*ssh.ChannelRequest{{Type: ssh.RequestAgent}, {Type: ssh.RequestX11}, {Type: "new@example.com"}}, []bool{false, false, false}},
		{"signal too early", []*ssh.ChannelRequest{{Type: ssh.RequestSignal, Signal: "INT"}, exec, {Type: ssh.RequestSignal, Signal: "INT"}}, []bool{false, true, true}},
	}
	s := sshtest.NewServer(t, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sshtest.Dial(t, s.Addr)
			p.Reach(sshtest.Open)
			var got []bool
			for _, r := range tt.say {
				m := *r
				m.Recipient, m.WantReply = p.Channel(), true
				p.Send(&m)
				b, err := p.Next()
				for err == nil && b[0] == ssh.Messages.Entry(&ssh.ExtInfo{}).Number {
					b, err = p.Next()
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, b[0] == ssh.Messages.Entry(&ssh.ChannelSuccess{}).Number)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("answers = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEnvironmentIsBounded(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) { s.Limits.Environment = 2 })
	cmd := s.Dial().Command("env")
	cmd.Env = []string{"LC_A=1", "LC_B=2", "LC_C=3"}
	if out, err := cmd.Output(t.Context()); string(out) != "LC_A=1\nLC_B=2\n" || err != nil {
		t.Errorf("env = %q, %v", out, err)
	}
	long := strings.Repeat("x", 100<<10)
	s = sshtest.NewServer(t, nil)
	cmd = s.Dial().Command("env")
	cmd.Env = []string{"LC_A=" + long, "LC_B=" + long, "LC_C=3"}
	if out, err := cmd.Output(t.Context()); string(out) != "LC_A="+long+"\nLC_C=3\n" || err != nil {
		t.Errorf("the environment has %d bytes, %v", len(out), err)
	}
}

// TestEventsAreBounded has a client send far more events than a handler takes.
func TestEventsAreBounded(t *testing.T) {
	var got []string
	var size *ssh.WindowSize
	sent := make(chan struct{})
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Exec = func(ctx context.Context, s *sshserver.Session) error {
			<-sent
			for size == nil {
				e, err := s.Event(ctx)
				if err != nil {
					return err
				}
				if e.Size != nil {
					size = e.Size
				} else {
					got = append(got, e.Signal)
				}
			}
			return nil
		}
	})
	c := s.Dial()
	cmd := c.Command("x")
	cmd.PTY = &ssh.PTY{Term: "x"}
	if err := cmd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(10_000) {
		cmd.Signal(t.Context(), []string{"INT", "TERM"}[i%2])
		cmd.Resize(t.Context(), ssh.WindowSize{Columns: i})
	}
	if _, err := c.Ping(t.Context()); err != nil { // all has arrived
		t.Fatal(err)
	}
	close(sent)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"INT", "TERM"}; !reflect.DeepEqual(got, want) || size.Columns != 9999 {
		t.Errorf("events = %q, %+v, want %q and the newest size", got, size, want)
	}
}

// TestHandlersContextEndsWithTheChannel closes a channel under a handler.
func TestHandlersContextEndsWithTheChannel(t *testing.T) {
	ended := make(chan struct{})
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Subsystems = map[string]sshserver.Handler{"wait": func(ctx context.Context, s *sshserver.Session) error {
			<-ctx.Done()
			close(ended)
			return nil
		}}
	})
	ch, err := s.Dial().Subsystem(t.Context(), "wait")
	if err != nil {
		t.Fatal(err)
	}
	ch.Close()
	<-ended
}

// TestNoMoreSessions is the request with which OpenSSH's client closes the
// door behind itself.
func TestNoMoreSessions(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	p := sshtest.Dial(t, s.Addr)
	p.Reach(sshtest.Open)
	p.Send(&ssh.GlobalRequest{Name: ssh.GlobalNoMoreSessions})
	p.Send(&ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 1, Window: 1, MaxPacket: 1 << 15})
	var refusal ssh.ChannelOpenFailure
	if err := p.Receive(&refusal); err != nil || refusal.Reason != ssh.AdministrativelyProhibited {
		t.Errorf("answer = %+v, %v", refusal, err)
	}
}
