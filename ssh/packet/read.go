package packet

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// smallBuffer is what an idle connection reads into.
	smallBuffer = 4 << 10

	// largeBuffer holds the largest packet, its length field and its tag.
	largeBuffer = MaxLength + 1<<10

	// idleAfter is how long a read into the large buffer waits before the
	// buffer is given back.
	idleAfter = 200 * time.Millisecond
)

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// ErrLineTooLong is returned by ReadLine.
var ErrLineTooLong = errors.New("line too long")

// input is the receiving half of a Packetizer.
type input struct {
	opener  *Opener
	buf     []byte // small, or large[:]
	small   []byte
	large   *[largeBuffer]byte // borrowed while busy
	r, w    int                // unread bytes are buf[r:w]
	size    int                // of the packet at r; 0: not yet known
	opened  int                // bytes at r of a packet that was refused, which must not show yet; else 0
	refused error              // why it was
	idleAt  time.Time          // when the large buffer is given back; zero: never
	noIdle  bool               // the connection has no deadlines
	changes uint64             // clock.changes before the read
	last    time.Duration      // when something came last, since the beginning of the Packetizer
	err     error              // sticky

	packets, bytes atomic.Uint64
	limits         amounts // of packets and bytes; the receiving goroutine's
}

// ReadMessage waits for the next packet and returns its payload, which is not
// empty, stands in the read buffer, and is valid until the next call; the
// caller may change it. A packet that breaks the rules of RFC 4253 §6 is an
// [*Error]; otherwise the error is that of the connection, or io.EOF between
// two packets, or io.ErrUnexpectedEOF. All errors stick but that of
// [Packetizer.SetReadDeadline]. After Close it is [ErrClosed].
func (p *Packetizer) ReadMessage() (payload []byte, err error) {
	in := &p.in
	for in.err == nil {
		if in.size == 0 && in.w-in.r >= in.opener.Need() {
			if in.size, in.err = in.opener.Size(in.buf[in.r:in.w]); in.err != nil {
				break
			}
		}
		if in.size > 0 && in.w-in.r >= in.size {
			b := in.buf[in.r : in.r+in.size : in.r+in.size]
			if in.opened > 0 {
				in.opener.waste(b[in.opened:])
				in.err = in.refused
				break
			}
			if payload, in.err = in.opener.Open(b); in.err != nil {
				in.refuse()
				continue
			}
			in.r += in.size
			in.size = 0
			if p.received(payload, len(b)); in.err != nil {
				break
			}
			return payload, nil
		}
		if err := p.fill(max(in.size, in.opener.Need())); err != nil {
			return nil, err
		}
	}
	return nil, in.err
}

// refuse deals with a packet that was not opened. Where its length must not
// show in when we say no, as much is read, and worked on, as for any other
// that is refused.
func (in *input) refuse() {
	if longest := in.opener.longest(); in.opener.hides() && in.size < longest {
		in.opened, in.refused, in.err = in.size, in.err, nil
		in.size = longest
	}
}

// Buffered returns how many received bytes have not been taken yet.
func (p *Packetizer) Buffered() int { return p.in.w - p.in.r }

// ReadLine reads up to a line feed and returns the line without it and without
// a carriage return before it; valid until the next call. max bounds the line
// with its end, at most 4096 bytes; beyond it is ErrLineTooLong. Other errors
// are as those of ReadMessage.
func (p *Packetizer) ReadLine(max int) ([]byte, error) {
	in := &p.in
	max = min(max, smallBuffer)
	for in.err == nil {
		b := in.buf[in.r:in.w]
		i := bytes.IndexByte(b, '\n')
		if i >= max || i < 0 && len(b) >= max {
			return nil, ErrLineTooLong
		}
		if i >= 0 {
			in.r += i + 1
			return bytes.TrimSuffix(b[:i], []byte{'\r'}), nil
		}
		if err := p.fill(max); err != nil {
			return nil, err
		}
	}
	return nil, in.err
}

// ReadFull reads exactly len(b) bytes as they are on the wire, or says how many
// it has read before the error.
func (p *Packetizer) ReadFull(b []byte) (n int, err error) {
	in := &p.in
	for n < len(b) && in.err == nil {
		if in.r == in.w {
			if err := p.fill(len(b) - n); err != nil {
				return n, err
			}
			continue
		}
		k := copy(b[n:], in.buf[in.r:in.w])
		in.r += k
		n += k
	}
	if n < len(b) {
		return n, in.err
	}
	return n, nil
}

// fill reads once. want is how long what begins at r is, as far as is known. An
// error that it returns does not stick; others are in.err.
func (p *Packetizer) fill(want int) error {
	in := &p.in
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
	if in.large == nil && (want > len(in.buf) || in.w == len(in.buf) || in.w > smallBuffer/2) {
		in.borrow()
	}
	if in.r > 0 && (in.r+want > len(in.buf) || len(in.buf)-in.w < len(in.buf)/4) {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
	p.wait()
	n, err := p.nc.Read(in.buf[in.w:])
	full := n > 0 && in.w+n == len(in.buf)
	p.gotBytes(in.buf[in.w : in.w+n])
	in.w += n
	switch {
	case err == nil || n > 0:
		// An error comes again with the next read.
	case errors.Is(err, os.ErrDeadlineExceeded):
		return p.expired(err)
	case p.Closed():
		in.err = ErrClosed
	case errors.Is(err, io.EOF) && in.w > in.r:
		in.err = io.ErrUnexpectedEOF
	default:
		in.err = err
	}
	if full && in.large == nil {
		in.borrow()
	}
	return nil
}

// gotBytes takes note that b was received.
func (p *Packetizer) gotBytes(b []byte) {
	if len(b) == 0 {
		return
	}
	if p.idleMatters.Load() {
		p.in.last = p.clock.since()
	}
	if p.in.noIdle {
		p.keysExpired(time.Now()) // no deadline wakes us for it
	}
	if p.seen != nil {
		p.seen.bytes(p.seen.sends.Reverse(), b)
	}
}

// received counts a packet.
func (p *Packetizer) received(payload []byte, size int) {
	in := &p.in
	packets, bytes := in.packets.Add(1), in.bytes.Add(uint64(size))
	if packets >= in.limits.packets || bytes >= in.limits.bytes {
		p.receivedMuch(packets, bytes)
	}
	if packets > p.rekey.overPackets.Load() || bytes > p.rekey.overBytes.Load() {
		p.overflowed()
	}
	if p.seen != nil {
		p.seen.packet(p.seen.sends.Reverse(), in.opener.Seq()-1, payload)
	}
}

func (in *input) borrow() {
	in.large = largeBuffers.Get().(*[largeBuffer]byte)
	in.w = copy(in.large[:], in.buf[in.r:in.w])
	in.r = 0
	in.buf = in.large[:]
}

// giveBack returns the large buffer to the pool.
func (in *input) giveBack() {
	in.w = copy(in.small, in.buf[in.r:in.w])
	in.r = 0
	in.buf = in.small
	largeBuffers.Put(in.large)
	in.large = nil
}
