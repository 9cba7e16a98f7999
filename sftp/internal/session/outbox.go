package session

import (
	"context"
	"io"
	"sync"

	"github.com/wirelark/wirelark/frame"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

const (
	// batchSize is how many bytes of small requests are put together.
	batchSize = 16 << 10

	// maxSmall is how many bytes of small requests may wait to be sent before
	// callers have to wait. Chunks of data are bounded by the budget.
	maxSmall = 256 << 10
)

// outbox is the queue of packets to be sent. Callers put packets in and never
// wait for the stream; one goroutine, flush, writes them.
type outbox struct {
	dialect wire.Dialect
	trace   trace.Conn    // nil: off
	apart   bool          // each packet is a write of its own
	wake    chan struct{} // capacity 1: there is something to send

	mu    sync.Mutex
	segs  []segment     // in the order of the stream
	busy  bool          // flush has some that are not written yet
	empty chan struct{} // closed when everything is written; nil when nobody waits
	small int           // bytes of small requests not written yet
	room  chan struct{} // closed when small falls; nil when nobody waits
	spare []byte        // an empty batch to use again
}

// segment is a piece of the stream: a batch of small requests, or one WRITE.
type segment struct {
	b     []byte
	chunk *Packet // holds b; nil for a batch
}

// wait waits for room for a small request.
func (o *outbox) wait(ctx context.Context, dead <-chan struct{}) error {
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		o.mu.Lock()
		if o.small < maxSmall {
			o.mu.Unlock()
			return nil
		}
		if o.room == nil {
			o.room = make(chan struct{})
		}
		room := o.room
		o.mu.Unlock()
		select {
		case <-room:
		case <-dead:
			return errDead
		case <-ctx.Done():
		}
	}
}

// post queues a small request at once.
func (o *outbox) post(m wire.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := len(o.segs) - 1
	if last < 0 || o.apart || o.segs[last].chunk != nil || len(o.segs[last].b) >= batchSize {
		o.segs = append(o.segs, segment{b: o.spare[:0]})
		o.spare = nil
		last++
	}
	b := o.segs[last].b
	at := len(b)
	b, err := sftp.AppendPacket(b, m, o.dialect)
	if err == nil && len(b)-at > sftp.MaxPacket {
		b, err = b[:at], sftp.ErrPacketLength
	}
	o.segs[last].b = b
	if err != nil {
		if at == 0 { // nothing would ever be written for it
			o.spare, o.segs = b, o.segs[:last]
		}
		return err
	}
	o.small += len(b) - at
	if o.trace != nil {
		o.trace.Packet(wire.C2S, b[at+sftp.LengthSize:])
	}
	o.signal()
	return nil
}

// postChunk queues the WRITE that stands in p, and with it takes p.
func (o *outbox) postChunk(p *Packet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.segs = append(o.segs, segment{b: p.B, chunk: p})
	if o.trace != nil {
		o.trace.Packet(wire.C2S, p.B[sftp.LengthSize:])
	}
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take swaps the queue with an empty one.
func (o *outbox) take(empty []segment) []segment {
	o.mu.Lock()
	defer o.mu.Unlock()
	segs := o.segs
	o.segs = empty
	o.busy = len(segs) > 0
	return segs
}

// idle returns a channel that is closed as soon as everything is written.
func (o *outbox) idle() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	idle := o.empty
	if idle == nil {
		idle = make(chan struct{})
		if !o.busy && len(o.segs) == 0 {
			close(idle)
			return idle
		}
		o.empty = idle
	}
	return idle
}

// written takes note that the segments were written.
func (o *outbox) written(segs []segment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range segs {
		if segs[i].chunk != nil {
			segs[i].chunk.Free()
		} else {
			o.small -= len(segs[i].b)
			o.spare = segs[i].b[:0]
		}
		segs[i] = segment{}
	}
	o.busy = false
	if o.empty != nil && len(o.segs) == 0 {
		close(o.empty)
		o.empty = nil
	}
	if o.room != nil && o.small < maxSmall {
		close(o.room)
		o.room = nil
	}
}

// flush writes what is queued until the session is dead or writing fails.
func (o *outbox) flush(w io.Writer, dead <-chan struct{}) error {
	write := writeEach(w)
	if a, ok := w.(frame.Appender); ok && !o.apart {
		write = appendAll(a)
	}
	var segs []segment
	for {
		segs = o.take(segs[:0])
		if len(segs) == 0 {
			select {
			case <-o.wake:
				continue
			case <-dead:
				return nil
			}
		}
		if err := write(segs); err != nil {
			return err
		}
		o.written(segs)
	}
}

// writeEach writes one segment after another.
func writeEach(w io.Writer) func([]segment) error {
	return func(segs []segment) error {
		for i := range segs {
			if _, err := w.Write(segs[i].b); err != nil {
				return err
			}
		}
		return nil
	}
}

// appendAll copies the segments into the output buffer of the carrier, filling
// each of its packets: a WRITE is a little longer than a packet of SSH, and
// would otherwise travel as a full packet and a tiny one.
func appendAll(a frame.Appender) func([]segment) error {
	var left []segment // what is not written yet
	off := 0           // bytes of left[0] already written
	fill := func(room []byte) int {
		n := 0
		for n < len(room) && len(left) > 0 {
			k := copy(room[n:], left[0].b[off:])
			n += k
			off += k
			if off == len(left[0].b) {
				left, off = left[1:], 0
			}
		}
		return n
	}
	return func(segs []segment) error {
		left, off = segs, 0
		total := 0
		for i := range segs {
			total += len(segs[i].b)
		}
		for total > 0 {
			n, err := a.AppendFunc(total, fill)
			if err != nil {
				return err
			}
			total -= n
		}
		return nil
	}
}
