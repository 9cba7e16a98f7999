package wire

import (
	"bytes"
	"net/netip"
)

// The primitives in this file serve packet headers: bit fields that are
// computed, lists that end at a header's length, addresses.

// AutoBits codes v in n bits, 1 ≤ n ≤ 8·size of T. Unset, computed is written:
// the value must be known before the fields that it counts.
func AutoBits[T ~uint8 | ~uint16 | ~uint32](c *Coder, name string, n int, v *Auto[T], computed T) {
	if !c.dec {
		x := v.V
		if !v.Set {
			x = computed
		}
		Bits(c, name, n, &x)
		return
	}
	Bits(c, name, n, &v.V)
	v.Set = !c.failed
}

// Bytes16 codes a byte string of at most 65,535 bytes behind a two-byte
// big-endian length. Decoded, *v aliases the input.
func (c *Coder) Bytes16(name string, v *[]byte) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		if len(*v) > 0xffff {
			c.fail(name, ErrTooLong)
			return
		}
		c.buf = append(append(c.buf, byte(len(*v)>>8), byte(len(*v))), *v...)
		return
	}
	c.Suggest(16, 0, 24)
	h, ok := c.take(name, 2)
	if !ok {
		return
	}
	n := int(h[0])<<8 | int(h[1])
	if c.gen == nil && n > len(c.buf)-c.off {
		c.off -= 2
		c.fail(name, ErrShort)
		return
	}
	if b, ok := c.take(name, n); ok {
		*v = b
		if c.rec != nil {
			c.rec.leaf(name, c.off-n-2, n+2, b)
		}
	}
}

// Addr codes an IP address of n bytes, 4 or 16. The zero Addr and one of the
// other length are an error on encoding.
func (c *Coder) Addr(name string, n int, v *netip.Addr) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		if v.BitLen() != n*8 {
			c.fail(name, ErrRange)
			return
		}
		c.buf = append(c.buf, v.WithZone("").AsSlice()...)
		return
	}
	if b, ok := c.take(name, n); ok {
		*v, _ = netip.AddrFromSlice(b)
		if c.rec != nil {
			c.rec.leaf(name, c.off-n, n, *v)
		}
	}
}

// ListWithin codes elements that fill the next n bytes: none reads past them.
// Each must take at least one byte. On encoding, n is not looked at, so that a
// length can be wrong on purpose.
func ListWithin[T any](c *Coder, name string, n int, v *[]T, fields func(*T, *Coder)) {
	if !c.dec {
		for i := range *v {
			fields(&(*v)[i], c)
		}
		return
	}
	if c.gen != nil {
		c.gen.within(c, n, func() { listTo(c, name, c.gen.limit, v, fields) })
		return
	}
	mark := c.open(name, Many)
	switch {
	case c.failed:
	case uint(n) > uint(len(c.buf)-c.off):
		c.fail(name, ErrShort)
	default:
		whole := c.buf
		c.buf = c.buf[:c.off+n]
		listTo(c, name, len(c.buf), v, fields)
		c.buf = whole
	}
	c.shut(mark)
}

func listTo[T any](c *Coder, name string, end int, v *[]T, fields func(*T, *Coder)) {
	*v = nil
	for !c.failed && c.off < end {
		listOne(c, name, v, fields)
	}
}

func listOne[T any](c *Coder, name string, v *[]T, fields func(*T, *Coder)) {
	var e T
	*v = append(*v, e)
	at, el := c.off, c.element()
	fields(&(*v)[len(*v)-1], c)
	c.shut(el)
	if !c.failed && c.off == at {
		c.fail(name, ErrRange)
	}
}

// ListUntil codes elements up to the bytes end, which follow the last one and
// have a leaf of their own, "end". An element that begins like end cannot be
// encoded.
func ListUntil[T any](c *Coder, name string, end []byte, v *[]T, fields func(*T, *Coder)) {
	if !c.dec {
		for i := range *v {
			at := len(c.buf)
			fields(&(*v)[i], c)
			if !c.failed && bytes.HasPrefix(c.buf[at:], end) {
				c.fail(name, ErrValue)
			}
		}
		if c.writable("end") {
			c.buf = append(c.buf, end...)
		}
		return
	}
	mark := c.open(name, Many)
	more := func() bool { return !bytes.HasPrefix(c.buf[c.off:], end) }
	if c.gen != nil {
		n := c.gen.small() % 4
		more = func() bool { n--; return n >= 0 }
	}
	*v = nil
	for !c.failed && more() {
		at := c.off
		listOne(c, name, v, fields)
		if c.gen != nil && !c.failed && bytes.HasPrefix(c.buf[at:], end) {
			c.fail(name, ErrValue)
		}
	}
	if c.gen != nil {
		c.gen.put(c, end)
	}
	if b, ok := c.take("end", len(end)); ok && c.rec != nil {
		c.rec.leaf("end", c.off-len(end), len(end), b)
	}
	c.shut(mark)
}

// Suggest tells [Generate] that the integer in the next bits, big-endian, is
// to be one of lo to hi, because others are refused or need long messages. It
// does nothing otherwise.
func (c *Coder) Suggest(bits int, lo, hi uint64) {
	if c.gen == nil || c.failed || hi < lo {
		return
	}
	need := (int(c.bit) + bits + 7) / 8
	c.gen.grow(c, need)
	if len(c.buf)-c.off < need {
		return
	}
	x := lo + c.gen.src.Uint64N(hi-lo+1)
	for i := range bits {
		at := int(c.bit) + i
		mask := byte(0x80) >> (at % 8)
		c.buf[c.off+at/8] &^= mask
		if x>>(bits-1-i)&1 != 0 {
			c.buf[c.off+at/8] |= mask
		}
	}
}
