package wire_test

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

// values are what the rows of the tables code.
type values struct {
	u8    uint8
	u16   uint16
	u32   uint32
	u64   uint64
	i64   int64
	f32   float32
	f64   float64
	ok    bool
	text  string
	data  []byte
	names []string
	list  []uint16
	auto  wire.Auto[uint16]
}

// one is a message of the fields of a row.
type one struct {
	values
	code func(*one, *wire.Coder)
}

func (m *one) Fields(c *wire.Coder) { m.code(m, c) }

// primitives names the primitives for the tables.
var primitives = map[string]func(*one, *wire.Coder){
	"U8":        func(m *one, c *wire.Coder) { c.U8("f", &m.u8) },
	"U16":       func(m *one, c *wire.Coder) { c.U16("f", &m.u16) },
	"U32":       func(m *one, c *wire.Coder) { c.U32("f", &m.u32) },
	"U64":       func(m *one, c *wire.Coder) { c.U64("f", &m.u64) },
	"I64":       func(m *one, c *wire.Coder) { c.I64("f", &m.i64) },
	"UintLE 3":  func(m *one, c *wire.Coder) { wire.UintLE(c, "f", 3, &m.u32) },
	"UintLE 8":  func(m *one, c *wire.Coder) { wire.UintLE(c, "f", 8, &m.u64) },
	"Uint 3":    func(m *one, c *wire.Coder) { wire.Uint(c, "f", 3, &m.u32) },
	"Enum8":     func(m *one, c *wire.Coder) { wire.Enum8(c, "f", &m.u8) },
	"Enum16":    func(m *one, c *wire.Coder) { wire.Enum16(c, "f", &m.u16) },
	"Enum32":    func(m *one, c *wire.Coder) { wire.Enum32(c, "f", &m.u32) },
	"F32":       func(m *one, c *wire.Coder) { c.F32("f", binary.BigEndian, &m.f32) },
	"F64":       func(m *one, c *wire.Coder) { c.F64("f", binary.LittleEndian, &m.f64) },
	"Bool":      func(m *one, c *wire.Coder) { c.Bool("f", &m.ok) },
	"Bytes":     func(m *one, c *wire.Coder) { c.Bytes("f", &m.data) },
	"Text":      func(m *one, c *wire.Coder) { c.Text("f", &m.text) },
	"Secret":    func(m *one, c *wire.Coder) { c.Secret("f", &m.text) },
	"Bytes8":    func(m *one, c *wire.Coder) { c.Bytes8("f", &m.data) },
	"Raw 2":     func(m *one, c *wire.Coder) { c.Raw("f", 2, &m.data) },
	"Raw -1":    func(m *one, c *wire.Coder) { c.Raw("f", -1, &m.data) },
	"Rest":      func(m *one, c *wire.Coder) { c.Rest("f", &m.data) },
	"RestText":  func(m *one, c *wire.Coder) { c.RestText("f", &m.text) },
	"NulText":   func(m *one, c *wire.Coder) { c.NulText("f", &m.text) },
	"NameList":  func(m *one, c *wire.Coder) { c.NameList("f", &m.names) },
	"MPInt":     func(m *one, c *wire.Coder) { c.MPInt("f", &m.data) },
	"LenInt":    func(m *one, c *wire.Coder) { c.LenInt("f", &m.u64) },
	"LenBytes":  func(m *one, c *wire.Coder) { c.LenBytes("f", &m.data) },
	"LenText":   func(m *one, c *wire.Coder) { c.LenText("f", &m.text) },
	"List":      func(m *one, c *wire.Coder) { wire.List(c, "f", 2, &m.list, element) },
	"ListN 2":   func(m *one, c *wire.Coder) { wire.ListN(c, "f", 2, 2, &m.list, element) },
	"ListRest":  func(m *one, c *wire.Coder) { wire.ListRest(c, "f", &m.list, element) },
	"AutoUint":  func(m *one, c *wire.Coder) { wire.AutoUint(c, "f", 2, &m.auto) },
	"Bits 3+13": func(m *one, c *wire.Coder) { wire.Bits(c, "f", 3, &m.u8); wire.Bits(c, "g", 13, &m.u16) },
	"Bits 3":    func(m *one, c *wire.Coder) { wire.Bits(c, "f", 3, &m.u8) },
	"Bits 3+U8": func(m *one, c *wire.Coder) { wire.Bits(c, "f", 3, &m.u8); c.U8("g", &m.u8) },
	"Bits 64":   func(m *one, c *wire.Coder) { wire.Bits(c, "f", 64, &m.u64) },
	"Sized":     func(m *one, c *wire.Coder) { c.Sized("f", func() { c.U8("g", &m.u8) }) },
	"Within 2":  func(m *one, c *wire.Coder) { c.Within("f", 2, func() { c.U8("g", &m.u8) }) },
	"Within 1":  func(m *one, c *wire.Coder) { c.Within("f", 1, func() { c.U8("g", &m.u8) }) },
	"Tail": func(m *one, c *wire.Coder) {
		if c.Tail(&m.ok) {
			c.U8("f", &m.u8)
		}
	},
	"empty element": func(m *one, c *wire.Coder) {
		wire.ListRest(c, "f", &m.list, func(*uint16, *wire.Coder) {})
	},
}

