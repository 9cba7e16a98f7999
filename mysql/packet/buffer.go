package packet

import "sync"

// Sizes of buffers. An idle connection reads into a small one.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
	headroom    = HeaderSize // kept free in front, see input.report
)

// largeBuffers are lent to connections while they are busy.
var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// A buffer holds bytes that arrived and were not taken yet: b[r:w].
type buffer struct {
	b     []byte
	r, w  int
	large *[largeBuffer]byte // b, when it is borrowed
	busy  bool               // the last read filled it
}

func (b *buffer) size() int    { return b.w - b.r }
func (b *buffer) data() []byte { return b.b[b.r:b.w] }

// room returns the place behind w for more bytes, at least one. The caller wants
// need bytes behind r, and no more than that and a little if exact. The buffer
// grows only when it is full: to the large one, then by doubling.
func (b *buffer) room(need int, exact bool) []byte {
	switch {
	case b.b == nil:
		b.b, b.r, b.w = make([]byte, smallBuffer), headroom, headroom
	case b.busy && len(b.b) == smallBuffer:
		b.replace(largeBuffer)
	case b.r == b.w:
		b.r, b.w = headroom, headroom
	case b.r+need > len(b.b) && headroom+need <= len(b.b):
		b.w = headroom + copy(b.b[headroom:], b.b[b.r:b.w])
		b.r = headroom
	}
	if b.w == len(b.b) {
		size := 2 * len(b.b)
		if size > 128<<20 {
			size = len(b.b) + len(b.b)/4
		}
		if exact {
			size = min(size, headroom+need+smallBuffer)
		}
		b.replace(size)
	}
	return b.b[b.w:]
}

// got says that n bytes have been put into the room.
func (b *buffer) got(n int) {
	b.busy = b.w+n == len(b.b)
	b.w += n
}

// reserve makes place for n bytes behind w.
func (b *buffer) reserve(n int) {
	if b.b != nil && b.r == b.w {
		b.r, b.w = headroom, headroom
	}
	switch {
	case len(b.b)-b.w >= n:
		return
	case headroom+b.size()+n <= len(b.b):
		b.w = headroom + copy(b.b[headroom:], b.b[b.r:b.w])
		b.r = headroom
		return
	}
	b.replace(max(headroom+b.size()+n, 2*b.size()))
}

// replace moves the bytes into another buffer of at least size bytes.
func (b *buffer) replace(size int) {
	old, large := b.data(), b.large
	var next []byte
	b.large = nil
	switch {
	case size <= smallBuffer:
		next = make([]byte, smallBuffer)
	case size <= largeBuffer:
		b.large = largeBuffers.Get().(*[largeBuffer]byte)
		next = b.large[:]
	default:
		next = make([]byte, size)
	}
	n := copy(next[headroom:], old)
	if large != nil {
		largeBuffers.Put(large)
	}
	b.b, b.r, b.w = next, headroom, headroom+n
}

// shrink goes back to a buffer of at most size bytes, if the contents fit.
func (b *buffer) shrink(size int) {
	if len(b.b) <= size || headroom+b.size() > size {
		return
	}
	b.replace(size)
}

// release gives the memory of an empty buffer back.
func (b *buffer) release() {
	if b.r != b.w || len(b.b) <= smallBuffer {
		return
	}
	if b.large != nil {
		largeBuffers.Put(b.large)
	}
	*b = buffer{}
}
