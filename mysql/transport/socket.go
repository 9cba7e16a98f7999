package transport

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	// watchAfter is how long a statement may run before somebody looks whether
	// its client is still there. Most are done by then, and cost nothing.
	watchAfter = 20 * time.Millisecond

	// watchAhead is how many bytes are read ahead to see the end behind them.
	watchAhead = 4 << 10
)

// Socket is the client's connection. While the session reads nothing from it,
// because it is executing a statement, it can be watched for its end. It is
// below TLS, so that what is read ahead is kept as it came.
type Socket struct {
	net.Conn
	timer *time.Timer   // starts a watch; made by the first one
	pause time.Duration // between two pieces of what is read; see Patience
	begun bool          // something has come since Patience was called

	mu       sync.Mutex
	state    watchState
	gone     func()        // called when the watch sees the end
	ended    chan struct{} // closed when the reading watch has ended
	ahead    []byte        // read by a watch and not taken yet; owned by the reader when the state is idle
	deadline time.Time     // for reading, of the session
	stopped  bool          // Interrupt was called: nothing is read any more
}

// NewSocket returns nc as a Socket, which owns it.
func NewSocket(nc net.Conn) *Socket { return &Socket{Conn: nc} }

type watchState uint8

const (
	idle     watchState = iota // nobody watches
	armed                      // the timer runs
	reading                    // the watch is reading
	stopping                   // the watch is to end
)

// aLongTimeAgo is a deadline that ends a call that is waiting.
var aLongTimeAgo = time.Unix(1, 0)

// Read returns what a watch has read, and then what comes.
func (s *Socket) Read(b []byte) (int, error) {
	if len(s.ahead) > 0 {
		n := copy(b, s.ahead)
		s.ahead = s.ahead[n:]
		s.postpone()
		return n, nil
	}
	n, err := s.Conn.Read(b)
	if n > 0 {
		s.postpone()
	}
	return n, err
}

// Patience sets how long the rest of what has begun to come may take, from one
// piece to the next. With 0 only the deadline counts.
func (s *Socket) Patience(pause time.Duration) { s.pause, s.begun = pause, false }

// Begun reports whether something has come since Patience was called.
func (s *Socket) Begun() bool { return s.begun }

// postpone moves the deadline when a piece has come.
func (s *Socket) postpone() {
	s.begun = true
	if s.pause > 0 {
		_ = s.SetReadDeadline(time.Now().Add(s.pause))
	}
}

// SetReadDeadline is that of the session. An interrupted socket keeps its own.
func (s *Socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	if s.stopped {
		return nil
	}
	return s.Conn.SetReadDeadline(t)
}

// SetDeadline is SetReadDeadline, and the same for writing.
func (s *Socket) SetDeadline(t time.Time) error {
	if err := s.SetWriteDeadline(t); err != nil {
		return err
	}
	return s.SetReadDeadline(t)
}

// Interrupt ends the session's reading, now and from now on. It may be called
// from anywhere.
func (s *Socket) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	_ = s.Conn.SetReadDeadline(aLongTimeAgo)
}

// Watch begins to look for the end of the connection; gone is called when it is
// seen. Until Unwatch nobody may read.
func (s *Socket) Watch(gone func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.gone = armed, gone
	if s.timer == nil {
		s.timer = time.AfterFunc(watchAfter, s.look) // its goroutine stops when Unwatch ends the reading
		return
	}
	s.timer.Reset(watchAfter)
}

// look reads ahead until there is no room for more, or the end is seen.
func (s *Socket) look() {
	s.mu.Lock()
	if s.state != armed || s.stopped {
		s.mu.Unlock()
		return
	}
	s.state, s.ended = reading, make(chan struct{})
	defer close(s.ended)
	_ = s.Conn.SetReadDeadline(time.Time{})
	s.mu.Unlock()
	buf := make([]byte, watchAhead)
	n := copy(buf, s.ahead)
	for n < len(buf) {
		k, err := s.Conn.Read(buf[n:])
		n += k
		s.ahead = buf[:n]
		if err == nil {
			continue
		}
		s.mu.Lock()
		seen := s.state == reading && !s.stopped
		gone := s.gone
		s.mu.Unlock()
		if seen {
			gone()
		}
		return
	}
}

// Unwatch ends a watch, if there is one. Afterwards the session may read.
func (s *Socket) Unwatch() {
	s.mu.Lock()
	was := s.state
	switch was {
	case armed:
		s.state = idle
		s.timer.Stop()
	case reading:
		s.state = stopping
		_ = s.Conn.SetReadDeadline(aLongTimeAgo)
	}
	ended := s.ended
	s.mu.Unlock()
	if was != reading {
		return
	}
	<-ended
	s.mu.Lock()
	s.state, s.gone = idle, nil
	if !s.stopped {
		_ = s.Conn.SetReadDeadline(s.deadline)
	}
	s.mu.Unlock()
}

// What Linger reads, and how long.
const (
	lingerBytes = 64 << 20
	lingerTime  = time.Second
)

// Linger says that no more will be sent and reads on for a moment, so that a
// client that is still sending sees what was sent before the connection breaks.
func (s *Socket) Linger() {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	s.Patience(0)
	_ = s.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, s, lingerBytes)
}
