package auth_test

import (
	"fmt"

	"github.com/wirelark/wirelark/mysql/auth"
)

// Both halves of one login. What travels between them is up to the callers.
func Example() {
	account, err := auth.NewAccount(auth.CachingSHA2, "secret") // kept by the server
	if err != nil {
		fmt.Println(err)
		return
	}
	nonce := auth.NewNonce() // in the greeting

	client := auth.NewExchange(&auth.Config{Passwords: []string{"secret"}, Local: true}, auth.CachingSHA2, nonce)
	server := account.Session(&auth.Login{Nonce: nonce, Secure: true})

	plugin, data, err := client.First() // in the handshake response
	fmt.Println(plugin, len(data), err)
	for {
		reply, verdict := server.Next(data)
		fmt.Printf("server: %x, accepted: %v\n", reply, verdict == auth.Accepted)
		if verdict != auth.More {
			return
		}
		if data, err = client.More(reply); err != nil { // in an AuthMoreData
			fmt.Println(err)
			return
		}
		fmt.Printf("client: %q\n", data)
	}
	// Output:
	// caching_sha2_password 32 <nil>
	// server: 04, accepted: false
	// client: "secret\x00"
	// server: , accepted: true
}
