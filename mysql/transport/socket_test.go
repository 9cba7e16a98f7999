package transport_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql/transport"
)

func sockets() (client *testkit.Conn, server *transport.Socket) {
	c, s := testkit.NewPipe(testkit.PipeConfig{})
	return c, transport.NewSocket(s)
}

func TestWatchSeesTheEnd(t *testing.T) {
	tests := []struct {
		name string
		sent int // bytes before the end
		seen bool
	}{
		{"nothing else", 0, true},
		{"behind some bytes", 1000, true},
		{"behind more than is read ahead", 10_000, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, s := sockets()
				seen := make(chan bool, 1)
				s.Watch(func() { seen <- true })
				sent := bytes.Repeat([]byte("abcdefg"), tt.sent/7)
				if _, err := client.Write(sent); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if len(seen) > 0 {
					t.Error("the end was seen before it came")
				}
				client.CloseWrite()
				synctest.Wait()
				if got := len(seen) > 0; got != tt.seen {
					t.Errorf("the end was seen: %v, want %v", got, tt.seen)
				}
				s.Unwatch()
				got, err := io.ReadAll(s)
				if err != nil || !bytes.Equal(got, sent) {
					t.Errorf("%d of %d bytes are left, %v", len(got), len(sent), err)
				}
				s.Close()
				client.Close()
			})
		})
	}
}

func TestShortWatchesCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s := sockets()
		for range 3 {
			s.Watch(func() { t.Error("an end was seen") })
			time.Sleep(time.Millisecond)
			s.Unwatch()
		}
		s.Unwatch() // once more does nothing
		time.Sleep(time.Second)
		if _, err := client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if b := make([]byte, 10); client.Buffered() != 0 {
			t.Errorf("bytes at the client: %d", client.Buffered())
		} else if n, err := s.Read(b); n != 1 || err != nil {
			t.Errorf("read %d, %v, want 1", n, err)
		}
		s.Close()
		client.Close()
	})
}

// TestDeadlinesOutliveAWatch wants the session's deadline to hold again when
// the watch has ended.
func TestDeadlinesOutliveAWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s := sockets()
		start := time.Now()
		if err := s.SetReadDeadline(start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		s.Watch(func() { t.Error("an end was seen") })
		time.Sleep(time.Second)
		s.Unwatch()
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want the deadline", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %v, want a minute", took)
		}
		s.Close()
		client.Close()
	})
}

func TestInterrupt(t *testing.T) {
	for _, watched := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			client, s := sockets()
			if watched {
				s.Watch(func() { t.Error("an end was seen") })
				time.Sleep(time.Second)
			}
			s.Interrupt()
			synctest.Wait()
			s.Unwatch()
			if err := s.SetDeadline(time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v, want a deadline", err)
			}
			s.Watch(func() { t.Error("an end was seen") })
			time.Sleep(time.Second) // there is nothing to watch any more
			s.Unwatch()
			s.Close()
			client.Close()
		})
	}
}

// TestPatience gives each piece its own time.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s := sockets()
		s.Patience(10 * time.Second)
		if s.Begun() {
			t.Error("nothing has come, and yet it has begun")
		}
		_ = s.SetReadDeadline(time.Now().Add(time.Hour))
		go func() { // stops when it has written three times
			for range 3 {
				time.Sleep(9 * time.Second)
				_, _ = client.Write([]byte("x"))
			}
		}()
		start := time.Now()
		n, err := io.Copy(io.Discard, s)
		if n != 3 || !errors.Is(err, os.ErrDeadlineExceeded) || !s.Begun() {
			t.Errorf("read %d, %v, begun: %v", n, err, s.Begun())
		}
		if took := time.Since(start); took != 37*time.Second {
			t.Errorf("it took %v, want 37 s", took)
		}
		s.Close()
		client.Close()
	})
}

func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s := sockets()
		stopped := make(chan struct{})
		go func() { // stops when the socket is closed
			defer close(stopped)
			b := make([]byte, 1000)
			for {
				if _, err := client.Write(b); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
		start := time.Now()
		s.Linger()
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v, want a second", took)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the client reads %v, want the end", err)
		}
		s.Close()
		client.Close()
		<-stopped
	})
}

var _ net.Conn = (*transport.Socket)(nil)
