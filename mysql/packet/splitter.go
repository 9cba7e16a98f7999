package packet

import (
	"errors"
	"slices"

	"github.com/wirelark/wirelark/trace"
)

// DefaultSplitterLimit is how many bytes of one payload a Splitter keeps when
// nobody sets a limit: decoders follow many conversations.
const DefaultSplitterLimit = 64 << 20

// ErrHole is the Err of a payload of which bytes are missing.
var ErrHole = errors.New("the rest of this packet is missing")

// A Payload is what a Splitter makes of the bytes of one direction.
type Payload struct {
	Data   []byte       // joined; valid until the next call of the splitter
	Number uint8        // of its first packet
	Pieces int          // packets it came in
	Spans  []trace.Span // where its bytes came from, headers included; beyond the limit not of all pieces
	Lost   int64        // bytes thrown away before it, because no packet could be made of them
	Err    error        // why Data is not all of it: ErrHole, a *TooLargeError or a *FrameError
}

// A Splitter takes one direction of a conversation apart into payloads. It does
// no I/O, expects nothing of the numbers, survives holes by searching for the
// next packet, and keeps no more than Limit bytes and a frame.
//
//	s.Feed(data, spans)
//	for p, ok := s.Next(); ok; p, ok = s.Next() {
//		…
//	}
//
// The zero value is ready. It is for one goroutine.
type Splitter struct {
	Limit int64 // bytes of one payload that are kept; 0: DefaultSplitterLimit

	in    stream // bytes as fed: packets, or frames once Compress was called
	plain stream // packets out of frames
	codec *inflater

	now   Payload // being put together
	data  []byte  // its joined pieces, when there are several
	size  int64   // bytes of its pieces, kept or not
	ready bool    // now is to be returned as it is
}

// Feed takes further bytes, and where they came from; spans is nil when that is
// unknown. Both are copied.
func (s *Splitter) Feed(data []byte, spans []trace.Span) { s.in.push(data, spans) }

// Compress says that the bytes that Next has not used yet, and all later ones,
// are compressed frames. An algorithm that is unknown is an error.
func (s *Splitter) Compress(a Compression) error {
	codec, err := newInflater(a)
	if err == nil {
		s.codec = codec
	}
	return err
}

// Buffered returns how many bytes wait for the rest of their packet.
func (s *Splitter) Buffered() int { return s.in.size() + s.plain.size() + len(s.data) }

// Searching reports whether it is not known where the next packet begins.
func (s *Splitter) Searching() bool { return s.in.search || s.plain.search }

// Join says that the conversation began before the first byte that is fed.
func (s *Splitter) Join() { s.in.search = true }

// Hole says that n bytes are missing behind those that were fed; -1: an unknown
// number. Call it when Next has nothing more to return. What there is of the
// packet that the hole is in is the next payload.
func (s *Splitter) Hole(n int64) {
	if s.codec == nil {
		s.hole(&s.in, n, HeaderSize)
		return
	}
	s.in.hole(n, CompressedHeaderSize)
	s.hole(&s.plain, -1, HeaderSize)
}

// hole gives up the packet that a hole in st is in.
func (s *Splitter) hole(st *stream, n int64, header int) {
	if st.search {
		st.hole(n, header)
		return
	}
	if b := st.data(); st.skip == 0 && len(b) >= header {
		s.begin(b[3])
		s.take(b[header:], st.span(len(b)))
		st.hole(n, header)
	} else {
		st.hole(n, header)
	}
	if s.now.Pieces > 0 {
		s.end(ErrHole)
	}
}

// End says that nothing more will come: what there is of a packet is the next
// payload, with ErrHole.
func (s *Splitter) End() { s.Hole(-1) }

// Next returns the next payload; false: more bytes are needed. One that is
// larger than Limit comes with its first Limit bytes and an error.
func (s *Splitter) Next() (Payload, bool) {
	st := &s.in
	if s.codec != nil {
		st = &s.plain
	}
	for !s.ready {
		if s.codec != nil {
			if s.unpack(); s.ready {
				break
			}
		}
		length, number, ok := st.packet()
		if !ok {
			if s.codec != nil && s.in.frame() {
				continue
			}
			return Payload{}, false
		}
		s.begin(number)
		whole := HeaderSize + length
		s.take(st.data()[HeaderSize:whole], st.span(whole))
		st.drop(whole)
		if length < MaxPiece {
			s.end(nil)
		}
	}
	p := s.now
	p.Lost = s.in.lost + s.plain.lost
	s.in.lost, s.plain.lost = 0, 0
	s.now, s.size, s.ready = Payload{}, 0, false
	if s.data = s.data[:0]; cap(s.data) > largeBuffer {
		s.data = nil
	}
	return p, true
}

func (s *Splitter) limit() int64 {
	if s.Limit > 0 {
		return s.Limit
	}
	return DefaultSplitterLimit
}

// begin notes a packet of the payload.
func (s *Splitter) begin(number uint8) {
	if s.now.Pieces == 0 {
		s.now.Number = number
	}
	s.now.Pieces++
}

// take adds the bytes of a packet. The first are lent by the stream, and copied
// when others follow.
func (s *Splitter) take(b []byte, spans []trace.Span) {
	if s.size <= s.limit() { // what is not kept needs no provenance
		s.now.Spans = append(s.now.Spans, spans...)
	}
	s.size += int64(len(b))
	if room := s.limit() - s.size + int64(len(b)); int64(len(b)) > room {
		b = b[:max(room, 0)]
	}
	if s.now.Pieces == 1 && len(b) < MaxPiece {
		s.now.Data = b
		return
	}
	s.data = append(s.data, b...)
	s.now.Data = s.data
}

