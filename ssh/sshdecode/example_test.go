package sshdecode_test

import (
	"fmt"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshdecode"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func ExampleNew() {
	d := sshdecode.New(trace.Options{Emit: func(m *trace.Message) {
		fmt.Println(m.Dir, m.Name)
		for _, f := range m.Fields {
			fmt.Printf("  %s: %v\n", f.Name, f.Value)
		}
	}})
	packet, err := ssh.Append(nil, &ssh.Disconnect{Reason: ssh.ByApplication, Description: "bye"})
	if err != nil {
		fmt.Println(err)
	}
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: []byte("SSH-2.0-example"), Packet: true})
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: packet, Packet: true})
	d.Close()
	// Output:
	// c2s identification
	//   identification: SSH-2.0-example
	// c2s SSH_MSG_DISCONNECT
	//   number: 1
	//   reason_code: BY_APPLICATION
	//   description: bye
	//   language_tag:
}
