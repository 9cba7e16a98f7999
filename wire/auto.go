package wire

// Auto is a field that its encoder computes when the sender left it unset: a
// length, a checksum. Unset is a state of its own and not the value 0, so a
// wrong value can be sent on purpose. Decoded values are always set.
type Auto[T ~uint8 | ~uint16 | ~uint32] struct {
	V   T
	Set bool
}

// Set returns an [Auto] that is sent as v, right or wrong.
func Set[T ~uint8 | ~uint16 | ~uint32](v T) Auto[T] { return Auto[T]{V: v, Set: true} }

// A Mark is a place in the message being encoded.
type Mark int

// Mark returns the current place.
func (c *Coder) Mark() Mark {
	if c.dec {
		return Mark(c.off)
	}
	return Mark(len(c.buf))
}

// Since returns the bytes coded from m up to here. The slice is valid until
// the next field.
func (c *Coder) Since(m Mark) []byte {
	if c.dec {
		return c.buf[m:c.off]
	}
	return c.buf[m:]
}

// AutoUint codes v in n bytes, big-endian, and returns its place for
// [PatchAuto]. Unset, zeros are written.
func AutoUint[T ~uint8 | ~uint16 | ~uint32](c *Coder, name string, n int, v *Auto[T]) Mark {
	m := c.Mark()
	if !c.dec {
		x := v.V
		if !v.Set {
			x = 0
		}
		Uint(c, name, n, &x)
		return m
	}
	Uint(c, name, n, &v.V)
	v.Set = !c.failed
	return m
}

// PatchAuto writes value to the place m of n bytes when encoding a message
// that left v unset. It does nothing otherwise, so the caller may compute
// value under the same condition: see [Auto.Wanted].
func PatchAuto[T ~uint8 | ~uint16 | ~uint32](c *Coder, name string, m Mark, n int, v *Auto[T], value uint64) {
	if !v.Wanted(c) {
		return
	}
	if n < 8 && value>>(8*n) != 0 {
		c.fail(name, ErrRange)
		return
	}
	for i := range n {
		c.buf[int(m)+i] = byte(value >> (8 * (n - 1 - i)))
	}
}

// Wanted reports whether a value must be computed: the message is being
// encoded, without an error so far, and v is unset.
func (v *Auto[T]) Wanted(c *Coder) bool { return !c.dec && !v.Set && !c.failed }
