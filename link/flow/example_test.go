package flow_test

import (
	"fmt"
	"log"
	"net/netip"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/trace"
)

// printer is a sink that prints what it is fed.
type printer struct{}

func (printer) Feed(c trace.Chunk) {
	fmt.Printf("%s %q, missing before it: %d\n", c.Dir, c.Data, c.Gap)
}
func (printer) Note(n flow.Note) { fmt.Println(n) }
func (printer) Close()           { fmt.Println("closed") }

// Segments that were captured out of order come out as a stream.
func Example() {
	table := flow.New(flow.Options{Open: func(c *flow.Conversation) flow.Sink {
		fmt.Println(c.Client, "to", c.Server)
		return printer{}
	}})
	src, dst := netip.MustParseAddrPort("192.0.2.1:50000"), netip.MustParseAddrPort("192.0.2.2:22")
	for i, m := range []*link.TCP{
		{Seq: 100, Flags: link.SYN},
		{Seq: 107, Flags: link.ACK, Payload: []byte("-test")},
		{Seq: 101, Flags: link.ACK, Payload: []byte("SSH-2.")},
		{Seq: 120, Flags: link.ACK, Payload: []byte("later")},
	} {
		packet, err := link.AppendTCP(nil, src, dst, m)
		if err != nil {
			log.Fatal(err)
		}
		table.Feed(&capture.Frame{N: i + 1, Link: capture.LinkRaw, Data: packet})
	}
	table.Close()
	// Output:
	// 192.0.2.1:50000 to 192.0.2.2:22
	// c2s "SSH-2.", missing before it: 0
	// c2s "-test", missing before it: 0
	// c2s "later", missing before it: 8
	// closed
}
