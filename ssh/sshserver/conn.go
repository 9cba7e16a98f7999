package sshserver

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

// Conn is a connection whose user has been let in. It is safe for concurrent
// use.
type Conn struct {
	s      *Server
	t      *transport.Conn
	user   string
	method string
	grant  Grant
	limits Limits

	ctx    context.Context // for what runs on the connection
	cancel context.CancelCauseFunc

	mux *mux.Mux

	noMoreSessions bool // owned by the reader
}

// User returns the name of the user. It may hold anything that the policy let
// pass.
func (c *Conn) User() string { return c.user }

// Grant returns what the user may do.
func (c *Conn) Grant() Grant { return c.grant }

// State returns a snapshot of the encrypted connection.
func (c *Conn) State() transport.State { return c.t.State() }

// LocalAddr returns the local address of the socket.
func (c *Conn) LocalAddr() net.Addr { return c.t.LocalAddr() }

// RemoteAddr returns the remote address of the socket.
func (c *Conn) RemoteAddr() net.Addr { return c.t.RemoteAddr() }

// Trace returns the connection's hook, to be the parent of what runs in its
// channels; nil when tracing is off.
func (c *Conn) Trace() trace.Conn { return c.t.Trace() }

// Close tells the client good-bye and closes the connection.
func (c *Conn) Close() error { return c.t.Disconnect(ssh.ByApplication, "closed by the server") }

// drain closes the connection when its channels are closed.
func (c *Conn) drain(ctx context.Context) {
	if c.mux.Drain(ctx) == nil {
		_ = c.t.Disconnect(ssh.ByApplication, "the server is shutting down")
	}
}

func (c *Conn) onOpen(in *mux.Incoming) {
	switch o := in.Open; o.Type {
	case ssh.ChannelSession:
		if c.noMoreSessions || c.grant.NoSessions {
			in.Reject(ssh.AdministrativelyProhibited, "no sessions are allowed")
			return
		}
		c.openSession(in)
	case ssh.ChannelDirectTCPIP, ssh.ChannelDirectStreamLocal:
		c.openForward(in)
	default:
		in.Reject(ssh.UnknownChannelType, "unknown channel type")
	}
}

func (c *Conn) onGlobal(r *ssh.GlobalRequest) (ok bool, data []byte) {
	if r.Name == ssh.GlobalNoMoreSessions {
		c.noMoreSessions = true
		return true, nil
	}
	return false, nil
}

// onOther sees what is neither the transport's nor the connection protocol's.
// A late request to log in is ignored (RFC 4252 §5.1).
func (c *Conn) onOther(p []byte) (known bool, err error) {
	switch n := p[0]; {
	case n == numUserAuth:
		return true, nil
	case ssh.PhaseOf(n) == ssh.LoginPhase:
		return true, &transport.ProtocolError{Rule: fmt.Sprintf("message %d after the login", n), Section: "RFC 4252 §5.1"}
	}
	return false, nil
}

// run runs a handler in a goroutine of its own, and catches its panic.
func (c *Conn) run(what string, handle func(), panicked func()) {
	c.s.serving.handlers.Go(func() { // stops when the handler returns; its context ends with the channel
		defer func() {
			if p := recover(); p != nil {
				c.s.log(slog.LevelError, "panic in a handler", "handler", what, "user", c.user, "panic", p, "stack", stack())
				panicked()
			}
		}()
		handle()
	})
}
