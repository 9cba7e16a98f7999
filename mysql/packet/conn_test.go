package packet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// A log is a trace that keeps what it is told.
type log struct {
	mu      sync.Mutex
	packets [2][]byte // by direction, concatenated
	wire    [2][]byte
	secrets []string
	events  []trace.Kind
}

func (l *log) Wire(d wire.Dir, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wire[d] = append(l.wire[d], b...)
}

func (l *log) Packet(d wire.Dir, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.packets[d] = append(l.packets[d], b...)
}

func (l *log) Secret(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets = append(l.secrets, line)
}

func (l *log) Event(e trace.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e.Kind)
}

func (l *log) Close(error) {}

// pair returns both ends of a connection.
func pair(t *testing.T, see trace.Conn) (client, server *packet.Conn) {
	t.Helper()
	a, b := testkit.Pipe()
	client = packet.New(a, &packet.Config{Role: trace.Client, Trace: see})
	server = packet.New(b, &packet.Config{Role: trace.Server})
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// pattern returns n bytes that repeat late and do not begin with 0xff.
func pattern(n int) []byte {
	block := make([]byte, min(n, 65521))
	for i := range block {
		block[i] = byte(i%251 ^ i>>8)
	}
	if n > 0 {
		block[0] = 3
	}
	b := block
	for len(b) < n { // by doubling: loops are slow under the race detector
		b = append(b, b[:min(len(b), n-len(b))]...)
	}
	return b
}

// send appends, flushes and reports errors; it runs beside the reader.
func send(t *testing.T, c *packet.Conn, payloads ...[]byte) (done chan struct{}) {
	done = make(chan struct{})
	go func() { // ends when all is sent or the pipe is closed
		defer close(done)
		for _, p := range payloads {
			c.AppendPayload(p)
			if err := c.Flush(); err != nil {
				t.Errorf("Flush of %d bytes: %v", len(p), err)
			}
		}
	}()
	return done
}

func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 49, 50, 250, 4096, 64 << 10, 1 << 20, packet.MaxPiece, packet.MaxPiece + 70000}
	if testing.Short() {
		sizes = sizes[:7]
	}
	for _, a := range []packet.Compression{packet.NoCompression, packet.Zlib, packet.Zstd} {
		t.Run(a.String(), func(t *testing.T) {
			see := new(log)
			client, server := pair(t, see)
			if a != packet.NoCompression {
				for _, c := range []*packet.Conn{client, server} {
					if err := c.StartCompression(a, 1); err != nil {
						t.Fatal(err)
					}
				}
			}
			var both [2]bytes.Buffer // what the packets of a plain stream would be
			for _, n := range sizes {
				if a != packet.NoCompression {
					n = min(n, 3<<19) // several frames; more is nothing new, and slow
				}
				p := pattern(n)
				client.Begin()
				server.Begin()
				done := send(t, client, p)
				got, err := server.ReadPacket()
				if err != nil || !bytes.Equal(got, p) {
					t.Fatalf("%d bytes: the server got %d, %v", n, len(got), err)
				}
				<-done
				done = send(t, server, p, p[:n/2])
				for _, want := range [][]byte{p, p[:n/2]} {
					got, err = client.ReadPacket()
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("%d bytes: the client got %d, %v", n, len(got), err)
					}
				}
				<-done
				seq := pieces(&both[wire.C2S], p, 0)
				seq = pieces(&both[wire.S2C], p, seq)
				pieces(&both[wire.S2C], p[:n/2], seq)
				client.Rest()
				server.Rest()
			}
			for _, d := range []wire.Dir{wire.C2S, wire.S2C} {
				if !bytes.Equal(see.packets[d], both[d].Bytes()) {
					t.Errorf("%v: the traced packets are not the plain stream: %d bytes, want %d", d, len(see.packets[d]), both[d].Len())
				}
			}
			got, want := client.Counts(), server.Counts()
			if got.BytesRead != want.BytesWritten || got.BytesWritten != want.BytesRead || got.PlainRead != int64(both[wire.S2C].Len()) || got.PacketsRead != want.PacketsWritten {
				t.Errorf("counts: client %+v, server %+v", got, want)
			}
			if a != packet.NoCompression && got.BytesRead > got.PlainRead/2 {
				t.Errorf("%d bytes on the wire for %d: nothing compressed", got.BytesRead, got.PlainRead)
			}
			if got.BytesRead != int64(len(see.wire[wire.S2C])) {
				t.Errorf("%d bytes read, %d traced", got.BytesRead, len(see.wire[wire.S2C]))
			}
		})
	}
}

// pieces writes the packets of a payload as the manual says: every piece of
// 2^24-1 bytes is followed by another one, which may be empty.
func pieces(w *bytes.Buffer, p []byte, seq uint8) uint8 {
	for {
		n := min(len(p), packet.MaxPiece)
		w.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq})
		w.Write(p[:n])
		p = p[n:]
		seq++
		if n < packet.MaxPiece {
			return seq
		}
	}
}

