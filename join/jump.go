package join

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/trace"
)

// A Hop is one host on the way to another.
type Hop struct {
	// Addr is where it listens, "host:port", as the hop before it sees it.
	Addr string

	// HostKeyName is the name under which its key is looked up; empty: Addr.
	HostKeyName string

	// Config is how to log in. Dial in it is used for the first hop only; for
	// the others, Transport.HandshakeTimeout bounds the connecting too.
	Config *sshclient.Config
}

// Jump logs in to the hosts one after the other, each through a channel of the
// one before, and returns the connection to the last. No port is opened for it
// anywhere. ctx covers all of it. Closing the connection closes those that
// carry it; when one of them breaks, so does what it carries.
//
// An error is a [*HopError] when there is more than one hop.
func Jump(ctx context.Context, hops []Hop) (*sshclient.Client, error) {
	if len(hops) == 0 {
		return nil, errors.New("join: no host to go to")
	}
	var client *sshclient.Client
	for i, h := range hops {
		next, err := jump(ctx, client, h)
		if err != nil {
			if len(hops) > 1 {
				err = &HopError{Addr: h.Addr, Number: i + 1, Of: len(hops), Err: err}
			}
			return nil, err
		}
		client = next
	}
	return client, nil
}

// jump logs in to a host through via, nil for the first one. via is closed with
// the connection, also when there is none.
func jump(ctx context.Context, via *sshclient.Client, h Hop) (*sshclient.Client, error) {
	var cfg sshclient.Config
	if h.Config != nil {
		cfg = *h.Config
	}
	name := h.HostKeyName
	if name == "" {
		name = h.Addr
	}
	if via == nil {
		dial := new(net.Dialer).DialContext
		if cfg.Dial != nil {
			dial = cfg.Dial
		}
		nc, err := dial(ctx, "tcp", h.Addr)
		if err != nil {
			return nil, err
		}
		return sshclient.New(ctx, nc, name, &cfg)
	}
	nc, err := dialVia(ctx, via, h.Addr, cfg.Transport.HandshakeTimeout)
	if err != nil {
		_ = via.Close() // the error of the dialing says more
		return nil, err
	}
	cfg.Transport.Trace = carriedTracer(cfg.Transport.Trace, carriedInfo(via, nc))
	return sshclient.New(ctx, &carried{nc, via}, name, &cfg)
}

// dialVia connects through via within the time that the handshake may take.
func dialVia(ctx context.Context, via *sshclient.Client, addr string, limit time.Duration) (net.Conn, error) {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return via.DialContext(ctx, "tcp", addr)
}

// carried is a connection that takes what carries it with it when it is closed.
type carried struct {
	net.Conn
	via *sshclient.Client
}

// Close closes the connection and its carrier.
func (c *carried) Close() error { return errors.Join(c.Conn.Close(), c.via.Close()) }

// carriedInfo tells a trace in which channel of c the connection nc runs.
func carriedInfo(c *sshclient.Client, nc net.Conn) trace.Info {
	to := nc.RemoteAddr()
	label := "direct-tcpip "
	if to.Network() == "unix" {
		label = "direct-streamlocal@openssh.com "
	}
	info := trace.Info{Local: c.LocalAddr(), Remote: to, Parent: c.Trace(), Label: label + to.String()}
	if ch, ok := bare(nc).(interface{ Number() uint32 }); ok {
		info.Channel = ch.Number()
	}
	return info
}

// bare is the connection that others stand around, as those with timeouts do.
func bare(nc net.Conn) net.Conn {
	for {
		outer, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			return nc
		}
		nc = outer.NetConn()
	}
}

// carriedTracer opens what t is asked for inside of something else.
func carriedTracer(t trace.Tracer, inside trace.Info) trace.Tracer {
	if t == nil {
		return nil
	}
	return inner{t, inside}
}

type inner struct {
	trace.Tracer
	inside trace.Info
}

func (t inner) Open(info trace.Info) trace.Conn {
	info.Local, info.Remote = t.inside.Local, t.inside.Remote
	info.Parent, info.Channel, info.Label = t.inside.Parent, t.inside.Channel, t.inside.Label
	return t.Tracer.Open(info)
}

// HopError says at which of several hosts a connection ended.
type HopError struct {
	Addr   string // of the host
	Number int    // from 1
	Of     int    // how many there are
	Err    error
}

func (e *HopError) Error() string {
	return fmt.Sprintf("at %s, host %d of %d: %v", e.Addr, e.Number, e.Of, e.Err)
}

// Unwrap returns e.Err.
func (e *HopError) Unwrap() error { return e.Err }
