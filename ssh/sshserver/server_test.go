package sshserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// Example serves one command to everybody who knows a password.
func Example() {
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		log.Fatal(err)
	}
	s := &sshserver.Server{
		HostKeys: []keys.Signer{hostKey},
		Password: func(_ context.Context, a sshserver.Attempt, password string) (*sshserver.Grant, error) {
			if a.User != "ada" || password != "secret" { // compare hashes, in constant time, in earnest
				return nil, nil
			}
			return &sshserver.Grant{}, nil
		},
		Exec: func(_ context.Context, s *sshserver.Session) error {
			_, err := fmt.Fprintln(s, "you said", s.Command())
			return err
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		if err := s.Serve(l); !errors.Is(err, sshserver.ErrServerClosed) {
			log.Print(err)
		}
	}()
	if err := s.Shutdown(context.Background()); err != nil {
		log.Print(err)
	}
}

// granting is a policy that lets every key in with one grant.
type granting sshserver.Grant

func (granting) Acceptable(context.Context, sshserver.Attempt, keys.PublicKey) bool { return true }

func (g granting) Authorize(context.Context, sshserver.Attempt, sshserver.VerifiedKey) (*sshserver.Grant, error) {
	grant := sshserver.Grant(g)
	return &grant, nil
}

func TestGrants(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	exec := func(c *sshclient.Client) error {
		_, err := c.Command("exit 0").Output(t.Context())
		return err
	}
	forward := func(c *sshclient.Client) error {
		nc, err := c.DialContext(t.Context(), "tcp", l.Addr().String())
		if err == nil {
			nc.Close()
		}
		return err
	}
	terminal := func(c *sshclient.Client) error {
		cmd := c.Command("exit 0")
		cmd.PTY = &ssh.PTY{Term: "x"}
		return cmd.Run(t.Context())
	}
	permit := func(addr string) func(string, uint32) bool {
		return func(host string, port uint32) bool { return fmt.Sprintf("%s:%d", host, port) == addr }
	}
	socket := func(c *sshclient.Client) error {
		_, err := c.DialContext(t.Context(), "unix", "/nowhere")
		if r := (*sshclient.OpenError)(nil); errors.As(err, &r) && r.Reason == ssh.ConnectFailed {
			return nil // it was allowed
		}
		return err
	}
	tests := []struct {
		name  string
		grant sshserver.Grant
		try   func(*sshclient.Client) error
		ok    bool
	}{
		{"exec", sshserver.Grant{}, exec, true},
		{"terminal", sshserver.Grant{}, terminal, true},
		{"forward", sshserver.Grant{}, forward, true},
		{"NoSessions", sshserver.Grant{NoSessions: true}, exec, false},
		{"NoSessions, forward", sshserver.Grant{NoSessions: true}, forward, true},
		{"NoPTY", sshserver.Grant{NoPTY: true}, terminal, false},
		{"NoForwarding", sshserver.Grant{NoForwarding: true}, forward, false},
		{"PermitOpen", sshserver.Grant{PermitOpen: permit(l.Addr().String())}, forward, true},
		{"PermitOpen elsewhere", sshserver.Grant{PermitOpen: permit("127.0.0.1:1")}, forward, false},
		{"socket", sshserver.Grant{}, socket, true},
		{"PermitOpen, socket", sshserver.Grant{PermitOpen: permit(l.Addr().String())}, socket, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sshtest.NewServer(t, func(s *sshserver.Server) { s.PublicKey = granting(tt.grant) })
			if err := tt.try(s.Dial()); (err == nil) != tt.ok {
				t.Errorf("got %v, want success: %v", err, tt.ok)
			}
		})
	}
}

// TestForcedCommand runs the grant's command whatever is asked for.
func TestForcedCommand(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.PublicKey = granting{Command: "backup", Env: []string{"FROM=grant"}}
		s.Exec = func(_ context.Context, s *sshserver.Session) error {
			_, err := fmt.Fprintf(s, "%s %s (%s) %s %s", s.Kind(), s.Command(), s.Original(), s.Env(), s.Conn().User())
			return err
		}
	})
	c := s.Dial()
	for want, cmd := range map[string]*sshclient.Cmd{
		"exec backup (rm -rf /) [FROM=grant] ada": c.Command("rm -rf /"),
		"exec backup () [FROM=grant] ada":         c.Shell(),
	} {
		if got, err := cmd.Output(t.Context()); string(got) != want || err != nil {
			t.Errorf("Output = %q, %v, want %q", got, err, want)
		}
	}
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(ch); string(got) != "exec backup (echo) [FROM=grant] ada" || err != nil {
		t.Errorf("subsystem = %q, %v", got, err)
	}
}

func TestShutdownWaitsForSessions(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	c := s.Dial()
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }() // stops when the session ends
	for {
		if _, err := c.Subsystem(t.Context(), "echo"); err != nil {
			break // new sessions are refused by now
		}
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown = %v while a session runs", err)
	default:
	}
	fmt.Fprint(ch, "last words")
	ch.CloseWrite()
	if got, err := io.ReadAll(ch); !strings.HasSuffix(string(got), "last words") || err != nil {
		t.Errorf("echo during Shutdown = %q, %v", got, err)
	}
	ch.Close()
	c.Close() // with the sessions that slipped in
	if err := <-done; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if _, err := net.Dial("tcp", s.Addr); err == nil {
		t.Error("the server still listens")
	}
}