func element(v *uint16, c *wire.Coder) { c.U16("e", v) }

func TestPrimitives(t *testing.T) {
	tests := []struct {
		primitive string
		v         values
		layout    string
	}{
		{"U8", values{u8: 0xfe}, "fe"},
		{"U16", values{u16: 0x0102}, "0102"},
		{"U32", values{u32: 0x01020304}, "01020304"},
		{"U64", values{u64: 0x0102030405060708}, "0102030405060708"},
		{"I64", values{i64: -2}, "fffffffffffffffe"},
		{"UintLE 3", values{u32: 0x030201}, "010203"},
		{"UintLE 8", values{u64: math.MaxUint64}, "ffffffffffffffff"},
		{"Uint 3", values{u32: 0x010203}, "010203"},
		{"Enum8", values{u8: 7}, "07"},
		{"Enum16", values{u16: 7}, "0007"},
		{"Enum32", values{u32: 7}, "00000007"},
		{"F32", values{f32: 1.5}, "3fc00000"},
		{"F64", values{f64: -2}, "00000000000000c0"},
		{"Bool", values{ok: true}, "01"},
		{"Bool", values{}, "00"},
		{"Bytes", values{data: []byte("ab")}, `00000002 "ab"`},
		{"Bytes", values{}, "00000000"},
		{"Text", values{text: "\xff\x00"}, "00000002 ff00"},
		{"Secret", values{text: "x"}, `00000001 "x"`},
		{"Bytes8", values{data: []byte("ab")}, `02 "ab"`},
		{"Raw 2", values{data: []byte("ab")}, `"ab"`},
		{"Rest", values{data: []byte("ab")}, `"ab"`},
		{"Rest", values{}, ""},
		{"RestText", values{text: "ab"}, `"ab"`},
		{"NulText", values{text: "ab"}, `"ab" 00`},
		{"NulText", values{}, "00"},
		{"NameList", values{names: []string{"a", "b@c"}}, `00000005 "a,b@c"`},
		{"NameList", values{}, "00000000"},
		{"MPInt", values{}, "00000000"},
		{"MPInt", values{data: []byte{0, 0x80}}, "00000002 0080"},
		{"MPInt", values{data: []byte{0xed, 0xcc}}, "00000002 edcc"}, // -1234, RFC 4251 §5
		{"LenInt", values{u64: 250}, "fa"},
		{"LenInt", values{u64: 251}, "fc fb00"},
		{"LenInt", values{u64: 1 << 16}, "fd 000001"},
		{"LenInt", values{u64: 1 << 24}, "fe 0000000100000000"},
		{"LenBytes", values{data: []byte("ab")}, `02 "ab"`},
		{"LenText", values{text: strings.Repeat("a", 251)}, `fc fb00 "` + strings.Repeat("a", 251) + `"`},
		{"List", values{list: []uint16{1, 2}}, "00000002 0001 0002"},
		{"List", values{}, "00000000"},
		{"ListN 2", values{list: []uint16{1, 2}}, "0001 0002"},
		{"ListRest", values{list: []uint16{1, 2}}, "0001 0002"},
		{"AutoUint", values{auto: wire.Set[uint16](3)}, "0003"},
		{"Bits 3+13", values{u8: 5, u16: 0x1001}, "b001"},
		{"Bits 64", values{u64: 1<<63 | 1}, "8000000000000001"},
		{"Sized", values{u8: 9}, "00000001 09"},
		{"Within 1", values{u8: 9}, "09"},
		{"Tail", values{ok: true, u8: 9}, "09"},
		{"Tail", values{}, ""},
	}
	for _, tt := range tests {
		code, want := primitives[tt.primitive], wiretest.Hex(tt.layout)
		m := &one{tt.v, code}
		if got, err := wire.Append(nil, m, wire.Dialect{}); err != nil || string(got) != string(want) {
			t.Errorf("%s: Append(%+v) = %x, %v; want %x", tt.primitive, tt.v, got, err, want)
		}
		back := &one{code: code}
		if err := wire.Parse(want, back, wire.Dialect{}); err != nil {
			t.Errorf("%s: Parse(%x): %v", tt.primitive, want, err)
		} else if diff := wiretest.Diff(&back.values, &tt.v); diff != "" {
			t.Errorf("%s: Parse(%x): %s", tt.primitive, want, diff)
		}
	}
}

