package main

import (
	"context"
	"slices"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/ssh/transport"
)

// handshakes measures connecting, key exchange and login without a proof.
func handshakes(_ context.Context, e *env) ([]figure, error) {
	e.mention("Client and server in this process, one after another: TCP connection, key exchange with an Ed25519 host key, login by method none, close. OpenSSH's programs would be measured by starting processes.")
	const count = 40
	var all []figure
	for _, kex := range kexMethods() {
		f := figure{name: kex, unit: "1/s", goals: []goal{{theirs, 1}}}
		for _, column := range []int{ours, theirs} {
			al := algorithms{kex: kex}
			s, err := libraries[column].serve(al, "")
			if err != nil {
				return nil, err
			}
			e.later(s.stop)
			f.run[column] = func(ctx context.Context) (float64, error) {
				began := time.Now()
				for range count {
					c, err := libraries[column].dial(ctx, s, al)
					if err != nil {
						return 0, err
					}
					_ = c.Close()
				}
				return count / time.Since(began).Seconds(), nil
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// kexMethods are those that both libraries know, each once.
func kexMethods() []string {
	theirs := append(xssh.SupportedAlgorithms().KeyExchanges, xssh.InsecureAlgorithms().KeyExchanges...)
	return slices.DeleteFunc(transport.Supported().Kex, func(name string) bool {
		return !slices.Contains(theirs, name) || name == "curve25519-sha256@libssh.org" // the same under an older name
	})
}
