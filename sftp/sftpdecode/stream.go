package sftpdecode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// stream cuts one direction into packets.
type stream struct {
	buf     []byte       // an incomplete packet with its length, or what is searched
	spans   []trace.Span // where buf came from; see maxSpans
	skip    int          // bytes to throw away: the rest of a packet with a hole
	search  bool         // where the next packet begins is not known
	skipped int64        // bytes thrown away since the last message
	missing int64        // bytes missing since the last message; -1: an unknown number
	gap     bool         // there was a hole since the last message
}

// maxSpans bounds the provenance kept for one packet. A packet in more pieces
// is said to come from the first so many.
const maxSpans = 4096

// Why the fields of a message are incomplete.
var (
	errHole = errors.New("the rest of this packet is missing")
	errEnd  = errors.New("the stream ends inside this packet")
)

func (d *decoder) feedStream(c trace.Chunk) {
	s := &d.streams[c.Dir]
	if c.Gap != 0 {
		d.hole(c.Dir, c.Gap, c.Time)
	}
	data, spans := c.Data, c.Spans
	if s.skip > 0 {
		n := min(s.skip, len(data))
		s.skip -= n
		data, spans = data[n:], trace.SpansBehind(spans, n)
	}
	if len(data) == 0 {
		return
	}
	if len(s.buf) == 0 {
		n := d.packets(c.Dir, data, spans, c.Time)
		s.buf = append(s.buf, data[n:]...)
		s.provenance(trace.SpansBehind(spans, n))
		return
	}
	s.buf = append(s.buf, data...)
	s.provenance(spans)
	if n := d.packets(c.Dir, s.buf, s.spans, c.Time); n > 0 { // else nothing moves: it may be long
		s.spans = append([]trace.Span(nil), trace.SpansBehind(s.spans, n)...)
		s.buf = s.buf[:copy(s.buf, s.buf[n:])]
		if len(s.buf) == 0 && cap(s.buf) > sftp.MaxPacket {
			s.buf = nil
		}
	}
}

// provenance notes where further bytes of buf come from.
func (s *stream) provenance(spans []trace.Span) {
	room := max(maxSpans-len(s.spans), 0)
	s.spans = append(s.spans, spans[:min(room, len(spans))]...)
}

// packets emits the whole packets at the beginning of b and returns how many
// bytes it is done with.
func (d *decoder) packets(dir wire.Dir, b []byte, spans []trace.Span, at time.Time) int {
	s := &d.streams[dir]
	done := 0
	for {
		if s.search {
			n, found := align(dir, b[done:])
			s.skipped += int64(n)
			done += n
			if !found {
				return done
			}
			s.search = false
		}
		rest := b[done:]
		if len(rest) < sftp.LengthSize {
			return done
		}
		n := binary.BigEndian.Uint32(rest)
		if n == 0 || n > MaxPacket {
			d.lose(dir)
			s.skipped++
			done++
			continue
		}
		end := sftp.LengthSize + int(n)
		if len(rest) < end {
			return done
		}
		d.message(dir, rest[sftp.LengthSize:end], trace.SpansOf(trace.SpansBehind(spans, done), end), at, nil)
		done += end
	}
}

// lose says that it is not known where the next packet begins.
func (d *decoder) lose(dir wire.Dir) {
	d.streams[dir].search = true
	d.flow.Gap()
}

// hole takes note of n missing bytes; -1: of an unknown number.
func (d *decoder) hole(dir wire.Dir, n int64, at time.Time) {
	s := &d.streams[dir]
	d.flow.Gap()
	defer s.note(n) // for the next message, not for one that the hole is in
	if s.search {
		s.skipped += int64(len(s.buf))
		s.buf, s.spans = s.buf[:0], s.spans[:0]
		return
	}
	left := int64(s.skip) // bytes up to the end of the packet that the hole is in
	switch {
	case len(s.buf) >= sftp.LengthSize:
		left = sftp.LengthSize + int64(binary.BigEndian.Uint32(s.buf)) - int64(len(s.buf))
		d.message(dir, s.buf[sftp.LengthSize:], s.spans, at, errHole)
	case len(s.buf) > 0:
		left = -1
		s.skipped += int64(len(s.buf))
	}
	s.buf, s.spans, s.skip = s.buf[:0], s.spans[:0], 0
	if n < 0 || left < 0 || n > left {
		s.search = true
		return
	}
	s.skip = int(left - n)
}

// note counts the missing bytes for the notes of the next message.
func (s *stream) note(n int64) {
	s.gap = true
	if n < 0 || s.missing < 0 {
		s.missing = -1
		return
	}
	s.missing += n
}

// align looks for the first packet in b whose inner lengths all agree. It
// returns the number of bytes in front of it, or, when there is none yet, of
// those that cannot begin one.
func align(dir wire.Dir, b []byte) (n int, found bool) {
	for i := range b {
		switch rest := b[i:]; {
		case len(rest) <= sftp.LengthSize+4:
			return i, false
		default:
			ok, sure := plausible(dir, rest)
			if !sure {
				return i, false
			}
			if ok {
				return i, true
			}
		}
	}
	return len(b), false
}

// plausible reports whether a packet begins at b; sure is false when that
// cannot be said before more of it is there.
func plausible(dir wire.Dir, b []byte) (ok, sure bool) {
	n := binary.BigEndian.Uint32(b)
	number := b[sftp.LengthSize]
	e := sftp.Messages.Find("", number)
	switch {
	case n < 5 || n > sftp.MaxPacket || e == nil || !e.From.Allows(dir):
		return false, true
	case number == sftp.NumInit || number == sftp.NumVersion || number == sftp.NumExtended || number == sftp.NumExtendedReply:
		return false, true // their tails are free, so nothing agrees or disagrees
	}
	packet := b[sftp.LengthSize:]
	if len(packet) >= int(n) {
		packet = packet[:n]
		used, err := sftp.Messages.ParsePrefix(packet, e.New(), wire.Dialect{})
		return err == nil && used == len(packet), true
	}
	// What is there must not disagree yet: the lengths inside stay in bounds.
	if len(packet) >= 9 {
		if inner := binary.BigEndian.Uint32(packet[5:]); firstIsLength(number) && uint64(inner) > uint64(n)-9 {
			return false, true
		}
	}
	return false, false
}

// firstIsLength reports whether the field behind the id is a text's length.
func firstIsLength(number byte) bool {
	switch number {
	case sftp.NumStatus, sftp.NumName, sftp.NumAttrs:
		return false
	}
	return true
}

// notes tells what happened in front of the next message, once.
func (s *stream) notes() (list []string) {
	switch {
	case s.gap && s.missing < 0:
		list = append(list, "an unknown number of bytes is missing before this message")
	case s.gap:
		list = append(list, fmt.Sprintf("%d bytes are missing before this message", s.missing))
	}
	if s.skipped > 0 {
		list = append(list, fmt.Sprintf("%d bytes before this message could not be read", s.skipped))
	}
	s.gap, s.missing, s.skipped = false, 0, 0
	return list
}
