package packet

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// ctr is aes128-ctr, aes192-ctr and aes256-ctr (RFC 4344 §4) with a MAC. The
// counter runs through all packets of one set of keys, so a packet's place in
// the key stream is the number of encrypted bytes before it.
type ctr struct {
	authenticator
	cipher cipher.Block
	iv     [aes.BlockSize]byte

	// stream stands at byte offset next of the key stream: packets usually
	// come in order, and need no new stream then.
	stream  cipher.Stream
	next    uint64
	counter [aes.BlockSize]byte // scratch
	first   [aes.BlockSize]byte // scratch
}

func newCTR(keys Keys, mac macEntry) (mode, error) {
	block, err := aes.NewCipher(keys.Key)
	if err != nil {
		return nil, err
	}
	c := &ctr{authenticator: newAuthenticator(mac, keys.MAC), cipher: block, iv: [aes.BlockSize]byte(keys.IV)}
	c.seek(0)
	return c, nil
}

func (c *ctr) block() int { return aes.BlockSize }

// need is one block for the length, unless it stands in the clear.
func (c *ctr) need() int {
	if c.etm {
		return 4
	}
	return aes.BlockSize
}

// encrypted returns how many bytes of the key stream were used before a
// packet: everything on the wire but tags and, with etm, lengths.
func (c *ctr) encrypted(at position) uint64 {
	return at.bytes - at.count*uint64(c.overhead())
}

// at sets c.counter to the counter block for the byte offset n, a multiple of
// the block size: packets fill whole blocks.
func (c *ctr) at(n uint64) []byte {
	lo := binary.BigEndian.Uint64(c.iv[8:])
	hi := binary.BigEndian.Uint64(c.iv[:8])
	sum := lo + n/aes.BlockSize
	if sum < lo {
		hi++
	}
	binary.BigEndian.PutUint64(c.counter[:8], hi)
	binary.BigEndian.PutUint64(c.counter[8:], sum)
	return c.counter[:]
}

func (c *ctr) seek(n uint64) {
	c.stream = cipher.NewCTR(c.cipher, c.at(n))
	c.next = n
}

func (c *ctr) length(b []byte, at position) uint32 {
	if c.etm {
		return clearLength(b)
	}
	n := c.encrypted(at)
	if n%aes.BlockSize != 0 {
		return 0 // no packet begins there, and none has this length
	}
	c.cipher.Encrypt(c.first[:], c.at(n))
	return clearLength(b) ^ binary.BigEndian.Uint32(c.first[:])
}

func (c *ctr) xor(b []byte, at position) {
	if n := c.encrypted(at); n != c.next {
		c.seek(n)
	}
	c.stream.XORKeyStream(b, b)
	c.next += uint64(len(b))
}

func (c *ctr) seal(b []byte, at position) {
	body, tag := c.split(b)
	if c.etm {
		c.xor(body[4:], at)
		c.sum(tag, body, at)
		return
	}
	c.sum(tag, body, at)
	c.xor(body, at)
}

func (c *ctr) open(b []byte, at position) bool {
	body, tag := c.split(b)
	if c.etm {
		if !c.verify(tag, body, at) {
			return false
		}
		c.xor(body[4:], at)
		return true
	}
	c.xor(body, at)
	return c.verify(tag, body, at)
}
