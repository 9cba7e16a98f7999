package sftpclient

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
	"github.com/wirelark/wirelark/wire"
)

const (
	// firstReads is how many READs are sent at once into a file of unknown
	// size: most files are small, and each READ behind the end is wasted.
	firstReads = 2

	// blindReads is how many there may be from the first whole answer on. Each
	// answer with data allows one more.
	blindReads = 16

	// leastChunk bounds how far short answers shrink later READs.
	leastChunk = 4 << 10

	// chunksInFlight is into how many chunks the budget is cut, so that answers
	// arrive evenly and no chunk waits for all others.
	chunksInFlight = 8

	// maxHeld is how many answers are held behind the first one after a short
	// one. Each takes some 500 bytes of memory, also when it has a single one of
	// data; the requests in flight do not become more by them.
	maxHeld = 1024

	// maxEmpty is how many answers without data are asked again.
	maxEmpty = 3
)

// ErrNoData says that the server has answered READ several times with no bytes
// at all and without saying that the file ends.
var ErrNoData = errors.New("server answers READ with no data")

// reading reads the bytes [next, end) of a file with many READs in flight and
// delivers them in order. What an answer leaves open is asked again; where the
// file ends is known only from a status.
type reading struct {
	f     *File
	ctx   context.Context //nolint:containedctx // one operation
	next  int64           // not asked yet: from here
	end   int64           // to here
	known int64           // the file is believed to reach to here
	blind int             // READs that may be in flight beyond known
	held  int             // by how many blind grows if there is data behind a short answer
	chunk int             // bytes per READ; shrinks when answers are short
	short bool            // an answer was short: look at the others early
	empty int             // answers without data in a row
	read  sftp.Read       // the message being sent
	data  sftp.Data       // the message being decoded
	spans fifo[span]      // asked or to be asked again, in order of offsets
}

// span is one READ and its answer.
type span struct {
	off  int64
	n    int             // bytes wanted
	q    *session.Call   // in flight; nil: not asked, or answered
	p    *session.Packet // the answer that holds data
	data []byte          // len(data) <= n; only when p is set
	err  error           // the answer was an error; io.EOF for the end of the file
}

func (s *span) answered() bool { return s.p != nil || s.err != nil }

// run delivers data to sink until the range is read, the file ends (io.EOF),
// or something fails. It returns the number of bytes delivered.
func (r *reading) run(sink func(b []byte) error) (n int64, err error) {
	r.f.s.Budget.Share(1)
	defer r.f.s.Budget.Share(-1)
	defer r.giveUp()
	for {
		if err := r.ask(); err != nil {
			return n, err
		}
		if r.spans.len() == 0 {
			return n, nil
		}
		head := r.spans.at(0)
		if err := r.wait(head); err != nil {
			return n, err
		}
		if head.err != nil {
			return n, head.err
		}
		k := len(head.data)
		err := sink(head.data)
		if err != nil {
			return n, err
		}
		n += int64(k)
		r.done(head)
	}
}

// done takes a delivered span off the queue, or what is left of it back to be
// asked.
func (r *reading) done(head *span) {
	k := len(head.data)
	if head.off >= r.known {
		r.grow(k == head.n)
	}
	head.p.Free()
	rest := span{off: head.off + int64(k), n: head.n - k}
	if rest.n > 0 {
		*head = rest
	} else {
		r.spans.pop()
	}
	if r.short {
		r.sweep()
	}
}

// grow allows more READs in flight beyond what is known, after an answer with
// data there. A short one is mostly the end of the file.
func (r *reading) grow(whole bool) {
	n := r.blind + r.held
	if r.held = 0; whole {
		n = max(n+1, blindReads)
	} else {
		r.held = 1
	}
	r.blind = min(n, math.MaxInt32)
}

// ask sends READs while budget and window allow. It makes sure that the first
// span is asked, if need be by waiting for the budget.
func (r *reading) ask() error {
	beyond, bytes := 0, int64(0)
	for i := range r.spans.len() {
		s := r.spans.at(i)
		if s.q == nil && !s.answered() {
			if sent, err := r.send(s, i == 0); err != nil || !sent {
				return err
			}
		}
		bytes += int64(s.n)
		if s.off >= r.known {
			beyond++
		}
	}
	window := r.f.s.Budget.Window()
	for r.next < r.end {
		s := span{off: r.next, n: r.size(window)}
		first := r.spans.len() == 0
		if !first && s.off >= r.known && beyond >= r.blind {
			return nil
		}
		if !first && bytes+int64(s.n) > window {
			r.f.s.Budget.Full()
			return nil
		}
		if sent, err := r.send(&s, first); err != nil || !sent {
			return err
		}
		r.spans.push(s)
		r.next += int64(s.n)
		bytes += int64(s.n)
		if s.off >= r.known {
			beyond++
		}
	}
	return nil
}

