package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync"
)

// What caching_sha2_password says in one byte.
const (
	sha2AskKey = 0x02 // client: send me your public key
	sha2Fast   = 0x03 // server: the scramble was right; OK follows
	sha2Full   = 0x04 // server: tell me the password
	sha256Ask  = 0x01 // client, of sha256_password: send me your public key
)

// caching_sha2_password: SHA256(password) XOR SHA256(SHA256(SHA256(password)),
// nonce), with the nonce last. A server that does not remember the inner hash
// asks for the password itself.
type cachingSHA2 struct{ full keyRound }

// Start returns the scramble; one NUL for an empty password.
func (m *cachingSHA2) Start(s *State) ([]byte, error) {
	m.full = keyRound{plugin: CachingSHA2, ask: sha2AskKey}
	if s.Password == "" {
		return []byte{0}, nil
	}
	if len(s.Nonce) != NonceSize {
		return nil, nonceError(CachingSHA2, s.Nonce)
	}
	once := sha256.Sum256([]byte(s.Password))
	m2 := sha2Mask(sha2Twice([]byte(s.Password)), s.Nonce)
	subtle.XORBytes(m2, m2, once[:])
	return m2, nil
}

// Next takes the server's judgement, or its key.
func (m *cachingSHA2) Next(s *State, data []byte) ([]byte, error) {
	switch {
	case m.full.asked:
		return m.full.key(s, data)
	case len(data) == 1 && data[0] == sha2Fast:
		return nil, nil
	case len(data) == 1 && data[0] == sha2Full:
		return m.full.password(s)
	}
	return nil, unexpected(CachingSHA2)
}

// sha2Twice returns SHA256(SHA256(password)): what is remembered.
func sha2Twice(password []byte) []byte {
	once := sha256.Sum256(password)
	twice := sha256.Sum256(once[:])
	return twice[:]
}

func sha2Mask(twice, nonce []byte) []byte {
	h := sha256.New()
	h.Write(twice)
	h.Write(nonce)
	return h.Sum(nil)
}

// sha256_password: the password itself, protected by TLS or RSA.
type sha256Password struct{ full keyRound }

// Start returns the password or asks for the key; one NUL for an empty password.
func (m *sha256Password) Start(s *State) ([]byte, error) {
	m.full = keyRound{plugin: SHA256, ask: sha256Ask}
	if s.Password == "" {
		return []byte{0}, nil
	}
	return m.full.password(s)
}

// Next takes the key.
func (m *sha256Password) Next(s *State, data []byte) ([]byte, error) {
	if !m.full.asked {
		return nil, unexpected(SHA256)
	}
	return m.full.key(s, data)
}

// sha2Verifier is an account of either method.
type sha2Verifier struct {
	plugin string
	hash   shaCrypt // zero: the password is empty

	mu    sync.Mutex
	twice []byte // of a password that was right; caching_sha2_password only
}

// Plugin returns the method's name.
func (v *sha2Verifier) Plugin() string { return v.plugin }

// Session begins a login.
func (v *sha2Verifier) Session(l *Login) Session {
	s := &sha2Session{v: v, nonce: l.Nonce, full: keyServer{login: l, ask: sha256Ask}}
	if v.plugin == CachingSHA2 {
		s.full.ask, s.scramble = sha2AskKey, true
	}
	return s
}

func (v *sha2Verifier) remembered() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.twice
}

func (v *sha2Verifier) remember(password []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.twice = sha2Twice(password)
}

type sha2Session struct {
	v        *sha2Verifier
	nonce    []byte
	full     keyServer
	scramble bool // the scramble is due
}

// Challenge returns the nonce and a NUL.
func (s *sha2Session) Challenge() []byte { return withNUL(s.nonce) }

// Next takes the scramble, the request for the key, or the password.
func (s *sha2Session) Next(data []byte) ([]byte, Verdict) {
	if len(data) == 0 || len(data) == 1 && data[0] == 0 {
		return nil, verdict(s.v.hash.empty())
	}
	if s.scramble {
		s.scramble = false
		if s.fast(data) {
			return []byte{sha2Fast}, Accepted
		}
		return []byte{sha2Full}, More
	}
	password, reply, v := s.full.password(data)
	if v != Accepted {
		return reply, v
	}
	if !s.v.hash.matches(password) {
		return nil, Refused
	}
	if s.v.plugin == CachingSHA2 {
		s.v.remember(password)
	}
	return nil, Accepted
}

// fast compares a scramble with what is remembered.
func (s *sha2Session) fast(data []byte) bool {
	twice := s.v.remembered()
	if len(data) != sha256.Size || twice == nil {
		return false
	}
	once := sha2Mask(twice, s.nonce)
	subtle.XORBytes(once, once, data)
	again := sha256.Sum256(once)
	return equal(again[:], twice)
}
