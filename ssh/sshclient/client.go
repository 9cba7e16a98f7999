package sshclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

// Client is a connection to a server that has let the user in. It is safe for
// concurrent use. It must be closed, also after the server has.
type Client struct {
	t   *transport.Conn
	mux *mux.Mux

	stop    context.CancelFunc // ends the keep-alive
	running sync.WaitGroup     // our own goroutines
}

// Dial connects to addr, "host:port" over TCP, and logs in. ctx covers all of
// it and nothing after it. Errors are those of the network, of package
// transport ([*transport.HostKeyError] with what cfg.HostKeys said,
// [*ssh.NegotiationError], …), and [*AuthError].
func Dial(ctx context.Context, addr string, cfg *Config) (*Client, error) {
	dial := new(net.Dialer).DialContext
	if cfg != nil && cfg.Dial != nil {
		dial = cfg.Dial
	}
	nc, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return New(ctx, nc, addr, cfg)
}

// New is [Dial] over a connection that exists; addr is the name under which
// the host key is looked up. It owns nc from here on, also on error.
func New(ctx context.Context, nc net.Conn, addr string, cfg *Config) (*Client, error) {
	if cfg == nil || cfg.User == "" || cfg.HostKeys == nil {
		nc.Close()
		return nil, errors.New("sshclient: Config needs User and HostKeys")
	}
	own := *cfg
	own.Auth = slices.Clone(cfg.Auth)
	t, err := transport.Client(ctx, nc, transportConfig(addr, &own))
	if err != nil {
		return nil, err
	}
	if err := logIn(ctx, t, addr, &own); err != nil {
		_ = t.Disconnect(ssh.NoMoreAuthMethodsAvailable, "")
		return nil, err
	}
	c := &Client{t: t, stop: func() {}}
	st := t.State()
	c.mux = mux.New(t, mux.Config{Limits: own.Limits.mux(), Ping: st.AnswersPing(), OnOther: c.onOther})
	if own.KeepAlive.Interval > 0 {
		ctx, stop := context.WithCancel(context.Background())
		c.stop = stop
		c.running.Go(func() { c.keepAlive(ctx, own.KeepAlive) }) // stops when Close calls c.stop or the connection ends
	}
	return c, nil
}

// transportConfig is own.Transport with the host key algorithms in the order
// of what is known about addr.
func transportConfig(addr string, own *Config) *transport.ClientConfig {
	tc := &transport.ClientConfig{Config: own.Transport}
	if tc.Algorithms.HostKeys == nil {
		var list []string
		offered := transport.Defaults().HostKeys
		for _, alg := range append(own.HostKeys.HostKeyAlgorithms(addr), offered...) {
			if slices.Contains(offered, alg) && !slices.Contains(list, alg) {
				list = append(list, alg)
			}
		}
		tc.Algorithms.HostKeys = list
	}
	tc.HostKey = func(ctx context.Context, k transport.HostKey) error {
		return own.HostKeys.CheckHostKey(ctx, addr, k.Key)
	}
	return tc
}

func logIn(ctx context.Context, t *transport.Conn, addr string, own *Config) error {
	cut := context.AfterFunc(ctx, func() { t.Abort(context.Cause(ctx)) })
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	a := &authSession{t: t, cfg: own, host: host}
	err = a.authenticate(ctx)
	if !cut() && ctx.Err() != nil { // even if it has just succeeded, the connection is cut
		return context.Cause(ctx)
	}
	var end endError
	if errors.As(err, &end) {
		return end.error
	}
	return err
}

// onOther sees what a server sends that is neither the transport's nor about
// channels. Login is over: its messages, but for a late banner, are out of
// place.
func (c *Client) onOther(p []byte) (known bool, err error) {
	n := p[0]
	switch {
	case n == numAuthBanner:
		return true, nil
	case ssh.PhaseOf(n) == ssh.LoginPhase:
		return true, &transport.ProtocolError{Rule: fmt.Sprintf("message %d after the login", n), Section: "RFC 4252"}
	}
	return false, nil
}

// State returns a snapshot of the encrypted connection: algorithms, versions,
// counters.
func (c *Client) State() transport.State { return c.t.State() }

// RemoteVersion returns the server's identification line, as
// "SSH-2.0-OpenSSH_9.2". It may hold anything printable.
func (c *Client) RemoteVersion() string { st := c.t.State(); return st.PeerVersion }

// LocalAddr returns the local address of the socket.
func (c *Client) LocalAddr() net.Addr { return c.t.LocalAddr() }

// RemoteAddr returns the remote address of the socket.
func (c *Client) RemoteAddr() net.Addr { return c.t.RemoteAddr() }

// Trace returns the connection's hook, to be the parent of what runs in its
// channels; nil when tracing is off.
func (c *Client) Trace() trace.Conn { return c.t.Trace() }

// Rekey negotiates new keys and waits until they are in use.
func (c *Client) Rekey(ctx context.Context) error { return c.t.Rekey(ctx) }

// Ping asks the server for an answer and returns how long that took. Any
// answer will do.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	_, _, err := c.mux.Request(ctx, &ssh.GlobalRequest{Name: ssh.GlobalKeepalive, WantReply: true})
	return time.Since(start), err
}

func (c *Client) keepAlive(ctx context.Context, k KeepAlive) {
	dead := c.mux.KeepAlive(ctx, k.Interval, k.CountMax, func() (received uint64, rekeying bool) {
		st := c.t.State()
		return st.Received.Packets, st.Rekeying
	})
	if dead {
		c.t.Abort(ErrKeepAlive)
	}
}

// Shutdown waits until all channels are closed, opens no new ones meanwhile,
// and closes the connection. When ctx ends first, it closes all the same and
// returns the cause.
func (c *Client) Shutdown(ctx context.Context) error {
	idle := c.mux.Drain(ctx)
	if err := c.Close(); err != nil && idle == nil {
		return err
	}
	return idle
}

// Close tells the server good-bye and closes the connection with all its
// channels. What has been written is sent, for a bounded time; an error says
// that it could not be. Further calls return the same.
func (c *Client) Close() error {
	c.stop()
	_ = c.t.Disconnect(ssh.ByApplication, "") // mux.Close returns the same error
	err := c.mux.Close()
	c.running.Wait()
	return err
}

// Wait waits until the connection has ended and returns [Client.Err].
func (c *Client) Wait() error {
	<-c.mux.Done()
	return c.mux.Err()
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.mux.Done() }

// Err returns why the connection ended, nil while it lives. After Close it is
// a net.ErrClosed.
func (c *Client) Err() error { return c.mux.Err() }
