package wire_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

// tree renders fields for comparison: name@bit+bits=value and flags.
func tree(fields []wire.Field, indent string) string {
	var b strings.Builder
	names := []string{"secret", "derived", "many", "element", "node", "bad", "open", "loose"}
	for i := range fields {
		f := &fields[i]
		fmt.Fprintf(&b, "%s%s@%d+%d", indent, f.Name, f.Off, f.Bits)
		if f.Value != nil {
			fmt.Fprintf(&b, "=%v", f.Value)
		}
		for j, n := range names {
			if f.Is(1 << j) {
				b.WriteString(" " + n)
			}
		}
		b.WriteString("\n" + tree(f.Kids, indent+"  "))
	}
	return b.String()
}

func TestDescribe(t *testing.T) {
	tests := []struct {
		name    string
		m       wire.Message
		dialect wire.Dialect
		layout  string
		want    string
		err     string
	}{
		{
			"whole", new(nameReply), wire.Dialect{6}, `00000007 00000001 00000001 "a" 00000001 05 0000000000000009 01`, `
id@0+32=7
names@32+176 many node
  count@32+32=1
  0@64+144 element node
    filename@64+40=a
    attrs@104+104 node
      flags@104+32=1
      type@136+8=5
      size@144+64=9
end_of_list@208+8=true open
`, "",
		},
		{
			"cut", new(nameReply), wire.Dialect{3}, `00000007 00000001 00000001 "a" 00000000 00000001 0000`, `
id@0+32=7
names@32+136 many node
  count@32+32=1
  0@64+104 element node
    filename@64+40=a
    longname@104+32=
    attrs@136+32 node
      flags@136+32=1
undecoded@168+16=[0 0] bad
`, "wire_test.nameReply: names[0].attrs.size at byte 21: message ends too early",
		},
		{
			"excess", new(write), wire.Dialect{}, `00000007 00000000 0000000000000001 00000000 ffff`, `
id@0+32=7
handle@32+32=[]
offset@64+64=1
data@128+32=[]
excess@160+16=[255 255] bad
`, "",
		},
		{
			"secret and rest", new(authRequest), wire.Dialect{}, `00000000 00000000 00000008 "password" 00000001 "p"`, `
user@0+32=
service@32+32=
method@64+96=password
password@160+40=p secret
`, "",
		},
		{
			"rest", new(authRequest), wire.Dialect{}, `00000000 00000000 00000000 01`, `
user@0+32=
service@32+32=
method@64+32=
method_data@96+8=[1] open loose
`, "",
		},
		{
			"broken bits", new(ipHeader), wire.Dialect{}, `45000014 00000000`, `
version@0+4=4
header_words@4+4=5
service@8+8=0
total_length@16+16=20
identification@32+16=0
reserved@48+1=false
dont_fragment@49+1=false
more_fragments@50+1=false
fragment_offset@51+13=0
`, "wire_test.ipHeader: time_to_live at byte 8: message ends too early",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fields, err := wire.Describe(wiretest.Hex(tt.layout), tt.m, tt.dialect)
			if got := "\n" + tree(fields, ""); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
			if got := fmt.Sprint(err); err != nil && got != tt.err || err == nil && tt.err != "" {
				t.Errorf("error = %v, want %v", err, tt.err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	fields := []wire.Field{{Name: "a"}, {Name: "g", Kids: []wire.Field{{Name: "0", Kids: []wire.Field{{Name: "x", Off: 13, Bits: 4}}}}}}
	f := wire.Find(fields, "g", "0", "x")
	if f == nil || f.Name != "x" {
		t.Fatalf("Find = %+v, want x", f)
	}
	if off, n := f.Bytes(); off != 1 || n != 2 {
		t.Errorf("Bytes = %d, %d; want the two bytes from 1 on that its bits touch", off, n)
	}
	for _, path := range [][]string{{"b"}, {"a", "x"}, {"g", "1"}, nil} {
		if f := wire.Find(fields, path...); f != nil {
			t.Errorf("Find(%v) = %+v, want nil", path, f)
		}
	}
}

// A list of the smallest elements that a peer can send must not take time that
// grows with the square of their number.
func TestDescribeLongList(t *testing.T) {
	const n = 60000
	b := append([]byte{0, 0, n >> 8, n & 0xff}, make([]byte, 2*n)...)
	m := &one{code: primitives["List"]}
	start := time.Now()
	fields, err := wire.Describe(b, m, wire.Dialect{})
	if err != nil || len(m.list) != n || len(fields) != 1 || fields[0].Kids[n].Name != fmt.Sprint(n-1) {
		t.Fatalf("Describe: %v, %d elements", err, len(m.list))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("describing %d elements took %v", n, took)
	}
}

func TestRegistry(t *testing.T) {
	if got := messages.Proto(); got != "test" {
		t.Errorf("Proto = %q", got)
	}
	tests := []struct {
		context string
		number  uint8
		want    string
	}{
		{"", 50, "AUTH_REQUEST"},
		{"other", 1, "OTHER_ODDS"},
		{"", 1, "ODDS"},
		{"other", 50, "AUTH_REQUEST"},
		{"nowhere", 1, "ODDS"},
	}
	for _, tt := range tests {
		if e := messages.Find(tt.context, tt.number); e == nil || e.Name != tt.want {
			t.Errorf("Find(%q, %d) = %+v, want %s", tt.context, tt.number, e, tt.want)
		}
	}
	if e := messages.Find("", 99); e != nil {
		t.Errorf("Find of nothing = %+v", e)
	}
	if got := messages.Name(&one{}); got != "wire_test.one" {
		t.Errorf("Name of a stranger = %q, want its type", got)
	}
	var e *wire.Error
	if err := messages.Parse(nil, new(write), wire.Dialect{}); !errors.As(err, &e) || e.Field != "number" {
		t.Errorf("Parse of no bytes = %v", err)
	}
	if _, err := messages.Describe(nil, new(write), wire.Dialect{}); !errors.As(err, &e) || e.Field != "number" {
		t.Errorf("Describe of no bytes = %v", err)
	}
	if err := messages.Parse([]byte{6, 0}, new(write), wire.Dialect{}); err == nil || err.Error() != "WRITE: id at byte 0: message ends too early" {
		t.Errorf("Parse of two bytes = %v", err)
	}
	fields, err := messages.Describe([]byte{6, 0, 0, 0, 1}, new(write), wire.Dialect{})
	want := []wire.Field{{Name: "number", Bits: 8, Value: uint8(6)}, {Name: "id", Off: 8, Bits: 32, Value: uint32(1)}}
	if !reflect.DeepEqual(fields, want) || err == nil {
		t.Errorf("Describe = %+v, %v; want %+v and an error", fields, err, want)
	}
}

func TestRegistryPanicsOnABrokenTable(t *testing.T) {
	a := wire.Entry{Number: 1, Name: "A", New: wire.New[write]}
	tests := []struct {
		name    string
		entries []wire.Entry
	}{
		{"a number twice", []wire.Entry{a, {Number: 1, Name: "B", New: wire.New[odds]}}},
		{"a type twice", []wire.Entry{a, {Number: 2, Name: "B", New: wire.New[write]}}},
	}
	for _, tt := range tests {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "internal error:") {
					t.Errorf("%s: %v, want an internal error", tt.name, r)
				}
			}()
			wire.NewRegistry("broken", tt.entries...)
		}()
	}
}

func TestDirections(t *testing.T) {
	if wire.C2S.Reverse() != wire.S2C || wire.S2C.Reverse() != wire.C2S || wire.C2S.String() != "c2s" || wire.S2C.String() != "s2c" {
		t.Error("directions are confused")
	}
	tests := []struct {
		from     wire.From
		c2s, s2c bool
	}{{wire.FromEither, true, true}, {wire.FromClient, true, false}, {wire.FromServer, false, true}}
	for _, tt := range tests {
		if tt.from.Allows(wire.C2S) != tt.c2s || tt.from.Allows(wire.S2C) != tt.s2c {
			t.Errorf("From(%d) allows %v, %v; want %v, %v", tt.from, tt.from.Allows(wire.C2S), tt.from.Allows(wire.S2C), tt.c2s, tt.s2c)
		}
	}
}

func TestFlagNames(t *testing.T) {
	names := []string{"A", "", "C"}
	for v, want := range map[uint64]string{0: "0", 1: "A", 2: "0x2", 5: "A|C", 1<<40 | 4: "C|0x10000000000"} {
		if got := wire.FlagNames(v, names); got != want {
			t.Errorf("FlagNames(%#x) = %q, want %q", v, got, want)
		}
	}
}
