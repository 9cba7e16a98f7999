package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/transport"
)

// A client that knows the server's key, and a server that turns everybody
// away.
func Example() {
	ctx := context.Background()
	clientSide, serverSide := testkit.Pipe()
	key, _ := keys.Generate("ed25519", 0)

	go func() { // stops when the server has said good-bye
		s, err := transport.Server(ctx, serverSide, &transport.ServerConfig{HostKeys: []keys.Signer{key}})
		if err != nil {
			return
		}
		if _, err := s.ReadPacket(); err == nil {
			_ = s.Disconnect(ssh.ServiceNotAvailable, "closed on Sundays")
		}
	}()

	c, err := transport.Client(ctx, clientSide, &transport.ClientConfig{
		HostKey: func(_ context.Context, k transport.HostKey) error {
			if !bytes.Equal(k.Key.Marshal(), key.PublicKey().Marshal()) {
				return errors.New("not the key I know")
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_ = c.Send(ctx, &ssh.ServiceRequest{Service: "ssh-userauth"})
	_, err = c.ReadPacket()
	fmt.Println(c.State().Algorithms.Kex)
	fmt.Println(err)
	// Output:
	// mlkem768x25519-sha256
	// the peer disconnected: SERVICE_NOT_AVAILABLE: closed on Sundays
}
