package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxPassword is how many bytes of a password a server's session takes, as
// MySQL's MAX_PASSWORD_LENGTH.
const maxPassword = 256

// ParsePublicKey reads a PEM public key as servers send it and keep it in their
// data directory (public_key.pem).
func ParsePublicKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block in the server's public key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the server's public key: %w", err)
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the server's public key is not for RSA")
	}
	return k, nil
}

// AppendPublicKey appends the PEM form of a public key to dst.
func AppendPublicKey(dst []byte, key *rsa.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	return append(dst, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})...), nil
}

// NewKey makes an RSA key for a server. It takes a noticeable part of a second.
func NewKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// mask XORs b with the nonce, repeated.
func mask(b, nonce []byte) {
	for i := range b {
		b[i] ^= nonce[i%len(nonce)]
	}
}

// seal encrypts the password and a NUL for the key.
func seal(key *rsa.PublicKey, password string, nonce []byte) ([]byte, error) {
	plain := withNUL([]byte(password))
	mask(plain, nonce)
	return rsa.EncryptOAEP(sha1.New(), rand.Reader, key, plain, nil)
}

// unseal undoes seal; ok is false when the bytes are not what seal makes.
func unseal(key *rsa.PrivateKey, data, nonce []byte) (password []byte, ok bool) {
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, data, nil)
	if err != nil {
		return nil, false
	}
	mask(plain, nonce)
	return ended(plain)
}

// ended takes the NUL from behind a password.
func ended(b []byte) (password []byte, ok bool) {
	n := len(b) - 1
	if n < 0 || n > maxPassword || b[n] != 0 {
		return nil, false
	}
	return b[:n], true
}

// keyRound is the part that the two SHA-256 methods share on the client: the
// whole password goes to the server, protected in one way or another.
type keyRound struct {
	plugin string
	ask    byte // asks for the server's key
	asked  bool
}

// password returns what tells the server the password, or what asks for the
// key that this needs.
func (k *keyRound) password(s *State) ([]byte, error) {
	switch {
	case s.Secure:
		return withNUL([]byte(s.Password)), nil
	case len(s.Nonce) != NonceSize:
		return nil, nonceError(k.plugin, s.Nonce)
	case s.ServerKey != nil:
		return seal(s.ServerKey, s.Password, s.Nonce)
	case s.AllowKeyRetrieval:
		k.asked = true
		return []byte{k.ask}, nil
	}
	return nil, &RefusedError{k.plugin, "it wants the password itself, the connection is not encrypted, and neither a public key of the server was given nor fetching one allowed"}
}

// key takes the key that was asked for.
func (k *keyRound) key(s *State, data []byte) ([]byte, error) {
	k.asked = false
	key, err := ParsePublicKey(data)
	if err != nil {
		return nil, err
	}
	return seal(key, s.Password, s.Nonce)
}

// keyServer is the same on the server.
type keyServer struct {
	login *Login
	ask   byte
}

// password takes the client's word. Without a verdict it is reply that is to be
// sent; else password is what the client says.
func (k keyServer) password(data []byte) (password, reply []byte, v Verdict) {
	if k.login.Secure {
		p, ok := ended(data)
		return p, nil, verdict(ok)
	}
	if k.login.Key == nil {
		return nil, nil, Refused
	}
	if len(data) == 1 && data[0] == k.ask {
		text, err := AppendPublicKey(nil, &k.login.Key.PublicKey)
		if err != nil {
			return nil, nil, Refused
		}
		return nil, text, More
	}
	p, ok := unseal(k.login.Key, data, k.login.Nonce)
	return p, nil, verdict(ok)
}
