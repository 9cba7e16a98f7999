package capture

import (
	"errors"
	"io"
)

// readSize is how much is asked of the file at once, and the first size of the
// buffer.
const readSize = 256 << 10

// A window is the part of a byte stream that is in memory. Bytes are used in
// place and given back by skip, so what one call returned is valid until the
// next.
type window struct {
	r   io.Reader
	buf []byte
	at  int   // first byte not skipped
	off int64 // of buf[at] in the stream
}

// peek returns at least n bytes, all that are there. With fewer it returns
// what there is and the reader's error. The buffer at most doubles before the
// bytes that need it have arrived.
func (w *window) peek(n int) ([]byte, error) {
	if len(w.buf)-w.at >= n {
		return w.buf[w.at:], nil
	}
	return w.fill(n)
}

func (w *window) fill(n int) ([]byte, error) {
	if w.at > 0 && cap(w.buf)-w.at < max(n, readSize) {
		w.buf = w.buf[:copy(w.buf[:cap(w.buf)], w.buf[w.at:])]
		w.at = 0
	}
	for empty := 0; len(w.buf)-w.at < n; {
		if len(w.buf) == cap(w.buf) {
			grown := make([]byte, len(w.buf)-w.at, max(readSize, 2*cap(w.buf)))
			copy(grown, w.buf[w.at:])
			w.buf, w.at = grown, 0
		}
		got, err := w.r.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+got]
		switch {
		case err != nil && len(w.buf)-w.at >= n:
			return w.buf[w.at:], nil // the next read will say it again
		case err != nil:
			return w.buf[w.at:], err
		case got > 0:
			empty = 0
		default:
			if empty++; empty == 100 {
				return w.buf[w.at:], io.ErrNoProgress
			}
		}
	}
	return w.buf[w.at:], nil
}

func (w *window) skip(n int) {
	w.at += n
	w.off += int64(n)
}

// ended turns the error of a peek for a block of want bytes into what a caller
// of Next gets: io.EOF between two blocks, a [TruncatedError] inside one.
func (w *window) ended(err error, want int) error {
	have := len(w.buf) - w.at
	switch {
	case !errors.Is(err, io.EOF):
		return err
	case have == 0:
		return io.EOF
	}
	return &TruncatedError{Off: w.off, Have: int64(have), Want: int64(want)}
}
