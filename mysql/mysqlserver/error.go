package mysqlserver

import (
	"context"
	"errors"
	"fmt"

	"github.com/wirelark/wirelark/mysql/names"
)

// Error is an error as the client is told about it. What a handler returns is
// sent as it is when it is one, or wraps one; see [Errorf]. Other errors are
// sent with number 1105 and their text, but for those of a context, which tell
// that the statement was killed.
type Error struct {
	Code    uint16 // as 1064; 0 is sent as 1105
	State   string // SQLSTATE, five characters; "": the one that belongs to Code
	Message string // for people, without the number
}

// Error returns the error as the command lines print it:
// "ERROR 1064 (42000): You have an error …".
func (e *Error) Error() string {
	return fmt.Sprintf("ERROR %d (%s): %s", e.Code, e.state(), e.Message)
}

func (e *Error) state() string {
	if len(e.State) == 5 {
		return e.State
	}
	return names.State(e.Code)
}

// Errorf makes an [Error] with the SQLSTATE that belongs to code.
func Errorf(code uint16, format string, args ...any) *Error {
	return &Error{Code: code, State: names.State(code), Message: fmt.Sprintf(format, args...)}
}

// errorIn is errorOf for what a call with the context ctx has returned.
func errorIn(ctx context.Context, err error) *Error {
	if cause := context.Cause(ctx); cause != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return errorOf(cause)
	}
	return errorOf(err)
}

// errorOf returns what the client is told about err.
func errorOf(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errInterrupted
	}
	return &Error{Code: 1105, State: "HY000", Message: err.Error()}
}

// What the server itself says.
var (
	errTooMany        = Errorf(1040, "Too many connections")
	errUnknownCommand = Errorf(1047, "Unknown command")
	errShutdown       = Errorf(1053, "Server shutdown in progress")
	errEmptyQuery     = Errorf(1065, "Query was empty")
	errInternal       = Errorf(1105, "Internal error: see the server's log")
	errTooLarge       = Errorf(1153, "Got a packet bigger than 'max_allowed_packet' bytes")
	errOutOfOrder     = Errorf(1156, "Got packets out of order")
	errUncompress     = Errorf(1157, "Couldn't uncompress communication packet")
	errReadTimeout    = Errorf(1159, "Got timeout reading communication packets")
	errInterrupted    = Errorf(1317, "Query execution was interrupted")
	errMalformed      = Errorf(1835, "Malformed communication packet.")
	errKilledMariaDB  = &Error{1927, "70100", "Connection was killed"} // MySQL has another one of that number
	errInsecure       = Errorf(3159, "Connections using insecure transport are prohibited while --require_secure_transport=ON.")
	errKilled         = Errorf(3169, "The session was killed")
	errIdle           = Errorf(4031, "The client was disconnected by the server because of inactivity. See wait_timeout and interactive_timeout for configuring this behavior.")
	errInfile         = Errorf(3948, "Loading local data is disabled; this must be enabled on both the client and server sides")
)
