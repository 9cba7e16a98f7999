package mux

import (
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// FuzzMux feeds a mux with packets, each behind its length in two bytes, while
// channel 0 is open on it. Nothing that a peer says makes it panic, wait, or
// keep more than its limits allow.
func FuzzMux(f *testing.F) {
	for _, m := range []wire.Message{
		&ssh.ChannelData{Data: []byte("data")},
		&ssh.ChannelExtendedData{Type: ssh.ExtendedStderr, Data: []byte("data")},
		&ssh.ChannelWindowAdjust{Add: 1 << 20},
		&ssh.ChannelEOF{},
		&ssh.ChannelClose{},
		&ssh.ChannelRequest{Type: ssh.RequestExitStatus, WantReply: true},
		&ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 1, Window: 1, MaxPacket: 1 << 15},
		&ssh.ChannelOpenConfirmation{Sender: 1, Window: 1, MaxPacket: 1 << 15},
		&ssh.GlobalRequest{Name: ssh.GlobalKeepalive, WantReply: true},
		&ssh.RequestSuccess{},
	} {
		b, err := ssh.Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append([]byte{byte(len(b) >> 8), byte(len(b))}, b...))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		near, _ := fakePair(t)
		limits := Limits{Channels: 4, Window: 10_000}
		cfg, _ := accepting(Options{KeepStderr: true}, limits)
		m := &Mux{t: near, cfg: cfg, limits: limits.withDefaults(near.MaxPayload()), channels: make(map[uint32]*Channel), done: make(chan struct{})}
		ch := newChannel(m, Options{KeepStderr: true})
		if err := m.add(ch); err != nil {
			t.Fatal(err)
		}
		ch.start(7, 1<<20, 1<<15)
		for len(in) >= 2 {
			n := min(int(in[0])<<8|int(in[1]), len(in)-2)
			if m.dispatch(in[2:2+n]) != nil {
				break
			}
			in = in[2+n:]
		}
		ch.mu.Lock()
		defer ch.mu.Unlock()
		if held := ch.in[0].size + ch.in[1].size; held > limits.Window || len(m.channels) > limits.Channels {
			t.Errorf("%d bytes are held and %d channels open", held, len(m.channels))
		}
	})
}
