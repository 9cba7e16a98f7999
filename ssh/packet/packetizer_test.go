package packet

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// A Packetizer begins without encryption and is given keys after a key
// exchange.
func Example() {
	client, server := testkit.Pipe()
	defer client.Close()
	defer server.Close()
	c, s := NewPacketizer(client), NewPacketizer(server)

	c.AppendRaw([]byte("SSH-2.0-Example\r\n"))
	_ = c.SendMessage([]byte("\x02plain"))
	line, _ := s.ReadLine(255)
	payload, _ := s.ReadMessage()
	fmt.Printf("%s, %q\n", line, payload)

	alg := Algorithm{Cipher: "aes256-gcm@openssh.com"}
	keys, _ := DeriveKeys(crypto.SHA256, []byte("K"), []byte("H"), []byte("session id"), wire.C2S, alg)
	_ = c.SetSealer(alg, keys, true)
	_ = s.SetOpener(alg, keys, true)
	_ = c.SendMessage([]byte("\x02secret"))
	payload, _ = s.ReadMessage()
	fmt.Printf("%q, next number %d\n", payload, s.ReadSeq())
	// Output:
	// SSH-2.0-Example, "\x02plain"
	// "\x02secret", next number 1
}

// join returns two Packetizers under the same keys, and the pipe's first end.
func join(t testing.TB, alg Algorithm, cfg testkit.PipeConfig) (from, to *Packetizer, nc *testkit.Conn) {
	t.Helper()
	a, b := testkit.NewPipe(cfg)
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	from, to = NewPacketizer(a), NewPacketizer(b)
	keys := testKeys(t, alg)
	if err := from.SetSealer(alg, keys, false); err != nil {
		t.Fatal(err)
	}
	if err := to.SetOpener(alg, keys, false); err != nil {
		t.Fatal(err)
	}
	return from, to, a
}

// TestMessagesHoweverTheyArrive sends packets of many lengths through pipes
// that deliver them in pieces of many lengths.
func TestMessagesHoweverTheyArrive(t *testing.T) {
	lengths := []int{1, 5, 100, 4000, 4070, 4090, 4096, 5000, 32768, 70000, MaxPayload, 1, 2, 3, 30000, 30000, 30000, 30000, 30000, 30000, 30000, 30000, 30000, 30000, 9}
	for _, alg := range algorithms() {
		for _, chunk := range []int{0, 1, 7, 4096, 33000} {
			t.Run(fmt.Sprintf("%s/%d", name(alg), chunk), func(t *testing.T) {
				if chunk == 1 {
					lengths = lengths[:8]
				}
				from, to, _ := join(t, alg, testkit.PipeConfig{C2S: testkit.Line{Chunk: chunk}})
				sent := make(chan error, 1)
				go func() { // stops when all is written
					for _, n := range lengths {
						if err := from.SendMessage(text(n)); err != nil {
							sent <- err
							return
						}
					}
					sent <- nil
				}()
				for i, n := range lengths {
					got, err := to.ReadMessage()
					if err != nil || !bytes.Equal(got, text(n)) {
						t.Fatalf("message %d of %d bytes: %v", i, n, err)
					}
					clear(got) // allowed
				}
				if err := <-sent; err != nil {
					t.Error(err)
				}
				packets, size := to.Received()
				if p, b := from.Sent(); p != packets || b != size || p != uint64(len(lengths)) {
					t.Errorf("sent %d packets, %d bytes; received %d, %d", p, b, packets, size)
				}
			})
		}
	}
}

