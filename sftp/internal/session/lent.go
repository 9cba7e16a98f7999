package session

import (
	"io"

	"github.com/wirelark/wirelark/frame"
)

// Reader returns the reader of a stream: one without copies in between when it
// lends its bytes.
func Reader(r io.Reader) io.Reader {
	if l, ok := r.(frame.Lender); ok {
		return &lent{from: l}
	}
	return r
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
