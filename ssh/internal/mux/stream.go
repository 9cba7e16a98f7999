package mux

import (
	"sync"
	"time"
)

// Received bytes wait in blocks from two pools, so that an idle channel owns
// none and a channel with a prompt in it owns a small one.
const (
	smallBlock = 4 << 10
	largeBlock = 32 << 10
)

type block struct {
	next *block
	r, w int // buf[r:w] has not been taken yet
	buf  []byte
	at   time.Time // when its first byte came; zero when nobody will ask
}

var (
	smallBlocks = sync.Pool{New: func() any { return &block{buf: make([]byte, smallBlock)} }}
	largeBlocks = sync.Pool{New: func() any { return &block{buf: make([]byte, largeBlock)} }}
)

func newBlock(n int) *block {
	pool := &smallBlocks
	if n > smallBlock {
		pool = &largeBlocks
	}
	b := pool.Get().(*block)
	b.next, b.r, b.w, b.at = nil, 0, 0, time.Time{}
	return b
}

func (b *block) free() {
	if len(b.buf) == smallBlock {
		smallBlocks.Put(b)
		return
	}
	largeBlocks.Put(b)
}

// stream is one direction of bytes that have come and wait to be read. The
// channel's mutex guards it; its window bounds it.
type stream struct {
	head, tail *block
	size       int  // bytes in all blocks
	lent       int  // bytes at the beginning of head that somebody is looking at
	discard    bool // nobody wants these bytes
}

// put appends a copy of p, which came at the time given.
func (s *stream) put(p []byte, at time.Time) {
	s.size += len(p)
	for len(p) > 0 {
		t := s.tail
		if t == nil || t.w == len(t.buf) {
			t = newBlock(s.size)
			t.at = at
			if s.tail == nil {
				s.head = t
			} else {
				s.tail.next = t
			}
			s.tail = t
		}
		n := copy(t.buf[t.w:], p)
		t.w += n
		p = p[n:]
	}
}

// age returns how long the first byte has waited, 0 when that is not known.
func (s *stream) age(now time.Time) time.Duration {
	if s.head == nil || s.head.at.IsZero() {
		return 0
	}
	return now.Sub(s.head.at)
}

// take copies bytes to p and drops them.
func (s *stream) take(p []byte) int {
	n := 0
	for n < len(p) && s.head != nil {
		k := copy(p[n:], s.head.buf[s.head.r:s.head.w])
		n += k
		s.drop(k)
	}
	return n
}

// lend returns the bytes of the first block.
func (s *stream) lend() []byte {
	b := s.head.buf[s.head.r:s.head.w:s.head.w]
	s.lent = len(b)
	return b
}

// drop gives up the first n bytes, which lie in the first block.
func (s *stream) drop(n int) {
	h := s.head
	h.r += n
	s.size -= n
	if h.r < h.w {
		return
	}
	s.head = h.next
	if s.head == nil {
		s.tail = nil
	}
	h.free()
}

// clear drops all but what is lent. What comes later is not kept.
func (s *stream) clear() {
	s.discard = true
	for s.head != nil && s.lent == 0 {
		s.drop(s.head.w - s.head.r)
	}
	if s.head != nil { // lent: keep that block alone
		s.head.w = s.head.r + s.lent
		for b := s.head.next; b != nil; {
			next := b.next
			b.free()
			b = next
		}
		s.head.next, s.tail, s.size = nil, s.head, s.lent
	}
}
