package mux

import (
	"encoding/binary"
	"errors"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

// sender puts one stream of a channel into packets. One writer at a time has
// it; the others wait for their turn, so a Write is one piece of the stream.
type sender struct {
	ch   *Channel
	head []byte // the packet up to and with a data length of 0
	busy bool   // guarded by ch.mu

	// Owned by the writer that made busy true, and by Fill on its behalf.
	src   []byte                // what is still to be sent
	fill  func(room []byte) int // instead of src
	left  int                   // reserved window that has not been used
	total int                   // bytes of data sent
}

// init prepares the sender: empty is its message without data. Every packet
// begins with the bytes of empty, whose length field, the last four, is then
// set; the layout itself is known to package ssh alone.
func (s *sender) init(ch *Channel, empty wire.Message) {
	head, err := ssh.Append(nil, empty)
	if err != nil {
		panic("internal error: " + err.Error())
	}
	s.ch, s.head = ch, head
}

// Write sends p on the main stream. It returns early, with how many bytes it
// has put into the output buffer, when the channel is closed or the write
// deadline passes.
func (ch *Channel) Write(p []byte) (int, error) { return ch.out[0].write(p) }

// AppendFunc builds a piece of the main stream in place: see
// [frame.Appender].
func (ch *Channel) AppendFunc(limit int, fill func(room []byte) int) (int, error) {
	s := &ch.out[0]
	if err := s.acquire(); err != nil {
		return 0, err
	}
	defer s.release()
	s.fill, s.total = fill, 0
	err := s.send(limit)
	s.fill = nil
	return s.total, err
}

func (s *sender) write(p []byte) (int, error) {
	if err := s.acquire(); err != nil {
		return 0, err
	}
	defer s.release()
	s.src, s.total = p, 0
	for len(s.src) > 0 {
		if err := s.send(len(s.src)); err != nil {
			s.src = nil
			return s.total, err
		}
	}
	s.src = nil
	return s.total, nil
}

// send waits for window and sends packets as long as there is some; with fill
// it sends one packet of at most want bytes.
func (s *sender) send(want int) error {
	size, cut, err := s.reserve(want)
	if err != nil {
		return err
	}
	return s.settle(s.ch.m.t.SendData(cut, len(s.head)+size, s))
}

var _ transport.Source = (*sender)(nil)

// Fill builds one packet. It is called by the transport under its output lock.
func (s *sender) Fill(room []byte) (n int, more bool) {
	h := len(s.head)
	if s.fill != nil {
		n = s.fill(room[h:min(len(room), h+s.left)])
	} else {
		n = copy(room[h:min(len(room), h+s.left)], s.src)
		s.src = s.src[n:]
	}
	if n == 0 {
		return 0, false
	}
	s.total += n
	s.left -= n
	copy(room, s.head)
	binary.BigEndian.PutUint32(room[h-4:h], uint32(n))
	return h + n, len(s.src) > 0 && s.extend(len(room)-h)
}

// acquire waits for the sender's turn.
func (s *sender) acquire() error {
	ch := s.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for {
		if err := ch.sendErr(); err != nil {
			return err
		}
		if !s.busy {
			s.busy = true
			return nil
		}
		ch.wcond.Wait()
	}
}

func (s *sender) release() {
	s.ch.mu.Lock()
	s.busy = false
	s.ch.wcond.Broadcast()
	s.ch.mu.Unlock()
}

// reserve waits for window and takes what the first packet needs: size bytes.
func (s *sender) reserve(want int) (size int, cut <-chan struct{}, err error) {
	ch := s.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for {
		if err := ch.sendErr(); err != nil {
			return 0, nil, err
		}
		if ch.sendLeft > 0 {
			size = min(want, ch.sendMax)
			s.left = int(min(ch.sendLeft, uint64(size)))
			ch.sendLeft -= uint64(s.left)
			ch.sending++
			if s.fill != nil {
				size = s.left
			}
			return size, ch.cut, nil
		}
		ch.wcond.Wait()
	}
}

// extend takes window for one more packet of at most size bytes, if there is
// some and the writer may go on.
func (s *sender) extend(size int) bool {
	ch := s.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if s.left > 0 || ch.sendLeft == 0 || ch.sendErr() != nil {
		return s.left > 0
	}
	s.left = int(min(ch.sendLeft, uint64(min(size, len(s.src)))))
	ch.sendLeft -= uint64(s.left)
	return true
}

// settle ends what reserve began: window that was not used goes back.
func (s *sender) settle(err error) error {
	ch := s.ch
	ch.mu.Lock()
	ch.sendLeft += uint64(s.left)
	s.left = 0
	ch.sending--
	if err != nil {
		if own := ch.sendErr(); own != nil {
			err = own
		} else if errors.Is(err, transport.ErrCanceled) {
			err = errDeadline // it has been moved since
		}
	}
	ch.settle()
	return err
}

// sendErr says why nothing may be written. ch.mu is held.
func (ch *Channel) sendErr() error {
	switch {
	case ch.closHere:
		return errChannelClosed
	case ch.closWant:
		return ch.err
	case ch.eofWant:
		return errWriteClosed
	case ch.wdead.past:
		return errDeadline
	}
	return nil
}
