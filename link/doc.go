// Package link is the vocabulary of what stands below the protocols: Ethernet
// and its tags, loopback and cooked headers, IPv4, IPv6, TCP, UDP, and
// Wireshark's upper PDU records. Each header is a message on package wire with
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
// Limits: ARP, ICMP and reassembly of IP fragments are not here. Decode goes
// through at most [MaxHeaders] headers.
package link

import "github.com/wirelark/wirelark/wire"

// Messages lists the headers. They stand in packets without a number in front,
// so they are coded by the functions of package wire and not by the registry's;
// the numbers here only tell entries apart.
var Messages = wire.NewRegistry("link",
	wire.Entry{Number: 1, Name: "Ethernet", Section: "IEEE 802.3 §3", New: wire.New[Ethernet]},
	wire.Entry{Number: 2, Name: "VLAN", Section: "IEEE 802.1Q §9", New: wire.New[VLAN]},
	wire.Entry{Number: 3, Name: "Loopback", Section: "LINKTYPE_NULL, LINKTYPE_LOOP", New: wire.New[Loopback]},
	wire.Entry{Number: 4, Name: "SLL", Section: "LINKTYPE_LINUX_SLL", New: wire.New[SLL]},
	wire.Entry{Number: 5, Name: "SLL2", Section: "LINKTYPE_LINUX_SLL2", New: wire.New[SLL2]},
	wire.Entry{Number: 6, Name: "UpperPDU", Section: "LINKTYPE_WIRESHARK_UPPER_PDU", New: wire.New[UpperPDU]},
	wire.Entry{Number: 10, Name: "IPv4", Section: "RFC 791 §3.1", New: wire.New[IPv4]},
	wire.Entry{Number: 11, Name: "IPv6", Section: "RFC 8200 §3", New: wire.New[IPv6]},
	wire.Entry{Number: 12, Name: "IPv6Extension", Section: "RFC 8200 §4.3", New: wire.New[IPv6Extension]},
	wire.Entry{Number: 13, Name: "IPv6Fragment", Section: "RFC 8200 §4.5", New: wire.New[IPv6Fragment]},
	wire.Entry{Number: 14, Name: "TCP", Section: "RFC 9293 §3.1", New: wire.New[TCP]},
	wire.Entry{Number: 15, Name: "UDP", Section: "RFC 768", New: wire.New[UDP]},
)

// LittleEndian is the dialect of captures made on little-endian hosts, where
// the family of LINKTYPE_NULL is in the host's byte order. The zero dialect is
// that of big-endian hosts and of LINKTYPE_LOOP.
var LittleEndian = wire.Dialect{1}

// Dialects lists the dialects in which layouts differ.
var Dialects = []wire.Dialect{{}, LittleEndian}
