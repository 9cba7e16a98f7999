package keys

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/wire"
)

// ErrSignature is wrapped by the errors of [Verify]: the signature is not one
// of this key over this data with this algorithm.
var ErrSignature = errors.New("signature is not valid")

// maxSignature is far above the 2 KiB of the largest RSA signature.
const maxSignature = 8 << 10

// A ContextSigner is a Signer whose work can be cut short, such as an agent
// that asks its user.
type ContextSigner interface {
	Signer
	// SignContext signs data with the given plain algorithm (one of
	// SignatureAlgorithms of a plain key type).
	SignContext(ctx context.Context, data []byte, algorithm string) (*Signature, error)
}

// signature is the layout of a signature on the wire (RFC 4253 §6.6). The
// signatures of security keys have flags and a counter behind the blob
// (OpenSSH PROTOCOL.u2f).
type signature struct {
	format string
	blob   []byte
	rest   []byte
}

func (m *signature) Fields(c *wire.Coder) {
	c.Text("format", &m.format)
	c.Bytes("blob", &m.blob)
	c.Rest("rest", &m.rest)
}

// MarshalSignature returns the wire form of a signature.
func MarshalSignature(sig *Signature) ([]byte, error) {
	return wire.Append(nil, &signature{format: sig.Format, blob: sig.Blob, rest: sig.Rest}, wire.Dialect{})
}

// ParseSignature parses the wire form of a signature. The result aliases blob.
// Errors wrap [ErrSignature].
func ParseSignature(blob []byte) (*Signature, error) {
	if len(blob) > maxSignature {
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d are allowed", ErrSignature, len(blob), maxSignature)
	}
	var m signature
	if err := wire.Parse(blob, &m, wire.Dialect{}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return &Signature{Format: m.format, Blob: m.blob, Rest: m.rest}, nil
}

// Sign signs data and returns the signature in wire form. algorithm is one of
// [SignatureAlgorithms] or [LegacyAlgorithms] of the signer's key type; that of a certificate, or of
// its plain key, signs alike. rand may be nil: the signer takes its own then.
func Sign(rand io.Reader, s Signer, algorithm string, data []byte) ([]byte, error) {
	return SignContext(context.Background(), rand, s, algorithm, data)
}

// SignContext is Sign with a context, which ends the work of signers that are
// a [ContextSigner]. Others compute and do not wait.
func SignContext(ctx context.Context, rand io.Reader, s Signer, algorithm string, data []byte) ([]byte, error) {
	keyType := s.PublicKey().Type()
	plain := PlainType(algorithm)
	if TypeOf(plain) != PlainType(keyType) {
		return nil, fmt.Errorf("a key of type %s cannot sign with %s", keyType, algorithm)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("signing: %w", context.Cause(ctx))
	}
	sig, err := signWith(ctx, rand, s, plain, data)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", algorithm, err)
	}
	if sig.Format != plain {
		// Old agents ignore the flags that ask for SHA-2.
		return nil, fmt.Errorf("signing with %s: the signer used %q", algorithm, sig.Format)
	}
	return MarshalSignature(sig)
}

func signWith(ctx context.Context, rand io.Reader, s Signer, plain string, data []byte) (*Signature, error) {
	switch s := s.(type) {
	case ContextSigner:
		return s.SignContext(ctx, data, plain)
	case ssh.AlgorithmSigner:
		return s.SignWithAlgorithm(rand, data, plain)
	}
	return s.Sign(rand, data)
}

// Verify checks a signature in wire form over data. The algorithm that the
// signature names must be algorithm, which is what was negotiated or stood in
// the request: a peer cannot fall back to another, so one of
// [LegacyAlgorithms] counts only where the caller names it. For a certificate, the key
// in it signs; whether the certificate is to be trusted is not looked at.
// Signatures of security keys must tell of a touch. Errors wrap
// [ErrSignature].
func Verify(key PublicKey, algorithm string, data, sigBlob []byte) error {
	if TypeOf(PlainType(algorithm)) != PlainType(key.Type()) {
		return fmt.Errorf("%w: %s is no algorithm of a %s key", ErrSignature, algorithm, key.Type())
	}
	sig, err := ParseSignature(sigBlob)
	if err != nil {
		return err
	}
	plain := PlainType(algorithm)
	if sig.Format != plain {
		return fmt.Errorf("%w: made with %q where %s was agreed on", ErrSignature, sig.Format, algorithm)
	}
	if len(sig.Rest) > 0 && plain != TypeSKEd25519 && plain != TypeSKECDSA {
		return fmt.Errorf("%w: %d bytes behind it", ErrSignature, len(sig.Rest))
	}
	if err := key.Verify(data, sig); err != nil {
		return fmt.Errorf("%w: it does not verify under the %s key", ErrSignature, key.Type())
	}
	return nil
}