func TestEndOfStream(t *testing.T) {
	for _, alg := range algorithms() {
		from, to, nc := join(t, alg, testkit.PipeConfig{})
		for range 2 {
			if err := from.Append(text(50)); err != nil {
				t.Fatal(err)
			}
		}
		b := from.Take()
		if _, err := nc.Write(b.Bytes()[:len(b.Bytes())-20]); err != nil {
			t.Fatal(err)
		}
		nc.CloseWrite()
		if _, err := to.ReadMessage(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := to.ReadMessage(); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: in the middle of a packet: %v", name(alg), err)
			}
		}
	}
	_, to, nc := join(t, Algorithm{}, testkit.PipeConfig{})
	nc.CloseWrite()
	if _, err := to.ReadMessage(); err != io.EOF {
		t.Errorf("between packets: %v", err)
	}
}

func TestReadLineAndReadFull(t *testing.T) {
	_, to, nc := join(t, Algorithm{}, testkit.PipeConfig{C2S: testkit.Line{Chunk: 3}})
	long := strings.Repeat("x", 20)
	if _, err := nc.Write([]byte("one\r\ntwo\n\r\n0123456789" + long + "\n")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two", ""} {
		got, err := to.ReadLine(10)
		if err != nil || string(got) != want {
			t.Errorf("ReadLine = %q, %v; want %q", got, err, want)
		}
	}
	b := make([]byte, 10)
	if n, err := to.ReadFull(b); err != nil || string(b[:n]) != "0123456789" {
		t.Errorf("ReadFull = %q, %v", b[:n], err)
	}
	if _, err := to.ReadLine(20); !errors.Is(err, ErrLineTooLong) {
		t.Errorf("a line of 21 bytes where 20 are allowed: %v", err)
	}
	if got, err := to.ReadLine(21); err != nil || string(got) != long {
		t.Errorf("ReadLine = %q, %v", got, err)
	}
	nc.CloseWrite()
	if n, err := to.ReadFull(b); n != 0 || err != io.EOF {
		t.Errorf("ReadFull at the end = %d, %v", n, err)
	}
}

// readSizes notes how long the buffer of the newest Read is.
type readSizes struct {
	net.Conn
	last atomic.Int64
}

func (r *readSizes) Read(b []byte) (int, error) {
	r.last.Store(int64(len(b)))
	return r.Conn.Read(b)
}

// TestIdleConnectionGivesItsBufferBack: bursts borrow the large buffer, quiet
// returns it, whatever was left in it survives.
func TestIdleConnectionGivesItsBufferBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, b := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
		defer nc.Close()
		defer b.Close()
		watched := &readSizes{Conn: b}
		from, to := NewPacketizer(nc), NewPacketizer(watched)
		got := make(chan int, 100)
		go func() { // stops at the end of the stream
			defer close(got)
			for {
				p, err := to.ReadMessage()
				if err != nil {
					return
				}
				got <- len(p)
			}
		}()
		for round := range 3 {
			for range 5 {
				if err := from.SendMessage(text(30000)); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if n := watched.last.Load(); n <= smallBuffer {
				t.Errorf("round %d: a busy connection reads into %d bytes", round, n)
			}
			time.Sleep(2 * idleAfter)
			synctest.Wait()
			if n := watched.last.Load(); n > smallBuffer {
				t.Errorf("round %d: an idle connection reads into %d bytes", round, n)
			}
			if err := from.SendMessage(text(1 + round)); err != nil {
				t.Fatal(err)
			}
		}
		// A packet that is not complete keeps the buffer it needs, and no more.
		_ = from.Append(text(20000))
		batch := from.Take()
		if _, err := nc.Write(batch.Bytes()[:10000]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := nc.Write(batch.Bytes()[10000:]); err != nil {
			t.Fatal(err)
		}
		nc.CloseWrite()
		var lens []int
		for n := range got {
			lens = append(lens, n)
		}
		if len(lens) != 19 || lens[18] != 20000 || lens[17] != 3 {
			t.Errorf("received %v", lens)
		}
	})
}

// noDeadlines is a connection that has none, as some tunnels have.
type noDeadlines struct{ net.Conn }

func (noDeadlines) SetReadDeadline(time.Time) error { return errors.New("not supported") }

