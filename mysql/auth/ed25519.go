package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"

	"filippo.io/edwards25519"
)

// longNonce is the number of bytes of the nonces of client_ed25519 and parsec.
const longNonce = 32

// client_ed25519 of MariaDB: a signature of the nonce with a key whose scalar is
// made of SHA-512 of the password, of any length. That is Ed25519 (RFC 8032
// §5.1.6) but for the seed of 32 bytes, so crypto/ed25519 can check the
// signature and not make it.
type ed25519Method struct{}

// Start returns the signature.
func (ed25519Method) Start(s *State) ([]byte, error) {
	k := ed25519FromPassword(s.Password)
	return k.sign(s.Nonce), nil
}

// Next refuses: the method has one round.
func (ed25519Method) Next(*State, []byte) ([]byte, error) { return nil, unexpected(Ed25519) }

// PasswordHash returns the public key. The proof is made with the greeting's
// nonce.
func (ed25519Method) PasswordHash(s *State) (hash, nonce []byte) {
	return ed25519FromPassword(s.Password).public, nil
}

type ed25519Key struct {
	scalar *edwards25519.Scalar
	prefix []byte
	public []byte
}

func ed25519FromPassword(password string) *ed25519Key {
	h := sha512.Sum512([]byte(password))
	a, err := edwards25519.NewScalar().SetBytesWithClamping(h[:32])
	if err != nil {
		panic("internal error: " + err.Error()) // 32 bytes are always right
	}
	return &ed25519Key{a, h[32:], new(edwards25519.Point).ScalarBaseMult(a).Bytes()}
}

func (k *ed25519Key) sign(message []byte) []byte {
	r := scalarOf(k.prefix, message)
	point := new(edwards25519.Point).ScalarBaseMult(r).Bytes()
	sum := scalarOf(point, k.public, message)
	return append(point, edwards25519.NewScalar().MultiplyAdd(sum, k.scalar, r).Bytes()...)
}

// scalarOf returns SHA-512 of the parts, reduced.
func scalarOf(parts ...[]byte) *edwards25519.Scalar {
	h := sha512.New()
	for _, p := range parts {
		h.Write(p)
	}
	s, err := edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
	if err != nil {
		panic("internal error: " + err.Error()) // 64 bytes are always right
	}
	return s
}

// ed25519Verifier is an account of client_ed25519.
type ed25519Verifier struct{ public ed25519.PublicKey }

// parseEd25519 reads what MariaDB shows as the authentication string: the
// public key in base64 without padding, 43 characters.
func parseEd25519(s string) (Verifier, error) {
	key, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, badHash(Ed25519)
	}
	return &ed25519Verifier{key}, nil
}

func hashEd25519(password string) string {
	return base64.RawStdEncoding.EncodeToString(ed25519FromPassword(password).public)
}

// Plugin returns the method's name.
func (v *ed25519Verifier) Plugin() string { return Ed25519 }

// Session begins a login.
func (v *ed25519Verifier) Session(*Login) Session {
	return &ed25519Session{v.public, newLongNonce()}
}

type ed25519Session struct {
	public ed25519.PublicKey
	nonce  []byte
}

// Challenge returns a nonce of 32 bytes.
func (s *ed25519Session) Challenge() []byte { return s.nonce }

// Next takes the signature.
func (s *ed25519Session) Next(data []byte) ([]byte, Verdict) {
	return nil, verdict(len(data) == ed25519.SignatureSize && ed25519.Verify(s.public, s.nonce, data))
}

// PasswordHash returns what Proof needs.
func (s *ed25519Session) PasswordHash() (hash, nonce []byte) { return s.public, nil }

// newLongNonce returns 32 random bytes without a NUL: clients take one at the
// end for an ending and off.
func newLongNonce() []byte {
	out := make([]byte, 0, longNonce)
	for len(out) < longNonce {
		for _, b := range randomBytes(longNonce) {
			if b != 0 && len(out) < longNonce {
				out = append(out, b)
			}
		}
	}
	return out
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