func TestAppendMessage(t *testing.T) {
	client, server := pair(t, nil)
	client.SetDialect(mysql.NewDialect(mysql.ClientProtocol41))
	client.Begin()
	if err := client.Append(&mysql.Query{SQL: []byte("select 1")}); err != nil {
		t.Fatal(err)
	}
	if got := client.Unsent(); got != 4+9 {
		t.Errorf("Unsent() = %d, want 13", got)
	}
	if err := client.Append(&mysql.OK{Track: []mysql.Track{{}}, Status: 0, Info: "", End: false}); err != nil {
		t.Fatal(err)
	}
	if err := client.Append(&mysql.HandshakeV10{ServerVersion: "a\x00b"}); err == nil || client.Unsent() != 13+4+7 {
		t.Errorf("a message that cannot be encoded: %v, %d bytes in the buffer", err, client.Unsent())
	}
	if err := client.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := server.ReadPacket()
	if err != nil || string(got) != "\x03select 1" {
		t.Errorf("ReadPacket() = %q, %v", got, err)
	}
}

// raw returns a client that reads these bytes and then the end.
func raw(t *testing.T, role trace.Role, b []byte) *packet.Conn {
	t.Helper()
	c := packet.New(&script{in: b}, &packet.Config{Role: role})
	t.Cleanup(func() { c.Close() })
	return c
}

// A script is a net.Conn that says what it was told and hears nothing.
type script struct {
	net.Conn
	in    []byte
	chunk int  // bytes per Read; 0: all
	loop  bool // begin again at the end
	at    int
}

