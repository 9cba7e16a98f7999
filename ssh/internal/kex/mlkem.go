package kex

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// mlkem768x25519 is mlkem768x25519-sha256 (draft-ietf-sshm-mlkem-hybrid-kex):
// values are those of ML-KEM-768 and X25519 one after the other, and K is the
// SHA-256 of both secrets, as a string.
type mlkem768x25519 struct{}

func (mlkem768x25519) offer() ([]byte, func([]byte) ([]byte, error), error) {
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, nil, err
	}
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	public := append(kem.EncapsulationKey().Bytes(), key.PublicKey().Bytes()...)
	return public, func(server []byte) ([]byte, error) {
		if want := mlkem.CiphertextSize768 + x25519Size; len(server) != want {
			return nil, fmt.Errorf("the server's value has %d bytes, not %d", want, len(server))
		}
		a, err := kem.Decapsulate(server[:mlkem.CiphertextSize768])
		if err != nil {
			return nil, fmt.Errorf("bad ML-KEM ciphertext: %w", err)
		}
		b, err := x25519(key, server[mlkem.CiphertextSize768:])
		if err != nil {
			return nil, err
		}
		return combine(a, b), nil
	}, nil
}

func (mlkem768x25519) accept(client []byte) (public, k []byte, err error) {
	if want := mlkem.EncapsulationKeySize768 + x25519Size; len(client) != want {
		return nil, nil, fmt.Errorf("the client's value has %d bytes, not %d", want, len(client))
	}
	kem, err := mlkem.NewEncapsulationKey768(client[:mlkem.EncapsulationKeySize768])
	if err != nil {
		return nil, nil, fmt.Errorf("bad ML-KEM key: %w", err)
	}
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	b, err := x25519(key, client[mlkem.EncapsulationKeySize768:])
	if err != nil {
		return nil, nil, err
	}
	a, ciphertext := kem.Encapsulate()
	return append(ciphertext, key.PublicKey().Bytes()...), combine(a, b), nil
}

func combine(kem, curve []byte) []byte {
	sum := sha256.Sum256(append(kem[:len(kem):len(kem)], curve...))
	return encode(nil, octetString(sum[:]))
}
