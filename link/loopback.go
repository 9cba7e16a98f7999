package link

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// Family is the address family of a loopback header. IPv6 has three numbers,
// depending on the system that captured.
type Family uint32

const (
	FamilyIPv4        Family = 2
	FamilyIPv6BSD     Family = 24 // NetBSD, OpenBSD
	FamilyIPv6FreeBSD Family = 28
	FamilyIPv6Darwin  Family = 30
)

// String returns "IPv4", "IPv6" or the number.
func (f Family) String() string {
	switch f {
	case FamilyIPv4:
		return "IPv4"
	case FamilyIPv6BSD, FamilyIPv6FreeBSD, FamilyIPv6Darwin:
		return "IPv6"
	}
	return fmt.Sprintf("%d", uint32(f))
}

// Loopback is the header of BSD loopback captures: of LINKTYPE_LOOP, and of
// LINKTYPE_NULL in the dialect of the capturing host ([LittleEndian] or not).
type Loopback struct {
	Family  Family
	Payload []byte // aliases the packet
}

func (m *Loopback) Fields(c *wire.Coder) {
	if c.Dialect() == LittleEndian {
		wire.UintLE(c, "family", 4, &m.Family)
	} else {
		wire.Enum32(c, "family", &m.Family)
	}
	c.Rest("payload", &m.Payload)
}

// CookedType is the kind of a packet in a Linux cooked capture.
type CookedType uint16

const (
	CookedToUs      CookedType = 0
	CookedBroadcast CookedType = 1
	CookedMulticast CookedType = 2
	CookedToOther   CookedType = 3
	CookedFromUs    CookedType = 4
)

// String returns a short description, or the number.
func (t CookedType) String() string {
	names := [...]string{"to us", "broadcast", "multicast", "to another host", "from us"}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("%d", uint16(t))
}

// SLL is the header of Linux cooked captures, version 1, as on the interface
// "any".
type SLL struct {
	PacketType CookedType
	ARPHRD     uint16  // hardware type, as in ARP
	AddrLen    uint16  // how many bytes of Addr count
	Addr       [8]byte // of the sender
	Type       EtherType
	Payload    []byte // aliases the packet
}

func (m *SLL) Fields(c *wire.Coder) {
	wire.Enum16(c, "packet_type", &m.PacketType)
	c.U16("arphrd", &m.ARPHRD)
	c.U16("address_length", &m.AddrLen)
	c.Fixed("address", m.Addr[:])
	wire.Enum16(c, "type", &m.Type)
	c.Rest("payload", &m.Payload)
}

// SLL2 is the header of Linux cooked captures, version 2.
type SLL2 struct {
	Type       EtherType
	Reserved   uint16
	Interface  uint32 // index of the interface on the capturing host
	ARPHRD     uint16 // hardware type, as in ARP
	PacketType CookedType
	AddrLen    uint8   // how many bytes of Addr count
	Addr       [8]byte // of the sender
	Payload    []byte  // aliases the packet
}

func (m *SLL2) Fields(c *wire.Coder) {
	wire.Enum16(c, "type", &m.Type)
	c.U16("reserved", &m.Reserved)
	c.U32("interface", &m.Interface)
	c.U16("arphrd", &m.ARPHRD)
	wire.Uint(c, "packet_type", 1, &m.PacketType)
	c.U8("address_length", &m.AddrLen)
	c.Fixed("address", m.Addr[:])
	c.Rest("payload", &m.Payload)
}
