package sshserver

import (
	"context"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/frame"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
)

// A Handler runs a session: a command, a shell, a subsystem. When it returns,
// the client is told how it ended, by what was given to [Session.Exit] or
// [Session.ExitSignal], or else status 0 after nil and 1 after an error, which
// is logged; and the channel is closed. ctx ends when the client closes the
// channel or the connection ends, whose cause it has.
type Handler func(ctx context.Context, s *Session) error

// Kind is what a client asked a session to be.
type Kind string

// Kinds of sessions.
const (
	Exec      Kind = ssh.RequestExec
	Shell     Kind = ssh.RequestShell
	Subsystem Kind = ssh.RequestSubsystem
)

// Session is what a [Handler] works with. Reading it reads the client's
// standard input, writing it writes standard output. It is safe for concurrent
// use.
type Session struct {
	c  *Conn
	ch *mux.Channel

	// Set before the handler starts, by the reader.
	kind     Kind
	command  string
	original string
	env      []string
	envSize  int // bytes of what the client has set
	started  bool

	unwanted atomic.Bool // the client has said that it reads no more output

	mu      sync.Mutex
	pty     *ssh.PTY
	events  events
	status  *uint32
	signal  *ssh.ExitSignal
	waiting chan struct{} // carries a token when there are events
}

var (
	_ io.ReadWriteCloser = (*Session)(nil)
	_ io.WriterTo        = (*Session)(nil)
	_ frame.Appender     = (*Session)(nil)
	_ frame.Lender       = (*Session)(nil)
)

func (c *Conn) openSession(in *mux.Incoming) {
	s := &Session{c: c, waiting: make(chan struct{}, 1)}
	s.env = slices.Clone(c.grant.Env)
	if ch, err := in.Accept(mux.Options{OnRequest: s.onRequest}); err == nil {
		s.ch = ch
	}
}

// Conn returns the connection.
func (s *Session) Conn() *Conn { return s.c }

// Kind returns what the session is: what the client asked for, or Exec when
// the grant's command runs instead.
func (s *Session) Kind() Kind { return s.kind }

// Command returns the command of an Exec, the name of a Subsystem, and nothing
// for a Shell.
func (s *Session) Command() string { return s.command }

// Original returns the command, or the name of the subsystem, that the client
// asked for where the grant's command runs instead.
func (s *Session) Original() string { return s.original }

// Env returns "NAME=value" entries: those of the grant, then those that the
// client set and the server allows, in order.
func (s *Session) Env() []string { return slices.Clone(s.env) }

// PTY returns the terminal that the client asked for, with its newest size;
// nil if it asked for none. The caller owns it.
func (s *Session) PTY() *ssh.PTY {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pty == nil {
		return nil
	}
	p := *s.pty
	return &p
}

// Exit sets the status that the client is told when the handler has returned.
// The first call of Exit or ExitSignal counts.
func (s *Session) Exit(status uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == nil && s.signal == nil {
		s.status = &status
	}
}

// ExitSignal is [Session.Exit] for a command that a signal ended.
func (s *Session) ExitSignal(e ssh.ExitSignal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status == nil && s.signal == nil {
		s.signal = &e
	}
}

// Read reads the client's standard input.
func (s *Session) Read(p []byte) (int, error) { return s.ch.Read(p) }

// Next lends the client's standard input: see [frame.Lender].
func (s *Session) Next() (chunk []byte, release func(), err error) { return s.ch.Next() }

// WriteTo writes the client's standard input to w, until its end.
func (s *Session) WriteTo(w io.Writer) (int64, error) { return s.ch.WriteTo(w) }

// Write writes to standard output. It returns io.ErrClosedPipe once the client
// has said that it reads no more.
func (s *Session) Write(p []byte) (int, error) {
	if s.unwanted.Load() {
		return 0, io.ErrClosedPipe
	}
	return s.ch.Write(p)
}

// AppendFunc builds standard output in place: see [frame.Appender].
func (s *Session) AppendFunc(limit int, fill func(room []byte) int) (int, error) {
	if s.unwanted.Load() {
		return 0, io.ErrClosedPipe
	}
	return s.ch.AppendFunc(limit, fill)
}

// Stderr returns the writer of standard error. It shares the client's window
// with standard output.
func (s *Session) Stderr() io.Writer { return s.ch.Stderr() }

// CloseWrite ends standard output and standard error.
func (s *Session) CloseWrite() error { return s.ch.CloseWrite() }

// Close closes the channel without a word about how the session ended. A
// handler that returns need not call it.
func (s *Session) Close() error { return s.ch.Close() }

// SetDeadline sets both deadlines, as net.Conn's.
func (s *Session) SetDeadline(t time.Time) error { return s.ch.SetDeadline(t) }

// SetReadDeadline limits how long reads wait, as net.Conn's.
func (s *Session) SetReadDeadline(t time.Time) error { return s.ch.SetReadDeadline(t) }

// SetWriteDeadline limits how long writes wait, as net.Conn's.
func (s *Session) SetWriteDeadline(t time.Time) error { return s.ch.SetWriteDeadline(t) }

// Number returns the client's number of the channel, by which a trace knows
// it.
func (s *Session) Number() uint32 { _, remote := s.ch.ID(); return remote }

// onRequest runs on the reader's goroutine.
func (s *Session) onRequest(_ *mux.Channel, r *ssh.ChannelRequest) (ok bool, then func()) {
	switch r.Type {
	case ssh.RequestEnv:
		return s.setEnv(r.EnvName, r.EnvValue), nil
	case ssh.RequestPTY:
		return s.setPTY(r.PTY), nil
	case ssh.RequestExec:
		return s.begin(Exec, r.Command, s.c.s.Exec)
	case ssh.RequestShell:
		return s.begin(Shell, "", s.c.s.Shell)
	case ssh.RequestSubsystem:
		return s.begin(Subsystem, r.Subsystem, s.c.s.Subsystems[r.Subsystem])
	case ssh.RequestWindowChange:
		return s.resize(r.Size), nil
	case ssh.RequestSignal:
		return s.signaled(r.Signal), nil
	case ssh.RequestEOW:
		s.unwanted.Store(true)
		return true, nil
	}
	return false, nil
}

// maxEnvSize bounds the variables of one session, in bytes; Linux takes no
// longer one.
const maxEnvSize = 128 << 10

func (s *Session) setEnv(name, value string) bool {
	size := s.envSize + len(name) + len(value)
	switch {
	case s.started, strings.ContainsAny(name, "=\x00"), strings.Contains(value, "\x00"),
		len(s.env) >= s.c.limits.Environment+len(s.c.grant.Env), size > maxEnvSize:
		return false
	}
	for _, pattern := range s.c.s.Env {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			s.env, s.envSize = append(s.env, name+"="+value), size
			return true
		}
	}
	return false
}

func (s *Session) setPTY(p ssh.PTY) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.pty != nil || s.c.grant.NoPTY {
		return false
	}
	p.Modes = append([]byte(nil), p.Modes...)
	s.pty = &p
	return true
}

// begin decides about what the client wants to run, and runs it when the
// client has been told.
func (s *Session) begin(kind Kind, command string, h Handler) (ok bool, then func()) {
	if s.started {
		return false, nil
	}
	if forced := s.c.grant.Command; forced != "" {
		kind, command, s.original, h = Exec, forced, command, s.c.s.Exec
	}
	if h == nil {
		return false, nil
	}
	s.started, s.kind, s.command = true, kind, command
	return true, func() { s.c.run(string(kind), func() { s.handle(h) }, s.crashed) }
}
