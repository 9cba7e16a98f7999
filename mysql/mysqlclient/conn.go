package mysqlclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/wire"
)

// Conn is one session on one server. It is for one goroutine at a time: while a
// command is under way, others get a [*BusyError]. Close, Interrupt, State and
// the end of a context may come from anywhere at any time.
type Conn struct {
	cfg    *Config
	pc     *packet.Conn
	raw    net.Conn // the stream below TLS
	server Server
	secure bool // TLS, or a socket that does not leave this machine
	coder  wire.Coder
	names  lexer.Config // how the server reads SQL; Mode is from the last status

	// These belong to the goroutine whose command is under way.
	cache     *cache
	leftovers []uint32 // statements to close with the next write
	flight    flight

	mu      sync.Mutex
	err     error  // why the connection is lost; nil while it lives
	busy    string // what is under way; empty: nothing
	command uint64 // number of the command under way, for watchers that come late
	state   State
	born    time.Time
	used    time.Time // end of the last command
}

// flight is what is known of the command under way.
type flight struct {
	ctx    context.Context
	stop   func() bool // ends the watcher of ctx; nil: there is none
	sql    string      // empty for commands that have none
	phase  Phase
	sent   int64         // bytes written before the command
	idle   time.Duration // before the command
	infile InfileFunc
}

// Server is what a server said of itself in its greeting, and how far it was
// believed.
type Server struct {
	Version      string // without the "5.5.5-" that MariaDB puts before its own
	MariaDB      bool
	ConnID       uint32               // for KILL
	Capabilities mysql.Capabilities   // in force: what both sides have
	Collation    uint8                // of the server's default; the low byte of its number
	TLS          *tls.ConnectionState // nil: not encrypted
}

// Server returns what is known about the server.
func (c *Conn) Server() Server { return c.server }

// LocalAddr returns our address.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr returns the server's address.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// Err returns why the connection is lost, nil while it lives. It does not look:
// see [Conn.Check].
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// errClosed is the cause when Close came first.
var errClosed = errors.New("closed by us")

// Close ends the session. A command under way fails at once with
// [net.ErrClosed]; otherwise the server is told, without waiting. It does not
// wait for a side connection that is killing a statement, which ends by itself
// after at most KillTimeout. It returns why the connection was lost before, if
// it was; a second Close returns nil.
func (c *Conn) Close() error {
	c.mu.Lock()
	lost := c.err
	idle := c.busy == ""
	if lost == nil {
		c.err = &ConnError{Phase: PhaseIdle, Address: c.cfg.Address, Age: time.Since(c.born), Err: errClosed}
	}
	c.mu.Unlock()
	if lost != nil {
		c.hangUp(lost)
		if errors.Is(lost, errClosed) {
			return nil
		}
		return lost
	}
	if idle {
		c.quit()
	}
	c.hangUp(nil)
	return nil
}

// begin makes the command that is about to be sent the one under way. what
// describes it for those who come too early, sql is its text if it has one.
func (c *Conn) begin(ctx context.Context, what, sql string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.lostBefore()
	case c.busy != "":
		return &BusyError{Open: c.busy}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	now := time.Now()
	c.busy = what
	c.command++
	c.flight = flight{ctx: ctx, sql: sql, phase: PhaseIdle, sent: c.pc.Written(), idle: now.Sub(c.used)}
	if ctx.Done() != nil {
		n := c.command
		c.flight.stop = context.AfterFunc(ctx, func() { c.cancelled(ctx, n) })
	}
	return nil
}

// end says that the command under way has got its last answer.
func (c *Conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = ""
	c.used = time.Now()
	if c.flight.stop != nil {
		c.flight.stop()
	}
	c.flight = flight{}
}

// phase says what the command under way is doing now.
func (c *Conn) phase(p Phase) {
	c.mu.Lock()
	c.flight.phase = p
	c.mu.Unlock()
}

// fail ends the connection because of err and returns what the caller is to
// see: the first cause, which is the context's where that came first.
func (c *Conn) fail(err error) error {
	c.mu.Lock()
	if c.err == nil {
		c.err = c.lostNow(err)
	}
	err = c.err
	c.mu.Unlock()
	c.hangUp(err)
	c.end()
	return err
}

// lostNow describes the loss of the connection by the command under way.
func (c *Conn) lostNow(err error) *ConnError {
	f := &c.flight
	e := &ConnError{
		Phase: f.phase, Address: c.cfg.Address, Age: time.Since(c.born), Idle: f.idle, Err: err,
		Written: c.pc.Written() - f.sent,
	}
	e.OutcomeUnknown = e.Written > 0 && c.commits(f.sql)
	return e
}

// lostBefore describes a connection that was lost before a command came.
func (c *Conn) lostBefore() *ConnError {
	cause := c.err
	if e, ok := errors.AsType[*ConnError](c.err); ok {
		cause = e.Err
	}
	now := time.Now()
	return &ConnError{Phase: PhaseIdle, Address: c.cfg.Address, Age: now.Sub(c.born), Idle: now.Sub(c.used), Err: cause}
}

// commits reports whether losing the answer to sql leaves open whether a
// transaction was committed.
func (c *Conn) commits(sql string) bool {
	if !c.cfg.MultiStatements {
		return lexer.Verb(sql, c.names) == "COMMIT"
	}
	for t := range lexer.Tokens(sql, c.names) {
		if t.Kind == lexer.Word && strings.EqualFold(t.Text(sql), "COMMIT") {
			return true
		}
	}
	return false
}

// hangUp cuts the stream, whoever uses it.
func (c *Conn) hangUp(err error) {
	_ = c.raw.Close() // the first error is the one that counts
	c.pc.Closed(err)
}
