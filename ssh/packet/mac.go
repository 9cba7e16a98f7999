package packet

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

// macEntry is what the package knows about a MAC algorithm. All are HMACs
// whose key is as long as their tag.
type macEntry struct {
	name string
	size int
	hash func() hash.Hash
	etm  bool // over the encrypted packet, whose length stands in the clear

	legacy bool // for old peers
}

// macTable lists the MACs, the preferred one first (RFC 6668; RFC 4253 §6.4;
// OpenSSH PROTOCOL §1.5).
func macTable() []macEntry {
	return []macEntry{
		{"hmac-sha2-256-etm@openssh.com", sha256.Size, sha256.New, true, false},
		{"hmac-sha2-512-etm@openssh.com", sha512.Size, sha512.New, true, false},
		{"hmac-sha2-256", sha256.Size, sha256.New, false, false},
		{"hmac-sha2-512", sha512.Size, sha512.New, false, false},
		{"hmac-sha1-etm@openssh.com", sha1.Size, sha1.New, true, true},
		{"hmac-sha1", sha1.Size, sha1.New, false, true},
	}
}

// authenticator is the MAC of a mode that has no tag of its own.
type authenticator struct {
	mac      hash.Hash
	etm      bool
	seq      [4]byte           // scratch
	expected [sha512.Size]byte // scratch
}

func newAuthenticator(mac macEntry, key []byte) authenticator {
	return authenticator{mac: hmac.New(mac.hash, key), etm: mac.etm}
}

func (a *authenticator) tagSize() int { return a.mac.Size() }

// lengthApart: with etm the length is not encrypted.
func (a *authenticator) lengthApart() bool { return a.etm }

// overhead is how many bytes of each packet are not encrypted.
func (a *authenticator) overhead() int {
	n := a.mac.Size()
	if a.etm {
		n += 4
	}
	return n
}

// split cuts a packet into what is authenticated and its tag.
func (a *authenticator) split(b []byte) (body, tag []byte) {
	n := len(b) - a.mac.Size()
	return b[:n], b[n:]
}

// sum writes the tag of body, which stands as it is authenticated: encrypted
// with etm, in the clear without. RFC 4253 §6.4.
func (a *authenticator) sum(tag, body []byte, at position) {
	binary.BigEndian.PutUint32(a.seq[:], at.seq)
	a.mac.Reset()
	a.mac.Write(a.seq[:])
	a.mac.Write(body)
	a.mac.Sum(tag[:0])
}

func (a *authenticator) verify(tag, body []byte, at position) bool {
	expected := a.expected[:a.mac.Size()]
	a.sum(expected, body, at)
	return subtle.ConstantTimeCompare(expected, tag) == 1
}
