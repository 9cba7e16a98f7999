package tlsdecode

import (
	"encoding/binary"
	"time"

	"github.com/wirelark/wirelark/trace"
)

const (
	headerLen = 5
	// maxRecord is what a record may hold at most: RFC 5246 §6.2.3, which is
	// more than RFC 8446 §5.2 allows.
	maxRecord = 1<<14 + 2048
)

// record is one TLSCiphertext or TLSPlaintext.
type record struct {
	kind  byte
	head  []byte // the header
	body  []byte
	spans []trace.Span
}

func (r record) size() int { return headerLen + len(r.body) }

// plausible reports whether b begins like a record, as far as it goes.
func plausible(b []byte) bool {
	switch {
	case len(b) > 0 && (b[0] < changeCipherSpec || b[0] > applicationData):
	case len(b) > 1 && b[1] != 3, len(b) > 2 && b[2] > 4:
	case len(b) >= headerLen && int(binary.BigEndian.Uint16(b[3:])) > maxRecord:
	default:
		return true
	}
	return false
}

// input is the encrypted stream of a direction, of which it holds one record.
type input struct {
	buf   []byte
	spans []trace.Span // of buf, in order
	held  int64
	time  time.Time

	lost   bool  // buf does not begin at a record that can be opened next
	bad    bool  // buf does not begin like a record
	behind int64 // bytes of the hole before buf; -1: nobody knows
}

// maxInput is how much of a direction is held while a place is searched in it.
const maxInput = 4 * maxRecord

func (in *input) add(b *trace.Budget, c trace.Chunk) bool {
	in.time = c.Time
	if c.Gap != 0 {
		in.drop(b)
		in.lost, in.behind = true, c.Gap
	}
	held := in.held + int64(len(c.Data))
	ok := b.Hold(in.held, held)
	in.held = held
	in.buf = append(in.buf, c.Data...)
	if len(c.Spans) > 0 {
		in.spans = append(in.spans, c.Spans...)
	}
	return ok
}

// next returns the first record, if it is whole.
func (in *input) next() (record, bool) {
	if !plausible(in.buf) {
		in.bad = true
		return record{}, false
	}
	if len(in.buf) < headerLen {
		return record{}, false
	}
	n := headerLen + int(binary.BigEndian.Uint16(in.buf[3:]))
	if len(in.buf) < n {
		return record{}, false
	}
	return record{kind: in.buf[0], head: in.buf[:headerLen], body: in.buf[headerLen:n], spans: trace.SpansOf(in.spans, n)}, true
}

// done takes a record off, unless it could not be opened.
func (in *input) done(r record) {
	if !in.lost {
		in.skip(r.size())
	}
}

// skip takes n bytes off. A search takes single ones, so the spans, which are
// ours, are changed in place and not copied each time.
func (in *input) skip(n int) {
	in.buf = in.buf[n:]
	for n > 0 && len(in.spans) > 0 {
		s := &in.spans[0]
		if s.Len > n {
			s.Off, s.Len = s.Off+n, s.Len-n
			return
		}
		n -= s.Len
		in.spans = in.spans[1:]
	}
}

// keep counts what is left of the input, and gives memory back.
func (in *input) keep(b *trace.Budget) {
	b.Hold(in.held, int64(len(in.buf)))
	in.held = int64(len(in.buf))
	if len(in.buf) == 0 {
		in.buf, in.spans = nil, nil
	}
}

func (in *input) drop(b *trace.Budget) {
	in.buf, in.spans = nil, nil
	in.keep(b)
}
