package auth

import (
	"crypto/ed25519"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/base64"
	"strings"
)

// Sizes of parsec.
const (
	parsecSalt      = 18
	parsecAlgorithm = 'P' // PBKDF2 with SHA-512
	maxParsecShift  = 3   // iterations are 1024 << 0 to 3
	parsecHeader    = 2   // algorithm and shift
)

// parsec of MariaDB: PBKDF2 makes the seed of an Ed25519 key of the password; it
// signs the nonces of both sides.
//
//	server  nonce, 32 bytes, with the switch
//	client  an empty packet
//	server  'P', shift, salt of 18 bytes
//	client  nonce, 32 bytes, and the signature of both nonces
type parsec struct {
	params []byte // algorithm, shift, salt
	public []byte
	salted bool
}

// Start returns the empty packet that asks for the salt.
func (m *parsec) Start(s *State) ([]byte, error) {
	if len(s.Nonce) != longNonce && len(s.Nonce) != NonceSize {
		return nil, nonceError(Parsec, s.Nonce)
	}
	return []byte{}, nil
}

// Next takes the salt and returns the signature.
func (m *parsec) Next(s *State, data []byte) ([]byte, error) {
	if len(data) == 1+parsecHeader+parsecSalt && data[0] == 0x01 { // sometimes escaped like AuthMoreData
		data = data[1:]
	}
	if m.salted || len(s.Nonce) != longNonce || len(data) != parsecHeader+parsecSalt || data[0] != parsecAlgorithm || data[1] > maxParsecShift {
		return nil, unexpected(Parsec)
	}
	m.salted = true
	key, err := parsecKey(s.Password, data)
	if err != nil {
		return nil, err
	}
	m.params = append([]byte(nil), data...)
	m.public = key.Public().(ed25519.PublicKey)
	nonce := randomBytes(longNonce)
	signature := ed25519.Sign(key, append(append([]byte(nil), s.Nonce...), nonce...))
	return append(nonce, signature...), nil
}

// PasswordHash returns the parameters and the public key, nothing before the
// salt is known. The proof is made with the greeting's nonce.
func (m *parsec) PasswordHash(*State) (hash, nonce []byte) {
	return append(append([]byte(nil), m.params...), m.public...), nil
}

// parsecKey derives the key that params, algorithm, shift and salt, say.
func parsecKey(password string, params []byte) (ed25519.PrivateKey, error) {
	seed, err := pbkdf2.Key(sha512.New, password, params[parsecHeader:], 1024<<params[1], ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// parsecVerifier is an account of parsec.
type parsecVerifier struct {
	params []byte
	public ed25519.PublicKey
}

// parseParsec reads what MariaDB shows as the authentication string:
// P and the shift, salt and public key in base64, with colons between them.
func parseParsec(s string) (Verifier, error) {
	bad := badHash(Parsec)
	parts := strings.Split(s, ":")
	if len(parts) != 3 || len(parts[0]) != 2 || parts[0][0] != parsecAlgorithm || parts[0][1] < '0' || parts[0][1] > '0'+maxParsecShift {
		return nil, bad
	}
	salt, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil || len(salt) != parsecSalt {
		return nil, bad
	}
	public, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(parts[2], "="))
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil, bad
	}
	return &parsecVerifier{append([]byte{parsecAlgorithm, parts[0][1] - '0'}, salt...), public}, nil
}

func hashParsec(password string) (string, error) {
	params := append([]byte{parsecAlgorithm, 0}, randomBytes(parsecSalt)...)
	key, err := parsecKey(password, params)
	if err != nil {
		return "", err
	}
	return "P0:" + base64.StdEncoding.EncodeToString(params[parsecHeader:]) + ":" +
		base64.RawStdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)), nil
}

// Plugin returns the method's name.
func (v *parsecVerifier) Plugin() string { return Parsec }

// Session begins a login.
func (v *parsecVerifier) Session(*Login) Session {
	return &parsecSession{v: v, nonce: newLongNonce()}
}

type parsecSession struct {
	v      *parsecVerifier
	nonce  []byte
	salted bool
}

// Bare marks the replies: the salt travels as it is.
func (s *parsecSession) Bare() {}

// Challenge returns a nonce of 32 bytes.
func (s *parsecSession) Challenge() []byte { return s.nonce }

// Next takes the empty packet, then the signature.
func (s *parsecSession) Next(data []byte) ([]byte, Verdict) {
	if !s.salted {
		s.salted = true
		if len(data) != 0 {
			return nil, Refused
		}
		return s.v.params, More
	}
	if len(data) != longNonce+ed25519.SignatureSize {
		return nil, Refused
	}
	message := append(append([]byte(nil), s.nonce...), data[:longNonce]...)
	return nil, verdict(ed25519.Verify(s.v.public, message, data[longNonce:]))
}

// PasswordHash returns what Proof needs.
func (s *parsecSession) PasswordHash() (hash, nonce []byte) {
	return append(append([]byte(nil), s.v.params...), s.v.public...), nil
}
