package link_test

import (
	"fmt"
	"log"
	"net/netip"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/wire"
)

// A packet is built from its headers, read back in one step, and described
// field by field.
func Example() {
	client, server := netip.MustParseAddrPort("192.0.2.1:50000"), netip.MustParseAddrPort("192.0.2.2:22")
	packet, err := link.AppendTCP(nil, client, server, &link.TCP{Seq: 100, Flags: link.SYN, Window: 65535})
	if err != nil {
		log.Fatal(err)
	}

	var p link.Packet
	if err := link.Decode(link.LayerIP, packet, &p); err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Src, "to", p.Dst, p.Proto, p.Flags)

	var ip link.IPv4
	if err := wire.Parse(packet, &ip, wire.Dialect{}); err != nil {
		log.Fatal(err)
	}
	fields, err := wire.Describe(ip.Payload, new(link.TCP).Over(ip.Src, ip.Dst), wire.Dialect{})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range fields[4:] {
		fmt.Printf("%s=%v ", f.Name, f.Value)
	}
	fmt.Println()
	// Output:
	// 192.0.2.1:50000 to 192.0.2.2:22 TCP SYN
	// header_length=5 reserved=0 flags=SYN window=65535 checksum=26644 urgent_pointer=0 options=<nil> payload=[] checksum_ok=true
}
