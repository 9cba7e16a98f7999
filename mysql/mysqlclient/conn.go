package mysqlclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/mysql/transport"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Conn is one session on one server. It is for one goroutine at a time: while a
// command is under way, others get a [*BusyError]. Close, Interrupt, Err and
// State may be called, and contexts may end, at any time.
type Conn struct {
	cfg     *Config
	zone    string   // of the session, as the server knows it; empty: its own
	raw     net.Conn // the stream below TLS
	trace   trace.Conn
	pc      *packet.Conn
	dialect wire.Dialect
	half    *transport.ClientHalf // for another login
	server  Server

	// These belong to the goroutine whose command is under way.
	coder     wire.Coder
	cache     *cache
	epoch     int      // counts how often the server has forgotten all statements
	leftovers []uint32 // statements to close with the next write
	resetting []uint8  // numbers of the answers to a reset that was sent; nil: none was
	infile    InfileFunc

	mu      sync.Mutex
	err     error  // why the connection is lost; nil while it lives
	busy    string // what is under way; empty: nothing
	command uint64 // number of the command under way, for watchers that come late
	flight  flight
	state   State
	limit   int64        // max_allowed_packet; 0: not asked yet
	multi   bool         // several statements in one query are on
	names   lexer.Config // how the server reads SQL
	born    time.Time
	used    time.Time // end of the last command
	hung    bool      // the stream is closed
}

// flight is what is known of the command under way.
type flight struct {
	phase   Phase
	sql     string // empty for commands that have none
	pending []call // of a pipeline: those without an answer
	written int64  // bytes handed to the stream
	idle    time.Duration
	stop    func() bool // ends the watcher of the context; nil: there is none
}

// Server is what a server said of itself in its greeting, and what both sides
// agreed on.
type Server = transport.Introduction

// Server returns what is known about the server.
func (c *Conn) Server() Server { return c.server }

// LocalAddr returns our address.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr returns the server's address.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// Err returns why the connection is lost, nil while it lives. It does not look
// at the network: see [Conn.Check].
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// errClosed is the cause when Close came first.
var errClosed = fmt.Errorf("%w by us", net.ErrClosed)

// goodbye is how long Close waits for the server to take its last words.
const goodbye = 100 * time.Millisecond

// Close ends the session. A command under way fails at once with
// [net.ErrClosed]; otherwise the server is told. Close does not wait for a side
// connection that is killing a statement, which ends by itself after KillTimeout
// at the latest. It returns why the connection was lost before, if it was.
// Further calls do nothing.
func (c *Conn) Close() error {
	c.mu.Lock()
	lost, idle := c.err, c.busy == ""
	if lost == nil {
		c.err = c.lostNow(errClosed)
		if idle {
			c.busy = "Close" // nobody else writes
		}
	}
	c.mu.Unlock()
	if lost == nil && idle {
		c.pc.Begin()
		if c.pc.Append(&mysql.Quit{}) == nil && c.pc.SetWriteDeadline(time.Now().Add(goodbye)) == nil {
			_ = c.pc.Flush() // a courtesy
		}
	}
	c.hangUp(nil)
	if errors.Is(lost, errClosed) {
		return nil
	}
	return lost
}

// hangUp cuts the stream, whoever uses it. err is what a trace is told.
func (c *Conn) hangUp(err error) {
	c.mu.Lock()
	hung := c.hung
	c.hung = true
	c.mu.Unlock()
	if hung {
		return
	}
	switch {
	case c.pc != nil:
		if err != nil {
			c.pc.Cut(err)
		}
		_ = c.pc.Close() // the first error is the one that counts
	case c.raw != nil:
		_ = c.raw.Close()
	}
	if c.trace != nil {
		c.trace.Close(err)
	}
}

// longIdle is how long a connection may rest before a command looks whether the
// server has said goodbye meanwhile.
const longIdle = time.Second

// begin makes the command that is about to be sent the one under way. what
// describes it for those who come too early, sql is its text if it has one.
func (c *Conn) begin(ctx context.Context, what, sql string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.lostBefore()
	case c.busy != "":
		return &BusyError{Open: c.open()}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	now := time.Now()
	idle := now.Sub(c.used)
	c.flight = flight{phase: PhaseIdle, sql: sql, idle: idle}
	if c.pc.Buffered() > 0 || idle >= longIdle && c.pc.Pending() {
		return c.said()
	}
	c.busy = what
	c.command++
	if ctx.Done() != nil {
		n := c.command
		// Runs when ctx ends before the command does; ends with the kill that it
		// may begin, after KillTimeout at the latest.
		c.flight.stop = context.AfterFunc(ctx, func() { c.cancelled(ctx, n) })
	}
	return nil
}

