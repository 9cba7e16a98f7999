package packet

import (
	"errors"
	"io"
	"os"
	"sync"
)

var smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}

// output is the sending half of a Packetizer: the batch under construction.
type output struct {
	sealer *Sealer
	batch  Batch
	rest   Batch // what a Flush could not write in time; it goes first
	room   int   // reserved by Room
	err    error // of Flush; sticky

	packets, bytes uint64
	limits         amounts // of packets and bytes
}

// A Batch is a run of sealed packets, taken from a Packetizer to be written.
type Batch struct {
	buf   []byte
	small *[smallBuffer]byte // what buf stands in, if it is pooled
	large *[largeBuffer]byte
}

// Bytes returns what is to be written.
func (b *Batch) Bytes() []byte { return b.buf }

// Advance takes off the first n bytes, which have been written.
func (b *Batch) Advance(n int) { b.buf = b.buf[n:] }

// Release gives the buffer back. The batch is empty then.
func (b *Batch) Release() {
	if b.small != nil {
		smallBuffers.Put(b.small)
	}
	if b.large != nil {
		largeBuffers.Put(b.large)
	}
	*b = Batch{}
}

// extend makes room for n bytes more behind the batch, without counting them
// in, and returns it.
func (b *Batch) extend(n int) []byte {
	need := len(b.buf) + n
	if need > cap(b.buf) {
		old := *b
		switch {
		case need <= smallBuffer:
			b.small, b.large = smallBuffers.Get().(*[smallBuffer]byte), nil
			b.buf = b.small[:0]
		case need <= largeBuffer:
			b.small, b.large = nil, largeBuffers.Get().(*[largeBuffer]byte)
			b.buf = b.large[:0]
		default:
			b.small, b.large = nil, nil
			b.buf = make([]byte, 0, need+need/4)
		}
		b.buf = append(b.buf, old.buf...)
		old.Release()
	}
	return b.buf[len(b.buf):need]
}

// Room returns space for a payload of n bytes at the end of the batch under
// construction. Put a payload into it and call Commit.
func (p *Packetizer) Room(n int) []byte {
	out := &p.out
	out.room = n
	b := out.batch.extend(out.sealer.Size(n))
	return b[HeaderSize : HeaderSize+n : HeaderSize+n]
}

// Commit seals the first n bytes of the room as a packet of the batch and
// returns its length on the wire.
func (p *Packetizer) Commit(n int) int {
	out := &p.out
	if n > out.room || n < 1 {
		panic("internal error: payload does not fit the room")
	}
	at := len(out.batch.buf)
	if p.seen != nil {
		p.seen.packet(p.seen.sends, out.sealer.Seq(), out.batch.buf[at : at+HeaderSize+n][HeaderSize:])
	}
	size := out.sealer.Seal(out.batch.buf[at:at+out.sealer.Size(n)], n)
	out.batch.buf = out.batch.buf[:at+size]
	out.packets++
	out.bytes += uint64(size)
	out.room = 0
	if out.packets >= out.limits.packets || out.bytes >= out.limits.bytes {
		p.sentMuch()
	}
	return size
}

// Append adds a packet with the given payload, of at least one byte, to the
// batch. A payload that no peer would accept is an [*Error].
func (p *Packetizer) Append(payload []byte) error {
	if len(payload) < 1 || p.out.sealer.compressed(len(payload)) > MaxPayload {
		return &Error{Kind: BadLength, Seq: p.out.sealer.Seq(), Value: int64(len(payload)), Local: true}
	}
	copy(p.Room(len(payload)), payload)
	p.Commit(len(payload))
	return nil
}

// compressed returns the longest form that n bytes of payload can take.
func (s *Sealer) compressed(n int) int {
	if s.compressor == nil {
		return n
	}
	return max(n, s.compressor.Bound(n))
}

// AppendRaw adds bytes to the batch as they are: identification lines.
func (p *Packetizer) AppendRaw(b []byte) {
	copy(p.out.batch.extend(len(b)), b)
	p.out.batch.buf = p.out.batch.buf[:len(p.out.batch.buf)+len(b)]
}

// Pending returns the length of the batch under construction.
func (p *Packetizer) Pending() int { return len(p.out.batch.buf) }

// Take ends the batch under construction, begins another one, and returns it.
// The caller writes it, before any later one, and releases it. Who uses Take
// does not use Flush.
func (p *Packetizer) Take() Batch {
	b := p.out.batch
	p.out.batch = Batch{}
	if p.idleMatters.Load() && len(b.buf) > 0 {
		p.clock.sent.Store(int64(p.clock.since()))
	}
	return b
}

// Flush writes the batch under construction to the connection. When the
// deadline of SetWriteDeadline cuts it short, the error is an
// os.ErrDeadlineExceeded, what was not written is kept, and the next Flush
// writes it first, so that nothing is lost; that holds for connections whose
// writes can be gone on with, as those of TCP, and not for those of TLS. Other
// errors stick. After Close it is [ErrClosed].
func (p *Packetizer) Flush() error {
	out := &p.out
	for out.err == nil && (len(out.rest.buf) > 0 || len(out.batch.buf) > 0) {
		if len(out.rest.buf) == 0 {
			out.rest = p.Take()
			if p.seen != nil {
				p.seen.bytes(p.seen.sends, out.rest.buf)
			}
		}
		if err := p.write(&out.rest); err != nil {
			return err
		}
		out.rest.Release()
	}
	return out.err
}

// write writes all of b. An error that it returns does not stick; others are
// out.err, and b is lost.
func (p *Packetizer) write(b *Batch) error {
	for idle := 0; len(b.buf) > 0; idle++ {
		n, err := p.nc.Write(b.buf)
		b.Advance(n)
		switch {
		case err != nil && p.Closed():
			err = ErrClosed
		case err == nil && n == 0 && idle >= maxIdleWrites:
			err = io.ErrNoProgress
		case err == nil:
			if n > 0 {
				idle = 0
			}
			continue
		case errors.Is(err, os.ErrDeadlineExceeded) && p.HandshakeTimedOut():
			err = ErrHandshakeTimeout
		case errors.Is(err, os.ErrDeadlineExceeded):
			return err
		}
		p.out.err = err
		return nil
	}
	return nil
}

// maxIdleWrites is how often a connection may write nothing without an error.
const maxIdleWrites = 10

// SendMessage sends one packet: Append and Flush.
func (p *Packetizer) SendMessage(payload []byte) error {
	if err := p.Append(payload); err != nil {
		return err
	}
	return p.Flush()
}
