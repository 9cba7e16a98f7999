package keys

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/wire"
)

// MaxRounds is the largest number of bcrypt rounds for which a passphrase is
// tried: 128 times what ssh-keygen writes, some seconds of work.
const MaxRounds = 2048

// maxKeyFile bounds what is read of a key file. A private RSA key of
// MaxRSABits takes about 13 KiB of text.
const maxKeyFile = 64 << 10

var (
	// ErrNoKey says that a file holds no private key in a format that is known.
	ErrNoKey = errors.New("no private key in a known format")
	// ErrProtection says that a private key is protected in a way that is not
	// supported: cipher, key derivation, or too many rounds of it.
	ErrProtection = errors.New("the protection of the private key is not supported")
	// ErrSecurityKey says that the private key lives in a security device,
	// which is reached through an agent only.
	ErrSecurityKey = errors.New("the private key is in a security device, which only an agent can use")
	// ErrNotExportable is returned for signers that do not have their private
	// key, such as an agent's.
	ErrNotExportable = errors.New("the signer does not give its private key")
)

// A PassphraseError says that a private key could not be opened for want of
// its passphrase.
type PassphraseError struct {
	Wrong  bool      // one was given, and it is wrong
	Public PublicKey // the key's public half, where the file shows it; may be nil
	Err    error     // what the passphrase callback returned; may be nil
}

func (e *PassphraseError) Error() string {
	switch {
	case e.Wrong:
		return "the passphrase of the private key is wrong"
	case e.Err != nil:
		return "the private key needs a passphrase: " + e.Err.Error()
	}
	return "the private key needs a passphrase"
}

// Unwrap returns the error of the passphrase callback.
func (e *PassphraseError) Unwrap() error { return e.Err }

// signer is a private key in memory.
type signer struct {
	ssh.AlgorithmSigner
	key crypto.Signer
}

// NewSigner makes a Signer of a private key of the standard library: RSA,
// ECDSA on P-256, P-384 or P-521, or Ed25519. An RSA key must have [MinRSABits]
// to [MaxRSABits] bits.
func NewSigner(key crypto.Signer) (Signer, error) {
	s, err := ssh.NewSignerFromSigner(key)
	if err != nil {
		return nil, fmt.Errorf("%w: a %T", ErrMalformed, key)
	}
	as, ok := s.(ssh.AlgorithmSigner)
	if !ok || !Known(s.PublicKey().Type()) {
		return nil, unknownType(s.PublicKey().Type())
	}
	if err := checkSizes(s.PublicKey()); err != nil {
		return nil, err
	}
	return &signer{AlgorithmSigner: as, key: key}, nil
}

// ParsePrivate parses a private key in OpenSSH's own format or in PEM (PKCS#1,
// SEC 1, PKCS#8). passphrase is called at most once, and only if the key is
// protected and everything else about it is in order; nil means that nobody
// can be asked. An [*PassphraseError] tells that it was needed or is wrong,
// [*UnknownTypeError] that the type is not known.
func ParsePrivate(text []byte, passphrase func() ([]byte, error)) (Signer, error) {
	if len(text) > maxKeyFile {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are looked at", ErrNoKey, len(text), maxKeyFile)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, ErrNoKey
	}
	locked, pub, err := inspect(block)
	if err != nil {
		return nil, err
	}
	var raw any
	if locked {
		raw, err = unlock(text, block.Type == openSSHBlock, pub, passphrase)
	} else {
		raw, err = ssh.ParseRawPrivateKey(text)
	}
	if err != nil {
		var pe *PassphraseError
		if errors.As(err, &pe) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: private key: %s", ErrMalformed, strings.TrimPrefix(err.Error(), "ssh: "))
	}
	key, ok := raw.(crypto.Signer)
	if !ok {
		return nil, unknownType(fmt.Sprintf("%T", raw))
	}
	if k, ok := key.(*ed25519.PrivateKey); ok && !bytes.Equal(*k, ed25519.NewKeyFromSeed(k.Seed())) {
		// Signing with a public half that is not the seed's gives the key away.
		return nil, fmt.Errorf("%w: private key: its halves do not belong together", ErrMalformed)
	}
	s, err := NewSigner(key)
	if err != nil {
		return nil, err
	}
	if pub != nil && !Equal(pub, s.PublicKey()) {
		return nil, fmt.Errorf("%w: private key: its public half belongs to another key", ErrMalformed)
	}
	return s, nil
}

// inspect looks at what a file shows without its passphrase.
func inspect(block *pem.Block) (locked bool, pub PublicKey, err error) {
	switch block.Type {
	case openSSHBlock:
		return inspectOpenSSH(block.Bytes)
	case "RSA PRIVATE KEY", "EC PRIVATE KEY":
		return strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"), nil, nil
	case "PRIVATE KEY":
		return false, nil, nil
	case "ENCRYPTED PRIVATE KEY":
		return false, nil, fmt.Errorf("%w: encrypted PKCS#8", ErrProtection)
	case "DSA PRIVATE KEY":
		return false, nil, unknownType("ssh-dss")
	}
	return false, nil, fmt.Errorf("%w: it is a %q", ErrNoKey, block.Type)
}

