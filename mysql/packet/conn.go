package packet

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Sizes of the protocol.
const (
	HeaderSize           = 4         // of a packet
	CompressedHeaderSize = 7         // of a compressed frame
	MaxPiece             = 1<<24 - 1 // payload bytes of one packet; a payload that fills it goes on in the next

	// DefaultLimit is how many bytes a payload may have when nobody sets a
	// limit: the most that max_allowed_packet can be on a server.
	DefaultLimit = 1 << 30
)

// A Config says how a Conn behaves. Its zero value, and nil, is an untraced
// client.
type Config struct {
	Role  trace.Role // which end this is
	Trace trace.Conn // is told bytes, packets and TLS secrets; nil: nobody is
	Limit int64      // bytes of a payload that is read; 0: DefaultLimit
}

// Counts says how much has passed through a connection.
type Counts struct {
	PacketsRead, PacketsWritten int64 // physical packets, not frames; written: appended
	PlainRead, PlainWritten     int64 // their bytes with headers
	BytesRead, BytesWritten     int64 // at the socket: compressed and encrypted
}

// A Conn reads and writes packets on a connection, as either party.
//
// One goroutine at a time uses it; with [Conn.Apart] one may read while another
// writes. [Conn.Cut], [Conn.Close] and the deadlines may be called from
// anywhere, and end calls that wait.
type Conn struct {
	role trace.Role
	see  trace.Conn
	sock *socket // the bytes as they travel
	nc   net.Conn
	tls  *tls.Conn // nc, once StartTLS was called
	in   input
	out  output

	dialect  wire.Dialect
	apart    bool  // the directions number their packets for themselves
	anySeq   bool  // the next packet read may have any number
	readSeq  uint8 // number of the next packet to come
	writeSeq uint8 // number of the next packet to go
}

// New returns a connection that speaks on nc, and owns it from here on. The
// greeting, number 0, comes first.
func New(nc net.Conn, cfg *Config) *Conn {
	if cfg == nil {
		cfg = new(Config)
	}
	c := &Conn{role: cfg.Role, see: cfg.Trace, sock: newSocket(nc, cfg.Role, cfg.Trace)}
	c.nc = c.sock
	c.SetLimit(cfg.Limit)
	return c
}

// SetDialect sets the dialect in which Append writes messages.
func (c *Conn) SetDialect(d wire.Dialect) { c.dialect = d }

// Dialect returns the dialect in which Append writes messages.
func (c *Conn) Dialect() wire.Dialect { return c.dialect }

// SetLimit sets how many bytes a payload that is read may have; 0:
// DefaultLimit.
func (c *Conn) SetLimit(n int64) {
	if n <= 0 {
		n = DefaultLimit
	}
	c.in.limit = n
}

// Begin says that a new conversation begins: the number of the next packet, of
// either direction, is 0. A client calls it before it appends a command, a
// server before it reads one.
func (c *Conn) Begin() {
	c.writeSeq = 0
	c.out.cut()
	if !c.apart {
		c.readSeq = 0
		c.in.frameSeq = 0
		if c.in.plain.size() == 0 {
			c.in.plain.shrink(largeBuffer)
		}
	}
}

// Apart says whether the directions count for themselves, which a pipeline
// needs: many commands are written before the first answer is read, and one
// goroutine may write while another reads. Begin is then for writing alone, and
// the reader says with Expect where an answer begins.
//
// Off, which is the beginning, each packet read or written has the number after
// that of the packet before it, whoever sent it.
func (c *Conn) Apart(on bool) { c.apart = on }

// Sequence returns the number that the next packet written will have. Behind a
// command that is the number with which its answer begins.
func (c *Conn) Sequence() uint8 { return c.writeSeq }

// Expect says which number the next packet read must have.
func (c *Conn) Expect(number uint8) { c.readSeq, c.anySeq = number, false }

// ExpectAny says that the next packet read may have any number, because it is
// waited for while another goroutine still writes what it answers.
func (c *Conn) ExpectAny() { c.anySeq = true }

// Rest says that nothing is expected for now: what was lent by ReadPacket is no
// longer used, and an idle connection gives its large buffers back.
func (c *Conn) Rest() {
	c.in.plain.release()
	c.in.raw.release()
	c.out.release()
}

// Counts returns what has passed so far.
func (c *Conn) Counts() Counts {
	return Counts{
		PacketsRead: c.in.packets, PacketsWritten: c.out.packets,
		PlainRead: c.in.bytes, PlainWritten: c.out.bytes,
		BytesRead: c.sock.read.Load(), BytesWritten: c.sock.written.Load(),
	}
}

// Written returns how many bytes have been written to the socket. It may be
// called from anywhere.
func (c *Conn) Written() int64 { return c.sock.written.Load() }

// TLS returns what the TLS handshake agreed on; false: there was none.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	if c.tls == nil {
		return tls.ConnectionState{}, false
	}
	return c.tls.ConnectionState(), true
}

// LocalAddr returns the address of this end of the socket.
func (c *Conn) LocalAddr() net.Addr { return c.sock.Conn.LocalAddr() }

// RemoteAddr returns the address of the other end of the socket.
func (c *Conn) RemoteAddr() net.Addr { return c.sock.Conn.RemoteAddr() }

// NetConn returns the connection that New was given. Reading from it or writing
// to it breaks the protocol.
func (c *Conn) NetConn() net.Conn { return c.sock.Conn }

// Cut ends all calls that wait, and all later ones, with cause; nil means
// net.ErrClosed. The first cause stays. The socket remains open until Close:
// use Cut to give a call up from another goroutine.
func (c *Conn) Cut(cause error) { c.sock.cut(cause) }

// Watch cuts the connection when ctx ends, with the context's error, until stop
// is called. stop returns that error if it came to that, and nil otherwise.
func (c *Conn) Watch(ctx context.Context) (stop func() error) {
	if ctx.Done() == nil {
		return func() error { return nil }
	}
	done := make(chan struct{})
	end := context.AfterFunc(ctx, func() {
		c.Cut(ctx.Err())
		close(done)
	})
	return func() error {
		if end() {
			return nil
		}
		<-done
		return ctx.Err()
	}
}

// Close closes the socket and ends all calls that wait, with net.ErrClosed
// unless Cut gave another cause. Nothing is flushed; over TLS the peer is told
// that the end is meant, if it takes that at once. Further calls do nothing.
func (c *Conn) Close() error {
	if c.tls != nil && c.sock.alive() {
		return c.sock.closeAfter(c.tls)
	}
	return c.sock.Close()
}
