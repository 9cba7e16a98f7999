package agent_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wirelark/wirelark/ssh/agent"
	"github.com/wirelark/wirelark/ssh/keys"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := agent.System(ctx)
	if errors.Is(err, agent.ErrNoAgent) {
		return // go on with keys from files
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	list, err := client.List(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range list {
		fmt.Println(keys.Fingerprint(key.PublicKey()), key.Comment)
	}
}
