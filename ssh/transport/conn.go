package transport

import (
	"context"
	"net"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Conn is an encrypted packet connection after its first key exchange. Make
// one with [Client] or [Server]. The package comment says who may call what.
type Conn struct{}

// Client exchanges versions and keys with the server at the other end of nc,
// which it owns from here on, also on error. ctx covers all of it: when it
// ends, the connection is cut and the error is its cause.
func Client(ctx context.Context, nc net.Conn, cfg *ClientConfig) (*Conn, error) {
	panic("internal error: not yet")
}

// Server is [Client] for the other role.
func Server(ctx context.Context, nc net.Conn, cfg *ServerConfig) (*Conn, error) {
	panic("internal error: not yet")
}

// ReadPacket waits for the next packet that belongs to the caller: 5, 6, 50
// and above, but for 192 (ping), and numbers that nobody knows, which the
// caller answers with [Conn.Reject]. The payload, its number first and at
// least one byte long, is valid until the next call and may be changed. Only
// one goroutine may call it.
//
// When the connection has ended, the error is that of [Conn.Err]. A peer that
// said good-bye is a [*DisconnectError].
func (c *Conn) ReadPacket() (payload []byte, err error) { panic("internal error: not yet") }

// Send waits for room and queues m. It returns when m is in the output
// buffer, which keeps the order of calls. It waits during a key exchange. An
// error means that m was not queued: ctx's cause, or that of [Conn.Err]. m may
// be used again afterwards; the bytes it aliases are copied.
//
// The reader must not call it.
func (c *Conn) Send(ctx context.Context, m wire.Message) error { panic("internal error: not yet") }

// Queue queues m without ever waiting, for the reader's own answers. During a
// key exchange m is held back, in order with other messages of Queue and
// before later ones of Send. When the bounded room for answers is full, the
// connection ends with an [ErrFlood] error, because the peer does not read
// what it asked for.
func (c *Conn) Queue(m wire.Message) error { panic("internal error: not yet") }

// Reject answers the packet that ReadPacket returned last with
// SSH_MSG_UNIMPLEMENTED. It never waits, and is for the reader alone.
func (c *Conn) Reject() error { panic("internal error: not yet") }

// A Source builds packets in place. Fill puts the payload of one packet, its
// number first, at the beginning of room and returns its length, or 0 for no
// packet; more says that it has another one ready. Fill runs under the output
// lock: it copies bytes that it has, may take a lock under which nobody calls
// this connection (but for Wake), and does nothing else.
type Source interface {
	Fill(room []byte) (n int, more bool)
}

// SendData waits for room and lets s build packets in the output buffer until
// s has no more; each gets a room of exactly size bytes, at most
// [Conn.MaxPayload]. Packets built in a row travel in one batch. It waits as
// Send does. When cancel (nil: never) is closed while it waits, it returns
// [ErrCanceled]; s knows what it has built by then. It allocates nothing.
//
// The reader must not call it.
func (c *Conn) SendData(cancel <-chan struct{}, size int, s Source) error {
	panic("internal error: not yet")
}

// MaxPayload returns the longest payload, in bytes with its number, that may
// be sent, and that we should make peers send: 128 KiB, or less while a
// capture is made, whose packets stay below 32,000 bytes. It does not change.
func (c *Conn) MaxPayload() int { panic("internal error: not yet") }

// SetCredits sets the function that emits what is state and not a message:
// window credit. After [Conn.Wake] it is called once with the next batch, or
// after the key exchange that is under way; it calls add for every message
// there is. It runs under the output lock, as Fill does, by any goroutine.
// Set it before the first Wake.
func (c *Conn) SetCredits(credits func(add func(m wire.Message))) {
	panic("internal error: not yet")
}

// Wake says that there is credit to emit. It never waits and takes no lock, so
// it may be called with any lock held, also from Fill.
func (c *Conn) Wake() { panic("internal error: not yet") }

// Rekey starts a key exchange, unless one is under way, and waits for its end.
// Before Authenticated it is an error.
func (c *Conn) Rekey(ctx context.Context) error { panic("internal error: not yet") }

// Authenticated tells that the user has been let in: from here on keys are
// renewed and pings answered. A server calls it before it sends
// USERAUTH_SUCCESS, a client before it reads the packet behind it.
func (c *Conn) Authenticated() { panic("internal error: not yet") }

// State returns a snapshot of the connection.
func (c *Conn) State() State { panic("internal error: not yet") }

// SessionID returns the exchange hash of the first key exchange (RFC 4253
// §7.2). The caller must not change it.
func (c *Conn) SessionID() []byte { panic("internal error: not yet") }

// Trace returns the hook of this connection, nil when it is off.
func (c *Conn) Trace() trace.Conn { panic("internal error: not yet") }

// LocalAddr returns the local address of the socket.
func (c *Conn) LocalAddr() net.Addr { panic("internal error: not yet") }

// RemoteAddr returns the remote address of the socket.
func (c *Conn) RemoteAddr() net.Addr { panic("internal error: not yet") }

// Disconnect tells the peer why we leave and closes, as Close does. It does
// nothing when the connection has already ended.
func (c *Conn) Disconnect(reason ssh.DisconnectReason, text string) error {
	panic("internal error: not yet")
}

// Close writes what is queued, for a bounded time, closes the socket and waits
// for the connection's own goroutine. It returns the error that kept queued
// packets from being written, or nil. Further calls return the same. Every
// waiting call returns [ErrClosed], unless an error ended the connection first.
func (c *Conn) Close() error { panic("internal error: not yet") }

// Abort ends the connection at once, without writing what is queued. err
// (nil: [ErrClosed]) is what waiting and later calls return, unless the
// connection had already ended.
func (c *Conn) Abort(err error) { panic("internal error: not yet") }

// Fail ends the connection because the peer broke the protocol above this
// layer: it sends a disconnect with the given reason and the text of err, and
// goes on as Abort does. It never waits.
func (c *Conn) Fail(reason ssh.DisconnectReason, err error) { panic("internal error: not yet") }

// Err returns why the connection ended, the first cause; nil while it is
// alive.
func (c *Conn) Err() error { panic("internal error: not yet") }

// Done is closed when the connection has ended, for whatever reason.
func (c *Conn) Done() <-chan struct{} { panic("internal error: not yet") }
