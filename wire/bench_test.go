package wire_test

import (
	"testing"

	"github.com/wirelark/wirelark/wire"
)

func sampleNames(n int) *nameReply {
	m := &nameReply{ID: 1}
	for range n {
		m.Names = append(m.Names, nameEntry{Name: "file.txt", Long: "-rw-r--r-- 1 me me 9 file.txt", Flags: attrSize, Size: 9})
	}
	return m
}

// The hot path costs no allocation with a Coder of one's own.
func TestNoAllocations(t *testing.T) {
	var c wire.Coder
	m := &write{ID: 1, Handle: []byte("handle"), Offset: 1 << 20, Data: make([]byte, 32<<10)}
	buf := make([]byte, 0, 40<<10)
	var err error
	if n := testing.AllocsPerRun(100, func() { buf, err = c.Append(buf[:0], m, wire.Dialect{}) }); n != 0 || err != nil {
		t.Errorf("encoding allocates %v times, %v", n, err)
	}
	back := new(write)
	if n := testing.AllocsPerRun(100, func() { err = c.Parse(buf, back, wire.Dialect{}) }); n != 0 || err != nil {
		t.Errorf("decoding allocates %v times, %v", n, err)
	}
	if len(back.Data) != len(m.Data) || &back.Data[0] != &buf[len(buf)-len(m.Data)] {
		t.Error("decoded data does not alias the input")
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, bm := range []struct {
		name string
		m    wire.Message
	}{
		{"Write/32KiB", &write{ID: 1, Handle: []byte("handle"), Data: make([]byte, 32<<10)}},
		{"Write/0", &write{ID: 1, Handle: []byte("handle")}},
		{"Names/100", sampleNames(100)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			var c wire.Coder
			buf, _ := c.Append(nil, bm.m, wire.Dialect{3})
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = c.Append(buf[:0], bm.m, wire.Dialect{3})
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, bm := range []struct {
		name string
		m    wire.Message
		into wire.Message
	}{
		{"Write/32KiB", &write{ID: 1, Handle: []byte("handle"), Data: make([]byte, 32<<10)}, new(write)},
		{"Write/0", &write{ID: 1, Handle: []byte("handle")}, new(write)},
		{"Names/100", sampleNames(100), new(nameReply)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			var c wire.Coder
			buf, _ := c.Append(nil, bm.m, wire.Dialect{3})
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Parse(buf, bm.into, wire.Dialect{3}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDescribe(b *testing.B) {
	buf, _ := wire.Append(nil, sampleNames(100), wire.Dialect{3})
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Describe(buf, new(nameReply), wire.Dialect{3}); err != nil {
			b.Fatal(err)
		}
	}
}