func TestEncodeFailures(t *testing.T) {
	tests := []struct {
		primitive string
		v         values
		field     string
		off       int
		err       error
	}{
		{"UintLE 3", values{u32: 1 << 24}, "f", 0, wire.ErrRange},
		{"Uint 3", values{u32: 1 << 24}, "f", 0, wire.ErrRange},
		{"Bytes8", values{data: make([]byte, 256)}, "f", 0, wire.ErrTooLong},
		{"Raw 2", values{data: []byte("a")}, "f", 0, wire.ErrRange},
		{"NulText", values{text: "a\x00"}, "f", 0, wire.ErrNUL},
		{"NameList", values{names: []string{"a,b"}}, "f", 0, wire.ErrNameList},
		{"NameList", values{names: []string{""}}, "f", 0, wire.ErrNameList},
		{"NameList", values{names: []string{"a b"}}, "f", 0, wire.ErrNameList},
		{"NameList", values{names: []string{"\x7f"}}, "f", 0, wire.ErrNameList},
		{"MPInt", values{data: []byte{0}}, "f", 0, wire.ErrMPInt},
		{"MPInt", values{data: []byte{0, 1}}, "f", 0, wire.ErrMPInt},
		{"MPInt", values{data: []byte{0xff, 0x80}}, "f", 0, wire.ErrMPInt},
		{"ListN 2", values{list: []uint16{1}}, "f", 0, wire.ErrRange},
		{"Bits 3+13", values{u8: 8}, "f", 0, wire.ErrRange},
		{"Bits 3", values{}, "", 1, wire.ErrBits},
		{"Bits 3+U8", values{}, "g", 1, wire.ErrBits},
		{"Within 2", values{}, "f", 1, wire.ErrRange},
	}
	for _, tt := range tests {
		m := &one{tt.v, primitives[tt.primitive]}
		got, err := wire.Append([]byte("in front"), m, wire.Dialect{})
		var e *wire.Error
		if !errors.As(err, &e) || e.Field != tt.field || e.Off != tt.off || !errors.Is(err, tt.err) {
			t.Errorf("%s: Append(%+v) = %v, want %q at byte %d: %v", tt.primitive, tt.v, err, tt.field, tt.off, tt.err)
		}
		if string(got) != "in front" {
			t.Errorf("%s: Append(%+v) failed and returned %q, want dst as it was", tt.primitive, tt.v, got)
		}
	}
}

