package keys_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/ssh/keys"
)

func TestPrivateOfSSHKeygen(t *testing.T) {
	for _, row := range []struct {
		file, public string
		protected    bool
	}{
		{"ed25519", "ed25519.pub", false},
		{"ed25519_protected", "ed25519_protected.pub", true},
		{"ecdsa521", "ecdsa521.pub", false},
		{"ecdsa384_sec1", "ecdsa384_sec1.pub", false},
		{"rsa_pem", "rsa_pem.pub", false},
		{"rsa_pem_protected", "rsa_pem_protected.pub", true},
		{"rsa_protected", "rsa_protected.pub", true},
		{"rsa_pkcs8", "rsa_pkcs8.pub", false},
		{"ed25519_pkcs8", "", false},
	} {
		t.Run(row.file, func(t *testing.T) {
			asked := 0
			s, err := keys.ParsePrivate(read(t, row.file), func() ([]byte, error) {
				asked++
				return []byte("correct horse"), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: 1}[row.protected]; asked != want {
				t.Errorf("asked %d times for the passphrase, want %d", asked, want)
			}
			if row.public != "" && !keys.Equal(s.PublicKey(), public(t, row.public)) {
				t.Errorf("got %s, want the key of %s", keys.Fingerprint(s.PublicKey()), row.public)
			}
			if !row.protected {
				return
			}
			wrong := func() ([]byte, error) { return []byte("wrong horse"), nil }
			_, err = keys.ParsePrivate(read(t, row.file), wrong)
			if pe, ok := errors.AsType[*keys.PassphraseError](err); !ok || !pe.Wrong {
				t.Errorf("wrong passphrase: got %v", err)
			}
			_, err = keys.ParsePrivate(read(t, row.file), nil)
			if pe, ok := errors.AsType[*keys.PassphraseError](err); !ok || pe.Wrong {
				t.Errorf("nobody to ask: got %v", err)
			}
			_, err = keys.ParsePrivate(read(t, row.file), func() ([]byte, error) { return nil, fs.ErrClosed })
			if _, ok := errors.AsType[*keys.PassphraseError](err); !ok || !errors.Is(err, fs.ErrClosed) {
				t.Errorf("no answer: got %v", err)
			}
		})
	}
}

// rounds changes the number of bcrypt rounds in an OpenSSH key of 2 rounds.
func rounds(t testing.TB, text []byte, to string) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	at := bytes.Index(block.Bytes, []byte("\x00\x00\x00\x02\x00\x00\x00\x01")) // rounds, count
	if at < 0 {
		t.Fatal("no rounds found")
	}
	copy(block.Bytes[at:], to)
	return pem.EncodeToMemory(block)
}

