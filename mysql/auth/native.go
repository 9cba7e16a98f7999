package auth

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
)

// mysql_native_password: SHA1(password) XOR SHA1(nonce, SHA1(SHA1(password))).
// The server stores SHA1(SHA1(password)).
type native struct{}

// Start returns the scramble; nothing for an empty password.
func (native) Start(s *State) ([]byte, error) {
	if s.Password == "" {
		return []byte{}, nil
	}
	if len(s.Nonce) != NonceSize {
		return nil, nonceError(Native, s.Nonce)
	}
	once := sha1.Sum([]byte(s.Password))
	mask := nativeMask(s.Nonce, nativeHash(s.Password))
	subtle.XORBytes(mask, mask, once[:])
	return mask, nil
}

// Next refuses: the method has one round.
func (native) Next(*State, []byte) ([]byte, error) { return nil, unexpected(Native) }

// PasswordHash returns what the server stores, and the nonce in use.
func (native) PasswordHash(s *State) (hash, nonce []byte) {
	return nativeHash(s.Password), s.Nonce
}

func nativeHash(password string) []byte {
	once := sha1.Sum([]byte(password))
	twice := sha1.Sum(once[:])
	return twice[:]
}

func nativeMask(nonce, hash []byte) []byte {
	h := sha1.New()
	h.Write(nonce)
	h.Write(hash)
	return h.Sum(nil)
}

// nativeVerifier has the stored hash; empty: the password is empty.
type nativeVerifier struct{ hash []byte }

// parseNative reads what servers show as the authentication string: * and 40
// hexadecimal digits, or nothing.
func parseNative(s string) (Verifier, error) {
	if s == "" {
		return nativeVerifier{}, nil
	}
	digits, ok := strings.CutPrefix(s, "*")
	hash, err := hex.DecodeString(digits)
	if !ok || err != nil || len(hash) != sha1.Size {
		return nil, badHash(Native)
	}
	return nativeVerifier{hash}, nil
}

func hashNative(password string) string {
	if password == "" {
		return ""
	}
	return "*" + strings.ToUpper(hex.EncodeToString(nativeHash(password)))
}

// Plugin returns the method's name.
func (nativeVerifier) Plugin() string { return Native }

// Session begins a login.
func (v nativeVerifier) Session(l *Login) Session {
	return &nativeSession{hash: v.hash, nonce: l.Nonce}
}

type nativeSession struct{ hash, nonce []byte }

// Challenge returns the nonce and a NUL.
func (s *nativeSession) Challenge() []byte { return withNUL(s.nonce) }

// Next takes the scramble.
func (s *nativeSession) Next(data []byte) ([]byte, Verdict) {
	if len(s.hash) == 0 {
		return nil, verdict(len(data) == 0)
	}
	if len(data) != sha1.Size {
		return nil, Refused
	}
	once := nativeMask(s.nonce, s.hash)
	subtle.XORBytes(once, once, data)
	twice := sha1.Sum(once)
	return nil, verdict(equal(twice[:], s.hash))
}

// PasswordHash returns what Proof needs.
func (s *nativeSession) PasswordHash() (hash, nonce []byte) { return s.hash, s.nonce }

func verdict(ok bool) Verdict {
	if ok {
		return Accepted
	}
	return Refused
}

// withNUL returns a copy of b with a NUL behind it, as nonces travel.
func withNUL(b []byte) []byte { return append(append(make([]byte, 0, len(b)+1), b...), 0) }

func nonceError(plugin string, nonce []byte) error {
	return fmt.Errorf("%s: the server sent a nonce of %d bytes", plugin, len(nonce))
}

func unexpected(plugin string) error {
	return fmt.Errorf("%s: the server sent more than the method has", plugin)
}

func badHash(plugin string) error {
	return fmt.Errorf("not an authentication string of %s", plugin)
}
