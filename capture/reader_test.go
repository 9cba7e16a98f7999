package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/wirelark/wirelark/capture"
)

func TestReadPcap(t *testing.T) {
	for _, row := range []struct {
		name  string
		magic uint32
		want  []string
	}{
		{"microseconds", 0xa1b2c3d4, []string{
			`frame 1 2020-09-13T12:26:40.123456Z on 0 ETHERNET "abc" of 60 flags 0 comments []`,
			`frame 2 2020-09-13T12:26:41.999999Z on 0 ETHERNET "" of 0 flags 0 comments []`,
		}},
		{"nanoseconds", 0xa1b23c4d, []string{
			`frame 1 2020-09-13T12:26:40.000123456Z on 0 ETHERNET "abc" of 60 flags 0 comments []`,
			`frame 2 2020-09-13T12:26:41.000999999Z on 0 ETHERNET "" of 0 flags 0 comments []`,
		}},
	} {
		for _, o := range orders {
			t.Run(row.name+" "+o.name, func(t *testing.T) {
				b := pcapFile(o.order, row.magic).b
				got, err := readAll(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, row.want)
				cuts(t, b, row.want)
			})
		}
	}
}

func TestReadPcapng(t *testing.T) {
	for _, o := range orders {
		t.Run(o.name, func(t *testing.T) {
			b := mixed(o.order).b
			got, err := readAll(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, mixedWant)
			got, err = readAll(iotest.OneByteReader(bytes.NewReader(b)))
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, mixedWant)
			cuts(t, b, mixedWant)
		})
	}
}

// cuts reads every beginning of the file b, whose items are want: all whole
// items come out, then the error that says where it ends.
func cuts(t *testing.T, b []byte, want []string) {
	t.Helper()
	most := 0
	for n := range b {
		got, err := readAll(bytes.NewReader(b[:n]))
		if err != nil && !truncated(err) {
			t.Fatalf("the first %d bytes: error %v, want a TruncatedError", n, err)
		}
		if err == nil && n > 0 && len(got) == 0 && !bytes.Equal(b[:4], b[n-4:n]) && n != 24 {
			t.Fatalf("the first %d bytes are a whole file without an item", n)
		}
		if len(got) < most || !slices.Equal(got, want[:len(got)]) {
			t.Fatalf("the first %d bytes: got %q, want a beginning of the whole list with at least %d items", n, got, most)
		}
		most = len(got)
	}
	if most != len(want)-1 {
		t.Errorf("all bytes but the last give %d items, want %d", most, len(want)-1)
	}
}

func TestReadGrowingFile(t *testing.T) {
	b := mixed(binary.LittleEndian).b
	grow := &growing{b: b, n: 8}
	d, err := capture.NewReader(grow)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < len(mixedWant) {
		item, err := d.Next()
		switch {
		case err == nil:
			got = append(got, show(item))
		case err == io.EOF || truncated(err):
			if grow.n == len(b) {
				t.Fatalf("the whole file is there: %v after %d items", err, len(got))
			}
			grow.n++
		default:
			t.Fatal(err)
		}
	}
	same(t, got, mixedWant)
	if got := d.Offset(); got != int64(len(b)) {
		t.Errorf("Offset = %d, want %d", got, len(b))
	}
}

// growing is a file of which n bytes are written.
type growing struct {
	b     []byte
	at, n int
}

