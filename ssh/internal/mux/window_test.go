package mux

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/ssh"
)

func TestStalledReaderHoldsTheWindow(t *testing.T) {
	_, _, ca, cb := pair(t, Limits{})
	ca.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	n, err := ca.Write(make([]byte, 4<<20))
	if n != 2<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write = %d, %v, want 2 MiB and a timeout", n, err)
	}
	ca.SetWriteDeadline(time.Time{})
	go ca.Write([]byte("more")) // stops when there is room again
	if _, err := io.ReadFull(cb, make([]byte, 2<<20+4)); err != nil {
		t.Fatal(err)
	}
}

func TestPeerIgnoresTheWindow(t *testing.T) {
	s := script(t, Config{Limits: Limits{Window: 100_000}})
	s.begin(Options{})
	for range 3 {
		s.say(&ssh.ChannelData{Data: make([]byte, 32<<10)})
	}
	s.say(&ssh.ChannelData{Data: make([]byte, 100_000-3*32<<10+1)})
	<-s.Done()
	want := "ssh protocol error by the peer: 1697 bytes of data for channel 0, whose window has 1696 left (RFC 4254 §5)"
	if got := s.Err().Error(); got != want {
		t.Errorf("Err = %q, want %q", got, want)
	}
}

// TestCreditComesInLumps counts the adjusts for a long stream.
func TestCreditComesInLumps(t *testing.T) {
	s := script(t, Config{Limits: Limits{MaxWindow: 2 << 20}}) // growth is credit too
	ch := s.begin(Options{})
	const total = 8 << 20
	sent := 0
	send := func(n int) { // what the window allows
		for ; n > 0 && sent < total; n -= 32 << 10 {
			s.far.Send(context.Background(), &ssh.ChannelData{Data: make([]byte, 32<<10)})
			sent += 32 << 10
		}
	}
	read := make(chan error, 1)
	go func() { // stops with the stream
		_, err := io.CopyN(io.Discard, ch, total)
		read <- err
	}()
	granted, adjusts := 0, 0
	for send(2 << 20); granted < total; adjusts++ {
		n := int(hear[ssh.ChannelWindowAdjust](s).Add)
		granted += n
		send(n)
	}
	if err := <-read; err != nil || granted != total || adjusts > total/(256<<10) {
		t.Errorf("%d bytes were granted in %d adjusts (%v), want %d in at most %d", granted, adjusts, err, total, total/(256<<10))
	}
}

func TestUnknownDataGivesCreditBack(t *testing.T) {
	for _, kind := range []ssh.DataType{0, 2, ssh.ExtendedStderr} { // nobody keeps stderr here
		s := script(t, Config{})
		s.begin(Options{})
		for range 8 {
			s.say(&ssh.ChannelExtendedData{Type: kind, Data: make([]byte, 32<<10)})
		}
		if got := hear[ssh.ChannelWindowAdjust](s).Add; got != 256<<10 {
			t.Errorf("credit for data of type %v = %d, want %d", kind, got, 256<<10)
		}
	}
}

func TestDataPacketsAreThoseOfTheirFields(t *testing.T) {
	s := script(t, Config{})
	ch := s.begin(Options{})
	payload := []byte("some bytes")
	tests := []struct {
		name  string
		write func()
		want  any
	}{
		{"Write", func() { ch.Write(payload) }, &ssh.ChannelData{Recipient: 7, Data: payload}},
		{"AppendFunc", func() { ch.AppendFunc(100, func(room []byte) int { return copy(room, payload) }) }, &ssh.ChannelData{Recipient: 7, Data: payload}},
		{"Stderr", func() { ch.Stderr().Write(payload) }, &ssh.ChannelExtendedData{Recipient: 7, Type: ssh.ExtendedStderr, Data: payload}},
	}
	for _, tt := range tests {
		tt.write()
		got, err := s.far.ReadPacket()
		if err != nil {
			t.Fatal(err)
		}
		var want []byte
		switch m := tt.want.(type) {
		case *ssh.ChannelData:
			want, err = ssh.Append(nil, m)
		case *ssh.ChannelExtendedData:
			want, err = ssh.Append(nil, m)
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s sent %s, want %s", tt.name, hex.EncodeToString(got), hex.EncodeToString(want))
		}
	}
}

