package sshtest

import (
	"fmt"
	"io"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

func exitSignal(name string) ssh.ExitSignal {
	return ssh.ExitSignal{Signal: name, CoreDumped: name == "ABRT", Message: "ended by " + name}
}

// fill writes two streams one after the other, so that a client that reads
// only one at a time never gets to the end.
func fill(s *sshserver.Session, args string) error {
	var out, err int64
	if _, e := fmt.Sscan(args, &out, &err); e != nil {
		return e
	}
	if _, e := io.CopyN(s.Stderr(), zeros{}, err); e != nil {
		return e
	}
	_, e := io.CopyN(s, zeros{}, out)
	return e
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