func TestDecodeFailures(t *testing.T) {
	tests := []struct {
		primitive string
		layout    string
		field     string
		off       int
		err       error
	}{
		{"U8", "", "f", 0, wire.ErrShort},
		{"U64", "00000000000000", "f", 0, wire.ErrShort},
		{"U8", "0000", "", 1, wire.ErrExcess},
		{"Bytes", "000000", "f", 0, wire.ErrShort},
		{"Bytes", "00000002 00", "f", 0, wire.ErrShort},
		{"Bytes", "ffffffff 00", "f", 0, wire.ErrShort},
		{"Bytes8", "02 00", "f", 0, wire.ErrShort},
		{"Raw 2", "00", "f", 0, wire.ErrShort},
		{"Raw -1", "00", "f", 0, wire.ErrShort},
		{"NulText", `"abc"`, "f", 0, wire.ErrShort},
		{"NameList", `00000002 "a,"`, "f", 0, wire.ErrNameList},
		{"NameList", `00000002 ",a"`, "f", 0, wire.ErrNameList},
		{"NameList", `00000003 61c3a9`, "f", 0, wire.ErrNameList},
		{"MPInt", "00000001 00", "f", 0, wire.ErrMPInt},
		{"MPInt", "00000002 007f", "f", 0, wire.ErrMPInt},
		{"MPInt", "00000002 ffff", "f", 0, wire.ErrMPInt},
		{"LenInt", "fb", "f", 0, wire.ErrValue},
		{"LenInt", "ff", "f", 0, wire.ErrValue},
		{"LenInt", "fe 00", "f", 0, wire.ErrShort},
		{"LenBytes", "03 0000", "f", 0, wire.ErrShort},
		{"LenText", "fe ffffffffffffffff", "f", 0, wire.ErrShort},
		{"List", "00000002 0001 00", "f", 4, wire.ErrShort},
		{"List", "ffffffff 0001 0002", "f", 4, wire.ErrShort},
		{"ListN 2", "0001", "f", 0, wire.ErrShort},
		{"ListRest", "0001 00", "e", 2, wire.ErrShort},
		{"empty element", "00", "f", 0, wire.ErrRange},
		{"Bits 3+13", "00", "g", 0, wire.ErrShort},
		{"Bits 3", "00", "", 0, wire.ErrBits},
		{"Bits 3+U8", "0000", "g", 0, wire.ErrBits},
		{"Sized", "00000002 0000", "f", 5, wire.ErrExcess},
		{"Sized", "00000000 00", "g", 4, wire.ErrShort},
		{"Sized", "00000002 00", "f", 4, wire.ErrShort},
		{"Within 2", "0000", "f", 1, wire.ErrExcess},
		{"Within 1", "", "f", 0, wire.ErrShort},
	}
	for _, tt := range tests {
		m := &one{code: primitives[tt.primitive]}
		err := wire.Parse(wiretest.Hex(tt.layout), m, wire.Dialect{})
		var e *wire.Error
		if !errors.As(err, &e) || e.Field != tt.field || e.Off != tt.off || !errors.Is(err, tt.err) {
			t.Errorf("%s: Parse(%s) = %v, want %q at byte %d: %v", tt.primitive, tt.layout, err, tt.field, tt.off, tt.err)
		}
	}
}

// What is read more liberally than it is written.
func TestLiberalReading(t *testing.T) {
	m := &one{code: primitives["Bool"]}
	fields, err := wire.Describe([]byte{7}, m, wire.Dialect{})
	if err != nil || !m.ok || len(fields) != 1 || fields[0].Value != uint8(7) {
		t.Errorf("a bool of 7 = %v, described as %+v, %v; want true, described as 7", m.ok, fields, err)
	}
	m = &one{code: primitives["LenInt"]}
	if err := wire.Parse(wiretest.Hex("fc 0100"), m, wire.Dialect{}); err != nil || m.u64 != 1 {
		t.Errorf("a long form of 1 = %d, %v", m.u64, err)
	}
}

func TestMPIntBody(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"\x00\x00", ""},
		{"\x00\x7f", "\x7f"},
		{"\x80", "\x00\x80"},
		{"\x00\x80", "\x00\x80"},
		{"\x01\x00", "\x01\x00"},
	}
	for _, tt := range tests {
		if got := wire.MPIntBody([]byte(tt.in)); string(got) != tt.want {
			t.Errorf("MPIntBody(%x) = %x, want %x", tt.in, got, tt.want)
		}
	}
}

// One Coder serves one message after another, whatever happened before.
func TestCoderReuse(t *testing.T) {
	var c wire.Coder
	bits := &one{code: primitives["Bits 3"]}
	for range 3 {
		if _, err := c.Append(nil, bits, wire.Dialect{}); !errors.Is(err, wire.ErrBits) {
			t.Fatalf("Append of open bits = %v", err)
		}
		if err := c.Parse([]byte{0}, bits, wire.Dialect{}); !errors.Is(err, wire.ErrBits) {
			t.Fatalf("Parse of open bits = %v", err)
		}
		w := &write{ID: 1, Data: []byte("x")}
		b, err := c.Append(nil, w, wire.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		back := new(write)
		if n, err := c.ParsePrefix(append(b, "more"...), back, wire.Dialect{}); err != nil || n != len(b) || wiretest.Diff(back, w) != "" {
			t.Fatalf("ParsePrefix = %d, %v, %+v; want %d bytes of %+v", n, err, back, len(b), w)
		}
	}
}
