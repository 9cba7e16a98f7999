package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestLogOfPackets(t *testing.T) {
	rows := []struct {
		view View
		want string
	}{
		{View{}, "seq=0 number=2 length=3\nseq=1 number=50 length=4\nseq=2 number=94 length=2\n"},
		{View{HexDump: true}, "seq=0 number=2 length=3 payload=020a0b\nseq=1 number=50 length=4 payload=\"32 masked\"\nseq=2 number=94 length=2 payload=\"5e masked\"\n"},
		{View{HexDump: true, Reveal: true}, "seq=0 number=2 length=3 payload=020a0b\nseq=1 number=50 length=4 payload=32707770\nseq=2 number=94 length=2 payload=5e78\n"},
	}
	for _, r := range rows {
		var sent, received bytes.Buffer
		logger := func(w *bytes.Buffer) *slog.Logger {
			return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
					return slog.Attr{}
				}
				return a
			}}))
		}
		from, to, _ := join(t, Algorithm{Cipher: "aes128-gcm@openssh.com"}, testkit.PipeConfig{})
		v := r.view
		v.Role, v.Logger = trace.Client, logger(&sent)
		from.SetView(v)
		v.Role, v.Logger = trace.Server, logger(&received)
		to.SetView(v)
		for _, p := range []string{"\x02\x0a\x0b", "\x32pwp", "\x5ex"} {
			if err := from.SendMessage([]byte(p)); err != nil {
				t.Fatal(err)
			}
			if _, err := to.ReadMessage(); err != nil {
				t.Fatal(err)
			}
		}
		want := "dir=c2s " + strings.ReplaceAll(strings.TrimSuffix(r.want, "\n"), "\n", "\ndir=c2s ") + "\n"
		if sent.String() != want || received.String() != want {
			t.Errorf("%+v:\nsent\n%sreceived\n%swant\n%s", r.view, &sent, &received, want)
		}
	}
}

// tape notes what a trace is told.
type tape struct {
	trace.Conn
	wire    [2][]byte
	packets [2][]string
}

func (t *tape) Wire(dir wire.Dir, b []byte)   { t.wire[dir] = append(t.wire[dir], b...) }
func (t *tape) Packet(dir wire.Dir, b []byte) { t.packets[dir] = append(t.packets[dir], string(b)) }

func TestTraceOfPackets(t *testing.T) {
	from, to, _ := join(t, Algorithm{Cipher: "chacha20-poly1305@openssh.com"}, testkit.PipeConfig{})
	client, server := &tape{}, &tape{}
	from.SetView(View{Role: trace.Client, Trace: client})
	to.SetView(View{Role: trace.Server, Trace: server})
	for i := range 5 {
		if err := from.SendMessage(text(1000 * (i + 1))); err != nil {
			t.Fatal(err)
		}
		if _, err := to.ReadMessage(); err != nil {
			t.Fatal(err)
		}
	}
	_, n := from.Sent()
	if len(client.wire[wire.C2S]) != int(n) || !bytes.Equal(client.wire[wire.C2S], server.wire[wire.C2S]) {
		t.Errorf("%d and %d bytes of %d", len(client.wire[wire.C2S]), len(server.wire[wire.C2S]), n)
	}
	if p := client.packets[wire.C2S]; len(p) != 5 || p[4] != string(text(5000)) || fmt.Sprint(p) != fmt.Sprint(server.packets[wire.C2S]) {
		t.Errorf("%d packets and %d", len(p), len(server.packets[wire.C2S]))
	}
}

// counting is a compressor that is right only as one stream: each payload has
// a number.
type counting struct{ n uint32 }

func (c *counting) Bound(n int) int { return n + 4 }

func (c *counting) Compress(dst, src []byte) []byte {
	c.n++
	return append(binary.BigEndian.AppendUint32(dst, c.n), src...)
}

func (c *counting) Decompress(dst, src []byte, _ int) ([]byte, error) {
	if c.n++; len(src) < 4 || binary.BigEndian.Uint32(src) != c.n {
		return nil, errors.New("not the next one")
	}
	return append(dst, src[4:]...), nil
}

// TestCompressionBeginsLateAndAnew: it is switched on in the middle, ends with
// new keys, and begins again as another stream.
func TestCompressionBeginsLateAndAnew(t *testing.T) {
	alg := Algorithm{Cipher: "aes128-gcm@openssh.com"}
	from, to, _ := join(t, alg, testkit.PipeConfig{Buffer: 1 << 20})
	pass := func(n int) {
		t.Helper()
		if err := from.SendMessage(text(n)); err != nil {
			t.Fatal(err)
		}
		if p, err := to.ReadMessage(); err != nil || !bytes.Equal(p, text(n)) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	for range 3 {
		pass(100)
		from.SetCompressor(&counting{})
		to.SetDecompressor(&counting{})
		pass(1)
		pass(MaxPayload - 4)
		var bad *Error
		if err := from.Append(text(MaxPayload)); !errors.As(err, &bad) || bad.Kind != BadLength {
			t.Errorf("a payload that is too long when compressed: %v", err)
		}
		renew(t, alg, from, to)
	}
	from.SetCompressor(&counting{})
	to.SetDecompressor(&counting{n: 1})
	_ = from.SendMessage(text(10))
	var bad *Error
	if _, err := to.ReadMessage(); !errors.As(err, &bad) || bad.Kind != BadPayload {
		t.Errorf("another stream: %v", err)
	}
}

// TestSendingAllocatesNothing, with everything switched on that is looked at
// for each of them.
func TestSendingAllocatesNothing(t *testing.T) {
	from, to, _ := join(t, Algorithm{Cipher: "aes128-gcm@openssh.com"}, testkit.PipeConfig{Buffer: 1 << 20})
	for _, p := range []*Packetizer{from, to} {
		p.SetRekey(Rekey{Bytes: 1 << 40, Packets: 1 << 30, Interval: time.Hour, OverflowBytes: 1})
		if err := p.SetKeepAlive(time.Hour, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	payload := text(20000)
	pass := func() {
		if err := from.Append(payload); err != nil {
			t.Fatal(err)
		}
		b := from.Take()
		b.Release() // the pipe itself allocates
	}
	if n := testing.AllocsPerRun(100, pass); n > 0 {
		t.Errorf("sending allocates %v times", n)
	}
}
