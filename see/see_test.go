package see_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/see"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// foreign writes a pcap file, as others would capture it: Ethernet, without
// the beginning of the connection when syn is false.
type foreign struct {
	t   testing.TB
	b   bytes.Buffer
	w   *capture.PcapWriter
	seq [2]uint32
	now time.Time
}

func newForeign(t testing.TB) *foreign {
	f := &foreign{t: t, now: time.Unix(1e9, 0)}
	f.w = capture.NewPcapWriter(&f.b, capture.LinkEthernet, 0)
	return f
}

func (f *foreign) segment(dir wire.Dir, port uint16, flags link.TCPFlags, data string) {
	if f.t != nil {
		f.t.Helper()
	}
	addr := [2]netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:40000"), netip.AddrPortFrom(netip.MustParseAddr("10.0.0.2"), port)}
	ip, err := link.AppendTCP(nil, addr[dir], addr[1-dir], &link.TCP{Seq: f.seq[dir], Ack: f.seq[1-dir], Flags: flags, Payload: []byte(data)})
	if err != nil {
		f.t.Fatal(err)
	}
	frame := append([]byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 8, 0}, ip...)
	f.seq[dir] += uint32(len(data))
	if flags&(link.SYN|link.FIN) != 0 {
		f.seq[dir]++
	}
	f.now = f.now.Add(time.Millisecond)
	if err := f.w.WriteFrame(&capture.Frame{Time: f.now, Data: frame}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *foreign) file() []byte {
	if err := f.w.Flush(); err != nil {
		f.t.Fatal(err)
	}
	return f.b.Bytes()
}

