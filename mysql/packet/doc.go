// Package packet is the framing of the MySQL and MariaDB client–server
// protocol: packets with their sequence numbers, payloads beyond 16 MiB joined
// and split, compression with zlib and zstd, the switch to TLS, and bounds for
// all of it.
//
//	 0            3     4                          4+length
//	┌─────────────┬─────┬──────────────────────────┐
//	│ length, LE  │ seq │ payload                  │   a packet
//	└─────────────┴─────┴──────────────────────────┘
//	 0            3     4              7
//	┌─────────────┬─────┬──────────────┬───────────┐
//	│ length, LE  │ seq │ plain length │ data …    │   a compressed frame
//	└─────────────┴─────┴──────────────┴───────────┘
//
// A [Conn] reads and writes on a net.Conn, as either party. A [Splitter] takes
// apart what others say: it does no I/O and copes with holes, for decoders of
// captured traffic. "Payload" everywhere means the joined bytes of a message
// without their packet headers.
//
// A client's conversation, as one command and its answer:
//
//	c.Begin()                            // numbers start again at 0
//	err := c.Append(&mysql.Query{SQL: sql}) // built in the output buffer
//	err = c.Flush()
//	payload, err := c.ReadPacket()       // lent until the next call
//	c.Rest()                             // nothing more is expected: give buffers back
//
// Limits: a payload is at most 1 GiB unless [Conn.SetLimit] says otherwise, and
// memory for it grows as its bytes arrive, not as its header announces. A
// compressed frame never yields more than the 16 MiB that its header can
// declare, nor more than it does declare.
//
// The package knows nothing of what payloads mean, except that a packet from
// the server that begins with 0xff is an error, which a server that gives up
// sends whenever it likes: such a packet is never refused for its number.
package packet
