package transport

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
)

const (
	// drainLimit bounds what is read after a disconnect: closing a TCP socket
	// with unread bytes resets it, and the peer loses our reason.
	drainTime  = time.Second
	drainLimit = 1 << 20

	// lastWords is how long the reader may look for the peer's disconnect after
	// writing failed.
	lastWords = time.Second
)

// ending is how a connection ends. Guarded by Conn.mu.
type ending struct {
	goodbye bool // a disconnect was queued: nothing follows it
	cut     bool // do not write anything more
	unsent  error
	timer   *time.Timer
}

// end ends the connection with its first cause; later calls do nothing. What is
// queued is still written, and then goodbye, unless that is nil. The flusher
// does the rest. c.mu is held.
func (c *Conn) end(err error, goodbye *ssh.Disconnect) {
	if c.err != nil {
		return
	}
	if goodbye != nil {
		// Encoding cannot fail, and the output is bounded before this last one.
		if b, err := c.encode(goodbye); err == nil {
			c.hook.packet(c.role.Sends(), b)
			_ = c.p.Append(b)
		}
		c.ending.goodbye = true
	}
	c.err = err
	close(c.done)
	c.stopTimer()
	c.ending.timer = time.AfterFunc(c.cfg.CloseTimeout, c.cut)
	c.wakeAll()
	c.wakeFlusher()
}

// cut closes the socket whatever is still to be written. The lock is not held
// while it does: closing may be anything where the socket is not one, such as
// a channel of another connection.
func (c *Conn) cut() {
	c.mu.Lock()
	c.ending.cut = true
	c.mu.Unlock()
	_ = c.nc.Close() // unblocks a write, which reports what is lost
	c.wakeFlusher()
}

// writeFailed takes note that the socket does not take bytes any more. The peer
// may have told us why before it closed, so the reader gets a moment to find
// that. c.mu is held.
func (c *Conn) writeFailed(err error) {
	if c.ending.unsent == nil {
		c.ending.unsent = &WriteError{err}
	}
	if c.err != nil {
		return // the flusher closes the socket now
	}
	failed := c.ending.unsent
	time.AfterFunc(lastWords, func() { c.Abort(failed) })
}

// ended reports whether nothing more is to be written. c.mu is held.
func (c *Conn) ended() bool {
	if c.err == nil || c.out.writing {
		return false
	}
	return c.ending.cut || c.ending.unsent != nil ||
		!c.unwritten() && (c.ending.goodbye || len(c.out.held) == 0)
}

// finish closes the socket. Only the flusher calls it, once.
func (c *Conn) finish() {
	c.mu.Lock()
	if c.ending.unsent == nil && (c.unwritten() || len(c.out.held) > 0 && !c.ending.goodbye) {
		c.ending.unsent = &WriteError{errors.New("closed before everything queued was written")}
	}
	linger := c.ending.goodbye && !c.ending.cut && c.ending.unsent == nil
	cause := c.err
	c.mu.Unlock()
	if linger {
		c.drain()
	}
	c.mu.Lock()
	c.stopTimer()
	c.ending.timer.Stop()
	c.ending.cut = true
	c.mu.Unlock()
	_ = c.nc.Close()
	var disconnect *DisconnectError
	if errors.Is(cause, ErrClosed) || errors.As(cause, &disconnect) && disconnect.Local {
		cause = nil
	}
	c.hook.close(cause)
}

// drain says that nothing more comes from us and reads until the peer closes.
func (c *Conn) drain() {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(drainTime)) // the closing timer bounds it too
	_, _ = io.CopyN(io.Discard, c.nc, drainLimit)
}

// failed ends the connection because of what the reader found, and tells the
// peer when it is its fault.
func (c *Conn) failed(err error) error {
	if c.endFor(err) {
		c.cut()
	}
	return c.Err()
}

// endFor reports whether nothing more can be written.
func (c *Conn) endFor(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var read *ReadError
	var disconnect *DisconnectError
	switch {
	case errors.As(err, &read):
		if c.ending.unsent != nil {
			err = c.ending.unsent // it came first
		}
		c.end(err, nil)
		return true
	case errors.As(err, &disconnect):
		c.end(err, nil)
		return true
	}
	c.end(err, &ssh.Disconnect{Reason: reason(err), Description: err.Error()})
	return false
}

// reason is what a peer is told about an error.
func reason(err error) ssh.DisconnectReason {
	var (
		bad      *packet.Error
		none     *ssh.NegotiationError
		hostKey  *HostKeyError
		version  *VersionError
		protocol *ProtocolError
	)
	switch {
	case errors.As(err, &bad):
		return bad.Reason()
	case errors.As(err, &none):
		return ssh.KeyExchangeFailed
	case errors.As(err, &hostKey):
		return ssh.HostKeyNotVerifiable
	case errors.As(err, &version):
		return ssh.ProtocolVersionNotSupported
	case errors.As(err, &protocol) && protocol.kex:
		return ssh.KeyExchangeFailed
	}
	return ssh.ProtocolError
}

// Close writes what is queued, for a bounded time, closes the socket and waits
// for the connection's own goroutine. It returns the error that kept queued
// packets from being written, or nil. Further calls return the same. Every
// waiting call returns [ErrClosed], unless an error ended the connection first.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.end(ErrClosed, nil)
	c.mu.Unlock()
	<-c.finished
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending.unsent
}

// Disconnect tells the peer why we leave and closes, as Close does. When the
// connection has already ended it only waits, as Close does.
func (c *Conn) Disconnect(reason ssh.DisconnectReason, text string) error {
	c.mu.Lock()
	c.end(&DisconnectError{Reason: reason, Text: text, Local: true}, &ssh.Disconnect{Reason: reason, Description: text})
	c.mu.Unlock()
	return c.Close()
}

// Abort ends the connection at once, without writing what is queued. err
// (nil: [ErrClosed]) is what waiting and later calls return, unless the
// connection had already ended. It does not wait for the connection's own
// goroutine; Close does.
func (c *Conn) Abort(err error) {
	if err == nil {
		err = ErrClosed
	}
	c.mu.Lock()
	c.end(err, nil)
	c.mu.Unlock()
	c.cut()
}

// Fail ends the connection because of err, most often because the peer broke
// the protocol above this layer: it sends a disconnect with the given reason
// and the text of err. It never waits, so the reader may call it.
func (c *Conn) Fail(reason ssh.DisconnectReason, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(err, &ssh.Disconnect{Reason: reason, Description: err.Error()})
}

// Err returns why the connection ended, the first cause; nil while it is
// alive.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Done is closed when the connection has ended, for whatever reason.
func (c *Conn) Done() <-chan struct{} { return c.done }

// LocalAddr returns the local address of the socket.
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr returns the remote address of the socket.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }
