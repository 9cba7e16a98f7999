package keys

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// The types of x/crypto under the names used in this module.
type (
	// A PublicKey is a public key or certificate.
	PublicKey = ssh.PublicKey
	// A Signer owns, or speaks for, a private key.
	Signer = ssh.Signer
	// A Signature is a signature with the name of its algorithm.
	Signature = ssh.Signature
	// A Certificate is an OpenSSH certificate: a PublicKey and what an
	// authority says about it.
	Certificate = ssh.Certificate
)

// Key types: the name at the beginning of a public key.
const (
	TypeEd25519   = "ssh-ed25519"                        // RFC 8709
	TypeECDSA256  = "ecdsa-sha2-nistp256"                // RFC 5656
	TypeECDSA384  = "ecdsa-sha2-nistp384"                // RFC 5656
	TypeECDSA521  = "ecdsa-sha2-nistp521"                // RFC 5656
	TypeRSA       = "ssh-rsa"                            // RFC 4253 §6.6; signs with AlgoRSASHA512 or AlgoRSASHA256
	TypeSKEd25519 = "sk-ssh-ed25519@openssh.com"         // OpenSSH PROTOCOL.u2f
	TypeSKECDSA   = "sk-ecdsa-sha2-nistp256@openssh.com" // OpenSSH PROTOCOL.u2f
)

// Signature algorithms of RSA keys (RFC 8332, RFC 4253 §6.6). All other keys
// have one algorithm, which is named as their type.
const (
	AlgoRSASHA256 = "rsa-sha2-256"
	AlgoRSASHA512 = "rsa-sha2-512"
	AlgoRSASHA1   = "ssh-rsa" // of [LegacyAlgorithms]; the type of all RSA keys has the same name
)

// certSuffix makes the name of a certificate type or algorithm out of a plain
// one: before the @ of names that have one (OpenSSH PROTOCOL.certkeys).
const certSuffix = "-cert-v01@openssh.com"

// An UnknownTypeError says that a key has a type this package does not know.
// The key may be perfectly good.
type UnknownTypeError struct {
	Type string // as the key states it; at most 64 bytes, unprintable ones replaced
}

func (e *UnknownTypeError) Error() string {
	return fmt.Sprintf("key type %q is not supported", e.Type)
}

func unknownType(name string) error {
	const longest = 64 // RFC 4251 §6: names have at most 64 characters
	if len(name) > longest {
		name = name[:longest]
	}
	return &UnknownTypeError{Type: strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name)}
}

var plainTypes = []string{
	TypeEd25519, TypeECDSA256, TypeECDSA384, TypeECDSA521, TypeRSA, TypeSKEd25519, TypeSKECDSA,
}

// Types returns the key types that [ParsePublic] accepts, without and then
// with certificates. The caller owns the slice.
func Types() []string {
	types := slices.Clone(plainTypes)
	for _, t := range plainTypes {
		types = append(types, certName(t))
	}
	return types
}

// Known reports whether [ParsePublic] accepts keys of the given type.
func Known(keyType string) bool {
	return slices.Contains(plainTypes, PlainType(keyType))
}

// IsCertificate reports whether keyType, or a signature algorithm, is that of
// a certificate.
func IsCertificate(keyType string) bool { return PlainType(keyType) != keyType }

// PlainType returns keyType, or a signature algorithm, without what makes it
// that of a certificate: ssh-ed25519 for ssh-ed25519-cert-v01@openssh.com.
func PlainType(keyType string) string {
	base, ok := strings.CutSuffix(keyType, certSuffix)
	if !ok {
		return keyType
	}
	if strings.HasPrefix(base, "sk-") {
		return base + "@openssh.com"
	}
	return base
}

func certName(plain string) string {
	return strings.TrimSuffix(plain, "@openssh.com") + certSuffix
}

// SignatureAlgorithms returns the algorithms with which a key of the given
// type signs, the preferred one first; nil for an unknown type. For
// certificates the names are those of the certificate algorithms, as they
// stand in a key exchange and in an authentication request. The caller owns
// the slice. The algorithms of [LegacyAlgorithms] are not among them.
func SignatureAlgorithms(keyType string) []string {
	plain := PlainType(keyType)
	if !slices.Contains(plainTypes, plain) {
		return nil
	}
	algos := []string{plain}
	if plain == TypeRSA {
		algos = []string{AlgoRSASHA512, AlgoRSASHA256}
	}
	return named(algos, keyType)
}

// LegacyAlgorithms returns the algorithms with which a key of the given type
// can sign for old peers, and which must not be offered or accepted unless
// somebody asks for them by name: ssh-rsa, which is RSA with SHA-1. The caller
// owns the slice.
func LegacyAlgorithms(keyType string) []string {
	if PlainType(keyType) != TypeRSA {
		return nil
	}
	return named([]string{AlgoRSASHA1}, keyType)
}

// named makes algorithms of a plain type those of keyType.
func named(algos []string, keyType string) []string {
	if IsCertificate(keyType) {
		for i := range algos {
			algos[i] = certName(algos[i])
		}
	}
	return algos
}

// TypeOf returns the key type that signs with the given algorithm, "" for an
// unknown one: ssh-rsa for rsa-sha2-512. It is the inverse of
// [SignatureAlgorithms] and [LegacyAlgorithms], so it says nothing about
// whether the algorithm should be used.
func TypeOf(algorithm string) string {
	plain := PlainType(algorithm)
	switch plain {
	case AlgoRSASHA256, AlgoRSASHA512:
		plain = TypeRSA
	}
	if !slices.Contains(plainTypes, plain) {
		return ""
	}
	if IsCertificate(algorithm) {
		return certName(plain)
	}
	return plain
}