func unlock(text []byte, openSSH bool, pub PublicKey, passphrase func() ([]byte, error)) (any, error) {
	if passphrase == nil {
		return nil, &PassphraseError{Public: pub}
	}
	secret, err := passphrase()
	if err != nil {
		return nil, &PassphraseError{Public: pub, Err: err}
	}
	if len(secret) == 0 {
		return nil, &PassphraseError{Public: pub, Wrong: true}
	}
	raw, err := ssh.ParseRawPrivateKeyWithPassphrase(text, secret)
	if err != nil && (errors.Is(err, x509.IncorrectPasswordError) || !openSSH && isNoise(err)) {
		return nil, &PassphraseError{Public: pub, Wrong: true}
	}
	return raw, err
}

// isNoise reports whether err is what a parser says of random bytes. Protected
// PEM files have no check of their own: a wrong passphrase yields noise that
// now and then looks well padded.
func isNoise(err error) bool {
	var syntax asn1.SyntaxError
	var structure asn1.StructuralError
	return errors.As(err, &syntax) || errors.As(err, &structure) || strings.HasPrefix(err.Error(), "x509: failed to parse")
}

const (
	openSSHBlock = "OPENSSH PRIVATE KEY"
	openSSHMagic = "openssh-key-v1\x00"
)

// envelope is what OpenSSH's private key file shows to everybody (OpenSSH
// PROTOCOL.key).
type envelope struct {
	magic   [len(openSSHMagic)]byte
	cipher  string
	kdf     string
	options []byte
	count   uint32
	public  []byte
	private []byte
	rest    []byte
}

func (m *envelope) Fields(c *wire.Coder) {
	c.Fixed("magic", m.magic[:])
	c.Text("cipher", &m.cipher)
	c.Text("kdf", &m.kdf)
	c.Bytes("kdf_options", &m.options)
	c.U32("count", &m.count)
	c.Bytes("public", &m.public)
	c.SecretBytes("private", &m.private)
	c.Rest("rest", &m.rest)
}

// bcryptOptions are the kdf_options of the kdf "bcrypt".
type bcryptOptions struct {
	salt   []byte
	rounds uint32
}

func (m *bcryptOptions) Fields(c *wire.Coder) {
	c.Bytes("salt", &m.salt)
	c.U32("rounds", &m.rounds)
}

func inspectOpenSSH(b []byte) (locked bool, pub PublicKey, err error) {
	var m envelope
	if err := wire.Parse(b, &m, wire.Dialect{}); err != nil || string(m.magic[:]) != openSSHMagic || m.count != 1 {
		return false, nil, fmt.Errorf("%w: private key: not one key in OpenSSH's format", ErrMalformed)
	}
	pub, err = ParsePublic(m.public)
	if err != nil {
		return false, nil, err
	}
	if strings.HasPrefix(pub.Type(), "sk-") {
		return false, nil, ErrSecurityKey
	}
	if m.cipher == "none" && m.kdf == "none" {
		return false, pub, nil
	}
	if !slices.Contains([]string{"aes256-ctr", "aes256-cbc"}, m.cipher) || m.kdf != "bcrypt" {
		return false, nil, fmt.Errorf("%w: cipher %q, derivation %q", ErrProtection, m.cipher, m.kdf)
	}
	var opts bcryptOptions
	if err := wire.Parse(m.options, &opts, wire.Dialect{}); err != nil {
		return false, nil, fmt.Errorf("%w: private key: options of its protection", ErrMalformed)
	}
	if opts.rounds == 0 || opts.rounds > MaxRounds || len(opts.salt) == 0 {
		return false, nil, fmt.Errorf("%w: %d rounds of bcrypt, 1 to %d are tried", ErrProtection, opts.rounds, MaxRounds)
	}
	return true, pub, nil
}

// MarshalPrivate returns a private key as text in OpenSSH's format, protected
// if passphrase is not empty. It works for the signers that this package makes;
// others give [ErrNotExportable].
func MarshalPrivate(s Signer, comment string, passphrase []byte) ([]byte, error) {
	own, ok := s.(*signer)
	if !ok {
		return nil, ErrNotExportable
	}
	if k, ok := own.key.(*rsa.PrivateKey); ok && len(k.Primes) != 2 {
		return nil, fmt.Errorf("%w: an RSA key of %d primes has no form in OpenSSH's format", ErrNotExportable, len(k.Primes))
	}
	var block *pem.Block
	var err error
	if len(passphrase) > 0 {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(own.key, comment, passphrase)
	} else {
		block, err = ssh.MarshalPrivateKey(own.key, comment)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %T", ErrNotExportable, own.key)
	}
	return pem.EncodeToMemory(block), nil
}
