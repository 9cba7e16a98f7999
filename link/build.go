package link

import (
	"net/netip"

	"github.com/wirelark/wirelark/wire"
)

// DefaultTTL is the time to live of the packets that [AppendIP] builds.
const DefaultTTL = 64

// AppendIP appends an IP packet with the payload: IPv4 or IPv6 as its
// addresses are. They must be of one family, and the payload must fit.
func AppendIP(b []byte, src, dst netip.Addr, proto Protocol, payload []byte) ([]byte, error) {
	var m wire.Message
	if src.Is4() {
		m = &IPv4{DF: true, TTL: DefaultTTL, Protocol: proto, Src: src, Dst: dst, Payload: payload}
	} else {
		m = &IPv6{Next: proto, HopLimit: DefaultTTL, Src: src, Dst: dst, Payload: payload}
	}
	return wire.Append(b, m, wire.Dialect{})
}

// AppendTCP appends an IP packet with the segment m. The ports of src and dst
// replace those of m.
func AppendTCP(b []byte, src, dst netip.AddrPort, m *TCP) ([]byte, error) {
	seg := *m
	seg.SrcPort, seg.DstPort = src.Port(), dst.Port()
	segment, err := wire.Append(nil, seg.Over(src.Addr(), dst.Addr()), wire.Dialect{})
	if err != nil {
		return b, err
	}
	return AppendIP(b, src.Addr(), dst.Addr(), ProtoTCP, segment)
}
