package wire

import (
	"encoding/binary"
	"math/rand/v2"
)

// Generate fills m with random legal values and returns their encoding, for
// tests. Texts are often taken from words, so that layouts that depend on a
// name take all their branches. Texts, lists and rests are short.
func Generate(m Message, d Dialect, src *rand.Rand, words []string) ([]byte, error) {
	var c Coder
	c.reset(d)
	c.dec, c.gen = true, &generator{src: src, words: words}
	m.Fields(&c)
	if c.bit != 0 {
		c.fail("", ErrBits)
	}
	if c.failed {
		return nil, c.failure(m)
	}
	// Slices in m alias the growing buffer's earlier arrays; their bytes are
	// equal to those of the last one.
	return c.buf[:c.off:c.off], nil
}

// generator is decoding from an input that it makes up while it is read.
type generator struct {
	src   *rand.Rand
	words []string
	limit int // input offset that must not be passed; 0: none
}

func (g *generator) coin() bool { return g.src.IntN(2) == 0 }

func (g *generator) small() int { return g.src.IntN(24) }

// grow makes n bytes readable at c.off, or as many as the limit allows. What
// may be an integer is often a small one, in either byte order, so that counts
// and flags take few values.
func (g *generator) grow(c *Coder, n int) {
	from, kind := len(c.buf), 0
	if n > 1 && n <= 8 && from == c.off {
		kind = g.src.IntN(4)
	}
	for len(c.buf)-c.off < n && (g.limit == 0 || len(c.buf) < g.limit) {
		x := byte(g.src.Uint32())
		switch i := len(c.buf) - from; {
		case kind == 1 && i < n-1, kind == 2 && i > 0:
			x = 0
		case kind == 1, kind == 2:
			x &= 0x1f
		}
		c.buf = append(c.buf, x)
	}
}

// within is Coder.Within while generating: the next n bytes are there and
// nothing can be added behind them.
func (g *generator) within(c *Coder, n int, fields func()) {
	g.trim(c)
	outer := g.limit
	g.limit = c.off + n
	g.grow(c, n)
	fields()
	if !c.failed && c.off != g.limit {
		c.fail("", ErrExcess)
	}
	g.limit = outer
}

// more says whether a list up to the end goes on: to the limit where there is
// one, for n elements otherwise.
func (g *generator) more(c *Coder, n int) func() bool {
	if g.limit > 0 {
		return func() bool { return c.off < g.limit }
	}
	return func() bool { n--; return n >= 0 }
}

// room returns n, or what the limit leaves of it.
func (g *generator) room(c *Coder, n int) int {
	if g.limit > 0 {
		return max(0, min(n, g.limit-c.off))
	}
	return n
}

// maxList is the greatest number of elements that are made up for a list whose
// count stands elsewhere.
const maxList = 1024

// put places b at c.off, where nothing unread may stand.
func (g *generator) put(c *Coder, b []byte) {
	g.trim(c)
	c.buf = append(c.buf, b...)
	if g.limit > 0 && len(c.buf) > g.limit {
		c.fail("", ErrShort)
	}
}

func (g *generator) trim(c *Coder) { c.buf = c.buf[:c.off] }

func (g *generator) uint64() uint64 { return g.src.Uint64() >> g.src.IntN(64) }

func (g *generator) bytes() []byte {
	if len(g.words) > 0 && g.coin() {
		return []byte(g.words[g.src.IntN(len(g.words))])
	}
	b := make([]byte, g.small())
	for i := range b {
		b[i] = byte(g.src.Uint32())
	}
	return b
}

func (g *generator) text32(c *Coder) ([]byte, bool) {
	if c.failed {
		return nil, false
	}
	b := g.bytes()
	g.put(c, append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	c.off = len(c.buf)
	return c.buf[len(c.buf)-len(b) : len(c.buf) : len(c.buf)], true
}

func (g *generator) nulText(c *Coder) {
	b := make([]byte, g.small(), 32)
	for i := range b {
		b[i] = byte(1 + g.src.IntN(255))
	}
	g.put(c, append(b, 0))
}

func (g *generator) nameList(c *Coder) {
	var b []byte
	for i := range g.small() % 5 {
		if i > 0 {
			b = append(b, ',')
		}
		for range 1 + g.small() {
			b = append(b, byte('a'+g.src.IntN(26)))
		}
	}
	g.put(c, append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
}

func (g *generator) mpint(c *Coder) {
	b := make([]byte, g.small())
	for i := range b {
		b[i] = byte(g.src.Uint32())
	}
	b = MPIntBody(b)
	g.put(c, append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
}
