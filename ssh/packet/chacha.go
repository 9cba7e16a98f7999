package packet

import (
	"crypto/cipher"
	"encoding/binary"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/poly1305" //nolint:staticcheck // deprecated for general use; this is the protocol that needs it bare
)

// chacha is chacha20-poly1305@openssh.com (OpenSSH PROTOCOL.chacha20poly1305).
// The sequence number is the nonce. The second half of the key encrypts the
// length; the first half encrypts the rest from block 1 on, and its block 0
// gives the Poly1305 key for the MAC over both.
//
// These are the keystream positions of the IETF's ChaCha20-Poly1305 with a
// nonce of four zero bytes and the sequence number: only what is
// authenticated differs. So that AEAD, which has vector code where
// x/crypto/chacha20 has none, serves as the stream cipher: its tag lands where
// ours goes and is overwritten.
type chacha struct {
	aead      cipher.AEAD
	main      [32]byte
	header    [32]byte
	nonce     [12]byte // scratch, as the following
	authKey   [32]byte
	tag       [16]byte
	encrypted [4]byte
}

// plainLimit is the length of an encrypted part below which the plain stream
// cipher is faster than the AEAD, whose tag is computed in vain. Measured.
const plainLimit = 192

func newChaCha(keys Keys, _ macEntry) (mode, error) {
	c := &chacha{main: [32]byte(keys.Key[:32]), header: [32]byte(keys.Key[32:])}
	var err error
	c.aead, err = chacha20poly1305.New(c.main[:])
	return c, err
}

func (c *chacha) block() int        { return 8 }
func (c *chacha) lengthApart() bool { return true }
func (c *chacha) tagSize() int      { return poly1305.TagSize }
func (c *chacha) need() int         { return 4 }

func (c *chacha) length(b []byte, at position) uint32 {
	c.cryptLength(c.encrypted[:], b[:4], at)
	return clearLength(c.encrypted[:])
}

func (c *chacha) cryptLength(dst, src []byte, at position) {
	c.setNonce(at)
	s, err := chacha20.NewUnauthenticatedCipher(c.header[:], c.nonce[:])
	must(err)
	s.XORKeyStream(dst, src)
}

func (c *chacha) setNonce(at position) {
	binary.BigEndian.PutUint64(c.nonce[4:], uint64(at.seq))
}

// stream returns the payload cipher at block 1 and sets authKey.
func (c *chacha) stream(at position) chacha20.Cipher { // a copy, so that nothing escapes to the heap
	c.setNonce(at)
	s, err := chacha20.NewUnauthenticatedCipher(c.main[:], c.nonce[:])
	must(err)
	clear(c.authKey[:])
	s.XORKeyStream(c.authKey[:], c.authKey[:])
	return *s
}

func (c *chacha) seal(b []byte, at position) {
	end := len(b) - poly1305.TagSize
	c.cryptLength(b[:4], b[:4], at)
	s := c.stream(at)
	if end-4 < plainLimit {
		s.SetCounter(1)
		s.XORKeyStream(b[4:end], b[4:end])
	} else {
		c.aead.Seal(b[4:4], c.nonce[:], b[4:end], nil)
	}
	poly1305.Sum(&c.tag, b[:end], &c.authKey)
	copy(b[end:], c.tag[:])
}

func (c *chacha) open(b []byte, at position) bool {
	end := len(b) - poly1305.TagSize
	s := c.stream(at)
	c.tag = [16]byte(b[end:])
	if !poly1305.Verify(&c.tag, b[:end], &c.authKey) {
		return false
	}
	if end-4 < plainLimit {
		s.SetCounter(1)
		s.XORKeyStream(b[4:end], b[4:end])
	} else {
		c.aead.Seal(b[4:4], c.nonce[:], b[4:end], nil)
	}
	return true
}

// must is for errors about lengths that are constants here.
func must(err error) {
	if err != nil {
		panic("internal error: " + err.Error())
	}
}
