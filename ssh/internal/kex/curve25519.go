package kex

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// x25519Size is the length of an X25519 public value and secret.
const x25519Size = 32

// curve25519 is curve25519-sha256: K is the X25519 secret, as an mpint.
// RFC 8731.
type curve25519 struct{}

func (curve25519) offer() ([]byte, func([]byte) ([]byte, error), error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return key.PublicKey().Bytes(), func(server []byte) ([]byte, error) {
		secret, err := x25519(key, server)
		if err != nil {
			return nil, err
		}
		return encode(nil, mpint(wire.MPIntBody(secret))), nil
	}, nil
}

func (curve25519) accept(client []byte) (public, k []byte, err error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x25519(key, client)
	if err != nil {
		return nil, nil, err
	}
	return key.PublicKey().Bytes(), encode(nil, mpint(wire.MPIntBody(secret))), nil
}

// x25519 refuses public values of a wrong length and those of small order,
// whose secret is all zeros (RFC 8731 §3).
func x25519(key *ecdh.PrivateKey, public []byte) ([]byte, error) {
	if len(public) != x25519Size {
		return nil, fmt.Errorf("an X25519 value has %d bytes, not %d", x25519Size, len(public))
	}
	p, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("bad X25519 value: %w", err)
	}
	secret, err := key.ECDH(p)
	if err != nil {
		return nil, fmt.Errorf("bad X25519 value: %w", err)
	}
	return secret, nil
}
