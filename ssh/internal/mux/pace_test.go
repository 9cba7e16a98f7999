package mux

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/ssh"
)

const trip = 100 * time.Millisecond

// line is a peer at some distance that sends as much as it may.
type line struct {
	*scripted
	ch      *Channel
	left    int // what the peer may send
	largest int // the window, as far as the peer can tell
	buf     []byte
	data    []byte
}

// far opens a channel to a peer that answers after a round trip.
func far(s *scripted, number uint32) *line {
	s.t.Helper()
	opened := make(chan *Channel)
	go func() { // stops when the peer has answered
		ch, err := s.Open(context.Background(), &ssh.ChannelOpen{Type: ssh.ChannelSession}, Options{})
		if err != nil {
			s.t.Error(err)
		}
		opened <- ch
	}()
	o := hear[ssh.ChannelOpen](s)
	time.Sleep(trip)
	s.say(&ssh.ChannelOpenConfirmation{Recipient: o.Sender, Sender: number, Window: 1 << 20, MaxPacket: 32 << 10})
	return &line{scripted: s, ch: <-opened, left: int(o.Window), largest: int(o.Window), buf: make([]byte, 64<<10), data: make([]byte, 32<<10)}
}

// send sends n bytes, which arrive at once.
func (l *line) send(n int) {
	l.t.Helper()
	for l.left -= n; n > 0; n -= 32 << 10 {
		l.say(&ssh.ChannelData{Recipient: l.ch.local, Data: l.data[:min(n, 32<<10)]})
	}
	synctest.Wait()
}

// take reads n bytes, and then gives the peer what it has been granted.
func (l *line) take(n int) (granted int) {
	l.t.Helper()
	for left := n; left > 0; {
		k, err := l.ch.Read(l.buf[:min(left, len(l.buf))])
		if err != nil {
			l.t.Fatal(err)
		}
		left -= k
	}
	synctest.Wait()
	for l.near.pending() {
		p, err := l.far.ReadPacket()
		if err != nil {
			l.t.Fatal(err)
		}
		var a ssh.ChannelWindowAdjust
		if p[0] != numAdjust {
			continue
		}
		if err := ssh.Parse(p, &a); err != nil {
			l.t.Fatal(err)
		}
		granted += int(a.Add)
	}
	l.left += granted
	l.largest = max(l.largest, l.left)
	return granted
}

// round sends all that the window allows and takes it.
func (l *line) round() {
	l.t.Helper()
	n := l.left
	l.send(n)
	l.take(n)
}

// pending reports whether there is something for the peer to read.
func (f *fake) pending() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head < len(f.out)
}

const mib = 1 << 20

func TestWindowGrows(t *testing.T) {
	tests := []struct {
		name   string
		limits Limits
		pause  time.Duration // between rounds
		want   int           // MiB after five rounds
	}{
		{"one round trip", Limits{}, trip, 32},
		{"a round trip and a half", Limits{}, 3 * trip / 2, 32},
		{"less than its limit", Limits{MaxWindow: 6 * mib}, trip, 6},
		{"budget", Limits{Budget: 5 * mib}, trip, 5},
		{"no growth wanted", Limits{MaxWindow: 2 * mib}, trip, 2},
		{"another first window", Limits{Window: 4 * mib, MaxWindow: 1}, trip, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := far(script(t, Config{Limits: tt.limits}), 7)
				for range 5 {
					l.round()
					time.Sleep(tt.pause)
				}
				if held := int(l.ch.window); held != tt.want*mib || l.largest > held || l.largest < held-int(l.ch.threshold()) {
					t.Errorf("window = %d bytes, of which the peer has had %d, want %d MiB", held, l.largest, tt.want)
				}
			})
		})
	}
}

// TestWindowStays has a reader or a line that needs no larger window.
func TestWindowStays(t *testing.T) {
	tests := []struct {
		name string
		run  func(l *line)
	}{
		{"a slow line", func(l *line) {
			for range 200 {
				l.send(64 << 10) // 640 KiB in a second, where 20 MiB could come
				l.take(64 << 10)
				time.Sleep(trip)
			}
		}},
		{"a reader that is always behind", func(l *line) {
			l.send(l.left)
			for range 40 {
				l.take(mib)
				l.send(l.left)
				time.Sleep(trip / 2)
			}
		}},
		{"no round trip known", func(l *line) {
			l.probe.trip.Store(0)
			for range 6 { // the question for one is not answered
				l.round()
				time.Sleep(trip)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := far(script(t, Config{}), 7)
				tt.run(l)
				if l.ch.window != 2*mib || l.largest > 2*mib {
					t.Errorf("window = %d bytes, the peer's %d, want 2 MiB", l.ch.window, l.largest)
				}
			})
		})
	}
}

