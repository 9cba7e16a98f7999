package link_test

import (
	"net/netip"
	"testing"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

func TestControlMessages(t *testing.T) {
	mac, ip := link.MAC{2, 0, 0, 0, 0, 1}, netip.MustParseAddr
	ones := wire.Set[uint8]
	for _, v := range []struct {
		name   string
		m      wire.Message
		layout string
	}{
		{"who has", &link.ARP{
			Hardware: 1, Protocol: link.EtherIPv4, HardwareLen: ones(6), ProtocolLen: ones(4), Operation: link.ARPRequest,
			SenderHW: mac[:], SenderIP: []byte{10, 0, 0, 1}, TargetHW: make([]byte, 6), TargetIP: []byte{10, 0, 0, 2},
		}, `0001 0800 06 04 0001  020000000001 0a000001  000000000000 0a000002`},
		{
			"ping", &link.ICMP{Type: link.ICMPEcho, Checksum: wire.Set[uint16](0x3b37), ID: 0x1c46, Seq: 1, Payload: []byte("wirelark")},
			`08 00 3b37 1c46 0001 "wirelark"`,
		},
		{
			"too large", &link.ICMP{Type: link.ICMPUnreachable, Code: 4, Checksum: wire.Set[uint16](0xf718), MTU: 1492, Payload: []byte{0, 1}},
			`03 04 f718 00 00 05d4 0001`,
		},
		{"who has, version 6", &link.ICMPv6{
			Type: link.ICMPv6NeighborSolicitation, Checksum: wire.Set[uint16](0x1234), Target: ip("fe80::2"),
			Options: []link.NeighborOption{{Kind: 1, Len: ones(1), Data: mac[:]}},
		}, `87 00 1234 00000000 fe800000000000000000000000000002 01 01 020000000001`},
		{
			"I have", &link.ICMPv6{Type: link.ICMPv6NeighborAdvertisement, Checksum: wire.Set[uint16](1), Solicited: true, Override: true, Target: ip("fe80::2")},
			`88 00 0001 60000000 fe800000000000000000000000000002`,
		},
	} {
		t.Run(v.name, func(t *testing.T) { wiretest.Golden(t, link.Messages, wire.Dialect{}, v.m, v.layout) })
	}
}

// TestControlChecksums has checksums computed and judged.
func TestControlChecksums(t *testing.T) {
	src, dst := netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::2")
	for name, v := range map[string]struct {
		m    wire.Message
		back wire.Message
	}{
		"ICMP":   {&link.ICMP{Type: link.ICMPEcho, ID: 7, Seq: 9, Payload: []byte("odd")}, &link.ICMP{}},
		"ICMPv6": {(&link.ICMPv6{Type: link.ICMPv6Echo, ID: 7, Seq: 9, Payload: []byte("odd")}).Over(src, dst), (&link.ICMPv6{}).Over(src, dst)},
	} {
		b, err := wire.Append(nil, v.m, wire.Dialect{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, want := range []bool{true, false} {
			fields, err := wire.Describe(b, v.back, wire.Dialect{})
			if ok := wire.Find(fields, "checksum_ok"); err != nil || ok == nil || ok.Value != want {
				t.Errorf("%s: checksum_ok = %+v, %v, want %v", name, ok, err, want)
			}
			b[len(b)-1] ^= 1
		}
	}
	if _, err := wire.Append(nil, &link.ICMPv6{Type: link.ICMPv6Echo}, wire.Dialect{}); err == nil {
		t.Error("a checksum was computed without addresses")
	}
}

func TestNewARP(t *testing.T) {
	m := link.NewARP(link.ARPReply, link.MAC{2, 0, 0, 0, 0, 2}, netip.MustParseAddr("10.0.0.2"), link.MAC{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("10.0.0.1"))
	b, err := wire.Append(nil, m, wire.Dialect{})
	want := wiretest.Hex(`0001 0800 06 04 0002  020000000002 0a000002  020000000001 0a000001`)
	if err != nil || string(b) != string(want) {
		t.Errorf("NewARP encodes as %x, %v, want %x", b, err, want)
	}
	fields, err := wire.Describe(b, new(link.ARP), wire.Dialect{})
	if a := wire.Find(fields, "sender_protocol_address"); err != nil || a == nil || a.Value != netip.MustParseAddr("10.0.0.2") {
		t.Errorf("sender_protocol_address = %+v, %v", a, err)
	}
}
