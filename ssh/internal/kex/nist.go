package kex

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// nist is ecdh-sha2-nistp256, -384 and -521: the public values are
// uncompressed points, K is the x coordinate of their product, as an mpint.
// RFC 5656 §4.
type nist struct{ curve ecdh.Curve }

func (n nist) offer() ([]byte, func([]byte) ([]byte, error), error) {
	key, err := n.curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	return key.PublicKey().Bytes(), func(server []byte) ([]byte, error) { return n.secret(key, server) }, nil
}

func (n nist) accept(client []byte) (public, k []byte, err error) {
	key, err := n.curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	k, err = n.secret(key, client)
	return key.PublicKey().Bytes(), k, err
}

// secret refuses what is no point of the curve, the point at infinity, and
// compressed points.
func (n nist) secret(key *ecdh.PrivateKey, public []byte) ([]byte, error) {
	p, err := n.curve.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("bad point: %w", err)
	}
	x, err := key.ECDH(p)
	if err != nil {
		return nil, fmt.Errorf("bad point: %w", err)
	}
	return encode(nil, mpint(wire.MPIntBody(x))), nil
}
