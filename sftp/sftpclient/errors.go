package sftpclient

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// ProtocolError says that the server broke the protocol. The channel is dead
// after it: nothing that follows on it can be trusted.
type ProtocolError struct {
	What string // what is wrong, in plain words
	Err  error  // the cause, when there is one
}

// Error returns what is wrong and the cause.
func (e *ProtocolError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("sftp: server broke the protocol: %s: %v", e.What, e.Err)
	}
	return "sftp: server broke the protocol: " + e.What
}

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

func protocolError(format string, args ...any) *ProtocolError {
	return &ProtocolError{What: fmt.Sprintf(format, args...)}
}

// PartialError says how much of a write is safe: Committed bytes from its
// beginning are confirmed by the server without a hole. More may have arrived
// behind a hole; nothing is known about those bytes.
type PartialError struct {
	Committed int64
	Err       error // the first thing that went wrong
}

// Error returns the cause and the number of bytes.
func (e *PartialError) Error() string {
	return fmt.Sprintf("%v (%d bytes are written)", e.Err, e.Committed)
}

// Unwrap returns the cause.
func (e *PartialError) Unwrap() error { return e.Err }

// NameError says that a server listed a name that is none: empty, or with a
// slash or NUL in it. Whoever used such a name would leave the directory that
// was listed, so the listing is refused.
type NameError struct {
	Dir  string // the directory listed
	Name string
}

// Error quotes the name, whatever is in it.
func (e *NameError) Error() string {
	return fmt.Sprintf("sftp: server lists the impossible name %q in %q", e.Name, e.Dir)
}

// TimeoutError says that the channel was given up because a request stayed
// unanswered; see [Config].Timeout. It is [os.ErrDeadlineExceeded].
type TimeoutError struct{ After time.Duration }

// Error says how long the client has waited.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("sftp: no answer for %v", e.After)
}

// Is maps to the standard library.
func (e *TimeoutError) Is(target error) bool {
	return target == os.ErrDeadlineExceeded //nolint:errorlint // Is compares one error; errors.Is unwraps
}

// Timeout is true: see net.Error.
func (e *TimeoutError) Timeout() bool { return true }

// LostError says that the channel ended while it was in use, and why. It is
// [net.ErrClosed].
type LostError struct {
	Err error // what reading or writing the stream returned; nil: it simply ended
}

// Error returns the cause.
func (e *LostError) Error() string {
	if e.Err == nil {
		return "sftp: connection lost: the server ended the channel"
	}
	return fmt.Sprintf("sftp: connection lost: %v", e.Err)
}

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Err }

// Is maps to the standard library.
func (e *LostError) Is(target error) bool {
	return target == net.ErrClosed //nolint:errorlint // as above
}

// errClosed is the cause of a channel's end when the caller closed it.
var errClosed = fmt.Errorf("sftp: client is closed: %w", net.ErrClosed)

// errDead stands for the session's cause where that is not at hand.
var errDead = errors.New("channel is dead")

// UnsupportedError says that the server has not announced the extension that
// an operation needs. Nothing was sent. It is [errors.ErrUnsupported].
type UnsupportedError struct{ Extension string }

// Error names the extension.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the server has no %s", e.Extension)
}

// Is maps to the standard library.
func (e *UnsupportedError) Is(target error) bool {
	return target == errors.ErrUnsupported //nolint:errorlint // as above
}
