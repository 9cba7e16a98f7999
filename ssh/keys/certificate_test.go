package keys_test

import (
	"errors"
	"testing"

	"github.com/wirelark/wirelark/ssh/keys"
)

// A signer with a certificate shows it, and signs as its key.
func TestWithCertificate(t *testing.T) {
	s, cert := signer(t, "ed25519"), public(t, "ed25519-cert.pub")
	with, err := keys.WithCertificate(s, cert)
	if err != nil {
		t.Fatal(err)
	}
	if got := with.PublicKey().Type(); got != cert.Type() || !keys.IsCertificate(got) {
		t.Errorf("it shows a key of type %s", got)
	}
	sig, err := keys.Sign(nil, with, cert.Type(), []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Verify(cert, cert.Type(), []byte("data"), sig); err != nil {
		t.Error(err)
	}
	if sig, err := with.Sign(nil, []byte("data")); err != nil || sig.Format != keys.TypeEd25519 {
		t.Errorf("Sign = %v, %v", sig, err)
	}
	stranger, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []struct {
		s keys.Signer
		k keys.PublicKey
	}{{stranger, cert}, {s, s.PublicKey()}} {
		if _, err := keys.WithCertificate(wrong.s, wrong.k); !errors.Is(err, keys.ErrCertificate) {
			t.Errorf("WithCertificate of another key = %v", err)
		}
	}
}