// TestDataAllocatesNothing is a budget: a data packet costs no allocation, on
// either side, whatever the window.
func TestDataAllocatesNothing(t *testing.T) {
	for _, window := range []uint32{2 << 20, 8 << 20} {
		dataAllocatesNothing(t, window)
	}
}

func dataAllocatesNothing(t *testing.T, window uint32) {
	_, _, ca, cb := pair(t, Limits{})
	cb.mu.Lock()
	cb.window, cb.charged = window, window
	cb.mu.Unlock()
	out, in := make([]byte, 16<<10), make([]byte, 16<<10)
	trip := func() {
		ca.Write(out)
		io.ReadFull(cb, in)
	}
	appended := func() {
		ca.AppendFunc(len(out), fillAll)
		for left := len(out); left > 0; {
			chunk, release, err := cb.Next()
			if err != nil {
				t.Fatal(err)
			}
			left -= len(chunk)
			release()
		}
	}
	for name, f := range map[string]func(){"Write and Read": trip, "AppendFunc and Next": appended} {
		for range 200 {
			f()
		}
		if got := testing.AllocsPerRun(500, f); got != 0 {
			t.Errorf("%s, window %d: %v allocations, want 0", name, window, got)
		}
	}
}

func fillAll(room []byte) int { return len(room) }

// TestStreamsArriveWhole sends random pieces both ways, read in random ways,
// through random windows.
func TestStreamsArriveWhole(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limits := Limits{
			Window:    rapid.IntRange(64, 300_000).Draw(r, "window"),
			MaxWindow: rapid.IntRange(64, 2_000_000).Draw(r, "largest window"),
			MaxPacket: rapid.IntRange(minMaxPacket, 40_000).Draw(r, "max packet"),
		}
		seed := rapid.Uint64().Draw(r, "seed")
		a, b, ca, cb := pair(t, limits)
		defer b.Close()
		defer a.Close()
		want := make([]byte, rapid.IntRange(0, 500_000).Draw(r, "size"))
		rand.NewChaCha8([32]byte{byte(seed)}).Read(want)
		sent := make(chan error, 1)
		go func() { // stops when all is written or the mux is closed
			sent <- writePieces(ca, want, rand.New(rand.NewPCG(seed, 1)))
		}()
		got, err := readPieces(cb, max(limits.Window, limits.MaxWindow), rand.New(rand.NewPCG(seed, 2)))
		if err != nil || !bytes.Equal(got, want) {
			r.Fatalf("read %d bytes, %v, want %d", len(got), err, len(want))
		}
		if err := <-sent; err != nil {
			r.Fatal(err)
		}
	})
}

func writePieces(ch *Channel, data []byte, src *rand.Rand) error {
	for len(data) > 0 {
		n := min(len(data), 1+src.IntN(1<<src.IntN(18)))
		var err error
		if src.IntN(2) == 0 {
			n, err = ch.AppendFunc(n, func(room []byte) int { return copy(room, data[:n]) })
		} else {
			n, err = ch.Write(data[:n])
		}
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return ch.CloseWrite()
}

func readPieces(ch *Channel, window int, src *rand.Rand) (got []byte, err error) {
	for {
		ch.mu.Lock()
		if held := ch.in[0].size + int(ch.recvLeft); held > window {
			err = errors.New("more may come than the window allows")
		}
		ch.mu.Unlock()
		if err != nil {
			return got, err
		}
		var chunk []byte
		release := func() {}
		if src.IntN(2) == 0 {
			chunk, release, err = ch.Next()
		} else {
			chunk = make([]byte, 1+src.IntN(1<<src.IntN(17)))
			var n int
			n, err = ch.Read(chunk)
			chunk = chunk[:n]
		}
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, chunk...)
		release()
	}
}
