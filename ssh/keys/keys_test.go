package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/keys"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func public(t testing.TB, name string) keys.PublicKey {
	t.Helper()
	key, _, err := keys.LoadPublic(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signer(t testing.TB, name string) keys.Signer {
	t.Helper()
	s, err := keys.ParsePrivate(read(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// str is SSH's string: a length and bytes.
func str(b string) string {
	n := len(b)
	return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + b
}

func rsaBlob(bits int) []byte {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	n.SetBit(n, 0, 1)
	return []byte(str("ssh-rsa") + str("\x01\x00\x01") + str("\x00"+string(n.Bytes())))
}

func TestPublicOfSSHKeygen(t *testing.T) {
	for _, row := range []struct {
		file, keyType, comment string
		bits                   int
		sha256, md5            string
	}{
		{"ed25519.pub", keys.TypeEd25519, "alice@example.com", 256, "SHA256:M2consUwnzekFmmOpEwN/1Gf0z3wUqrk8FjlgOpb8vw", "MD5:49:05:1e:d6:87:14:b0:d1:ed:e7:e6:ea:b5:87:29:6f"},
		{"ed25519-cert.pub", "ssh-ed25519-cert-v01@openssh.com", "alice@example.com", 256, "SHA256:M2consUwnzekFmmOpEwN/1Gf0z3wUqrk8FjlgOpb8vw", "MD5:49:05:1e:d6:87:14:b0:d1:ed:e7:e6:ea:b5:87:29:6f"},
		{"ecdsa521.pub", keys.TypeECDSA521, "ecdsa 521", 521, "SHA256:AA4zWc78OvdExCJcqwnYxMC1WwDU5SYpBDCQlq7WZEY", "MD5:db:be:2f:9e:99:17:61:9e:a6:aa:f3:7f:f4:4b:70:31"},
		{"ecdsa384_sec1.pub", keys.TypeECDSA384, "ecdsa 384", 384, "SHA256:yf5m87uLQEvK0K8jGoPq47zvlrqlWZ9UxLgF9tXhuuw", "MD5:73:63:73:92:1c:0f:62:77:fe:95:c5:e6:3f:61:e5:53"},
		{"rsa_pem.pub", keys.TypeRSA, "rsa pem", 2048, "SHA256:TGxxAjk5avcSrpZf4hbiiy+ZA+ls/TdZV7Wxtri0ugc", "MD5:36:7c:99:59:79:bf:09:af:60:c9:26:8a:b4:80:4e:d8"},
	} {
		t.Run(row.file, func(t *testing.T) {
			key, comment, err := keys.LoadPublic(filepath.Join("testdata", row.file))
			if err != nil {
				t.Fatal(err)
			}
			if key.Type() != row.keyType || comment != row.comment || keys.Bits(key) != row.bits {
				t.Errorf("got %s %q %d bits, want %s %q %d", key.Type(), comment, keys.Bits(key), row.keyType, row.comment, row.bits)
			}
			if got := keys.Fingerprint(key); got != row.sha256 {
				t.Errorf("Fingerprint = %s, want %s", got, row.sha256)
			}
			if got := keys.FingerprintMD5(key); got != row.md5 {
				t.Errorf("FingerprintMD5 = %s, want %s", got, row.md5)
			}
			if got, want := keys.AuthorizedLine(key, comment)+"\n", string(read(t, row.file)); got != want {
				t.Errorf("AuthorizedLine = %q, want %q", got, want)
			}
		})
	}
}

func TestParsePublicRefuses(t *testing.T) {
	ed := public(t, "ed25519.pub").Marshal()
	cert := public(t, "ed25519-cert.pub").Marshal()
	for _, row := range []struct {
		name, blob, unknown string // unknown: the type in an *UnknownTypeError
	}{
		{"empty", "", ""},
		{"length only", "\x00\x00\x00\x0b", ""},
		{"type longer than the key", "\xff\xff\xff\xffssh-ed25519", ""},
		{"dsa", str("ssh-dss") + "rest", "ssh-dss"},
		{"post-quantum", str("ssh-mldsa44-ed25519") + str("x"), "ssh-mldsa44-ed25519"},
		{"pure ML-DSA", str("ssh-mldsa-44") + str("x"), "ssh-mldsa-44"},
		{"signature algorithm as type", str("rsa-sha2-512") + str("x"), "rsa-sha2-512"},
		{"unprintable type", str("a\x1bb\n"), "a?b?"},
		{"endless type", str(strings.Repeat("a", 1000)), strings.Repeat("a", 64)},
		{"ed25519 too short", str("ssh-ed25519") + str("short"), ""},
		{"ed25519 with more behind", string(ed) + "x", ""},
		{"ed25519 huge", str("ssh-ed25519") + str(strings.Repeat("x", 9<<10)), ""},
		{"certificate cut", string(cert[:len(cert)-1]), ""},
		{"certificate with more behind", string(cert) + "x", ""},
		{"certificate huge", string(cert) + strings.Repeat("x", 64<<10), ""},
		{"ecdsa of another curve", str("ecdsa-sha2-nistp256") + str("nistp384") + str("x"), ""},
		{"ecdsa point not on the curve", str("ecdsa-sha2-nistp256") + str("nistp256") + str("\x04"+strings.Repeat("a", 64)), ""},
		{"rsa 1023 bits", string(rsaBlob(1023)), ""},
		{"rsa 16385 bits", string(rsaBlob(16385)), ""},
		{"rsa 64 Kbit", string(rsaBlob(65536)), ""},
		{"rsa exponent 1", str("ssh-rsa") + str("\x01") + str("\x00\x81"+strings.Repeat("x", 255)), ""},
		{"rsa exponent even", str("ssh-rsa") + str("\x02") + str("\x00\x81"+strings.Repeat("x", 255)), ""},
		{"rsa negative modulus", str("ssh-rsa") + str("\x01\x00\x01") + str("\x81"+strings.Repeat("x", 255)), ""},
		{"rsa not canonical", str("ssh-rsa") + str("\x01\x00\x01") + str("\x00\x00\x81"+strings.Repeat("x", 255)), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			key, err := keys.ParsePublic([]byte(row.blob))
			if err == nil {
				t.Fatalf("accepted as %s", key.Type())
			}
			unknown, ok := errors.AsType[*keys.UnknownTypeError](err)
			switch {
			case row.unknown == "" && !errors.Is(err, keys.ErrMalformed):
				t.Errorf("got %v, want ErrMalformed", err)
			case row.unknown != "" && (!ok || unknown.Type != row.unknown):
				t.Errorf("got %v, want UnknownTypeError for %q", err, row.unknown)
			}
		})
	}
}

func TestRSASizes(t *testing.T) {
	for _, bits := range []int{keys.MinRSABits, 2048, keys.MaxRSABits} {
		key, err := keys.ParsePublic(rsaBlob(bits))
		if err != nil {
			t.Errorf("%d bits: %v", bits, err)
		} else if got := keys.Bits(key); got != bits {
			t.Errorf("Bits = %d, want %d", got, bits)
		}
	}
}

func TestSecurityKeyTypes(t *testing.T) {
	blob := str(keys.TypeSKEd25519) + str(strings.Repeat("k", 32)) + str("ssh:")
	key, err := keys.ParsePublic([]byte(blob))
	if err != nil {
		t.Fatal(err)
	}
	if key.Type() != keys.TypeSKEd25519 || keys.Bits(key) != 256 {
		t.Errorf("got %s of %d bits", key.Type(), keys.Bits(key))
	}
}

func TestParseTextChecksTheName(t *testing.T) {
	ed := base64.StdEncoding.EncodeToString(public(t, "ed25519.pub").Marshal())
	if _, err := keys.ParseText(keys.TypeEd25519, ed); err != nil {
		t.Error(err)
	}
	for _, row := range []struct{ keyType, encoded string }{
		{keys.TypeRSA, ed},
		{keys.TypeEd25519, ed + "=" + ed},
		{keys.TypeEd25519, ""},
		{keys.TypeEd25519, strings.Repeat("A", 1<<20)},
	} {
		if _, err := keys.ParseText(row.keyType, row.encoded); !errors.Is(err, keys.ErrMalformed) {
			t.Errorf("ParseText(%q, %.20q) = %v, want ErrMalformed", row.keyType, row.encoded, err)
		}
	}
}

func TestAuthorizedLineStaysALine(t *testing.T) {
	got := keys.AuthorizedLine(public(t, "ed25519.pub"), "a\nssh-rsa b\r\x00c")
	if strings.ContainsAny(got, "\n\r\x00") || !strings.HasSuffix(got, " assh-rsa bc") {
		t.Errorf("got %q", got)
	}
}

func TestAlgorithms(t *testing.T) {
	for _, row := range []struct{ keyType, want string }{
		{keys.TypeEd25519, "ssh-ed25519"},
		{keys.TypeRSA, "rsa-sha2-512 rsa-sha2-256"},
		{"ssh-rsa-cert-v01@openssh.com", "rsa-sha2-512-cert-v01@openssh.com rsa-sha2-256-cert-v01@openssh.com"},
		{"ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519-cert-v01@openssh.com"},
		{keys.TypeSKEd25519, keys.TypeSKEd25519},
		{"sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com"},
		{"ssh-dss", ""},
		{"rsa-sha2-512", ""},
		{"", ""},
	} {
		algos := keys.SignatureAlgorithms(row.keyType)
		if got := strings.Join(algos, " "); got != row.want {
			t.Errorf("SignatureAlgorithms(%q) = %q, want %q", row.keyType, got, row.want)
		}
		for _, algo := range algos {
			if got := keys.TypeOf(algo); got != row.keyType {
				t.Errorf("TypeOf(%q) = %q, want %q", algo, got, row.keyType)
			}
		}
	}
	for _, keyType := range keys.Types() {
		want := ""
		if keys.PlainType(keyType) == keys.TypeRSA {
			want = keyType // which names the SHA-1 algorithm, too
		}
		got := strings.Join(keys.LegacyAlgorithms(keyType), " ")
		if got != want || want != "" && keys.TypeOf(got) != keyType || slices.Contains(keys.SignatureAlgorithms(keyType), "ssh-rsa") {
			t.Errorf("LegacyAlgorithms(%q) = %q, of type %q, want %q", keyType, got, keys.TypeOf(got), want)
		}
	}
	for _, keyType := range keys.Types() {
		if !keys.Known(keyType) {
			t.Errorf("%s is not known", keyType)
		}
	}
}

func TestSignAndVerify(t *testing.T) {
	data := []byte("what is signed")
	for _, name := range []string{"ed25519", "ecdsa521", "ecdsa384_sec1", "rsa_pem"} {
		s := signer(t, name)
		keyType := s.PublicKey().Type()
		for _, algo := range append(keys.SignatureAlgorithms(keyType), keys.LegacyAlgorithms(keyType)...) {
			t.Run(name+"/"+algo, func(t *testing.T) {
				sig, err := keys.Sign(nil, s, algo, data)
				if err != nil {
					t.Fatal(err)
				}
				if err := keys.Verify(s.PublicKey(), algo, data, sig); err != nil {
					t.Error(err)
				}
				for i := 0; i < len(sig); i += 1 + len(sig)/20 {
					broken := bytes.Clone(sig)
					broken[i] ^= 1
					if err := keys.Verify(s.PublicKey(), algo, data, broken); !errors.Is(err, keys.ErrSignature) {
						t.Fatalf("bit 0 of byte %d flipped: got %v, want ErrSignature", i, err)
					}
				}
				for _, bad := range [][]byte{nil, sig[:len(sig)-1], append(bytes.Clone(sig), 0), make([]byte, 1<<20)} {
					if err := keys.Verify(s.PublicKey(), algo, data, bad); !errors.Is(err, keys.ErrSignature) {
						t.Errorf("signature of %d bytes: got %v, want ErrSignature", len(bad), err)
					}
				}
				if err := keys.Verify(s.PublicKey(), algo, data[1:], sig); !errors.Is(err, keys.ErrSignature) {
					t.Errorf("other data: got %v, want ErrSignature", err)
				}
			})
		}
	}
}

func TestVerifyHoldsToTheAlgorithm(t *testing.T) {
	s := signer(t, "rsa_pem")
	data := []byte("data")
	sig, err := keys.Sign(nil, s, keys.AlgoRSASHA256, data)
	if err != nil {
		t.Fatal(err)
	}
	for _, algo := range []string{keys.AlgoRSASHA512, "ssh-rsa", keys.TypeEd25519, ""} {
		if err := keys.Verify(s.PublicKey(), algo, data, sig); !errors.Is(err, keys.ErrSignature) {
			t.Errorf("a rsa-sha2-256 signature where %q was agreed on: got %v, want ErrSignature", algo, err)
		}
	}
	for _, algo := range []string{keys.TypeEd25519, "ssh-dss", ""} {
		if _, err := keys.Sign(nil, s, algo, data); err == nil {
			t.Errorf("an RSA key signed with %q", algo)
		}
	}
}

func TestCertificateVerifiesWithItsKey(t *testing.T) {
	s, cert := signer(t, "ed25519"), public(t, "ed25519-cert.pub")
	sig, err := keys.Sign(nil, s, cert.Type(), []byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, algo := range []string{cert.Type(), keys.TypeEd25519} {
		if err := keys.Verify(cert, algo, []byte("data"), sig); err != nil {
			t.Errorf("%s: %v", algo, err)
		}
	}
}

// slow is a signer that answers when its context ends.
type slow struct{ keys.Signer }

func (s slow) SignContext(ctx context.Context, _ []byte, _ string) (*keys.Signature, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// stubborn ignores which algorithm is asked for, as old agents do.
type stubborn struct{ keys.Signer }

func (s stubborn) SignContext(context.Context, []byte, string) (*keys.Signature, error) {
	return &keys.Signature{Format: "ssh-rsa", Blob: []byte("x")}, nil
}

func TestSignContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { // stops when the context is cancelled
		_, err := keys.SignContext(ctx, nil, slow{signer(t, "ed25519")}, keys.TypeEd25519, nil)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, err := keys.Sign(nil, stubborn{signer(t, "rsa_pem")}, keys.AlgoRSASHA512, nil); err == nil {
		t.Error("a SHA-1 signature was taken for rsa-sha2-512")
	}
}

func FuzzParsePublic(f *testing.F) {
	for _, name := range []string{"ed25519.pub", "ed25519-cert.pub", "ecdsa521.pub", "rsa_pem.pub"} {
		f.Add(public(f, name).Marshal())
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		key, err := keys.ParsePublic(blob)
		if err != nil {
			return
		}
		again, err := keys.ParsePublic(key.Marshal())
		if err != nil || !keys.Equal(key, again) {
			t.Errorf("%x does not come back: %v", blob, err)
		}
		_ = keys.Fingerprint(key)
		_ = keys.Verify(key, keys.SignatureAlgorithms(key.Type())[0], nil, blob)
	})
}
