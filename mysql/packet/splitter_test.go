package packet_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

// talk returns a stream of packets and its payloads.
func talk(sizes ...int) (stream []byte, payloads [][]byte) {
	var b bytes.Buffer
	seq := uint8(0)
	for i, n := range sizes {
		p := bytes.Repeat([]byte{byte('a' + i%26)}, n)
		payloads = append(payloads, p)
		seq = pieces(&b, p, seq)
	}
	return b.Bytes(), payloads
}

func drain(s *packet.Splitter) (list []packet.Payload) {
	for p, ok := s.Next(); ok; p, ok = s.Next() {
		p.Data = bytes.Clone(p.Data)
		list = append(list, p)
	}
	return list
}

func TestSplitter(t *testing.T) {
	stream, want := talk(0, 1, 300, 7000, 5)
	for _, chunk := range []int{1, 3, 1000, len(stream)} {
		var s packet.Splitter
		var got []packet.Payload
		for at := 0; at < len(stream); at += chunk {
			b := stream[at:min(at+chunk, len(stream))]
			s.Feed(b, []trace.Span{{Frame: 1, Off: at, Len: len(b)}})
			got = append(got, drain(&s)...)
		}
		at := 0
		for i, p := range got {
			if !bytes.Equal(p.Data, want[i]) || p.Err != nil || int(p.Number) != i || p.Pieces != 1 || p.Lost != 0 {
				t.Errorf("in chunks of %d, payload %d: %d bytes, number %d, %v", chunk, i, len(p.Data), p.Number, p.Err)
			}
			for _, span := range p.Spans { // they tile the stream
				if span.Off != at {
					t.Fatalf("in chunks of %d, payload %d: a span at %d, want %d", chunk, i, span.Off, at)
				}
				at += span.Len
			}
		}
		if len(got) != len(want) || s.Buffered() != 0 || at != len(stream) {
			t.Errorf("in chunks of %d: %d payloads, %d bytes left, spans up to %d", chunk, len(got), s.Buffered(), at)
		}
	}
}

func TestSplitterJoins(t *testing.T) {
	stream, want := talk(packet.MaxPiece, packet.MaxPiece+5, 3)
	var s packet.Splitter
	s.Feed(stream, nil)
	got := drain(&s)
	if len(got) != 3 || got[0].Pieces != 2 || got[1].Number != 2 || got[2].Number != 4 {
		t.Fatalf("%d payloads", len(got))
	}
	for i, p := range got {
		if !bytes.Equal(p.Data, want[i]) || p.Err != nil {
			t.Errorf("payload %d: %d bytes, %v", i, len(p.Data), p.Err)
		}
	}

	s = packet.Splitter{Limit: packet.MaxPiece + 4}
	s.Feed(stream, nil)
	got = drain(&s)
	var e *packet.TooLargeError
	if len(got) != 3 || got[0].Err != nil || !errors.As(got[1].Err, &e) || e.Size != packet.MaxPiece+5 || len(got[1].Data) != packet.MaxPiece+4 || got[2].Err != nil {
		t.Errorf("beyond the limit: %d bytes, %v", len(got[1].Data), got[1].Err)
	}
}

func TestSplitterCompressed(t *testing.T) {
	stream, want := talk(10, 1000, 0, 70000, 5)
	first := 14 // the login's OK is not compressed
	rest := stream[first:]
	for _, a := range []packet.Compression{packet.Zlib, packet.Zstd} {
		squeeze := func(b []byte) []byte {
			if a == packet.Zstd {
				return zstded(t, b)
			}
			return zlibbed(t, b)
		}
		b := slices.Clone(stream[:first])
		for i := 0; i < len(rest); i += 3333 {
			part := rest[i:min(i+3333, len(rest))]
			b = append(b, frame(squeeze(part), byte(i/3333), len(part))...)
		}
		var s packet.Splitter
		s.Feed(b, []trace.Span{{Frame: 1, Len: len(b)}})
		p, ok := s.Next()
		if !ok || !bytes.Equal(p.Data, want[0]) {
			t.Fatalf("the first payload: %q, %v", p.Data, ok)
		}
		if err := s.Compress(a); err != nil {
			t.Fatal(err)
		}
		got := drain(&s)
		if len(got) != 4 {
			t.Fatalf("%v: %d payloads behind the first", a, len(got))
		}
		for i, p := range got {
			if !bytes.Equal(p.Data, want[1+i]) || p.Err != nil || len(p.Spans) == 0 {
				t.Errorf("%v: payload %d: %d bytes, %v, %d spans", a, i, len(p.Data), p.Err, len(p.Spans))
			}
		}
	}
	if err := new(packet.Splitter).Compress(77); err == nil {
		t.Error("Compress(77) succeeded")
	}
}

func TestSplitterBrokenFrame(t *testing.T) {
	stream, _ := talk(200, 300, 400)
	var s packet.Splitter
	if err := s.Compress(packet.Zlib); err != nil {
		t.Fatal(err)
	}
	s.Feed(frame(stream[:100], 0, 0), nil)
	s.Feed(frame([]byte("garbage"), 1, 60), nil)
	s.Feed(frame(stream[204:], 2, 0), nil)
	got := drain(&s)
	if len(got) != 3 || !errors.Is(got[0].Err, packet.ErrHole) || len(got[0].Data) != 96 || len(got[1].Data) != 300 || got[1].Err != nil {
		t.Errorf("payloads: %s", show(got))
	}
}

