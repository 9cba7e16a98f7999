package auth

import (
	"crypto/rsa"

	"github.com/wirelark/wirelark/mysql"
)

// NonceSize is the number of bytes of the nonce in greetings and of most
// methods.
const NonceSize = mysql.NonceSize

// A Verifier is what a server knows about one user's password for one method.
// It is safe for concurrent use. Keep it as long as the account lives:
// caching_sha2_password's remembers who has proved the whole password once.
type Verifier interface {
	// Plugin returns the method's name on the wire.
	Plugin() string

	// Session begins one login.
	Session(l *Login) Session
}

// A Login is what a [Session] is told about the connection.
type Login struct {
	// Nonce is the greeting's, without a NUL behind it, or a new one made by
	// [NewNonce] for a switch. Methods with a longer nonce make their own.
	Nonce []byte

	Secure bool            // TLS, or a socket of this machine
	Key    *rsa.PrivateKey // for the SHA-256 methods without either; nil: they refuse then
}

// A Session is the server's half of one method in one login. It is for one
// goroutine.
type Session interface {
	// Challenge returns the data of the AuthSwitchRequest, or of the
	// AuthNextFactor, that begins the method.
	Challenge() []byte

	// Next takes what the client answers. reply, unless it is nil, is to be sent,
	// as AuthMoreData unless the Session is [Bare], before the verdict counts.
	Next(data []byte) (reply []byte, v Verdict)
}

// A Bare session sends its replies as bare packets, without the byte of
// AuthMoreData.
type Bare interface{ Bare() }

// A Hasher is a Session whose server can prove that it knows the password: see
// [Proof]. hash is nil for an unknown user; nonce nil means the greeting's.
type Hasher interface {
	PasswordHash() (hash, nonce []byte)
}

// A Verdict says how a login stands.
type Verdict uint8

// The verdicts.
const (
	More     Verdict = iota // the client has to answer
	Accepted                // it is who it says
	Refused                 // it is not, or nobody can tell
)
