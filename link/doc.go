// Package link is the vocabulary of what stands below the protocols: Ethernet
// and its tags, loopback and cooked headers, ARP, IPv4, IPv6, ICMP, TCP, UDP,
// and Wireshark's upper PDU records. Each header is a message on package wire with
// what it carries as its last field, so each is parsed, described and built:
//
//	tcp := &link.TCP{SrcPort: 50000, DstPort: 22, Flags: link.SYN}
//	packet, err := link.AppendTCP(nil, client, server, tcp)
//
// Lengths, header sizes and checksums are [wire.Auto]: computed when unset,
// sent as they are when set, right or wrong.
//
// For reading captures by the million, [Decode] walks the same headers into
// one flat [Packet] without building anything; tests hold the two together.
//
// Limits: reassembly of IP fragments is not here. Decode goes through at most
// [MaxHeaders] headers, and no further than IP where TCP and UDP are not above
// it.
package link

import "github.com/wirelark/wirelark/wire"

// Messages lists the headers. None has a number in front; what stands before a
// header tells which one it is.
var Messages = wire.NewRegistry("link",
	header("Ethernet", "IEEE 802.3 §3", wire.New[Ethernet]),
	header("VLAN", "IEEE 802.1Q §9", wire.New[VLAN]),
	header("Loopback", "LINKTYPE_NULL, LINKTYPE_LOOP", wire.New[Loopback]),
	header("SLL", "LINKTYPE_LINUX_SLL", wire.New[SLL]),
	header("SLL2", "LINKTYPE_LINUX_SLL2", wire.New[SLL2]),
	header("UpperPDU", "LINKTYPE_WIRESHARK_UPPER_PDU", wire.New[UpperPDU]),
	header("ARP", "RFC 826", wire.New[ARP]),
	header("IPv4", "RFC 791 §3.1", wire.New[IPv4]),
	header("IPv6", "RFC 8200 §3", wire.New[IPv6]),
	header("IPv6Extension", "RFC 8200 §4.3", wire.New[IPv6Extension]),
	header("IPv6Fragment", "RFC 8200 §4.5", wire.New[IPv6Fragment]),
	header("ICMP", "RFC 792", wire.New[ICMP]),
	header("ICMPv6", "RFC 4443, RFC 4861", wire.New[ICMPv6]),
	header("TCP", "RFC 9293 §3.1", wire.New[TCP]),
	header("UDP", "RFC 768", wire.New[UDP]),
)

func header(name, section string, new func() wire.Message) wire.Entry {
	return wire.Entry{Context: name, Bare: true, Name: name, Section: section, New: new}
}

// LittleEndian is the dialect of captures made on little-endian hosts, where
// the family of LINKTYPE_NULL is in the host's byte order. The zero dialect is
// that of big-endian hosts and of LINKTYPE_LOOP.
var LittleEndian = wire.Dialect{1}

// Dialects lists the dialects in which layouts differ.
var Dialects = []wire.Dialect{{}, LittleEndian}