func show(list []packet.Payload) (s string) {
	for _, p := range list {
		s += fmt.Sprintf("[%d bytes, number %d, %d lost, %v]", len(p.Data), p.Number, p.Lost, p.Err)
	}
	return s
}

func TestSplitterHoles(t *testing.T) {
	stream, _ := talk(100, 200, 300, 400)
	for _, c := range []struct {
		name     string
		from, to int // the missing bytes
		known    bool
		want     string
	}{
		{"inside a packet", 150, 160, true, "[100 bytes, number 0, 0 lost, <nil>][42 bytes, number 1, 46 lost, the rest of this packet is missing][300 bytes, number 2, 0 lost, <nil>][400 bytes, number 3, 0 lost, <nil>]"},
		{"inside a packet, of unknown length", 150, 160, false, "[100 bytes, number 0, 0 lost, <nil>][42 bytes, number 1, 46 lost, the rest of this packet is missing][300 bytes, number 2, 148 lost, <nil>][400 bytes, number 3, 0 lost, <nil>]"},
		{"a whole packet and more", 150, 400, true, "[100 bytes, number 0, 0 lost, <nil>][42 bytes, number 1, 46 lost, the rest of this packet is missing]"},
		{"inside a header", 106, 107, true, "[100 bytes, number 0, 0 lost, <nil>][300 bytes, number 2, 203 lost, <nil>][400 bytes, number 3, 0 lost, <nil>]"},
		{"a packet exactly", 104, 308, true, "[100 bytes, number 0, 0 lost, <nil>][300 bytes, number 2, 0 lost, <nil>][400 bytes, number 3, 0 lost, <nil>]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s packet.Splitter
			s.Feed(stream[:c.from], nil)
			got := drain(&s)
			n := int64(c.to - c.from)
			if !c.known {
				n = -1
			}
			s.Hole(n)
			got = append(got, drain(&s)...)
			s.Feed(stream[c.to:], nil)
			got = append(got, drain(&s)...)
			if show(got) != c.want {
				t.Errorf("payloads: %s\nwant      %s", show(got), c.want)
			}
		})
	}
}

func TestSplitterJoinsInTheMiddle(t *testing.T) {
	stream, want := talk(100, 200, 300, 400)
	var s packet.Splitter
	s.Join()
	if !s.Searching() {
		t.Error("Searching() = false")
	}
	s.Feed(stream[50:], nil)
	got := drain(&s)
	if len(got) != 3 || !bytes.Equal(got[0].Data, want[1]) || got[0].Lost != 54 || s.Searching() {
		t.Errorf("payloads: %s", show(got))
	}
	s.Feed([]byte{9, 0, 0, 0, 'x'}, nil)
	s.End()
	if got := drain(&s); len(got) != 1 || string(got[0].Data) != "x" || got[0].Err != packet.ErrHole {
		t.Errorf("at the end: %s", show(got))
	}
}

// TestSplitterKeepsLittle searches in a stream that has no packets.
func TestSplitterKeepsLittle(t *testing.T) {
	var s packet.Splitter
	s.Join()
	noise := bytes.Repeat([]byte{0xfe, 0xfd, 0xfc, 0xfb, 0xfa}, 200)
	for range 1000 {
		s.Feed(noise, nil)
		if got := drain(&s); len(got) > 0 {
			t.Fatalf("payloads out of noise: %s", show(got))
		}
	}
	if got := s.Buffered(); got > 64<<10 {
		t.Errorf("%d bytes are kept of a stream without packets", got)
	}
}

// TestSplitterLies: frames that announce much and hold nothing cost a decoder no
// more than their bytes.
func TestSplitterLies(t *testing.T) {
	for _, a := range []packet.Compression{packet.Zlib, packet.Zstd} {
		var s packet.Splitter
		if err := s.Compress(a); err != nil {
			t.Fatal(err)
		}
		lie := frame([]byte("nothing"), 0, 1<<24-1)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 200 {
			s.Feed(lie, nil)
			for _, ok := s.Next(); ok; _, ok = s.Next() {
			}
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("%v: %d MiB were taken for 200 frames of a few bytes", a, took>>20)
		}
	}
}

// TestSplitterKeepsNoSpans: a payload without end does not make its provenance
// one.
func TestSplitterKeepsNoSpans(t *testing.T) {
	s := packet.Splitter{Limit: 1 << 10}
	piece := append([]byte{0xff, 0xff, 0xff, 0}, make([]byte, packet.MaxPiece)...)
	const pieces, size = 5, 1 << 16
	for range pieces {
		for at := 0; at < len(piece); at += size {
			b := piece[at:min(at+size, len(piece))]
			s.Feed(b, []trace.Span{{Frame: at, Len: len(b)}})
			if p, ok := s.Next(); ok {
				t.Fatalf("a payload of %d pieces", p.Pieces)
			}
		}
	}
	s.Feed(make([]byte, packet.HeaderSize), nil)
	p, ok := s.Next()
	if most := 2 * len(piece) / size; !ok || p.Pieces != pieces+1 || len(p.Spans) > most {
		t.Errorf("Next() = %v, %d pieces with %d spans, want at most %d", ok, p.Pieces, len(p.Spans), most)
	}
}
