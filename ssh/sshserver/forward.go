package sshserver

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
)

// ErrProhibited is wrapped by the error of a forward callback that refuses as
// a matter of policy: the client is told so.
var ErrProhibited = errors.New("not allowed")

// Forward is a client's wish to be connected to somewhere. The callback
// decides and connects; the server copies in both directions, half-close
// included, and closes what the callback returned. A callback that wraps
// [ErrProhibited] is a refusal, any other error a failure to connect.
type Forward struct {
	Conn       *Conn
	Network    string // "tcp" or "unix"
	Host       string // tcp: a name or an address; may hold anything
	Port       uint16 // tcp
	Path       string // unix; may hold anything
	Originator string // "host:port", as the client says; may hold anything
}

// Addr returns the address as net.Dial takes it.
func (f *Forward) Addr() string {
	if f.Network == "unix" {
		return f.Path
	}
	return net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port)))
}

func (c *Conn) openForward(in *mux.Incoming) {
	o := in.Open
	f := &Forward{Conn: c, Network: "unix", Path: o.SocketPath}
	connect := c.s.DirectStreamLocal
	if o.Type == ssh.ChannelDirectTCPIP {
		connect = c.s.DirectTCPIP
		*f = Forward{Conn: c, Network: "tcp", Host: o.Host, Port: uint16(o.Port)}
		f.Originator = net.JoinHostPort(o.OriginatorHost, strconv.FormatUint(uint64(o.OriginatorPort), 10))
	}
	switch {
	case connect == nil, c.grant.NoForwarding, !c.permits(o):
		in.Reject(ssh.AdministrativelyProhibited, "not allowed")
		return
	case o.Port > 1<<16-1:
		in.Reject(ssh.ConnectFailed, "no such port")
		return
	}
	decided := false
	c.run("forward", func() { c.forward(in, f, connect, &decided) }, func() {
		if !decided {
			in.Reject(ssh.ConnectFailed, "connect failed")
		}
	})
}

// permits asks the grant.
func (c *Conn) permits(o *ssh.ChannelOpen) bool {
	permit := c.grant.PermitOpen
	return permit == nil || o.Type == ssh.ChannelDirectTCPIP && permit(o.Host, o.Port)
}

func (c *Conn) forward(in *mux.Incoming, f *Forward, connect func(context.Context, *Forward) (net.Conn, error), decided *bool) {
	nc, err := connect(c.ctx, f)
	if err == nil && nc == nil {
		err = ErrProhibited
	}
	*decided = true
	if err != nil {
		reason, text := ssh.ConnectFailed, "connect failed"
		var op *net.OpError
		if errors.Is(err, ErrProhibited) {
			reason, text = ssh.AdministrativelyProhibited, "not allowed"
		} else if errors.As(err, &op) {
			text = op.Err.Error()
		}
		in.Reject(reason, text)
		return
	}
	defer nc.Close()
	ch, err := in.Accept(mux.Options{})
	if err != nil {
		return
	}
	splice(ch, nc)
}

// linger is how long a target may take to read what the client has sent before
// it closed its side.
const linger = 10 * time.Second

// splice copies in both directions until both have ended, or one side is gone.
func splice(ch *mux.Channel, nc net.Conn) {
	defer ch.Close()
	defer context.AfterFunc(ch.Life(), func() {
		nc.SetReadDeadline(time.Unix(1, 0))
		nc.SetWriteDeadline(time.Now().Add(linger))
	})()
	back := make(chan struct{})
	go func() { // stops when the target ends its stream, or with the channel, by the read deadline
		defer close(back)
		_, _ = io.Copy(struct{ io.Writer }{ch}, nc)
		_ = ch.CloseWrite()
	}()
	if _, err := ch.WriteTo(nc); err != nil {
		ch.Close() // nobody takes it; the peer should know
	} else if half, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	<-back
}
