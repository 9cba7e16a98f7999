package packet

import (
	"bytes"
	"errors"
	"io"
	"net"
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
	opener   *Opener
	buf      []byte // small, or large[:]
	small    []byte
	large    *[largeBuffer]byte // borrowed while busy
	r, w     int                // unread bytes are buf[r:w]
	size     int                // of the packet at r; 0: not yet known
	opened   int                // bytes at r of a packet that was refused, which must not show yet; else 0
	refused  error              // why it was
	deadline time.Time          // of the next read; zero: none
	noIdle   bool               // the connection has no deadlines
	err      error              // sticky

	packets, bytes atomic.Uint64
}

// ReadMessage waits for the next packet and returns its payload, which is not
// empty, stands in the read buffer, and is valid until the next call; the
// caller may change it. A packet that breaks the rules of RFC 4253 §6 is an
// [*Error]; otherwise the error is that of the connection, or io.EOF between
// two packets, or io.ErrUnexpectedEOF. Errors stick.
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
			in.packets.Add(1)
			in.bytes.Add(uint64(len(b)))
			return payload, nil
		}
		p.fill(max(in.size, in.opener.Need()))
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
		p.fill(max)
	}
	return nil, in.err
}

// ReadFull reads exactly len(b) bytes as they are on the wire.
func (p *Packetizer) ReadFull(b []byte) error {
	in := &p.in
	for len(b) > 0 && in.err == nil {
		if in.r == in.w {
			p.fill(len(b))
			continue
		}
		n := copy(b, in.buf[in.r:in.w])
		in.r += n
		b = b[n:]
	}
	if len(b) > 0 {
		return in.err
	}
	return nil
}

// fill reads once. want is how long what begins at r is, as far as is known.
func (p *Packetizer) fill(want int) {
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
	in.setDeadline(p.nc)
	n, err := p.nc.Read(in.buf[in.w:])
	full := n > 0 && in.w+n == len(in.buf)
	in.w += n
	switch {
	case err == nil || n > 0:
		// An error comes again with the next read.
	case !in.deadline.IsZero() && errors.Is(err, os.ErrDeadlineExceeded):
		in.idle(p.nc)
	case errors.Is(err, io.EOF) && in.w > in.r:
		in.err = io.ErrUnexpectedEOF
	default:
		in.err = err
	}
	if full && in.large == nil {
		in.borrow()
	}
}

func (in *input) borrow() {
	in.large = largeBuffers.Get().(*[largeBuffer]byte)
	in.w = copy(in.large[:], in.buf[in.r:in.w])
	in.r = 0
	in.buf = in.large[:]
}

// setDeadline bounds the next read while a large buffer is held, so that a
// connection that falls idle can give it back.
func (in *input) setDeadline(nc net.Conn) {
	if in.large == nil || in.noIdle || in.w-in.r > smallBuffer/2 {
		in.clearDeadline(nc)
		return
	}
	now := time.Now()
	if in.deadline.Sub(now) > idleAfter/2 {
		return // renewing it for every read would cost more than the read
	}
	in.deadline = now.Add(idleAfter)
	if nc.SetReadDeadline(in.deadline) != nil {
		in.noIdle, in.deadline = true, time.Time{}
	}
}

func (in *input) clearDeadline(nc net.Conn) {
	if in.deadline.IsZero() {
		return
	}
	in.deadline = time.Time{}
	if err := nc.SetReadDeadline(time.Time{}); err != nil && in.err == nil {
		in.err = err
	}
}

// idle gives the large buffer back.
func (in *input) idle(nc net.Conn) {
	in.w = copy(in.small, in.buf[in.r:in.w])
	in.r = 0
	in.buf = in.small
	largeBuffers.Put(in.large)
	in.large = nil
	in.clearDeadline(nc)
}
