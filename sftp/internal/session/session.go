package session

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// maxAbandoned is how many abandoned requests may be waiting for an answer
// that nobody wants before the channel is given up.
const maxAbandoned = 64 << 10

// drainTime bounds how long Close waits for a peer that does not take or answer
// what was queued before.
const drainTime = 2 * time.Second

// Session is one channel: its reader, its writer and the requests in flight.
type Session struct {
	Budget *Budget

	rwc     io.ReadWriteCloser
	dialect wire.Dialect
	trace   trace.Conn // nil: off
	out     outbox
	wg      sync.WaitGroup // reader, flusher, watchdog, limits
	closed  sync.Once
	dead    chan struct{} // closed when err is set
	calls   sync.Pool     // of *Call

	mu        sync.Mutex
	pending   map[uint32]*Call // requests not answered, by id
	lastID    uint32
	seq       uint64
	abandoned int           // of the pending ones
	owed      int           // of the pending ones: Close waits for their answers
	closing   bool          // Close was called: no new requests
	settled   chan struct{} // closed when owed falls to 0; nil when nobody waits
	err       error         // why the session is dead; nil while it lives
}

// New returns a session on rwc in which at most maxInFlight bytes of file data
// are in flight. t may be nil. With apart no two requests share a write: then
// none shares a packet of the carrier, which tools that look at captures want.
func New(rwc io.ReadWriteCloser, d wire.Dialect, maxInFlight int, t trace.Conn, apart bool) *Session {
	return &Session{
		rwc: rwc, dialect: d, trace: t,
		out:     outbox{dialect: d, trace: t, apart: apart, wake: make(chan struct{}, 1)},
		Budget:  newBudget(int64(maxInFlight)),
		dead:    make(chan struct{}),
		pending: make(map[uint32]*Call),
	}
}