func TestParsePrivateRefusesBeforeAsking(t *testing.T) {
	protected := read(t, "ed25519_protected")
	block := func(kind, body string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(body)})
	}
	sk := "openssh-key-v1\x00" + str("none") + str("none") + str("") + "\x00\x00\x00\x01" +
		str(str(keys.TypeSKEd25519)+str(strings.Repeat("k", 32))+str("ssh:")) + str("private")
	for _, row := range []struct {
		name string
		text []byte
		want error
	}{
		{"empty", nil, keys.ErrNoKey},
		{"no PEM", []byte("hello"), keys.ErrNoKey},
		{"public key", read(t, "ed25519.pub"), keys.ErrNoKey},
		{"certificate", block("CERTIFICATE", "x"), keys.ErrNoKey},
		{"too long", bytes.Repeat([]byte("x"), 1<<20), keys.ErrNoKey},
		{"2^31 rounds", rounds(t, protected, "\x80\x00\x00\x00"), keys.ErrProtection},
		{"2049 rounds", rounds(t, protected, "\x00\x00\x08\x01"), keys.ErrProtection},
		{"0 rounds", rounds(t, protected, "\x00\x00\x00\x00"), keys.ErrProtection},
		{"encrypted PKCS#8", read(t, "ecdsa256_pkcs8_protected"), keys.ErrProtection},
		{"aes256-gcm", read(t, "ed25519_gcm"), keys.ErrProtection},
		{"security key", block("OPENSSH PRIVATE KEY", sk), keys.ErrSecurityKey},
		{"OpenSSH garbage", block("OPENSSH PRIVATE KEY", "openssh-key-v1\x00garbage"), keys.ErrMalformed},
		{"OpenSSH without magic", block("OPENSSH PRIVATE KEY", "garbage"), keys.ErrMalformed},
		{"PKCS#1 garbage", block("RSA PRIVATE KEY", "garbage"), keys.ErrMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := keys.ParsePrivate(row.text, func() ([]byte, error) {
				t.Error("asked for a passphrase")
				return nil, nil
			})
			if !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
	for _, row := range []struct {
		text    []byte
		unknown string
	}{
		{read(t, "mldsa44_ed25519"), "ssh-mldsa44-ed25519"},
		{block("DSA PRIVATE KEY", "x"), "ssh-dss"},
	} {
		_, err := keys.ParsePrivate(row.text, nil)
		if unknown, ok := errors.AsType[*keys.UnknownTypeError](err); !ok || unknown.Type != row.unknown {
			t.Errorf("got %v, want UnknownTypeError for %s", err, row.unknown)
		}
	}
}

func TestGenerateAndMarshal(t *testing.T) {
	for _, row := range []struct {
		kind, keyType string
		bits, want    int
	}{
		{"ed25519", keys.TypeEd25519, 0, 256},
		{"ecdsa", keys.TypeECDSA256, 0, 256},
		{"ecdsa", keys.TypeECDSA384, 384, 384},
		{"ecdsa", keys.TypeECDSA521, 521, 521},
		{"rsa", keys.TypeRSA, 2048, 2048},
	} {
		t.Run(row.keyType, func(t *testing.T) {
			s, err := keys.Generate(row.kind, row.bits)
			if err != nil {
				t.Fatal(err)
			}
			if s.PublicKey().Type() != row.keyType || keys.Bits(s.PublicKey()) != row.want {
				t.Errorf("got %s of %d bits", s.PublicKey().Type(), keys.Bits(s.PublicKey()))
			}
			for _, passphrase := range []string{"", "secret"} {
				if passphrase != "" && row.kind != "ed25519" {
					continue // stretching it is slow, and the same for all
				}
				text, err := keys.MarshalPrivate(s, "comment", []byte(passphrase))
				if err != nil {
					t.Fatal(err)
				}
				again, err := keys.ParsePrivate(text, func() ([]byte, error) { return []byte(passphrase), nil })
				if err != nil {
					t.Fatalf("passphrase %q: %v", passphrase, err)
				}
				if !keys.Equal(s.PublicKey(), again.PublicKey()) {
					t.Errorf("passphrase %q: another key came back", passphrase)
				}
			}
		})
	}
}

func TestGenerateRefuses(t *testing.T) {
	for _, row := range []struct {
		kind string
		bits int
	}{{"rsa", 1024}, {"rsa", 20000}, {"ecdsa", 255}, {"ed25519", 512}, {"dsa", 0}, {"", 0}} {
		if _, err := keys.Generate(row.kind, row.bits); err == nil {
			t.Errorf("Generate(%q, %d) worked", row.kind, row.bits)
		}
	}
}

func TestForeignSignersKeepTheirKey(t *testing.T) {
	if _, err := keys.MarshalPrivate(slow{signer(t, "ed25519")}, "", nil); !errors.Is(err, keys.ErrNotExportable) {
		t.Errorf("got %v, want ErrNotExportable", err)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "id")
	s, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Write(path, s, "me", nil); err != nil {
		t.Fatal(err)
	}
	if err := keys.WritePublic(path+".pub", s.PublicKey(), "me"); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Write(path, s, "other", nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("writing over a key: got %v, want fs.ErrExist", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("an existing key was changed")
	}
	loaded, err := keys.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	pub, comment, err := keys.LoadPublic(path + ".pub")
	if err != nil || comment != "me" || !keys.Equal(pub, loaded.PublicKey()) {
		t.Errorf("got %v %q %v", pub, comment, err)
	}
	if _, err := keys.Load(filepath.Join(dir, "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: got %v, want fs.ErrNotExist", err)
	}
	if _, err := keys.Load(dir, nil); err == nil {
		t.Error("a folder was loaded")
	}
	if runtime.GOOS == "windows" {
		return // modes do not tell there who can read a file
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644, 0o610} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Load(path, nil); !errors.Is(err, keys.ErrPermissions) {
			t.Errorf("mode %#o: got %v, want ErrPermissions", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o600, 0o400, 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Load(path, nil); err != nil {
			t.Errorf("mode %#o: %v", mode, err)
		}
	}
}

func FuzzParsePrivate(f *testing.F) {
	for _, name := range []string{"ed25519", "ed25519_protected", "ecdsa384_sec1", "rsa_pem", "ed25519_pkcs8", "rsa_pem_protected"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// No passphrase is given: stretching it takes the time it takes.
		s, err := keys.ParsePrivate(text, nil)
		if err != nil {
			return
		}
		sig, err := keys.Sign(nil, s, keys.SignatureAlgorithms(s.PublicKey().Type())[0], []byte("data"))
		if err != nil {
			return
		}
		if err := keys.Verify(s.PublicKey(), keys.SignatureAlgorithms(s.PublicKey().Type())[0], []byte("data"), sig); err != nil {
			t.Errorf("accepted a key whose signatures do not verify: %v", err)
		}
	})
}
