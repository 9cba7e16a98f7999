package packet

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/wirelark/wirelark/internal/testkit"
)

// TestWrongCBCLengthsDoNotShow changes packets in their first block, in which
// the length stands, and behind it: a reader says no after the same number of
// bytes, and with the same words (CVE-2008-5161).
func TestWrongCBCLengthsDoNotShow(t *testing.T) {
	for _, mac := range MACs() {
		alg := Algorithm{Cipher: "aes128-cbc", MAC: mac}
		s, o := pair(t, alg, 0)
		if !o.hides() {
			continue // etm: the length is authenticated before anything is decrypted
		}
		longest := MaxLength + s.mode.tagSize()
		for change := range 40 {
			synctest.Test(t, func(t *testing.T) {
				from, to, nc := join(t, alg, testkit.PipeConfig{Buffer: 1 << 20})
				b := make([]byte, from.out.sealer.Size(1000))
				copy(b[HeaderSize:], text(1000))
				from.out.sealer.Seal(b, 1000)
				b[change] ^= 0x40
				b = append(b, make([]byte, longest-len(b))...)
				got := make(chan error, 1)
				go func() { // stops when the packet is refused
					_, err := to.ReadMessage()
					got <- err
				}()
				if _, err := nc.Write(b[:longest-1]); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				select {
				case err := <-got:
					t.Fatalf("%s, byte %d changed: refused before the last byte: %v", mac, change, err)
				default:
				}
				if _, err := nc.Write(b[longest-1:]); err != nil {
					t.Fatal(err)
				}
				var e *Error
				if err := <-got; !errors.As(err, &e) || e.Kind != BadMAC || e.Value != 0 {
					t.Errorf("%s, byte %d changed: got %v, want a bad MAC", mac, change, err)
				}
			})
		}
	}
}

// TestCBCPeerThatHangsUp ends in the middle of what a refused packet makes us
// read.
func TestCBCPeerThatHangsUp(t *testing.T) {
	from, to, nc := join(t, Algorithm{Cipher: "aes256-cbc", MAC: "hmac-sha1"}, testkit.PipeConfig{})
	b := make([]byte, from.out.sealer.Size(100))
	n := from.out.sealer.Seal(b, 100)
	b[n-1] ^= 1
	if _, err := nc.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := nc.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := to.ReadMessage(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want the unexpected end", err)
	}
}
