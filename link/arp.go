package link

import (
	"fmt"
	"net/netip"

	"github.com/wirelark/wirelark/wire"
)

// ARPOperation says what an [ARP] packet is for.
type ARPOperation uint16

const (
	ARPRequest        ARPOperation = 1
	ARPReply          ARPOperation = 2
	ARPReverseRequest ARPOperation = 3 // RFC 903
	ARPReverseReply   ARPOperation = 4 // RFC 903
)

// String returns the short name of the operation, or its number.
func (o ARPOperation) String() string {
	switch o {
	case ARPRequest:
		return "request"
	case ARPReply:
		return "reply"
	case ARPReverseRequest:
		return "reverse request"
	case ARPReverseReply:
		return "reverse reply"
	}
	return fmt.Sprintf("operation %d", uint16(o))
}

// ARP asks for the hardware address that belongs to a protocol address, or
// tells it. RFC 826.
//
//	+-------------------------------+-------------------------------+
//	|        hardware type          |         protocol type         |
//	| hw. length    | proto. length |           operation           |
//	|    sender's hardware address, sender's protocol address       |
//	|    target's hardware address, target's protocol address       |
//	+---------------------------------------------------------------+
//
// Behind it short Ethernet frames have padding.
type ARP struct {
	Hardware           uint16           // 1: Ethernet
	Protocol           EtherType        // [EtherIPv4]
	HardwareLen        wire.Auto[uint8] // bytes of a hardware address: that of SenderHW when unset
	ProtocolLen        wire.Auto[uint8] // bytes of a protocol address: that of SenderIP when unset
	Operation          ARPOperation
	SenderHW, SenderIP []byte // at most 255 bytes each; alias the packet
	TargetHW, TargetIP []byte // of the same lengths
	Padding            []byte // aliases the packet
}

// NewARP returns the packet by which an Ethernet host asks for or tells an IPv4
// address. target is zero in requests.
func NewARP(op ARPOperation, sender MAC, senderIP netip.Addr, target MAC, targetIP netip.Addr) *ARP {
	return &ARP{
		Hardware: 1, Protocol: EtherIPv4, Operation: op,
		SenderHW: sender[:], SenderIP: senderIP.AsSlice(), TargetHW: target[:], TargetIP: targetIP.AsSlice(),
	}
}

func (m *ARP) Fields(c *wire.Coder) {
	c.U16("hardware_type", &m.Hardware)
	wire.Enum16(c, "protocol_type", &m.Protocol)
	hw := addressLen(c, "hardware_length", &m.HardwareLen, m.SenderHW)
	proto := addressLen(c, "protocol_length", &m.ProtocolLen, m.SenderIP)
	wire.Enum16(c, "operation", &m.Operation)
	c.Raw("sender_hardware", hw, &m.SenderHW)
	m.address(c, "sender_protocol", proto, &m.SenderIP)
	c.Raw("target_hardware", hw, &m.TargetHW)
	m.address(c, "target_protocol", proto, &m.TargetIP)
	c.Rest("padding", &m.Padding)
}

// addressLen codes the length of addresses like the given one and returns it.
func addressLen(c *wire.Coder, name string, v *wire.Auto[uint8], like []byte) int {
	if len(like) > 255 {
		c.Fail(name, wire.ErrTooLong)
	}
	c.Suggest(8, 0, 8)
	wire.AutoBits(c, name, 8, v, uint8(len(like)))
	if c.Decoding() {
		return int(v.V)
	}
	return len(like)
}

// address codes a protocol address, and says which one it is.
func (m *ARP) address(c *wire.Coder, name string, n int, v *[]byte) {
	c.Raw(name, n, v)
	if c.Describing() && m.Protocol == EtherIPv4 && len(*v) == 4 {
		c.View(name+"_address", netip.AddrFrom4([4]byte(*v)))
	}
}
