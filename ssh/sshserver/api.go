package sshserver

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

// ErrServerClosed is returned by Serve after Shutdown or Close.
var ErrServerClosed = errors.New("ssh server closed")

// ErrProhibited is wrapped by the error of a forward that policy forbids; the client is told so.
var ErrProhibited = errors.New("not allowed")

// Handler runs a session. The client is told the status given to Exit or ExitSignal, or 0 when Handler
// returned nil without, or 1 after an error. ctx ends with the channel, the connection or a signal nobody asked for.
type Handler func(ctx context.Context, s *Session) error

// Forward is a client's wish to be connected to somewhere.
type Forward struct {
	Conn       *Conn
	Network    string // "tcp" or "unix"
	Host       string // tcp
	Port       uint16 // tcp
	Path       string // unix
	Originator string // "host:port" as the client says, may be anything
}

// Addr returns the address in the form net.Dial takes.
func (f *Forward) Addr() string { panic("internal error: not yet") }

// Conn is a connection whose user has been let in.
type Conn struct{}

func (c *Conn) User() string           { panic("internal error: not yet") }
func (c *Conn) Grant() Grant           { panic("internal error: not yet") }
func (c *Conn) State() transport.State { panic("internal error: not yet") }
func (c *Conn) LocalAddr() net.Addr    { panic("internal error: not yet") }
func (c *Conn) RemoteAddr() net.Addr   { panic("internal error: not yet") }
func (c *Conn) Trace() trace.Conn      { panic("internal error: not yet") }
func (c *Conn) Close() error           { panic("internal error: not yet") }

// Session is one command, shell or subsystem. Reading reads standard input, writing writes standard output.
// It is a frame.Appender and a frame.Lender.
type Session struct{}

func (s *Session) Conn() *Conn { panic("internal error: not yet") }

// Kind is "exec", "shell" or "subsystem": what the client asked for, or "exec" with a forced command.
func (s *Session) Kind() string { panic("internal error: not yet") }

// Command is the command of an exec, the name of a subsystem.
func (s *Session) Command() string { panic("internal error: not yet") }

// Original is what the client asked for where a forced command runs instead.
func (s *Session) Original() string { panic("internal error: not yet") }

// Env returns "NAME=value" in order: the client's and the grant's.
func (s *Session) Env() []string { panic("internal error: not yet") }

// PTY returns the terminal that was asked for; nil if none. Its Size is the newest.
func (s *Session) PTY() *ssh.PTY { panic("internal error: not yet") }

// Event waits for the next signal or change of the window size.
func (s *Session) Event(ctx context.Context) (Event, error) { panic("internal error: not yet") }

// Event is one of Signal and Resize.
type Event struct {
	Signal string          // name without SIG; "" for a resize
	Size   *ssh.WindowSize // nil for a signal
}

func (s *Session) Read(p []byte) (int, error)  { panic("internal error: not yet") }
func (s *Session) Write(p []byte) (int, error) { panic("internal error: not yet") }
func (s *Session) Close() error                { panic("internal error: not yet") }
func (s *Session) CloseWrite() error           { panic("internal error: not yet") }
func (s *Session) AppendFunc(max int, fill func(room []byte) int) (int, error) {
	panic("internal error: not yet")
}
func (s *Session) Next() ([]byte, func(), error)      { panic("internal error: not yet") }
func (s *Session) WriteTo(w io.Writer) (int64, error) { panic("internal error: not yet") }
func (s *Session) Stderr() io.Writer                  { panic("internal error: not yet") }
func (s *Session) SetDeadline(t time.Time) error      { panic("internal error: not yet") }
func (s *Session) SetReadDeadline(t time.Time) error  { panic("internal error: not yet") }
func (s *Session) SetWriteDeadline(t time.Time) error { panic("internal error: not yet") }

// Number is the client's number of the channel, for trace.Info.Channel.
func (s *Session) Number() uint32 { panic("internal error: not yet") }

// Exit sets the status that the client is told when the handler has returned.
func (s *Session) Exit(status uint32) { panic("internal error: not yet") }

// ExitSignal is Exit for a command that a signal ended.
func (s *Session) ExitSignal(e ssh.ExitSignal) { panic("internal error: not yet") }
