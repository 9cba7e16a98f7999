package sshclient

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/ssh/internal/mux"
)

// AuthError says that the server did not let the user in.
type AuthError struct {
	User          string
	Attempts      []Attempt // what was tried, in order
	ServerMethods []string  // what the server would still take; nil: it never said
	Err           error     // why no more was tried, such as the error of a callback; may be nil
}

func (e *AuthError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "user %q was not let in", e.User)
	for i, a := range e.Attempts {
		if i == 0 {
			b.WriteString(": tried ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(a.String())
	}
	if e.ServerMethods != nil {
		fmt.Fprintf(&b, "; the server takes %s", strings.Join(e.ServerMethods, ", "))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns e.Err.
func (e *AuthError) Unwrap() error { return e.Err }

// Attempt is one try to be let in.
type Attempt struct {
	Method    string // "publickey"
	Key       string // fingerprint of the key, for publickey
	Algorithm string // of the signature, for publickey
	Partial   bool   // it succeeded, and the server wants more
	Err       error  // why it was not sent, as an agent that refused to sign; nil: the server refused it
}

// String describes the attempt in a few words.
func (a Attempt) String() string {
	s := a.Method
	if a.Key != "" {
		s += " " + a.Key
	}
	switch {
	case a.Partial:
		s += " (accepted, not enough)"
	case a.Err != nil:
		s += " (" + a.Err.Error() + ")"
	}
	return s
}

// ExitError says how a command ended that did not end with status 0.
type ExitError struct {
	Status     int    // of a command that exited; -1: it did not
	Signal     string // name without SIG of the signal that ended it; "" if none did
	CoreDumped bool
	Message    string // the server's words about the signal; may hold anything, including terminal escapes
}

func (e *ExitError) Error() string {
	if e.Signal != "" {
		return fmt.Sprintf("remote command ended by signal %q", e.Signal)
	}
	return fmt.Sprintf("remote command exited with status %d", e.Status)
}

// RequestError says that the server refused something that was asked of it.
type RequestError struct {
	Request string // the channel request: "exec", "pty-req", "subsystem"
	Detail  string // the subsystem's name
}

func (e *RequestError) Error() string {
	if e.Detail != "" {
		return fmt.Sprintf("the server refused the %s %q", e.Request, e.Detail)
	}
	return fmt.Sprintf("the server refused the request %q", e.Request)
}

// OpenError says that the server refused to open a channel: a session, or a
// connection to somewhere. Text is the server's and may hold anything.
type OpenError = mux.OpenError

var (
	// ErrNoExitStatus says that the server closed a command's channel without
	// a word about how the command ended.
	ErrNoExitStatus = errors.New("the server did not say how the remote command ended")

	// ErrPasswordExpired says that the server wants a new password, which must
	// be set in another way.
	ErrPasswordExpired = errors.New("the password has expired")

	// ErrKeepAlive ends a connection whose server gave no sign of life. It is
	// the cause in [Client.Err].
	ErrKeepAlive = errors.New("the server gave no sign of life")

	// ErrTooManyChannels says that the limit of open channels is reached.
	ErrTooManyChannels = mux.ErrTooManyChannels
)

// printable makes a text safe for a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
