package link

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// MAC is an IEEE 802 address.
type MAC [6]byte

// String returns the address as "02:00:5e:10:00:01".
func (a MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5])
}

// EtherType says what an Ethernet frame carries. Values below 1536 are the
// length of an IEEE 802.3 frame.
type EtherType uint16

const (
	EtherIPv4 EtherType = 0x0800
	EtherARP  EtherType = 0x0806
	EtherVLAN EtherType = 0x8100 // IEEE 802.1Q customer tag
	EtherIPv6 EtherType = 0x86dd
	EtherQinQ EtherType = 0x88a8 // IEEE 802.1ad service tag
)

// String returns the short name of the type, or its number.
func (t EtherType) String() string {
	switch t {
	case EtherIPv4:
		return "IPv4"
	case EtherARP:
		return "ARP"
	case EtherVLAN:
		return "VLAN"
	case EtherIPv6:
		return "IPv6"
	case EtherQinQ:
		return "QinQ"
	}
	return fmt.Sprintf("%#04x", uint16(t))
}

// Ethernet is a frame without its check sequence. IEEE 802.3 §3.
type Ethernet struct {
	Dst, Src MAC
	Type     EtherType
	Payload  []byte // with the padding of short frames; aliases the packet
}

func (m *Ethernet) Fields(c *wire.Coder) {
	c.Fixed("destination", m.Dst[:])
	c.Fixed("source", m.Src[:])
	wire.Enum16(c, "type", &m.Type)
	c.Rest("payload", &m.Payload)
}

// VLAN is a tag behind the type [EtherVLAN] or [EtherQinQ]. IEEE 802.1Q §9.
type VLAN struct {
	Priority uint8 // 0–7
	Drop     bool  // drop eligible
	ID       uint16
	Type     EtherType // of what follows; may be another tag
	Payload  []byte    // aliases the packet
}

func (m *VLAN) Fields(c *wire.Coder) {
	wire.Bits(c, "priority", 3, &m.Priority)
	wire.Bits(c, "drop_eligible", 1, &m.Drop)
	wire.Bits(c, "id", 12, &m.ID)
	wire.Enum16(c, "type", &m.Type)
	c.Rest("payload", &m.Payload)
}
