package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
)

// What ends connections and calls, beside the typed errors of this package,
// [*ssh.NegotiationError] and [*packet.Error].
var (
	// ErrClosed is returned by calls on a connection that was closed on
	// purpose by our side. It is also a net.ErrClosed.
	ErrClosed error = closedError{}

	// ErrCanceled is returned by SendData when its cancel channel is closed.
	ErrCanceled = errors.New("sending canceled")

	// ErrFlood ends a connection whose peer asks for more answers than it
	// reads.
	ErrFlood = errors.New("the peer asks for more answers than it reads")

	// ErrHostKeyChanged is wrapped by a HostKeyError: a later key exchange came
	// with another key than the first one.
	ErrHostKeyChanged = errors.New("it is not the key of the first key exchange")
)

type closedError struct{}

func (closedError) Error() string        { return "ssh connection closed" }
func (closedError) Is(target error) bool { return target == net.ErrClosed }

// DisconnectError says that one side ended the connection with a reason.
// RFC 4253 §11.1. It is also a net.ErrClosed.
type DisconnectError struct {
	Reason ssh.DisconnectReason
	Text   string // as sent; may hold anything, including terminal escapes
	Local  bool   // we did it
}

func (e *DisconnectError) Error() string {
	who := "the peer"
	if e.Local {
		who = "we"
	}
	if e.Text == "" {
		return fmt.Sprintf("%s disconnected: %v", who, e.Reason)
	}
	return fmt.Sprintf("%s disconnected: %v: %s", who, e.Reason, printable(e.Text))
}

// Is maps the error to net.ErrClosed.
func (e *DisconnectError) Is(target error) bool { return target == net.ErrClosed }

// ProtocolError says that the peer broke a rule.
type ProtocolError struct {
	Rule    string // what it did, for people
	Section string // where the rule stands, as "RFC 4253 §7.1"
	Err     error  // what was found, often a *wire.Error; may be nil

	kex bool // in a key exchange
}

func (e *ProtocolError) Error() string {
	s := "ssh protocol error by the peer: " + e.Rule
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Section != "" {
		s += " (" + e.Section + ")"
	}
	return s
}

// Unwrap returns e.Err.
func (e *ProtocolError) Unwrap() error { return e.Err }

// VersionError says that the other side's identification line is missing or
// not one that we can talk to. RFC 4253 §4.2.
type VersionError struct {
	Line   string // what came, at most 255 bytes; may hold anything
	Reason string // what is wrong with it, for people
}

func (e *VersionError) Error() string {
	if e.Line == "" {
		return e.Reason
	}
	return fmt.Sprintf("%s: %q", e.Reason, e.Line)
}

// HostKeyError says that the server's key was not accepted: by the callback,
// whose error it wraps, because its signature is wrong, or because it changed
// in a later key exchange.
type HostKeyError struct {
	Key keys.PublicKey // nil when it could not be parsed
	Err error
}

func (e *HostKeyError) Error() string { return "host key not accepted: " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *HostKeyError) Unwrap() error { return e.Err }

// TimeoutError says that the peer did not do its part in time. It is also an
// os.ErrDeadlineExceeded.
type TimeoutError struct {
	Waiting string // what for, as "the server's identification line"
}

func (e *TimeoutError) Error() string { return "timeout while waiting for " + e.Waiting }

// Timeout and Temporary make it a net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary is false.
func (e *TimeoutError) Temporary() bool { return false }

// Is maps the error to os.ErrDeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// ReadError and WriteError say that the socket failed. A connection that the
// peer closed without a word is a ReadError with io.EOF or
// io.ErrUnexpectedEOF.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return "reading from the ssh connection: " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *ReadError) Unwrap() error { return e.Err }

// WriteError says that the socket failed when writing.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "writing to the ssh connection: " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *WriteError) Unwrap() error { return e.Err }

// printable makes a peer's text safe for a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
