package flow

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/wire"
)

// key identifies the two ends of a connection, whichever of them sends: a is
// the one with the lower port, then with the lower address.
type key struct {
	a, b         [16]byte
	aPort, bPort uint16
	ip           uint16 // 4 or 6: an IPv4 address is not the IPv6 address mapped to it
}

func keyOf(src, dst netip.AddrPort) key {
	s, d := src.Addr().As16(), dst.Addr().As16()
	ip := uint16(6)
	if src.Addr().Is4() {
		ip = 4
	}
	if src.Port() < dst.Port() || src.Port() == dst.Port() && bytes.Compare(s[:], d[:]) < 0 {
		return key{s, d, src.Port(), dst.Port(), ip}
	}
	return key{d, s, dst.Port(), src.Port(), ip}
}

// conversation is a Conversation with its state.
type conversation struct {
	Conversation
	key     key
	sink    Sink // nil: nobody listens
	streams [2]stream
	closed  bool // the sink is closed; kept to recognise what still arrives

	recent  node // in Table.open or Table.done
	waiting node // in Table.waiting while segments wait
}

// dir returns the direction of what src sends.
func (c *conversation) dir(src netip.AddrPort) wire.Dir {
	if src == c.Client {
		return wire.C2S
	}
	return wire.S2C
}

// begins reports whether the SYN in p does not belong to c but begins another
// conversation between the same ports.
func (c *conversation) begins(p *link.Packet) bool {
	s := &c.streams[c.dir(p.Src)]
	switch {
	case s.opened:
		return p.Seq != s.isn
	case s.started: // joined in the middle: the SYN may come late, just before the first byte
		return p.Seq+1 != s.next-uint32(s.pos)
	}
	return c.closed
}

// roles says who is the client of a conversation that p opens.
func roles(p *link.Packet) (client, server netip.AddrPort, guessed bool) {
	switch p.Flags & (link.SYN | link.ACK) {
	case link.SYN:
		return p.Src, p.Dst, false
	case link.SYN | link.ACK:
		return p.Dst, p.Src, false
	}
	if p.Src.Port() < p.Dst.Port() {
		return p.Dst, p.Src, true
	}
	return p.Src, p.Dst, true
}

// segment takes one segment of the conversation.
func (t *Table) segment(c *conversation, f *capture.Frame, p *link.Packet) {
	dir := c.dir(p.Src)
	count := c.Counters(dir)
	count.Packets++
	if c.closed {
		return
	}
	x := assembler{t: t, c: c, s: &c.streams[dir], dir: dir, frame: f.N, time: f.Time}
	other := &c.streams[dir.Reverse()]
	seq := p.Seq
	if p.Flags&link.SYN != 0 {
		x.s.open(seq)
		seq++
	}
	if p.Flags&link.ACK != 0 {
		if p.Flags&link.SYN != 0 {
			other.open(p.Ack - 1)
		}
		other.acknowledged(p.Ack, f.Time)
		if len(other.queue) > 0 {
			y := assembler{t: t, c: c, s: other, dir: dir.Reverse(), time: f.Time}
			y.passed(p.Ack)
		}
	}
	if p.Flags&link.RST != 0 {
		if x.s.near(seq) {
			x.note(Reset, 0)
			t.end(c)
		}
		return
	}
	data := f.Data[p.Payload:p.PayloadEnd]
	if len(data)+p.Missing > 0 {
		count.Bytes += int64(len(data))
		x.take(seq, data, p.Payload, p.Missing)
	}
	if p.Flags&link.FIN != 0 {
		x.finish(seq + uint32(len(data)+p.Missing))
	}
	t.lingered(c, f.Time)
	if c.streams[0].ended() && c.streams[1].ended() {
		t.end(c)
	}
}

// lingered gives up what is missing before ends that were acknowledged long ago.
func (t *Table) lingered(c *conversation, now time.Time) {
	for i := range c.streams {
		s := &c.streams[i]
		if s.fin && s.acked && !s.ended() && now.Sub(s.ackTime) >= t.opt.Linger {
			x := assembler{t: t, c: c, s: s, dir: wire.Dir(i)}
			x.giveUp()
		}
	}
}

// end delivers what waits, closes the sink and keeps c to recognise what still
// arrives.
func (t *Table) end(c *conversation) {
	if c.closed {
		return
	}
	for i := range c.streams {
		x := assembler{t: t, c: c, s: &c.streams[i], dir: wire.Dir(i)}
		x.giveUp()
		x.forget()
	}
	c.closed = true
	t.open.remove(&c.recent)
	t.done.push(&c.recent)
	if c.sink != nil {
		c.sink.Close()
		c.sink = nil
	}
}
