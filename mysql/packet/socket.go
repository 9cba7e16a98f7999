package packet

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// goodbye is how long Close waits for the peer to take TLS's last words.
const goodbye = 50 * time.Millisecond

// A socket is a net.Conn that counts and traces its bytes and can be cut by
// another goroutine.
type socket struct {
	net.Conn
	see           trace.Conn
	sends         wire.Dir
	read, written atomic.Int64

	mu                    sync.Mutex
	cause                 error // why nothing goes any more
	closed                bool
	readUntil, writeUntil time.Time // the owner's deadlines
}

func newSocket(nc net.Conn, role trace.Role, see trace.Conn) *socket {
	return &socket{Conn: nc, see: see, sends: role.Sends()}
}

func (s *socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	if n > 0 {
		s.read.Add(int64(n))
		if s.see != nil {
			s.see.Wire(s.sends.Reverse(), b[:n])
		}
	}
	return n, err
}

func (s *socket) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	if n > 0 {
		s.written.Add(int64(n))
		if s.see != nil {
			s.see.Wire(s.sends, b[:n])
		}
	}
	return n, err
}

// why returns the cause of a cut instead of err, the error of a read or write.
func (s *socket) why(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return s.cause
	}
	return err
}

func (s *socket) cut(cause error) {
	if cause == nil {
		cause = net.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return
	}
	s.cause = cause
	if err := s.Conn.SetDeadline(past); err != nil { // no deadlines: nothing milder is left
		_ = s.Conn.Close()
	}
}

// past is a deadline that has gone by.
var past = time.Unix(1, 0)

func (s *socket) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause == nil && !s.closed
}

// Close closes the socket.
func (s *socket) Close() error {
	s.mu.Lock()
	if s.cause == nil {
		s.cause = net.ErrClosed
	}
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	return s.Conn.Close()
}

// closeAfter closes the socket when the TLS connection over it has said
// goodbye, or a moment has passed.
func (s *socket) closeAfter(t *tls.Conn) error {
	s.mu.Lock()
	if s.cause == nil {
		s.cause = net.ErrClosed
		_ = s.SetReadDeadline(past)
		_ = s.Conn.SetWriteDeadline(time.Now().Add(goodbye))
	}
	s.mu.Unlock()
	_ = t.CloseWrite()
	return s.Close()
}

// deadlines sets the owner's deadlines that are asked for; a cut stays.
func (s *socket) deadlines(read, write bool, t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if read {
		s.readUntil = t
	}
	if write {
		s.writeUntil = t
	}
	switch {
	case s.cause != nil:
		return s.cause
	case read && write:
		return s.Conn.SetDeadline(t)
	case read:
		return s.Conn.SetReadDeadline(t)
	default:
		return s.Conn.SetWriteDeadline(t)
	}
}

// SetWriteDeadline is for crypto/tls, which gives its last words five seconds.
// A socket that is being closed keeps the moment that it has for them.
func (s *socket) SetWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return nil
	}
	return s.Conn.SetWriteDeadline(t)
}

// hurry sets a deadline for reading that is not the owner's; the zero time puts
// the owner's back.
func (s *socket) hurry(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return s.cause
	}
	if t.IsZero() {
		t = s.readUntil
	}
	return s.Conn.SetReadDeadline(t)
}

// SetDeadline sets when reads and writes give up with os.ErrDeadlineExceeded.
// The zero time is never. A read that gave up may be tried again and goes on
// where it was; after a write that did the connection is of no use.
func (c *Conn) SetDeadline(t time.Time) error { return c.sock.deadlines(true, true, t) }

// SetReadDeadline sets when reads give up; see SetDeadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.sock.deadlines(true, false, t) }

// SetWriteDeadline sets when writes give up; see SetDeadline.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.sock.deadlines(false, true, t) }
