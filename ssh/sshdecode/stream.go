package sshdecode

import (
	"bytes"
	"fmt"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// stream is the stream layer: it makes plaintext packets of two byte streams.
type stream struct {
	packets *packets
	half    [2]half
	kex     exchange
	held    int64 // bytes, as the budget was told
}

// half is one direction of a stream.
type half struct {
	dir    wire.Dir
	state  state
	buf    []byte     // not yet read; at most one packet, or what a search looks at
	origin provenance // of the bytes in buf
	time   time.Time  // when the newest bytes were seen

	ident  []byte // the identification line
	lines  int    // bytes of lines so far
	opener *packet.Opener
	opened uint64 // packets under the current keys
	next   *keys  // for what stands behind the next NEWKEYS
	init   []byte // payload of the newest KEXINIT
	notes  []string
	search search
	unread unread
}

type state uint8

const (
	inLines   state = iota // before and at the identification line
	inPackets              // the opener reads
	inSearch               // behind a hole; the place of the next packet is not known
	inDark                 // cannot be read, to its end
)

// unread counts what cannot be read.
type unread struct {
	reason  string
	sizes   *packet.Opener // knows where packets end although it cannot open them; else nil
	bytes   int64
	packets int64
}

func newStream(p *packets) *stream {
	s := &stream{packets: p}
	for dir := range s.half {
		h := &s.half[dir]
		h.dir = wire.Dir(dir)
		var err error
		h.opener, err = packet.NewOpener(packet.Algorithm{}, packet.Keys{}, 0)
		if err != nil {
			panic("internal error: " + err.Error()) // no protection needs no keys
		}
	}
	return s
}

func (s *stream) feed(c trace.Chunk) {
	h := &s.half[c.Dir]
	h.time = c.Time
	if c.Gap != 0 {
		s.gap(h, c.Gap)
	}
	h.buf = append(h.buf, c.Data...)
	h.origin.push(c.Spans, len(c.Data))
	before := len(h.buf)
	for s.step(h) {
	}
	h.shrink(len(h.buf) < before)
	if !s.account() {
		if h.state != inDark {
			h.lose("all conversations together hold too much that is incomplete")
		}
		h.unread.sizes = nil // to count packets takes whole ones
		h.count()
		h.shrink(true)
		h.init = nil
		s.account()
	}
}

// shrink gives memory back: an idle direction owns no buffer, and what is left
// of one does not keep the whole of it.
func (h *half) shrink(taken bool) {
	switch {
	case len(h.buf) == 0:
		h.buf = nil
	case taken:
		h.buf = bytes.Clone(h.buf)
	}
	if taken {
		h.origin.shrink()
	}
}

// account tells the budget what is held now. It reports false when that is too
// much.
func (s *stream) account() bool {
	now := int64(0)
	for i := range s.half {
		h := &s.half[i]
		now += int64(cap(h.buf)+len(h.init)+len(h.ident)) + h.origin.size()
	}
	old := s.held
	s.held = now
	return s.packets.opts.Budget.Hold(old, now)
}

// step reads one line or packet. It reports whether there may be another.
func (s *stream) step(h *half) bool {
	switch h.state {
	case inLines:
		return s.readLine(h)
	case inPackets:
		return s.readPacket(h)
	case inSearch:
		return s.resume(h, false)
	}
	h.count()
	return false
}

// take removes the first n bytes and returns where they came from. The bytes
// stay valid until the next feed.
func (h *half) take(n int) ([]byte, []trace.Span) {
	b := h.buf[:n:n]
	h.buf = h.buf[n:]
	return b, h.origin.take(n)
}

func (s *stream) readLine(h *half) bool {
	i := bytes.IndexByte(h.buf, '\n')
	switch {
	case i < 0 && h.lines+len(h.buf) > maxIdent, h.lines+i > maxIdent, !isText(h.buf[:max(i, 0)]), i < 0 && !isText(h.buf):
		h.lose("no identification line at its beginning")
		return true
	case i < 0:
		return false
	}
	h.lines += i + 1
	line, spans := h.take(i + 1)
	line = bytes.TrimRight(line, "\r\n")
	s.packets.line(plain{dir: h.dir, payload: line, time: h.time, spans: spans, notes: h.takeNotes()})
	if bytes.HasPrefix(line, []byte(identPrefix)) {
		h.ident = bytes.Clone(line)
		h.state = inPackets
	}
	return true
}

func (h *half) takeNotes() []string {
	notes := h.notes
	h.notes = nil
	return notes
}

func (s *stream) readPacket(h *half) bool {
	if len(h.buf) < h.opener.Need() {
		return false
	}
	size, err := h.opener.SizeAfter(h.buf, packet.Skip{})
	if err != nil {
		s.fail(h, err.Error())
		return true
	}
	if len(h.buf) < size {
		return false
	}
	// Not Open, which spoils the bytes of a packet that fails: a search may
	// have to read them again.
	payload, _, ok := h.opener.Try(h.buf, packet.Skip{})
	if !ok {
		s.fail(h, fmt.Sprintf("packet %d does not authenticate", h.opener.Seq()))
		return true
	}
	h.opener.Advance(packet.Skip{Packets: 1, Bytes: uint64(size)})
	_, spans := h.take(size)
	s.read(h, payload, spans)
	return true
}

// fail decides what a packet that cannot be opened means.
func (s *stream) fail(h *half, cause string) {
	switch {
	case h.unsealed():
		h.lose("not SSH: " + cause)
	case h.opened == 0:
		reason := "the secret of this key exchange does not fit"
		if s.packets.lost {
			reason = "the key exchange was not seen whole"
		}
		h.lose(reason + ": the first packet under its keys does not authenticate")
		h.unread.sizes = sizes(h.search.alg)
	default:
		s.seek(h, 0, cause) // the capture lacks or changed something without telling
	}
}

// unsealed reports whether packets still travel in the clear.
func (h *half) unsealed() bool { return h.search.alg == (packet.Algorithm{}) }

// read takes the payload of a packet.
func (s *stream) read(h *half, payload []byte, spans []trace.Span) {
	h.opened++
	in := plain{dir: h.dir, payload: payload, time: h.time, spans: spans, notes: h.takeNotes()}
	switch payload[0] {
	case 20:
		h.init = bytes.Clone(payload)
	case 21:
		if note := s.kex.missing(h); note != "" {
			in.notes = append(in.notes, note)
		}
	}
	switch m := s.packets.packet(in).(type) {
	case *ssh.KexDHInit:
		s.kex.client = &ssh.KexDHInit{E: bytes.Clone(m.E)}
	case *ssh.KexECDHInit:
		s.kex.client = &ssh.KexECDHInit{Public: bytes.Clone(m.Public)}
	case *ssh.KexDHReply, *ssh.KexECDHReply:
		s.exchanged(m)
	case *ssh.NewKeys:
		s.changeKeys(h)
	}
}

// lose gives a direction up.
func (h *half) lose(reason string) {
	h.state = inDark
	h.unread.reason = reason
}

// count drops what cannot be read, and counts it.
func (h *half) count() {
	u := &h.unread
	for u.sizes != nil && len(h.buf) >= u.sizes.Need() {
		size, err := u.sizes.Size(h.buf)
		if err != nil {
			u.sizes = nil
			break
		}
		if len(h.buf) < size {
			return
		}
		h.take(size)
		u.bytes += int64(size)
		u.packets++
	}
	if u.sizes == nil {
		u.bytes += int64(len(h.buf))
		h.take(len(h.buf))
	}
}

// gap takes note of n missing bytes, -1 for an unknown number.
func (s *stream) gap(h *half, n int64) {
	switch {
	case h.state == inDark:
		h.unread.sizes = nil
		h.count()
	case h.state == inSearch:
		s.seek(h, n, "")
	case h.unsealed():
		h.lose("bytes are missing before the first keys, which nothing can replace")
		if n < 0 && h.ident == nil {
			h.unread.reason = "the capture begins in mid-connection, without the key exchange"
		}
	default:
		s.seek(h, n, "")
	}
}

func (s *stream) close() {
	defer func() { s.packets.opts.Budget.Hold(s.held, 0) }()
	for i := range s.half {
		h := &s.half[i]
		for h.state == inSearch && s.resume(h, true) {
			for s.step(h) {
			}
		}
		if h.state == inSearch {
			h.lose(h.search.failure())
		}
		left := len(h.buf)
		if h.state == inDark {
			h.unread.sizes = nil
			h.count()
			s.darkness(h)
			continue
		}
		if left > 0 || len(h.notes) > 0 {
			s.remainder(h, left)
		}
	}
}

// darkness emits what could not be read in a direction.
func (s *stream) darkness(h *half) {
	if h.unread.bytes == 0 {
		return
	}
	m := s.packets.message(plain{dir: h.dir, time: h.time, notes: append(h.takeNotes(), h.unread.reason)}, "unread")
	m.Fields = []wire.Field{{Name: "bytes", Value: uint64(h.unread.bytes), Flags: wire.Derived}}
	if h.unread.packets > 0 {
		m.Fields = append(m.Fields, wire.Field{Name: "packets", Value: uint64(h.unread.packets), Flags: wire.Derived})
	}
	s.packets.opts.Emit(m)
}

// remainder emits the piece of a packet with which a direction ends.
func (s *stream) remainder(h *half, n int) {
	notes := h.takeNotes()
	if n > 0 {
		notes = append(notes, "the capture ends inside a packet")
	}
	m := s.packets.message(plain{dir: h.dir, time: h.time, notes: notes}, "incomplete")
	m.Fields = []wire.Field{{Name: "bytes", Value: uint64(n), Flags: wire.Derived}}
	s.packets.opts.Emit(m)
}
