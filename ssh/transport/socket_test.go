package transport

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh"
)

// numbered is a Source of packets that carry their number.
type numbered struct {
	sent  atomic.Uint32
	limit uint32
	block []byte
}

func (s *numbered) Fill(room []byte) (int, bool) {
	n := s.sent.Load()
	if n == s.limit {
		return 0, false
	}
	b, err := ssh.Append(room[:0], &ssh.ChannelData{Recipient: n, Data: s.block})
	if err != nil {
		panic(err)
	}
	s.sent.Store(n + 1)
	return len(b), true
}

// TestStalledSocket is about the direct write of bulk data to a socket of the
// kernel: a peer that stops reading holds up neither a canceled sender nor
// Close, and when it reads again no byte is missing.
func TestStalledSocket(t *testing.T) {
	cn, sn := tcpPair(t)
	client, server := connect(t, cn, sn, nil, nil)
	if !client.out.direct {
		t.Skip("no direct writes on this system")
	}
	src := &numbered{limit: 1 << 30, block: bytes.Repeat([]byte{7}, 32<<10)}
	cancel := make(chan struct{})
	sent := make(chan error)
	go func() { sent <- client.SendData(cancel, len(src.block)+9, src) }() // stops when canceled
	for last := uint32(1); last != src.sent.Load(); {                      // until nothing moves any more
		last = src.sent.Load()
		time.Sleep(4 * directTime) // the kernel's buffers are nothing that could be waited for
	}
	close(cancel)
	select {
	case err := <-sent:
		if !errors.Is(err, ErrCanceled) {
			t.Errorf("SendData = %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("SendData is stuck in the socket")
	}
	for i := range src.sent.Load() {
		p, err := server.ReadPacket()
		if err != nil {
			t.Fatal(err)
		}
		var m ssh.ChannelData
		if err := ssh.Parse(p, &m); err != nil || m.Recipient != i || !bytes.Equal(m.Data, src.block) {
			t.Fatalf("packet %d arrives as %d with %d bytes: %v", i, m.Recipient, len(m.Data), err)
		}
	}
	if err := client.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}