func TestConnectionWithoutDeadlines(t *testing.T) {
	a, b := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
	defer a.Close()
	defer b.Close()
	from, to := NewPacketizer(a), NewPacketizer(noDeadlines{b})
	for range 5 {
		if err := from.SendMessage(text(30000)); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		if p, err := to.ReadMessage(); err != nil || len(p) != 30000 {
			t.Fatalf("ReadMessage = %d bytes, %v", len(p), err)
		}
	}
}

func TestAppendRefusesWhatNobodyAccepts(t *testing.T) {
	from, to, _ := join(t, Algorithm{}, testkit.PipeConfig{Buffer: 1 << 20})
	for _, n := range []int{0, MaxPayload + 1} {
		var e *Error
		if err := from.Append(make([]byte, n)); !errors.As(err, &e) || e.Kind != BadLength || !e.Local {
			t.Errorf("a payload of %d bytes: %v", n, err)
		}
	}
	if err := from.SendMessage(make([]byte, MaxPayload)); err != nil {
		t.Fatal(err)
	}
	if p, err := to.ReadMessage(); err != nil || len(p) != MaxPayload {
		t.Errorf("the longest payload: %d bytes, %v", len(p), err)
	}
}

// TestHeaderBuffersNothing: a peer that announces a long packet and sends
// little makes us hold the read buffer and nothing else.
func TestHeaderBuffersNothing(t *testing.T) {
	_, to, nc := join(t, Algorithm{}, testkit.PipeConfig{Buffer: 1 << 20})
	if _, err := nc.Write([]byte{0, 3, 255, 252, 4, 1, 1, 1}); err != nil {
		t.Fatal(err)
	}
	nc.CloseWrite()
	if _, err := to.ReadMessage(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if len(to.in.buf) > largeBuffer {
		t.Errorf("%d bytes held", len(to.in.buf))
	}
}

func TestBatchesGrow(t *testing.T) {
	from, to, nc := join(t, Algorithm{Cipher: Ciphers()[0]}, testkit.PipeConfig{Buffer: 4 << 20})
	total := 0
	for i := range 40 {
		room := from.Room(20000)
		copy(room, text(20000-i))
		total += from.Commit(20000 - i)
	}
	if from.Pending() != total {
		t.Errorf("Pending = %d, want %d", from.Pending(), total)
	}
	b := from.Take()
	for len(b.Bytes()) > 0 {
		n := min(777, len(b.Bytes()))
		if _, err := nc.Write(b.Bytes()[:n]); err != nil {
			t.Fatal(err)
		}
		b.Advance(n)
	}
	b.Release()
	for i := range 40 {
		if p, err := to.ReadMessage(); err != nil || !bytes.Equal(p, text(20000-i)) {
			t.Fatalf("packet %d: %v", i, err)
		}
	}
}

func FuzzPacketizer(f *testing.F) {
	for i, alg := range algorithms() {
		s, _ := pair(f, alg, 0)
		b := append(seal(s, text(20)), seal(s, text(300))...)
		f.Add(uint8(i), uint8(0), b)
		f.Add(uint8(i), uint8(3), b[:len(b)-1])
	}
	f.Add(uint8(0), uint8(1), []byte("SSH-2.0-x\r\n\x00\x00\x00\x0c\x0a\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, which, chunk uint8, b []byte) {
		algs := algorithms()
		alg := algs[int(which)%len(algs)]
		if len(b) > 60_000 {
			b = b[:60_000]
		}
		_, to, nc := join(t, alg, testkit.PipeConfig{C2S: testkit.Line{Chunk: int(chunk)}})
		if _, err := nc.Write(b); err != nil {
			t.Fatal(err)
		}
		nc.CloseWrite()
		if chunk%2 == 1 {
			_, _ = to.ReadLine(255)
		}
		for {
			p, err := to.ReadMessage()
			if err != nil {
				return
			}
			if len(p) == 0 {
				t.Fatal("empty payload")
			}
		}
	})
}
