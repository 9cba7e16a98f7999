// Package sftpdecode reads SFTP sessions that others speak: live packets from
// a tracer, or the two byte streams of a decrypted SSH channel, with holes.
//
// [Factory] makes decoders for the rest of the program. A decoder cuts the
// streams into packets, decodes each as the session's version and its request
// demand, finds the request that a reply answers, and adds the path that a
// handle stands for as the derived field "path". It follows the rules of
// [sftp.Flow] and puts what breaks them into the message's Err.
//
// After a hole it goes on behind the packet that the hole is in, when the
// size of the hole is known and not larger than that packet; otherwise it
// looks for the next packet whose inner lengths all agree.
//
// Memory is bounded: one incomplete packet for each direction (at most
// [MaxPacket]), and tables of unanswered requests and open handles.
package sftpdecode

import (
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
)

// MaxPacket is the longest packet that a decoder takes for one, in bytes
// without the length field. It is far above what any server takes by default
// and what the largest do: 4 MiB of data (asyncssh).
const MaxPacket = 4<<20 + 1<<10

// Factory makes decoders for SFTP.
var Factory = trace.Factory{Proto: "sftp", Detect: detect, New: New}

// New returns a decoder of one session.
func New(o trace.Options) trace.Decoder {
	d := &decoder{emit: o.Emit, path: o.Path, pending: make(map[uint64]asked), handles: make(map[string]string)}
	return d
}

// detect knows a session by its first packets: INIT and VERSION, with the
// length of the packet in front.
func detect(c2s, s2c []byte) trace.Verdict {
	a, b := first(c2s, sftp.NumInit), first(s2c, sftp.NumVersion)
	switch {
	case a == trace.No || b == trace.No:
		return trace.No
	case a == trace.Yes || b == trace.Yes:
		return trace.Yes
	}
	return trace.Maybe
}

// first judges the first bytes of one direction.
func first(b []byte, number byte) trace.Verdict {
	const least, most, maxVersion = 5, 34000, 99
	head := []byte{0, 0, 0, 0, number, 0, 0, 0, 0}
	for i := range min(len(b), len(head)) {
		switch i {
		case 2, 3, 8: // the length's low half and the version
		default:
			if b[i] != head[i] {
				return trace.No
			}
		}
	}
	if len(b) < len(head) {
		return trace.Maybe
	}
	n := int(b[2])<<8 | int(b[3])
	if n < least || n > most || b[8] > maxVersion {
		return trace.No
	}
	return trace.Yes
}
