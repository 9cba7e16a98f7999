package testkit

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

func TestMain(m *testing.M) { Leaks(m) }

func TestPipeIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, c2 = Pipe()
		return c1, c2, func() { c1.Close(); c2.Close() }, nil
	})
}

func TestPipeCloseWrite(t *testing.T) {
	c, s := NewPipe(PipeConfig{})
	defer s.Close()
	if _, err := c.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	if b, err := io.ReadAll(s); string(b) != "question" || err != nil {
		t.Errorf("server read %q, %v; want the question and its end", b, err)
	}
	if _, err := s.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if b, err := io.ReadAll(c); string(b) != "answer" || err != nil {
		t.Errorf("client read %q, %v; want the answer and its end", b, err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after CloseWrite = %v, want net.ErrClosed", err)
	}
	c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after Close = %v, want net.ErrClosed", err)
	}
}

func TestPipeBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := NewPipe(PipeConfig{Buffer: 10})
		defer s.Close()
		defer c.Close()
		c.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := c.Write(make([]byte, 25))
		if n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write = %d, %v; want 10 bytes and the deadline", n, err)
		}
		if got := s.Buffered(); got != 10 {
			t.Errorf("Buffered = %d, want 10", got)
		}
	})
}

func TestPipeLines(t *testing.T) {
	tests := []struct {
		name  string
		line  Line
		want  string // what the server reads of "0123456789"
		err   error  // how its reading ends
		werr  error  // how the client's writing ends
		after time.Duration
	}{
		{"plain", Line{}, "0123456789", nil, nil, 0},
		{"delay", Line{Delay: time.Second}, "0123456789", nil, nil, time.Second},
		{"drip", Line{Chunk: 3, Every: time.Second}, "0123456789", nil, nil, 3 * time.Second},
		{"cut", Line{CutAfter: 4}, "0123", nil, ErrCut, 0},
		{"reset", Line{CutAfter: 4, Reset: true}, "0123", ErrCut, ErrCut, 0},
		{"stall", Line{StallAfter: 4}, "0123", os.ErrDeadlineExceeded, nil, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := NewPipe(PipeConfig{C2S: tt.line})
				defer s.Close()
				start := time.Now()
				_, werr := c.Write([]byte("0123456789"))
				if !errors.Is(werr, tt.werr) {
					t.Errorf("Write = %v, want %v", werr, tt.werr)
				}
				c.CloseWrite()
				s.SetReadDeadline(start.Add(time.Hour))
				b, err := io.ReadAll(s)
				if string(b) != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("read %q, %v; want %q, %v", b, err, tt.want, tt.err)
				}
				if got := time.Since(start); got.Round(time.Second) != tt.after {
					t.Errorf("it took %v, want %v", got, tt.after)
				}
				c.Close()
			})
		})
	}
}

func TestPipeStallAndCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := NewPipe(PipeConfig{})
		defer c.Close()
		defer s.Close()
		s.Stall(true)
		c.Write([]byte("late"))
		got := make(chan string)
		go func() { // stops when it has read once
			b := make([]byte, 8)
			n, _ := s.Read(b)
			got <- string(b[:n])
		}()
		synctest.Wait()
		select {
		case b := <-got:
			t.Errorf("read %q through a stall", b)
		default:
		}
		s.Stall(false)
		if b := <-got; b != "late" {
			t.Errorf("read %q, want what was held back", b)
		}
		c.Write([]byte("lost"))
		c.Cut()
		if n, err := s.Read(make([]byte, 8)); n != 0 || err != io.EOF {
			t.Errorf("read after a cut = %d, %v; want EOF", n, err)
		}
		if _, err := s.Write([]byte("x")); !errors.Is(err, ErrCut) {
			t.Errorf("write after a cut = %v, want ErrCut", err)
		}
	})
}

func TestLeaked(t *testing.T) {
	stop, stopped := make(chan bool), make(chan bool)
	go func() { // stops when stop is closed
		<-stop
		close(stopped)
	}()
	left := leaked(10 * time.Millisecond)
	found := false
	for _, s := range left {
		found = found || strings.Contains(s, "TestLeaked")
	}
	if !found {
		t.Errorf("leaked found %d goroutines, not the one that waits", len(left))
	}
	close(stop)
	<-stopped
}

func TestPoison(t *testing.T) {
	var kept []byte
	b := []byte("borrowed")
	Lend(b, func(b []byte) { kept = b })
	if string(b) != "borrowed" || !bytes.Equal(kept, bytes.Repeat([]byte{0xdb}, 8)) {
		t.Errorf("original %q, kept %x", b, kept)
	}
}

func TestGolden(t *testing.T) {
	Golden(t, "golden.txt", []byte("one line\nand another\n"))
}
