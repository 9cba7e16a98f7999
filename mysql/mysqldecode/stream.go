package mysqldecode

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Feed takes the next chunk.
func (d *decoder) Feed(c trace.Chunk) {
	switch {
	case d.dark:
	case c.Packet:
		d.packets = true
		d.plain(c, true)
	case d.tls != nil:
		d.sealed(c)
	default:
		d.plain(c, false)
	}
}

// Close emits what is left of incomplete packets.
func (d *decoder) Close() {
	if d.tls != nil {
		d.tls.Close()
	}
	for dir := range d.dirs {
		s := &d.dirs[dir]
		if s.split.Buffered() > 0 {
			s.split.End()
			d.drain(wire.Dir(dir))
		}
	}
	d.options.Budget.Hold(d.held, 0)
	d.held = 0
}

// Blind reports whether a direction cannot be read.
func (d *decoder) Blind() bool {
	b, ok := d.tls.(trace.Blind)
	return d.dark || ok && b.Blind()
}

// plain takes a piece of the stream of packets. Inside of something, nothing
// in it says that it goes on in TLS.
func (d *decoder) plain(c trace.Chunk, inside bool) {
	s := &d.dirs[c.Dir]
	s.time = c.Time
	d.begin(c)
	if c.Gap != 0 {
		d.hole(c.Dir, c.Gap)
	}
	for len(c.Data) > 0 && !d.dark {
		n := len(c.Data)
		if c.Dir == wire.C2S && !inside && d.flow.Phase() <= flow.PhaseResponse {
			n = min(n, s.first(c.Data))
		}
		s.split.Feed(c.Data[:n], c.Spans)
		c.Data, c.Spans = c.Data[n:], trace.SpansBehind(c.Spans, n)
		d.drain(c.Dir)
		if d.tls != nil && !inside {
			c.Gap = 0
			if len(c.Data) > 0 {
				d.sealed(c)
			}
			return
		}
	}
	if s.split.Searching() {
		d.options.Budget.Spend(int64(s.split.Buffered()))
		d.dark = d.dark || !d.options.Budget.Search()
	}
	d.budget(c.Dir)
}

// first returns how many bytes of data may be fed so that none behind the
// client's first packet is: TLS may begin there.
func (s *direction) first(data []byte) int {
	if s.head < packet.HeaderSize {
		n := copy(s.size[s.head:], data)
		if s.head += n; s.head == packet.HeaderSize {
			s.left = header(s.size[:]).length
		}
		s.restart()
		return n
	}
	n := min(s.left, len(data))
	s.left -= n
	s.restart()
	return n
}

// restart makes the next packet the first when this one has ended, in case it
// was none of those that come first.
func (s *direction) restart() {
	if s.head == packet.HeaderSize && s.left == 0 {
		s.head = 0
	}
}

// begin looks at the first chunk: a conversation that does not begin with a
// greeting is joined in its middle.
func (d *decoder) begin(c trace.Chunk) {
	if d.begun || len(c.Data) == 0 {
		return
	}
	d.begun = true
	if c.Gap == 0 && c.Dir == wire.S2C && header(c.Data).number == 0 {
		return
	}
	d.flow.Gap()
	d.dirs[wire.S2C].split.Join() // a client's segments begin with packets
}

// hole takes note of n missing bytes; -1: of an unknown number.
func (d *decoder) hole(dir wire.Dir, n int64) {
	s := &d.dirs[dir]
	s.split.Hole(n)
	d.drain(dir)
	if s.split.Searching() || d.packed {
		d.flow.Gap()
	}
	s.gap = true
	if n < 0 || s.missing < 0 {
		s.missing = -1
		return
	}
	s.missing += n
}

// drain emits the payloads that are complete.
func (d *decoder) drain(dir wire.Dir) {
	s := &d.dirs[dir]
	for !d.dark {
		p, ok := s.split.Next()
		if !ok {
			return
		}
		at := d.flow.Phase()
		d.message(dir, p)
		if at == flow.PhaseAuth && d.flow.Phase() == flow.PhaseCommand && !d.packets {
			d.compress()
		}
		if d.tls != nil && at == flow.PhaseResponse {
			return
		}
	}
}

// compress begins to undo compression, if that was agreed on.
func (d *decoder) compress() {
	var a packet.Compression
	switch both := mysql.Caps(d.flow.Dialect()); {
	case both.Has(mysql.ClientCompress):
		a = packet.Zlib
	case both.Has(mysql.ClientZstdCompression):
		a = packet.Zstd
	default:
		return
	}
	d.packed = true
	for i := range d.dirs {
		if d.dirs[i].split.Compress(a) != nil {
			d.dark = true
		}
	}
}

// beginTLS opens the layer that the client has asked for, and returns what is
// to be noted if there is nobody who can.
func (d *decoder) beginTLS() []string {
	if d.options.Layer != nil {
		d.tls = d.options.Layer("tls", d.options, func(c trace.Chunk) { d.plain(c, true) })
	}
	if d.tls == nil {
		d.dark, d.told = true, true
		return []string{"TLS begins here: what follows cannot be read"}
	}
	return nil
}

// sealed takes a piece of the stream inside of which TLS runs.
func (d *decoder) sealed(c trace.Chunk) {
	d.dirs[c.Dir].time = c.Time
	d.tls.Feed(c)
	if d.told || !d.Blind() {
		return
	}
	d.told = true
	d.options.Emit(&trace.Message{
		Time: c.Time, Path: d.options.Path, Dir: c.Dir, Proto: mysql.Messages.Proto(), Name: "TLS",
		Notes: []string{"no secret opens this connection: what follows cannot be read"},
	})
}

// budget says what is held. When that is too much, it is dropped.
func (d *decoder) budget(dir wire.Dir) {
	held := int64(d.dirs[0].split.Buffered() + d.dirs[1].split.Buffered())
	if d.options.Budget.Hold(d.held, held) {
		d.held = held
		return
	}
	s := &d.dirs[dir]
	s.split = packet.Splitter{Limit: MaxPayload}
	if d.packed {
		d.dark = true // the place in the compressed stream is lost
	}
	s.split.Join()
	s.gap, s.missing = true, -1
	d.flow.Gap()
	d.held = int64(d.dirs[dir.Reverse()].split.Buffered())
	d.options.Budget.Hold(held, d.held)
}