func (g *growing) Read(p []byte) (int, error) {
	n := copy(p, g.b[g.at:g.n])
	g.at += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func TestInterfacesStay(t *testing.T) {
	d, err := capture.NewReader(bytes.NewReader(mixed(binary.BigEndian).b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := d.Next(); err != nil {
			break
		}
	}
	var names []string
	for i, x := range d.Interfaces() {
		names = append(names, x.Name+" "+x.Link.String())
		if x.Index != i || x.Raw().Type != capture.BlockInterface {
			t.Errorf("interface %d says it is %d, from a block %s", i, x.Index, x.Raw().Type)
		}
	}
	if want := []string{"eth0 ETHERNET", " RAW", " NULL"}; !slices.Equal(names, want) {
		t.Errorf("interfaces %q, want %q", names, want)
	}
}

func TestBrokenFiles(t *testing.T) {
	le := binary.LittleEndian
	begun := func(more func(f *file)) []byte {
		f := &file{order: le}
		f.section().iface(1, 0)
		more(f)
		return f.b
	}
	for _, row := range []struct {
		name string
		b    []byte
		want error
		off  int64
	}{
		{"a text", []byte("Hello, this is not a capture file.\n"), capture.ErrFormat, 0},
		{"pcap of another version", (&file{order: le}).u32(0xa1b2c3d4).u16(3, 0).u32(0, 0, 0, 1).b, capture.ErrVersion, 0},
		{"pcap variant", (&file{order: le}).u32(0xa1b2cd34).u16(2, 4).u32(0, 0, 0, 1).b, capture.ErrFormat, 0},
		{"pcap record too long", pcapFile(le, 0xa1b2c3d4).u32(0, 0, capture.MaxBlock, 1).b, capture.ErrLimit, 59},
		{"section without its magic", (&file{order: le}).u32(0x0a0d0d0a, 28, 5).b, capture.ErrFormat, 0},
		{"section of another version", (&file{order: le}).block(0x0a0d0d0a, func() {}).b, capture.ErrFormat, 0},
		{"block too long", begun(func(f *file) { f.u32(6, capture.MaxBlock+4, 0) }), capture.ErrLimit, 48},
		{"block too short", begun(func(f *file) { f.u32(6, 8, 0) }), capture.ErrLength, 48},
		{"block length not in words", begun(func(f *file) { f.u32(6, 13, 0) }), capture.ErrLength, 48},
		{"two lengths", begun(func(f *file) { f.u32(99, 12, 16) }), capture.ErrLength, 48},
		{"frame without room", begun(func(f *file) { f.block(6, func() { f.u32(0, 0, 0, 5, 5).text("abcd") }) }), capture.ErrLength, 48},
		{"frame of no interface", begun(func(f *file) { f.packet(1, 0, "", 0) }), capture.ErrInterface, 48},
		{"simple packet of no interface", (&file{order: le}).section().block(3, func() {}).b, capture.ErrLength, 28},
		{"secrets without room", begun(func(f *file) { f.block(10, func() { f.u32(1, 5).text("abcd") }) }), capture.ErrLength, 48},
		{"interface without room", begun(func(f *file) { f.block(1, func() {}) }), capture.ErrLength, 48},
		{"interface of the last section", begun(func(f *file) { f.section().packet(0, 0, "", 0) }), capture.ErrInterface, 76},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := readAll(bytes.NewReader(row.b))
			var e *capture.FormatError
			if !errors.As(err, &e) || !errors.Is(err, row.want) || e.Off != row.off {
				t.Errorf("error = %v, want %v at byte %d", err, row.want, row.off)
			}
		})
	}
	if _, err := readAll(bytes.NewReader(nil)); !truncated(err) {
		t.Errorf("empty file: error = %v, want a TruncatedError", err)
	}
	broken := errors.New("disk on fire")
	if _, err := readAll(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("reader's error = %v, want %v", err, broken)
	}
}

func TestManyInterfacesAreRefused(t *testing.T) {
	f := &file{order: binary.LittleEndian}
	f.section()
	for range capture.MaxInterfaces/(60<<10) + 10 {
		f.iface(1, 0, f.option(2, string(make([]byte, 60<<10))))
	}
	if _, err := readAll(bytes.NewReader(f.b)); !errors.Is(err, capture.ErrLimit) {
		t.Errorf("error = %v, want %v", err, capture.ErrLimit)
	}
}

