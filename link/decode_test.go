package link_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/wire"
)

func segment(t testing.TB, a, b netip.Addr) []byte {
	return encode(t, (&link.TCP{
		SrcPort: 50000, DstPort: 22, Seq: 7, Ack: 8, Flags: link.PSH | link.ACK, Window: 9,
		Options: []link.TCPOption{{Kind: link.TCPNop}}, Payload: []byte("hello"),
	}).Over(a, b))
}

func packet4(t testing.TB) []byte {
	return encode(t, &link.IPv4{TTL: 64, Protocol: link.ProtoTCP, Src: four1, Dst: four2, Options: []link.IPOption{{Kind: link.IPNop}}, Payload: segment(t, four1, four2)})
}

func packet6(t testing.TB, next link.Protocol, payload []byte) []byte {
	return encode(t, &link.IPv6{HopLimit: 64, Next: next, Src: six1, Dst: six2, Payload: payload})
}

// show writes what Decode found as a line.
func show(layer link.Layer, b []byte) string {
	var p link.Packet
	err := link.Decode(layer, b, &p)
	s := fmt.Sprintf("%v > %v %s ttl %d", p.Src, p.Dst, p.Proto, p.TTL)
	if p.VLAN != 0 {
		s += fmt.Sprintf(" vlan %d", p.VLAN)
	}
	if p.Fragment {
		s += fmt.Sprintf(" fragment %d at %d more %t", p.FragID, p.FragOff, p.MoreFrags)
	}
	if p.Flags != 0 {
		s += fmt.Sprintf(" %s seq %d ack %d win %d", p.Flags, p.Seq, p.Ack, p.Window)
	}
	if p.Payload >= 0 {
		s += fmt.Sprintf(" %q", b[p.Payload:p.PayloadEnd])
	}
	if p.Missing > 0 {
		s += fmt.Sprintf(" and %d more", p.Missing)
	}
	if err != nil {
		s += ": " + err.Error()
	}
	return s
}

