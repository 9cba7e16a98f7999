package transport

import (
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/trace"
)

// State is a snapshot of a connection. Its slices must not be changed.
type State struct {
	Role          trace.Role
	LocalVersion  string // our identification line, as "SSH-2.0-Wirelark_0.1"
	PeerVersion   string // the peer's, without line end
	SessionID     []byte
	Algorithms    ssh.Algorithms // of the newest key exchange
	HostKey       keys.PublicKey // the server's, in both roles
	Strict        bool           // strict key exchange: OpenSSH PROTOCOL §1.9
	Extensions    []ssh.Extension
	Authenticated bool

	Rekeying     bool      // a key exchange is under way
	KeyExchanges int       // completed ones
	KeysSince    time.Time // when the newest keys were taken into use

	Sent, Received Counters
}

// Counters count one direction since the beginning of the connection.
type Counters struct {
	Packets uint64
	Bytes   uint64 // on the wire, behind the identification line
}

// Extension returns the value of an extension that the peer announced (RFC
// 8308 §2.3): "server-sig-algs", "ping@openssh.com".
func (s *State) Extension(name string) (value []byte, ok bool) {
	for _, e := range s.Extensions {
		if e.Name == name {
			return e.Value, true
		}
	}
	return nil, false
}

const extPing = "ping@openssh.com"

// AnswersPing reports whether the peer has announced that it answers
// [ssh.Ping]. It does once the user has been let in.
func (s *State) AnswersPing() bool {
	v, ok := s.Extension(extPing)
	return ok && string(v) == "0" // OpenSSH PROTOCOL §1.8
}
