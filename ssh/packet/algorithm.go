package packet

import (
	"crypto"
	"crypto/aes"
	"fmt"
	"slices"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// Algorithm names what protects one direction. MAC is empty when the cipher
// authenticates by itself. The zero Algorithm is the state before the first
// key exchange: no protection.
type Algorithm = ssh.DirectionAlgorithms

// cipherEntry is what the package knows about a cipher.
type cipherEntry struct {
	name        string
	keySize, iv int
	kind        cipherKind
	open        func(Keys, macEntry) (mode, error)
}

// cipherKind says what else a cipher brings with it.
type cipherKind uint8

const (
	plainCipher   cipherKind = iota // goes with a MAC
	legacyCipher                    // goes with a MAC; for old peers
	authenticates                   // is its own MAC
	lengthInClear                   // is its own MAC, and does not encrypt the length
)

func (k cipherKind) isMAC() bool { return k == authenticates || k == lengthInClear }

// cipherTable lists the ciphers, the preferred one first: AES-GCM has
// hardware nearly everywhere.
func cipherTable() []cipherEntry {
	return []cipherEntry{
		{"aes128-gcm@openssh.com", 16, 12, lengthInClear, newGCM}, // RFC 5647 §7.2
		{"aes256-gcm@openssh.com", 32, 12, lengthInClear, newGCM},
		{"chacha20-poly1305@openssh.com", 64, 0, authenticates, newChaCha},
		{"aes128-ctr", 16, aes.BlockSize, plainCipher, newCTR},
		{"aes192-ctr", 24, aes.BlockSize, plainCipher, newCTR},
		{"aes256-ctr", 32, aes.BlockSize, plainCipher, newCTR},
		{"aes128-cbc", 16, aes.BlockSize, legacyCipher, newCBC},
		{"aes192-cbc", 24, aes.BlockSize, legacyCipher, newCBC},
		{"aes256-cbc", 32, aes.BlockSize, legacyCipher, newCBC},
	}
}

// Ciphers returns the names of the ciphers, the preferred one first.
func Ciphers() []string {
	var names []string
	for _, c := range cipherTable() {
		names = append(names, c.name)
	}
	return names
}

// MACs returns the names of the MAC algorithms, the preferred one first.
func MACs() []string {
	var names []string
	for _, m := range macTable() {
		names = append(names, m.name)
	}
	return names
}

// IsLegacy reports whether a cipher or a MAC algorithm is for old peers only,
// and should be offered to nobody who did not ask for it.
func IsLegacy(name string) bool {
	return slices.ContainsFunc(cipherTable(), func(c cipherEntry) bool { return c.name == name && c.kind == legacyCipher }) ||
		slices.ContainsFunc(macTable(), func(m macEntry) bool { return m.name == name && m.legacy })
}

// LengthInClear reports whether anybody can see where packets end: the length
// is not encrypted.
func LengthInClear(alg Algorithm) bool {
	c, mac, err := find(alg)
	return err == nil && (c.kind == lengthInClear || mac.etm)
}

// Compressions returns the names of the compression methods: only "none".
func Compressions() []string { return []string{"none"} }

// Keys are the secrets of one direction. RFC 4253 §7.2.
type Keys struct {
	IV, Key, MAC []byte
}

// DeriveKeys derives the keys of one direction from the hash of the
// key-exchange method, the shared secret k as it stands in the exchange hash
// (an mpint or a string with its length in front), the exchange hash h and the
// session identifier. RFC 4253 §7.2.
func DeriveKeys(hash crypto.Hash, k, h, sessionID []byte, dir wire.Dir, alg Algorithm) (Keys, error) {
	c, mac, err := find(alg)
	if err != nil {
		return Keys{}, err
	}
	derive := func(letter byte, n int) []byte {
		var out []byte
		for len(out) < n {
			d := hash.New()
			d.Write(k)
			d.Write(h)
			if len(out) == 0 {
				d.Write([]byte{letter})
				d.Write(sessionID)
			} else {
				d.Write(out)
			}
			out = d.Sum(out)
		}
		return out[:n:n]
	}
	letter := byte(dir) // A, C, E from client to server; B, D, F back
	return Keys{IV: derive('A'+letter, c.iv), Key: derive('C'+letter, c.keySize), MAC: derive('E'+letter, mac.size)}, nil
}

// find returns what is known about the algorithms, which must go together.
func find(alg Algorithm) (cipherEntry, macEntry, error) {
	ciphers, macs := cipherTable(), macTable()
	i := slices.IndexFunc(ciphers, func(c cipherEntry) bool { return c.name == alg.Cipher })
	m := slices.IndexFunc(macs, func(m macEntry) bool { return m.name == alg.MAC })
	switch {
	case i < 0:
		return cipherEntry{}, macEntry{}, fmt.Errorf("cipher %q is not supported", alg.Cipher)
	case alg.Compression != "" && alg.Compression != "none":
		return cipherEntry{}, macEntry{}, fmt.Errorf("compression %q is not supported", alg.Compression)
	case ciphers[i].kind.isMAC() && alg.MAC != "":
		return cipherEntry{}, macEntry{}, fmt.Errorf("MAC %q with cipher %s, which has its own", alg.MAC, alg.Cipher)
	case ciphers[i].kind.isMAC():
		return ciphers[i], macEntry{}, nil
	case m < 0:
		return cipherEntry{}, macEntry{}, fmt.Errorf("MAC %q is not supported", alg.MAC)
	}
	return ciphers[i], macs[m], nil
}

func newMode(alg Algorithm, keys Keys) (mode, error) {
	if (alg == Algorithm{}) || alg.Cipher == "none" && alg.MAC == "" {
		return none{}, nil
	}
	c, mac, err := find(alg)
	if err != nil {
		return nil, err
	}
	if len(keys.Key) != c.keySize || len(keys.IV) != c.iv || len(keys.MAC) != mac.size {
		return nil, fmt.Errorf("%s wants a key of %d, an IV of %d and a MAC key of %d bytes, not %d, %d and %d",
			c.name, c.keySize, c.iv, mac.size, len(keys.Key), len(keys.IV), len(keys.MAC))
	}
	return c.open(keys, mac)
}
