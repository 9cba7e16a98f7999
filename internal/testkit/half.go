package testkit

import (
	"io"
	"net"
	"sync"
	"time"
)

// half is one direction of a pipe.
type half struct {
	peer *half // the other direction of the same pipe

	mu   sync.Mutex
	cond *sync.Cond

	// All below are guarded by mu.
	line    Line
	bound   int
	parts   []part // bytes under way, in order
	size    int    // their number
	written int64  // bytes accepted so far
	taken   int64  // bytes read so far
	last    time.Time
	rd, wd  deadline

	held         bool // Stall
	writerClosed bool // no more bytes will come
	localClosed  bool // by Close of the writing end
	readerClosed bool // by Close of the reading end
	isCut        bool
}

// part is a run of bytes that arrive at the same moment.
type part struct {
	b   []byte
	due time.Time // zero: at once
}

func newHalf(bound int, line Line) *half {
	h := &half{bound: bound, line: line}
	h.cond = sync.NewCond(&h.mu)
	return h
}

func (h *half) wake() {
	h.mu.Lock()
	h.cond.Broadcast()
	h.mu.Unlock()
}

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readerClosed:
			return 0, net.ErrClosed
		case h.rd.passed():
			return 0, errDeadline
		case len(b) == 0:
			return 0, nil
		}
		n, wait := h.ready()
		switch {
		case n > 0:
			n = h.take(b[:min(n, len(b))])
			h.cond.Broadcast()
			return n, nil
		case h.size == 0 && h.isCut && h.line.Reset:
			return 0, ErrCut
		case h.size == 0 && (h.isCut || h.writerClosed):
			return 0, io.EOF
		}
		h.sleep(wait)
	}
}

// ready returns how many bytes may be read now, and otherwise after what time
// it is worth looking again; 0: when something changes.
func (h *half) ready() (n int, wait time.Duration) {
	if h.held {
		return 0, 0
	}
	now := time.Now()
	for _, p := range h.parts {
		if w := p.due.Sub(now); !p.due.IsZero() && w > 0 {
			wait = w
			break
		}
		n += len(p.b)
	}
	if c := h.line.Chunk; c > 0 {
		n = min(n, c)
	}
	if s := h.line.StallAfter; s > 0 && int64(n) > s-h.taken {
		n, wait = int(max(0, s-h.taken)), 0
	}
	return n, wait
}

// take moves len(b) readable bytes to b.
func (h *half) take(b []byte) int {
	n := 0
	for n < len(b) {
		k := copy(b[n:], h.parts[0].b)
		n += k
		if h.parts[0].b = h.parts[0].b[k:]; len(h.parts[0].b) == 0 {
			h.parts = h.parts[1:]
		}
	}
	h.size -= n
	h.taken += int64(n)
	return n
}

// sleep waits for a change or for d to pass.
func (h *half) sleep(d time.Duration) {
	if d > 0 {
		t := time.AfterFunc(d, h.wake) // stops below, or after one wake
		defer t.Stop()
	}
	h.cond.Wait()
}

func (h *half) write(b []byte) (n int, err error) {
	h.mu.Lock()
	for {
		switch {
		case h.isCut:
			err = ErrCut
		case h.localClosed, h.writerClosed:
			err = net.ErrClosed
		case h.readerClosed:
			err = io.ErrClosedPipe
		case h.wd.passed():
			err = errDeadline
		}
		if err != nil || n == len(b) {
			break
		}
		k := min(len(b)-n, h.bound-h.size)
		if c := h.line.CutAfter; c > 0 {
			k = int(min(int64(k), c-h.written))
		}
		if k <= 0 {
			h.cond.Wait()
			continue
		}
		h.put(b[n : n+k])
		n += k
		h.cond.Broadcast()
		if n == len(b) && (h.line.CutAfter == 0 || h.written < h.line.CutAfter) {
			break
		}
		if c := h.line.CutAfter; c > 0 && h.written >= c {
			h.isCut = true
			h.mu.Unlock()
			h.peer.cut(false)
			if n < len(b) {
				return n, ErrCut
			}
			return n, nil
		}
	}
	h.mu.Unlock()
	return n, err
}

// put queues a copy of b.
func (h *half) put(b []byte) {
	h.written += int64(len(b))
	h.size += len(b)
	b = append([]byte(nil), b...)
	if h.line.Delay == 0 && (h.line.Every == 0 || h.line.Chunk == 0) {
		h.parts = append(h.parts, part{b: b})
		return
	}
	due := time.Now().Add(h.line.Delay)
	if h.line.Every == 0 || h.line.Chunk == 0 {
		h.parts = append(h.parts, part{b, due})
		return
	}
	for len(b) > 0 {
		k := min(len(b), h.line.Chunk)
		if next := h.last.Add(h.line.Every); next.After(due) {
			due = next
		}
		h.last = due
		h.parts = append(h.parts, part{b[:k], due})
		b = b[k:]
	}
}

func (h *half) closeWriter() {
	h.mu.Lock()
	h.writerClosed = true
	h.cond.Broadcast()
	h.mu.Unlock()
}

func (h *half) closeLocal(on bool) {
	h.mu.Lock()
	h.localClosed = on
	if h.wd.timer != nil {
		h.wd.timer.Stop()
	}
	h.mu.Unlock()
}

func (h *half) closeReader() {
	h.mu.Lock()
	h.readerClosed = true
	h.parts, h.size = nil, 0
	if h.rd.timer != nil {
		h.rd.timer.Stop()
	}
	h.cond.Broadcast()
	h.mu.Unlock()
}

func (h *half) cut(lose bool) {
	h.mu.Lock()
	h.isCut = true
	if lose {
		h.parts, h.size = nil, 0
	}
	h.cond.Broadcast()
	h.mu.Unlock()
}

func (h *half) stall(on bool) {
	h.mu.Lock()
	h.held = on
	h.cond.Broadcast()
	h.mu.Unlock()
}
