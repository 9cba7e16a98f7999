package mux

import (
	"errors"
	"io"
)

// Read reads from the main stream.
func (ch *Channel) Read(p []byte) (int, error) { return ch.read(0, p) }

// Next lends the next bytes of the main stream: see [frame.Lender].
func (ch *Channel) Next() (chunk []byte, release func(), err error) { return ch.next(0) }

// WriteTo writes the main stream to w until its end, without a copy of its
// own.
func (ch *Channel) WriteTo(w io.Writer) (int64, error) { return ch.writeTo(0, w) }

// Pending reports whether a Read would return at once: with bytes, the end of
// the stream, or an error.
func (ch *Channel) Pending() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.in[0].size > 0 || ch.eofRecv || ch.closRecv || ch.closHere || ch.err != nil
}

// Stderr returns the stream of extended data of type stderr beside the main
// one. It shares the channel's window and deadlines; nobody must read it with
// [Options.KeepStderr] unset.
func (ch *Channel) Stderr() *Stderr { return &Stderr{ch} }

// Stderr is a channel's stream of extended data. See [Channel.Stderr].
type Stderr struct{ ch *Channel }

// Read reads what the peer sent as stderr.
func (s *Stderr) Read(p []byte) (int, error) { return s.ch.read(1, p) }

// WriteTo writes to w until the end of the stream.
func (s *Stderr) WriteTo(w io.Writer) (int64, error) { return s.ch.writeTo(1, w) }

// Write sends p as stderr.
func (s *Stderr) Write(p []byte) (int, error) { return s.ch.out[1].write(p) }

func (ch *Channel) read(i int, p []byte) (int, error) {
	ch.mu.Lock()
	s := &ch.in[i]
	if err := ch.awaitBytes(s, len(p) == 0); err != nil {
		ch.mu.Unlock()
		return 0, err
	}
	n := s.take(p)
	ch.consume(n)
	return n, nil
}

func (ch *Channel) next(i int) ([]byte, func(), error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	s := &ch.in[i]
	if err := ch.awaitBytes(s, false); err != nil {
		return nil, nil, err
	}
	return s.lend(), ch.releases[i], nil
}

func (ch *Channel) release(i int) {
	ch.mu.Lock()
	s := &ch.in[i]
	n := s.lent
	s.lent = 0
	if n > 0 {
		s.drop(n)
	}
	ch.consume(n)
}

func (ch *Channel) writeTo(i int, w io.Writer) (int64, error) {
	var total int64
	for {
		chunk, release, err := ch.next(i)
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(chunk)
		release()
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
}

// awaitBytes waits until s has bytes, or at least could have with probe. ch.mu
// is held.
func (ch *Channel) awaitBytes(s *stream, probe bool) error {
	for {
		switch {
		case ch.closHere:
			return errChannelClosed
		case ch.rdead.past:
			return errDeadline
		case s.size > 0 || probe:
			return nil
		case ch.eofRecv || ch.closRecv:
			return io.EOF
		case ch.err != nil:
			return ch.err
		}
		ch.rcond.Wait()
	}
}

// consume gives the window of n bytes that have been taken back to the peer
// when enough has come together. It releases ch.mu.
func (ch *Channel) consume(n int) {
	wake := ch.grant(n)
	ch.mu.Unlock()
	if wake {
		ch.m.t.Wake()
	}
}
