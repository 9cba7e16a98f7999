package cli

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// cmdAsker starts a server that lets in who answers two questions with TEXT.
func cmdAsker(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: asker NAME TEXT")
	}
	key, err := keys.Generate("ed25519", 0)
	ts.Check(err)
	s := &sshserver.Server{
		HostKeys: []keys.Signer{key},
		KeyboardInteractive: func(_ context.Context, _ sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
			right := true
			for _, q := range []ssh.Prompt{{Text: "Password: "}, {Text: "Code\x1b[31m: ", Echo: true}} {
				answers, err := ask("Two factors", "Ask \x1b[1mada.", q)
				if err != nil {
					return nil, err
				}
				right = right && answers[0] == args[1]
			}
			if !right {
				return nil, nil
			}
			return &sshserver.Grant{}, nil
		},
		Exec: func(_ context.Context, s *sshserver.Session) error {
			_, err := io.WriteString(s, "you are in\n")
			return err
		},
	}
	s.Limits.FailureDelay = -1
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	setAddr(ts, args[0], l.Addr().String())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }() // stops with Close
	ts.Defer(func() {
		if err := s.Close(); err != nil {
			ts.Logf("asker: %v", err)
		}
		if err := <-ended; !errors.Is(err, sshserver.ErrServerClosed) {
			ts.Logf("asker: %v", err)
		}
	})
}