// Start runs the session's goroutines; in is where packets are read from. A
// request that stays unanswered for timeout, after all older ones were
// answered, ends the session; 0: never.
func (s *Session) Start(in *sftp.PacketReader, timeout time.Duration) {
	s.wg.Add(2)
	go func() { // stops when the stream ends, which fail sees to
		defer s.wg.Done()
		s.Fail(s.read(in))
	}()
	go func() { // stops when the session is dead or the stream fails
		defer s.wg.Done()
		if err := s.out.flush(s.rwc, s.dead); err != nil {
			s.Fail(&LostError{Err: err})
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

// Fail ends the session with its first cause: every request in flight is
// answered with it, and closing the stream stops reader and flusher.
func (s *Session) Fail(err error) {
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

// Close ends the session, tells the trace, and waits for its goroutines. What
// is queued is sent before, and what was given to Release is answered, unless
// the peer takes too long.
func (s *Session) Close() {
	s.drain()
	s.Fail(ErrClosed)
	s.wg.Wait()
	s.closed.Do(func() {
		if s.trace == nil {
			return
		}
		err := s.Err()
		if errors.Is(err, ErrClosed) {
			err = nil
		}
		s.trace.Close(err)
	})
}

// drain waits for what Close promises.
func (s *Session) drain() {
	late := time.NewTimer(drainTime)
	defer late.Stop()
	for _, done := range []<-chan struct{}{s.settle(), s.out.idle()} {
		select {
		case <-done:
		case <-s.dead:
			return
		case <-late.C:
			return
		}
	}
}

// settle refuses new requests and returns a channel that is closed when no
// answer is owed.
func (s *Session) settle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	if s.settled == nil {
		s.settled = make(chan struct{})
		if s.owed == 0 {
			close(s.settled)
		}
	}
	return s.settled
}

// Err returns why the session is dead, nil while it lives.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// alive replaces errDead by the session's cause.
func (s *Session) alive(err error) error {
	if errors.Is(err, errDead) {
		return s.Err()
	}
	return err
}

// read is the reader: it owns the receiving half, hands each answer to whoever
// waits for it, and never waits for anything but the stream.
func (s *Session) read(in *sftp.PacketReader) error {
	for {
		n, err := in.Next()
		if err != nil {
			return Lost(err)
		}
		p := NewPacket(n)
		if _, err := io.ReadFull(in, p.B); err != nil {
			return Lost(err)
		}
		if s.trace != nil {
			s.trace.Packet(wire.S2C, p.B)
		}
		if err := s.dispatch(p); err != nil {
			return err
		}
	}
}

// Lost says what an error of the packet reader means.
func Lost(err error) error {
	switch {
	case errors.Is(err, sftp.ErrPacketLength):
		return &ProtocolError{What: "framing", Err: err}
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return &LostError{}
	}
	return &LostError{Err: err}
}

// dispatch gives the answer p to its request.
func (s *Session) dispatch(p *Packet) error {
	number, id, ok := sftp.Header(p.B)
	if !ok || !sftp.IsReply(number) {
		return Protocolf("packet of type %d and %d bytes is no answer", number, len(p.B))
	}
	s.mu.Lock()
	c := s.pending[id]
	if c == nil || !c.want.accepts(number) {
		s.mu.Unlock()
		if c == nil {
			return Protocolf("%s for the request %d, which is not open", ReplyName(number), id)
		}
		return Protocolf("%s for a request that is answered by %s", ReplyName(number), c.want)
	}
	delete(s.pending, id)
	abandoned := c.abandoned
	if abandoned {
		s.abandoned--
	}
	if c.owed {
		if s.owed--; s.owed == 0 && s.settled != nil {
			close(s.settled)
		}
	}
	s.mu.Unlock()
	s.Budget.Release(c.cost)
	if abandoned {
		if number == sftp.NumHandle {
			s.closeLate(p)
		}
		c.recycle()
		p.Free()
		return nil
	}
	c.pkt = p
	c.done <- struct{}{}
	return nil
}

// ReplyName names the message of a number for errors.
func ReplyName(number uint8) string {
	if e := sftp.Messages.Find("", number); e != nil {
		return e.Name
	}
	return "a packet"
}

// closeLate closes a handle that nobody waits for any more.
func (s *Session) closeLate(p *Packet) {
	var m sftp.Handle
	if sftp.Parse(p.B, &m, s.dialect) != nil {
		return // nothing is known that could be closed
	}
	s.Forget(func(id uint32) wire.Message { return &sftp.Close{ID: id, Handle: m.Handle} }, WantStatus)
}

// Forget queues a request whose answer nobody waits for. It does not wait.
func (s *Session) Forget(m func(id uint32) wire.Message, w Want) {
	c, err := s.Open(w, 0)
	if err != nil {
		return // the session is dead, and its handles with it
	}
	id := c.id
	s.abandon(c)
	if err := s.out.post(m(id)); err != nil {
		s.Fail(err)
	}
}

// Open reserves an id for a request that is about to be sent. The answer gives
// cost bytes back to the budget.
func (s *Session) Open(w Want, cost int) (*Call, error) {
	c := s.newCall(w, cost)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		c.recycle()
		return nil, s.err
	}
	if s.closing {
		c.recycle()
		return nil, ErrClosed
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

// Drop takes back a request that was not sent.
func (s *Session) Drop(c *Call) {
	s.mu.Lock()
	mine := s.pending[c.id] == c
	if mine {
		delete(s.pending, c.id)
	}
	s.mu.Unlock()
	if !mine {
		<-c.done // the session died, or the server answered what it was not asked
		c.pkt.Free()
	}
	c.recycle()
}

// abandon leaves the request c to the reader. It returns false when the answer
// is there already: then c.done must be received.
func (s *Session) abandon(c *Call) bool {
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
		s.Fail(Protocolf("%d requests without an answer", maxAbandoned))
	}
	return true
}

// Take waits for the answer to c and returns it. c is gone then. Where ctx ends
// before, the answer is thrown away when it comes.
func (s *Session) Take(ctx context.Context, c *Call) (*Packet, error) {
	select {
	case <-c.done:
	case <-ctx.Done():
		if s.abandon(c) {
			return nil, context.Cause(ctx)
		}
		<-c.done
	}
	p, err := c.pkt, c.err
	c.recycle()
	return p, err
}

// Discard gives up a request in flight, answered or not.
func (s *Session) Discard(c *Call) {
	if s.abandon(c) {
		return
	}
	<-c.done
	c.pkt.Free()
	c.recycle()
}

// Release is Discard for a request that the peer should have carried out
// before the stream is closed: Close waits for its answer. A server that is
// told that a connection ends may drop what it has not read yet.
func (s *Session) Release(c *Call) {
	s.mu.Lock()
	if s.pending[c.id] == c && !s.closing {
		c.owed = true
		s.owed++
	}
	s.mu.Unlock()
	s.Discard(c)
}

// Go runs f in a goroutine that [Session.Close] waits for. f must return when
// the session is dead.
func (s *Session) Go(f func()) {
	s.wg.Add(1)
	go func() { // stops when f returns
		defer s.wg.Done()
		f()
	}()
}

// Acquire takes n bytes of the budget as soon as they are to be had.
func (s *Session) Acquire(ctx context.Context, n int) error {
	return s.alive(s.Budget.wait(ctx, s.dead, n))
}

// Post queues a request at once. Its id must be that of a call.
func (s *Session) Post(m wire.Message) error { return s.out.post(m) }

// PostChunk queues the WRITE that stands in p, and with it takes p.
func (s *Session) PostChunk(p *Packet) { s.out.postChunk(p) }

// Done is closed when the session is dead.
func (s *Session) Done() <-chan struct{} { return s.dead }

// Dialect returns what was negotiated.
func (s *Session) Dialect() wire.Dialect { return s.dialect }

// watch fails the session when the oldest request has been the oldest one for
// too long.
func (s *Session) watch(timeout time.Duration) {
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
				s.Fail(&TimeoutError{After: timeout})
			}
		}
	}
}

// oldest returns the sequence number of the oldest request in flight, 0 when
// there is none.
func (s *Session) oldest() uint64 {
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
