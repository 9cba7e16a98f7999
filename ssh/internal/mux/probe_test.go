package mux

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/ssh"
)

// TestRoundTripByPing measures with pings while data comes in, and with
// nothing else.
func TestRoundTripByPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := far(script(t, Config{Ping: true}), 7)
		if got := l.probe.roundTrip(); got != trip {
			t.Errorf("round trip by the open = %v, want %v", got, trip)
		}
		l.send(256 << 10)
		readAll(t, l.ch, 256<<10)
		hear[ssh.ChannelWindowAdjust](l.scripted)
		ping := hear[ssh.Ping](l.scripted)
		question := append([]byte(nil), ping.Data...)

		l.say(&ssh.Pong{Data: []byte("a guess")})
		synctest.Wait()
		if l.near.rejections() != 1 || l.probe.roundTrip() != trip {
			t.Errorf("a pong for no ping: %d rejected, round trip %v", l.near.rejections(), l.probe.roundTrip())
		}
		time.Sleep(trip / 4)
		l.say(&ssh.Pong{Data: question})
		synctest.Wait()
		if got := l.probe.roundTrip(); got != trip/4 {
			t.Errorf("round trip by ping = %v, want %v", got, trip/4)
		}
		l.say(&ssh.Pong{Data: question})
		synctest.Wait()
		if got := l.near.rejections(); got != 2 {
			t.Errorf("a second pong for one ping: %d rejected, want 2", got)
		}
		l.left += 256 << 10
		l.send(256 << 10) // not a second later: no ping
		l.take(256 << 10)
		time.Sleep(probeEvery)
		l.send(256 << 10)
		readAll(t, l.ch, 256<<10)
		hear[ssh.ChannelWindowAdjust](l.scripted)
		if ping := hear[ssh.Ping](l.scripted); string(ping.Data) == string(question) {
			t.Error("two pings with the same data")
		}
	})
}

// TestRoundTripOfAServer has a peer that opens channels, is never asked for
// anything, and answers no pings.
func TestRoundTripOfAServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, accepted := accepting(Options{}, Limits{})
		s := script(t, cfg)
		s.say(&ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 7, Window: 1 << 20, MaxPacket: 32 << 10})
		hear[ssh.ChannelOpenConfirmation](s)
		l := &line{scripted: s, ch: <-accepted, left: 2 * mib, data: make([]byte, 32<<10)}
		l.send(256 << 10)
		readAll(t, l.ch, 256<<10)
		hear[ssh.ChannelWindowAdjust](s)
		if r := hear[ssh.GlobalRequest](s); r.Name != ssh.GlobalKeepalive || !r.WantReply {
			t.Errorf("asked %q, want reply %v", r.Name, r.WantReply)
		}
		time.Sleep(trip)
		s.say(&ssh.RequestFailure{})
		synctest.Wait()
		if got := s.probe.roundTrip(); got != trip {
			t.Errorf("round trip by a global request = %v, want %v", got, trip)
		}
	})
}

func readAll(t *testing.T, r io.Reader, n int64) {
	t.Helper()
	if _, err := io.CopyN(io.Discard, r, n); err != nil {
		t.Fatal(err)
	}
}

func (f *fake) rejections() int { f.mu.Lock(); defer f.mu.Unlock(); return f.rejected }

// TestKeepAlive looks at the questions and at when they end in vain.
func TestKeepAlive(t *testing.T) {
	const every = 10 * time.Second
	tests := []struct {
		name     string
		ping     bool
		received func(after time.Duration) uint64
		rekeying func(after time.Duration) bool
		want     time.Duration // 0: it lives
	}{
		{"nothing comes", false, nil, nil, 4 * every},
		{"nothing comes, pings", true, nil, nil, 4 * every},
		{
			"something comes at the last moment", false,
			func(after time.Duration) uint64 { return uint64(after / (3 * every)) }, nil, 0,
		},
		{
			"it comes until", true,
			func(after time.Duration) uint64 { return uint64(min(after, 10*every)) }, nil, 13 * every,
		},
		{
			"key exchange takes long", false, nil,
			func(after time.Duration) bool { return after < 20*every }, 23 * every,
		},
		{
			"key exchange between questions", true, nil,
			func(after time.Duration) bool { return after > 2*every && after < 20*every }, 21 * every,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := script(t, Config{Ping: tt.ping})
				began := time.Now()
				look := func() (received uint64, rekeying bool) {
					after := time.Since(began)
					if tt.received != nil {
						received = tt.received(after)
					}
					return received, tt.rekeying != nil && tt.rekeying(after)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				dead := s.KeepAlive(ctx, every, 0, look)
				if got := time.Since(began); dead != (tt.want != 0) || dead && got != tt.want {
					t.Errorf("KeepAlive = %v after %v, want an end after %v", dead, got, tt.want)
				}
				if tt.ping {
					hear[ssh.Ping](s)
				} else {
					hear[ssh.GlobalRequest](s)
				}
				if s.near.pending() {
					t.Error("a second question before the first was answered")
				}
			})
		})
	}
}

// TestKeepAliveAsksAgain once the last question has been answered.
func TestKeepAliveAsksAgain(t *testing.T) {
	for _, ping := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := script(t, Config{Ping: ping})
			alive := make(chan bool)
			go func() { // stops with the connection
				alive <- s.KeepAlive(t.Context(), time.Minute, 1, func() (uint64, bool) { return uint64(time.Now().UnixNano()), false })
			}()
			for range 3 {
				if ping {
					s.say(&ssh.Pong{Data: hear[ssh.Ping](s).Data})
				} else {
					hear[ssh.GlobalRequest](s)
					s.say(&ssh.RequestFailure{})
				}
			}
			s.Close()
			if <-alive {
				t.Error("KeepAlive says that a closed connection gave no sign of life")
			}
		})
	}
}