// size returns the length of the next READ.
func (r *reading) size(window int64) int {
	n := min(int64(r.chunk), max(window/chunksInFlight, sftp.SafeData), r.end-r.next)
	if r.next < r.known {
		n = min(n, r.known-r.next)
	}
	return int(n)
}

// send asks for a span. It returns false when the budget is used up and it
// must not wait.
func (r *reading) send(s *span, wait bool) (bool, error) {
	ses := r.f.s
	if !ses.Budget.Try(s.n) {
		if !wait {
			return false, nil
		}
		if err := ses.Acquire(r.ctx, s.n); err != nil {
			return false, err
		}
	}
	q, err := ses.Open(session.WantData, s.n)
	if err != nil {
		ses.Budget.Release(s.n)
		return false, err
	}
	r.read = sftp.Read{ID: q.ID(), Handle: r.f.handle, Offset: uint64(s.off), Length: uint32(s.n)}
	if err := r.f.queue(&r.read); err != nil {
		ses.Drop(q)
		ses.Budget.Release(s.n)
		return false, err
	}
	s.q = q
	return true, nil
}

// wait waits for the answer to s, unless it is there.
func (r *reading) wait(s *span) error {
	if s.answered() {
		return nil
	}
	q := s.q
	s.q = nil
	p, err := r.f.s.Take(r.ctx, q)
	if err != nil {
		return err
	}
	return r.take(s, p)
}

// sweep takes the answers that are there already behind the first one and
// splits those that are short, so that what they leave open is asked at once
// and not one round trip after the other. Behind maxHeld answers the rest waits
// until the sink has taken some.
func (r *reading) sweep() {
	held := 0
	for i := 0; i < r.spans.len() && held < maxHeld; i++ {
		s := r.spans.at(i)
		if s.answered() {
			held++
			continue
		}
		if s.q == nil || !s.q.Ready() {
			continue
		}
		held++
		if err := r.wait(s); err != nil {
			s.err = err
			continue
		}
		if k := len(s.data); s.p != nil && k < s.n {
			rest := span{off: s.off + int64(k), n: s.n - k}
			s.n = k
			r.spans.insert(i+1, rest)
			i++
		}
	}
}

// take decodes the answer p into s. An error is one of the channel; what
// the server refused stands in s.err.
func (r *reading) take(s *span, p *session.Packet) error {
	m := &r.data
	if err := r.f.s.Decode(p, m); err != nil {
		p.Free()
		if errors.Is(err, io.EOF) {
			err = io.EOF
		}
		s.err = err
		return nil
	}
	switch k := len(m.Data); {
	case k > s.n:
		p.Free()
		err := session.Protocolf("%d bytes of data where %d were asked", k, s.n)
		r.f.s.Fail(err)
		return err
	case k == 0:
		if r.empty++; r.empty > maxEmpty {
			p.Free()
			s.err = ErrNoData
			return nil
		}
	default:
		r.empty = 0
		if k < s.n {
			r.short = true
			r.chunk = max(min(k, r.chunk), min(leastChunk, r.chunk))
		}
	}
	s.p, s.data = p, m.Data
	return nil
}

// giveUp leaves what is still in flight to the reader.
func (r *reading) giveUp() {
	for r.spans.len() > 0 {
		s := r.spans.pop()
		if s.q != nil {
			r.f.s.Discard(s.q)
		}
		s.p.Free()
	}
}

// read reads the range [off, end) of f into sink. known is how far the file is
// believed to reach, -1 when nothing is.
func (f *File) read(ctx context.Context, off, end, known int64, sink func([]byte) error) (int64, error) {
	chunk, _ := f.c.chunks()
	r := reading{f: f, ctx: ctx, next: off, end: end, known: known, blind: 1, chunk: chunk}
	if known < 0 {
		r.blind = firstReads
	}
	return r.run(sink)
}

