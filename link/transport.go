package link

import (
	"net/netip"
	"strings"

	"github.com/wirelark/wirelark/wire"
)

// TCPFlags are the control bits of a segment. RFC 9293 §3.1.
type TCPFlags uint8

const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE // RFC 3168
	CWR // RFC 3168
)

// String returns the flags that are set, as "SYN,ACK".
func (f TCPFlags) String() string {
	names := [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"}
	var set []string
	for i, name := range names {
		if f>>i&1 != 0 {
			set = append(set, name)
		}
	}
	return strings.Join(set, ",")
}

// TCP is a segment. Its checksum covers addresses of the IP header: see
// [TCP.Over]. RFC 9293 §3.1.
//
//	+-------------------------------+-------------------------------+
//	|          source port          |       destination port        |
//	|                        sequence number                        |
//	|                    acknowledgement number                     |
//	| offset |  rsv  |    flags     |            window             |
//	|           checksum            |        urgent pointer         |
//	|                            options                            |
//	+---------------------------------------------------------------+
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	HeaderLen        wire.Auto[uint8] // data offset, in words of four bytes, with options
	Reserved         uint8            // four bits
	Flags            TCPFlags
	Window           uint16 // before scaling
	Checksum         wire.Auto[uint16]
	Urgent           uint16
	Options          []TCPOption
	Payload          []byte // aliases the packet

	pseudo pseudo
}

// Over tells the addresses of the IP packet that carries m, for its checksum,
// and returns m. Without them an unset checksum cannot be encoded, and a
// decoded one is not judged.
func (m *TCP) Over(src, dst netip.Addr) *TCP {
	m.pseudo = pseudo{src, dst}
	return m
}

func (m *TCP) Fields(c *wire.Coder) {
	start := c.Mark()
	optLen := optionsLen(m.Options)
	c.U16("source_port", &m.SrcPort)
	c.U16("destination_port", &m.DstPort)
	c.U32("sequence", &m.Seq)
	c.U32("acknowledgement", &m.Ack)
	c.Suggest(4, 5, 15)
	wire.AutoBits(c, "header_length", 4, &m.HeaderLen, uint8((tcpHeaderLen+optLen+3)/4))
	if c.Decoding() && m.HeaderLen.V < 5 {
		c.Fail("header_length", wire.ErrRange)
	}
	wire.Bits(c, "reserved", 4, &m.Reserved)
	wire.Enum8(c, "flags", &m.Flags)
	c.U16("window", &m.Window)
	sum := wire.AutoUint(c, "checksum", 2, &m.Checksum)
	c.U16("urgent_pointer", &m.Urgent)
	optionFields(c, int(m.HeaderLen.V)*4-tcpHeaderLen, &m.Options)
	if !m.HeaderLen.Set {
		pad(c, -optLen&3)
	}
	c.Rest("payload", &m.Payload)
	m.pseudo.finish(c, ProtoTCP, start, sum, &m.Checksum)
}

// UDP is a datagram. Its checksum covers addresses of the IP header: see
// [UDP.Over]. RFC 768.
type UDP struct {
	SrcPort, DstPort uint16
	Len              wire.Auto[uint16] // with the header's 8 bytes; 0 in jumbograms (RFC 2675 §4)
	Checksum         wire.Auto[uint16] // 0: none
	Payload          []byte            // aliases the packet

	pseudo pseudo
}

// Over tells the addresses of the IP packet that carries m, as [TCP.Over].
func (m *UDP) Over(src, dst netip.Addr) *UDP {
	m.pseudo = pseudo{src, dst}
	return m
}

func (m *UDP) Fields(c *wire.Coder) {
	start := c.Mark()
	c.U16("source_port", &m.SrcPort)
	c.U16("destination_port", &m.DstPort)
	c.Suggest(16, udpHeaderLen, udpHeaderLen+40)
	length := wire.AutoUint(c, "length", 2, &m.Len)
	whole := c.Decoding() && m.Len.V == 0
	if c.Decoding() && !whole && m.Len.V < udpHeaderLen {
		c.Fail("length", wire.ErrRange)
	}
	sum := wire.AutoUint(c, "checksum", 2, &m.Checksum)
	payload(c, int(m.Len.V)-udpHeaderLen, whole, &m.Payload)
	if m.Len.Wanted(c) {
		wire.PatchAuto(c, "length", length, 2, &m.Len, uint64(len(c.Since(start))))
	}
	if c.Decoding() && m.Checksum.V == 0 {
		return
	}
	m.pseudo.finish(c, ProtoUDP, start, sum, &m.Checksum)
}
