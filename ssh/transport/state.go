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