// ReadAt reads len(b) bytes from offset off on, as [io.ReaderAt] says.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	return f.ReadAtContext(context.Background(), b, off)
}

// ReadAtContext is ReadAt with a context.
func (f *File) ReadAtContext(ctx context.Context, b []byte, off int64) (int, error) {
	n, err := f.readAt(ctx, b, off)
	return n, f.err("read", err)
}

func (f *File) readAt(ctx context.Context, b []byte, off int64) (int, error) {
	if off < 0 || off > math.MaxInt64-int64(len(b)) {
		return 0, errOffset
	}
	end := off + int64(len(b))
	at := 0
	n, err := f.read(ctx, off, end, end, func(data []byte) error {
		at += copy(b[at:], data)
		return nil
	})
	return int(n), err
}

// Read reads up to len(b) bytes from the offset on. At the end of the file it
// returns 0 and io.EOF.
func (f *File) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.ahead.read(f, b)
	f.off += int64(n)
	if n > 0 && err == io.EOF { //nolint:errorlint // ours, never wrapped
		err = nil
	}
	return n, f.err("read", err)
}

// WriteTo writes the file from the offset on to w: [File.ReadTo] without
// context and size.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	return f.ReadTo(context.Background(), w, -1)
}

// ReadTo writes the file from the offset on to w, with many requests in
// flight, and returns the number of bytes that w has taken. size is what the
// caller believes the size of the file to be, -1 if nothing: a wrong belief
// costs a round trip and is never relied on. w gets chunks that it must not
// keep.
func (f *File) ReadTo(ctx context.Context, w io.Writer, size int64) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ahead.drop()
	var took int64
	_, err := f.read(ctx, f.off, math.MaxInt64, size, func(data []byte) error {
		n, err := w.Write(data)
		took += int64(max(n, 0))
		if err == nil && n < len(data) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return &sinkError{err}
		}
		return nil
	})
	f.off += took
	var sink *sinkError
	switch {
	case errors.As(err, &sink):
		return took, sink.err
	case err == io.EOF: //nolint:errorlint // ours, never wrapped
		return took, nil
	}
	return took, f.err("read", err)
}

// sinkError marks the error of the writer that takes the data, which is
// returned as it is.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }

// readAhead keeps what a READ brought beyond what a small Read wanted: without
// it io.ReadAll would pay a round trip for every 512 bytes.
type readAhead struct {
	p   *session.Packet
	b   []byte
	off int64
}

// read reads at the offset of f.
func (a *readAhead) read(f *File, b []byte) (int, error) {
	if a.p != nil && a.off == f.off && len(a.b) > 0 {
		n := copy(b, a.b)
		a.b, a.off = a.b[n:], a.off+int64(n)
		if len(a.b) == 0 {
			a.drop()
		}
		return n, nil
	}
	a.drop()
	if len(b) >= sftp.SafeData || f.flags&sftp.OpenWrite != 0 {
		return f.readAt(context.Background(), b, f.off)
	}
	p := session.NewPacket(sftp.SafeData)
	n, err := f.readOnce(p.B)
	if n == 0 {
		p.Free()
		return 0, err
	}
	k := copy(b, p.B[:n])
	if k == n {
		p.Free()
		return k, nil
	}
	a.p, a.b, a.off = p, p.B[k:n], f.off+int64(k)
	return k, nil
}

func (a *readAhead) drop() {
	a.p.Free()
	*a = readAhead{}
}

// readOnce asks for len(b) bytes at the offset, once, and takes what comes.
func (f *File) readOnce(b []byte) (int, error) {
	for range maxEmpty + 1 {
		q, err := f.begin(context.Background(), session.WantData, func(id uint32) wire.Message {
			return &sftp.Read{ID: id, Handle: f.handle, Offset: uint64(f.off), Length: uint32(len(b))}
		})
		if err != nil {
			return 0, err
		}
		s := span{off: f.off, n: len(b), q: q}
		r := reading{f: f, ctx: context.Background(), chunk: len(b)}
		if err := r.wait(&s); err != nil {
			return 0, err
		}
		if s.err != nil {
			return 0, s.err
		}
		n := copy(b, s.data)
		s.p.Free()
		if n > 0 {
			return n, nil
		}
	}
	return 0, ErrNoData
}
