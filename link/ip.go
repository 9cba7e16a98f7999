package link

import (
	"fmt"
	"net/netip"

	"github.com/wirelark/wirelark/wire"
)

// Protocol says what an IP packet carries: IPv4's protocol, IPv6's next
// header.
type Protocol uint8

const (
	ProtoHopByHop Protocol = 0
	ProtoICMP     Protocol = 1
	ProtoTCP      Protocol = 6
	ProtoUDP      Protocol = 17
	ProtoRouting  Protocol = 43
	ProtoFragment Protocol = 44
	ProtoAH       Protocol = 51
	ProtoICMPv6   Protocol = 58
	ProtoNoNext   Protocol = 59
	ProtoDestOpts Protocol = 60
	ProtoMobility Protocol = 135
	ProtoHIP      Protocol = 139
	ProtoShim6    Protocol = 140
)

var protocols = map[Protocol]string{
	ProtoHopByHop: "hop-by-hop options", ProtoICMP: "ICMP", ProtoTCP: "TCP", ProtoUDP: "UDP",
	ProtoRouting: "routing", ProtoFragment: "fragment", ProtoAH: "AH", ProtoICMPv6: "ICMPv6",
	ProtoNoNext: "no next header", ProtoDestOpts: "destination options",
	ProtoMobility: "mobility", ProtoHIP: "HIP", ProtoShim6: "shim6",
}

// String returns the protocol's name, or its number.
func (p Protocol) String() string {
	if s := protocols[p]; s != "" {
		return s
	}
	return fmt.Sprintf("%d", uint8(p))
}

const (
	ipv4HeaderLen = 20
	ipv6HeaderLen = 40
	tcpHeaderLen  = 20
	udpHeaderLen  = 8
)

// IPv4 is a packet of RFC 791 §3.1.
//
//	 0                   1                   2                   3
//	+-------+-------+---------------+-------------------------------+
//	|version|  ihl  | type of serv. |         total length          |
//	|         identification        |flags|    fragment offset      |
//	| time to live  |   protocol    |        header checksum        |
//	|                        source address                         |
//	|                      destination address                      |
//	|                            options                            |
//	+---------------------------------------------------------------+
type IPv4 struct {
	Version   wire.Auto[uint8] // 4 when unset
	HeaderLen wire.Auto[uint8] // in words of four bytes, with options
	DSCP      uint8            // six bits, RFC 2474
	ECN       uint8            // two bits, RFC 3168
	TotalLen  wire.Auto[uint16]
	ID        uint16
	Reserved  bool // the first of three flags
	DF, MF    bool // do not fragment, more fragments
	FragOff   uint16
	TTL       uint8
	Protocol  Protocol
	Checksum  wire.Auto[uint16] // of the header
	Src, Dst  netip.Addr
	Options   []IPOption
	Payload   []byte // aliases the packet
}

func (m *IPv4) Fields(c *wire.Coder) {
	start := c.Mark()
	optLen := optionsLen(m.Options)
	c.Suggest(4, 4, 4)
	wire.AutoBits(c, "version", 4, &m.Version, 4)
	c.Suggest(4, 5, 15)
	wire.AutoBits(c, "header_length", 4, &m.HeaderLen, uint8((ipv4HeaderLen+optLen+3)/4))
	if c.Decoding() && m.HeaderLen.V < 5 {
		c.Fail("header_length", wire.ErrRange)
	}
	wire.Bits(c, "dscp", 6, &m.DSCP)
	wire.Bits(c, "ecn", 2, &m.ECN)
	header := int(m.HeaderLen.V) * 4
	c.Suggest(16, uint64(header), uint64(header)+40)
	length := wire.AutoUint(c, "total_length", 2, &m.TotalLen)
	// Segmentation offload leaves 0 in captures of the sending host.
	whole := c.Decoding() && m.TotalLen.V == 0
	if c.Decoding() && !whole && int(m.TotalLen.V) < header {
		c.Fail("total_length", wire.ErrRange)
	}
	c.U16("identification", &m.ID)
	wire.Bits(c, "reserved", 1, &m.Reserved)
	wire.Bits(c, "dont_fragment", 1, &m.DF)
	wire.Bits(c, "more_fragments", 1, &m.MF)
	wire.Bits(c, "fragment_offset", 13, &m.FragOff)
	c.U8("time_to_live", &m.TTL)
	wire.Enum8(c, "protocol", &m.Protocol)
	sum := wire.AutoUint(c, "header_checksum", 2, &m.Checksum)
	c.Addr("source", 4, &m.Src)
	c.Addr("destination", 4, &m.Dst)
	optionFields(c, header-ipv4HeaderLen, &m.Options)
	if !m.HeaderLen.Set {
		pad(c, -optLen&3)
	}
	headerEnd := c.Since(start)
	payload(c, int(m.TotalLen.V)-header, whole, &m.Payload)
	if c.Describing() && len(headerEnd) == header {
		c.View("checksum_ok", checksum(0, headerEnd) == 0)
	}
	if m.TotalLen.Wanted(c) {
		wire.PatchAuto(c, "total_length", length, 2, &m.TotalLen, uint64(len(c.Since(start))))
	}
	if m.Checksum.Wanted(c) {
		wire.PatchAuto(c, "header_checksum", sum, 2, &m.Checksum, uint64(checksum(0, c.Since(start)[:len(headerEnd)])))
	}
}

