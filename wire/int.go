package wire

import (
	"encoding/binary"
	"math"
)

// U8 codes one byte.
func (c *Coder) U8(name string, v *uint8) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, *v)
		}
		return
	}
	if b, ok := c.take(name, 1); ok {
		*v = b[0]
		if c.rec != nil {
			c.rec.leaf(name, c.off-1, 1, *v)
		}
	}
}

// U16 codes two bytes, big-endian.
func (c *Coder) U16(name string, v *uint16) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, byte(*v>>8), byte(*v))
		}
		return
	}
	if b, ok := c.take(name, 2); ok {
		*v = binary.BigEndian.Uint16(b)
		if c.rec != nil {
			c.rec.leaf(name, c.off-2, 2, *v)
		}
	}
}

// U32 codes four bytes, big-endian.
func (c *Coder) U32(name string, v *uint32) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, byte(*v>>24), byte(*v>>16), byte(*v>>8), byte(*v))
		}
		return
	}
	if b, ok := c.take(name, 4); ok {
		*v = binary.BigEndian.Uint32(b)
		if c.rec != nil {
			c.rec.leaf(name, c.off-4, 4, *v)
		}
	}
}

// U64 codes eight bytes, big-endian.
func (c *Coder) U64(name string, v *uint64) {
	if !c.dec {
		if c.writable(name) {
			c.buf = binary.BigEndian.AppendUint64(c.buf, *v)
		}
		return
	}
	if b, ok := c.take(name, 8); ok {
		*v = binary.BigEndian.Uint64(b)
		if c.rec != nil {
			c.rec.leaf(name, c.off-8, 8, *v)
		}
	}
}

// UintLE codes the low n bytes of v, 1 ≤ n ≤ 8, little-endian. A value that
// needs more is an error.
func UintLE[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Coder, name string, n int, v *T) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		x := uint64(*v)
		if n < 8 && x>>(8*n) != 0 {
			c.fail(name, ErrRange)
			return
		}
		for range n {
			c.buf = append(c.buf, byte(x))
			x >>= 8
		}
		return
	}
	if b, ok := c.take(name, n); ok {
		var x uint64
		for i := n - 1; i >= 0; i-- {
			x = x<<8 | uint64(b[i])
		}
		*v = T(x)
		if c.rec != nil {
			c.rec.leaf(name, c.off-n, n, *v)
		}
	}
}

// Uint codes the low n bytes of v, 1 ≤ n ≤ 8, big-endian, for named types
// (their String method gives the symbol) and odd sizes. A value that needs
// more is an error.
func Uint[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Coder, name string, n int, v *T) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		x := uint64(*v)
		if n < 8 && x>>(8*n) != 0 {
			c.fail(name, ErrRange)
			return
		}
		for i := n - 1; i >= 0; i-- {
			c.buf = append(c.buf, byte(x>>(8*i)))
		}
		return
	}
	if b, ok := c.take(name, n); ok {
		var x uint64
		for _, d := range b {
			x = x<<8 | uint64(d)
		}
		*v = T(x)
		if c.rec != nil {
			c.rec.leaf(name, c.off-n, n, *v)
		}
	}
}

// Enum8 codes a one-byte enumeration or flag set of a named type.
func Enum8[T ~uint8](c *Coder, name string, v *T) { Uint(c, name, 1, v) }

// Enum16 codes a two-byte enumeration or flag set of a named type, big-endian.
func Enum16[T ~uint16](c *Coder, name string, v *T) { Uint(c, name, 2, v) }

// Enum32 codes a four-byte enumeration or flag set of a named type,
// big-endian.
func Enum32[T ~uint32](c *Coder, name string, v *T) { Uint(c, name, 4, v) }

// I64 codes eight bytes, two's complement, big-endian.
func (c *Coder) I64(name string, v *int64) {
	if !c.dec {
		if c.writable(name) {
			c.buf = binary.BigEndian.AppendUint64(c.buf, uint64(*v))
		}
		return
	}
	if b, ok := c.take(name, 8); ok {
		*v = int64(binary.BigEndian.Uint64(b))
		if c.rec != nil {
			c.rec.leaf(name, c.off-8, 8, *v)
		}
	}
}

// F32 codes an IEEE 754 single in the given byte order.
func (c *Coder) F32(name string, order binary.ByteOrder, v *float32) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, 0, 0, 0, 0)
			order.PutUint32(c.buf[len(c.buf)-4:], math.Float32bits(*v))
		}
		return
	}
	if b, ok := c.take(name, 4); ok {
		*v = math.Float32frombits(order.Uint32(b))
		if c.rec != nil {
			c.rec.leaf(name, c.off-4, 4, *v)
		}
	}
}

// F64 codes an IEEE 754 double in the given byte order.
func (c *Coder) F64(name string, order binary.ByteOrder, v *float64) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, 0, 0, 0, 0, 0, 0, 0, 0)
			order.PutUint64(c.buf[len(c.buf)-8:], math.Float64bits(*v))
		}
		return
	}
	if b, ok := c.take(name, 8); ok {
		*v = math.Float64frombits(order.Uint64(b))
		if c.rec != nil {
			c.rec.leaf(name, c.off-8, 8, *v)
		}
	}
}

// Bool codes one byte: 0 is false, anything else is true, and true is written
// as 1 (RFC 4251 §5). The description keeps the byte that was really there: a
// byte other than 0 and 1 is described as a number.
func (c *Coder) Bool(name string, v *bool) {
	if !c.dec {
		if c.writable(name) {
			x := byte(0)
			if *v {
				x = 1
			}
			c.buf = append(c.buf, x)
		}
		return
	}
	if b, ok := c.take(name, 1); ok {
		*v = b[0] != 0
		if c.rec != nil {
			if b[0] > 1 {
				c.rec.leaf(name, c.off-1, 1, b[0])
			} else {
				c.rec.leaf(name, c.off-1, 1, *v)
			}
		}
	}
}

// Bits codes the low n bits of v, most significant first, 1 ≤ n ≤ 64. A run of
// bit fields must end on a byte boundary before another kind of field or the
// end of the message.
func Bits[T ~bool | ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Coder, name string, n int, v *T) {
	if c.failed {
		return
	}
	if !c.dec {
		x := toUint(*v)
		if n < 64 && x>>n != 0 {
			c.fail(name, ErrRange)
			return
		}
		for i := n - 1; i >= 0; i-- {
			if c.bit == 0 {
				c.buf = append(c.buf, 0)
			}
			c.buf[len(c.buf)-1] |= byte(x>>i&1) << (7 - c.bit)
			c.bit = (c.bit + 1) & 7
		}
		return
	}
	start, bit, need := c.off, c.bit, (int(c.bit)+n+7)/8
	if c.gen != nil {
		c.gen.grow(c, need)
	}
	if need > len(c.buf)-c.off {
		c.fail(name, ErrShort)
		return
	}
	var x uint64
	for range n {
		x = x<<1 | uint64(c.buf[c.off]>>(7-c.bit)&1)
		c.bit = (c.bit + 1) & 7
		if c.bit == 0 {
			c.off++
		}
	}
	fromUint(v, x)
	if c.rec != nil {
		c.rec.add(Field{Name: name, Off: start*8 + int(bit), Bits: n, Value: *v})
	}
}