func TestCloseCutsSessions(t *testing.T) {
	var ended atomic.Bool
	running := make(chan struct{})
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Exec = func(ctx context.Context, _ *sshserver.Session) error {
			close(running)
			<-ctx.Done()
			ended.Store(true)
			return context.Cause(ctx)
		}
	})
	c := s.Dial()
	cmd := c.Command("x")
	if err := cmd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-running
	s.Close()
	if err := s.Shutdown(t.Context()); err != nil || !ended.Load() {
		t.Errorf("Shutdown after Close = %v, the handler has ended: %v", err, ended.Load())
	}
	if err := cmd.Wait(); err == nil {
		t.Error("Wait of a cut command = nil")
	}
	if err := s.Serve(new(net.TCPListener)); !errors.Is(err, sshserver.ErrServerClosed) {
		t.Errorf("Serve after Close = %v", err)
	}
}

// Shutdown waits for a connection that was handed to ServeConn, whose policy
// is still deciding.
func TestShutdownWaitsForServeConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan struct{})
		var decided atomic.Bool
		host := newKey(t)
		s := &sshserver.Server{
			HostKeys: []keys.Signer{host},
			Password: func(context.Context, sshserver.Attempt, string) (*sshserver.Grant, error) {
				close(asked)
				time.Sleep(time.Second)
				decided.Store(true)
				return nil, nil
			},
		}
		near, far := testkit.NewPipe(testkit.PipeConfig{})
		go func() { _ = s.ServeConn(t.Context(), far) }() // stops when the server is shut down
		cfg := &sshclient.Config{
			User: "ada", HostKeys: sshclient.FixedHostKeys(host.PublicKey()),
			Auth: []sshclient.AuthMethod{sshclient.Password(func(context.Context, string) (string, error) { return "x", nil })},
		}
		go func() { // stops with the connection
			if _, err := sshclient.New(t.Context(), near, "server:22", cfg); err == nil {
				t.Error("the client is logged in")
			}
		}()
		<-asked
		if err := s.Shutdown(t.Context()); err != nil || !decided.Load() {
			t.Errorf("Shutdown = %v, the policy has decided: %v", err, decided.Load())
		}
	})
}

func TestServeConnEnds(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	because := errors.New("enough")
	tests := []struct {
		name string
		end  func(c *sshclient.Client, near *testkit.Conn, cancel context.CancelCauseFunc)
		want error
	}{
		{"client closes", func(c *sshclient.Client, _ *testkit.Conn, _ context.CancelCauseFunc) { c.Close() }, nil},
		{"client hangs up", func(_ *sshclient.Client, near *testkit.Conn, _ context.CancelCauseFunc) { near.Close() }, nil},
		{"context", func(_ *sshclient.Client, _ *testkit.Conn, cancel context.CancelCauseFunc) { cancel(because) }, because},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			near, far := testkit.NewPipe(testkit.PipeConfig{})
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			ended := make(chan error)
			go func() { ended <- s.ServeConn(ctx, far) }() // stops with the connection
			c, err := sshclient.New(t.Context(), near, s.Addr, s.ClientConfig())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			tt.end(c, near, cancel)
			if err := <-ended; !errors.Is(err, tt.want) {
				t.Errorf("ServeConn = %v, want %v", err, tt.want)
			}
		})
	}
}

// TestPanicStaysInItsSession has a handler panic beside others.
func TestPanicStaysInItsSession(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.DirectTCPIP = func(context.Context, *sshserver.Forward) (net.Conn, error) { panic("on request") }
	})
	c := s.Dial()
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	var status *sshclient.ExitError
	if err := c.Command("panic").Run(t.Context()); !errors.As(err, &status) || status.Status != 255 {
		t.Errorf("Run = %v, want status 255", err)
	}
	if _, err := c.DialContext(t.Context(), "tcp", "127.0.0.1:1"); err == nil {
		t.Error("DialContext = nil")
	}
	fmt.Fprint(ch, "alive")
	if _, err := io.ReadFull(ch, make([]byte, 5)); err != nil {
		t.Errorf("another session: %v", err)
	}
}

// TestSlowForwardsAreBounded has a policy that takes its time.
func TestSlowForwardsAreBounded(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Limits.PendingForwards = 2
		s.DirectTCPIP = func(ctx context.Context, _ *sshserver.Forward) (net.Conn, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
	})
	c := s.Dial()
	refused := make(chan error, 3)
	ctx, cancel := context.WithCancel(t.Context())
	for range 3 {
		go func() { // stops with ctx, or refused
			_, err := c.DialContext(ctx, "tcp", "127.0.0.1:1")
			refused <- err
		}()
	}
	var full *sshclient.OpenError
	if err := <-refused; !errors.As(err, &full) || full.Reason != ssh.ResourceShortage {
		t.Errorf("third forward = %v", err)
	}
	cancel()
	for range 2 {
		if err := <-refused; !errors.Is(err, context.Canceled) {
			t.Errorf("DialContext = %v, want %v", err, context.Canceled)
		}
	}
	c.Close()
}

// TestForwardDeliversWhatWasWritten closes a forwarded connection right after
// writing to it.
func TestForwardDeliversWhatWasWritten(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := sshtest.NewServer(t, nil).Dial().DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	const size = 1 << 20
	if _, err := nc.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	far.SetDeadline(time.Now().Add(10 * time.Second))
	if n, err := io.Copy(io.Discard, far); n != size || err != nil {
		t.Errorf("%d bytes arrived, %v, want %d", n, err, size)
	}
}
