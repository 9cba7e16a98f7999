package mux

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

// floods are what a peer can say any number of times.
func floods() map[string]wire.Message {
	return map[string]wire.Message{
		"global requests":            &ssh.GlobalRequest{Name: "x", WantReply: true},
		"global requests, no reply":  &ssh.GlobalRequest{Name: "x"},
		"channel requests":           &ssh.ChannelRequest{Type: "x", WantReply: true},
		"signals":                    &ssh.ChannelRequest{Type: ssh.RequestSignal, Signal: "INT"},
		"opens":                      &ssh.ChannelOpen{Type: "x", Window: 1, MaxPacket: 1 << 15},
		"empty data":                 &ssh.ChannelData{},
		"empty stderr":               &ssh.ChannelExtendedData{Type: 1},
		"adjusts":                    &ssh.ChannelWindowAdjust{},
		"ends of file":               &ssh.ChannelEOF{},
		"messages that nobody knows": &ssh.UserAuthBanner{},
	}
}

const floodSize = 20_000

// TestFloodDoesNotStopOthers floods a mux and reads its answers; a second
// channel goes on meanwhile.
func TestFloodDoesNotStopOthers(t *testing.T) {
	for name, m := range floods() {
		t.Run(name, func(t *testing.T) {
			s := script(t, Config{})
			s.begin(Options{})
			go func() { // stops when all is sent
				for range floodSize {
					if s.far.Send(context.Background(), m) != nil {
						return
					}
				}
				s.far.Send(context.Background(), &ssh.GlobalRequest{Name: "last", WantReply: true})
			}()
			answers := 0
			for {
				p, err := s.far.ReadPacket()
				if err != nil {
					t.Fatalf("after %d answers: %v", answers, err)
				}
				answers++
				if p[0] == numFailure && (number(m) != numGlobal || answers > floodSize || !wantsReply(m)) {
					break
				}
			}
			if n := s.Channels(); n != 1 {
				t.Errorf("%d channels are open, want 1", n)
			}
		})
	}
}

func wantsReply(m wire.Message) bool {
	g, ok := m.(*ssh.GlobalRequest)
	return ok && g.WantReply
}

// TestFloodOfAnswersEndsTheConnection floods a mux and does not read.
func TestFloodOfAnswersEndsTheConnection(t *testing.T) {
	for _, name := range []string{"global requests", "channel requests", "opens"} {
		t.Run(name, func(t *testing.T) {
			s := script(t, Config{})
			s.begin(Options{})
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := 0; s.Err() == nil && i < 1_000_000; i++ {
				s.far.Send(context.Background(), floods()[name])
			}
			<-s.Done()
			runtime.GC()
			runtime.ReadMemStats(&after)
			if err := s.Err(); !errors.Is(err, transport.ErrFlood) {
				t.Errorf("Err = %v, want %v", err, transport.ErrFlood)
			}
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
				t.Errorf("the heap grew by %d bytes", grown)
			}
		})
	}
}

func TestUndecidedOpensAreBounded(t *testing.T) {
	var kept []*Incoming
	s := script(t, Config{Limits: Limits{PendingOpens: 5}, OnOpen: func(in *Incoming) { kept = append(kept, in) }})
	for i := range uint32(8) {
		s.say(&ssh.ChannelOpen{Type: "x", Sender: i, Window: 1, MaxPacket: 1 << 15})
	}
	for i := range uint32(3) {
		if got := hear[ssh.ChannelOpenFailure](s); got.Recipient != 5+i || got.Reason != ssh.ResourceShortage {
			t.Errorf("answer %d = %+v", i, got)
		}
	}
	for _, in := range kept {
		in.Reject(ssh.ConnectFailed, "no")
		hear[ssh.ChannelOpenFailure](s)
	}
	s.say(&ssh.ChannelOpen{Type: "x", Sender: 9, Window: 1, MaxPacket: 1 << 15})
	s.say(&ssh.GlobalRequest{Name: "probe", WantReply: true})
	hear[ssh.RequestFailure](s)
	if len(kept) != 6 {
		t.Errorf("%d opens were let through, want 6", len(kept))
	}
}

func TestChannelsAreBounded(t *testing.T) {
	_, _, ca, cb := pair(t, Limits{Channels: 3})
	open(t, ca.m)
	open(t, ca.m)
	if _, err := ca.m.Open(context.Background(), &ssh.ChannelOpen{Type: "x"}, Options{}); !errors.Is(err, ErrTooManyChannels) {
		t.Errorf("fourth Open = %v, want %v", err, ErrTooManyChannels)
	}
	_, err := cb.m.Open(context.Background(), &ssh.ChannelOpen{Type: "x"}, Options{})
	if !errors.Is(err, ErrTooManyChannels) {
		t.Errorf("fourth Open of the other side = %v, want %v", err, ErrTooManyChannels)
	}
	ca.Close()
	if _, err := io.Copy(io.Discard, cb); err != nil {
		t.Fatal(err)
	}
	cb.Close()
	for ca.m.Channels() == 3 { // a close travels with the next batch
		roundTrip(t, ca.m)
	}
	open(t, ca.m)
}

// roundTrip makes sure that both sides have heard what was said before.
func roundTrip(t testing.TB, m *Mux) {
	t.Helper()
	for range 2 {
		if _, _, err := m.Request(context.Background(), &ssh.GlobalRequest{Name: "probe", WantReply: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChannelsLeaveNoTrace opens, uses and closes many.
func TestChannelsLeaveNoTrace(t *testing.T) {
	ta, tb := fakePair(t)
	cfg, accepted := accepting(Options{}, Limits{Channels: 4})
	a, b := New(ta, Config{Limits: Limits{Channels: 4}}), New(tb, cfg)
	defer a.Close()
	defer b.Close()
	for i := range 2000 {
		ca := open(t, a)
		cb := <-accepted
		ca.Write([]byte("x"))
		if i%2 == 0 { // the one who accepted closes first
			cb.Close()
			<-ca.Life().Done()
			ca.Close()
		} else {
			ca.Close()
			<-cb.Life().Done()
			cb.Close()
		}
		for a.Channels()+b.Channels() > 0 { // a close travels with the next batch
			roundTrip(t, a)
		}
	}
}
