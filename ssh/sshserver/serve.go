package sshserver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"

	"github.com/wirelark/wirelark/internal/accept"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
	"github.com/wirelark/wirelark/ssh/transport"
)

// ErrServerClosed is returned by Serve after Shutdown or Close.
var ErrServerClosed = errors.New("ssh server closed")

// ErrTooManyConnections is returned by ServeConn for a connection beyond the
// limits, which has been closed.
var ErrTooManyConnections = errors.New("too many connections")

// ErrKeepAlive is returned by ServeConn for a connection whose client gave no
// sign of life.
var ErrKeepAlive = errors.New("the client gave no sign of life")

// serving is what a server does at the moment.
type serving struct {
	accept accept.Loop

	mu        sync.Mutex
	conns     map[*tracked]struct{}
	newcomers int // connections that have not logged in

	handlers sync.WaitGroup // sessions and forwards
}

// tracked is a connection being served.
type tracked struct {
	nc       net.Conn
	newcomer bool
	c        *Conn // after the login
}

// Serve accepts connections and serves each in its own goroutine until the
// listener fails, or the server is shut down or closed: then it returns
// [ErrServerClosed]. It closes l.
func (s *Server) Serve(l net.Listener) error {
	err := s.serving.accept.Serve(l, s.log, func(nc net.Conn) {
		if err := s.ServeConn(context.Background(), nc); err != nil {
			s.log(slog.LevelDebug, "connection ended", "remote", nc.RemoteAddr(), "err", err)
		}
	})
	if errors.Is(err, accept.ErrStopped) {
		return ErrServerClosed
	}
	return err
}

// ServeConn serves one connection, which it owns, and returns when it has
// ended, which may be before its handlers have. When ctx ends, the connection
// is cut. The error is nil when the client left in an orderly way.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) error {
	limits := s.Limits.withDefaults()
	tr, err := s.admit(nc, limits)
	if err != nil {
		nc.Close()
		return err
	}
	defer s.leave(tr)
	c, err := s.logIn(ctx, nc, limits)
	if err != nil {
		return err
	}
	c.start(ctx)
	if !s.settle(tr, c) {
		c.t.Abort(ErrServerClosed)
	}
	s.log(slog.LevelDebug, "logged in", "user", c.user, "method", c.method, "remote", c.RemoteAddr())
	return c.serve(ctx)
}

// admit counts a connection in, or refuses it.
func (s *Server) admit(nc net.Conn, limits Limits) (*tracked, error) {
	v := &s.serving
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.accept.Add() { // ServeConn may be called without Serve
		return nil, ErrServerClosed
	}
	if len(v.conns) >= limits.Connections || accept.Full(v.newcomers, limits.Unauthenticated) {
		v.accept.Done()
		return nil, ErrTooManyConnections
	}
	if v.conns == nil {
		v.conns = make(map[*tracked]struct{})
	}
	tr := &tracked{nc: nc, newcomer: true}
	v.conns[tr] = struct{}{}
	v.newcomers++
	return tr, nil
}

// settle makes a newcomer a connection that has logged in. It reports false
// when the server is closing.
func (s *Server) settle(tr *tracked, c *Conn) bool {
	v := &s.serving
	v.mu.Lock()
	defer v.mu.Unlock()
	tr.newcomer, tr.c = false, c
	v.newcomers--
	return !v.accept.Stopped()
}

func (s *Server) leave(tr *tracked) {
	v := &s.serving
	v.mu.Lock()
	defer v.mu.Unlock()
	if tr.newcomer {
		v.newcomers--
	}
	delete(v.conns, tr)
	v.accept.Done()
}

