package record

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/wire"
)

// tcp makes the frames of one TCP connection that carries given bytes: with a
// handshake, sequence numbers and acknowledgements, so that every tool follows
// it, but as on a perfect network.
type tcp struct {
	addr  [2]netip.AddrPort // by the direction in which the end sends
	seq   [2]uint32         // of the next byte
	begun bool
	buf   []byte
	write func(at time.Time, frame []byte)
}

// firstSeq is the sequence number of the SYNs; tools show it as 0.
const firstSeq = 1000

// windowScale of both ends: 65,535 << 10 is more than is ever in flight.
const windowScale = 10

// mss returns the longest payload of a segment: that of an Ethernet.
func (t *tcp) mss() int {
	if t.addr[0].Addr().Is4() {
		return 1460
	}
	return 1440
}

// data writes bytes of a direction.
func (t *tcp) data(dir wire.Dir, at time.Time, b []byte) {
	t.begin(at)
	for mss := t.mss(); len(b) > 0; {
		n := min(mss, len(b))
		if t.seq[dir] == firstSeq+1 { // the first line stands alone
			if i := bytes.IndexByte(b[:n], '\n'); i >= 0 {
				n = i + 1
			}
		}
		flags := link.ACK
		if n == len(b) {
			flags |= link.PSH
		}
		t.segment(dir, at, flags, nil, b[:n])
		b = b[n:]
	}
}

// begin writes the handshake when it has not been.
func (t *tcp) begin(at time.Time) {
	if t.begun {
		return
	}
	t.begun = true
	t.seq = [2]uint32{firstSeq, firstSeq}
	mss := binary.BigEndian.AppendUint16(nil, uint16(t.mss()))
	options := []link.TCPOption{
		{Kind: link.TCPMSS, Data: mss},
		{Kind: link.TCPNop},
		{Kind: link.TCPWindowScale, Data: []byte{windowScale}},
	}
	t.segment(wire.C2S, at, link.SYN, options, nil)
	t.segment(wire.S2C, at, link.SYN|link.ACK, options, nil)
	t.segment(wire.C2S, at, link.ACK, nil, nil)
}

// end writes the good-bye of both ends.
func (t *tcp) end(at time.Time) {
	if !t.begun {
		return
	}
	t.segment(wire.C2S, at, link.FIN|link.ACK, nil, nil)
	t.segment(wire.S2C, at, link.FIN|link.ACK, nil, nil)
	t.segment(wire.C2S, at, link.ACK, nil, nil)
}

func (t *tcp) segment(dir wire.Dir, at time.Time, flags link.TCPFlags, options []link.TCPOption, payload []byte) {
	m := &link.TCP{Seq: t.seq[dir], Flags: flags, Window: 0xffff, Options: options, Payload: payload}
	if flags&link.ACK != 0 {
		m.Ack = t.seq[dir.Reverse()]
	}
	t.seq[dir] += uint32(len(payload))
	if flags&(link.SYN|link.FIN) != 0 {
		t.seq[dir]++
	}
	var err error
	t.buf, err = link.AppendTCP(t.buf[:0], t.addr[dir], t.addr[dir.Reverse()], m)
	if err != nil {
		panic("internal error: " + err.Error()) // both ends have addresses of one family, and the payload is short
	}
	t.write(at, t.buf)
}

// ends returns the addresses of the client and the server, made up where the
// session has none, and of one family.
func ends(client, server net.Addr, n int) [2]netip.AddrPort {
	c, s := addrPort(client), addrPort(server)
	if !c.IsValid() {
		c = netip.AddrPortFrom(documentation(1), uint16(49152+n%16384))
	}
	if !s.IsValid() {
		s = netip.AddrPortFrom(documentation(2), 22)
	}
	if c.Addr().Is4() != s.Addr().Is4() {
		c = netip.AddrPortFrom(netip.AddrFrom16(c.Addr().As16()), c.Port())
		s = netip.AddrPortFrom(netip.AddrFrom16(s.Addr().As16()), s.Port())
	}
	return [2]netip.AddrPort{wire.C2S: c, wire.S2C: s}
}

// documentation returns an address of TEST-NET-1, RFC 5737.
func documentation(last byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, last}) }

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(interface{ AddrPort() netip.AddrPort })
	if !ok || a == nil {
		return netip.AddrPort{}
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}
