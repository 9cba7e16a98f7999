package wire

import (
	"errors"
	"sync"
)

// Coder walks a message's fields to encode, decode or describe them. A Coder
// may be reused for one message after another, by one goroutine at a time; a
// connection that owns one saves the pool that the package functions use. Its
// zero value is ready.
//
// The first failure sticks: later calls do nothing, and the entry point
// returns it as an [*Error] that names message, field and byte.
type Coder struct {
	buf     []byte // encode: the output so far; decode: the input up to the current limit
	off     int    // decode: read position
	base    int    // encode: where the message begins in buf
	bit     uint   // bits of the current byte already coded by Bits, 0–7
	dec     bool
	failed  bool
	dialect Dialect
	rec     *recorder  // decode only, nil unless describing
	gen     *generator // decode only, nil unless generating
	err     Error
}

var coders = sync.Pool{New: func() any { return new(Coder) }}

// Append appends the encoding of m to dst and returns the extended slice. On
// error it returns dst unchanged. dst may be nil.
func Append(dst []byte, m Message, d Dialect) ([]byte, error) {
	c := coders.Get().(*Coder)
	b, err := c.Append(dst, m, d)
	c.release()
	return b, err
}

// Parse decodes all of b into m. Bytes left over are an error that wraps
// [ErrExcess]; m is complete then. Byte slices in m alias b.
func Parse(b []byte, m Message, d Dialect) error {
	c := coders.Get().(*Coder)
	err := c.Parse(b, m, d)
	c.release()
	return err
}

// ParsePrefix decodes m from the beginning of b and returns the number of
// bytes read. Byte slices in m alias b.
func ParsePrefix(b []byte, m Message, d Dialect) (int, error) {
	c := coders.Get().(*Coder)
	n, err := c.ParsePrefix(b, m, d)
	c.release()
	return n, err
}

// Describe decodes b into m and returns its fields in wire order. Whatever is
// wrong with b, the fields up to the break are there, and the leaves together
// cover b exactly: bytes behind the break stand in a last field "undecoded",
// bytes behind a complete message in a field "excess". Excess alone is no
// error here. Values alias b and m.
func Describe(b []byte, m Message, d Dialect) ([]Field, error) {
	c := coders.Get().(*Coder)
	fields, err := c.describe(b, m, d)
	c.release()
	return fields, err
}

func (c *Coder) release() {
	*c = Coder{}
	coders.Put(c)
}

// Append is the package function [Append] on this Coder.
func (c *Coder) Append(dst []byte, m Message, d Dialect) ([]byte, error) {
	c.reset(d)
	c.buf, c.base = dst, len(dst)
	m.Fields(c)
	if c.bit != 0 {
		c.fail("", ErrBits)
	}
	out := c.buf
	c.buf = nil
	if c.failed {
		return dst, c.failure(m)
	}
	return out, nil
}

// Parse is the package function [Parse] on this Coder.
func (c *Coder) Parse(b []byte, m Message, d Dialect) error {
	n, err := c.ParsePrefix(b, m, d)
	if err == nil && n < len(b) {
		c.off = n
		c.fail("", ErrExcess)
		return c.failure(m)
	}
	return err
}

// ParsePrefix is the package function [ParsePrefix] on this Coder.
func (c *Coder) ParsePrefix(b []byte, m Message, d Dialect) (int, error) {
	c.reset(d)
	c.buf, c.dec = b, true
	m.Fields(c)
	c.buf = nil
	if c.bit != 0 {
		c.fail("", ErrBits)
	}
	if c.failed {
		return c.off, c.failure(m)
	}
	return c.off, nil
}

func (c *Coder) describe(b []byte, m Message, d Dialect) ([]Field, error) {
	c.reset(d)
	rec := &recorder{}
	c.buf, c.dec, c.rec = b, true, rec
	m.Fields(c)
	if c.bit != 0 {
		c.fail("", ErrBits)
	}
	c.buf = b
	rec.close(c, b)
	if c.failed {
		return rec.fields(), c.failure(m)
	}
	return rec.fields(), nil
}

func (c *Coder) reset(d Dialect) {
	c.off, c.base, c.bit, c.dec, c.failed = 0, 0, 0, false, false
	c.dialect, c.rec, c.gen = d, nil, nil
}

// Dialect returns the dialect in which the message is coded. Vocabularies wrap
// it in accessors that say what it means.
func (c *Coder) Dialect() Dialect { return c.dialect }

// Decoding reports whether fields are being read rather than written. Layouts
// rarely need it: only where one direction is more liberal than the other.
func (c *Coder) Decoding() bool { return c.dec }

// Remaining returns the number of input bytes not yet read within the current
// group. It is 0 when encoding.
func (c *Coder) Remaining() int {
	if !c.dec {
		return 0
	}
	return len(c.buf) - c.off
}

// Fail records that the field name has a value that its message does not
// allow. Only the first failure is kept.
func (c *Coder) Fail(name string, err error) { c.fail(name, err) }

// Failed reports whether an earlier field has failed.
func (c *Coder) Failed() bool { return c.failed }

func (c *Coder) fail(name string, err error) {
	if c.failed {
		return
	}
	c.failed = true
	off := c.off
	if !c.dec {
		off = len(c.buf) - c.base
	}
	c.err = Error{Field: name, Off: off, Err: err}
	if c.rec != nil {
		c.err.Field = c.rec.path(name)
	}
}

// failure returns a copy of the recorded error for the message m.
func (c *Coder) failure(m Message) error {
	e := c.err
	e.Message = messageName(m)
	return &e
}

// take returns the next n input bytes, or false after recording why not.
func (c *Coder) take(name string, n int) ([]byte, bool) {
	if uint(n) <= uint(len(c.buf)-c.off) && !c.failed && c.bit == 0 {
		b := c.buf[c.off : c.off+n : c.off+n]
		c.off += n
		return b, true
	}
	return c.takeSlow(name, n)
}

func (c *Coder) takeSlow(name string, n int) ([]byte, bool) {
	switch {
	case c.failed:
		return nil, false
	case c.bit != 0:
		c.fail(name, ErrBits)
		return nil, false
	case c.gen != nil && n >= 0:
		c.gen.grow(c, n)
		if len(c.buf)-c.off < n {
			break
		}
		b := c.buf[c.off : c.off+n : c.off+n]
		c.off += n
		return b, true
	}
	c.fail(name, ErrShort)
	return nil, false
}

// writable reports whether a field may be appended: nothing failed and the
// output stands on a byte boundary.
func (c *Coder) writable(name string) bool {
	if c.bit != 0 {
		c.fail(name, ErrBits)
	}
	return !c.failed
}

// The failures of a field, wrapped by [*Error].
var (
	ErrShort    = errors.New("message ends too early")
	ErrExcess   = errors.New("bytes left over after the last field")
	ErrTooLong  = errors.New("value too long for its length field")
	ErrBits     = errors.New("bit fields do not fill whole bytes")
	ErrNUL      = errors.New("NUL inside a NUL-ended text")
	ErrMPInt    = errors.New("integer not in its shortest form")
	ErrNameList = errors.New("malformed name-list")
	ErrRange    = errors.New("value out of range")
	ErrValue    = errors.New("value not allowed here")
)
