package wire_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/wirelark/wirelark/wire"
)

// header uses every primitive for packet headers.
type header struct {
	Size wire.Auto[uint8] // bytes of Options
	Kind uint8
	Addr netip.Addr
	Opts []uint8
	Tags []tag
}

type tag struct{ Value []byte }

func (m *header) Fields(c *wire.Coder) {
	c.Suggest(4, 0, 9)
	wire.AutoBits(c, "size", 4, &m.Size, uint8(len(m.Opts)))
	wire.Bits(c, "kind", 4, &m.Kind)
	c.Addr("addr", 4, &m.Addr)
	wire.ListWithin(c, "opts", int(m.Size.V), &m.Opts, func(o *uint8, c *wire.Coder) { c.U8("opt", o) })
	wire.ListUntil(c, "tags", []byte{0, 0}, &m.Tags, func(t *tag, c *wire.Coder) { c.Bytes16("value", &t.Value) })
}

func TestHeaderPrimitives(t *testing.T) {
	m := &header{Kind: 5, Addr: netip.MustParseAddr("10.0.0.1"), Opts: []uint8{7, 8}, Tags: []tag{{[]byte("ab")}}}
	got, err := wire.Append(nil, m, wire.Dialect{})
	want := []byte{0x25, 10, 0, 0, 1, 7, 8, 0, 2, 'a', 'b', 0, 0}
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("Append = %x, %v, want %x", got, err, want)
	}
	fields, err := wire.Describe(want, &header{}, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	if f := wire.Find(fields, "opts", "1", "opt"); f == nil || f.Off != 48 || f.Value != uint8(8) {
		t.Errorf("opts[1] = %+v, want the byte 8 at bit 48", f)
	}
	if f := wire.Find(fields, "tags", "end"); f == nil || f.Off != 88 {
		t.Errorf("end = %+v, want it at bit 88", f)
	}
	if f := wire.Find(fields, "addr"); f == nil || f.Value != m.Addr {
		t.Errorf("addr = %+v, want %v", f, m.Addr)
	}
}

func TestHeaderPrimitivesRefuse(t *testing.T) {
	v4 := netip.MustParseAddr("10.0.0.1")
	for _, row := range []struct {
		name string
		m    header
		want error
	}{
		{"an IPv6 address in four bytes", header{Addr: netip.IPv6Loopback()}, wire.ErrRange},
		{"no address", header{}, wire.ErrRange},
		{"an element like the end", header{Addr: v4, Tags: []tag{{}}}, wire.ErrValue},
		{"a long value", header{Addr: v4, Tags: []tag{{make([]byte, 65536)}}}, wire.ErrTooLong},
		{"more options than four bits count", header{Addr: v4, Opts: make([]uint8, 16)}, wire.ErrRange},
	} {
		t.Run(row.name, func(t *testing.T) {
			if b, err := wire.Append(nil, &row.m, wire.Dialect{}); !errors.Is(err, row.want) {
				t.Errorf("Append = %x, %v, want %v", b, err, row.want)
			}
		})
	}
	whole := []byte{0x25, 10, 0, 0, 1, 7, 8, 0, 2, 'a', 'b', 0, 0}
	for n := range whole {
		if err := wire.Parse(whole[:n], &header{}, wire.Dialect{}); !errors.Is(err, wire.ErrShort) {
			t.Errorf("Parse of %d bytes = %v, want %v", n, err, wire.ErrShort)
		}
	}
}

func TestSuggest(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 1))
	seen := map[uint8]bool{}
	for range 300 {
		var m header
		b, err := wire.Generate(&m, wire.Dialect{}, src, nil)
		if errors.Is(err, wire.ErrValue) {
			continue // an empty tag was made up
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Size.V > 9 || len(m.Opts) != int(m.Size.V) {
			t.Fatalf("generated size %d with %d options, want at most 9 and as many", m.Size.V, len(m.Opts))
		}
		seen[m.Size.V] = true
		if err := wire.Parse(b, &header{}, wire.Dialect{}); err != nil {
			t.Fatalf("Parse(%x): %v", b, err)
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d different sizes were made up, want 10", len(seen))
	}
}
