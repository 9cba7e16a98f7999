// Package wire turns bytes into fields and fields into bytes.
//
// A message states its layout once, in a Fields method that calls the Coder
// for one field after another, in wire order. That one method encodes,
// decodes and describes the message, so a client, a server and a decoder
// cannot disagree about it:
//
//	func (m *Write) Fields(c *wire.Coder) {
//		c.U32("id", &m.ID)
//		c.Bytes("handle", &m.Handle)
//		c.U64("offset", &m.Offset)
//		c.Bytes("data", &m.Data)
//	}
//
// [Append] encodes, [Parse] decodes, [Describe] decodes and reports every
// field with its name, bit range and value, up to the break when the bytes are
// broken. A [Registry] knows which number is which message; a [Dialect] holds
// what negotiation fixed and layouts depend on.
//
// Rules of a Fields method, all proved for every registered message by
// package wiretest:
//
//   - It never assigns to its message except through the Coder, so encoding
//     leaves the message as it was.
//   - Every bit of the input belongs to exactly one leaf field; reserved and
//     padding bits are fields too.
//   - A field that decides about later ones has been coded before it is asked.
//   - Field names are lower_snake, unique in their group, and part of the
//     public contract of everything that prints messages.
//   - Decoded byte slices alias the input and are valid as long as it is;
//     strings are copies.
//
// Wire does no I/O, knows no protocol and imports only the standard library.
// A message is limited to 2 GiB - 1 bytes; the packet layers of the protocols
// set far lower limits before wire sees a byte.
package wire

// A Message is a sequence of fields. Fields calls the methods of c for one
// field after another, in wire order; see the package comment for its rules.
type Message interface {
	Fields(c *Coder)
}

// Dir is the direction in which bytes travel. It is absolute: both ends of a
// connection name the same bytes alike.
type Dir uint8

const (
	C2S Dir = iota // client to server
	S2C            // server to client
)

// String returns "c2s" or "s2c".
func (d Dir) String() string {
	if d == C2S {
		return "c2s"
	}
	return "s2c"
}

// Reverse returns the other direction.
func (d Dir) Reverse() Dir { return d ^ 1 }

// Dialect is what a negotiation fixed and later layouts depend on: a protocol
// version, a set of capabilities. It is opaque here; each vocabulary packs and
// reads it through accessors of its own. It is comparable, and its zero value
// is the dialect before any negotiation.
type Dialect [3]uint64
