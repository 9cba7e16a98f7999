// Package trace is the seam between sessions that speak a protocol and
// whatever looks at what they say.
//
// A session that is given a [Tracer] opens one [Conn] on it and reports its
// wire bytes, its plaintext packets, its secrets and its events. A session
// without one compares a nil and goes on. Package record turns the calls into
// text, JSON or a capture file.
//
// A [Decoder] is the other half: it eats [Chunk]s, live packets or
// reassembled streams from a capture, and emits [Message]s. It is the same
// decoder for both, so what we speak and what we read back is one list.
//
// [Text] and [JSON] render messages, a [Filter] chooses some of them, and
// [Factories] find the decoder for a conversation.
//
// Trace knows the fields of package wire and no protocol.
package trace

import (
	"net"

	"github.com/wirelark/wirelark/wire"
)

// Role is the part that the traced end plays.
type Role uint8

const (
	Client Role = iota
	Server
)

// Sends returns the direction of the bytes that this role sends.
func (r Role) Sends() wire.Dir {
	if r == Client {
		return wire.C2S
	}
	return wire.S2C
}

// Info describes a connection when it is opened.
type Info struct {
	Proto         string // "ssh", "sftp": the name of the decoder that understands its packets
	Role          Role
	Local, Remote net.Addr // of the socket; nil for what runs inside something else
	Parent        Conn     // for what runs inside something else: the carrying connection
	Channel       uint32   // for what runs inside something else: the client's number of the carrying channel
	Label         string   // for what runs inside something else: what it is, as "subsystem sftp"
}

// ClientAddr is the address of the client's end of the socket.
func (i Info) ClientAddr() net.Addr {
	if i.Role == Client {
		return i.Local
	}
	return i.Remote
}

// ServerAddr is the address of the server's end of the socket.
func (i Info) ServerAddr() net.Addr {
	if i.Role == Server {
		return i.Local
	}
	return i.Remote
}

// A Tracer opens connections to be looked at. It is safe for concurrent use.
type Tracer interface {
	// Open returns the hook for a new connection. It may return nil for a
	// connection that nobody wants to see.
	Open(Info) Conn
}

// Conn is what a session calls. Calls for one direction come from one
// goroutine at a time and in wire order; the directions may be concurrent. A
// Conn may make the session wait (it loses nothing) but never fails.
type Conn interface {
	// Wire reports bytes as sent on or received from the socket. b is valid
	// during the call.
	Wire(dir wire.Dir, b []byte)

	// Packet reports one plaintext packet: a received one before it is
	// dispatched, one to be sent under the output lock before it is sealed.
	// b is valid during the call.
	Packet(dir wire.Dir, b []byte)

	// Secret reports a key log line, without line end, before any packet that
	// the secret protects and before the packet that lets a reader derive its
	// place: for SSH before the key-exchange reply is sent or dispatched.
	Secret(line string)

	// Event reports something that is not a packet.
	Event(Event)

	// Close says that nothing more will come. err is why the session ended,
	// nil when it was closed on purpose.
	Close(err error)
}

// Event is something that happened to a session beside its packets.
type Event struct {
	Kind   Kind
	Detail string // for people
}

// Kind is the kind of an [Event].
type Kind uint8

const (
	// KexStart says that a key exchange begins: a secret will follow, and wire
	// bytes from here on should be held until it has come. It is reported
	// before our KEXINIT is queued.
	KexStart Kind = iota
	// KexEnd says that the key exchange is over, with or without a secret.
	KexEnd
	// Authenticated says that the peer has been let in.
	Authenticated
	// Note is a remark about the session.
	Note
)
