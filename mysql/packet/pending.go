package packet

import (
	"errors"
	"io"
	"net"
	"time"
)

// moment is how long Pending waits for bytes that are known to be there, or on
// connections that cannot be asked otherwise.
const moment = time.Millisecond

// A Peeker is a connection that can say whether a Read would return at once,
// with bytes, the end or an error.
type Peeker interface {
	Pending() bool
}

// Pending reports, without waiting, whether the peer has said something that
// ReadPacket has not returned: bytes, or that the connection has ended. On an
// idle connection neither is good news: an error that the server sent before it
// hung up (MySQL's 4031 after wait_timeout) can be read with ReadPacket.
//
// It asks the system for TCP and unix sockets, a Peeker by its method, and
// other connections by a read of a millisecond. On TLS, records that
// carry no data do not count. What was lent by ReadPacket is invalid
// afterwards. It must not be called while another goroutine reads.
func (c *Conn) Pending() bool {
	in := &c.in
	if c.Buffered() > 0 || in.ended != nil || in.err != nil || !c.sock.alive() {
		return true
	}
	if c.tls == nil {
		return c.pendingBelow() && c.probe(moment)
	}
	// TLS may hold decrypted bytes, and may have records that carry nothing.
	if c.probe(0) {
		return true
	}
	return c.pendingBelow() && c.probe(moment)
}

// pendingBelow reports whether the socket has something, or cannot tell.
func (c *Conn) pendingBelow() bool {
	if p, ok := c.sock.Conn.(Peeker); ok {
		return p.Pending()
	}
	waiting, known := socketPending(c.sock.Conn)
	return waiting || !known
}

// probe reads what there is within d and reports whether there is anything. A
// cut by another goroutine stays a cut.
func (c *Conn) probe(d time.Duration) bool {
	until := past
	if d > 0 {
		until = time.Now().Add(d)
	}
	if c.sock.hurry(until) != nil {
		return true
	}
	in := &c.in
	b := &in.plain
	if in.inflate != nil {
		b = &in.raw
	}
	n, err := c.nc.Read(b.room(1, false))
	b.got(n)
	if err != nil && !isTimeout(err) {
		in.err = err
	}
	if c.sock.hurry(time.Time{}) != nil {
		return true
	}
	return n > 0 || in.err != nil
}

// Ended returns why a connection that is Pending has ended, when it has: io.EOF
// or the socket's error. nil means that there are bytes to be read first.
func (c *Conn) Ended() error {
	switch {
	case c.in.ended != nil:
		return c.in.ended
	case c.Buffered() > 0:
		return nil
	case c.in.err != nil && errors.Is(c.in.err, net.ErrClosed):
		return c.sock.why(io.EOF)
	}
	return c.in.err
}