// logIn makes a connection of nc whose user has been let in.
func (s *Server) logIn(ctx context.Context, nc net.Conn, limits Limits) (*Conn, error) {
	late := &transport.TimeoutError{Waiting: "the client to log in"}
	ctx, cancel := context.WithTimeoutCause(ctx, limits.LoginTimeout, late)
	defer cancel()
	t, err := transport.Server(ctx, nc, &transport.ServerConfig{Config: s.Transport, HostKeys: s.HostKeys, ServerSigAlgs: s.SignatureAlgorithms})
	if err != nil {
		return nil, err
	}
	cut := context.AfterFunc(ctx, func() { t.Abort(context.Cause(ctx)) })
	a := &authSession{s: s, limits: limits, t: t}
	a.attempt = Attempt{RemoteAddr: t.RemoteAddr(), LocalAddr: t.LocalAddr(), SessionID: t.SessionID()}
	grant, err := a.authenticate(ctx)
	if !cut() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return &Conn{s: s, t: t, user: a.attempt.User, method: a.attempt.Method, grant: *grant, limits: limits}, nil
}

// start makes the mux. Its callbacks, which the reader may call before New has
// returned, do not use c.mux.
func (c *Conn) start(ctx context.Context) {
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	st := c.t.State()
	c.mux = mux.New(c.t, mux.Config{
		Limits: c.limits.mux(), Ping: st.AnswersPing(),
		OnOpen: c.onOpen, OnGlobal: c.onGlobal, OnOther: c.onOther,
	})
}

// serve waits until the connection ends.
func (c *Conn) serve(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { c.t.Abort(context.Cause(ctx)) })()
	var own sync.WaitGroup
	if c.s.KeepAlive.Interval > 0 {
		own.Go(c.keepAlive) // stops when the connection ends
	}
	<-c.mux.Done()
	c.cancel(c.mux.Err())
	own.Wait()
	err := c.t.Err()
	c.mux.Close()
	var bye *transport.DisconnectError
	if errors.Is(err, io.EOF) || errors.Is(err, transport.ErrClosed) || errors.As(err, &bye) && bye.Reason == ssh.ByApplication {
		return nil
	}
	return err
}

func (c *Conn) keepAlive() {
	k := c.s.KeepAlive
	dead := c.mux.KeepAlive(c.ctx, k.Interval, k.CountMax, func() (received uint64, rekeying bool) {
		st := c.t.State()
		return st.Received.Packets, st.Rekeying
	})
	if dead {
		c.t.Abort(ErrKeepAlive)
	}
}

// Shutdown stops accepting connections and channels, waits until all channels
// are closed and their handlers have ended, and closes the connections. When
// ctx ends first, it cuts what is left and returns the cause.
func (s *Server) Shutdown(ctx context.Context) error {
	var conns sync.WaitGroup
	for _, tr := range s.stop() {
		if tr.c == nil {
			tr.nc.Close()
			continue
		}
		conns.Go(func() { tr.c.drain(ctx) }) // stops when the channels are closed or ctx ends
	}
	conns.Wait()
	ended := make(chan struct{})
	go func() { // stops when the last connection and handler have ended
		s.serving.accept.Wait()
		s.serving.handlers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		s.Close()
		return context.Cause(ctx)
	}
}

// Close cuts all connections and waits until they have been served, by Serve
// or ServeConn. The contexts of handlers have ended then; it does not wait for
// them.
func (s *Server) Close() error {
	for _, tr := range s.stop() {
		if tr.c != nil {
			tr.c.t.Abort(ErrServerClosed)
		} else {
			tr.nc.Close()
		}
	}
	s.serving.accept.Wait()
	return nil
}

// stop closes the listeners and returns the connections. Those that are counted
// in meanwhile are among them: accept is stopped first.
func (s *Server) stop() []tracked {
	v := &s.serving
	v.accept.Stop()
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]tracked, 0, len(v.conns))
	for tr := range v.conns {
		list = append(list, *tr)
	}
	return list
}

func (s *Server) log(level slog.Level, text string, args ...any) {
	if s.Logger != nil {
		s.Logger.Log(context.Background(), level, text, args...)
	}
}

// stack returns the stack of a goroutine that has just recovered from a panic.
func stack() string { return string(debug.Stack()) }
