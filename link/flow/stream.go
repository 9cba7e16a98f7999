package flow

import (
	"bytes"
	"slices"
	"sort"
	"time"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// tooFar is how many bytes a segment may be away from where the stream stands:
// the largest window of RFC 7323 §2.3.
const tooFar = 1 << 30

// farInRow is how many segments in a row must be too far away before the
// stream is taken up where they are.
const farInRow = 3

// segmentCost is what a waiting segment counts beside its bytes.
const segmentCost = 128

// historyStart is the first size of a history: most streams are shorter.
const historyStart = 2 << 10

// stream is one direction of a conversation.
type stream struct {
	started bool
	opened  bool   // its SYN, or the answer to it, was seen
	isn     uint32 // sequence number of the SYN
	next    uint32 // sequence number of the byte at pos
	pos     int64  // bytes delivered and given up so far
	gap     int64  // of them given up since the last delivery; -1: unknown
	far     int    // segments too far away since the last good one

	queue []waiting // sorted, without overlap
	held  int       // cost of queue

	hist history
	last time.Time // of the last delivery

	fin     bool
	finPos  int64
	acked   bool // fin was acknowledged
	ackTime time.Time
}

// waiting is a segment that came before its turn.
type waiting struct {
	pos     int64
	data    []byte // a copy
	missing int    // bytes behind data that the capture cut off
	frame   int
	off     int // of data in the frame
	time    time.Time
}

func (w *waiting) end() int64 { return w.pos + int64(len(w.data)) }

// open notes the sequence number of the SYN.
func (s *stream) open(isn uint32) {
	if s.opened {
		return
	}
	s.opened, s.isn = true, isn
	if !s.started {
		s.started = true
		s.next = isn + 1
	}
}

// place returns where in the stream the sequence number is.
func (s *stream) place(seq uint32) int64 { return s.pos + int64(int32(seq-s.next)) }

// near reports whether a reset with the sequence number is to be believed.
func (s *stream) near(seq uint32) bool {
	d := int64(int32(seq - s.next))
	return !s.started || d > -tooFar && d < tooFar
}

// acknowledged notes that the receiver has everything before ack.
func (s *stream) acknowledged(ack uint32, now time.Time) {
	if s.fin && !s.acked && s.place(ack) > s.finPos {
		s.acked, s.ackTime = true, now
	}
}

// ended reports whether everything up to the FIN was delivered or given up.
func (s *stream) ended() bool { return s.fin && s.pos >= s.finPos && len(s.queue) == 0 }

// assembler puts one stream in order. frame and time are those of the segment
// that it works for; zero when it works at the end of a conversation.
type assembler struct {
	t     *Table
	c     *conversation
	s     *stream
	dir   wire.Dir
	frame int
	time  time.Time
}

func (x *assembler) note(k Kind, n int64) { x.noteAt(k, x.s.pos, n) }

func (x *assembler) noteAt(k Kind, pos, n int64) {
	if x.c.sink != nil {
		x.c.sink.Note(Note{Kind: k, Dir: x.dir, Time: x.time, Frame: x.frame, Pos: pos, Len: n})
	}
}

// join starts the stream in its middle, at seq.
func (x *assembler) join(seq uint32) {
	x.s.started = true
	x.s.next = seq
	x.s.gap = -1
	x.s.hist.reset(x.s.pos)
	x.note(Midstream, 0)
}

// take takes the payload of a segment: data, which begins at byte off of its
// frame, and missing bytes behind it that were not captured.
func (x *assembler) take(seq uint32, data []byte, off, missing int) {
	s, count := x.s, x.c.Counters(x.dir)
	if !s.started {
		x.join(seq)
	}
	pos := s.place(seq)
	if d := pos - s.pos; d >= tooFar || d <= -tooFar {
		if s.far++; s.far < farInRow {
			x.noteAt(Far, pos, int64(len(data)))
			return
		}
		x.giveUp()
		s.fin = false
		x.join(seq)
		pos = s.pos
	}
	s.far = 0
	if before := min(s.pos-pos, int64(len(data))); before > 0 {
		x.again(pos, data[:before])
		data, off, pos = data[before:], off+int(before), pos+before
	}
	if len(data) == 0 {
		missing -= int(min(int64(missing), max(0, s.pos-pos)))
		if missing == 0 {
			return
		}
		pos = max(pos, s.pos)
	}
	end := pos + int64(len(data)+missing)
	if pos == s.pos && (len(s.queue) == 0 || s.queue[0].pos >= end) {
		x.deliver(data, x.frame, off, x.time)
		x.lose(int64(missing))
		x.drain()
		return
	}
	if pos > s.pos {
		count.OutOfOrder++
	}
	x.wait(pos, data, off, missing)
	x.drain()
	x.bound()
}

// again judges bytes that came before.
func (x *assembler) again(pos int64, b []byte) {
	if len(b) == 1 && pos+1 == x.s.pos {
		return // a keep-alive probe carries any byte (RFC 9293 §3.8.4)
	}
	x.c.Counters(x.dir).Retransmitted += int64(len(b))
	if x.s.hist.differs(pos, b) {
		x.noteAt(Conflict, pos, int64(len(b)))
	}
}

// wait puts those bytes into the queue that are not there yet.
func (x *assembler) wait(pos int64, data []byte, off, missing int) {
	s := x.s
	i := sort.Search(len(s.queue), func(i int) bool { return s.queue[i].end() > pos })
	for len(data) > 0 || missing > 0 {
		if i < len(s.queue) && s.queue[i].pos <= pos {
			w := &s.queue[i]
			n := int(max(0, min(w.end()-pos, int64(len(data)))))
			x.c.Counters(x.dir).Retransmitted += int64(n)
			if n > 0 && !bytes.Equal(data[:n], w.data[pos-w.pos:][:n]) {
				x.noteAt(Conflict, pos, int64(n))
			}
			data, off, pos = data[n:], off+n, pos+int64(n)
			if i++; len(data) == 0 {
				return // what is missing behind it stands with w, or follows
			}
			continue
		}
		n := len(data)
		if i < len(s.queue) {
			n = int(min(int64(n), s.queue[i].pos-pos))
		}
		w := waiting{pos: pos, data: bytes.Clone(data[:n]), frame: x.frame, off: off, time: x.time}
		data, off, pos = data[n:], off+n, pos+int64(n)
		if len(data) == 0 {
			w.missing, missing = missing, 0
		}
		s.queue = slices.Insert(s.queue, i, w)
		x.hold(n + segmentCost)
		i++
	}
}

// drain delivers what waited for the bytes before it.
func (x *assembler) drain() {
	s, n := x.s, 0
	for n < len(s.queue) && s.queue[n].pos <= s.pos {
		w := &s.queue[n]
		n++
		cost := len(w.data) + segmentCost
		// A segment that the capture cut may have been passed meanwhile.
		if skip := s.pos - w.pos; skip > 0 {
			skip = min(skip, int64(len(w.data)))
			w.data, w.off = w.data[skip:], w.off+int(skip)
		}
		x.deliver(w.data, w.frame, w.off, w.time)
		lost := int64(w.missing)
		if n < len(s.queue) {
			lost = min(lost, s.queue[n].pos-s.pos)
		}
		x.lose(max(0, lost))
		x.hold(-cost)
	}
	if n > 0 {
		s.queue = slices.Delete(s.queue, 0, n)
	}
	if len(s.queue) == 0 {
		s.queue = nil
	}
	x.t.wants(x.c)
}

// deliver feeds the bytes at the stream's place to the sink.
func (x *assembler) deliver(data []byte, frame, off int, at time.Time) {
	if len(data) == 0 {
		return
	}
	s, count := x.s, x.c.Counters(x.dir)
	if at.After(s.last) {
		s.last = at
	}
	x.remember(data)
	s.pos += int64(len(data))
	s.next += uint32(len(data))
	count.Delivered += int64(len(data))
	gap := s.gap
	s.gap = 0
	if x.c.sink == nil {
		return
	}
	x.t.spans[0] = trace.Span{Frame: frame, Off: off, Len: len(data)}
	x.c.sink.Feed(trace.Chunk{Dir: x.dir, Data: data, Gap: gap, Time: s.last, Spans: x.t.spans[:]})
}

// remember appends delivered bytes to the history, which it lets grow while
// there is room.
func (x *assembler) remember(data []byte) {
	s, size := x.s, len(x.s.hist.ring)
	if full := x.t.opt.History; full > 0 && size < full {
		want := min(historyStart, full)
		if size > 0 && s.pos >= int64(size) {
			want = full
		}
		if want > size && x.t.stats.Holding+want-size <= x.t.opt.MaxTotal/2 {
			if s.hist.resize(want); size == 0 {
				s.hist.reset(s.pos)
			}
			x.t.stats.Holding += want - size
		}
	}
	if len(s.hist.ring) > 0 {
		s.hist.add(data)
	}
}

// lose passes n bytes that will not come.
func (x *assembler) lose(n int64) {
	if n == 0 {
		return
	}
	s := x.s
	s.pos += n
	s.next += uint32(n)
	if s.gap >= 0 {
		s.gap += n
	}
	s.hist.reset(s.pos)
	x.c.Counters(x.dir).Missing += n
}

// finish notes the end of the stream: FIN is a byte at its own sequence number.
func (x *assembler) finish(seq uint32) {
	s := x.s
	if !s.started {
		x.join(seq)
	}
	if pos := s.place(seq); !s.fin && pos >= s.pos && pos-s.pos < tooFar {
		s.fin, s.finPos = true, pos
	}
}

// skip gives up the hole before the first segment that waits.
func (x *assembler) skip() {
	x.lose(x.s.queue[0].pos - x.s.pos)
	x.drain()
}

// passed gives up the holes that the receiver has acknowledged: it has the
// bytes, and they passed the capture before its answer or never. So a reply does
// not come before its request because a hole stood before that.
func (x *assembler) passed(ack uint32) {
	s := x.s
	if pos := s.place(ack); pos-s.pos < tooFar {
		for len(s.queue) > 0 && s.queue[0].pos <= pos {
			x.skip()
		}
	}
}

// giveUp delivers everything that waits, and the hole before the end of the
// stream.
func (x *assembler) giveUp() {
	s := x.s
	for len(s.queue) > 0 {
		x.skip()
	}
	if s.fin && s.pos < s.finPos {
		x.lose(s.finPos - s.pos)
	}
	if s.gap > 0 && x.c.sink != nil {
		x.c.sink.Feed(trace.Chunk{Dir: x.dir, Gap: s.gap, Time: s.last})
	}
	s.gap = min(s.gap, 0)
}

// bound gives up holes until the limits are kept.
func (x *assembler) bound() {
	for s := x.s; s.held > x.t.opt.MaxWait || len(s.queue) > x.t.opt.MaxSegments; {
		x.skip()
	}
	for x.t.stats.Holding > x.t.opt.MaxTotal && x.t.waiting.oldest != nil {
		c := x.t.waiting.oldest.c
		for i := range c.streams {
			y := assembler{t: x.t, c: c, s: &c.streams[i], dir: wire.Dir(i)}
			for len(y.s.queue) > 0 {
				y.skip()
			}
		}
	}
}

func (x *assembler) hold(n int) {
	x.s.held += n
	x.t.stats.Holding += n
}

// forget frees what the stream holds.
func (x *assembler) forget() {
	x.t.stats.Holding -= len(x.s.hist.ring)
	x.s.hist = history{}
}