func TestDecode(t *testing.T) {
	v4, v6 := packet4(t), packet6(t, link.ProtoTCP, segment(t, six1, six2))
	const tcp4 = `192.168.0.1:50000 > 192.168.0.199:22 TCP ttl 64`
	const rest = ` PSH,ACK seq 7 ack 8 win 9 "hello"`
	const tcp6 = `[2001:db8::1]:50000 > [2001:db8::2]:22 TCP ttl 64`
	ether := func(kind link.EtherType, b []byte) []byte {
		return encode(t, &link.Ethernet{Type: kind, Payload: b})
	}
	vlan := func(id uint16, kind link.EtherType, b []byte) []byte {
		return encode(t, &link.VLAN{ID: id, Type: kind, Payload: b})
	}
	options := func(next link.Protocol, b []byte) []byte {
		return encode(t, &link.IPv6Extension{Next: next, Data: make([]byte, 14), Payload: b})
	}
	udp := encode(t, (&link.UDP{SrcPort: 5, DstPort: 53, Payload: []byte("query")}).Over(six1, six2))
	offload := bytes.Clone(v4)
	offload[2], offload[3] = 0, 0
	for _, row := range []struct {
		name  string
		layer link.Layer
		b     []byte
		want  string
	}{
		{"raw ipv4", link.LayerIP, v4, tcp4 + rest},
		{"raw ipv6", link.LayerIP, v6, tcp6 + rest},
		{"ethernet", link.LayerEthernet, ether(link.EtherIPv4, v4), tcp4 + rest},
		{"ethernet with padding", link.LayerEthernet, ether(link.EtherIPv4, slices.Concat(v4, make([]byte, 9))), tcp4 + rest},
		{"two tags", link.LayerEthernet, ether(link.EtherQinQ, vlan(1, link.EtherVLAN, vlan(2, link.EtherIPv6, v6))), tcp6 + " vlan 2" + rest},
		{"loopback", link.LayerLoopback, encode(t, &link.Loopback{Family: link.FamilyIPv4, Payload: v4}), tcp4 + rest},
		{"loopback, little-endian", link.LayerLoopback, append([]byte{30, 0, 0, 0}, v6...), tcp6 + rest},
		{"cooked", link.LayerSLL, encode(t, &link.SLL{Type: link.EtherIPv4, Payload: v4}), tcp4 + rest},
		{"cooked, version 2", link.LayerSLL2, encode(t, &link.SLL2{Type: link.EtherIPv6, Payload: v6}), tcp6 + rest},
		{"segmentation offload", link.LayerIP, offload, tcp4 + rest},
		{"extension headers", link.LayerIP, packet6(t, link.ProtoHopByHop, options(link.ProtoDestOpts, options(link.ProtoTCP, segment(t, six1, six2)))), tcp6 + rest},
		{
			"authentication header", link.LayerIP,
			packet6(t, link.ProtoAH, slices.Concat([]byte{6, 1}, make([]byte, 10), segment(t, six1, six2))), tcp6 + rest,
		},
		{
			"atomic fragment", link.LayerIP,
			packet6(t, link.ProtoFragment, encode(t, &link.IPv6Fragment{Next: link.ProtoTCP, ID: 5, Payload: segment(t, six1, six2)})), tcp6 + rest,
		},
		{
			"ipv6 fragment", link.LayerIP,
			packet6(t, link.ProtoFragment, encode(t, &link.IPv6Fragment{Next: link.ProtoTCP, FragOff: 2, MF: true, ID: 5, Payload: []byte("piece")})),
			`[2001:db8::1]:0 > [2001:db8::2]:0 TCP ttl 64 fragment 5 at 16 more true "piece"`,
		},
		{
			"ipv4 fragment", link.LayerIP, encode(t, &link.IPv4{TTL: 1, FragOff: 3, ID: 9, Protocol: link.ProtoUDP, Src: four1, Dst: four2, Payload: []byte("piece")}),
			`192.168.0.1:0 > 192.168.0.199:0 UDP ttl 1 fragment 9 at 24 more false "piece"`,
		},
		{"udp", link.LayerIP, packet6(t, link.ProtoUDP, udp), `[2001:db8::1]:5 > [2001:db8::2]:53 UDP ttl 64 "query"`},
		{"udp cut by the capture", link.LayerIP, packet6(t, link.ProtoUDP, udp)[:50], `[2001:db8::1]:5 > [2001:db8::2]:53 UDP ttl 64 "qu" and 3 more`},
		{"tcp cut by the capture", link.LayerIP, v4[:len(v4)-2], strings.Replace(tcp4+rest, `"hello"`, `"hel" and 2 more`, 1)},
		{"arp", link.LayerEthernet, ether(link.EtherARP, make([]byte, 28)), `invalid AddrPort > invalid AddrPort hop-by-hop options ttl 0: ` + link.ErrUnknown.Error()},
		{"icmp", link.LayerIP, packet6(t, link.ProtoICMPv6, make([]byte, 8)), `[2001:db8::1]:0 > [2001:db8::2]:0 ICMPv6 ttl 64: ` + link.ErrUnknown.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := show(row.layer, row.b); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
			if err := link.Decode(row.layer, row.b[:3], new(link.Packet)); !errors.Is(err, link.ErrShort) {
				t.Errorf("the first 3 bytes: error = %v, want %v", err, link.ErrShort)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	v4 := packet4(t)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(v4)
		b[at] = to
		return b
	}
	tags := encode(t, &link.Ethernet{Type: link.EtherVLAN, Payload: bytes.Repeat([]byte{0, 1, 0x81, 0}, 1000)})
	chain := packet6(t, link.ProtoHopByHop, make([]byte, 8*1000))
	jumbo := packet6(t, link.ProtoUDP, []byte{0, 1, 0, 2, 0, 7, 0, 0})
	for _, row := range []struct {
		name  string
		layer link.Layer
		b     []byte
		want  error
	}{
		{"no layer", link.LayerNone, v4, link.ErrUnknown},
		{"version 5", link.LayerIP, change(0, 0x56), link.ErrUnknown},
		{"header of four words", link.LayerIP, change(0, 0x44), link.ErrHeader},
		{"shorter than its header", link.LayerIP, change(3, 23), link.ErrHeader},
		{"no room for tcp", link.LayerIP, change(3, 43), link.ErrHeader},
		{"tcp header of four words", link.LayerIP, change(36, 0x40), link.ErrHeader},
		{"tcp header longer than the packet", link.LayerIP, change(36, 0xf0), link.ErrHeader},
		{"udp shorter than its header", link.LayerIP, jumbo, link.ErrHeader},
		{"tags without end", link.LayerEthernet, tags, link.ErrHeader},
		{"extension headers without end", link.LayerIP, chain, link.ErrHeader},
		{"ethernet says 4, packet says 6", link.LayerEthernet, encode(t, &link.Ethernet{Type: link.EtherIPv4, Payload: packet6(t, 6, nil)}), link.ErrHeader},
		{"family of nobody", link.LayerLoopback, []byte{0, 0, 0, 99}, link.ErrUnknown},
		{"cut in the tcp header", link.LayerIP, v4[:30], link.ErrShort},
	} {
		if err := link.Decode(row.layer, row.b, new(link.Packet)); !errors.Is(err, row.want) {
			t.Errorf("%s: error = %v, want %v", row.name, err, row.want)
		}
	}
}

// TestDecodeAgreesWithTheMessages makes random IP packets and compares what
// the fast path says with what the vocabulary says.
func TestDecodeAgreesWithTheMessages(t *testing.T) {
	src := rand.New(rand.NewPCG(1, 2))
	full := 0
	for range 3000 {
		var seg link.TCP
		if _, err := wire.Generate(&seg, wire.Dialect{}, src, nil); err != nil {
			t.Fatal(err)
		}
		var b []byte
		var ttl uint8
		if src.IntN(2) == 0 {
			ip := &link.IPv4{TTL: uint8(src.Uint32()), Protocol: link.ProtoTCP, Src: four1, Dst: four2, Payload: encode(t, &seg)}
			b, ttl = encode(t, ip), ip.TTL
		} else {
			ip := &link.IPv6{HopLimit: uint8(src.Uint32()), Next: link.ProtoTCP, Src: six1, Dst: six2, Payload: encode(t, &seg)}
			b, ttl = encode(t, ip), ip.HopLimit
		}
		var p link.Packet
		if err := link.Decode(link.LayerIP, b, &p); err != nil {
			t.Fatalf("Decode(%x): %v", b, err)
		}
		if p.Src.Port() != seg.SrcPort || p.Dst.Port() != seg.DstPort || p.Seq != seg.Seq || p.Ack != seg.Ack ||
			p.Flags != seg.Flags || p.Window != seg.Window || p.TTL != ttl || !bytes.Equal(b[p.Payload:p.PayloadEnd], seg.Payload) {
			t.Fatalf("Decode = %+v, the message is %+v\nbytes %x", p, seg, b)
		}
		full++
	}
	if full != 3000 {
		t.Errorf("%d packets were compared, want 3000", full)
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	v4, v6 := packet4(t), packet6(t, link.ProtoICMP, nil)
	var p link.Packet
	if got := testing.AllocsPerRun(1000, func() {
		_ = link.Decode(link.LayerIP, v4, &p)
		_ = link.Decode(link.LayerIP, v6, &p)
		_ = link.Decode(link.LayerEthernet, v6, &p)
	}); got > 0 {
		t.Errorf("Decode allocates %v times, want 0", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint8(link.LayerIP), packet4(f))
	f.Add(uint8(link.LayerIP), packet6(f, link.ProtoTCP, segment(f, six1, six2)))
	f.Add(uint8(link.LayerEthernet), encode(f, &link.Ethernet{Type: link.EtherVLAN, Payload: []byte{0, 1, 8, 0, 0x45}}))
	f.Fuzz(func(t *testing.T, layer uint8, b []byte) {
		var p link.Packet
		err := link.Decode(link.Layer(layer%8), b, &p)
		switch {
		case err != nil && !errors.Is(err, link.ErrShort) && !errors.Is(err, link.ErrHeader) && !errors.Is(err, link.ErrUnknown):
			t.Fatalf("error = %v", err)
		case err == nil && (p.Payload < 0 || p.Payload > p.PayloadEnd || p.PayloadEnd > len(b) || p.Missing < 0):
			t.Fatalf("payload %d to %d, %d missing, of %d bytes", p.Payload, p.PayloadEnd, p.Missing, len(b))
		case err == nil && p.Missing > 0 && p.PayloadEnd != len(b):
			t.Fatalf("%d bytes missing behind byte %d of %d", p.Missing, p.PayloadEnd, len(b))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	frame := encode(b, &link.Ethernet{Type: link.EtherIPv4, Payload: packet4(b)})
	b.ReportAllocs()
	var p link.Packet
	for b.Loop() {
		if err := link.Decode(link.LayerEthernet, frame, &p); err != nil {
			b.Fatal(err)
		}
	}
}
