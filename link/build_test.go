package link_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/wire"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encode(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := wire.Append(nil, m, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	four1, four2 = netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("192.168.0.199")
	six1, six2   = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
)

func TestBuild(t *testing.T) {
	for _, row := range []struct {
		name string
		m    wire.Message
		want string
	}{
		{
			"ethernet", &link.Ethernet{Dst: link.MAC{1, 2, 3, 4, 5, 6}, Src: link.MAC{7, 8, 9, 10, 11, 12}, Type: link.EtherIPv4, Payload: []byte{0x45}},
			"010203040506 0708090a0b0c 0800 45",
		},
		{"vlan", &link.VLAN{Priority: 5, Drop: true, ID: 0x123, Type: link.EtherIPv6}, "b123 86dd"},
		{
			"ipv4", &link.IPv4{DF: true, TTL: 64, Protocol: link.ProtoUDP, Src: four1, Dst: four2, Payload: make([]byte, 95)},
			"4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7" + strings.Repeat("00", 95),
		},
		{
			"ipv4 with an option", &link.IPv4{TTL: 1, Protocol: 2, Src: four1, Dst: four2, Options: []link.IPOption{{Kind: link.IPRouterAlert, Data: []byte{0, 0}}, {Kind: link.IPNop}}},
			"4700 001c 0000 0000 0102 a0c3 c0a80001 c0a800c7 94040000 01 000000",
		},
		{
			"ipv4 with wrong values", &link.IPv4{
				Version: wire.Set[uint8](6), HeaderLen: wire.Set[uint8](15), TotalLen: wire.Set[uint16](9),
				Checksum: wire.Set[uint16](0xbad), Src: four1, Dst: four2,
			},
			"6f00 0009 0000 0000 0000 0bad c0a80001 c0a800c7",
		},
		{
			"ipv6", &link.IPv6{TrafficClass: 1, FlowLabel: 0x23456, Next: link.ProtoNoNext, HopLimit: 7, Src: six1, Dst: six2, Payload: []byte{9}},
			"60123456 0001 3b 07 20010db8000000000000000000000001 20010db8000000000000000000000002 09",
		},
		{
			"extension header", &link.IPv6Extension{Next: link.ProtoTCP, Data: make([]byte, 14), Payload: []byte{1}},
			"06 01 0000000000000000000000000000 01",
		},
		{"udp over ipv4", (&link.UDP{SrcPort: 1, DstPort: 2, Payload: []byte("abc")}).Over(four1, four2), "0001 0002 000b b959 616263"},
		{"udp over ipv6", (&link.UDP{SrcPort: 1, DstPort: 2}).Over(six1, six2), "0001 0002 0008 a466"},
		{"udp whose checksum would be zero", (&link.UDP{SrcPort: 1, DstPort: 2, Payload: []byte{0xa4, 0x62}}).Over(six1, six2), "0001 0002 000a ffff a462"},
		{
			"tcp", (&link.TCP{
				SrcPort: 50000, DstPort: 22, Seq: 1, Ack: 2, Flags: link.SYN | link.ECE, Window: 0x7fff, Urgent: 3,
				Options: []link.TCPOption{{Kind: link.TCPMSS, Data: []byte{5, 0xb4}}, {Kind: link.TCPWindowScale, Data: []byte{7}}},
				Payload: []byte("x"),
			}).Over(four1, four2),
			"c350 0016 00000001 00000002 7042 7fff 4059 0003 020405b4 030307 00 78",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, want := encode(t, row.m), unhex(t, row.want); !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", got, want)
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	for _, row := range []struct {
		name string
		m    wire.Message
		want error
	}{
		{"tcp without addresses", &link.TCP{}, link.ErrNoAddresses},
		{"udp without addresses", &link.UDP{}, link.ErrNoAddresses},
		{"ipv4 without addresses", &link.IPv4{}, wire.ErrRange},
		{"ipv4 with an ipv6 address", &link.IPv4{Src: six1, Dst: six2}, wire.ErrRange},
		{"ipv4 too long", &link.IPv4{Src: four1, Dst: four2, Payload: make([]byte, 65536)}, wire.ErrRange},
		{"ipv4 with too many options", &link.IPv4{Src: four1, Dst: four2, Options: make([]link.IPOption, 41)}, wire.ErrRange},
		{"ipv6 too long", &link.IPv6{Src: six1, Dst: six2, Payload: make([]byte, 65536)}, wire.ErrRange},
		{"extension header that is no multiple of eight", &link.IPv6Extension{Data: make([]byte, 7)}, wire.ErrRange},
		{"option too long", (&link.TCP{Options: []link.TCPOption{{Kind: 9, Data: make([]byte, 254)}}}).Over(four1, four2), wire.ErrRange},
	} {
		t.Run(row.name, func(t *testing.T) {
			if b, err := wire.Append(nil, row.m, wire.Dialect{}); !errors.Is(err, row.want) {
				t.Errorf("Append = %x, %v, want %v", b, err, row.want)
			}
		})
	}
	if _, err := link.AppendTCP(nil, netip.AddrPortFrom(four1, 1), netip.AddrPortFrom(six1, 2), &link.TCP{}); !errors.Is(err, wire.ErrRange) {
		t.Errorf("AppendTCP between two families = %v, want %v", err, wire.ErrRange)
	}
}

// TestDescribeChecksums tells a good checksum from a bad one.
func TestDescribeChecksums(t *testing.T) {
	segment := encode(t, (&link.TCP{SrcPort: 1, Payload: []byte("odd")}).Over(six1, six2))
	datagram := encode(t, (&link.UDP{SrcPort: 1, Payload: []byte("odd")}).Over(six1, six2))
	packet := encode(t, &link.IPv4{Src: four1, Dst: four2, Payload: []byte("odd")})
	for _, row := range []struct {
		name string
		b    []byte
		m    func() wire.Message
		bad  int // a byte that the checksum covers
	}{
		{"tcp", segment, func() wire.Message { return new(link.TCP).Over(six1, six2) }, 22},
		{"udp", datagram, func() wire.Message { return new(link.UDP).Over(six1, six2) }, 1},
		{"ipv4", packet, func() wire.Message { return new(link.IPv4) }, 13},
	} {
		for _, want := range []bool{true, false} {
			b := bytes.Clone(row.b)
			if !want {
				b[row.bad] ^= 4
			}
			fields, err := wire.Describe(b, row.m(), wire.Dialect{})
			if err != nil {
				t.Fatal(err)
			}
			if f := wire.Find(fields, "checksum_ok"); f == nil || f.Value != want || !f.Is(wire.Derived) {
				t.Errorf("%s: checksum_ok = %+v, want %t", row.name, f, want)
			}
		}
	}
	fields, err := wire.Describe(segment, &link.TCP{}, wire.Dialect{})
	if f := wire.Find(fields, "checksum_ok"); f != nil || err != nil {
		t.Errorf("without addresses: checksum_ok = %+v, error %v, want neither", f, err)
	}
}

func TestUpperPDU(t *testing.T) {
	src, dst := netip.MustParseAddrPort("127.0.0.1:50000"), netip.MustParseAddrPort("127.0.0.2:22")
	got := encode(t, link.NewUpperPDU("sftp", src, dst, []byte{1, 2}))
	want := unhex(t, `000c 0004 73667470  0014 0004 7f000001  0015 0004 7f000002
		0018 0004 00000002  0019 0004 0000c350  001a 0004 00000016  00000000  0102`)
	if !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x", got, want)
	}
	for _, row := range []struct{ name, src, dst string }{
		{"ssh", "127.0.0.1:50000", "127.0.0.2:22"},
		{"mysql", "[2001:db8::1]:1", "[2001:db8::2]:65535"},
		{"", "127.0.0.1:1", "127.0.0.1:2"},
	} {
		src, dst := netip.MustParseAddrPort(row.src), netip.MustParseAddrPort(row.dst)
		var m link.UpperPDU
		if err := wire.Parse(encode(t, link.NewUpperPDU(row.name, src, dst, []byte("data"))), &m, wire.Dialect{}); err != nil {
			t.Fatal(err)
		}
		gotSrc, gotDst := m.Addrs()
		if m.Dissector() != row.name || gotSrc != src || gotDst != dst || string(m.Data) != "data" {
			t.Errorf("got %q from %v to %v with %q, want %+v", m.Dissector(), gotSrc, gotDst, m.Data, row)
		}
	}
	var m link.UpperPDU
	if err := wire.Parse(encode(t, link.NewUpperPDU("x", netip.AddrPort{}, netip.AddrPort{}, nil)), &m, wire.Dialect{}); err != nil {
		t.Fatal(err)
	}
	if src, dst := m.Addrs(); src.Addr().IsValid() || dst.Addr().IsValid() {
		t.Errorf("addresses that were not told: %v and %v", src, dst)
	}
}
