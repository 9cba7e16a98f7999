package mysqltest

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipeBuffer is how many bytes may be under way in one direction: as many as
// between two sockets, so that what waits for its peer there waits here too.
const pipeBuffer = 256 << 10

// pipe returns the two ends of a connection in memory. Unlike those of net.Pipe
// they have a buffer between them, as sockets do: writing a few bytes does not
// wait until somebody reads them. They
// work inside testing/synctest bubbles. The number is part of the client's address.
func pipe(number int) (client, server net.Conn) {
	c2s, s2c := newStream(), newStream()
	c, s := addr(fmt.Sprintf("client:%d", number)), addr("server:3306")
	client = &end{in: s2c, out: c2s, local: c, remote: s}
	server = &end{in: c2s, out: s2c, local: s, remote: c}
	return client, server
}

// stream is one direction of a pipe.
type stream struct {
	mu      sync.Mutex
	cond    *sync.Cond
	buf     []byte   // not read yet
	ended   bool     // no more bytes will be written
	refused bool     // nobody will read any more
	read    deadline // of the reader
	write   deadline // of the writer
}

func newStream() *stream {
	s := new(stream)
	s.cond = sync.NewCond(&s.mu)
	return s
}

// deadline is guarded by its stream's mu.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, s.wake) // stops when the deadline is set again, or after one wake
	}
	s.cond.Broadcast()
}

func (s *stream) wake() {
	s.mu.Lock()
	s.cond.Broadcast()
	s.mu.Unlock()
}

// end is one end of a pipe.
type end struct {
	in, out       *stream
	local, remote addr
}

var _ net.Conn = (*end)(nil)

func (e *end) Read(b []byte) (int, error) {
	s := e.in
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.refused:
			return 0, e.failed("read", net.ErrClosed)
		case s.read.passed():
			return 0, e.failed("read", os.ErrDeadlineExceeded)
		case len(s.buf) > 0 || len(b) == 0:
			n := copy(b, s.buf)
			s.buf = s.buf[n:]
			s.cond.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.cond.Wait()
	}
}

func (e *end) Write(b []byte) (n int, err error) {
	s := e.out
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.ended:
			return n, e.failed("write", net.ErrClosed)
		case s.refused:
			return n, e.failed("write", io.ErrClosedPipe)
		case s.write.passed():
			return n, e.failed("write", os.ErrDeadlineExceeded)
		case n == len(b):
			return n, nil
		}
		if room := pipeBuffer - len(s.buf); room > 0 {
			k := min(room, len(b)-n)
			s.buf = append(s.buf, b[n:n+k]...)
			n += k
			s.cond.Broadcast()
			continue
		}
		s.cond.Wait()
	}
}

// CloseWrite says that this end sends no more; it can still read.
func (e *end) CloseWrite() error {
	e.out.mu.Lock()
	e.out.ended = true
	e.out.cond.Broadcast()
	e.out.mu.Unlock()
	return nil
}

// Close closes both directions. Bytes already written are still delivered.
func (e *end) Close() error {
	_ = e.CloseWrite()
	e.in.mu.Lock()
	e.in.refused, e.in.buf = true, nil
	e.in.cond.Broadcast()
	e.in.mu.Unlock()
	e.in.setDeadline(&e.in.read, time.Time{})
	e.out.setDeadline(&e.out.write, time.Time{})
	return nil
}

func (e *end) LocalAddr() net.Addr  { return e.local }
func (e *end) RemoteAddr() net.Addr { return e.remote }

func (e *end) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.setDeadline(&e.in.read, t)
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.setDeadline(&e.out.write, t)
	return nil
}

func (e *end) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: e.local.Network(), Source: e.local, Addr: e.remote, Err: err}
}

// addr is the name of an end.
type addr string

func (addr) Network() string  { return "memory" }
func (a addr) String() string { return string(a) }
