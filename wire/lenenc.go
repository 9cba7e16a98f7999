package wire

import "encoding/binary"

// LenInt codes an unsigned integer in 1, 3, 4 or 9 bytes, little-endian, as
// MySQL's int<lenenc>. Longer forms than needed are accepted when decoding;
// the first bytes 0xfb and 0xff are not integers.
func (c *Coder) LenInt(name string, v *uint64) {
	if !c.dec {
		if c.writable(name) {
			c.buf = appendLenInt(c.buf, *v)
		}
		return
	}
	at := c.off
	if x, ok := c.lenInt(name); ok {
		*v = x
		if c.rec != nil {
			c.rec.leaf(name, at, c.off-at, x)
		}
	}
}

func appendLenInt(b []byte, v uint64) []byte {
	switch {
	case v < 0xfb:
		return append(b, byte(v))
	case v < 1<<16:
		return append(b, 0xfc, byte(v), byte(v>>8))
	case v < 1<<24:
		return append(b, 0xfd, byte(v), byte(v>>8), byte(v>>16))
	}
	return binary.LittleEndian.AppendUint64(append(b, 0xfe), v)
}

func (c *Coder) lenInt(name string) (uint64, bool) {
	if c.gen != nil {
		c.gen.put(c, appendLenInt(nil, c.gen.uint64()))
	}
	at := c.off
	h, ok := c.take(name, 1)
	if !ok {
		return 0, false
	}
	var n int
	switch h[0] {
	case 0xfc:
		n = 2
	case 0xfd:
		n = 3
	case 0xfe:
		n = 8
	case 0xfb, 0xff:
		c.off = at
		c.fail(name, ErrValue)
		return 0, false
	default:
		return uint64(h[0]), true
	}
	if n > len(c.buf)-c.off {
		c.off = at
		c.fail(name, ErrShort)
		return 0, false
	}
	b, _ := c.take(name, n)
	var x uint64
	for i := n - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return x, true
}

// LenBytes codes a byte string behind a [Coder.LenInt] length: MySQL's
// string<lenenc>. Decoded, *v aliases the input.
func (c *Coder) LenBytes(name string, v *[]byte) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(appendLenInt(c.buf, uint64(len(*v))), *v...)
		}
		return
	}
	at := c.off
	if b, ok := c.lenBytes(name); ok {
		*v = b
		if c.rec != nil {
			c.rec.leaf(name, at, c.off-at, b)
		}
	}
}

// LenText is LenBytes for text; *v is a copy.
func (c *Coder) LenText(name string, v *string) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(appendLenInt(c.buf, uint64(len(*v))), *v...)
		}
		return
	}
	at := c.off
	if b, ok := c.lenBytes(name); ok {
		*v = string(b)
		if c.rec != nil {
			c.rec.leaf(name, at, c.off-at, *v)
		}
	}
}

func (c *Coder) lenBytes(name string) ([]byte, bool) {
	at := c.off
	if c.gen != nil {
		b := c.gen.bytes()
		c.gen.put(c, append(appendLenInt(nil, uint64(len(b))), b...))
		c.off = len(c.buf)
		return c.buf[len(c.buf)-len(b) : len(c.buf) : len(c.buf)], true
	}
	n, ok := c.lenInt(name)
	if !ok {
		return nil, false
	}
	if n > uint64(len(c.buf)-c.off) {
		c.off = at
		c.fail(name, ErrShort)
		return nil, false
	}
	return c.take(name, int(n))
}
