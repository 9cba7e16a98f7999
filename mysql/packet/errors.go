package packet

import (
	"fmt"
)

// A TooLargeError says that a payload is larger than the limit of this end. It
// is known from the packet's header, before its bytes have come; the stream
// cannot be read any further.
type TooLargeError struct {
	Size  int64 // bytes announced so far
	Limit int64
}

// Error returns the sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("a packet of at least %d bytes arrived, the limit is %d", e.Size, e.Limit)
}

// A SequenceError says that a packet has another number than the conversation
// asks for: one side has lost count, or bytes have been lost or inserted.
type SequenceError struct {
	Got, Want  uint8
	Compressed bool // it is the number of a compressed frame
}

// Error returns the numbers.
func (e *SequenceError) Error() string {
	what := "packet"
	if e.Compressed {
		what = "compressed frame"
	}
	return fmt.Sprintf("%s number %d arrived where %d was due", what, e.Got, e.Want)
}

// A FrameError says that a compressed frame cannot be what the peer meant.
type FrameError struct {
	Reason string
	Err    error // of the decompressor; may be nil
}

// Error returns the reason.
func (e *FrameError) Error() string {
	if e.Err != nil {
		return "compressed frame: " + e.Reason + ": " + e.Err.Error()
	}
	return "compressed frame: " + e.Reason
}

// Unwrap returns the decompressor's error.
func (e *FrameError) Unwrap() error { return e.Err }

// An EarlyDataError says that a server sent bytes behind its greeting, before
// TLS began. Nobody honest does: they would be believed as if TLS had protected
// them, so [Conn.StartTLS] refuses to go on.
type EarlyDataError struct{ Bytes int }

// Error returns the number of bytes.
func (e *EarlyDataError) Error() string {
	return fmt.Sprintf("the server sent %d bytes in clear that TLS should have protected", e.Bytes)
}
