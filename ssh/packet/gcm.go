package packet

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// none is the state before the first key exchange.
type none struct{}

func (none) block() int                         { return 8 }
func (none) lengthApart() bool                  { return false }
func (none) tagSize() int                       { return 0 }
func (none) need() int                          { return 4 }
func (none) length(b []byte, _ position) uint32 { return clearLength(b) }
func (none) seal([]byte, position)              {}
func (none) open([]byte, position) bool         { return true }

// gcm is aes128-gcm@openssh.com and aes256-gcm@openssh.com: the length in the
// clear as associated data, a 12-byte IV whose last 8 bytes are a counter of
// packets (RFC 5647 §7.1; OpenSSH PROTOCOL §1.6).
type gcm struct {
	aead  cipher.AEAD
	iv    [12]byte // of the first packet
	nonce [12]byte // scratch; a local one would escape to the heap
}

func newGCM(keys Keys, _ macEntry) (mode, error) {
	block, err := aes.NewCipher(keys.Key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	g := &gcm{aead: aead, iv: [12]byte(keys.IV)}
	g.nonce = g.iv
	return g, nil
}

func (g *gcm) block() int                         { return aes.BlockSize }
func (g *gcm) lengthApart() bool                  { return true }
func (g *gcm) tagSize() int                       { return 16 }
func (g *gcm) need() int                          { return 4 }
func (g *gcm) length(b []byte, _ position) uint32 { return clearLength(b) }

func (g *gcm) at(at position) []byte {
	first := binary.BigEndian.Uint64(g.iv[4:])
	binary.BigEndian.PutUint64(g.nonce[4:], first+at.count) // wraps modulo 2^64
	return g.nonce[:]
}

func (g *gcm) seal(b []byte, at position) {
	g.aead.Seal(b[4:4], g.at(at), b[4:len(b)-16], b[:4])
}

func (g *gcm) open(b []byte, at position) bool {
	_, err := g.aead.Open(b[4:4], g.at(at), b[4:], b[:4])
	return err == nil
}
