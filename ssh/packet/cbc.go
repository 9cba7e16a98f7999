package packet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
)

// cbc is aes128-cbc, aes192-cbc and aes256-cbc (RFC 4253 §6.3) with a MAC, for
// old peers. The IV of a packet is the last block of the one before, so a
// packet can only be sealed, opened or tried in its turn.
//
// Without etm the length is encrypted, and a wrong length must not be told
// apart from a wrong MAC, or an attacker learns plaintext (CVE-2008-5161): see
// hides.
type cbc struct {
	authenticator
	cipher    cipher.Block
	encrypter chain
	decrypter chain

	// The IVs of the newest packet and of the one behind it: the newest may
	// have been tried only.
	newest, next ivAt
	first        [aes.BlockSize]byte // scratch
}

// chain is a CBC mode of the standard library, which can be set to another IV
// without being made anew.
type chain interface {
	cipher.BlockMode
	SetIV(iv []byte)
}

type ivAt struct {
	count uint64
	iv    [aes.BlockSize]byte
}

func newCBC(keys Keys, mac macEntry) (mode, error) {
	block, err := aes.NewCipher(keys.Key)
	if err != nil {
		return nil, err
	}
	c := &cbc{authenticator: newAuthenticator(mac, keys.MAC), cipher: block}
	c.next.iv = [aes.BlockSize]byte(keys.IV)
	c.newest = c.next
	var ok1, ok2 bool
	c.encrypter, ok1 = cipher.NewCBCEncrypter(block, keys.IV).(chain)
	c.decrypter, ok2 = cipher.NewCBCDecrypter(block, keys.IV).(chain)
	if !ok1 || !ok2 {
		return nil, errors.New("the standard library's CBC cannot be set to another IV")
	}
	return c, nil
}

func (c *cbc) block() int { return aes.BlockSize }

// hides says that a length that cannot be is read on as the longest one, and
// fails by its MAC.
func (c *cbc) hides() bool { return !c.etm }

func (c *cbc) need() int {
	if c.etm {
		return 4
	}
	return aes.BlockSize
}

// iv returns the IV of the packet at a position, nil when it is not known.
func (c *cbc) iv(at position) []byte {
	if at.iv != nil {
		return at.iv[:]
	}
	switch at.count {
	case c.next.count:
		return c.next.iv[:]
	case c.newest.count:
		return c.newest.iv[:]
	}
	return nil
}

// went notes the IV of the packet behind the one at a position, whose last
// encrypted block is last.
func (c *cbc) went(at position, last []byte) {
	c.newest = ivAt{at.count, [aes.BlockSize]byte(c.iv(at))}
	c.next = ivAt{at.count + 1, [aes.BlockSize]byte(last)}
}

func (c *cbc) chained(b []byte) *[16]byte {
	n := len(b) - c.tagSize()
	if n < aes.BlockSize {
		return nil
	}
	iv := [aes.BlockSize]byte(b[n-aes.BlockSize : n])
	return &iv
}

func (c *cbc) length(b []byte, at position) uint32 {
	iv := c.iv(at)
	if c.etm {
		return clearLength(b)
	}
	if iv == nil {
		return 0 // which no packet has
	}
	c.cipher.Decrypt(c.first[:], b[:aes.BlockSize])
	subtle.XORBytes(c.first[:4], c.first[:4], iv[:4])
	return clearLength(c.first[:])
}

// encrypted returns the part of a packet that is encrypted.
func (c *cbc) encrypted(body []byte) []byte {
	if c.etm {
		return body[4:]
	}
	return body
}

func (c *cbc) seal(b []byte, at position) {
	body, tag := c.split(b)
	if !c.etm {
		c.sum(tag, body, at)
	}
	enc := c.encrypted(body)
	c.encrypter.SetIV(c.iv(at))
	c.encrypter.CryptBlocks(enc, enc)
	c.went(at, enc[len(enc)-aes.BlockSize:])
	if c.etm {
		c.sum(tag, body, at)
	}
}

func (c *cbc) open(b []byte, at position) bool {
	iv := c.iv(at)
	body, tag := c.split(b)
	enc := c.encrypted(body)
	if iv == nil || len(enc) == 0 || len(enc)%aes.BlockSize != 0 {
		return false
	}
	if c.etm && !c.verify(tag, body, at) {
		return false
	}
	var last [aes.BlockSize]byte
	copy(last[:], enc[len(enc)-aes.BlockSize:])
	c.decrypter.SetIV(iv)
	c.decrypter.CryptBlocks(enc, enc)
	if !c.etm {
		// The MAC is computed over what came, also when its length is wrong.
		right := c.verify(tag, body, at)
		if !right || int(clearLength(body)) != len(body)-4 {
			return false
		}
	}
	c.went(at, last[:])
	return true
}

func (c *cbc) waste(b []byte) {
	var none [aes.BlockSize]byte
	whole := b[:len(b)/aes.BlockSize*aes.BlockSize]
	c.decrypter.SetIV(none[:])
	c.decrypter.CryptBlocks(whole, whole)
	c.sum(c.expected[:c.tagSize()], b, position{})
}