// end finishes the payload.
func (s *Splitter) end(err error) {
	s.ready = true
	if s.now.Err = err; s.size > s.limit() {
		s.now.Err = &TooLargeError{Size: s.size, Limit: s.limit()}
	}
}

// unpack moves the contents of the frames that are complete to the plain bytes,
// as long as those lack a packet.
func (s *Splitter) unpack() {
	for s.in.frame() {
		if _, _, ok := s.plain.packet(); ok {
			return
		}
		h := s.in.data()
		f := frameHeader(h)
		whole := CompressedHeaderSize + f.length
		spans := s.in.span(whole)
		content := h[CompressedHeaderSize:whole]
		if f.plain > 0 {
			var out []byte
			err := f.check(s.codec)
			if err == nil {
				out = make([]byte, f.plain)
				err = s.codec.inflate(out, content)
			}
			if err != nil {
				s.in.lost += int64(whole)
				s.in.drop(whole)
				if s.hole(&s.plain, -1, HeaderSize); s.ready {
					return
				}
				continue
			}
			content = out
		}
		s.plain.pushFrom(content, spans)
		s.in.drop(whole)
	}
}

// A stream is bytes of which the beginning may be missing.
type stream struct {
	buf    []byte
	off    int // of the first byte not used
	from   []origin
	skip   int64 // bytes to throw away: the rest of a packet with a hole
	search bool  // it is not known where the next packet begins
	lost   int64 // bytes thrown away
}

// An origin says where n bytes of a stream came from.
type origin struct {
	n     int
	spans []trace.Span // of n bytes; or of the frame that they are out of
	frame bool
}

// maxOrigins bounds the provenance that a stream keeps; beyond it, it is lost.
const maxOrigins = 1 << 14

func (s *stream) size() int    { return len(s.buf) - s.off }
func (s *stream) data() []byte { return s.buf[s.off:] }

func (s *stream) push(b []byte, spans []trace.Span) {
	s.add(b, origin{n: len(b), spans: slices.Clone(spans)})
}

// pushFrom adds the content of a frame that came from spans.
func (s *stream) pushFrom(b []byte, spans []trace.Span) {
	s.add(b, origin{n: len(b), spans: spans, frame: true})
}

func (s *stream) add(b []byte, o origin) {
	if n := min(s.skip, int64(len(b))); n > 0 {
		s.skip -= n
		b = b[n:]
		if !o.frame {
			o.spans = trace.SpansBehind(o.spans, int(n))
		}
		o.n = len(b)
	}
	if len(b) == 0 {
		return
	}
	if s.off > 0 && s.off >= len(s.buf)/2 { // at most as many bytes move as have gone
		s.buf = s.buf[:copy(s.buf, s.buf[s.off:])]
		s.off = 0
		if len(s.buf) == 0 && cap(s.buf) > 1<<20 {
			s.buf = nil
		}
	}
	s.buf = append(s.buf, b...)
	if len(s.from) >= maxOrigins {
		o.n += s.from[len(s.from)-1].n
		o.spans = nil
		s.from = s.from[:len(s.from)-1]
	}
	s.from = append(s.from, o)
}

// span returns where the first n bytes came from.
func (s *stream) span(n int) []trace.Span {
	var list []trace.Span
	for _, o := range s.from {
		if n <= 0 {
			break
		}
		if o.frame {
			list = append(list, o.spans...)
		} else {
			list = append(list, trace.SpansOf(o.spans, min(n, o.n))...)
		}
		n -= o.n
	}
	return list
}

// drop is done with n bytes.
func (s *stream) drop(n int) {
	s.off += n
	for n > 0 && len(s.from) > 0 {
		o := &s.from[0]
		if n < o.n {
			if o.n -= n; !o.frame {
				o.spans = trace.SpansBehind(o.spans, n)
			}
			return
		}
		n -= o.n
		s.from = s.from[1:]
	}
}

// hole forgets what there is of the packet, with a header of that size, that n
// missing bytes are in, and what is to come of it.
func (s *stream) hole(n int64, header int) {
	b := s.data()
	left := s.skip // bytes of the packet that have not come
	switch {
	case s.search:
		left = -1
	case len(b) >= header:
		left = int64(header) + int64(b[0]) + int64(b[1])<<8 + int64(b[2])<<16 - int64(len(b))
	case len(b) > 0:
		left = -1
	}
	s.lost += int64(len(b))
	s.drop(len(b))
	s.skip, s.search = 0, n < 0 || left < 0 || n > left
	if !s.search {
		s.skip = left - n
	}
}

func frameHeader(h []byte) frame {
	return frame{length: int(h[0]) | int(h[1])<<8 | int(h[2])<<16, plain: int(h[4]) | int(h[5])<<8 | int(h[6])<<16}
}

// frame reports whether a whole compressed frame is there.
func (s *stream) frame() bool {
	if s.search && !s.align(CompressedHeaderSize) {
		return false
	}
	b := s.data()
	return len(b) >= CompressedHeaderSize && len(b) >= CompressedHeaderSize+frameHeader(b).length
}

// packet reports whether a whole packet is there.
func (s *stream) packet() (length int, number uint8, ok bool) {
	if s.search && !s.align(HeaderSize) {
		return 0, 0, false
	}
	b := s.data()
	if len(b) < HeaderSize {
		return 0, 0, false
	}
	length = int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	return length, b[3], len(b) >= HeaderSize+length
}