// open describes what is under way.
func (c *Conn) open() string {
	const most = 80
	sql := c.flight.sql
	if sql == "" {
		return c.busy
	}
	if len(sql) > most {
		sql = strings.ToValidUTF8(sql[:most], "") + "…"
	}
	return fmt.Sprintf("%s %q", c.busy, sql)
}

// said ends an idle connection to which the server has said something, as it
// does before it hangs up. c.mu is held.
func (c *Conn) said() error {
	err := c.pc.Ended()
	if err == nil {
		err = &ProtocolError{What: "it spoke without being asked"}
		if c.pc.SetReadDeadline(time.Now().Add(goodbye)) == nil {
			p, readErr := c.pc.ReadPacket()
			switch {
			case readErr != nil:
				err = readErr
			case len(p) > 0 && p[0] == mysql.HeaderERR:
				err = c.serverError(p)
			}
		}
	}
	e := c.lostNow(err)
	c.err = e
	c.mu.Unlock()
	c.hangUp(e)
	c.mu.Lock()
	return e
}

// Check looks, without waiting, whether an idle connection still lives: servers
// end those that rest for long. An error is final, and nothing was sent.
func (c *Conn) Check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.lostBefore()
	case c.busy != "":
		return &BusyError{Open: c.open()}
	case c.pc.Pending():
		c.flight = flight{phase: PhaseIdle, idle: time.Since(c.used)}
		return c.said()
	}
	return nil
}

// end says that the command under way has got its last answer.
func (c *Conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight.stop != nil {
		c.flight.stop()
	}
	c.busy, c.flight, c.infile = "", flight{}, nil
	c.used = time.Now()
	if c.err == nil {
		c.pc.Rest()
	}
}

// done ends the command under way with what became of it: nil and the server's
// errors leave the connection alive, others do not.
func (c *Conn) done(err error) error {
	if err == nil || isServer(err) {
		c.end()
		return err
	}
	return c.fail(err)
}

func isServer(err error) bool {
	_, ok := err.(*ServerError) //nolint:errorlint // wrapped ones are causes of something worse
	return ok
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

// lostNow describes the loss of the connection by the command under way. c.mu is
// held.
func (c *Conn) lostNow(err error) *ConnError {
	f := &c.flight
	e := &ConnError{Phase: f.phase, Address: c.cfg.Address, Age: time.Since(c.born), Idle: f.idle, Written: f.written, Err: err}
	if e.Written > 0 {
		e.OutcomeUnknown = c.commits(f.sql)
		for i := range f.pending {
			e.OutcomeUnknown = e.OutcomeUnknown || c.commits(f.pending[i].sql)
		}
	}
	return e
}

// lostBefore describes a connection that was lost before a command came. c.mu is
// held.
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
	if !c.multi {
		return lexer.Verb(sql, c.names) == "COMMIT"
	}
	for t := range lexer.Tokens(sql, c.names) {
		if t.Is("COMMIT") {
			return true
		}
	}
	return false
}

// put appends a command to the output, behind those that were put off.
func (c *Conn) put(m wire.Message) error {
	for _, id := range c.leftovers {
		c.pc.Begin()
		if err := c.pc.Append(&mysql.StmtClose{ID: id}); err != nil {
			return err
		}
	}
	c.leftovers = c.leftovers[:0]
	c.pc.Begin()
	return c.pc.Append(m)
}

// wrote notes that n more bytes of a command are handed to the stream. It reports
// whether they are the first.
func (c *Conn) wrote(n int) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first = c.flight.written == 0
	c.flight.phase = PhaseWrite
	c.flight.written += int64(n)
	return first
}

// flush sends the output.
func (c *Conn) flush() error {
	first := c.wrote(c.pc.Unsent())
	before := c.pc.Written()
	err := c.pc.Flush()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if first && c.pc.Written() == before {
			c.flight.written = 0 // nothing has left us
		}
		return err
	}
	c.flight.phase = PhaseAnswer
	return nil
}

// read waits for a packet that is not empty.
func (c *Conn) read() ([]byte, error) {
	p, err := c.pc.ReadPacket()
	if err != nil {
		return nil, err
	}
	if len(p) == 0 {
		return nil, &ProtocolError{What: "an empty packet"}
	}
	return p, nil
}

// parse decodes a packet. Its failure is the server's fault.
func (c *Conn) parse(p []byte, m wire.Message) error {
	if err := mysql.Messages.Parse(p, m, c.dialect); err != nil {
		return &ProtocolError{What: "a packet that cannot be decoded", Err: err}
	}
	return nil
}

// serverError decodes an ERR.
func (c *Conn) serverError(p []byte) error {
	var m mysql.ERR
	if err := c.parse(p, &m); err != nil {
		return err
	}
	return &ServerError{Code: m.Code, State: m.State, Message: m.Message}
}