func text(t *testing.T, file []byte, o see.Options) (string, *see.Summary) {
	t.Helper()
	var b bytes.Buffer
	out := see.NewOutput(&b, see.Text, trace.Filter{}, false)
	o.Emit = out.Emit
	s, err := see.Read(t.Context(), bytes.NewReader(file), o)
	if err != nil {
		t.Error(err)
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	return b.String(), s
}

// A capture of others: on a port that says something else, out of order, and
// beside a conversation that nobody knows.
func TestForeignCapture(t *testing.T) {
	f := newForeign(t)
	f.segment(wire.C2S, 80, link.SYN, "")
	f.segment(wire.S2C, 80, link.SYN|link.ACK, "")
	f.segment(wire.S2C, 80, link.ACK, "Welcome\r\nSSH-2.0-OpenSSH_9.2")
	f.seq[wire.C2S] += 4
	f.segment(wire.C2S, 80, link.ACK, "2.0-x\r\n")
	f.seq[wire.C2S] -= 11
	f.segment(wire.C2S, 80, link.ACK, "SSH-")
	f.segment(wire.S2C, 80, link.ACK, "p1\r\n")
	f.seq = [2]uint32{5, 6}
	f.segment(wire.C2S, 22, link.SYN, "")
	f.segment(wire.C2S, 22, link.ACK, "GET / HTTP/1.1\r\n\r\n")
	got, s := text(t, f.file(), see.Options{})
	want := `0.000000 ← ssh line line=Welcome
0.002000 → ssh identification identification=SSH-2.0-x
0.003000 ← ssh identification identification=SSH-2.0-OpenSSH_9.2p1
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if s.Frames != 8 || s.Messages != 3 || s.Conversations != 1 || s.Unknown != 1 {
		t.Errorf("summary %+v", s)
	}
}

func TestJoinedInTheMiddle(t *testing.T) {
	f := newForeign(t)
	for range 10 {
		f.segment(wire.C2S, 22, link.ACK, strings.Repeat("\xaa", 500))
		f.segment(wire.S2C, 22, link.ACK, strings.Repeat("\xbb", 500))
	}
	got, s := text(t, f.file(), see.Options{})
	if got != "" || s.Unknown != 1 || len(s.Remarks) == 0 {
		t.Errorf("got %q, %+v", got, s)
	}
}

func TestTruncated(t *testing.T) {
	r := session(t, transport.Algorithms{Kex: []string{"curve25519-sha256"}, Ciphers: []string{"aes128-gcm@openssh.com"}}, trace.Client, record.Both)
	whole, _ := text(t, r.capture, see.Options{})
	got, s := text(t, r.capture[:len(r.capture)*2/3], see.Options{})
	if s.Truncated == nil || !errors.Is(s.Truncated, io.ErrUnexpectedEOF) {
		t.Errorf("Truncated = %v", s.Truncated)
	}
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if n := strings.Count(whole, "\n"); len(lines) < n/4 || len(lines) >= n {
		t.Errorf("%d of %d messages", len(lines), n)
	}
}

func TestNotACapture(t *testing.T) {
	for name, file := range map[string]string{"empty": "", "text": "this is no capture file at all, really"} {
		s, err := see.Read(t.Context(), strings.NewReader(file), see.Options{})
		if err == nil || s == nil {
			t.Errorf("%s: Read = %v, %v", name, s, err)
		}
		if _, err := see.Scrub(t.Context(), io.Discard, strings.NewReader(file)); err == nil {
			t.Errorf("%s: Scrub has no error", name)
		}
	}
	if _, err := see.Read(t.Context(), strings.NewReader("text, as I said"), see.Options{}); !errors.Is(err, capture.ErrFormat) {
		t.Errorf("Read = %v, want %v", err, capture.ErrFormat)
	}
}

func TestCanceled(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	f := newForeign(t)
	f.segment(wire.C2S, 22, link.SYN, "")
	if _, err := see.Read(ctx, bytes.NewReader(f.file()), see.Options{}); !errors.Is(err, cause) {
		t.Errorf("Read = %v, want %v", err, cause)
	}
	if _, err := see.Scrub(ctx, io.Discard, bytes.NewReader(f.file())); !errors.Is(err, cause) {
		t.Errorf("Scrub = %v, want %v", err, cause)
	}
}

// Without secrets and inner streams nothing is made up.
func TestHonestWithoutSecrets(t *testing.T) {
	r := session(t, transport.Algorithms{Kex: []string{"mlkem768x25519-sha256"}, Ciphers: []string{"chacha20-poly1305@openssh.com"}}, trace.Client, record.Wire)
	var b bytes.Buffer
	if _, err := see.Scrub(t.Context(), &b, bytes.NewReader(r.capture)); err != nil {
		t.Fatal(err)
	}
	got, s := text(t, b.Bytes(), see.Options{Secrets: []byte("nonsense\n00112233445566778899aabbccddeeff SHARED_SECRET 0011\n")})
	if n := strings.Count(got, "SSH_MSG_"); n != 6 || strings.Contains(got, "error=") {
		t.Errorf("%d messages:\n%s", n, got)
	}
	if strings.Count(got, "no secret for this key exchange") != 4 || s.Secrets != 1 || s.Remarks["lines of the key log are no secrets"] != 1 {
		t.Errorf("%+v:\n%s", s, got)
	}
}

func TestOutput(t *testing.T) {
	m := &trace.Message{N: 1, Conn: 1, Time: time.Unix(1, 0), Proto: "p", Name: "M", Fields: []wire.Field{{Name: "number", Value: uint8(1)}, {Name: "x", Value: "y"}}}
	tests := map[string]string{
		"text":   "0.000000 → p M x=y\n0.000000 → p M x=y\n",
		"fields": strings.Repeat("0.000000 → p M\n    number: 1\n    x: y\n", 2),
		"jsonl":  strings.Repeat(`{"n":1,"time":"1970-01-01T00:00:01.000000000Z","conn":1,"dir":"c2s","proto":"p","message":"M","fields":{"number":1,"x":"y"}}`+"\n", 2),
	}
	for name, want := range tests {
		f, err := see.ParseFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		o := see.NewOutput(&b, f, trace.Filter{}, false)
		o.Emit(m)
		o.Emit(m)
		if err := o.Close(); err != nil || b.String() != want {
			t.Errorf("%s: got %q, %v, want %q", name, &b, err, want)
		}
	}
	if _, err := see.ParseFormat("xml"); err == nil {
		t.Error("xml is a format")
	}
	for n := range 3 {
		var b bytes.Buffer
		o := see.NewOutput(&b, see.JSON, trace.Filter{}, false)
		for range n {
			o.Emit(m)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
		var list []any
		if err := json.Unmarshal(b.Bytes(), &list); err != nil || len(list) != n {
			t.Errorf("%d messages as JSON: %s, %v", n, &b, err)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestOutputFails(t *testing.T) {
	o := see.NewOutput(full{}, see.JSON, trace.Filter{}, false)
	for range 10000 {
		o.Emit(&trace.Message{Name: "M"})
	}
	if o.Err() == nil || o.Close() == nil {
		t.Error("a full disk is no error")
	}
	f := newForeign(t)
	f.segment(wire.C2S, 22, link.SYN, "")
	if _, err := see.Scrub(t.Context(), full{}, bytes.NewReader(f.file())); err == nil {
		t.Error("Scrub to a full disk has no error")
	}
}

// A pcap file has no names to lose, and its frames stay.
func TestScrubPcap(t *testing.T) {
	f := newForeign(t)
	f.segment(wire.C2S, 22, link.SYN, "")
	f.segment(wire.C2S, 22, link.ACK, "SSH-2.0-x\r\n")
	var b bytes.Buffer
	s, err := see.Scrub(t.Context(), &b, bytes.NewReader(f.file()))
	if err != nil || s != (see.Scrubbed{}) {
		t.Errorf("Scrub = %+v, %v", s, err)
	}
	if got, _ := text(t, b.Bytes(), see.Options{}); got != "0.000000 → ssh identification identification=SSH-2.0-x\n" {
		t.Errorf("the copy says %q", got)
	}
}

func ExampleRead() {
	f := newForeign(nil)
	f.segment(wire.C2S, 22, link.SYN, "")
	f.segment(wire.C2S, 22, link.ACK, "SSH-2.0-example\r\n")

	file := bytes.NewReader(f.file()) // or an os.File
	summary, err := see.Read(context.Background(), file, see.Options{Emit: func(m *trace.Message) {
		fmt.Println(m.N, m.Dir, m.Proto, m.Name, m.Fields[0].Value)
	}})
	fmt.Println(summary.Frames, err)
	// Output:
	// 1 c2s ssh identification SSH-2.0-example
	// 2 <nil>
}

// FuzzRead reads hostile captures: good ones with changes.
func FuzzRead(f *testing.F) {
	c := newForeign(f)
	c.segment(wire.C2S, 22, link.SYN, "")
	c.segment(wire.C2S, 22, link.ACK, "SSH-2.0-x\r\n")
	f.Add(c.file())
	var b bytes.Buffer
	w := capture.NewWriter(&b, nil)
	i, err := w.AddInterface(capture.Interface{Link: capture.LinkUpperPDU, Name: "inner:ssh/0 subsystem sftp", Description: "carried by 1.2.3.4:5 > 6.7.8.9:22"})
	if err != nil {
		f.Fatal(err)
	}
	a := netip.MustParseAddrPort("1.2.3.4:5")
	p, err := wire.Append(nil, link.NewUpperPDU("sftp", a, a, []byte{0, 0, 0, 5, 1, 0, 0, 0, 3}), wire.Dialect{})
	if err != nil {
		f.Fatal(err)
	}
	for range 2 {
		if err := w.WriteFrame(&capture.Frame{Interface: i, Data: p, Time: time.Unix(1, 0)}); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.WriteSecrets(capture.SecretsSSH, []byte("00112233445566778899aabbccddeeff SHARED_SECRET 0011\n")); err != nil {
		f.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, inner := range []bool{false, true} {
			out := see.NewOutput(io.Discard, see.Hex, trace.Filter{}, false)
			see.Read(t.Context(), bytes.NewReader(file), see.Options{Inner: inner, Emit: out.Emit}) //nolint:errcheck // hostile
		}
		var b bytes.Buffer
		if _, err := see.Scrub(t.Context(), &b, bytes.NewReader(file)); err != nil {
			return
		}
		if left, err := see.Scrub(t.Context(), io.Discard, &b); err != nil || left.Secrets+left.Frames+left.Blocks > 0 {
			t.Fatalf("scrubbing the copy = %+v, %v", left, err)
		}
	})
}
