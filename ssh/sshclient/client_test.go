package sshclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// Example logs in and runs a command.
func Example() {
	var signer keys.Signer      // from keys.Load
	var known keys.PublicKey    // or a *knownhosts.Checker
	ctx := context.Background() // covers everything up to the login
	if signer == nil || known == nil {
		return // there is no server to talk to here
	}
	c, err := sshclient.Dial(ctx, "host.example:22", &sshclient.Config{
		User:     "ada",
		HostKeys: sshclient.FixedHostKeys(known),
		Auth:     []sshclient.AuthMethod{sshclient.PublicKeys(signer)},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	out, err := c.Command("uname -a").Output(ctx)
	var status *sshclient.ExitError
	if errors.As(err, &status) {
		log.Fatalf("uname ended with %d", status.Status)
	}
	fmt.Printf("%s", out)
}

func newKey(t *testing.T) keys.Signer {
	t.Helper()
	s, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWrongHostKey(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	cfg := s.ClientConfig()
	cfg.HostKeys = sshclient.FixedHostKeys(newKey(t).PublicKey())
	_, err := sshclient.Dial(t.Context(), s.Addr, cfg)
	var refused *transport.HostKeyError
	if !errors.As(err, &refused) || !keys.Equal(refused.Key, s.HostKey.PublicKey()) {
		t.Errorf("Dial = %v, want a HostKeyError", err)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // and nobody says a word
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := sshtest.NewServer(t, nil)
	because := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(because) })
	if _, err := sshclient.Dial(ctx, l.Addr().String(), s.ClientConfig()); !errors.Is(err, because) {
		t.Errorf("Dial = %v, want %v", err, because)
	}
}

func TestContextEndsWithDial(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := sshclient.Dial(ctx, s.Addr, s.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if out, err := c.Command("echo still here").Output(t.Context()); string(out) != "still here\n" || err != nil {
		t.Errorf("Output after the end of Dial's context = %q, %v", out, err)
	}
}

func TestSubsystem(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(ch, "hello")
	ch.CloseWrite()
	if got, err := io.ReadAll(ch); string(got) != "hello" || err != nil {
		t.Errorf("echo = %q, %v", got, err)
	}
	var refused *sshclient.RequestError
	if _, err := c.Subsystem(t.Context(), "nonsense"); !errors.As(err, &refused) || refused.Detail != "nonsense" {
		t.Errorf("Subsystem = %v, want a RequestError", err)
	}
}

func TestPending(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	until := func(want bool) {
		t.Helper()
		for start := time.Now(); ch.Pending() != want; time.Sleep(time.Millisecond) {
			if time.Since(start) > 10*time.Second {
				t.Fatalf("Pending() stays %v", !want)
			}
		}
	}
	until(false)
	fmt.Fprint(ch, "hello")
	until(true)
	if _, err := io.ReadFull(ch, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	until(false)
	ch.CloseWrite() // the server ends its stream too
	until(true)
	if _, err := ch.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read = %v", err)
	}
}

func TestDialContext(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	c := s.Dial()
	socket := filepath.Join(t.TempDir(), "s")
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", socket}} {
		t.Run(at[0], func(t *testing.T) {
			l, err := net.Listen(at[0], at[1])
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() { // stops after one connection
				far, err := l.Accept()
				if err != nil {
					return
				}
				defer far.Close()
				io.Copy(far, far)
			}()
			nc, err := c.DialContext(t.Context(), at[0], l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if got := nc.RemoteAddr(); got.Network() != at[0] || got.String() != l.Addr().String() {
				t.Errorf("RemoteAddr = %v %v", got.Network(), got)
			}
			want := bytes.Repeat([]byte("ping"), 100_000)
			go func() { // stops when all is written
				nc.Write(want)
				nc.(interface{ CloseWrite() error }).CloseWrite()
			}()
			if got, err := io.ReadAll(nc); !bytes.Equal(got, want) || err != nil {
				t.Errorf("%d bytes came back, %v, want %d", len(got), err, len(want))
			}
		})
	}
}

func TestDialContextRefused(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) { s.DirectStreamLocal = nil })
	c := s.Dial()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // so nobody listens there
	tests := []struct {
		network, addr string
		reason        ssh.OpenFailureReason // 0: the request is not even sent
	}{
		{"tcp", l.Addr().String(), ssh.ConnectFailed},
		{"unix", "/nowhere", ssh.AdministrativelyProhibited},
		{"unix", "", 0},
		{"udp", "127.0.0.1:53", 0},
		{"tcp", "no port", 0},
		{"tcp", "host:99999", 0},
	}
	for _, tt := range tests {
		_, err := c.DialContext(t.Context(), tt.network, tt.addr)
		var op *net.OpError
		var refused *sshclient.OpenError
		if !errors.As(err, &op) || errors.As(err, &refused) != (tt.reason != 0) || refused != nil && refused.Reason != tt.reason {
			t.Errorf("DialContext(%q, %q) = %v, want reason %v", tt.network, tt.addr, err, tt.reason)
		}
	}
}

func TestPing(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	if _, err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestKeepAlive(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	near, far := testkit.NewPipe(testkit.PipeConfig{})
	go s.ServeConn(t.Context(), far) // stops with the test's context
	cfg := s.ClientConfig()
	cfg.KeepAlive = sshclient.KeepAlive{Interval: 20 * time.Millisecond, CountMax: 2}
	c, err := sshclient.New(t.Context(), near, s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Command("echo").Output(t.Context()); err != nil {
		t.Fatal(err)
	}
	near.Stall(true)
	if err := c.Wait(); !errors.Is(err, sshclient.ErrKeepAlive) {
		t.Errorf("Wait = %v, want %v", err, sshclient.ErrKeepAlive)
	}
}

func TestShutdown(t *testing.T) {
	c := sshtest.NewServer(t, nil).Dial()
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- c.Shutdown(context.Background()) }() // stops when ch is closed
	fmt.Fprint(ch, "last words")
	ch.CloseWrite()
	if got, err := io.ReadAll(ch); string(got) != "last words" || err != nil {
		t.Errorf("echo during Shutdown = %q, %v", got, err)
	}
	ch.Close()
	if err := <-done; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if err := c.Err(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Err = %v, want net.ErrClosed", err)
	}
	if _, err := c.Subsystem(t.Context(), "echo"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Subsystem after Shutdown = %v, want net.ErrClosed", err)
	}
}

// TestLostConnection cuts the line under everything that can wait.
func TestLostConnection(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	near, far := testkit.NewPipe(testkit.PipeConfig{})
	go s.ServeConn(t.Context(), far) // stops with the line
	c, err := sshclient.New(t.Context(), near, s.Addr, s.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cmd := c.Command("cat")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	near.Cut()
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "ssh") {
		t.Errorf("Wait of a command = %v", err)
	}
	if _, err := ch.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Read = %v, want an error that is no end of file", err)
	}
	if _, err := c.Ping(t.Context()); err == nil {
		t.Error("Ping = nil")
	}
	if err := c.Wait(); err == nil {
		t.Error("Wait = nil")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []*sshclient.Config{nil, {}, {User: "ada"}} {
		near, far := net.Pipe()
		if _, err := sshclient.New(t.Context(), near, "x:22", cfg); err == nil {
			t.Errorf("New(%+v) = nil", cfg)
		}
		if _, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection was not closed: %v", err)
		}
	}
}

// TestStalledSocket has a server that stops reading its socket: whoever waits
// for room there keeps deadlines all the same, and Close does not hang.
func TestStalledSocket(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	near, far := testkit.NewPipe(testkit.PipeConfig{})
	go s.ServeConn(t.Context(), far) // stops with the line
	cfg := s.ClientConfig()
	cfg.Transport.CloseTimeout = 20 * time.Millisecond
	c, err := sshclient.New(t.Context(), near, s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := c.Subsystem(t.Context(), "echo")
	if err != nil {
		t.Fatal(err)
	}
	far.Stall(true)
	defer far.Stall(false)
	ch.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	const size = 1 << 20 // less than the window, more than all buffers
	if n, err := ch.Write(make([]byte, size)); n == size || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write = %d, %v, want %v", n, err, os.ErrDeadlineExceeded)
	}
	ch.SetWriteDeadline(time.Time{})
	wrote := make(chan error)
	go func() { // stops with ch
		_, err := ch.Write(make([]byte, size))
		wrote <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Command("echo").Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run = %v, want %v", err, context.DeadlineExceeded)
	}
	ch.Close()
	if err := <-wrote; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write = %v, want net.ErrClosed", err)
	}
	if err := c.Close(); err == nil {
		t.Error("Close = nil although not everything was sent")
	}
}

func TestRekey(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	cfg := s.ClientConfig()
	cfg.Transport.Rekey.Bytes = 64 << 10
	c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cmd := c.Command("cat")
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	var got bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(want), &got
	if err := cmd.Run(t.Context()); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("cat = %d bytes, %v", got.Len(), err)
	}
	if st := c.State(); st.KeyExchanges < 10 || st.Role != trace.Client {
		t.Errorf("%d key exchanges", st.KeyExchanges)
	}
	if !strings.HasPrefix(c.RemoteVersion(), "SSH-2.0-Wirelark") {
		t.Errorf("RemoteVersion = %q", c.RemoteVersion())
	}
}
