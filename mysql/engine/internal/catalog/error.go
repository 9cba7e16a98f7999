package catalog

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is an error of MySQL's. It passes through SQLite as a text: see
// [ErrorIn].
type Error struct {
	Code    uint16
	Message string
}

// Error returns number and message between marks by which [ErrorIn] finds them.
func (e *Error) Error() string { return fmt.Sprintf("\x01%d\x02%s\x03", e.Code, e.Message) }

// Errorf makes an Error.
func Errorf(code uint16, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrorIn returns the Error whose text is a part of text, or nil.
func ErrorIn(text string) *Error {
	_, rest, ok := strings.Cut(text, "\x01")
	if !ok {
		return nil
	}
	code, rest, ok := strings.Cut(rest, "\x02")
	n, bad := strconv.ParseUint(code, 10, 16)
	if ok && bad == nil {
		msg, _, _ := strings.Cut(rest, "\x03")
		return &Error{Code: uint16(n), Message: msg}
	}
	return nil
}