func (s *script) Read(b []byte) (int, error) {
	if s.at == len(s.in) {
		if !s.loop {
			return 0, io.EOF
		}
		s.at = 0
	}
	n := len(s.in)
	if s.chunk > 0 {
		n = min(n, s.at+s.chunk)
	}
	n = copy(b, s.in[s.at:n])
	s.at += n
	return n, nil
}
func (s *script) Write(b []byte) (int, error)      { return len(b), nil }
func (s *script) Close() error                     { return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

func TestSequence(t *testing.T) {
	type step struct {
		name string
		role trace.Role
		wire string
		want string // of the payload, or an error
	}
	for _, s := range []step{
		{"right", trace.Client, "\x01\x00\x00\x00\x0a", "\n"},
		{"wrong", trace.Client, "\x01\x00\x00\x07\x0a", "packet number 7 arrived where 0 was due"},
		{"an error with any number", trace.Client, "\x02\x00\x00\x07\xff\x10", "\xff\x10"},
		{"0xff from a client is no error", trace.Server, "\x02\x00\x00\x07\xff\x10", "packet number 7 arrived where 0 was due"},
		{"an empty packet is no error", trace.Client, "\x00\x00\x00\x07", "packet number 7 arrived where 0 was due"},
	} {
		t.Run(s.name, func(t *testing.T) {
			c := raw(t, s.role, []byte(s.wire))
			got, err := c.ReadPacket()
			if err != nil {
				got = []byte(err.Error())
				var e *packet.SequenceError
				if _, again := c.ReadPacket(); !errors.As(err, &e) || again != err {
					t.Errorf("error %#v, then %v: not typed or not final", err, again)
				}
			}
			if string(got) != s.want {
				t.Errorf("ReadPacket() = %q, want %q", got, s.want)
			}
		})
	}
}

func TestSequenceGoesOn(t *testing.T) {
	client, server := pair(t, nil)
	step := func(from, to *packet.Conn, want uint8) {
		t.Helper()
		if got := from.Sequence(); got != want {
			t.Errorf("Sequence() = %d, want %d", got, want)
		}
		from.AppendPayload([]byte{1})
		if err := from.Flush(); err != nil {
			t.Fatal(err)
		}
		if _, err := to.ReadPacket(); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 300 { // the number wraps
		if n%3 == 0 {
			step(client, server, uint8(n))
		} else {
			step(server, client, uint8(n))
		}
	}
	client.Begin()
	server.Begin()
	step(client, server, 0)
	step(server, client, 1)

	// The server's word on an idle connection has number 0; its number goes on
	// from there, not from what was due.
	server.Begin()
	server.AppendPayload([]byte{0xff, 0xbf, 0x0f})
	if err := server.Flush(); err != nil {
		t.Fatal(err)
	}
	client.Begin()
	client.AppendPayload([]byte{3})
	if got, err := client.ReadPacket(); err != nil || got[0] != 0xff {
		t.Errorf("ReadPacket() = %x, %v", got, err)
	}
}

func TestPipeline(t *testing.T) {
	client, server := pair(t, nil)
	client.Apart(true)
	const commands = 100
	var expect []uint8
	for i := range commands {
		client.Begin()
		client.AppendPayload(pattern(i))
		expect = append(expect, client.Sequence())
	}
	done := make(chan error, 1)
	go func() { done <- client.Flush() }() // ends when the pipe took everything
	go func() {                            // the server; ends with the last command
		for i := range commands {
			server.Begin()
			p, err := server.ReadPacket()
			if err != nil || len(p) != i {
				t.Errorf("command %d: %d bytes, %v", i, len(p), err)
				return
			}
			for range i%3 + 1 {
				server.AppendPayload(p)
			}
			if err := server.Flush(); err != nil {
				t.Error(err)
			}
		}
	}()
	for i, number := range expect {
		client.Expect(number)
		for range i%3 + 1 {
			if p, err := client.ReadPacket(); err != nil || len(p) != i {
				t.Fatalf("answer %d: %d bytes, %v", i, len(p), err)
			}
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLimit(t *testing.T) {
	c := raw(t, trace.Server, []byte{0xe9, 0x03, 0, 0})
	c.SetLimit(1000)
	_, err := c.ReadPacket() // the bytes need not come
	var e *packet.TooLargeError
	if !errors.As(err, &e) || e.Size != 1001 || e.Limit != 1000 {
		t.Errorf("a packet of 1001 bytes: %v", err)
	}

	var b bytes.Buffer
	pieces(&b, make([]byte, packet.MaxPiece+1000), 0)
	c = raw(t, trace.Server, b.Bytes())
	c.SetLimit(packet.MaxPiece + 999)
	if _, err = c.ReadPacket(); !errors.As(err, &e) || e.Size != packet.MaxPiece+1000 {
		t.Errorf("a joined packet beyond the limit: %v", err)
	}
	c = raw(t, trace.Server, b.Bytes())
	c.SetLimit(packet.MaxPiece + 1000)
	if p, err := c.ReadPacket(); err != nil || len(p) != packet.MaxPiece+1000 {
		t.Errorf("a joined packet at the limit: %d bytes, %v", len(p), err)
	}
}

func TestTruncated(t *testing.T) {
	var b bytes.Buffer
	seq := pieces(&b, []byte("one"), 0)
	first := b.Len()
	seq = pieces(&b, nil, seq)
	second := b.Len()
	pieces(&b, pattern(300), seq)
	for _, chunk := range []int{0, 1, 7} {
		for n := range b.Len() {
			c := packet.New(&script{in: b.Bytes()[:n], chunk: chunk}, nil)
			var err error
			for err == nil {
				_, err = c.ReadPacket()
			}
			want := io.ErrUnexpectedEOF
			if n == 0 || n == first || n == second {
				want = io.EOF
			}
			if !errors.Is(err, want) {
				t.Errorf("cut after %d bytes: %v, want %v", n, err, want)
			}
			c.Close()
		}
	}
}

func TestDeadlineAndCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testkit.Pipe()
		defer b.Close()
		c := packet.New(a, nil)
		defer c.Close()
		write := func(s string) {
			if _, err := io.WriteString(b, s); err != nil {
				t.Fatal(err)
			}
		}
		write("\x05\x00\x00\x00ab")
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReadPacket(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("half a packet: %v", err)
		}
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		write("cde")
		if p, err := c.ReadPacket(); err != nil || string(p) != "abcde" {
			t.Fatalf("the other half: %q, %v", p, err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stop := c.Watch(ctx)
		if _, err := c.ReadPacket(); err != context.DeadlineExceeded {
			t.Errorf("read under a context that ends: %v", err)
		}
		if err := stop(); err != context.DeadlineExceeded {
			t.Errorf("stop() = %v", err)
		}
		c.Cut(errors.New("later"))
		c.AppendPayload([]byte{1})
		if err := c.Flush(); err != context.DeadlineExceeded {
			t.Errorf("write after a cut: %v, want the first cause", err)
		}
		if err := c.SetDeadline(time.Time{}); err != context.DeadlineExceeded {
			t.Errorf("SetDeadline after a cut: %v", err)
		}
	})
}

func TestWatchStopped(t *testing.T) {
	client, server := pair(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	stop := client.Watch(ctx)
	if err := stop(); err != nil {
		t.Errorf("stop() = %v", err)
	}
	cancel()
	<-send(t, server, []byte("x"))
	if p, err := client.ReadPacket(); err != nil || string(p) != "x" {
		t.Errorf("after the watch: %q, %v", p, err)
	}
}

func TestClose(t *testing.T) {
	client, server := pair(t, nil)
	result := make(chan error, 1)
	go func() { // ends with Close
		_, err := client.ReadPacket()
		result <- err
	}()
	for range 2 {
		if err := client.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
	if err := <-result; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read that waits: %v", err)
	}
	if _, err := server.ReadPacket(); err != io.EOF {
		t.Errorf("the other end: %v", err)
	}
}

func ExampleConn() {
	a, b := testkit.Pipe()
	go func() { // the server; ends after one answer
		s := packet.New(b, &packet.Config{Role: trace.Server})
		defer s.Close()
		s.Begin()
		p, _ := s.ReadPacket()
		s.AppendPayload(append([]byte("you said "), p[1:]...))
		_ = s.Flush()
	}()
	c := packet.New(a, nil)
	defer c.Close()
	c.Begin()
	if err := c.Append(&mysql.Query{SQL: []byte("select 1")}); err != nil {
		fmt.Println(err)
	}
	if err := c.Flush(); err != nil {
		fmt.Println(err)
	}
	p, err := c.ReadPacket()
	fmt.Printf("%s %v\n", p, err)
	// Output: you said select 1 <nil>
}
