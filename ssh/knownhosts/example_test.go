package knownhosts_test

import (
	"context"
	"fmt"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
)

func Example() {
	store, err := knownhosts.Load("testdata/known_hosts")
	if err != nil {
		panic(err)
	}
	checker := &knownhosts.Checker{Store: store, Policy: knownhosts.Strict}
	fmt.Println(checker.HostKeyAlgorithms("several.example:22"))

	key, _, err := keys.LoadPublic("testdata/rsa.pub") // what the host has shown
	if err != nil {
		panic(err)
	}
	fmt.Println(checker.CheckHostKey(context.Background(), "several.example:22", key))
	fmt.Println(checker.CheckHostKey(context.Background(), "plain.example:22", key) == nil)
	// Output:
	// [ecdsa-sha2-nistp256 ssh-ed25519 rsa-sha2-512 rsa-sha2-256]
	// <nil>
	// false
}
