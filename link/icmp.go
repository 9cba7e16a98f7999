package link

import (
	"fmt"
	"net/netip"

	"github.com/wirelark/wirelark/wire"
)

// ICMPType is the type of an [ICMP] message. RFC 792.
type ICMPType uint8

const (
	ICMPEchoReply      ICMPType = 0
	ICMPUnreachable    ICMPType = 3
	ICMPRedirect       ICMPType = 5
	ICMPEcho           ICMPType = 8
	ICMPTimeExceeded   ICMPType = 11
	ICMPParameter      ICMPType = 12
	ICMPTimestamp      ICMPType = 13
	ICMPTimestampReply ICMPType = 14
)

var icmpNames = map[ICMPType]string{
	ICMPEchoReply: "echo reply", ICMPUnreachable: "destination unreachable", ICMPRedirect: "redirect", ICMPEcho: "echo",
	ICMPTimeExceeded: "time exceeded", ICMPParameter: "parameter problem", ICMPTimestamp: "timestamp", ICMPTimestampReply: "timestamp reply",
}

// String returns the type in words, or its number.
func (t ICMPType) String() string { return named(icmpNames, t) }

func named[T ~uint8](names map[T]string, t T) string {
	if s, ok := names[t]; ok {
		return s
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// ICMP is a control message of IPv4. RFC 792, RFC 1191, RFC 4884.
//
//	+-------------------------------+-------------------------------+
//	|     type      |     code      |           checksum            |
//	|             depends on the type, see the fields               |
//	|                            payload                            |
//	+---------------------------------------------------------------+
type ICMP struct {
	Type     ICMPType
	Code     uint8
	Checksum wire.Auto[uint16]

	ID, Seq uint16     // echo and timestamp
	Times   [3]uint32  // timestamp: originate, receive, transmit, in ms since midnight UTC
	Gateway netip.Addr // redirect
	Pointer uint8      // parameter problem: the byte that is wrong
	Length  uint8      // errors: of the original datagram, in words of four bytes; 0: up to the end
	MTU     uint16     // unreachable: of the next hop
	Unused  uint32     // what the type leaves unused: 4 bytes, or 1
	Unused2 uint16     // the same behind a length

	Payload []byte // of errors: the beginning of the datagram they are about; aliases the packet
}

func (m *ICMP) Fields(c *wire.Coder) {
	start := c.Mark()
	wire.Enum8(c, "type", &m.Type)
	c.U8("code", &m.Code)
	sum := wire.AutoUint(c, "checksum", 2, &m.Checksum)
	switch m.Type {
	case ICMPEcho, ICMPEchoReply:
		c.U16("identifier", &m.ID)
		c.U16("sequence", &m.Seq)
	case ICMPTimestamp, ICMPTimestampReply:
		c.U16("identifier", &m.ID)
		c.U16("sequence", &m.Seq)
		c.U32("originate_timestamp", &m.Times[0])
		c.U32("receive_timestamp", &m.Times[1])
		c.U32("transmit_timestamp", &m.Times[2])
	case ICMPRedirect:
		c.Addr("gateway", 4, &m.Gateway)
	case ICMPUnreachable:
		wire.Uint(c, "unused", 1, &m.Unused)
		c.U8("length", &m.Length)
		c.U16("next_hop_mtu", &m.MTU)
	case ICMPTimeExceeded:
		wire.Uint(c, "unused", 1, &m.Unused)
		c.U8("length", &m.Length)
		c.U16("unused_2", &m.Unused2)
	case ICMPParameter:
		c.U8("pointer", &m.Pointer)
		c.U8("length", &m.Length)
		c.U16("unused_2", &m.Unused2)
	default:
		c.U32("unused", &m.Unused)
	}
	c.Rest("payload", &m.Payload)
	if c.Describing() && !c.Failed() {
		c.View("checksum_ok", checksum(0, c.Since(start)) == 0)
	}
	if m.Checksum.Wanted(c) {
		wire.PatchAuto(c, "checksum", sum, 2, &m.Checksum, uint64(checksum(0, c.Since(start))))
	}
}
