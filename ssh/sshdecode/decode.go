// Package sshdecode turns an SSH conversation that others hold into messages:
// the plaintext packets that a traced session reports, or the two byte streams
// of a captured connection, which it decrypts where it is told the secrets.
//
// It has two layers. The stream layer reads identification lines and binary
// packets, computes the exchange hash of every key exchange, derives the keys
// from logged secrets and opens the packets with package packet; after a hole
// in a capture it finds the next packet with the authentication tag as oracle
// (not under aes-ctr, when it is not known how many bytes are missing).
// The packet layer follows the connection with an [ssh.Flow], describes every
// message, finds the message that each reply answers, and hands the data of
// channels to the decoders of inner protocols, labelled "subsystem sftp",
// "exec …", "shell" or "direct-tcpip host:port".
//
// What a stranger must not see is marked: passwords and answers by the
// vocabulary, signatures and the data of unknown authentication methods here,
// and what is typed into a terminal by Message.Hide.
//
// Limits: ciphers and key exchange methods are those that package transport
// speaks; compressed connections stay unread. Memory is bounded: one
// incomplete packet, or what a search looks at, for each direction, 256 inner
// decoders; many decoders together by a [trace.Budget], which counts what the
// stream layer holds.
package sshdecode

import (
	"bytes"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Factory makes decoders for SSH. Package see and package record take it.
var Factory = trace.Factory{Proto: "ssh", Detect: Detect, New: New}

// New returns a decoder. It takes chunks of both kinds: whole packets, among
// which the identification lines stand first and without their line ends, or
// pieces of the two streams. One decoder gets chunks of one kind only.
func New(o trace.Options) trace.Decoder {
	return &decoder{packets: packets{opts: o}}
}

type decoder struct {
	packets packets
	stream  *stream // nil until the first piece of a stream
}

func (d *decoder) Feed(c trace.Chunk) {
	if c.Packet {
		d.packets.whole(c)
		return
	}
	if d.stream == nil {
		d.stream = newStream(&d.packets)
	}
	d.stream.feed(c)
}

func (d *decoder) Close() {
	if d.stream != nil {
		d.stream.close()
	}
	d.packets.close()
}

// Blind reports whether a direction cannot be read any more.
func (d *decoder) Blind() bool {
	return d.stream != nil && (d.stream.half[wire.C2S].state == inDark || d.stream.half[wire.S2C].state == inDark)
}

const identPrefix = "SSH-"

// maxIdent is the longest identification line and the most bytes of lines
// before it. RFC 4253 §4.2 allows 255 in one; servers may send lines before.
const maxIdent = 8 << 10

// Detect recognises SSH by an identification line. A server may send other
// lines before it. RFC 4253 §4.2.
func Detect(c2s, s2c []byte) trace.Verdict {
	client, server := identified(c2s), identified(s2c)
	switch {
	case client == trace.Yes || server == trace.Yes:
		return trace.Yes
	case client == trace.No:
		return trace.No
	case server == trace.No && (len(s2c) > maxIdent || !isText(s2c)):
		return trace.No
	}
	return trace.Maybe
}

// identified judges whether b begins an identification line, possibly behind
// other lines.
func identified(b []byte) trace.Verdict {
	if bytes.HasPrefix(b, []byte(identPrefix)) || bytes.Contains(b[:min(len(b), maxIdent)], []byte("\n"+identPrefix)) {
		return trace.Yes
	}
	if len(b) < len(identPrefix) && identPrefix[:len(b)] == string(b) {
		return trace.Maybe
	}
	return trace.No
}

func isText(b []byte) bool {
	for _, c := range b[:min(len(b), maxIdent)] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// sender names the side that sends in a direction, for notes.
func sender(d wire.Dir) string {
	if d == wire.C2S {
		return "client"
	}
	return "server"
}
