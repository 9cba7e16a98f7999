package transport

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// ErrOutcomeUnknown says that a COMMIT was sent and its answer was lost: the
// transaction may be committed or rolled back, and only the data can tell.
// Sending it again is not safe. It comes wrapped in a [*ConnError].
var ErrOutcomeUnknown = errors.New("the answer to COMMIT was lost: it may or may not have happened")

// Phase is what a connection was doing.
type Phase uint8

// The phases of a connection, in the order in which they come.
const (
	PhaseDial     Phase = iota // making the stream
	PhaseGreeting              // waiting for the server's first packet
	PhaseTLS                   // the TLS handshake
	PhaseAuth                  // logging in
	PhaseSetup                 // setting the session's variables
	PhaseIdle                  // between two commands
	PhaseWrite                 // sending a command
	PhaseAnswer                // waiting for a command's answer
	PhaseRows                  // reading rows
)

// String returns the phase in words that fit behind "while".
func (p Phase) String() string {
	names := [...]string{
		"dialling", "waiting for the greeting", "starting TLS", "logging in", "setting up the session",
		"idle", "sending a command", "waiting for an answer", "reading rows",
	}
	if int(p) < len(names) {
		return names[p]
	}
	return "unknown"
}

// ConnError says that the connection is lost, or never came to be. Nothing
// works on it any more. Unless its cause is the caller's own context, it is
// [net.ErrClosed].
type ConnError struct {
	Phase   Phase         // what was going on
	Address string        // of the server, as configured
	Age     time.Duration // since the login; 0 before
	Idle    time.Duration // between the command before this one and its first byte

	// Written is how many bytes of this command were handed to the stream
	// below. With 0 the server has not seen it and it may be sent again
	// elsewhere; see SafeToRetry.
	Written int64

	// OutcomeUnknown says that a COMMIT was under way: [ErrOutcomeUnknown].
	OutcomeUnknown bool

	Err error // the cause
}

// Error says what was going on, for how long the connection lived, and why it
// is lost.
func (e *ConnError) Error() string {
	where := e.Phase.String()
	if e.Phase > PhaseSetup {
		where = fmt.Sprintf("%s, %v old", where, e.Age.Round(time.Millisecond))
		if e.Phase > PhaseIdle {
			where = fmt.Sprintf("%s, %d bytes of the command sent", where, e.Written)
		}
	}
	if e.OutcomeUnknown {
		return fmt.Sprintf("mysql: connection to %s lost (%s): %v: %v", e.Address, where, ErrOutcomeUnknown, e.Err)
	}
	if e.Phase <= PhaseSetup {
		return fmt.Sprintf("mysql: no connection to %s (%s): %v", e.Address, where, e.Err)
	}
	return fmt.Sprintf("mysql: connection to %s lost (%s): %v", e.Address, where, e.Err)
}

// Unwrap returns the cause.
func (e *ConnError) Unwrap() error { return e.Err }

// Is makes the error net.ErrClosed once there was a connection, and
// ErrOutcomeUnknown where that is so.
func (e *ConnError) Is(target error) bool {
	switch target {
	case net.ErrClosed:
		return e.Phase > PhaseSetup
	case ErrOutcomeUnknown:
		return e.OutcomeUnknown
	}
	return false
}

// SafeToRetry reports whether the server has seen nothing of the command, so
// that sending it on another connection cannot make it happen twice.
func (e *ConnError) SafeToRetry() bool { return e.Phase <= PhaseIdle || e.Written == 0 }

// BusyError says that a connection cannot take a command, because another one
// is under way: rows that nobody has read to their end or closed, a pipeline, a
// call in another goroutine. Nothing was sent.
type BusyError struct{ Open string }

// Error names what is under way.
func (e *BusyError) Error() string {
	return fmt.Sprintf("mysql: the connection is busy with %s: read it to its end or close it first", e.Open)
}
