package mysql

import (
	"errors"
	"fmt"
)

// The errors that the original's programs compare with. Those that have no
// meaning here (ErrOldPassword, ErrPktSync, ErrPktSyncMul) are never returned.
var (
	ErrInvalidConn       = errors.New("invalid connection")
	ErrMalformPkt        = errors.New("malformed packet")
	ErrNoTLS             = errors.New("TLS was asked for and the server has none")
	ErrCleartextPassword = errors.New("the account wants the password itself: allowCleartextPasswords=true allows that, over TLS or a socket")
	ErrNativePassword    = errors.New("the account wants mysql_native_password, which allowNativePasswords=false forbids")
	ErrOldPassword       = errors.New("the account wants the password in the form from before MySQL 4.1")
	ErrUnknownPlugin     = errors.New("the account wants an authentication plugin that is not known")
	ErrOldProtocol       = errors.New("the server does not know protocol 41")
	ErrPktSync           = errors.New("packets out of order")
	ErrPktSyncMul        = errors.New("packets out of order behind several statements")
	ErrPktTooLarge       = errors.New("the command is larger than MaxAllowedPacket or than the server takes")
	ErrBusyBuffer        = errors.New("the connection is busy: rows were not read to their end or closed")
)

// MySQLError is what a server said went wrong.
type MySQLError struct {
	Number   uint16  // as 1062
	SQLState [5]byte // zero where the server sent none
	Message  string
}

// Error returns number, state and message.
func (e *MySQLError) Error() string {
	if e.SQLState != [5]byte{} {
		return fmt.Sprintf("Error %d (%s): %s", e.Number, e.SQLState, e.Message)
	}
	return fmt.Sprintf("Error %d: %s", e.Number, e.Message)
}

// Is reports whether err is a *MySQLError with the same number.
func (e *MySQLError) Is(err error) bool {
	other, ok := err.(*MySQLError)
	return ok && other.Number == e.Number
}
