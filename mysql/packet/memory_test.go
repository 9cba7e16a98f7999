package packet

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// endless is a net.Conn that says the same again and again and hears nothing.
type endless struct {
	net.Conn
	in []byte
	at int
}

func (e *endless) Read(b []byte) (int, error) {
	if e.at == len(e.in) {
		e.at = 0
	}
	n := copy(b, e.in[e.at:])
	e.at += n
	return n, nil
}

func (e *endless) Write(b []byte) (int, error)      { return len(b), nil }
func (e *endless) Close() error                     { return nil }
func (e *endless) SetDeadline(time.Time) error      { return nil }
func (e *endless) SetReadDeadline(time.Time) error  { return nil }
func (e *endless) SetWriteDeadline(time.Time) error { return nil }

// rows returns 256 packets of n bytes, whose numbers are right again and again.
func rows(n int) []byte {
	var b []byte
	for i := range 256 {
		b = append(b, byte(n), byte(n>>8), byte(n>>16), byte(i))
		b = append(b, make([]byte, n)...)
	}
	return b
}

func TestReadAllocatesNothing(t *testing.T) {
	for _, n := range []int{0, 5, 100, 4096, 70000} {
		c := New(&endless{in: rows(n)}, nil)
		read := func() {
			for range 256 {
				if p, err := c.ReadPacket(); err != nil || len(p) != n {
					t.Fatalf("ReadPacket() = %d bytes, %v", len(p), err)
				}
			}
		}
		read()
		if got := testing.AllocsPerRun(20, read); got > poolLoss {
			t.Errorf("%v allocations for 256 packets of %d bytes, want 0", got, n)
		}
	}
}

// TestReadCompressedAllocates: what remains is two small ones a frame, inside
// compress/zlib.
func TestReadCompressedAllocates(t *testing.T) {
	for _, a := range []Compression{Zlib, Zstd} {
		d, err := newDeflater(a, 0)
		if err != nil {
			t.Fatal(err)
		}
		var in []byte
		all := rows(100)
		const frames = 10
		for i := range frames { // that do not end with a packet
			from, to := i*len(all)/frames, (i+1)*len(all)/frames
			in = d.frame(in, all[from:to], byte(i))
		}
		c := New(&endless{in: in}, nil)
		if err := c.StartCompression(a, 0); err != nil {
			t.Fatal(err)
		}
		read := func() {
			for range 256 {
				if p, err := c.ReadPacket(); err != nil || len(p) != 100 {
					t.Fatalf("ReadPacket() = %d bytes, %v", len(p), err)
				}
			}
		}
		read()
		if got := testing.AllocsPerRun(20, read); got > 2*frames+poolLoss {
			t.Errorf("%v: %v allocations for 256 packets in %d frames", a, got, frames)
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	c := New(&endless{}, nil)
	row := make([]byte, 100)
	write := func() {
		for range 100 {
			c.Seal(append(c.Open(), row...))
			c.AppendPayload(row)
		}
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	write()
	if got := testing.AllocsPerRun(20, write); got > poolLoss {
		t.Errorf("%v allocations for 200 packets, want 0", got)
	}
}

// held returns the bytes of buffers that a connection keeps.
func (c *Conn) held() int { return len(c.in.plain.b) + len(c.in.raw.b) + cap(c.out.buf) }

func TestIdleHoldsLittle(t *testing.T) {
	c := New(&endless{in: rows(70000)}, nil)
	for range 3 {
		if _, err := c.ReadPacket(); err != nil {
			t.Fatal(err)
		}
	}
	c.AppendPayload(make([]byte, 100000))
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	for c.in.plain.size() > 0 {
		c.in.plain.r++ // as if the peer had ended there
	}
	c.Rest()
	if got := c.held(); got > smallBuffer {
		t.Errorf("an idle connection holds %d bytes", got)
	}
}

// TestCompressionIsShared: what the algorithms need is not kept by connections.
func TestCompressionIsShared(t *testing.T) {
	for _, a := range []Compression{Zlib, Zstd} {
		var before, after runtime.MemStats
		var all []*Conn
		runtime.GC()
		runtime.ReadMemStats(&before)
		for range 100 {
			c := New(&endless{}, nil)
			if err := c.StartCompression(a, 0); err != nil {
				t.Fatal(err)
			}
			c.AppendPayload(make([]byte, 1000))
			if err := c.Flush(); err != nil {
				t.Fatal(err)
			}
			c.Rest()
			all = append(all, c)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if got := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / 100; got > 48<<10 {
			t.Errorf("%v: an idle connection holds %d bytes", a, got)
		}
		runtime.KeepAlive(all)
	}
}

// TestShrink sees a buffer that grew for one big packet go back while small ones
// follow.
func TestShrink(t *testing.T) {
	big := make([]byte, 5<<20)
	in := append([]byte{0, 0, 0x50, 0}, big...)
	for i := 1; i < 1000; i++ {
		in = append(in, 100, 0, 0, byte(i))
		in = append(in, make([]byte, 100)...)
	}
	c := New(&endless{in: in}, nil)
	for i := range 1000 {
		p, err := c.ReadPacket()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 && (len(p) != len(big) || len(c.in.plain.b) > len(big)+2*largeBuffer) {
			t.Errorf("%d bytes of buffer for a packet of %d", len(c.in.plain.b), len(p))
		}
	}
	if got := c.held(); got > largeBuffer {
		t.Errorf("after 999 small packets the connection holds %d bytes", got)
	}
}

// TestAnnouncedSizesReserveNothing sends headers that promise much.
func TestAnnouncedSizesReserveNothing(t *testing.T) {
	plain := []byte{0xff, 0xff, 0xff, 0, 1, 2, 3}
	stored := []byte{0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 2, 3}
	zipped := []byte{0xff, 0xff, 0, 0, 0xff, 0xff, 0xff, 1, 2, 3}
	for _, in := range [][]byte{plain, stored, zipped} {
		var before, after runtime.MemStats
		c := New(&ending{in: in}, nil)
		if in[3] == 0 && len(in) > 7 {
			if err := c.StartCompression(Zlib, 0); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&before)
		_, err := c.ReadPacket()
		runtime.ReadMemStats(&after)
		if err != io.ErrUnexpectedEOF {
			t.Errorf("% x: %v", in[:7], err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 4*largeBuffer {
			t.Errorf("% x: %d bytes were reserved for %d that came", in[:7], got, len(in))
		}
	}
}

// ending is a net.Conn that says something and ends.
type ending struct {
	endless
	in []byte
}

func (e *ending) Read(b []byte) (int, error) {
	if len(e.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, e.in)
	e.in = e.in[n:]
	return n, nil
}

func BenchmarkReadPacket(b *testing.B) {
	c := New(&endless{in: rows(100)}, nil)
	b.ReportAllocs()
	b.SetBytes(104)
	for b.Loop() {
		if _, err := c.ReadPacket(); err != nil {
			b.Fatal(err)
		}
	}
}
