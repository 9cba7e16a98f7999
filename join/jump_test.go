package join_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// host is an SSH server in memory.
type host struct {
	key    keys.PublicKey
	server *sshserver.Server

	mu    sync.Mutex
	conns []net.Conn     // the server's ends
	serve sync.WaitGroup // its connections
}

// newHost makes a server that connects its clients as reach says; what reach
// does not name is refused. A name with a slash is a socket.
func newHost(t testing.TB, reach map[string]dialFunc) *host {
	t.Helper()
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	forward := func(ctx context.Context, f *sshserver.Forward) (net.Conn, error) {
		dial := reach[f.Addr()]
		if dial == nil {
			return nil, sshserver.ErrProhibited
		}
		return dial(ctx, f.Network, f.Addr())
	}
	h := &host{key: hostKey.PublicKey(), server: &sshserver.Server{
		HostKeys: []keys.Signer{hostKey}, DirectTCPIP: forward, DirectStreamLocal: forward,
		None: func(context.Context, sshserver.Attempt) (*sshserver.Grant, error) { return &sshserver.Grant{}, nil },
		Exec: func(_ context.Context, s *sshserver.Session) error {
			_, err := s.Write([]byte(s.Command()))
			return err
		},
	}}
	t.Cleanup(func() {
		_ = h.server.Close()
		h.serve.Wait()
	})
	return h
}

// dial connects to the server.
func (h *host) dial(context.Context, string, string) (net.Conn, error) {
	near, far := testkit.Pipe()
	h.mu.Lock()
	h.conns = append(h.conns, far)
	h.mu.Unlock()
	h.serve.Go(func() { // stops when the connection ends
		_ = h.server.ServeConn(context.Background(), far) // how it ends is the client's business
	})
	return near, nil
}

// cut breaks all connections to the server.
func (h *host) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Close()
	}
}

// dialed is the number of connections that there have been.
func (h *host) dialed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

// hop is how to log in to the server, as the hop number 1 when first.
func (h *host) hop(addr string, first bool, cfg transport.Config) join.Hop {
	c := &sshclient.Config{User: "ada", HostKeys: sshclient.FixedHostKeys(h.key), Transport: cfg}
	if first {
		c.Dial = h.dial
	}
	return join.Hop{Addr: addr, Config: c}
}

// chain are three hosts, each behind the one before.
func chain(t testing.TB, cfg transport.Config) (hosts []*host, hops []join.Hop) {
	three := newHost(t, nil)
	two := newHost(t, map[string]dialFunc{"three:22": three.dial})
	one := newHost(t, map[string]dialFunc{"two:22": two.dial})
	return []*host{one, two, three}, []join.Hop{one.hop("one:22", true, cfg), two.hop("two:22", false, cfg), three.hop("three:22", false, cfg)}
}

func TestJump(t *testing.T) {
	hosts, hops := chain(t, transport.Config{})
	c, err := join.Jump(t.Context(), hops)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := c.Command("echo on three").Output(t.Context()); err != nil || string(out) != "echo on three" {
		t.Errorf("on the last host: %q, %v", out, err)
	}
	if got := c.RemoteAddr().String(); got != "three:22" {
		t.Errorf("RemoteAddr = %s", got)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	for i, h := range hosts { // all of them are left
		done := make(chan struct{})
		go func() { // stops when the host's connections have ended
			h.serve.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("host %d is not left", i+1)
		}
		if n := h.dialed(); n != 1 {
			t.Errorf("host %d was dialed %d times", i+1, n)
		}
	}
	if _, err := join.Jump(t.Context(), nil); err == nil {
		t.Error("no host is taken")
	}
}

// Where it fails is said, and what was opened is closed.
func TestJumpErrors(t *testing.T) {
	stranger := newHost(t, nil)
	for _, tt := range []struct {
		name   string
		break_ func(hosts []*host, hops []join.Hop)
		number int
		want   any
	}{
		{"host key of the first", func(_ []*host, hops []join.Hop) { hops[0].Config.HostKeys = sshclient.FixedHostKeys(stranger.key) }, 1, new(*transport.HostKeyError)},
		{"host key of the second", func(_ []*host, hops []join.Hop) { hops[1].Config.HostKeys = sshclient.FixedHostKeys(stranger.key) }, 2, new(*transport.HostKeyError)},
		{"login at the third", func(hosts []*host, _ []join.Hop) { hosts[2].server.None = nil }, 3, new(*sshclient.AuthError)},
		{"not allowed to the second", func(_ []*host, hops []join.Hop) { hops[1].Addr = "elsewhere:22" }, 2, new(*sshclient.OpenError)},
		{"no user for the second", func(_ []*host, hops []join.Hop) { hops[1].Config = nil }, 2, nil},
		{"the first is gone", func(_ []*host, hops []join.Hop) {
			hops[0].Config.Dial = func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Err: errors.New("gone")}
			}
		}, 1, new(*net.OpError)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hosts, hops := chain(t, transport.Config{})
			tt.break_(hosts, hops)
			c, err := join.Jump(t.Context(), hops)
			var he *join.HopError
			if !errors.As(err, &he) || he.Number != tt.number || he.Of != 3 || he.Addr != hops[tt.number-1].Addr {
				t.Fatalf("Jump = %v, %v, want a *HopError at %d", c, err, tt.number)
			}
			if tt.want != nil && !errors.As(err, tt.want) {
				t.Errorf("Jump = %v, want a %T", err, tt.want)
			}
			for _, h := range hosts {
				h.serve.Wait() // hangs when something is left open
			}
		})
	}
}

