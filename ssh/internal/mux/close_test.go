package mux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh"
)

func TestHalfClose(t *testing.T) {
	_, _, ca, cb := pair(t, Limits{})
	ca.Write([]byte("question"))
	if err := ca.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(cb); string(got) != "question" || err != nil {
		t.Fatalf("ReadAll = %q, %v", got, err)
	}
	if _, err := ca.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after CloseWrite = %v, want net.ErrClosed", err)
	}
	cb.Write([]byte("answer"))
	cb.Close()
	if got, err := io.ReadAll(ca); string(got) != "answer" || err != nil {
		t.Errorf("ReadAll = %q, %v", got, err)
	}
	if _, err := cb.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read after Close = %v, want net.ErrClosed", err)
	}
}

// TestWrittenThenClosed makes sure that a Close right after a write loses
// nothing of it.
func TestWrittenThenClosed(t *testing.T) {
	_, _, ca, cb := pair(t, Limits{})
	want := bytes.Repeat([]byte("0123456789"), 100_000)
	if _, err := ca.Write(want); err != nil {
		t.Fatal(err)
	}
	ca.Close()
	if got, err := io.ReadAll(cb); !bytes.Equal(got, want) || err != nil {
		t.Errorf("ReadAll = %d bytes, %v, want %d", len(got), err, len(want))
	}
}

func TestCloseUnblocks(t *testing.T) {
	tests := []struct {
		name string
		end  func(a, b *Mux, ca, cb *Channel)
		want error // of a blocked Write
		eof  bool  // a blocked Read ends with io.EOF
	}{
		{"own Close", func(_, _ *Mux, ca, _ *Channel) { ca.Close() }, net.ErrClosed, false},
		{"peer's Close", func(_, _ *Mux, _, cb *Channel) { cb.Close() }, net.ErrClosed, true},
		{"own mux", func(a, _ *Mux, _, _ *Channel) { a.Close() }, net.ErrClosed, false},
		{"peer's mux", func(_, b *Mux, _, _ *Channel) { b.Close() }, net.ErrClosed, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b, ca, cb := pair(t, Limits{Window: 1000})
			wrote, read, asked := make(chan error), make(chan error), make(chan error)
			go func() { _, err := ca.Write(make([]byte, 2000)); wrote <- err }() // stops with ca
			go func() { _, err := ca.Read(make([]byte, 1)); read <- err }()      // the same
			io.ReadFull(cb, make([]byte, 100))                                   // the write has begun
			go func() {                                                          // the same
				_, err := ca.Request(context.Background(), &ssh.ChannelRequest{Type: ssh.RequestExec, WantReply: true})
				asked <- err
			}()
			tt.end(a, b, ca, cb)
			if err := <-wrote; !errors.Is(err, tt.want) {
				t.Errorf("Write = %v, want %v", err, tt.want)
			}
			if err := <-read; (err == io.EOF) != tt.eof || err == nil {
				t.Errorf("Read = %v, want io.EOF: %v", err, tt.eof)
			}
			if err := <-asked; err != nil && !errors.Is(err, tt.want) {
				t.Errorf("Request = %v, want %v or an answer", err, tt.want)
			}
			<-ca.Life().Done()
			if err := context.Cause(ca.Life()); !errors.Is(err, net.ErrClosed) {
				t.Errorf("cause of Life = %v", err)
			}
		})
	}
}

// TestLostConnectionIsNoEndOfFile reads what came before the loss, and then an
// error that nobody takes for the end of the stream.
func TestLostConnectionIsNoEndOfFile(t *testing.T) {
	s := script(t, Config{})
	ch := s.begin(Options{})
	s.say(&ssh.ChannelData{Data: []byte("half")})
	s.far.mu.Lock()
	s.far.end(io.EOF)
	s.far.mu.Unlock()
	<-s.Done()
	got, err := io.ReadAll(ch)
	if string(got) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("ReadAll = %q, %v, want the half and io.ErrUnexpectedEOF", got, err)
	}
}

func TestRequestsAreAnsweredInOrder(t *testing.T) {
	s := script(t, Config{})
	ch := s.begin(Options{})
	ctx := context.Background()
	var pending []*Pending
	for range 6 {
		p, err := ch.Start(ctx, &ssh.ChannelRequest{Type: ssh.RequestShell, WantReply: true})
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
		hear[ssh.ChannelRequest](s)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := pending[1].Wait(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("abandoned Wait = %v", err)
	}
	want := []bool{true, false, false, true, true, false}
	for _, ok := range want {
		if ok {
			s.say(&ssh.ChannelSuccess{})
		} else {
			s.say(&ssh.ChannelFailure{})
		}
	}
	for i, p := range pending {
		if i == 1 {
			continue
		}
		if got, _, err := p.Wait(ctx); got != want[i] || err != nil {
			t.Errorf("reply %d = %v, %v, want %v", i, got, err, want[i])
		}
	}
}

// TestRepliesToUnsentRequests has a peer answer what it has not been asked
// yet, while the requests wait for room; then they are given up.
func TestRepliesToUnsentRequests(t *testing.T) {
	s := script(t, Config{})
	ch := s.begin(Options{})
	for { // the peer does not read
		s.near.mu.Lock()
		full := len(s.near.out)-s.near.head > fakeRoom
		s.near.mu.Unlock()
		if full {
			break
		}
		if _, err := ch.Write(make([]byte, 32<<10)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	given := make(chan error, 2)
	go func() { // stops with ctx
		_, err := ch.Start(ctx, &ssh.ChannelRequest{Type: ssh.RequestShell, WantReply: true})
		given <- err
	}()
	go func() { // stops with ctx
		_, _, err := s.Request(ctx, &ssh.GlobalRequest{Name: "x", WantReply: true})
		given <- err
	}()
	waiting := func() (n int) {
		ch.mu.Lock()
		n = len(ch.replies)
		ch.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		return n + len(s.globals)
	}
	for waiting() < 2 {
		runtime.Gosched()
	}
	s.say(&ssh.ChannelSuccess{}, &ssh.RequestSuccess{})
	for waiting() > 0 {
		runtime.Gosched()
	}
	cancel()
	for range 2 {
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Errorf("request = %v", err)
		}
	}
}

func TestGlobalRequests(t *testing.T) {
	ta, tb := fakePair(t)
	a := New(ta, Config{})
	b := New(tb, Config{OnGlobal: func(r *ssh.GlobalRequest) (bool, []byte) { return r.Name == "yes", []byte("data") }})
	defer a.Close()
	defer b.Close()
	for name, want := range map[string]bool{"yes": true, "no": false} {
		ok, data, err := a.Request(context.Background(), &ssh.GlobalRequest{Name: name, WantReply: true})
		if ok != want || (string(data) == "data") != want || err != nil {
			t.Errorf("Request(%q) = %v, %q, %v", name, ok, data, err)
		}
	}
}

func TestDrain(t *testing.T) {
	a, b, ca, _ := pair(t, Limits{})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := b.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain with a channel = %v", err)
	}
	var refusal *OpenError
	if _, err := a.Open(context.Background(), &ssh.ChannelOpen{Type: "x"}, Options{}); !errors.As(err, &refusal) {
		t.Errorf("Open while draining = %v, want a refusal", err)
	}
	drained := make(chan error)
	go func() { drained <- b.Drain(context.Background()) }() // stops when the channel is closed
	ca.Close()
	if err := <-drained; err != nil {
		t.Errorf("Drain = %v", err)
	}
	if _, err := b.Open(context.Background(), &ssh.ChannelOpen{Type: "x"}, Options{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("own Open while draining = %v", err)
	}
}
