package sftpclient

import (
	"errors"
	"fmt"

	"github.com/wirelark/wirelark/sftp/internal/session"
)

// ProtocolError says that the server broke the protocol. The channel is dead
// after it: nothing that follows on it can be trusted.
type ProtocolError = session.ProtocolError

// LostError says that the channel ended while it was in use, and why. It is
// [net.ErrClosed].
type LostError = session.LostError

// TimeoutError says that the channel was given up because a request stayed
// unanswered; see [Config].Timeout. It is [os.ErrDeadlineExceeded].
type TimeoutError = session.TimeoutError

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

// ListingError says that a directory has more entries than [Client.ReadDir]
// collects; see [Config].MaxListing. ReadDirSeq can list it.
type ListingError struct {
	Limit   int64 // bytes
	Entries int   // collected so far
}

// Error names the limit and how far it reached.
func (e *ListingError) Error() string {
	return fmt.Sprintf("the listing takes more than %d bytes of memory after %d entries", e.Limit, e.Entries)
}

// UnsupportedError says that the server has not announced the extension that
// an operation needs. Nothing was sent. It is [errors.ErrUnsupported].
type UnsupportedError struct{ Extension string }

// Error names the extension.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the server has no %s", e.Extension)
}

// Is maps to the standard library.
func (e *UnsupportedError) Is(target error) bool {
	return target == errors.ErrUnsupported
}