// A host that says nothing does not keep a cancelled call.
func TestJumpCancelled(t *testing.T) {
	near, far := testkit.Pipe()
	defer far.Close()
	silent := func(context.Context, string, string) (net.Conn, error) { return near, nil }
	one := newHost(t, map[string]dialFunc{"silent:22": silent})
	hops := []join.Hop{one.hop("one:22", true, transport.Config{}), one.hop("silent:22", false, transport.Config{})}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if c, err := join.Jump(ctx, hops); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Jump = %v, %v, want the end of the context", c, err)
	}
	one.serve.Wait()
}

// A host that connects to the next one for ever is bounded like a handshake.
func TestJumpTimeout(t *testing.T) {
	never := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	one := newHost(t, map[string]dialFunc{"two:22": never})
	hops := []join.Hop{one.hop("one:22", true, transport.Config{}), one.hop("two:22", false, transport.Config{HandshakeTimeout: 50 * time.Millisecond})}
	if c, err := join.Jump(t.Context(), hops); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Jump = %v, %v, want the time limit", c, err)
	}
	one.serve.Wait()
}

// When a host in the middle goes away, so does what it carries.
func TestJumpBroken(t *testing.T) {
	for i := range 3 {
		hosts, hops := chain(t, transport.Config{})
		c, err := join.Jump(t.Context(), hops)
		if err != nil {
			t.Fatal(err)
		}
		hosts[i].cut()
		select {
		case <-c.Done():
		case <-time.After(10 * time.Second):
			t.Fatalf("host %d is cut off and the last connection lives", i+1)
		}
		if c.Err() == nil {
			t.Errorf("host %d is cut off: no error", i+1)
		}
		_ = c.Close() // reports what broke
	}
}

// A recording shows what runs on the last host, decoded from what the first
// one is sent.
func TestJumpRecorded(t *testing.T) {
	var text bytes.Buffer
	r := record.NewText(&text, nil)
	_, hops := chain(t, transport.Config{Trace: r})
	c, err := join.Jump(t.Context(), hops)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Command("find me").Output(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"SSH_MSG_CHANNEL_OPEN channel_type=direct-tcpip", "SSH_MSG_CHANNEL_OPEN in=ssh/0 channel_type=direct-tcpip",
		`SSH_MSG_CHANNEL_REQUEST in=ssh/0/ssh/0 recipient_channel=0 request_type=exec want_reply=true command="find me"`,
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the recording lacks %q", want)
		}
	}
	for _, bad := range []string{"unread", "cannot be read"} {
		if strings.Contains(text.String(), bad) {
			t.Errorf("the recording has %q", bad)
		}
	}
	if t.Failed() {
		t.Logf("%s", text.String())
	}
}

func TestJumpTraceKnowsTheCarrier(t *testing.T) {
	var o opened
	_, hops := chain(t, transport.Config{Trace: &o})
	c, err := join.Jump(t.Context(), hops)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.infos) != 3 || o.infos[0].Parent != nil {
		t.Fatalf("traced are %+v", o.infos)
	}
	for i, want := range []string{"direct-tcpip two:22", "direct-tcpip three:22"} {
		if info := o.infos[i+1]; info.Proto != "ssh" || info.Parent == nil || info.Label != want || info.Remote.String() != strings.Fields(want)[1] {
			t.Errorf("hop %d was traced as %+v", i+2, info)
		}
	}
}
