package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
)

// minGeneratedRSABits is what every peer of today accepts; OpenSSH refuses
// less than 1024 and NIST SP 800-131A less than 2048.
const minGeneratedRSABits = 2048

// Generate makes a new private key. kind is "ed25519", "ecdsa" or "rsa", as
// ssh-keygen's -t. bits is the size of an ECDSA (256, 384, 521) or RSA (2048 to
// [MaxRSABits]) key; 0 takes 256 and 3072. Ed25519 keys have one size.
func Generate(kind string, bits int) (Signer, error) {
	key, err := generate(kind, bits)
	if err != nil {
		return nil, err
	}
	return NewSigner(key)
}

func generate(kind string, bits int) (crypto.Signer, error) {
	switch kind {
	case "ed25519":
		if bits != 0 && bits != 256 {
			return nil, fmt.Errorf("an ed25519 key has 256 bits, not %d", bits)
		}
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "ecdsa":
		curve := map[int]elliptic.Curve{0: elliptic.P256(), 256: elliptic.P256(), 384: elliptic.P384(), 521: elliptic.P521()}[bits]
		if curve == nil {
			return nil, fmt.Errorf("an ecdsa key has 256, 384 or 521 bits, not %d", bits)
		}
		return ecdsa.GenerateKey(curve, rand.Reader)
	case "rsa":
		if bits == 0 {
			bits = 3072
		}
		if bits < minGeneratedRSABits || bits > MaxRSABits {
			return nil, fmt.Errorf("an rsa key has %d to %d bits, not %d", minGeneratedRSABits, MaxRSABits, bits)
		}
		return rsa.GenerateKey(rand.Reader, bits)
	}
	return nil, fmt.Errorf("keys of type %q cannot be generated; ed25519, ecdsa and rsa can", kind)
}
