package link

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// MaxHeaders is how many headers [Decode] goes through: tags, extension
// headers and their like. Real packets have fewer than ten.
const MaxHeaders = 32

// Reasons why [Decode] stops before the payload of a segment. What was read
// until then stands in the Packet.
var (
	ErrShort   = errors.New("frame ends inside a header")
	ErrHeader  = errors.New("header contradicts itself")
	ErrUnknown = errors.New("not IP, or a protocol above it that is not decoded")
)

// A Layer is the kind of header that a frame begins with.
type Layer uint8

const (
	LayerNone     Layer = iota // nothing that is known here
	LayerEthernet              // [Ethernet]
	LayerLoopback              // [Loopback], in either byte order
	LayerSLL                   // [SLL]
	LayerSLL2                  // [SLL2]
	LayerIP                    // [IPv4] or [IPv6], as the first four bits say
)

// Packet is what [Decode] finds in a frame.
type Packet struct {
	Src, Dst netip.AddrPort // ports are 0 where there are none, addresses zero without IP
	Proto    Protocol       // of the payload, behind IPv6 extension headers
	TTL      uint8          // or hop limit
	VLAN     uint16         // of the innermost tag; 0: none

	Fragment  bool   // a piece of an IP packet; no header above IP is read
	MoreFrags bool   // of a fragment: not the last
	FragOff   int    // of a fragment: its place in the packet, in bytes
	FragID    uint32 // of a fragment

	Flags    TCPFlags
	Window   uint16 // of a TCP segment, before scaling
	Seq, Ack uint32 // of a TCP segment

	Network    int // where the IP header begins in the frame; -1: there is none
	Transport  int // where the header above IP begins, or its piece; -1: there is none
	Payload    int // where the payload begins; -1: not reached
	PayloadEnd int // where the captured payload ends
	Missing    int // bytes of the payload that were not captured
}

// Decode reads the headers of a frame that begins with first into p, which is
// overwritten. It allocates nothing and keeps nothing of data. The error is
// one of [ErrShort], [ErrHeader] and [ErrUnknown]; a fragment is no error.
func Decode(first Layer, data []byte, p *Packet) error {
	*p = Packet{Network: -1, Transport: -1, Payload: -1}
	switch first {
	case LayerEthernet:
		return p.ethernet(data)
	case LayerIP:
		return p.ip(data, 0)
	case LayerLoopback:
		return p.loopback(data)
	case LayerSLL:
		if len(data) < sllLen {
			return ErrShort
		}
		return p.ether(data, EtherType(binary.BigEndian.Uint16(data[14:])), sllLen)
	case LayerSLL2:
		if len(data) < sll2Len {
			return ErrShort
		}
		return p.ether(data, EtherType(binary.BigEndian.Uint16(data)), sll2Len)
	}
	return ErrUnknown
}

const (
	ethernetLen = 14
	vlanLen     = 4
	loopbackLen = 4
	sllLen      = 16
	sll2Len     = 20
)

func (p *Packet) ethernet(b []byte) error {
	if len(b) < ethernetLen {
		return ErrShort
	}
	return p.ether(b, EtherType(binary.BigEndian.Uint16(b[12:])), ethernetLen)
}

// ether reads what an EtherType announces at off.
func (p *Packet) ether(b []byte, t EtherType, off int) error {
	for range MaxHeaders {
		switch t {
		case EtherIPv4:
			return p.ipv4(b, off)
		case EtherIPv6:
			return p.ipv6(b, off)
		case EtherVLAN, EtherQinQ:
			if len(b) < off+vlanLen {
				return ErrShort
			}
			p.VLAN = binary.BigEndian.Uint16(b[off:]) & 0xfff
			t = EtherType(binary.BigEndian.Uint16(b[off+2:]))
			off += vlanLen
		default:
			return ErrUnknown
		}
	}
	return ErrHeader
}

// loopback needs no byte order: every family is below 256.
func (p *Packet) loopback(b []byte) error {
	if len(b) < loopbackLen {
		return ErrShort
	}
	f := binary.BigEndian.Uint32(b)
	if f > 0xff {
		f = binary.LittleEndian.Uint32(b)
	}
	switch Family(f) {
	case FamilyIPv4:
		return p.ipv4(b, loopbackLen)
	case FamilyIPv6BSD, FamilyIPv6FreeBSD, FamilyIPv6Darwin:
		return p.ipv6(b, loopbackLen)
	}
	return ErrUnknown
}

func (p *Packet) ip(b []byte, off int) error {
	if len(b) <= off {
		return ErrShort
	}
	switch b[off] >> 4 {
	case 4:
		return p.ipv4(b, off)
	case 6:
		return p.ipv6(b, off)
	}
	return ErrUnknown
}

