package sftpclient

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/wirelark/wirelark/frame"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// maxAbandoned is how many abandoned requests may be waiting for an answer
// that nobody wants before the channel is given up.
const maxAbandoned = 64 << 10

// session is one channel: its reader, its writer and the requests in flight.
type session struct {
	rwc     io.ReadWriteCloser
	dialect wire.Dialect
	trace   trace.Conn // nil: off
	out     outbox
	budget  *budget
	wg      sync.WaitGroup // reader, flusher, watchdog, limits
	closed  sync.Once
	dead    chan struct{} // closed when err is set
	calls   sync.Pool     // of *call

	mu        sync.Mutex
	pending   map[uint32]*call // requests not answered, by id
	lastID    uint32
	seq       uint64
	abandoned int   // of the pending ones
	err       error // why the session is dead; nil while it lives
}

func newSession(rwc io.ReadWriteCloser, d wire.Dialect, cfg *Config, t trace.Conn) *session {
	return &session{
		rwc: rwc, dialect: d, trace: t,
		out:     outbox{dialect: d, trace: t, wake: make(chan struct{}, 1)},
		budget:  newBudget(int64(cfg.MaxInFlight)),
		dead:    make(chan struct{}),
		pending: make(map[uint32]*call),
	}
}

// start runs the session's goroutines; in is where packets are read from.
func (s *session) start(in *sftp.PacketReader, timeout time.Duration) {
	s.wg.Add(2)
	go func() { // stops when the stream ends, which fail sees to
		defer s.wg.Done()
		s.fail(s.read(in))
	}()
	go func() { // stops when the session is dead or the stream fails
		defer s.wg.Done()
		if err := s.out.flush(s.rwc, s.dead); err != nil {
			s.fail(&LostError{Err: err})
		}
	}()
	if timeout > 0 {
		s.wg.Add(1)
		go func() { // stops when the session is dead
			defer s.wg.Done()
			s.watch(timeout)
		}()
	}
}

// fail ends the session with its first cause: every request in flight is
// answered with it, and closing the stream stops reader and flusher.
func (s *session) fail(err error) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err = err
	pending := s.pending
	s.pending = nil
	close(s.dead)
	s.mu.Unlock()
	for _, c := range pending {
		if c.abandoned {
			continue
		}
		c.err = err
		c.done <- struct{}{}
	}
	_ = s.rwc.Close() // the cause is known already
}

// close ends the session and waits for its goroutines.
func (s *session) close() {
	s.fail(errClosed)
	s.wg.Wait()
	s.closed.Do(func() {
		if s.trace == nil {
			return
		}
		err := s.cause()
		if errors.Is(err, errClosed) {
			err = nil
		}
		s.trace.Close(err)
	})
}

// cause returns why the session is dead, nil while it lives.
func (s *session) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// alive replaces errDead by the session's cause.
func (s *session) alive(err error) error {
	if errors.Is(err, errDead) {
		return s.cause()
	}
	return err
}

// read is the reader: it owns the receiving half, hands each answer to whoever
// waits for it, and never waits for anything but the stream.
func (s *session) read(in *sftp.PacketReader) error {
	for {
		n, err := in.Next()
		if err != nil {
			return lost(err)
		}
		p := newPacket(n)
		if _, err := io.ReadFull(in, p.b); err != nil {
			return lost(err)
		}
		if s.trace != nil {
			s.trace.Packet(wire.S2C, p.b)
		}
		if err := s.dispatch(p); err != nil {
			return err
		}
	}
}

func lost(err error) error {
	switch {
	case errors.Is(err, sftp.ErrPacketLength):
		return &ProtocolError{What: "framing", Err: err}
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return &LostError{}
	}
	return &LostError{Err: err}
}

// dispatch gives the answer p to its request.
func (s *session) dispatch(p *packet) error {
	number, id, ok := sftp.Header(p.b)
	if !ok || !sftp.IsReply(number) {
		return protocolError("packet of type %d and %d bytes is no answer", number, len(p.b))
	}
	s.mu.Lock()
	c := s.pending[id]
	if c == nil || !c.want.accepts(number) {
		s.mu.Unlock()
		if c == nil {
			return protocolError("%s for the request %d, which is not open", replyName(number), id)
		}
		return protocolError("%s for a request that is answered by %s", replyName(number), c.want)
	}
	delete(s.pending, id)
	abandoned := c.abandoned
	if abandoned {
		s.abandoned--
	}
	s.mu.Unlock()
	s.budget.release(c.cost)
	if abandoned {
		if number == sftp.NumHandle {
			s.closeLate(p)
		}
		c.recycle()
		p.free()
		return nil
	}
	c.pkt = p
	c.done <- struct{}{}
	return nil
}

