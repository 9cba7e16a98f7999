package session

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

// Protocolf makes a [*ProtocolError].
func Protocolf(format string, args ...any) *ProtocolError {
	return &ProtocolError{What: fmt.Sprintf(format, args...)}
}

// TimeoutError says that the channel was given up because a request stayed
// unanswered; see [Session.Start]. It is [os.ErrDeadlineExceeded].
type TimeoutError struct{ After time.Duration }

// Error says how long the client has waited.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("sftp: no answer for %v", e.After)
}

// Is maps to the standard library.
func (e *TimeoutError) Is(target error) bool {
	return target == os.ErrDeadlineExceeded
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
	return target == net.ErrClosed
}

// ErrClosed is the cause of a channel's end when the caller closed it.
var ErrClosed = fmt.Errorf("sftp: client is closed: %w", net.ErrClosed)

// errDead stands for the session's cause where that is not at hand.
var errDead = errors.New("channel is dead")
