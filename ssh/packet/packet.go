package packet

import (
	"fmt"

	"github.com/wirelark/wirelark/ssh"
)

// MaxLength is the largest packet length field that is accepted: OpenSSH's
// PACKET_MAX_SIZE. RFC 4253 §6.1 asks for at least 35,000.
const MaxLength = 256 << 10

// Kind says what is wrong with a packet.
type Kind uint8

const (
	BadLength  Kind = iota + 1 // too small, too large, or not a multiple of the block size
	BadPadding                 // less than 4, or leaves no payload
	BadMAC                     // the packet was changed on its way, or the keys differ
	BadPayload                 // compressed data that cannot be inflated within the limit
	BadWrap                    // more than 2^32 packets before the first keys
	Overflow                   // new keys were needed, and the peer sent more than it may before them
)

// Error says why a packet was refused.
type Error struct {
	Kind  Kind
	Seq   uint32 // sequence number of the packet
	Value int64  // the offending length or padding
	Local bool   // we tried to make such a packet; otherwise the peer sent it
	Err   error  // from a decompressor; usually nil
}

// Reason returns the reason for a disconnect that follows from the error.
func (e *Error) Reason() ssh.DisconnectReason {
	switch e.Kind {
	case BadMAC:
		return ssh.MACError
	case BadPayload:
		return ssh.CompressionError
	}
	return ssh.ProtocolError
}

func (e *Error) Error() string {
	who := "received"
	if e.Local {
		who = "own"
	}
	s := fmt.Sprintf("%s packet %d: ", who, e.Seq)
	switch e.Kind {
	case BadLength:
		return s + fmt.Sprintf("bad packet length %d", e.Value)
	case BadPadding:
		return s + fmt.Sprintf("bad padding length %d", e.Value)
	case BadMAC:
		return s + "message authentication failed"
	case BadPayload:
		return s + fmt.Sprintf("bad compressed payload: %v", e.Err)
	case BadWrap:
		return s + "sequence number wrapped before the first keys"
	case Overflow:
		return s + "too much was sent without the new keys that were asked for"
	}
	return s + "refused"
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
