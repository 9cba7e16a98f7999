package sftpserver_test

import (
	"context"
	"fmt"
	"net"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// A server on one end of a pipe answers what the other end asks.
func Example() {
	client, server := net.Pipe()
	done := make(chan error)
	go func() { // stops when client is closed
		done <- sftpserver.Serve(context.Background(), server, backend.Memory(0), nil)
	}()

	ask, err := sftp.AppendPacket(nil, &sftp.Init{Version: 3}, sftp.Dialect(3))
	if err != nil {
		panic(err)
	}
	if _, err := client.Write(ask); err != nil {
		panic(err)
	}
	packet, err := sftp.NewPacketReader(client, 0).ReadPacket(nil)
	if err != nil {
		panic(err)
	}
	var v sftp.VersionReply
	if err := sftp.Parse(packet, &v, sftp.Dialect(3)); err != nil {
		panic(err)
	}
	fmt.Println("version", v.Version, "with", v.Extensions[0].Name)
	client.Close()
	fmt.Println("ended with", <-done)
	// Output:
	// version 3 with posix-rename@openssh.com
	// ended with <nil>
}
