package wire

// The primitives in this file serve protocols that say by a byte on the way
// what follows, as MySQL's does.

// Null is the value of a field that holds no value, in a description.
type Null struct{}

// String returns "NULL".
func (Null) String() string { return "NULL" }

// nullByte stands in the place of a length for no value at all.
const nullByte = 0xfb

// LenNullBytes is LenBytes for a value that may be absent: nil is coded as the
// single byte 0xfb, an empty value as the length 0. Decoded, *v aliases the
// input and is not nil unless the value is absent.
func (c *Coder) LenNullBytes(name string, v *[]byte) {
	if !c.dec {
		if *v == nil {
			if c.writable(name) {
				c.buf = append(c.buf, nullByte)
			}
			return
		}
		c.LenBytes(name, v)
		return
	}
	if c.gen != nil && !c.failed && c.gen.src.IntN(4) == 0 {
		c.gen.put(c, []byte{nullByte})
	} else if c.gen != nil {
		c.LenBytes(name, v)
		return
	}
	if c.failed || c.bit != 0 || c.off >= len(c.buf) || c.buf[c.off] != nullByte {
		c.LenBytes(name, v)
		return
	}
	c.off++
	*v = nil
	if c.rec != nil {
		c.rec.leaf(name, c.off-1, 1, Null{})
	}
}

// LenSized codes fields behind a [Coder.LenInt] count of their bytes. Fields
// cannot read past that count; bytes they leave are an error.
func (c *Coder) LenSized(name string, fields func()) {
	switch {
	case c.gen != nil:
		at := c.off
		c.gen.put(c, []byte{0xfd, 0, 0, 0})
		if c.failed {
			return
		}
		c.off += 4
		fields()
		c.gen.trim(c)
		if n := c.off - at - 4; !c.failed {
			c.buf[at+1], c.buf[at+2], c.buf[at+3] = byte(n), byte(n>>8), byte(n>>16)
		}
	case c.dec:
		mark := c.open(name, 0)
		var n uint64
		c.LenInt("length", &n)
		c.within(name, n, fields)
		c.shut(mark)
	default:
		if !c.writable(name) {
			return
		}
		at := len(c.buf)
		fields()
		if c.failed {
			return
		}
		var head [9]byte
		h := appendLenInt(head[:0], uint64(len(c.buf)-at))
		c.buf = append(c.buf, h...)
		copy(c.buf[at+len(h):], c.buf[at:len(c.buf)-len(h)])
		copy(c.buf[at:], h)
	}
}

// TailIf is Tail for an optional part that is known by its first byte: when
// decoding, the part is present if first is the next byte. It is coded by the
// field that follows. What follows an absent part must not begin with first.
func (c *Coder) TailIf(first byte, present *bool) bool {
	if c.failed {
		return false
	}
	if c.dec {
		switch {
		case c.gen != nil && c.gen.coin():
			c.gen.put(c, []byte{first})
		case c.gen != nil:
			c.gen.grow(c, 1)
			if c.off < len(c.buf) && c.buf[c.off] == first {
				c.buf[c.off] ^= 1
			}
		}
		*present = c.off < len(c.buf) && c.buf[c.off] == first
		if c.rec != nil {
			c.rec.tail = *present
		}
	}
	return *present
}

// Masked marks the fields as secrets: they are masked wherever they are shown.
func (c *Coder) Masked(fields func()) {
	if c.rec == nil {
		fields()
		return
	}
	outer := c.rec.mask
	c.rec.mask = Secret
	fields()
	if c.rec != nil {
		c.rec.mask = outer
	}
}

// LooseNulText is NulText for a text that some peers end with the message
// instead of a NUL. It is written with the NUL.
func (c *Coder) LooseNulText(name string, v *string) {
	if !c.dec || c.gen != nil {
		c.NulText(name, v)
		return
	}
	if c.failed || c.bit != 0 {
		c.takeSlow(name, 0)
		return
	}
	text, n := c.buf[c.off:], len(c.buf)-c.off
	for i, b := range text {
		if b == 0 {
			text, n = text[:i], i+1
			break
		}
	}
	c.off += n
	*v = string(text)
	if c.rec != nil {
		c.rec.flagged(name, c.off-n, n, *v, Open|Loose)
	}
}

// I64LE codes the low n bytes of v, 1 ≤ n ≤ 8, two's complement,
// little-endian. A value that needs more is an error.
func (c *Coder) I64LE(name string, n int, v *int64) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		if shift := 64 - 8*n; *v<<shift>>shift != *v {
			c.fail(name, ErrRange)
			return
		}
		for i := range n {
			c.buf = append(c.buf, byte(*v>>(8*i)))
		}
		return
	}
	if b, ok := c.take(name, n); ok {
		var x uint64
		for i := n - 1; i >= 0; i-- {
			x = x<<8 | uint64(b[i])
		}
		shift := 64 - 8*n
		*v = int64(x<<shift) >> shift
		if c.rec != nil {
			c.rec.leaf(name, c.off-n, n, *v)
		}
	}
}

// SuggestLE is Suggest for an integer in the next n bytes, little-endian.
func (c *Coder) SuggestLE(n int, lo, hi uint64) {
	if c.gen == nil || c.failed || hi < lo {
		return
	}
	c.gen.grow(c, n)
	if len(c.buf)-c.off < n {
		return
	}
	x := lo + c.gen.src.Uint64N(hi-lo+1)
	for i := range n {
		c.buf[c.off+i] = byte(x >> (8 * i))
	}
}

// Each codes the elements that v has already, as a list whose length is known
// from elsewhere: when decoding, the caller has made them, and answers for
// their number. Elements may take no bytes at all.
func Each[T any](c *Coder, name string, v []T, fields func(int, *T, *Coder)) {
	mark := c.open(name, Many)
	for i := range v {
		if c.failed {
			break
		}
		el := -1
		if mark >= 0 {
			el = c.element()
		}
		fields(i, &v[i], c)
		c.shut(el)
	}
	c.shut(mark)
}

// Fits reports whether n bytes can still be read within the current group.
// While random messages are made up everything that is not large fits.
func (c *Coder) Fits(n uint64) bool {
	if c.gen != nil {
		return n <= maxList
	}
	return n <= uint64(len(c.buf)-c.off)
}
