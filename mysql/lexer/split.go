package lexer

import (
	"errors"
	"io"
)

// Splitter reads the statements of a script from a stream.
type Splitter struct {
	cut  *Cutter
	r    io.Reader
	buf  []byte
	done bool
	err  error // of the reader, or ErrTooLong
}

// NewSplitter returns a Splitter of what r holds. It reads ahead.
func NewSplitter(r io.Reader, cfg CutConfig) *Splitter {
	return &Splitter{cut: NewCutter(cfg), r: r, buf: make([]byte, 64<<10)}
}

// Delimiter returns the delimiter that counts now.
func (s *Splitter) Delimiter() string { return s.cut.Delimiter() }

// Next returns the next statement, and io.EOF after the last. What is left at
// the end of the script without a delimiter is a statement; what is left when
// the reader fails is not: the reader's error is returned instead.
func (s *Splitter) Next() (Statement, error) {
	for {
		if s.err != nil {
			return Statement{}, s.err
		}
		st, ok, err := s.cut.Next()
		if err != nil {
			s.err = err
			continue
		}
		if ok {
			return st, nil
		}
		if s.done {
			s.err = io.EOF
			continue
		}
		n, err := s.r.Read(s.buf)
		s.cut.Feed(s.buf[:n])
		switch {
		case errors.Is(err, io.EOF):
			s.done = true
			s.cut.Finish()
		case err != nil:
			s.err = err
		}
	}
}
