package capture

import "fmt"

// LinkType says what the bytes of a frame begin with: a LINKTYPE_ value of
// https://www.tcpdump.org/linktypes.html.
type LinkType uint16

const (
	LinkNull     LinkType = 0   // BSD loopback: address family in the byte order of the capturing host
	LinkEthernet LinkType = 1   // IEEE 802.3, without frame check sequence
	LinkRaw      LinkType = 101 // IPv4 or IPv6, told apart by the first four bits
	LinkLoop     LinkType = 108 // OpenBSD loopback: address family in network byte order
	LinkSLL      LinkType = 113 // Linux cooked, version 1
	LinkUser0    LinkType = 147 // the first of sixteen private values
	LinkUpperPDU LinkType = 252 // Wireshark upper PDU: tags, then a packet of any protocol
	LinkIPv4     LinkType = 228 // IPv4
	LinkIPv6     LinkType = 229 // IPv6
	LinkSLL2     LinkType = 276 // Linux cooked, version 2
)

// String returns the name in the registry of link types without its LINKTYPE_
// prefix, or the number.
func (t LinkType) String() string {
	switch t {
	case LinkNull:
		return "NULL"
	case LinkEthernet:
		return "ETHERNET"
	case LinkRaw:
		return "RAW"
	case LinkLoop:
		return "LOOP"
	case LinkSLL:
		return "LINUX_SLL"
	case LinkUpperPDU:
		return "WIRESHARK_UPPER_PDU"
	case LinkIPv4:
		return "IPV4"
	case LinkIPv6:
		return "IPV6"
	case LinkSLL2:
		return "LINUX_SLL2"
	}
	if t >= LinkUser0 && t < LinkUser0+16 {
		return fmt.Sprintf("USER%d", t-LinkUser0)
	}
	return fmt.Sprintf("%d", uint16(t))
}
