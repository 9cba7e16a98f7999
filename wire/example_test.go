package wire_test

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// Greeting is a message: one method states its layout.
type Greeting struct {
	Version uint32
	Name    string
	Key     []byte
}

func (m *Greeting) Fields(c *wire.Coder) {
	c.U32("version", &m.Version)
	c.Text("name", &m.Name)
	c.SecretBytes("key", &m.Key)
}

func Example() {
	b, err := wire.Append(nil, &Greeting{Version: 1, Name: "lark"}, wire.Dialect{})
	fmt.Printf("%x %v\n", b, err)

	var m Greeting
	err = wire.Parse(b, &m, wire.Dialect{})
	fmt.Println(m.Version, m.Name, err)

	err = wire.Parse(b[:6], &m, wire.Dialect{})
	fmt.Println(err)
	// Output:
	// 00000001000000046c61726b00000000 <nil>
	// 1 lark <nil>
	// wire_test.Greeting: name at byte 4: message ends too early
}

func ExampleDescribe() {
	b, _ := wire.Append(nil, &Greeting{Version: 1, Name: "lark"}, wire.Dialect{})
	fields, err := wire.Describe(b[:12], new(Greeting), wire.Dialect{})
	for _, f := range fields {
		off, n := f.Bytes()
		fmt.Printf("%-9s bytes %d to %d: %v\n", f.Name, off, off+n, f.Value)
	}
	fmt.Println(err)
	// Output:
	// version   bytes 0 to 4: 1
	// name      bytes 4 to 12: lark
	// wire_test.Greeting: key at byte 12: message ends too early
}

func ExampleRegistry() {
	registry := wire.NewRegistry("hello",
		wire.Entry{Number: 1, Name: "GREETING", From: wire.FromClient, Section: "§1", New: wire.New[Greeting]},
	)
	packet, _ := registry.Append(nil, &Greeting{Version: 1, Name: "lark"}, wire.Dialect{})

	e := registry.Find("", packet[0])
	m := e.New()
	fmt.Println(e.Name, registry.Parse(packet, m, wire.Dialect{}), m.(*Greeting).Name)
	// Output: GREETING <nil> lark
}
