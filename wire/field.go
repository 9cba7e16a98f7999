package wire

import "strconv"

// A Field is one node of a described message. Leaves (no Kids, not Derived)
// tile the message: every bit belongs to exactly one of them. A length in
// front of a text belongs to the text's leaf.
type Field struct {
	Name  string  // lower_snake; list elements have their index: "0", "1", …
	Value any     // leaf: typed as in the message, []byte aliases the input; group: nil
	Off   int     // first bit, counted from the start of the input
	Bits  int     // length in bits
	Flags Flags   // what kind of field it is
	Kids  []Field // group: its fields
}

// Flags say how a field is to be treated.
type Flags uint8

const (
	Secret  Flags = 1 << iota // mask it wherever it is shown
	Derived                   // computed for the reader; owns no bits
	Many                      // a list; Kids are a count, if it has one, and its elements
	Element                   // an element of a list
	Node                      // a group, even when it has no Kids
	Bad                       // bytes that no field could claim: "undecoded" or "excess"
	Open                      // the message may end before this field
	Loose                     // the message may end anywhere inside this field
)

// Is reports whether all of flags are set.
func (f *Field) Is(flags Flags) bool { return f.Flags&flags == flags }

// Bytes returns the first byte and the number of bytes the field touches.
func (f *Field) Bytes() (off, n int) {
	off = f.Off / 8
	return off, (f.Off+f.Bits+7)/8 - off
}

// Find returns the field at the path names below fields, or nil.
func Find(fields []Field, names ...string) *Field {
	var f *Field
	for _, name := range names {
		f = nil
		for i := range fields {
			if fields[i].Name == name {
				f = &fields[i]
				break
			}
		}
		if f == nil {
			return nil
		}
		fields = f.Kids
	}
	return f
}

// recorder builds the tree of fields while a message is decoded.
type recorder struct {
	stack []Field // open groups; the fields of stack[i] are its Kids
	top   []Field
	tail  bool // the next field begins an optional tail
	mask  Flags
}

func (r *recorder) add(f Field) {
	if r.tail && !f.Is(Derived) {
		f.Flags |= Open
		r.tail = false
	}
	f.Flags |= r.mask
	if n := len(r.stack); n > 0 {
		r.stack[n-1].Kids = append(r.stack[n-1].Kids, f)
		return
	}
	r.top = append(r.top, f)
}

func (r *recorder) leaf(name string, off, n int, v any) {
	r.add(Field{Name: name, Off: off * 8, Bits: n * 8, Value: v})
}

func (r *recorder) flagged(name string, off, n int, v any, flags Flags) {
	r.add(Field{Name: name, Off: off * 8, Bits: n * 8, Value: v, Flags: flags})
}

func (r *recorder) push(c *Coder, name string, flags Flags) int {
	if r.tail {
		flags |= Open
		r.tail = false
	}
	r.stack = append(r.stack, Field{Name: name, Off: c.off*8 + int(c.bit), Flags: flags | Node})
	return len(r.stack) - 1
}

func (r *recorder) pushElement(c *Coder) int {
	kids := r.stack[len(r.stack)-1].Kids
	n := len(kids)
	if n > 0 && !kids[0].Is(Element) { // the count
		n--
	}
	return r.push(c, strconv.Itoa(n), Element)
}

func (r *recorder) pop(c *Coder, mark int) {
	f := r.stack[mark]
	f.Bits = c.off*8 + int(c.bit) - f.Off
	r.stack = r.stack[:mark]
	r.add(f)
}

func (r *recorder) path(name string) string {
	var p []byte
	for _, f := range r.stack {
		p = appendName(p, f.Name, f.Is(Element))
	}
	if name != "" && (len(r.stack) == 0 || r.stack[len(r.stack)-1].Name != name) {
		p = appendName(p, name, false)
	}
	return string(p)
}

func appendName(p []byte, name string, element bool) []byte {
	if element {
		return append(append(append(p, '['), name...), ']')
	}
	if len(p) > 0 {
		p = append(p, '.')
	}
	return append(p, name...)
}

// close ends all groups and gives the bytes that no leaf claimed to a field of
// their own.
func (r *recorder) close(c *Coder, b []byte) {
	for len(r.stack) > 0 {
		r.pop(c, len(r.stack)-1)
	}
	at := c.off*8 + int(c.bit)
	if at >= len(b)*8 {
		return
	}
	name := "excess"
	if c.failed {
		name = "undecoded"
	}
	r.add(Field{Name: name, Off: at, Bits: len(b)*8 - at, Value: b[at/8:], Flags: Bad})
}

func (r *recorder) fields() []Field { return r.top }