func (p *Packet) ipv4(b []byte, off int) error {
	if len(b) < off+ipv4HeaderLen {
		return ErrShort
	}
	h := b[off:]
	header, total := int(h[0]&15)*4, int(binary.BigEndian.Uint16(h[2:]))
	if total == 0 { // segmentation offload
		total = len(h)
	}
	if h[0]>>4 != 4 || header < ipv4HeaderLen || total < header {
		return ErrHeader
	}
	p.Network = off
	p.TTL, p.Proto = h[8], Protocol(h[9])
	p.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(h[12:16])), 0)
	p.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(h[16:20])), 0)
	if len(h) < header {
		return ErrShort
	}
	frag := binary.BigEndian.Uint16(h[6:])
	if frag&0x3fff != 0 {
		p.Fragment = true
		p.MoreFrags, p.FragOff = frag&0x2000 != 0, int(frag&0x1fff)*8
		p.FragID = uint32(binary.BigEndian.Uint16(h[4:]))
	}
	return p.transport(b, off+header, off+total)
}

func (p *Packet) ipv6(b []byte, off int) error {
	if len(b) < off+ipv6HeaderLen {
		return ErrShort
	}
	h := b[off:]
	if h[0]>>4 != 6 {
		return ErrHeader
	}
	p.Network = off
	p.Proto, p.TTL = Protocol(h[6]), h[7]
	p.Src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(h[8:24])), 0)
	p.Dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(h[24:40])), 0)
	end := off + ipv6HeaderLen + int(binary.BigEndian.Uint16(h[4:]))
	if end == off+ipv6HeaderLen { // jumbogram or segmentation offload
		end = len(b)
	}
	return p.extensions(b, off+ipv6HeaderLen, end)
}

// extensions skips the extension headers of an IPv6 packet.
func (p *Packet) extensions(b []byte, off, end int) error {
	for range MaxHeaders {
		switch p.Proto {
		case ProtoHopByHop, ProtoRouting, ProtoFragment, ProtoDestOpts, ProtoMobility, ProtoHIP, ProtoShim6, ProtoAH:
		default:
			return p.transport(b, off, end)
		}
		if len(b) < off+8 {
			return ErrShort
		}
		h := b[off:]
		n := 8 + int(h[1])*8
		switch p.Proto {
		case ProtoAH: // RFC 4302 §2.2
			n = 8 + int(h[1])*4
		case ProtoFragment:
			n = 8
			frag := binary.BigEndian.Uint16(h[2:])
			// An atomic fragment (RFC 6946) is a whole packet.
			if frag&^6 != 0 {
				p.Fragment = true
				p.MoreFrags, p.FragOff = frag&1 != 0, int(frag&^7)
				p.FragID = binary.BigEndian.Uint32(h[4:])
			}
		}
		if p.Proto = Protocol(h[0]); off+n > end {
			return ErrHeader
		}
		if off += n; p.Fragment {
			return p.transport(b, off, end)
		}
	}
	return ErrHeader
}

// transport reads what stands at off of b; the IP packet ends at end, which is
// behind b when the capture cut it.
func (p *Packet) transport(b []byte, off, end int) error {
	if off > len(b) {
		return ErrShort
	}
	p.Transport = off
	if p.Fragment {
		return p.payload(b, off, end)
	}
	h := b[off:min(end, len(b))]
	switch p.Proto {
	case ProtoTCP:
		if len(h) < tcpHeaderLen {
			return shortHeader(off+tcpHeaderLen, end)
		}
		p.Src = netip.AddrPortFrom(p.Src.Addr(), binary.BigEndian.Uint16(h))
		p.Dst = netip.AddrPortFrom(p.Dst.Addr(), binary.BigEndian.Uint16(h[2:]))
		p.Seq, p.Ack = binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
		p.Flags, p.Window = TCPFlags(h[13]), binary.BigEndian.Uint16(h[14:])
		header := int(h[12]>>4) * 4
		if header < tcpHeaderLen || off+header > end {
			return ErrHeader
		}
		if len(h) < header {
			return ErrShort
		}
		return p.payload(b, off+header, end)
	case ProtoUDP:
		if len(h) < udpHeaderLen {
			return shortHeader(off+udpHeaderLen, end)
		}
		p.Src = netip.AddrPortFrom(p.Src.Addr(), binary.BigEndian.Uint16(h))
		p.Dst = netip.AddrPortFrom(p.Dst.Addr(), binary.BigEndian.Uint16(h[2:]))
		if n := int(binary.BigEndian.Uint16(h[4:])); n != 0 {
			if n < udpHeaderLen || off+n > end {
				return ErrHeader
			}
			end = off + n
		}
		return p.payload(b, off+udpHeaderLen, end)
	}
	return ErrUnknown
}

// shortHeader tells a header that the capture cut from one that its packet has no
// room for.
func shortHeader(need, end int) error {
	if need > end {
		return ErrHeader
	}
	return ErrShort
}

func (p *Packet) payload(b []byte, off, end int) error {
	p.Payload = off
	p.PayloadEnd = min(end, len(b))
	p.Missing = end - p.PayloadEnd
	return nil
}