// payload codes n bytes, or all that are left.
func payload(c *wire.Coder, n int, all bool, v *[]byte) {
	if all || !c.Decoding() {
		c.Rest("payload", v)
		return
	}
	c.Raw("payload", n, v)
}

var zeros [4]byte

// pad writes n zero bytes behind options whose header length is computed. When
// decoding, they are an end-of-list option.
func pad(c *wire.Coder, n int) {
	if b := zeros[:n]; n > 0 && !c.Decoding() {
		c.Raw("padding", n, &b)
	}
}

// IPv6 is a packet of RFC 8200 §3. Extension headers are at the beginning of
// its payload.
type IPv6 struct {
	Version      wire.Auto[uint8] // 6 when unset
	TrafficClass uint8
	FlowLabel    uint32            // 20 bits
	PayloadLen   wire.Auto[uint16] // 0 when it does not fit: jumbograms and segmentation offload
	Next         Protocol          // of the payload's first header
	HopLimit     uint8
	Src, Dst     netip.Addr
	Payload      []byte // aliases the packet
}

func (m *IPv6) Fields(c *wire.Coder) {
	c.Suggest(4, 6, 6)
	wire.AutoBits(c, "version", 4, &m.Version, 6)
	wire.Bits(c, "traffic_class", 8, &m.TrafficClass)
	wire.Bits(c, "flow_label", 20, &m.FlowLabel)
	c.Suggest(16, 0, 40)
	length := wire.AutoUint(c, "payload_length", 2, &m.PayloadLen)
	wire.Enum8(c, "next_header", &m.Next)
	c.U8("hop_limit", &m.HopLimit)
	c.Addr("source", 16, &m.Src)
	c.Addr("destination", 16, &m.Dst)
	payload(c, int(m.PayloadLen.V), c.Decoding() && m.PayloadLen.V == 0, &m.Payload)
	if m.PayloadLen.Wanted(c) {
		wire.PatchAuto(c, "payload_length", length, 2, &m.PayloadLen, uint64(len(m.Payload)))
	}
}

// IPv6Extension is a hop-by-hop, routing or destination options header, or
// another of the same shape (RFC 6564 §4). RFC 8200 §4.3–4.6.
type IPv6Extension struct {
	Next    Protocol         // of the payload
	Len     wire.Auto[uint8] // in words of eight bytes, without the first
	Data    []byte           // 6 bytes and 8 times Len; aliases the packet
	Payload []byte           // aliases the packet
}

func (m *IPv6Extension) Fields(c *wire.Coder) {
	wire.Enum8(c, "next_header", &m.Next)
	c.Suggest(8, 0, 3)
	length := wire.AutoUint(c, "header_length", 1, &m.Len)
	if c.Decoding() {
		c.Raw("data", 6+8*int(m.Len.V), &m.Data)
	} else {
		c.Raw("data", len(m.Data), &m.Data)
	}
	if m.Len.Wanted(c) {
		if len(m.Data) < 6 || len(m.Data)%8 != 6 {
			c.Fail("data", wire.ErrRange)
		}
		wire.PatchAuto(c, "header_length", length, 1, &m.Len, uint64(len(m.Data)/8))
	}
	c.Rest("payload", &m.Payload)
}

// IPv6Fragment is the header of a piece of a packet. RFC 8200 §4.5.
type IPv6Fragment struct {
	Next      Protocol
	Reserved  uint8
	FragOff   uint16 // in units of eight bytes
	Reserved2 uint8  // two bits
	MF        bool   // more fragments
	ID        uint32
	Payload   []byte // aliases the packet
}

func (m *IPv6Fragment) Fields(c *wire.Coder) {
	wire.Enum8(c, "next_header", &m.Next)
	c.U8("reserved", &m.Reserved)
	wire.Bits(c, "fragment_offset", 13, &m.FragOff)
	wire.Bits(c, "reserved_bits", 2, &m.Reserved2)
	wire.Bits(c, "more_fragments", 1, &m.MF)
	c.U32("identification", &m.ID)
	c.Rest("payload", &m.Payload)
}
