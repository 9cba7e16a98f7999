package tlsdecode

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// suite is how a cipher suite protects records.
type suite struct {
	hash func() hash.Hash // of HKDF or the PRF
	kind kind
	key  int              // bytes of a cipher key
	iv   int              // TLS 1.2: bytes of the key block
	mac  int              // TLS 1.2, CBC: bytes of a MAC key
	hmac func() hash.Hash // TLS 1.2, CBC
}

type kind uint8

const (
	gcm kind = iota
	chacha
	cbc
)

// findSuite returns a cipher suite, nil when it is not known. The numbers are
// those of the IANA registry "TLS Cipher Suites".
func findSuite(version, number uint16) *suite {
	if version == tls13 {
		switch number {
		case 0x1301:
			return &suite{hash: sha256.New, kind: gcm, key: 16}
		case 0x1302:
			return &suite{hash: sha512.New384, kind: gcm, key: 32}
		case 0x1303:
			return &suite{hash: sha256.New, kind: chacha, key: 32}
		}
		return nil
	}
	if version != tls12 {
		return nil
	}
	switch number {
	case 0xc02b, 0xc02f, 0x009c, 0x009e:
		return &suite{hash: sha256.New, kind: gcm, key: 16, iv: 4}
	case 0xc02c, 0xc030, 0x009d, 0x009f:
		return &suite{hash: sha512.New384, kind: gcm, key: 32, iv: 4}
	case 0xcca8, 0xcca9, 0xccaa:
		return &suite{hash: sha256.New, kind: chacha, key: 32, iv: 12}
	case 0xc009, 0xc013, 0x002f, 0x0033:
		return &suite{hash: sha256.New, kind: cbc, key: 16, mac: sha1.Size, hmac: sha1.New}
	case 0xc00a, 0xc014, 0x0035, 0x0039:
		return &suite{hash: sha256.New, kind: cbc, key: 32, mac: sha1.Size, hmac: sha1.New}
	case 0xc023, 0xc027, 0x003c, 0x0067:
		return &suite{hash: sha256.New, kind: cbc, key: 16, mac: sha256.Size, hmac: sha256.New}
	case 0x003d, 0x006b:
		return &suite{hash: sha256.New, kind: cbc, key: 32, mac: sha256.Size, hmac: sha256.New}
	case 0xc024, 0xc028:
		return &suite{hash: sha512.New384, kind: cbc, key: 32, mac: sha512.Size384, hmac: sha512.New384}
	}
	return nil
}

// expand is HKDF-Expand-Label with an empty context. RFC 8446 §7.1.
func (s *suite) expand(secret []byte, label string, n int) []byte {
	info := []byte{byte(n >> 8), byte(n), byte(len("tls13 ") + len(label))}
	info = append(append(info, "tls13 "...), label...)
	info = append(info, 0)
	out, err := hkdf.Expand(s.hash, secret, string(info), n)
	if err != nil {
		return nil // a secret of no use: opening will fail
	}
	return out
}

// keys13 derives key and nonce from a traffic secret. RFC 8446 §7.3.
func (s *suite) keys13(secret []byte) (cipher.AEAD, []byte, error) {
	aead, err := s.aead(s.expand(secret, "key", s.key))
	return aead, s.expand(secret, "iv", 12), err
}

func (s *suite) aead(key []byte) (cipher.AEAD, error) {
	if s.kind == chacha {
		return chacha20poly1305.New(key)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// open12 makes the opener of a direction from its part of the key block.
func (s *suite) open12(mac, key, iv []byte, encryptFirst bool) (opener, error) {
	if s.kind == cbc {
		block, err := aes.NewCipher(key)
		return &cbc12{block: block, mac: hmac.New(s.hmac, mac), encryptFirst: encryptFirst}, err
	}
	aead, err := s.aead(key)
	return &aead12{aead: aead, iv: iv, explicit: s.kind == gcm}, err
}

// prf12 is the pseudo-random function of TLS 1.2. RFC 5246 §5.
func prf12(h func() hash.Hash, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	sum := func(parts ...[]byte) []byte {
		m := hmac.New(h, secret)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}
