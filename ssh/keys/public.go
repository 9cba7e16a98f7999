package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/wire"
)

// Sizes of RSA keys that are accepted at all. 16384 is the largest that
// ssh-keygen makes; verifying costs grow with the square of the size.
const (
	MinRSABits = 1024
	MaxRSABits = 16384
)

const (
	maxPlainBlob = 8 << 10  // an RSA key of MaxRSABits takes about 2 KiB
	maxCertBlob  = 64 << 10 // principals, options and the authority's key
)

// ErrMalformed is wrapped by the errors about keys that are broken, in
// contrast to those of a type that is not known.
var ErrMalformed = errors.New("malformed key")

// typeName is the beginning of every public key (RFC 4253 §6.6).
type typeName struct {
	name []byte
}

func (m *typeName) Fields(c *wire.Coder) { c.Bytes("type", &m.name) }

// ParsePublic parses a public key or certificate in wire form (RFC 4253 §6.6).
// The type and the size are checked before the rest is looked at. An unknown
// type gives an [*UnknownTypeError]; everything else that is wrong wraps
// [ErrMalformed]. The key does not alias blob.
func ParsePublic(blob []byte) (PublicKey, error) {
	var t typeName
	if _, err := wire.ParsePrefix(blob, &t, wire.Dialect{}); err != nil {
		return nil, fmt.Errorf("%w: it has no type", ErrMalformed)
	}
	name := string(t.name[:min(len(t.name), 128)])
	if len(name) != len(t.name) || !Known(name) {
		return nil, unknownType(name)
	}
	limit := maxPlainBlob
	if IsCertificate(name) {
		limit = maxCertBlob
	}
	if len(blob) > limit {
		return nil, fmt.Errorf("%w: %s key of %d bytes, at most %d are allowed", ErrMalformed, name, len(blob), limit)
	}
	key, err := ssh.ParsePublicKey(bytes.Clone(blob))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrMalformed, name, strings.TrimPrefix(err.Error(), "ssh: "))
	}
	if err := checkSizes(key); err != nil {
		return nil, err
	}
	// One key must not have two encodings: known_hosts and authorized_keys
	// compare bytes.
	if !IsCertificate(name) && !bytes.Equal(key.Marshal(), blob) {
		return nil, fmt.Errorf("%w: %s key is not in its canonical form", ErrMalformed, name)
	}
	return key, nil
}

func checkSizes(key PublicKey) error {
	if cert, ok := key.(*Certificate); ok {
		if !Known(cert.SignatureKey.Type()) {
			return unknownType(cert.SignatureKey.Type())
		}
		if err := checkSizes(cert.SignatureKey); err != nil {
			return err
		}
		return checkSizes(cert.Key)
	}
	pub, ok := cryptoKey(key).(*rsa.PublicKey)
	if !ok {
		return nil
	}
	if n := pub.N.BitLen(); pub.N.Sign() <= 0 || n < MinRSABits || n > MaxRSABits {
		return fmt.Errorf("%w: RSA key of %d bits, %d to %d are allowed", ErrMalformed, n, MinRSABits, MaxRSABits)
	}
	return nil
}

func cryptoKey(key PublicKey) crypto.PublicKey {
	if c, ok := key.(*Certificate); ok {
		key = c.Key
	}
	if c, ok := key.(ssh.CryptoPublicKey); ok {
		return c.CryptoPublicKey()
	}
	return nil
}

// Bits returns the size of a key as ssh-keygen prints it: of an RSA key the
// length of its modulus, of the others that of their curve; 0 if unknown.
func Bits(key PublicKey) int {
	switch pub := cryptoKey(key).(type) {
	case *rsa.PublicKey:
		return pub.N.BitLen()
	case *ecdsa.PublicKey:
		return pub.Params().BitSize
	case ed25519.PublicKey:
		return 256
	}
	if strings.HasPrefix(key.Type(), "sk-") {
		return 256
	}
	return 0
}

// Equal reports whether a and b are the same key.
func Equal(a, b PublicKey) bool {
	return a != nil && b != nil && bytes.Equal(a.Marshal(), b.Marshal())
}

// Fingerprint returns the SHA-256 fingerprint of a key as OpenSSH prints it:
// "SHA256:" and 43 characters of base64. That of a certificate is the
// fingerprint of the key in it.
func Fingerprint(key PublicKey) string { return ssh.FingerprintSHA256(bare(key)) }

// FingerprintMD5 returns the fingerprint in the form that OpenSSH used before
// version 6.8: "MD5:" and 16 pairs of hexadecimal digits. It is for comparing
// with old records only.
func FingerprintMD5(key PublicKey) string { return "MD5:" + ssh.FingerprintLegacyMD5(bare(key)) }

func bare(key PublicKey) PublicKey {
	if c, ok := key.(*Certificate); ok {
		return c.Key
	}
	return key
}

// AuthorizedLine returns a key as a line of authorized_keys or of a .pub file,
// without the newline: type, base64 and, if it is not empty, comment. Control
// characters in comment are left out, so that it stays one line.
func AuthorizedLine(key PublicKey, comment string) string {
	line := key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
	comment = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, comment)
	if comment == "" {
		return line
	}
	return line + " " + comment
}

// ParseText parses the two fields that stand for a key in OpenSSH's text
// files: the name of its type and its wire form in base64. Both must agree
// about the type. Errors are those of [ParsePublic]; an unknown keyType is
// told without looking at encoded.
func ParseText(keyType, encoded string) (PublicKey, error) {
	if !Known(keyType) {
		return nil, unknownType(keyType)
	}
	if len(encoded) > base64.StdEncoding.EncodedLen(maxCertBlob) {
		return nil, fmt.Errorf("%w: it is longer than any key", ErrMalformed)
	}
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not base64", ErrMalformed)
	}
	key, err := ParsePublic(blob)
	if err != nil {
		return nil, err
	}
	if key.Type() != keyType {
		return nil, fmt.Errorf("%w: called %s, but it is a %s", ErrMalformed, keyType, key.Type())
	}
	return key, nil
}
