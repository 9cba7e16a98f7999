package link

import (
	"net/netip"

	"github.com/wirelark/wirelark/wire"
)

// ICMPv6Type is the type of an [ICMPv6] message. RFC 4443, RFC 4861.
type ICMPv6Type uint8

const (
	ICMPv6Unreachable           ICMPv6Type = 1
	ICMPv6TooBig                ICMPv6Type = 2
	ICMPv6TimeExceeded          ICMPv6Type = 3
	ICMPv6Parameter             ICMPv6Type = 4
	ICMPv6Echo                  ICMPv6Type = 128
	ICMPv6EchoReply             ICMPv6Type = 129
	ICMPv6RouterSolicitation    ICMPv6Type = 133
	ICMPv6RouterAdvertisement   ICMPv6Type = 134
	ICMPv6NeighborSolicitation  ICMPv6Type = 135
	ICMPv6NeighborAdvertisement ICMPv6Type = 136
	ICMPv6Redirect              ICMPv6Type = 137
)

var icmpv6Names = map[ICMPv6Type]string{
	ICMPv6Unreachable: "destination unreachable", ICMPv6TooBig: "packet too big", ICMPv6TimeExceeded: "time exceeded",
	ICMPv6Parameter: "parameter problem", ICMPv6Echo: "echo request", ICMPv6EchoReply: "echo reply",
	ICMPv6RouterSolicitation: "router solicitation", ICMPv6RouterAdvertisement: "router advertisement",
	ICMPv6NeighborSolicitation: "neighbor solicitation", ICMPv6NeighborAdvertisement: "neighbor advertisement",
	ICMPv6Redirect: "redirect",
}

// String returns the type in words, or its number.
func (t ICMPv6Type) String() string { return named(icmpv6Names, t) }

// ICMPv6 is a control message of IPv6, those of neighbor discovery included.
// Its checksum covers addresses of the IP header: see [ICMPv6.Over]. RFC 4443,
// RFC 4861.
//
//	+-------------------------------+-------------------------------+
//	|     type      |     code      |           checksum            |
//	|             depends on the type, see the fields               |
//	|                     payload, or options                       |
//	+---------------------------------------------------------------+
type ICMPv6 struct {
	Type     ICMPv6Type
	Code     uint8
	Checksum wire.Auto[uint16]

	ID, Seq     uint16     // echo
	MTU         uint32     // too big: of the next hop
	Pointer     uint32     // parameter problem: the byte that is wrong
	Target      netip.Addr // neighbor solicitation and advertisement, redirect
	Destination netip.Addr // redirect
	Unused      uint32     // what the type leaves unused

	HopLimit                    uint8  // router advertisement: 0 says nothing
	Managed, OtherConfig        bool   // router advertisement
	Flags                       uint8  // router advertisement: the other six bits
	Lifetime                    uint16 // router advertisement: seconds
	Reachable, Retransmit       uint32 // router advertisement: milliseconds
	Router, Solicited, Override bool   // neighbor advertisement

	Options []NeighborOption // of neighbor discovery
	Payload []byte           // of the other types; aliases the packet

	pseudo pseudo
}

// NeighborOption is an option of neighbor discovery. RFC 4861 §4.6.
type NeighborOption struct {
	Kind uint8            // 1: the sender's link-layer address, 2: the target's, 3: a prefix, 5: an MTU
	Len  wire.Auto[uint8] // in words of eight bytes, with kind and length
	Data []byte           // 6 bytes and 8 times Len minus 1; aliases the packet
}

// Over tells the addresses of the IP packet that carries m, as [TCP.Over].
func (m *ICMPv6) Over(src, dst netip.Addr) *ICMPv6 {
	m.pseudo = pseudo{src, dst}
	return m
}

func (m *ICMPv6) Fields(c *wire.Coder) {
	start := c.Mark()
	wire.Enum8(c, "type", &m.Type)
	c.U8("code", &m.Code)
	sum := wire.AutoUint(c, "checksum", 2, &m.Checksum)
	switch m.Type {
	case ICMPv6Echo, ICMPv6EchoReply:
		c.U16("identifier", &m.ID)
		c.U16("sequence", &m.Seq)
	case ICMPv6TooBig:
		c.U32("mtu", &m.MTU)
	case ICMPv6Parameter:
		c.U32("pointer", &m.Pointer)
	case ICMPv6RouterAdvertisement:
		m.router(c)
	case ICMPv6NeighborAdvertisement:
		wire.Bits(c, "router", 1, &m.Router)
		wire.Bits(c, "solicited", 1, &m.Solicited)
		wire.Bits(c, "override", 1, &m.Override)
		wire.Bits(c, "unused", 29, &m.Unused)
	default:
		c.U32("unused", &m.Unused)
	}
	switch m.Type {
	case ICMPv6NeighborSolicitation, ICMPv6NeighborAdvertisement:
		c.Addr("target", 16, &m.Target)
	case ICMPv6Redirect:
		c.Addr("target", 16, &m.Target)
		c.Addr("destination", 16, &m.Destination)
	}
	if m.Type >= ICMPv6RouterSolicitation && m.Type <= ICMPv6Redirect {
		wire.ListRest(c, "options", &m.Options, (*NeighborOption).fields)
	} else {
		c.Rest("payload", &m.Payload)
	}
	m.pseudo.finish(c, ProtoICMPv6, start, sum, &m.Checksum)
}

func (m *ICMPv6) router(c *wire.Coder) {
	c.U8("hop_limit", &m.HopLimit)
	wire.Bits(c, "managed", 1, &m.Managed)
	wire.Bits(c, "other_configuration", 1, &m.OtherConfig)
	wire.Bits(c, "flags", 6, &m.Flags)
	c.U16("router_lifetime", &m.Lifetime)
	c.U32("reachable_time", &m.Reachable)
	c.U32("retransmit_timer", &m.Retransmit)
}

func (o *NeighborOption) fields(c *wire.Coder) {
	c.U8("kind", &o.Kind)
	c.Suggest(8, 1, 3)
	length := wire.AutoUint(c, "length", 1, &o.Len)
	if c.Decoding() && o.Len.V == 0 { // RFC 4861 §4.6: the packet is to be discarded
		c.Fail("length", wire.ErrRange)
	}
	if c.Decoding() {
		c.Raw("data", int(o.Len.V)*8-2, &o.Data)
	} else {
		c.Raw("data", len(o.Data), &o.Data)
	}
	if o.Len.Wanted(c) {
		if len(o.Data)%8 != 6 {
			c.Fail("data", wire.ErrRange)
		}
		wire.PatchAuto(c, "length", length, 1, &o.Len, uint64(len(o.Data)/8+1))
	}
}
