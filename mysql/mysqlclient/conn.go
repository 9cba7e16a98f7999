package mysqlclient

import (
	"net"
	"sync"

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
	zone    string   // of the session, as the server knows it; empty: its own
	raw     net.Conn // the stream below TLS
	trace   trace.Conn
	pc      *packet.Conn
	half    *transport.ClientHalf // for another login
	line    *transport.Line
	dialect wire.Dialect
	server  Server

	// These belong to the goroutine whose command is under way.
	coder     wire.Coder
	cache     *cache
	epoch     int      // counts how often the server has forgotten all statements
	leftovers []uint32 // statements to close with the next write
	resetting []uint8  // numbers of the answers to a reset that was sent; nil: none was
	infile    InfileFunc

	mu    sync.Mutex
	cfg   *Config // never changed: replaced
	state State
	limit int64        // max_allowed_packet; 0: not asked yet
	multi bool         // several statements in one query are on
	names lexer.Config // how the server reads SQL
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
func (c *Conn) Err() error { return c.line.Err() }

// Check looks, without waiting, whether an idle connection still lives: servers
// end those that rest for long. An error is final, and nothing was sent. Commands
// do so by themselves when the connection has rested for a second.
func (c *Conn) Check() error { return c.line.Check() }

// Close ends the session. A command under way fails at once with
// [net.ErrClosed]; otherwise the server is told. Close does not wait for a side
// connection that is killing a statement, which ends by itself after KillTimeout
// at the latest. It returns why the connection was lost before, if it was.
// Further calls do nothing.
func (c *Conn) Close() error { return c.line.Close() }

// end ends the command under way.
func (c *Conn) end() {
	c.infile = nil
	c.line.End()
}

// done ends the command under way with what became of it: nil and the server's
// errors leave the connection alive, others do not.
func (c *Conn) done(err error) error {
	c.infile = nil
	return c.line.Done(err)
}

// fail ends the connection because of err and returns what the caller is to
// see: the first cause, which is the context's where that came first.
func (c *Conn) fail(err error) error {
	c.infile = nil
	return c.line.Fail(err)
}

func isServer(err error) bool { return transport.IsServer(err) }

// commits reports whether losing the answer to sql leaves open whether a
// transaction was committed.
func (c *Conn) commits(sql string) bool {
	c.mu.Lock()
	cfg, multi := c.names, c.multi
	c.mu.Unlock()
	if !multi {
		return lexer.Verb(sql, cfg) == "COMMIT"
	}
	for t := range lexer.Tokens(sql, cfg) {
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
	return c.putAt(1, m)
}

// putAt is put for command i of many: what was put off goes before the first, as
// the others may be put by another goroutine.
func (c *Conn) putAt(i int, m wire.Message) error {
	if i == 0 {
		return c.put(m)
	}
	c.pc.Begin()
	return c.pc.Append(m)
}
