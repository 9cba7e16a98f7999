package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
)

// Bytes codes a byte string behind a four-byte big-endian length: SSH's
// "string" (RFC 4251 §5). Decoded, *v aliases the input.
func (c *Coder) Bytes(name string, v *[]byte) { c.bytes32(name, v, 0) }

// SecretBytes is Bytes for a value that is masked wherever it is shown.
func (c *Coder) SecretBytes(name string, v *[]byte) { c.bytes32(name, v, Secret) }

func (c *Coder) bytes32(name string, v *[]byte, flags Flags) {
	if !c.dec {
		if c.length32(name, len(*v)) {
			c.buf = append(c.buf, *v...)
		}
		return
	}
	if b, ok := c.taken32(name); ok {
		*v = b
		if c.rec != nil {
			c.rec.flagged(name, c.off-len(b)-4, len(b)+4, b, flags)
		}
	}
}

// Text codes a string behind a four-byte big-endian length. Decoded, *v is a
// copy. No character set is checked: file names may be any bytes.
func (c *Coder) Text(name string, v *string) { c.text32(name, v, 0) }

// Secret is Text for a value that is masked wherever it is shown.
func (c *Coder) Secret(name string, v *string) { c.text32(name, v, Secret) }

func (c *Coder) text32(name string, v *string, flags Flags) {
	if !c.dec {
		if c.length32(name, len(*v)) {
			c.buf = append(c.buf, *v...)
		}
		return
	}
	b, ok := c.taken32(name)
	if !ok {
		return
	}
	if string(b) != *v { // reading the same text again needs no copy
		*v = string(b)
	}
	if c.rec != nil {
		c.rec.flagged(name, c.off-len(b)-4, len(b)+4, *v, flags)
	}
}

func (c *Coder) length32(name string, n int) bool {
	if !c.writable(name) {
		return false
	}
	if uint64(n) > math.MaxUint32 {
		c.fail(name, ErrTooLong)
		return false
	}
	c.buf = append(c.buf, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	return true
}

func (c *Coder) taken32(name string) ([]byte, bool) {
	if c.gen != nil {
		return c.gen.text32(c)
	}
	h, ok := c.take(name, 4)
	if !ok {
		return nil, false
	}
	n := binary.BigEndian.Uint32(h)
	if uint64(n) > uint64(len(c.buf)-c.off) {
		c.off -= 4
		c.fail(name, ErrShort)
		return nil, false
	}
	return c.take(name, int(n))
}

// Bytes8 codes a byte string of at most 255 bytes behind a one-byte length.
// Decoded, *v aliases the input.
func (c *Coder) Bytes8(name string, v *[]byte) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		if len(*v) > 255 {
			c.fail(name, ErrTooLong)
			return
		}
		c.buf = append(append(c.buf, byte(len(*v))), *v...)
		return
	}
	if c.gen != nil && c.off == len(c.buf) {
		c.gen.put(c, []byte{byte(c.gen.room(c, c.gen.small()))})
	}
	h, ok := c.take(name, 1)
	if !ok {
		return
	}
	n := int(h[0])
	if c.gen == nil && n > len(c.buf)-c.off {
		c.off--
		c.fail(name, ErrShort)
		return
	}
	if b, ok := c.take(name, n); ok {
		*v = b
		if c.rec != nil {
			c.rec.leaf(name, c.off-n-1, n+1, b)
		}
	}
}

// Raw codes exactly n bytes. On encoding, len(*v) must be n. Decoded, *v
// aliases the input.
func (c *Coder) Raw(name string, n int, v *[]byte) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		if len(*v) != n {
			c.fail(name, ErrRange)
			return
		}
		c.buf = append(c.buf, *v...)
		return
	}
	if b, ok := c.take(name, n); ok {
		*v = b
		if c.rec != nil {
			c.rec.leaf(name, c.off-n, n, b)
		}
	}
}

// Fixed codes len(v) bytes in place: pass a slice of an array, m.Cookie[:].
func (c *Coder) Fixed(name string, v []byte) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, v...)
		}
		return
	}
	if b, ok := c.take(name, len(v)); ok {
		copy(v, b)
		if c.rec != nil {
			c.rec.leaf(name, c.off-len(v), len(v), b)
		}
	}
}

// Rest codes all bytes up to the end of the message or group. Decoded, *v
// aliases the input; nil when nothing is left.
func (c *Coder) Rest(name string, v *[]byte) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, *v...)
		}
		return
	}
	if c.gen != nil {
		c.gen.grow(c, c.gen.small())
	}
	n := len(c.buf) - c.off
	if b, ok := c.take(name, n); ok {
		*v = nil
		if n > 0 {
			*v = b
		}
		if c.rec != nil {
			c.rec.flagged(name, c.off-n, n, b, Open|Loose)
		}
	}
}

