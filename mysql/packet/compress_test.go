package packet_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

func zlibbed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t testing.TB, b []byte, opts ...zstd.EOption) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.EncodeAll(b, nil)
}

// frame returns a compressed frame that declares so many bytes.
func frame(content []byte, number uint8, declared int) []byte {
	n := len(content)
	h := []byte{byte(n), byte(n >> 8), byte(n >> 16), number, byte(declared), byte(declared >> 8), byte(declared >> 16)}
	return append(h, content...)
}

func TestCompressedFrames(t *testing.T) {
	hello := []byte("\x05\x00\x00\x00hello")
	long := append([]byte("\x00\x04\x00\x01"), bytes.Repeat([]byte("row "), 256)...)
	bomb := make([]byte, 4<<20)
	for _, c := range []struct {
		name string
		with packet.Compression
		wire []byte
		want string // of the first payload, or the error
	}{
		{"stored", packet.Zlib, frame(hello, 0, 0), "hello"},
		{"zlib", packet.Zlib, frame(zlibbed(t, hello), 0, len(hello)), "hello"},
		{"zstd", packet.Zstd, frame(zstded(t, hello), 0, len(hello)), "hello"},
		{"stored under zstd", packet.Zstd, frame(hello, 0, 0), "hello"},
		{"a packet in two frames", packet.Zlib, append(frame(hello[:3], 0, 0), frame(zlibbed(t, hello[3:]), 1, 6)...), "hello"},
		{"an empty frame between", packet.Zlib, append(frame(hello[:3], 0, 0), append(frame(nil, 1, 0), frame(hello[3:], 2, 0)...)...), "hello"},
		{"two packets in a frame", packet.Zlib, frame(zlibbed(t, append(hello, long...)), 0, len(hello)+len(long)), "hello"},
		{"more than declared", packet.Zlib, frame(zlibbed(t, hello), 0, len(hello)-1), "compressed frame: broken content: the content has not the size that its header says"},
		{"less than declared", packet.Zlib, frame(zlibbed(t, hello), 0, len(hello)+1), "compressed frame: broken content: unexpected EOF"},
		{"a bomb", packet.Zlib, frame(zlibbed(t, bomb), 0, 100), "compressed frame: broken content: the content has not the size that its header says"},
		{"no zlib", packet.Zlib, frame([]byte("garbage"), 0, 50), "compressed frame: broken content: zlib: invalid header"},
		{"wrong checksum", packet.Zlib, frame(append(zlibbed(t, hello)[:len(zlibbed(t, hello))-1], 0), 0, len(hello)), "compressed frame: broken content: zlib: invalid checksum"},
		{"more than declared, zstd", packet.Zstd, frame(zstded(t, hello), 0, len(hello)-1), "compressed frame: broken content: decompressed size exceeds configured limit"},
		{"less than declared, zstd", packet.Zstd, frame(zstded(t, hello), 0, len(hello)+1), "compressed frame: broken content: the content has not the size that its header says"},
		{"a bomb, zstd", packet.Zstd, frame(zstded(t, bomb), 0, 100), "compressed frame: broken content: decompressed size exceeds configured limit"},
		{"more than zlib can do", packet.Zlib, frame(zlibbed(t, hello), 0, 1<<24-1), "compressed frame: more content than its bytes can hold"},
		{"content without bytes", packet.Zlib, frame(nil, 0, 10), "compressed frame: content without bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := raw(t, trace.Client, c.wire)
			if err := conn.StartCompression(c.with, 0); err != nil {
				t.Fatal(err)
			}
			got, err := conn.ReadPacket()
			if err != nil {
				got = []byte(err.Error())
				var e *packet.FrameError
				if _, again := conn.ReadPacket(); !errors.As(err, &e) || again != err {
					t.Errorf("error %#v, then %v: not typed or not final", err, again)
				}
			}
			if string(got) != c.want {
				t.Errorf("ReadPacket() = %q, want %q", got, c.want)
			}
		})
	}
}

func TestCompressedTruncated(t *testing.T) {
	first := frame(zlibbed(t, []byte("\x05\x00\x00\x00hello")), 0, 9)
	stream := append(first[:len(first):len(first)], frame([]byte("\x01\x00\x00\x01!"), 1, 0)...)
	for n := range stream {
		conn := raw(t, trace.Client, stream[:n])
		if err := conn.StartCompression(packet.Zlib, 0); err != nil {
			t.Fatal(err)
		}
		var err error
		for err == nil {
			_, err = conn.ReadPacket()
		}
		want := io.ErrUnexpectedEOF
		if n == 0 || n == len(first) {
			want = io.EOF
		}
		if !errors.Is(err, want) {
			t.Errorf("cut after %d bytes: %v, want %v", n, err, want)
		}
	}
}

func TestCompressedNumbers(t *testing.T) {
	hello := []byte("\x05\x00\x00\x00hello")
	for _, c := range []struct {
		name string
		role trace.Role
		wire []byte
		ok   bool
	}{
		{"a server judges them", trace.Server, append(frame(hello[:4], 0, 0), frame(hello[4:], 5, 0)...), false},
		{"right", trace.Server, append(frame(hello[:4], 0, 0), frame(hello[4:], 1, 0)...), true},
		{"a client does not", trace.Client, append(frame(hello[:4], 3, 0), frame(hello[4:], 9, 0)...), true},
	} {
		conn := raw(t, c.role, c.wire)
		if err := conn.StartCompression(packet.Zlib, 0); err != nil {
			t.Fatal(err)
		}
		conn.Begin()
		_, err := conn.ReadPacket()
		var e *packet.SequenceError
		if ok := err == nil; ok != c.ok || !ok && (!errors.As(err, &e) || !e.Compressed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestPipelineCompressed looks at the frames of several commands: each begins
// one of its own, number 0.
func TestPipelineCompressed(t *testing.T) {
	a, b := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
	defer b.Close()
	c := packet.New(a, nil)
	defer c.Close()
	if err := c.StartCompression(packet.Zlib, 0); err != nil {
		t.Fatal(err)
	}
	c.Apart(true)
	for _, s := range []string{"one", "two", "three"} {
		c.Begin()
		c.AppendPayload([]byte(s))
		c.AppendPayload([]byte(s))
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "\x0e\x00\x00\x00\x00\x00\x00" + "\x03\x00\x00\x00one\x03\x00\x00\x01one" +
		"\x0e\x00\x00\x00\x00\x00\x00" + "\x03\x00\x00\x00two\x03\x00\x00\x01two" +
		"\x12\x00\x00\x00\x00\x00\x00" + "\x05\x00\x00\x00three\x05\x00\x00\x01three"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(b, got); err != nil || string(got) != want {
		t.Errorf("on the wire: %q, %v", got, err)
	}
}

func TestNoSuchCompression(t *testing.T) {
	client, _ := pair(t, nil)
	for _, a := range []packet.Compression{packet.NoCompression, 9} {
		if err := client.StartCompression(a, 0); err == nil {
			t.Errorf("StartCompression(%v) succeeded", a)
		}
	}
	if err := client.StartCompression(packet.Zlib, 77); err == nil {
		t.Error("zlib level 77 succeeded")
	}
}