func replyName(number uint8) string {
	if e := sftp.Messages.Find("", number); e != nil {
		return e.Name
	}
	return "a packet"
}

// closeLate closes a handle that nobody waits for any more.
func (s *session) closeLate(p *packet) {
	var m sftp.Handle
	if sftp.Parse(p.b, &m, s.dialect) != nil {
		return // nothing is known that could be closed
	}
	s.forget(func(id uint32) wire.Message { return &sftp.Close{ID: id, Handle: m.Handle} }, wantStatus)
}

// forget queues a request whose answer nobody waits for. It does not wait.
func (s *session) forget(m func(id uint32) wire.Message, w want) {
	c, err := s.open(w, 0)
	if err != nil {
		return // the session is dead, and its handles with it
	}
	id := c.id
	s.abandon(c)
	if err := s.out.post(m(id)); err != nil {
		s.fail(err)
	}
}

// open reserves an id for a request that is about to be sent. The answer gives
// cost bytes back to the budget.
func (s *session) open(w want, cost int) (*call, error) {
	c := s.newCall(w, cost)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		c.recycle()
		return nil, s.err
	}
	for {
		s.lastID++
		if _, taken := s.pending[s.lastID]; !taken {
			break
		}
	}
	s.seq++
	c.id, c.seq = s.lastID, s.seq
	s.pending[c.id] = c
	return c, nil
}

// drop takes back a request that was not sent.
func (s *session) drop(c *call) {
	s.mu.Lock()
	mine := s.pending[c.id] == c
	if mine {
		delete(s.pending, c.id)
	}
	s.mu.Unlock()
	if !mine {
		<-c.done // the session died, or the server answered what it was not asked
		c.pkt.free()
	}
	c.recycle()
}

// abandon leaves the request c to the reader. It returns false when the answer
// is there already: then c.done must be received.
func (s *session) abandon(c *call) bool {
	s.mu.Lock()
	if s.pending[c.id] != c {
		s.mu.Unlock()
		return false
	}
	c.abandoned = true
	s.abandoned++
	many := s.abandoned > maxAbandoned
	s.mu.Unlock()
	if many {
		s.fail(protocolError("%d requests without an answer", maxAbandoned))
	}
	return true
}

// await waits for the answer to c, which is in c.pkt then. After an error c is
// gone.
func (s *session) await(ctx context.Context, c *call) error {
	select {
	case <-c.done:
	case <-ctx.Done():
		if s.abandon(c) {
			return context.Cause(ctx)
		}
		<-c.done
	}
	if err := c.err; err != nil {
		c.recycle()
		return err
	}
	return nil
}

// watch fails the session when the oldest request has been the oldest one for
// too long.
func (s *session) watch(timeout time.Duration) {
	tick := time.NewTicker(max(timeout/4, time.Millisecond))
	defer tick.Stop()
	var oldest uint64
	since := time.Now()
	for {
		select {
		case <-s.dead:
			return
		case now := <-tick.C:
			seq := s.oldest()
			if seq == 0 || seq != oldest {
				oldest, since = seq, now
			} else if now.Sub(since) >= timeout {
				s.fail(&TimeoutError{After: timeout})
			}
		}
	}
}

// oldest returns the sequence number of the oldest request in flight, 0 when
// there is none.
func (s *session) oldest() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seq uint64
	for _, c := range s.pending {
		if seq == 0 || c.seq < seq {
			seq = c.seq
		}
	}
	return seq
}

// lent makes a reader of a stream that lends its bytes.
type lent struct {
	from    frame.Lender
	chunk   []byte
	release func()
}

func (l *lent) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(l.chunk) == 0 {
		l.giveBack()
		chunk, release, err := l.from.Next()
		if err != nil {
			return 0, err
		}
		l.chunk, l.release = chunk, release
	}
	n := copy(p, l.chunk)
	l.chunk = l.chunk[n:]
	if len(l.chunk) == 0 {
		l.giveBack()
	}
	return n, nil
}

func (l *lent) giveBack() {
	if l.release != nil {
		l.release()
		l.release = nil
	}
}
