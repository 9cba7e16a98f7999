package wire

import (
	"fmt"
	"reflect"
	"strings"
)

// Error says where in a message coding failed and why. It reads like
//
//	SSH_MSG_KEXINIT: mac_server_to_client at byte 145: message ends too early
//
// Err is one of the package's Err values, or what a layout gave to
// [Coder.Fail].
type Error struct {
	Message string // the registry's name, or the Go type where no registry was asked
	Field   string // lower_snake; from Describe with its groups: "names[3].attrs.size"; empty: the message as a whole
	Off     int    // bytes from the start of the message's first field
	Err     error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Field != "" {
		fmt.Fprintf(&b, ": %s", e.Field)
	}
	fmt.Fprintf(&b, " at byte %d: %v", e.Off, e.Err)
	return b.String()
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

func messageName(m Message) string {
	if d, ok := m.(Described); ok {
		return d.WireEntry().Name
	}
	return strings.TrimPrefix(reflect.TypeOf(m).String(), "*")
}
