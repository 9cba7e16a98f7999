package capture

import (
	"encoding/binary"
	"iter"
)

// Option codes of pcapng.
const (
	optEnd     = 0
	optComment = 1

	shbHardware    = 2
	shbOS          = 3
	shbApplication = 4

	ifName        = 2
	ifDescription = 3
	ifTsresol     = 9
	ifFilter      = 11
	ifOS          = 12
	ifTsoffset    = 14

	epbFlags = 2
)

type option struct {
	code  uint16
	value []byte
}

// options yields the options in b up to the end of the list. An option that is
// longer than the list ends it too: the block is whole without it.
func options(order binary.ByteOrder, b []byte) iter.Seq[option] {
	return func(yield func(option) bool) {
		for len(b) >= 4 {
			code, n := order.Uint16(b), int(order.Uint16(b[2:]))
			b = b[4:]
			if code == optEnd || n > len(b) {
				return
			}
			if !yield(option{code, b[:n]}) {
				return
			}
			b = b[min(padded(n), len(b)):]
		}
	}
}

// appendOption appends an option with its padding. A value beyond 65,535 bytes
// is cut.
func appendOption[T string | []byte](b []byte, order binary.AppendByteOrder, code uint16, value T) []byte {
	n := min(len(value), 0xffff)
	b = order.AppendUint16(b, code)
	b = order.AppendUint16(b, uint16(n))
	b = append(b, value[:n]...)
	return append(b, make([]byte, padded(n)-n)...)
}

// appendTexts appends an option for each text that is not empty.
func appendTexts(b []byte, order binary.AppendByteOrder, code uint16, texts ...string) []byte {
	for _, s := range texts {
		if s != "" {
			b = appendOption(b, order, code, s)
		}
	}
	return b
}
