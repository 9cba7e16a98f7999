package capture

import (
	"encoding/binary"
	"errors"
	"io"
)

// A Reader reads a capture file. It is not safe for concurrent use.
type Reader struct {
	win    window
	next   func() (Item, error)
	err    error // a broken file stays broken
	format Format

	frames     int
	sections   int
	first      int // index of the current section's first interface
	interfaces []*Interface
	kept       int // bytes of interface descriptions, see MaxInterfaces
	order      binary.ByteOrder
	big        bool // order is big-endian
	nano       bool // pcap: nanoseconds

	// The items that are reused.
	frame   Frame
	block   Block
	secrets Secrets
}

// Format is the format of a capture file.
type Format uint8

const (
	FormatPcapng Format = iota
	FormatPcap
)

// String returns "pcapng" or "pcap".
func (f Format) String() string {
	if f == FormatPcap {
		return "pcap"
	}
	return "pcapng"
}

// NewReader recognises the format by the first bytes of r and returns a
// Reader for it. A file that is neither pcap nor pcapng is a [*FormatError]
// that wraps [ErrFormat]; an empty one is [io.ErrUnexpectedEOF]. The Reader
// buffers; it does not close r.
func NewReader(r io.Reader) (*Reader, error) {
	d := &Reader{win: window{r: r}}
	b, err := d.win.peek(4)
	if err != nil {
		if len(b) == 0 && errors.Is(err, io.EOF) {
			return nil, &TruncatedError{Want: 4}
		}
		return nil, d.win.ended(err, 4)
	}
	if binary.LittleEndian.Uint32(b) == uint32(BlockSection) {
		d.next = d.nextBlock
		return d, nil
	}
	d.format = FormatPcap
	d.next = d.nextRecord
	if err := d.readPcapHeader(); err != nil {
		return nil, err
	}
	return d, nil
}

// Next returns the next item of the file, valid until the following call. At
// the end of the file the error is [io.EOF]; a file cut inside a block ends
// with a [*TruncatedError], a broken one with a [*FormatError].
//
// After io.EOF and a TruncatedError, Next may be called again: it goes on
// where it stopped when the file has grown.
func (d *Reader) Next() (Item, error) {
	if d.err != nil {
		return nil, d.err
	}
	item, err := d.next()
	if e, ok := err.(*FormatError); ok { //nolint:errorlint // made by this package, never wrapped here
		d.err = e
	}
	return item, err
}

// Interfaces returns the interfaces described so far, of all sections. Neither
// it nor they change later, except that more are appended.
func (d *Reader) Interfaces() []*Interface { return d.interfaces }

// Format returns the format of the file.
func (d *Reader) Format() Format { return d.format }

// Offset returns the place in the file where the next item begins, in bytes.
func (d *Reader) Offset() int64 { return d.win.off }

func (d *Reader) broken(err error) error { return &FormatError{Off: d.win.off, Err: err} }

// u32 reads four bytes in the byte order of the section. It is a branch and
// not a call through an interface because it runs for every frame.
func (d *Reader) u32(b []byte) uint32 {
	if d.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (d *Reader) u16(b []byte) uint16 {
	if d.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (d *Reader) setOrder(big bool) {
	d.big = big
	d.order = binary.LittleEndian
	if big {
		d.order = binary.BigEndian
	}
}
