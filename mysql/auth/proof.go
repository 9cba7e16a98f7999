package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
)

var errNoProof = errors.New("the server's certificate is not trusted, and the server has not proved that it knows the password: somebody may be between")

// Proof returns the info of the OK with which a MariaDB server proves, to a
// client that knows the password, that it sent the certificate: 0x01 and the
// upper-case hex of SHA256(hash, nonce, SHA256(certificate)). hash is what the
// server stores about the password, nonce what the login was made with,
// certificate the DER form. (MariaDB's "zero-configuration TLS", since 11.4.)
func Proof(hash, nonce, certificate []byte) string {
	fingerprint := sha256.Sum256(certificate)
	h := sha256.New()
	h.Write(hash)
	h.Write(nonce)
	h.Write(fingerprint[:])
	return "\x01" + strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
}

// equal compares in constant time.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
