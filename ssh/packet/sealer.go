package packet

import (
	"crypto"

	"github.com/wirelark/wirelark/wire"
)

// HeaderSize is the length of what stands in front of a payload: the packet
// length (4) and the padding length (1).
const HeaderSize = 5

// Keys are the secrets of one direction. RFC 4253 §7.2.
type Keys struct {
	IV, Key, MAC []byte
}

// DeriveKeys derives the keys of one direction from the hash of the
// key-exchange method, the shared secret k as it stands in the exchange hash
// (an mpint or a string, its length in front), the exchange hash h and the
// session identifier.
func DeriveKeys(hash crypto.Hash, k, h, sessionID []byte, dir wire.Dir, alg Algorithm) (Keys, error) {
	panic("internal error: not yet")
}

// Sealer makes packets of one direction. It is not safe for concurrent use.
type Sealer struct{}

// NewSealer returns a Sealer whose first packet has the sequence number seq.
func NewSealer(alg Algorithm, keys Keys, seq uint32) (*Sealer, error) {
	panic("internal error: not yet")
}

// Size returns the length on the wire of a packet with n bytes of payload.
func (s *Sealer) Size(n int) int { panic("internal error: not yet") }

// Seal makes a packet of b[HeaderSize:HeaderSize+n] in place and returns its
// length, Size(n); len(b) must be at least that.
func (s *Sealer) Seal(b []byte, n int) int { panic("internal error: not yet") }

// Seq returns the sequence number of the next packet.
func (s *Sealer) Seq() uint32 { panic("internal error: not yet") }

// Opener takes packets of one direction apart. It is not safe for concurrent
// use.
type Opener struct{}

// NewOpener returns an Opener whose first packet has the sequence number seq.
func NewOpener(alg Algorithm, keys Keys, seq uint32) (*Opener, error) {
	panic("internal error: not yet")
}

// Need returns how many bytes of a packet Size must see.
func (o *Opener) Need() int { panic("internal error: not yet") }

// Size returns the length on the wire of the packet that begins at b, of which
// at least Need bytes must be there. It changes nothing, neither b nor the
// Opener. The error is an [*Error] of kind BadLength.
func (o *Opener) Size(b []byte) (int, error) { panic("internal error: not yet") }

// Open opens the packet b, all Size bytes of it, in place, and returns its
// payload, which is not empty and aliases b. After an [*Error] no packet
// follows.
func (o *Opener) Open(b []byte) (payload []byte, err error) { panic("internal error: not yet") }

// Skip says what is missing between the last packet and the one to try.
type Skip struct {
	Packets uint64
	Bytes   uint64 // what they took on the wire; for stream ciphers, 0 where unknown
}

// Try opens the packet that begins at b as if the packets skip had been opened
// before it. It changes neither b nor the Opener. It returns the payload,
// valid until the next call, and the packet's length on the wire; ok is false
// when the packet is not complete in b, or not authentic. After a success,
// Advance(skip) makes the Opener expect this packet.
func (o *Opener) Try(b []byte, skip Skip) (payload []byte, size int, ok bool) {
	panic("internal error: not yet")
}

// Advance skips packets that were not seen.
func (o *Opener) Advance(skip Skip) { panic("internal error: not yet") }

// Seq returns the sequence number of the next packet.
func (o *Opener) Seq() uint32 { panic("internal error: not yet") }
