package transport

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
)

// TestPeerFloodsInsteadOfNewKeys: a peer that goes on sending data where we
// want new keys is cut off, however patient the clock is.
func TestPeerFloodsInsteadOfNewKeys(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, packets := p.connected(out)
		rekeyed := make(chan error)
		go func() { rekeyed <- c.Rekey(context.Background()) }() // stops when the connection has ended
		synctest.Wait()
		go func() { // stops when the connection has ended
			for range packets {
			}
		}()
		sent, data := 0, make([]byte, 32<<10)
		for p.p.SendMessage(append([]byte{94, 0, 0, 0, 0, 0, 0, 0x7f, 0xf7}, data[:0x7ff7]...)) == nil && sent < 2*unanswered {
			sent += len(data)
		}
		<-c.Done()
		var bad *packet.Error
		if err := c.Err(); !errors.As(err, &bad) || bad.Kind != packet.Overflow {
			t.Errorf("ended with %v, want an overflow", err)
		}
		if err := <-rekeyed; err == nil {
			t.Error("Rekey succeeded")
		}
		if sent < unanswered || sent > unanswered+(1<<20) {
			t.Errorf("the peer sent %d bytes until it was cut off, want %d and what was on its way", sent, unanswered)
		}
	})
}

// TestPeerStallsInItsKeyExchange: a peer that begins a key exchange and falls
// silent makes writers wait, with nothing queued for them, and then fail.
func TestPeerStallsInItsKeyExchange(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		begin := time.Now()
		p.sendKexInit()
		synctest.Wait()
		const writers = 100
		failed := make(chan error, writers)
		for range writers {
			go func() { // stops when the key exchange takes too long
				failed <- c.Send(context.Background(), &ssh.ChannelData{Data: make([]byte, 30<<10)})
			}()
		}
		synctest.Wait()
		if len(failed) > 0 {
			t.Errorf("%d writers did not wait: %v", len(failed), <-failed)
		}
		for range writers {
			var timeout *TimeoutError
			if err := <-failed; !errors.As(err, &timeout) {
				t.Fatalf("a writer ends with %v, want a timeout", err)
			}
		}
		if got := time.Since(begin); got != defaultRekeyTimeout {
			t.Errorf("it took %v, want %v", got, defaultRekeyTimeout)
		}
		if n := p.p.ReadSeq(); n > 10 {
			t.Errorf("the peer has got %d packets meanwhile", n)
		}
	})
}
