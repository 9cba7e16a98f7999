package mysqlserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/internal/accept"
)

// ErrServerClosed is returned by Serve after Shutdown or Close.
var ErrServerClosed = errors.New("mysql server closed")

// ErrTooManyConnections is returned by ServeConn for a connection beyond the
// limits: its client was told error 1040.
var ErrTooManyConnections = errors.New("too many connections")

// serving is what a server does at the moment.
type serving struct {
	accept accept.Loop

	mu        sync.Mutex
	conns     map[uint32]*Conn // by id
	lastID    uint32
	newcomers int       // connections that have not logged in
	since     time.Time // when the first connection came

	once   sync.Once
	secret []byte // what unknown users' salts are made of

	questions atomic.Uint64 // statements
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
// ended and its session has been closed. When ctx ends, the connection is cut.
// The error is nil when the client left in an orderly way.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) error {
	c, err := s.admit(ctx, nc)
	if err != nil {
		return err
	}
	defer s.leave(c)
	defer context.AfterFunc(ctx, func() { c.cut(context.Cause(ctx)) })()
	return c.serve()
}

// admit counts a connection in, or refuses it.
func (s *Server) admit(ctx context.Context, nc net.Conn) (*Conn, error) {
	c := newConn(ctx, s, nc)
	if err := s.enter(c); err != nil {
		c.turnAway(err)
		c.cut(err)
		return nil, err
	}
	return c, nil
}

func (s *Server) enter(c *Conn) error {
	v := &s.serving
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.accept.Add() { // ServeConn may be called without Serve
		return ErrServerClosed
	}
	if len(v.conns) >= c.limits.Connections || accept.Full(v.newcomers, c.limits.Unauthenticated) {
		v.accept.Done()
		return ErrTooManyConnections
	}
	if v.conns == nil {
		v.conns, v.since = make(map[uint32]*Conn), time.Now()
	}
	for c.id == 0 || v.conns[c.id] != nil {
		v.lastID++
		c.id = v.lastID
	}
	v.conns[c.id] = c
	c.process.Since = time.Now()
	c.newcomer = true
	v.newcomers++
	return nil
}

// settle makes a newcomer a connection that has logged in.
func (s *Server) settle(c *Conn) {
	v := &s.serving
	v.mu.Lock()
	defer v.mu.Unlock()
	if c.newcomer {
		c.newcomer = false
		v.newcomers--
	}
}

func (s *Server) leave(c *Conn) {
	s.settle(c)
	v := &s.serving
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.conns, c.id)
	v.accept.Done()
}

// Shutdown stops accepting connections, lets the statements that are running
// end, tells the clients with error 1053 that the server shuts down, and closes
// the connections. When ctx ends first, it cuts what is left and returns the
// cause.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stop() {
		c.end(errShutdown)
	}
	ended := make(chan struct{})
	go func() { // stops when the last connection has ended
		s.serving.accept.Wait()
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

// Close cuts all connections and waits until their sessions have been closed.
func (s *Server) Close() error {
	for _, c := range s.stop() {
		c.cut(ErrServerClosed)
	}
	s.serving.accept.Wait()
	return nil
}

// stop closes the listeners and returns the connections. Those that are counted
// in meanwhile are among them: accept is stopped first.
func (s *Server) stop() []*Conn {
	v := &s.serving
	v.accept.Stop()
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]*Conn, 0, len(v.conns))
	for _, c := range v.conns {
		list = append(list, c)
	}
	return list
}

func (s *Server) find(id uint32) *Conn {
	s.serving.mu.Lock()
	defer s.serving.mu.Unlock()
	return s.serving.conns[id]
}

func (s *Server) log(level slog.Level, text string, args ...any) {
	if s.Logger != nil {
		s.Logger.Log(context.Background(), level, text, args...)
	}
}

// stack returns the stack of a goroutine that has just recovered from a panic.
func stack() string { return string(debug.Stack()) }
