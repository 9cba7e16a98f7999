package sftpclient

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
)

var errOffset = fmt.Errorf("offset out of range: %w", fs.ErrInvalid)

// writing writes a stream of bytes to a file with many WRITEs in flight, sent
// in the order of their offsets. It knows how many bytes from its beginning
// are confirmed without a hole.
type writing struct {
	f         *File
	ctx       context.Context //nolint:containedctx // one operation
	off       int64           // of the next WRITE
	sent      fifo[sentWrite] // in flight, oldest first
	committed int64           // bytes from the beginning confirmed without a hole
	err       error           // the first thing that went wrong
}

type sentWrite struct {
	q *session.Call
	n int
}

// run writes what fill puts into the buffers it is given, until fill returns
// an error (io.EOF for the end) or a WRITE fails. Then it waits for the
// answers to all that it has sent, so that what comes after is after.
func (w *writing) run(fill func(b []byte) (int, error)) error {
	w.f.startWrite()
	defer w.f.endWrite()
	var srcErr error
	for w.err == nil && srcErr == nil {
		_, size := w.f.c.chunks()
		size = min(size, int(max(w.f.s.Budget.Limit()/chunksInFlight, sftp.SafeData)))
		head := sftp.WriteHeader(len(w.f.handle))
		p := session.NewPacket(head + size)
		var n int
		n, srcErr = fill(p.B[head:])
		if n == 0 {
			p.Free()
			continue
		}
		p.B = p.B[:head+n]
		w.send(p, n)
	}
	w.drain()
	if w.err == nil && srcErr != io.EOF { //nolint:errorlint // as in WriteFrom
		return srcErr
	}
	return w.err
}

// send queues a WRITE of the n bytes that stand in p behind room for the
// header. It takes p.
func (w *writing) send(p *session.Packet, n int) {
	if w.off > math.MaxInt64-int64(n) {
		w.err = errOffset
	}
	w.reap()
	s := w.f.s
	for w.err == nil && !w.fits(n) {
		if w.sent.len() > 0 {
			w.settle()
		} else if w.err = s.Acquire(w.ctx, n); w.err == nil {
			break
		}
	}
	if w.err != nil {
		p.Free()
		return
	}
	q, err := s.Open(session.WantStatus, n)
	if err != nil {
		s.Budget.Release(n)
		p.Free()
		w.err = err
		return
	}
	sftp.AppendWriteHeader(p.B[:0], q.ID(), w.f.handle, uint64(w.off), n)
	if err := w.f.queueChunk(p); err != nil {
		s.Drop(q)
		s.Budget.Release(n)
		p.Free()
		w.err = err
		return
	}
	w.sent.push(sentWrite{q, n})
	w.off += int64(n)
}

// fits takes n bytes of the budget if it may send now. A file that is appended
// to gets one WRITE at a time: their order is all that says where they go.
func (w *writing) fits(n int) bool {
	if w.f.flags&sftp.OpenAppend != 0 && w.sent.len() > 0 {
		return false
	}
	return w.f.s.Budget.Try(n)
}

// queueChunk queues the WRITE in p, which it takes unless there is an error.
func (f *File) queueChunk(p *session.Packet) error {
	f.send.RLock()
	defer f.send.RUnlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.s.PostChunk(p)
	return nil
}

// reap takes the answers that are there already.
func (w *writing) reap() {
	for w.err == nil && w.sent.len() > 0 && w.sent.at(0).q.Ready() {
		w.settle()
	}
}

// settle waits for the oldest answer. The first error sticks; a later success
// does not move the mark across the hole.
func (w *writing) settle() {
	s := w.sent.pop()
	err := w.f.s.Answer(w.ctx, s.q, nil)
	switch {
	case w.err != nil:
	case err != nil:
		w.err = err
	default:
		w.committed += int64(s.n)
	}
}

func (w *writing) drain() {
	for w.sent.len() > 0 {
		w.settle()
	}
}

// write runs w and turns its error into the one that callers see.
func (f *File) write(ctx context.Context, off int64, fill func([]byte) (int, error)) (int64, error) {
	w := writing{f: f, ctx: ctx, off: off}
	err := w.run(fill)
	if w.err != nil {
		f.fail(w.err)
		err = &PartialError{Committed: w.committed, Err: w.err}
	}
	return w.committed, err
}

// writeBytes writes b at off.
func (f *File) writeBytes(ctx context.Context, b []byte, off int64) (int, error) {
	if off < 0 || off > math.MaxInt64-int64(len(b)) {
		return 0, errOffset
	}
	n, err := f.write(ctx, off, func(room []byte) (int, error) {
		k := copy(room, b)
		b = b[k:]
		if len(b) == 0 {
			return k, io.EOF
		}
		return k, nil
	})
	return int(n), err
}

// WriteAt writes b at offset off and returns when the server has confirmed
// every byte, or an error: then n bytes from the beginning are confirmed.
func (f *File) WriteAt(b []byte, off int64) (int, error) {
	return f.WriteAtContext(context.Background(), b, off)
}

// WriteAtContext is WriteAt with a context.
func (f *File) WriteAtContext(ctx context.Context, b []byte, off int64) (int, error) {
	if f.flags&sftp.OpenAppend != 0 {
		return 0, f.err("write", errAppend)
	}
	n, err := f.writeBytes(ctx, b, off)
	return n, f.err("write", err)
}

var errAppend = fmt.Errorf("WriteAt on a file that is appended to: %w", fs.ErrInvalid)

// Write writes b at the offset and returns when the server has confirmed every
// byte, or an error: then n bytes from the beginning are confirmed. After an
// error every further Write and ReadFrom returns it again.
func (f *File) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.failure(); err != nil {
		return 0, f.err("write", &PartialError{Err: err})
	}
	n, err := f.writeBytes(context.Background(), b, f.off)
	f.off += int64(n)
	return n, f.err("write", err)
}

// WriteString is Write for a string.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// ReadFrom writes what r gives at the offset: [File.WriteFrom] without a
// context.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	return f.WriteFrom(context.Background(), r)
}

// WriteFrom writes what r gives, up to its end, at the offset, with many
// requests in flight. It returns when the server has confirmed every byte, or
// an error: then n bytes from the beginning are confirmed. An error of r is
// returned as it is, after everything read before is confirmed.
func (f *File) WriteFrom(ctx context.Context, r io.Reader) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.failure(); err != nil {
		return 0, f.err("write", &PartialError{Err: err})
	}
	var srcErr error
	n, err := f.write(ctx, f.off, func(room []byte) (int, error) {
		k, err := readFull(r, room)
		if err != nil && err != io.EOF { //nolint:errorlint // io.Reader returns io.EOF itself; wrapped, it is an error
			srcErr = err
		}
		return k, err
	})
	f.off += n
	if srcErr != nil && err == srcErr { //nolint:errorlint // the very value
		return n, err
	}
	return n, f.err("write", err)
}

// readFull fills b from r. Unlike [io.ReadFull] it leaves the error of r as it
// is, so that a source that ends unexpectedly is not taken for one that ends.
func readFull(r io.Reader, b []byte) (n int, err error) {
	for idle := 0; n < len(b) && err == nil; idle++ {
		var k int
		k, err = r.Read(b[n:])
		if k > 0 {
			n += k
			idle = 0
		} else if err == nil && idle >= maxIdleReads {
			err = io.ErrNoProgress
		}
	}
	return n, err
}

// maxIdleReads is how often a source may return neither bytes nor an error.
const maxIdleReads = 100
