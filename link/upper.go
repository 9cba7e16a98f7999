package link

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/wirelark/wirelark/wire"
)

// UpperPDU is a record of LINKTYPE_WIRESHARK_UPPER_PDU: a packet of any
// protocol behind tags that say which dissector it is for and where it would
// have come from. Build one with [NewUpperPDU].
type UpperPDU struct {
	Tags []UpperTag // without the end tag
	Data []byte     // the packet; aliases the record
}

func (m *UpperPDU) Fields(c *wire.Coder) {
	wire.ListUntil(c, "tags", zeros[:], &m.Tags, func(t *UpperTag, c *wire.Coder) {
		c.Suggest(16, 1, 60)
		wire.Enum16(c, "tag", &t.Tag)
		c.Bytes16("value", &t.Value)
	})
	c.Rest("data", &m.Data)
}

// An UpperTag is one tag of an [UpperPDU].
type UpperTag struct {
	Tag   UpperTagID
	Value []byte // with its padding to a multiple of 4; aliases the record
}

// UpperTagID is the kind of an [UpperTag].
type UpperTagID uint16

const (
	UpperDissector UpperTagID = 12 // name of a dissector, as "sftp"
	UpperHeuristic UpperTagID = 13 // name of a heuristic dissector
	UpperTable     UpperTagID = 14 // name of a dissector table
	UpperIPv4Src   UpperTagID = 20
	UpperIPv4Dst   UpperTagID = 21
	UpperIPv6Src   UpperTagID = 22
	UpperIPv6Dst   UpperTagID = 23
	UpperPortType  UpperTagID = 24 // four bytes: what the ports are of
	UpperSrcPort   UpperTagID = 25 // four bytes
	UpperDstPort   UpperTagID = 26 // four bytes
	UpperOrigFrame UpperTagID = 30 // four bytes: number of the frame it came from
	UpperP2PDir    UpperTagID = 35
)

// String returns the tag's name, or its number.
func (t UpperTagID) String() string {
	switch t {
	case UpperDissector:
		return "dissector"
	case UpperHeuristic:
		return "heuristic dissector"
	case UpperTable:
		return "dissector table"
	case UpperIPv4Src, UpperIPv6Src:
		return "source address"
	case UpperIPv4Dst, UpperIPv6Dst:
		return "destination address"
	case UpperPortType:
		return "port type"
	case UpperSrcPort:
		return "source port"
	case UpperDstPort:
		return "destination port"
	case UpperOrigFrame:
		return "original frame"
	case UpperP2PDir:
		return "direction"
	}
	return fmt.Sprintf("%d", uint16(t))
}

// upperTCP is Wireshark's number for TCP ports in [UpperPortType].
const upperTCP = 2

// NewUpperPDU returns a record for a packet of the dissector's protocol, as it
// would travel over TCP from src to dst.
func NewUpperPDU(dissector string, src, dst netip.AddrPort, data []byte) *UpperPDU {
	name := append([]byte(dissector), zeros[:(4-len(dissector)%4)%4]...)
	m := &UpperPDU{Data: data, Tags: make([]UpperTag, 0, 6)}
	add := func(id UpperTagID, value []byte) { m.Tags = append(m.Tags, UpperTag{id, value}) }
	add(UpperDissector, name)
	srcID, dstID := UpperIPv4Src, UpperIPv4Dst
	if src.Addr().BitLen() == 128 || dst.Addr().BitLen() == 128 {
		srcID, dstID = UpperIPv6Src, UpperIPv6Dst
	}
	if src.Addr().IsValid() {
		add(srcID, address(src.Addr(), srcID == UpperIPv6Src))
	}
	if dst.Addr().IsValid() {
		add(dstID, address(dst.Addr(), dstID == UpperIPv6Dst))
	}
	add(UpperPortType, binary.BigEndian.AppendUint32(nil, upperTCP))
	add(UpperSrcPort, binary.BigEndian.AppendUint32(nil, uint32(src.Port())))
	add(UpperDstPort, binary.BigEndian.AppendUint32(nil, uint32(dst.Port())))
	return m
}

func address(a netip.Addr, six bool) []byte {
	if six {
		b := a.As16()
		return b[:]
	}
	return a.AsSlice()
}

// Dissector returns the name of the dissector, "" when the record has none.
func (m *UpperPDU) Dissector() string {
	for _, t := range m.Tags {
		if t.Tag == UpperDissector {
			return strings.TrimRight(string(t.Value), "\x00")
		}
	}
	return ""
}

// Addrs returns where the packet came from and went to; what the tags do not
// tell is zero.
func (m *UpperPDU) Addrs() (src, dst netip.AddrPort) {
	var addrs [2]netip.Addr
	var ports [2]uint16
	for _, t := range m.Tags {
		switch t.Tag {
		case UpperIPv4Src, UpperIPv6Src:
			addrs[0], _ = netip.AddrFromSlice(t.Value)
		case UpperIPv4Dst, UpperIPv6Dst:
			addrs[1], _ = netip.AddrFromSlice(t.Value)
		case UpperSrcPort, UpperDstPort:
			if len(t.Value) == 4 {
				ports[t.Tag-UpperSrcPort] = uint16(binary.BigEndian.Uint32(t.Value))
			}
		}
	}
	return netip.AddrPortFrom(addrs[0].Unmap(), ports[0]), netip.AddrPortFrom(addrs[1].Unmap(), ports[1])
}