// TestStalledReader stops a reader whose window has grown. What it holds is
// what was granted while it kept up. It takes that slowly, and the peer is
// granted nothing until no more than the first window can be lying here.
func TestStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := far(script(t, Config{}), 7)
		for l.left < 31*mib {
			l.round()
			time.Sleep(trip)
		}
		held := l.left
		l.send(held)
		time.Sleep(time.Minute)
		for held > 2*mib {
			if granted := l.take(mib); granted != 0 {
				t.Fatalf("%d bytes were granted to the peer of a reader that holds %d", granted, held)
			}
			held -= mib
			time.Sleep(time.Second)
		}
		if got := l.charged.Load(); got != 2*mib {
			t.Errorf("%d bytes are charged to the connection, want 2 MiB", got)
		}
		for range 100 { // still slow
			held += l.left
			l.send(l.left)
			if held > 2*mib {
				t.Fatalf("a slow reader holds %d bytes", held)
			}
			l.take(256 << 10)
			held -= 256 << 10
			time.Sleep(2 * time.Second)
		}
		l.take(held)
		for range 4 { // and now it keeps up again
			time.Sleep(trip)
			l.round()
		}
		if l.ch.window != 32*mib {
			t.Errorf("window of a reader that keeps up again = %d bytes, want 32 MiB", l.ch.window)
		}
	})
}

// TestReaderThatNeverReads holds no more than the first window, however long
// it is there, and however fast it was on another channel.
func TestReaderThatNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script(t, Config{})
		fast, stalled := far(s, 7), far(s, 8)
		stalled.send(stalled.left)
		for range 4 {
			fast.round()
			time.Sleep(trip)
		}
		if fast.ch.window != 32*mib || stalled.ch.window != 2*mib || stalled.ch.waiting() != 2*mib {
			t.Errorf("windows %d and %d, %d bytes wait, want 32, 2 and 2 MiB", fast.ch.window, stalled.ch.window, stalled.ch.waiting())
		}
		s.say(&ssh.ChannelData{Recipient: stalled.ch.local, Data: []byte("x")})
		<-s.Done()
		if err := s.Err(); !strings.Contains(err.Error(), "whose window has 0 left") {
			t.Errorf("Err = %v", err)
		}
	})
}

// TestPeerIgnoresTheGrownWindow is one byte too much.
func TestPeerIgnoresTheGrownWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script(t, Config{})
		l := far(s, 7)
		for range 4 {
			l.round()
			time.Sleep(trip)
		}
		if l.left < 28*mib {
			t.Fatalf("the peer may send %d bytes only", l.left)
		}
		l.send(l.left)
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		s.say(&ssh.ChannelData{Recipient: l.ch.local, Data: []byte("x")})
		<-s.Done()
		if err := s.Err(); !strings.Contains(err.Error(), "whose window has 0 left") {
			t.Errorf("Err = %v", err)
		}
	})
}

// TestWindowBudget has many channels share what one connection may hold, and
// give it back. Windows that nothing lies in cost no memory.
func TestWindowBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script(t, Config{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		lines := make([]*line, 8)
		for i := range lines {
			lines[i] = far(s, uint32(i))
		}
		sum := func() (n int) {
			for _, l := range lines {
				n += int(l.ch.window)
			}
			return n
		}
		rounds := func() {
			for range 4 {
				for _, l := range lines {
					l.round()
				}
				time.Sleep(trip)
			}
		}
		rounds()
		if got := sum(); got != 64*mib || s.charged.Load() != 64*mib {
			t.Errorf("windows together = %d bytes, charged %d, want 64 MiB", got, s.charged.Load())
		}
		runtime.GC()
		runtime.GC() // what pools keep for one more
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16*mib {
			t.Errorf("empty windows of 64 MiB take %d bytes", grown)
		}
		for _, l := range lines[:4] {
			l.ch.Close()
			hear[ssh.ChannelClose](s)
			s.say(&ssh.ChannelClose{Recipient: l.ch.local})
		}
		synctest.Wait()
		lines = lines[4:]
		rounds()
		if got := sum(); got != 64*mib || s.charged.Load() != 64*mib {
			t.Errorf("windows of half of the channels = %d bytes, charged %d, want 64 MiB", got, s.charged.Load())
		}
	})
}
