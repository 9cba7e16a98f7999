package join

import (
	"context"
	"net"
	"sync"

	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/trace"
)

// MySQLDialer returns what the field Dial of a MySQL client's configuration
// wants: connections that c carries, without a local port. Network "tcp" is
// what the SSH server reaches ("direct-tcpip"; it resolves the name), "unix" a
// socket on its machine ("direct-streamlocal@openssh.com"), such as that of a
// database there. The connections have deadlines. They end, with an error that
// is not io.EOF, when c does; c does not end with them.
//
// A socket is as good as TLS for sending a password in clear: it ends on the
// machine that SSH has authenticated. A TCP connection is not, since it goes on
// from there as it is.
func MySQLDialer(c *sshclient.Client) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return c.DialContext
}

// MySQLTraceInfo returns what the field TraceInfo of a MySQL client's
// configuration wants: in which channel of c a connection runs, so that a
// recording shows the SQL inside the SSH.
func MySQLTraceInfo(c *sshclient.Client) func(net.Conn) trace.Info {
	return func(nc net.Conn) trace.Info { return carriedInfo(c, nc) }
}

// A Gateway reaches what is behind SSH hosts. It logs in to them when it is
// first used, and again when that connection has ended; until then all users
// share it: the connections of a pool, and those that are made to stop a
// statement. It is safe for concurrent use and must be closed.
//
//	gate := join.NewGateway(func(ctx context.Context) (*sshclient.Client, error) {
//		return join.Jump(ctx, hops)
//	})
//	cfg.Dial, cfg.TraceInfo = gate.DialContext, gate.TraceInfo
type Gateway struct {
	open func(context.Context) (*sshclient.Client, error)

	mu      sync.Mutex
	client  *sshclient.Client
	under   *opening // the login under way; nil: none
	closed  bool
	running sync.WaitGroup // logins
}

// opening is a login that several may wait for.
type opening struct {
	done   chan struct{} // closed when it has ended
	cancel context.CancelFunc
	wait   int // who waits for it
	client *sshclient.Client
	err    error
}

// NewGateway returns a Gateway that logs in with open. The context of open ends
// when nobody waits for the result any more.
func NewGateway(open func(ctx context.Context) (*sshclient.Client, error)) *Gateway {
	return &Gateway{open: open}
}

// DialContext connects to addr as [MySQLDialer] does. ctx covers the login too.
func (g *Gateway) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := g.Client(ctx)
	if err != nil {
		return nil, err
	}
	nc, err := c.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &gated{nc, carriedInfo(c, nc)}, nil
}

// gated is a connection that knows where it runs.
type gated struct {
	net.Conn
	info trace.Info
}

// CloseWrite ends our stream: the server reads the end of file.
func (c *gated) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// Pending reports whether a Read would return at once, so that a pool notices
// when a connection that it keeps was closed.
func (c *gated) Pending() bool {
	p, ok := c.Conn.(interface{ Pending() bool })
	return ok && p.Pending()
}

// TraceInfo says where a connection of the Gateway runs; the zero value for
// others.
func (g *Gateway) TraceInfo(nc net.Conn) trace.Info {
	if nc == nil {
		return trace.Info{}
	}
	if c, ok := bare(nc).(*gated); ok {
		return c.info
	}
	return trace.Info{}
}

// Client returns the connection to the last SSH host, and logs in when there is
// none. It belongs to the Gateway.
func (g *Gateway) Client(ctx context.Context) (*sshclient.Client, error) {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil, net.ErrClosed
	}
	if g.client != nil && g.client.Err() == nil {
		defer g.mu.Unlock()
		return g.client, nil
	}
	o := g.under
	if o == nil {
		o = g.begin(ctx)
	}
	o.wait++
	g.mu.Unlock()

	var err error
	select {
	case <-o.done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if o.wait--; o.wait == 0 {
		o.cancel()
		g.over(o)
	}
	if err != nil {
		return nil, err
	}
	return o.client, o.err
}

// over says that nobody is to wait for o any more. It is called with g.mu held.
func (g *Gateway) over(o *opening) {
	if g.under == o {
		g.under = nil
	}
}

// begin starts a login. It is called with g.mu held.
func (g *Gateway) begin(ctx context.Context) *opening {
	old := g.client
	g.client = nil
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	o := &opening{done: make(chan struct{}), cancel: cancel}
	g.under = o
	g.running.Go(func() { // stops when open returns, which cancel brings about when nobody waits
		defer close(o.done)
		if old != nil {
			_ = old.Close() // it has ended already
		}
		client, err := g.open(ctx)
		g.mu.Lock()
		g.over(o)
		wanted := err == nil && !g.closed && o.wait > 0
		if wanted {
			g.client = client
		}
		g.mu.Unlock()
		if err == nil && !wanted {
			_ = client.Close()
			client, err = nil, net.ErrClosed
		}
		o.client, o.err = client, err
	})
	return o
}

// Close closes the connection to the SSH hosts, with everything that runs
// through it, and ends a login under way. Further calls do nothing.
func (g *Gateway) Close() error {
	g.mu.Lock()
	client, o := g.client, g.under
	g.client, g.closed = nil, true
	if o != nil {
		o.cancel()
	}
	g.mu.Unlock()
	g.running.Wait()
	if client != nil {
		return client.Close()
	}
	return nil
}
