package keys

import (
	"context"
	"errors"
	"io"
)

// ErrCertificate says that a certificate is not one of the key that it was to
// go with.
var ErrCertificate = errors.New("the certificate is not one of this key")

// WithCertificate returns a signer that shows cert, a certificate of the key of
// s, in the place of that key. It signs as s does. Whether the certificate is
// valid is for those to say whom it is shown.
func WithCertificate(s Signer, cert PublicKey) (Signer, error) {
	c, ok := cert.(*Certificate)
	if !ok || !Equal(c.Key, s.PublicKey()) {
		return nil, ErrCertificate
	}
	return &certified{s, c}, nil
}

// certified is a key with its certificate.
type certified struct {
	Signer
	cert *Certificate
}

var _ ContextSigner = (*certified)(nil)

func (c *certified) PublicKey() PublicKey { return c.cert }

// SignContext implements [ContextSigner].
func (c *certified) SignContext(ctx context.Context, data []byte, algorithm string) (*Signature, error) {
	return signWith(ctx, nil, c.Signer, algorithm, data)
}

// Sign implements [Signer], with the preferred algorithm of the key.
func (c *certified) Sign(rand io.Reader, data []byte) (*Signature, error) {
	return signWith(context.Background(), rand, c.Signer, PlainType(SignatureAlgorithms(c.cert.Type())[0]), data)
}
