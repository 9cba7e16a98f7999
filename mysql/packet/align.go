package packet

// Bounds of the search for a packet in the middle of a stream.
const (
	maxSearch = 32 << 10 // bytes that are kept for it
	sure      = 3        // packets in a row that settle it
)

// align looks for the place where packets (or frames, whose header is longer)
// begin, drops what is before it and reports whether it was found.
//
// A packet has no mark, so a place is believed when it begins a chain: each
// header leads to the next, whose number is one more, or 0 where a new command
// begins. Three links settle it; fewer do when the last packet ends exactly with
// the bytes that have come, as it does when a peer has said all it wants to.
// One alone is believed only as the first or second of a conversation.
func (s *stream) align(header int) bool {
	b := s.data()
	for i := 0; i+header <= len(b); i++ {
		if chain(b[i:], header) {
			s.lost += int64(i)
			s.drop(i)
			s.search = false
			return true
		}
	}
	if drop := len(b) - maxSearch; drop > 0 {
		s.lost += int64(drop)
		s.drop(drop)
	}
	return false
}

func chain(b []byte, header int) bool {
	for links := 0; ; links++ {
		switch {
		case links == sure:
			return true
		case len(b) == 0:
			return links >= 1
		case len(b) < header:
			return false
		}
		length, number := int(b[0])|int(b[1])<<8|int(b[2])<<16, b[3]
		if len(b) < header+length || length == 0 {
			return false
		}
		rest := b[header+length:]
		if len(rest) == 0 {
			return links >= 1 || number <= 1
		}
		if len(rest) < header || rest[3] != number+1 && rest[3] != 0 {
			return false
		}
		b = rest
	}
}
