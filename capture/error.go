package capture

import (
	"errors"
	"fmt"
	"io"
)

// The limits of a file.
const (
	// MaxBlock is the longest pcapng block or pcap record that is read or
	// written, in bytes with its header. Wireshark stops at 256 KiB for the
	// data of most link types; secrets and D-Bus messages may be longer.
	MaxBlock = 16 << 20

	// MaxInterfaces is the most bytes that the interface descriptions of one
	// file may take together, because they are all kept.
	MaxInterfaces = 16 << 20
)

// A FormatError says that a file is not what it should be. Nothing behind the
// broken place can be read.
type FormatError struct {
	Off int64 // of the block or record in the file
	Err error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("capture: block at byte %d: %v", e.Off, e.Err)
}

// Unwrap returns e.Err.
func (e *FormatError) Unwrap() error { return e.Err }

// A TruncatedError says that a file ends inside a block or record. All before
// it has been delivered. It is [io.ErrUnexpectedEOF] for errors.Is.
type TruncatedError struct {
	Off  int64 // of the block or record in the file
	Have int64 // bytes of it that are there
	Want int64 // bytes it needs, as far as that is known
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("capture: file ends inside the block at byte %d: %d of %d bytes are there", e.Off, e.Have, e.Want)
}

// Unwrap returns [io.ErrUnexpectedEOF].
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }

// Reasons of a [FormatError] and of a [Writer] to refuse.
var (
	ErrFormat     = errors.New("neither a pcap nor a pcapng file")
	ErrVersion    = errors.New("version of the file format not known")
	ErrLimit      = errors.New("length beyond the limit")
	ErrLength     = errors.New("lengths contradict each other")
	ErrInterface  = errors.New("interface not described")
	ErrByteOrder  = errors.New("block in another byte order than its section")
	ErrTime       = errors.New("time cannot be represented")
	errFirstBlock = errors.New("interface or packet before any section header")
)
