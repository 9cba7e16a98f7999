//go:build unix && (amd64 || arm64)

package mux

import (
	"syscall"
	"testing"

	"github.com/wirelark/wirelark/ssh"
)

// TestLongWriteIsCounted writes more bytes than 32 bits can count, of which the
// peer takes a few and then ends the connection. The bytes are pages that are
// never touched, and not Go's, so that nobody has to look after them.
func TestLongWriteIsCounted(t *testing.T) {
	const taken = 100_000
	b, err := syscall.Mmap(-1, 0, 1<<32+5, syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Munmap(b); err != nil {
			t.Error(err)
		}
	}()
	type result struct {
		n   int
		err error
	}
	wrote := make(chan result, 1)
	s := script(t, Config{OnOpen: func(in *Incoming) {
		ch, err := in.Accept(Options{})
		if err != nil {
			t.Error(err)
			return
		}
		go func() { // stops when the connection ends
			n, err := ch.Write(b)
			wrote <- result{n, err}
		}()
	}})
	s.say(&ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 3, Window: taken, MaxPacket: 1 << 15})
	hear[ssh.ChannelOpenConfirmation](s)
	for got := 0; got < taken; {
		got += len(hear[ssh.ChannelData](s).Data)
	}
	s.Close()
	if r := <-wrote; r.n != taken || r.err == nil {
		t.Errorf("Write = %d, %v, want %d and an error", r.n, r.err, taken)
	}
}
