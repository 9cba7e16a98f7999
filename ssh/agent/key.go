package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/ssh/keys"
)

// A Key is a key of an agent, which signs with it. It is valid as long as the
// Client is open.
type Key struct {
	Comment string // the agent's name for it, often a path

	client *Client
	public keys.PublicKey
}

var _ keys.ContextSigner = (*Key)(nil)

// List returns the agent's keys in its order. Keys of types that are not known
// and broken ones are left out.
func (c *Client) List(ctx context.Context) ([]*Key, error) {
	var answer identitiesAnswer
	if err := c.call(ctx, &requestIdentities{}, &answer); err != nil {
		return nil, err
	}
	var list []*Key
	for _, id := range answer.identities {
		public, err := keys.ParsePublic(id.key)
		if err != nil {
			continue
		}
		list = append(list, &Key{Comment: id.comment, client: c, public: public})
	}
	return list, nil
}

// Signers is List for callers that want signers and nothing else.
func (c *Client) Signers(ctx context.Context) ([]keys.Signer, error) {
	list, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	signers := make([]keys.Signer, len(list))
	for i, k := range list {
		signers[i] = k
	}
	return signers, nil
}

// PublicKey returns the public half of the key, or its certificate.
func (k *Key) PublicKey() keys.PublicKey { return k.public }

// Sign signs data with the preferred algorithm of the key. The agent has its
// own source of randomness.
func (k *Key) Sign(rand io.Reader, data []byte) (*keys.Signature, error) {
	return k.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm signs data with the given algorithm, "" for the preferred one.
func (k *Key) SignWithAlgorithm(_ io.Reader, data []byte, algorithm string) (*keys.Signature, error) {
	return k.SignContext(context.Background(), data, algorithm)
}

// SignContext signs data with the given algorithm, "" for the preferred one. It
// waits as long as the agent takes, which may ask its user.
func (k *Key) SignContext(ctx context.Context, data []byte, algorithm string) (*keys.Signature, error) {
	if algorithm == "" {
		algorithm = keys.SignatureAlgorithms(keys.PlainType(k.public.Type()))[0]
	}
	var flags signFlags
	switch keys.PlainType(algorithm) {
	case keys.AlgoRSASHA512:
		flags = flagRSASHA512
	case keys.AlgoRSASHA256:
		flags = flagRSASHA256
	}
	var answer signResponse
	question := signRequest{key: k.public.Marshal(), data: data, flags: flags}
	if err := k.client.call(ctx, &question, &answer); err != nil {
		if errors.Is(err, ErrRefused) {
			return nil, fmt.Errorf("key %s: %w", keys.Fingerprint(k.public), err)
		}
		return nil, err
	}
	sig, err := keys.ParseSignature(bytes.Clone(answer.signature))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return sig, nil
}
