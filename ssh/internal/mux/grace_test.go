package mux

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/ssh"
)

// TestUnansweredClosesDoNotCountForEver has a peer that never answers a close.
func TestUnansweredClosesDoNotCountForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 3
		s := script(t, Config{Limits: Limits{Channels: limit}})
		openAndClose := func() error {
			opened := make(chan error)
			go func() { // stops when the peer has answered
				ch, err := s.Open(context.Background(), &ssh.ChannelOpen{Type: ssh.ChannelSession}, Options{})
				if err == nil {
					ch.Close()
				}
				opened <- err
			}()
			synctest.Wait()
			select {
			case err := <-opened:
				return err
			default:
			}
			o := hear[ssh.ChannelOpen](s)
			s.say(&ssh.ChannelOpenConfirmation{Recipient: o.Sender, Sender: 7, Window: 1, MaxPacket: 1 << 15})
			hear[ssh.ChannelClose](s)
			return <-opened
		}
		for i := range graveyard * limit {
			if i > 0 && i%limit == 0 {
				if err := openAndClose(); !errors.Is(err, ErrTooManyChannels) {
					t.Errorf("open %d = %v, want %v", i, err, ErrTooManyChannels)
				}
				time.Sleep(closeGrace + time.Second)
			}
			if err := openAndClose(); err != nil {
				t.Fatalf("open %d: %v", i, err)
			}
		}
		time.Sleep(closeGrace + time.Second)
		if err := openAndClose(); !errors.Is(err, ErrTooManyChannels) {
			t.Errorf("open = %v, want %v", err, ErrTooManyChannels)
		}
		for id := range uint32(graveyard * limit) {
			s.say(&ssh.ChannelClose{Recipient: id}) // late answers are none too late
		}
		synctest.Wait()
		if err := openAndClose(); err != nil {
			t.Error(err)
		}
	})
}
