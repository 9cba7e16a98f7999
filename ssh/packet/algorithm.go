package packet

import (
	"crypto"
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
	name          string
	keySize, iv   int
	authenticates bool
	open          func(Keys) (mode, error)
}

// cipherTable lists the ciphers, the preferred one first: AES-GCM has
// hardware nearly everywhere.
func cipherTable() []cipherEntry {
	return []cipherEntry{
		{"aes128-gcm@openssh.com", 16, 12, true, newGCM},
		{"aes256-gcm@openssh.com", 32, 12, true, newGCM},
		{"chacha20-poly1305@openssh.com", 64, 0, true, newChaCha},
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

// MACs returns the names of the MAC algorithms: none yet, because all ciphers
// authenticate by themselves.
func MACs() []string { return nil }

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
	c, err := findCipher(alg)
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
	return Keys{IV: derive('A'+letter, c.iv), Key: derive('C'+letter, c.keySize)}, nil
}

func findCipher(alg Algorithm) (cipherEntry, error) {
	table := cipherTable()
	i := slices.IndexFunc(table, func(c cipherEntry) bool { return c.name == alg.Cipher })
	switch {
	case i < 0:
		return cipherEntry{}, fmt.Errorf("cipher %q is not supported", alg.Cipher)
	case table[i].authenticates && alg.MAC != "":
		return cipherEntry{}, fmt.Errorf("MAC %q with cipher %s, which has its own", alg.MAC, alg.Cipher)
	case alg.Compression != "" && alg.Compression != "none":
		return cipherEntry{}, fmt.Errorf("compression %q is not supported", alg.Compression)
	}
	return table[i], nil
}

func newMode(alg Algorithm, keys Keys) (mode, error) {
	if (alg == Algorithm{}) || alg.Cipher == "none" && alg.MAC == "" {
		return none{}, nil
	}
	c, err := findCipher(alg)
	if err != nil {
		return nil, err
	}
	if len(keys.Key) != c.keySize || len(keys.IV) != c.iv {
		return nil, fmt.Errorf("%s wants a key of %d and an IV of %d bytes, not %d and %d",
			c.name, c.keySize, c.iv, len(keys.Key), len(keys.IV))
	}
	return c.open(keys)
}