func TestLengthsAreNotBelieved(t *testing.T) {
	f := &file{order: binary.LittleEndian}
	f.section().u32(6, capture.MaxBlock, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readAll(bytes.NewReader(f.b))
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; !truncated(err) || got > 1<<20 {
		t.Errorf("a cut block of %d bytes: %v, %d bytes allocated, want at most 1 MiB", capture.MaxBlock, err, got)
	}
}

func TestTimeStamps(t *testing.T) {
	for _, row := range []struct {
		name   string
		resol  string
		offset string
		ts     uint64
		want   time.Time
	}{
		{"seconds", "\x00", "", 5, time.Unix(5, 0)},
		{"milliseconds", "\x03", "", 5_001, time.Unix(5, 1e6)},
		{"default", "", "", 5_000_001, time.Unix(5, 1000)},
		{"picoseconds", "\x0c", "", 5_000_000_001_999, time.Unix(5, 1)},
		{"10^-19", "\x13", "", 10_000_000_000_000_000_000, time.Unix(1, 0)},
		{"10^-40", "\x28", "", 1 << 63, time.Unix(0, 0)},
		{"2^0", "\x80", "", 7, time.Unix(7, 0)},
		{"2^-10", "\x8a", "", 7<<10 | 512, time.Unix(7, 5e8)},
		{"2^-32", "\xa0", "", 7<<32 | 1<<31, time.Unix(7, 5e8)},
		{"2^-63", "\xbf", "", 1<<63 | 1<<62, time.Unix(1, 5e8)},
		{"2^-64", "\xc0", "", 1 << 63, time.Unix(0, 5e8)},
		{"2^-127", "\xff", "", 1 << 63, time.Unix(0, 0)},
		{"offset", "\x09", "\x00\x00\x00\x00\x00\x00\x00\x64", 5, time.Unix(100, 5)},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := &file{order: binary.BigEndian}
			f.section()
			var options []func()
			if row.resol != "" {
				options = append(options, f.option(9, row.resol))
			}
			if row.offset != "" {
				options = append(options, f.option(14, row.offset))
			}
			f.iface(1, 0, options...).packet(0, row.ts, "x", 1)
			d, err := capture.NewReader(bytes.NewReader(f.b))
			if err != nil {
				t.Fatal(err)
			}
			var copied bytes.Buffer
			w := capture.NewWriter(&copied, nil)
			for {
				item, err := d.Next()
				if err != nil {
					break
				}
				frame, ok := item.(*capture.Frame)
				if !ok {
					if err := w.WriteBlock(item.Raw()); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if !frame.Time.Equal(row.want) {
					t.Errorf("time = %v, want %v", frame.Time, row.want.UTC())
				}
				// A new frame on the copied interface has its clock.
				err = w.WriteFrame(frame)
				if resol := row.resol; err != nil && (resol == "" || resol[0]&0x7f < 20) {
					t.Errorf("WriteFrame: %v", err)
				}
			}
		})
	}
}

func TestReadAllocatesNothingPerFrame(t *testing.T) {
	var b bytes.Buffer
	w := capture.NewWriter(&b, nil)
	if _, err := w.AddInterface(capture.Interface{Link: capture.LinkEthernet}); err != nil {
		t.Fatal(err)
	}
	frame := capture.Frame{Time: time.Unix(1, 2), Data: make([]byte, 90)}
	if got := testing.AllocsPerRun(5000, func() {
		if err := w.WriteFrame(&frame); err != nil {
			t.Fatal(err)
		}
	}); got > 0 {
		t.Errorf("WriteFrame allocates %v times a frame, want 0", got)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pcapng", "pcap"} {
		data := b.Bytes()
		if name == "pcap" {
			data = pcapOf(t, 6000, 90)
		}
		d, err := capture.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 { // past the headers and the first buffer
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
		}
		if got := testing.AllocsPerRun(4000, func() {
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
		}); got > 0 {
			t.Errorf("Next of %s allocates %v times a frame, want 0", name, got)
		}
	}
}

func pcapOf(t testing.TB, frames, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := capture.NewPcapWriter(&b, capture.LinkEthernet, 0)
	for i := range frames {
		if err := w.WriteFrame(&capture.Frame{Time: time.Unix(int64(i), 5), Data: make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []int{90, 1447} {
		data := pcapOf(b, 20000, size)
		b.Run(map[int]string{90: "small", 1447: "large"}[size], func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				d, err := capture.NewReader(bytes.NewReader(data))
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = d.Next()
				}
			}
			b.ReportMetric(20000*float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}
