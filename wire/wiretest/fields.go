package wiretest

import (
	"strconv"

	"github.com/wirelark/wirelark/wire"
)

// walk calls f for all nodes of the tree.
func walk(fields []wire.Field, f func(*wire.Field)) {
	for i := range fields {
		f(&fields[i])
		walk(fields[i].Kids, f)
	}
}

// tiles checks that the leaves of fields cover b exactly, in order, and that
// names are as they should be.
func (c *checker) tiles(fields []wire.Field, b []byte) {
	at := c.group(fields, 0, b)
	if at != len(b)*8 {
		c.Fatalf("the fields cover %d of %d bits\nbytes %x", at, len(b)*8, b)
	}
}

// group checks one level of the tree, which begins at bit at, and returns
// where it ends.
func (c *checker) group(fields []wire.Field, at int, b []byte) int {
	names := make(map[string]bool, len(fields))
	elements := 0
	for i := range fields {
		f := &fields[i]
		if f.Is(wire.Element) {
			if f.Name != strconv.Itoa(elements) {
				c.Fatalf("element %d is called %q", elements, f.Name)
			}
			elements++
		} else if !snake(f.Name) {
			c.Fatalf("field name %q is not lower_snake", f.Name)
		}
		if names[f.Name] {
			c.Fatalf("two fields of one group are called %q\nbytes %x", f.Name, b)
		}
		names[f.Name] = true
		switch {
		case f.Is(wire.Derived):
			if f.Bits != 0 {
				c.Fatalf("the derived field %q owns %d bits", f.Name, f.Bits)
			}
			continue
		case f.Off != at || f.Bits < 0:
			c.Fatalf("field %q stands at bit %d with %d bits, want it at bit %d\nbytes %x", f.Name, f.Off, f.Bits, at, b)
		case len(f.Kids) > 0 || f.Is(wire.Node):
			if end := c.group(f.Kids, at, b); end != at+f.Bits {
				c.Fatalf("group %q has %d bits and its fields %d\nbytes %x", f.Name, f.Bits, end-at, b)
			}
		}
		at += f.Bits
	}
	return at
}

func snake(s string) bool {
	for i, r := range s {
		if !(r >= 'a' && r <= 'z' || i > 0 && (r >= '0' && r <= '9' || r == '_')) {
			return false
		}
	}
	return s != ""
}
