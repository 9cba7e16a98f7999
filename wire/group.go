package wire

import "encoding/binary"

// Group names a run of fields that belong together. It owns no bytes of its
// own; the fields do.
func (c *Coder) Group(name string, fields func()) {
	mark := c.open(name, 0)
	fields()
	c.shut(mark)
}

// open begins a group in the description, if there is one and nothing has
// failed yet; shut ends it.
func (c *Coder) open(name string, flags Flags) (mark int) {
	if c.rec == nil || c.failed {
		return -1
	}
	return c.rec.push(c, name, flags)
}

func (c *Coder) shut(mark int) {
	if mark >= 0 {
		c.rec.pop(c, mark)
	}
}

// Sized codes fields behind a four-byte big-endian count of their bytes, such
// as an SSH string that contains a structure. Fields cannot read past that
// count; bytes they leave are an error.
func (c *Coder) Sized(name string, fields func()) {
	if !c.dec {
		if !c.writable(name) {
			return
		}
		at := len(c.buf)
		c.buf = append(c.buf, 0, 0, 0, 0)
		fields()
		if !c.failed {
			binary.BigEndian.PutUint32(c.buf[at:], uint32(len(c.buf)-at-4))
		}
		return
	}
	if c.gen != nil {
		at := c.off
		c.gen.put(c, make([]byte, 4))
		c.off += 4
		fields()
		c.gen.trim(c)
		if !c.failed {
			binary.BigEndian.PutUint32(c.buf[at:], uint32(c.off-at-4))
		}
		return
	}
	mark := c.open(name, 0)
	var n uint32
	c.U32("length", &n)
	c.within(name, uint64(n), fields)
	c.shut(mark)
}

// Within codes fields inside the next n bytes: they cannot read past them, and
// bytes they leave are an error. On encoding, fields must write exactly n
// bytes.
func (c *Coder) Within(name string, n int, fields func()) {
	if !c.dec {
		at := len(c.buf)
		fields()
		if len(c.buf)-at != n {
			c.fail(name, ErrRange)
		}
		return
	}
	if c.gen != nil {
		c.gen.within(c, n, fields)
		return
	}
	mark := c.open(name, 0)
	c.within(name, uint64(n), fields)
	c.shut(mark)
}

func (c *Coder) within(name string, n uint64, fields func()) {
	if c.failed {
		return
	}
	if n > uint64(len(c.buf)-c.off) {
		c.fail(name, ErrShort)
		return
	}
	whole := c.buf
	c.buf = c.buf[:c.off+int(n)]
	fields()
	if !c.failed && c.off < len(c.buf) {
		c.fail(name, ErrExcess)
	}
	c.buf = whole
}

// List codes a four-byte big-endian count and that many elements. minSize is
// the least number of bytes an element takes, at least 1: a count that cannot
// fit into what is left fails before anything is reserved.
func List[T any](c *Coder, name string, minSize int, v *[]T, fields func(*T, *Coder)) {
	n := uint32(len(*v))
	if c.gen != nil {
		c.gen.put(c, []byte{0, 0, 0, byte(c.gen.small() % 4)})
	}
	mark := c.open(name, Many)
	c.U32("count", &n)
	listBody(c, name, minSize, uint64(n), v, fields)
	c.shut(mark)
}

// ListN codes n elements whose count stands elsewhere in the message. On
// encoding, len(*v) must be n.
func ListN[T any](c *Coder, name string, n, minSize int, v *[]T, fields func(*T, *Coder)) {
	mark := c.open(name, Many)
	if !c.dec && len(*v) != n {
		c.fail(name, ErrRange)
	}
	listBody(c, name, minSize, uint64(n), v, fields)
	if mark >= 0 {
		c.rec.pop(c, mark)
	}
}

func listBody[T any](c *Coder, name string, minSize int, n uint64, v *[]T, fields func(*T, *Coder)) {
	if !c.dec {
		for i := range *v {
			fields(&(*v)[i], c)
		}
		return
	}
	if c.failed {
		return
	}
	left := uint64(len(c.buf)-c.off) / uint64(max(1, minSize))
	switch {
	case c.gen == nil && n > left:
		c.fail(name, ErrShort)
		return
	case c.gen != nil && n > maxList:
		c.fail(name, ErrRange) // legal, but too long to be made up
		return
	}
	if n == 0 {
		*v = nil
		return
	}
	list := (*v)[:0]
	if uint64(cap(list)) < n {
		list = make([]T, 0, min(n, 64))
	}
	for range n {
		var e T
		list = append(list, e)
		mark := c.element()
		fields(&list[len(list)-1], c)
		c.shut(mark)
		if c.failed {
			break
		}
	}
	*v = list
}

// ListRest codes elements up to the end of the message or group. Each must
// take at least one byte.
func ListRest[T any](c *Coder, name string, v *[]T, fields func(*T, *Coder)) {
	if !c.dec {
		for i := range *v {
			fields(&(*v)[i], c)
		}
		return
	}
	mark := c.open(name, Many|Open)
	*v = nil
	more := func() bool { return c.off < len(c.buf) }
	if c.gen != nil {
		more = c.gen.more(c, c.gen.small()%4)
	}
	start := c.off
	for !c.failed && more() {
		var e T
		if len(*v) == cap(*v) && len(*v) > 0 && c.gen == nil {
			// As many as there will be if the others are like these. Not by
			// slices.Grow, which takes twice as much under the race detector.
			more := 1 + len(*v)/4 + (len(c.buf)-c.off)*len(*v)/(c.off-start)
			*v = append(make([]T, 0, len(*v)+more), *v...)
		}
		*v = append(*v, e)
		if c.rec != nil {
			c.rec.tail = true
		}
		at, el := c.off, c.element()
		fields(&(*v)[len(*v)-1], c)
		c.shut(el)
		if !c.failed && c.off == at {
			c.fail(name, ErrRange)
		}
	}
	c.shut(mark)
}

func (c *Coder) element() int {
	if c.rec == nil {
		return -1
	}
	return c.rec.pushElement(c)
}

// Tail reports whether an optional last part of the message is present: when
// decoding, whether bytes are left, which it notes in *present; when encoding,
// *present. A message may end here without being broken.
func (c *Coder) Tail(present *bool) bool {
	if c.failed {
		return false
	}
	if c.dec {
		switch {
		case c.gen != nil:
			*present = c.gen.coin()
		default:
			*present = c.off < len(c.buf)
		}
		if c.rec != nil {
			c.rec.tail = *present
		}
	}
	return *present
}

// View adds a derived value to a description. It owns no bytes and does
// nothing when encoding or plainly decoding; compute value only under
// [Coder.Describing].
func (c *Coder) View(name string, value any) {
	if c.rec != nil && !c.failed {
		c.rec.add(Field{Name: name, Off: c.off * 8, Value: value, Flags: Derived})
	}
}

// Describing reports whether a description is being recorded.
func (c *Coder) Describing() bool { return c.rec != nil }