// RestText is Rest for text; *v is a copy.
func (c *Coder) RestText(name string, v *string) {
	if !c.dec {
		if c.writable(name) {
			c.buf = append(c.buf, *v...)
		}
		return
	}
	if c.gen != nil {
		c.gen.grow(c, c.gen.small())
	}
	n := len(c.buf) - c.off
	if b, ok := c.take(name, n); ok {
		*v = string(b)
		if c.rec != nil {
			c.rec.flagged(name, c.off-n, n, *v, Open|Loose)
		}
	}
}

// NulText codes a text that a NUL byte ends. A NUL inside it is an error on
// encoding; a missing one is an error on decoding.
func (c *Coder) NulText(name string, v *string) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		if strings.IndexByte(*v, 0) >= 0 {
			c.fail(name, ErrNUL)
			return
		}
		c.buf = append(append(c.buf, *v...), 0)
		return
	}
	if c.gen != nil {
		c.gen.nulText(c)
	}
	if c.failed || c.bit != 0 {
		c.takeSlow(name, 0)
		return
	}
	i := bytes.IndexByte(c.buf[c.off:], 0)
	if i < 0 {
		c.fail(name, ErrShort)
		return
	}
	b, _ := c.take(name, i+1)
	*v = string(b[:i])
	if c.rec != nil {
		c.rec.leaf(name, c.off-i-1, i+1, *v)
	}
}

// NameList codes names joined by commas behind a four-byte length (RFC 4251
// §5). A name is not empty, has no comma, and consists of printable US-ASCII;
// an empty list is nil.
func (c *Coder) NameList(name string, v *[]string) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		n := max(0, len(*v)-1)
		for _, s := range *v {
			if !validName(s) {
				c.fail(name, ErrNameList)
				return
			}
			n += len(s)
		}
		if !c.length32(name, n) {
			return
		}
		for i, s := range *v {
			if i > 0 {
				c.buf = append(c.buf, ',')
			}
			c.buf = append(c.buf, s...)
		}
		return
	}
	if c.gen != nil {
		c.gen.nameList(c)
	}
	b, ok := c.takenPlain32(name)
	if !ok {
		return
	}
	*v = nil
	if len(b) > 0 {
		*v = strings.Split(string(b), ",")
	}
	for _, s := range *v {
		if !validName(s) {
			c.off -= len(b) + 4
			c.fail(name, ErrNameList)
			return
		}
	}
	if c.rec != nil {
		c.rec.leaf(name, c.off-len(b)-4, len(b)+4, *v)
	}
}

// takenPlain32 is taken32 after a generator has already put the bytes there.
func (c *Coder) takenPlain32(name string) ([]byte, bool) {
	gen := c.gen
	c.gen = nil
	b, ok := c.taken32(name)
	c.gen = gen
	return b, ok
}

func validName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ',' {
			return false
		}
	}
	return s != ""
}

// MPInt codes a multiple precision integer (RFC 4251 §5): *v is its body, two's
// complement, big-endian, in the shortest form, empty for zero; see
// [MPIntBody]. Decoded, *v aliases the input.
func (c *Coder) MPInt(name string, v *[]byte) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		if !shortest(*v) {
			c.fail(name, ErrMPInt)
			return
		}
		if c.length32(name, len(*v)) {
			c.buf = append(c.buf, *v...)
		}
		return
	}
	if c.gen != nil {
		c.gen.mpint(c)
	}
	b, ok := c.takenPlain32(name)
	if !ok {
		return
	}
	if !shortest(b) {
		c.off -= len(b) + 4
		c.fail(name, ErrMPInt)
		return
	}
	*v = b
	if c.rec != nil {
		c.rec.leaf(name, c.off-len(b)-4, len(b)+4, b)
	}
}

func shortest(b []byte) bool {
	switch {
	case len(b) == 0:
		return true
	case len(b) == 1:
		return b[0] != 0
	}
	return !(b[0] == 0 && b[1] < 0x80) && !(b[0] == 0xff && b[1] >= 0x80)
}

// MPIntBody returns the body that [Coder.MPInt] wants for the non-negative
// integer whose big-endian magnitude is b. The result may alias b.
func MPIntBody(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) > 0 && b[0] >= 0x80 {
		return append([]byte{0}, b...)
	}
	return b
}
