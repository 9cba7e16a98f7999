package packet_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

// FuzzPackets reads arbitrary bytes as a connection and as a decoder do: neither
// panics or keeps more than it got, and they agree while the connection goes.
func FuzzPackets(f *testing.F) {
	stream, _ := talk(0, 1, 300, 5)
	f.Add(stream, uint8(0), uint8(7), uint16(0))
	f.Add(frame(zlibbed(f, stream), 0, len(stream)), uint8(1), uint8(200), uint16(0))
	f.Add(frame(zstded(f, stream), 0, len(stream)), uint8(2), uint8(3), uint16(0))
	f.Add(append(frame(stream[:200], 0, 0), frame(zlibbed(f, stream[200:]), 1, len(stream)-200)...), uint8(1), uint8(50), uint16(99))
	f.Add([]byte{0xff, 0xff, 0xff, 0, 1, 2}, uint8(0), uint8(0), uint16(3))
	f.Add(frame([]byte{1, 2, 3}, 0, packet.MaxPiece), uint8(1), uint8(0), uint16(2))
	f.Fuzz(func(t *testing.T, b []byte, algorithm, chunk uint8, hole uint16) {
		const limit = 1 << 20
		a := packet.Compression(algorithm % 3)
		c := packet.New(&script{in: b, chunk: int(chunk)}, &packet.Config{Limit: limit})
		defer c.Close()
		s := packet.Splitter{Limit: limit}
		if a != packet.NoCompression {
			if err := c.StartCompression(a, 1); err != nil {
				t.Fatal(err)
			}
			if err := s.Compress(a); err != nil {
				t.Fatal(err)
			}
		}
		s.Feed(b, nil)
		for range 1000 {
			got, err := c.ReadPacket()
			if err != nil {
				if _, again := c.ReadPacket(); again != err {
					t.Fatalf("the error %v is followed by %v", err, again)
				}
				break
			}
			want, ok := s.Next()
			if !ok || want.Err != nil || !bytes.Equal(got, want.Data) {
				t.Fatalf("the connection read %d bytes, the splitter %d, %v %v", len(got), len(want.Data), ok, want.Err)
			}
		}

		holed := packet.Splitter{Limit: limit}
		if a != packet.NoCompression {
			if err := holed.Compress(a); err != nil {
				t.Fatal(err)
			}
		}
		at := min(int(hole), len(b))
		holed.Feed(b[:at], []trace.Span{{Frame: 1, Len: at}})
		drain(&holed)
		holed.Hole(int64(chunk) - 1)
		drain(&holed)
		holed.Feed(b[at:], []trace.Span{{Frame: 2, Len: len(b) - at}})
		drain(&holed)
		holed.End()
		drain(&holed)
		if got := holed.Buffered(); got > 0 {
			t.Fatalf("%d bytes are kept after the end", got)
		}
	})
}

// FuzzRoundTrip writes payloads and reads them back, over any compression.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("select 1"), uint16(100), uint8(0))
	f.Add(bytes.Repeat([]byte("row"), 100), uint16(5000), uint8(1))
	f.Add([]byte{0xff, 0, 0xff}, uint16(0), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, n uint16, algorithm uint8) {
		a := packet.Compression(algorithm % 3)
		var w bytes.Buffer
		out := packet.New(&sink{to: &w}, &packet.Config{Role: trace.Server})
		start := func(c *packet.Conn) {
			if a != packet.NoCompression {
				if err := c.StartCompression(a, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		start(out)
		second := bytes.Repeat(b, int(n)/(len(b)+1))
		for _, p := range [][]byte{b, second} {
			out.AppendPayload(p)
			if err := out.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		in := packet.New(&script{in: w.Bytes(), chunk: int(n)}, nil)
		start(in)
		for _, want := range [][]byte{b, second} {
			if got, err := in.ReadPacket(); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes came back as %d, %v", len(want), len(got), err)
			}
		}
		if _, err := in.ReadPacket(); err != io.EOF {
			t.Fatalf("behind the last packet: %v", err)
		}
	})
}

// A sink keeps what is written to it.
type sink struct {
	script
	to *bytes.Buffer
}

func (s *sink) Write(b []byte) (int, error) { return s.to.Write(b) }
