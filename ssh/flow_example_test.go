package ssh_test

import (
	"fmt"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

func ExampleFlow() {
	var flow ssh.Flow
	packet, err := ssh.Append(nil, &ssh.ServiceRequest{Service: ssh.ServiceUserAuth})
	if err != nil {
		fmt.Println(err)
	}
	m, entry, err := flow.Next(wire.C2S, packet)
	fmt.Println(entry.Name)
	fmt.Println(err)
	if err := ssh.Parse(packet, m); err != nil {
		fmt.Println(err)
	}
	_, err = flow.Saw(wire.C2S, m)
	fmt.Println(err)
	// Output:
	// SSH_MSG_SERVICE_REQUEST
	// SSH_MSG_SERVICE_REQUEST from the client: not before the first key exchange (RFC 4253 §7.1)
	// <nil>
}
