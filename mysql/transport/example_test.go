package transport_test

import (
	"context"
	"fmt"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/mysql/transport"
	"github.com/wirelark/wirelark/trace"
)

// Both halves of a connection phase, at the two ends of a pipe.
func Example() {
	clientEnd, serverEnd := testkit.Pipe()
	ctx := context.Background()
	done := make(chan error, 1)
	go func() { done <- serve(ctx, packet.New(serverEnd, &packet.Config{Role: trace.Server})) }() // stops behind the OK

	h := transport.NewClientHalf(packet.New(clientEnd, nil), &transport.ClientConfig{User: "ada", Passwords: []string{"secret"}})
	var step transport.Step
	ok, err := h.Enter(ctx, &step)
	if err != nil {
		fmt.Println(step, err)
		return
	}
	fmt.Println(h.Server.Version, ok.Status, <-done)
	// Output: 8.4.0-example SERVER_STATUS_AUTOCOMMIT <nil>
}

// serve lets ada in.
func serve(ctx context.Context, pc *packet.Conn) error {
	h := transport.NewServerHalf(pc, &transport.ServerConfig{
		Version: "8.4.0-example", ConnectionID: 1, Capabilities: transport.OfferedMySQL, Plugin: auth.Native, Collation: 255,
	})
	if err := h.Greet(ctx); err != nil {
		return err
	}
	account, err := auth.NewAccount(auth.Native, "secret")
	if err != nil {
		return err
	}
	accepted, _, err := h.Prove([]auth.Verifier{account})
	if err != nil || !accepted || h.Client.User != "ada" {
		return fmt.Errorf("%q is not let in: %w", h.Client.User, err)
	}
	if err := pc.Append(&mysql.OK{Status: mysql.StatusAutocommit}); err != nil {
		return err
	}
	if err := pc.Flush(); err != nil {
		return err
	}
	return h.Compress()
}
