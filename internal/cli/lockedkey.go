package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/wirelark/wirelark/ssh/keys"
)

// lockedKey is a private key file whose passphrase is asked for at the first
// signature.
type lockedKey struct {
	path     string
	public   keys.PublicKey
	prompter *prompter

	mu     sync.Mutex
	signer keys.Signer
}

var _ keys.ContextSigner = (*lockedKey)(nil)

func (k *lockedKey) PublicKey() keys.PublicKey { return k.public }

func (k *lockedKey) Sign(_ io.Reader, data []byte) (*keys.Signature, error) {
	return k.SignContext(context.Background(), data, "")
}

// SignContext asks for the passphrase up to three times and signs.
func (k *lockedKey) SignContext(ctx context.Context, data []byte, algorithm string) (*keys.Signature, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for try := 0; k.signer == nil; try++ {
		s, err := keys.Load(k.path, k.prompter.passphrase(ctx, k.path))
		var locked *keys.PassphraseError
		switch {
		case err == nil:
			k.signer = s
		case errors.As(err, &locked) && locked.Wrong && try < 2:
		default:
			return nil, err
		}
	}
	if !keys.Equal(k.signer.PublicKey(), k.public) {
		return nil, fmt.Errorf("%s and %s.pub are not halves of one key", k.path, k.path)
	}
	if algorithm == "" {
		algorithm = keys.SignatureAlgorithms(k.public.Type())[0]
	}
	blob, err := keys.SignContext(ctx, nil, k.signer, algorithm, data)
	if err != nil {
		return nil, err
	}
	return keys.ParseSignature(blob)
}
