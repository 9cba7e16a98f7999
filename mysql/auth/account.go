package auth

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// NewVerifier returns the account with the given authentication string, as the
// server that belongs to the method shows it. mysql_clear_password and dialog
// take one of caching_sha2_password. An empty string is an empty password where
// the method knows such a thing.
func NewVerifier(plugin, stored string) (Verifier, error) {
	switch plugin {
	case Native:
		return parseNative(stored)
	case CachingSHA2, SHA256:
		c, err := parseCrypt(plugin, stored)
		if err != nil {
			return nil, err
		}
		return &sha2Verifier{plugin: plugin, hash: c}, nil
	case Clear, Dialog:
		c, err := parseCrypt(CachingSHA2, stored)
		if err != nil {
			return nil, badHash(plugin)
		}
		return clearVerifier{plugin, func(p []byte) bool { return c.empty() && len(p) == 0 || c.matches(p) }}, nil
	case Ed25519:
		return parseEd25519(stored)
	case Parsec:
		return parseParsec(stored)
	}
	return nil, errUnknown(plugin)
}

// Hash returns the authentication string of a password, with a new salt where
// the method has one.
func Hash(plugin, password string) (string, error) {
	switch plugin {
	case Native:
		return hashNative(password), nil
	case CachingSHA2, SHA256, Clear, Dialog:
		return newCrypt(password).text(plugin), nil
	case Ed25519:
		return hashEd25519(password), nil
	case Parsec:
		return hashParsec(password)
	}
	return "", errUnknown(plugin)
}

// NewAccount returns the account of a user with this password.
func NewAccount(plugin, password string) (Verifier, error) {
	stored, err := Hash(plugin, password)
	if err != nil {
		return nil, err
	}
	return NewVerifier(plugin, stored)
}

// NewCheck returns an account whose password, sent as it is by
// mysql_clear_password or dialog, check judges: PAM, LDAP, a token service.
// check may be called by many logins at once.
func NewCheck(plugin string, check func(password []byte) bool) (Verifier, error) {
	if !sendsPassword(plugin) {
		return nil, fmt.Errorf("%s does not send the password", plugin)
	}
	return clearVerifier{plugin, check}, nil
}

// Unknown returns an account for a user who does not exist. It goes through the
// same motions as one that does, and always refuses in the end. What a client
// gets to see of it, a salt, is derived from the user's name and the server's
// secret, at least 16 random bytes, and so is the same every time.
func Unknown(plugin, user string, secret []byte) (Verifier, error) {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("wirelark unknown account\x00" + plugin + "\x00" + user))
	fake := h.Sum(nil)
	switch plugin {
	case Native:
		return nativeVerifier{fake[:20]}, nil
	case CachingSHA2, SHA256:
		return &sha2Verifier{plugin: plugin, hash: fakeCrypt(fake)}, nil
	case Clear, Dialog:
		c := fakeCrypt(fake)
		return clearVerifier{plugin, c.matches}, nil
	case Ed25519:
		return &ed25519Verifier{ed25519.NewKeyFromSeed(fake).Public().(ed25519.PublicKey)}, nil
	case Parsec:
		params := append([]byte{parsecAlgorithm, 0}, fake[:parsecSalt]...)
		seed := sha256.Sum256(fake)
		return &parsecVerifier{params, ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)}, nil
	}
	return nil, errUnknown(plugin)
}

// fakeCrypt returns a stored password that nobody has.
func fakeCrypt(seed []byte) shaCrypt {
	digest := make([]byte, cryptDigest)
	for i := range digest {
		digest[i] = '*' // not of the alphabet: nothing matches
	}
	return shaCrypt{salt: string(seed[:cryptSalt]), digest: string(digest), rounds: cryptRounds}
}

// NewNonce returns the 20 bytes of a greeting: 7 bits each, none of them a NUL,
// which would end it, or a '$', at which MySQL's own stored form is cut.
func NewNonce() []byte {
	out := make([]byte, 0, NonceSize)
	for len(out) < NonceSize {
		for _, b := range randomBytes(NonceSize) {
			if b &= 0x7f; b != 0 && b != '$' && len(out) < NonceSize {
				out = append(out, b)
			}
		}
	}
	return out
}

func errUnknown(plugin string) error {
	return fmt.Errorf("no authentication method %q", plugin)
}
