package transport

import (
	"fmt"
	"io/fs"
	"net"
	"os"
)

// ServerError is an error that the server reports. The connection goes on,
// unless the error says that it does not.
type ServerError struct {
	Code    uint16 // as 1062 (ER_DUP_ENTRY)
	State   string // SQLSTATE, five characters; empty when the server sent none
	Message string // the server's words, as it sent them
}

// Error returns number, SQLSTATE and message.
func (e *ServerError) Error() string {
	if e.State == "" {
		return fmt.Sprintf("server error %d: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("server error %d (%s): %s", e.Code, e.State, e.Message)
}

// Is maps numbers to the standard library: a missing schema, table or column is
// [fs.ErrNotExist], one that is there already, or a duplicate key,
// [fs.ErrExist], what is denied [fs.ErrPermission], a server-side time limit
// [os.ErrDeadlineExceeded], and a server that ends the connection
// [net.ErrClosed].
func (e *ServerError) Is(target error) bool {
	switch e.Code {
	case 1049, 1051, 1054, 1091, 1109, 1146, 1305: // unknown database, table, column, key, …
		return target == fs.ErrNotExist
	case 1007, 1050, 1060, 1061, 1062, 1304, 1586: // exists, duplicate
		return target == fs.ErrExist
	case 1044, 1045, 1130, 1142, 1143, 1227, 1290, 1370, 1698, 3118: // denied
		return target == fs.ErrPermission
	case 1205, 1969, 3024: // lock wait timeout, max_statement_time, max_execution_time
		return target == os.ErrDeadlineExceeded
	case 1053, 1927, 4031: // shutdown, killed, idle for too long
		return target == net.ErrClosed
	}
	return false
}

// ProtocolError says that the server broke the protocol. The connection is dead
// after it.
type ProtocolError struct {
	What string // what came or did not come
	Err  error  // why it could not be decoded; may be nil
}

// Error says what was wrong.
func (e *ProtocolError) Error() string {
	if e.Err == nil {
		return "the server broke the protocol: " + e.What
	}
	return fmt.Sprintf("the server broke the protocol: %s: %v", e.What, e.Err)
}

// Unwrap returns the cause.
func (e *ProtocolError) Unwrap() error { return e.Err }

// TooLargeError says that a statement is longer than the server takes. Nothing
// was sent.
type TooLargeError struct {
	Size  int64 // bytes
	Limit int64 // the server's max_allowed_packet
}

// Error names both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("mysql: the statement has %d bytes, and the server's max_allowed_packet is %d", e.Size, e.Limit)
}
