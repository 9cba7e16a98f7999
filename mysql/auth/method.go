package auth

import (
	"crypto/rsa"
	"slices"
)

// A State is what a [Method] is told about the login.
type State struct {
	plugin   string
	Password string // of the present factor
	Nonce    []byte // from the greeting or the switch, without the NUL behind it
	Secure   bool   // what is sent cannot be read on the way: TLS or a local socket

	ServerKey         *rsa.PublicKey
	AllowKeyRetrieval bool
	Answer            func(prompt string, echo bool) (string, error) // may be nil
}

// A Method is the client's half of one authentication plugin, for one factor of
// one login.
type Method interface {
	// Start returns the answer to the nonce: for the handshake response or the
	// switch. It is sent even when it is empty.
	Start(s *State) (reply []byte, err error)

	// Next takes what the server says then and returns the answer; nil: none is
	// due, an empty slice: an empty packet is.
	Next(s *State, data []byte) (reply []byte, err error)
}

// A Prover is a Method whose server can prove that it knows the password's hash;
// see Config.Proof.
type Prover interface {
	Method

	// PasswordHash returns what the server stores about the password, in the
	// plugin's binary form, and the nonce that goes into the proof; nil: the
	// greeting's. An empty hash says that the server has not asked for enough yet
	// to prove anything.
	PasswordHash(s *State) (hash, nonce []byte)
}

// bareNonce copies a nonce without the NUL that servers put behind the 20 bytes
// of most methods.
func bareNonce(b []byte) []byte {
	if len(b) == NonceSize+1 && b[NonceSize] == 0 {
		b = b[:NonceSize]
	}
	return slices.Clone(b)
}
