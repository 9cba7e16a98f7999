package wire_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

// optional has every primitive that serves values which may be absent.
type optional struct {
	Null    []byte
	Pairs   []pair
	HasMark bool
	Mark    []byte // behind its mark
	Secret  []byte
	Small   int64 // 3 bytes
	Low     uint32
	Fixed   [3]uint8
	Name    string // may lack its NUL
}

const mark = 0x23

func (m *optional) Fields(c *wire.Coder) {
	c.LenNullBytes("null", &m.Null)
	c.LenSized("pairs", func() {
		wire.ListRest(c, "list", &m.Pairs, func(p *pair, c *wire.Coder) {
			c.LenText("name", &p.Name)
			c.LenText("value", &p.Value)
		})
	})
	c.I64LE("small", 3, &m.Small)
	c.SuggestLE(4, 0, 999)
	wire.UintLE(c, "low", 4, &m.Low)
	if m.Low > 999 {
		c.Fail("low", wire.ErrRange)
	}
	wire.Each(c, "fixed", m.Fixed[:], func(i int, v *uint8, c *wire.Coder) {
		if i > 0 { // the first takes no bytes
			c.U8("value", v)
		}
	})
	c.Masked(func() { c.LenBytes("secret", &m.Secret) })
	first := uint8(mark)
	if c.TailIf(mark, &m.HasMark) {
		c.U8("mark", &first)
		c.LenBytes("marked", &m.Mark)
	}
	if c.Decoding() && c.Remaining() > 0 && !c.Failed() || !c.Decoding() {
		c.LooseNulText("name", &m.Name)
	}
}

func TestOptional(t *testing.T) {
	r := wire.NewRegistry("test", wire.Entry{Number: 1, Name: "optional", Section: "test", New: wire.New[optional]})
	want := &optional{Null: []byte{}, Pairs: []pair{{"a", "b"}}, HasMark: true, Mark: []byte("x"), Secret: []byte("s"), Small: -2, Low: 7, Name: "n"}
	want.Fixed[1] = 5
	wiretest.Golden(t, r, wire.Dialect{}, want, `
		01
		00               # empty
		04 01 "a" 01 "b"
		feffff           # -2
		07000000
		05 00
		01 "s"
		23 01 "x"
		"n" 00
	`)
	b := wiretest.Hex(`fb 00 000000 00000000 00 00 00 "name"`)
	var m optional
	if err := wire.Parse(b, &m, wire.Dialect{}); err != nil || m.Null != nil || m.HasMark || m.Name != "name" {
		t.Errorf("%+v, %v, want nothing but a name", m, err)
	}
	out, err := wire.Append(nil, &m, wire.Dialect{})
	if err != nil || !bytes.Equal(out, append(b, 0)) {
		t.Errorf("encoded as %x, %v, want %x with a NUL", out, err, b)
	}
	fields, err := wire.Describe(b, new(optional), wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	if f := wire.Find(fields, "null"); f.Value != (wire.Null{}) || f.Bits != 8 || (wire.Null{}).String() != "NULL" {
		t.Errorf("NULL is described as %+v", f)
	}
	if f := wire.Find(fields, "secret"); !f.Is(wire.Secret) || wire.Find(fields, "name").Is(wire.Secret) {
		t.Errorf("secrets are %+v", fields)
	}
	if _, err := wire.Append(nil, &optional{Small: 1 << 23}, wire.Dialect{}); !errors.Is(err, wire.ErrRange) {
		t.Errorf("2^23 in three bytes: %v, want %v", err, wire.ErrRange)
	}
}

// lists are elements that take few bytes each.
type lists struct{ List []pair }

func (m *lists) Fields(c *wire.Coder) {
	wire.ListRest(c, "list", &m.List, func(p *pair, c *wire.Coder) {
		c.LenText("name", &p.Name)
		c.LenText("value", &p.Value)
	})
}

// TestRules proves the rules of the package for those primitives.
func TestRules(t *testing.T) {
	wiretest.Check(t, wiretest.Suite{Rounds: 15, Registry: wire.NewRegistry("test",
		wire.Entry{Number: 2, Name: "lists", Section: "test", New: wire.New[lists]},
		wire.Entry{Number: 3, Name: "sized", Section: "test", New: wire.New[sized]},
	)})
}

// sized is optional without what depends on the end of the message.
type sized struct {
	Null    []byte
	Inner   lists
	Small   int64
	HasMark bool
	Rest    []byte
}

func (m *sized) Fields(c *wire.Coder) {
	c.LenNullBytes("null", &m.Null)
	c.LenSized("inner", func() { m.Inner.Fields(c) })
	c.I64LE("small", 5, &m.Small)
	first := uint8(mark)
	if c.TailIf(mark, &m.HasMark) {
		c.U8("mark", &first)
	} else if !c.Decoding() && len(m.Rest) > 0 && m.Rest[0] == mark {
		c.Fail("rest", wire.ErrValue)
	}
	c.Masked(func() { c.Rest("rest", &m.Rest) })
}
