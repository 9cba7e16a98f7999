// Package transport is the secure packet connection beneath SSH: version
// exchange, key exchange, host key verification, rekeying and encrypted
// packets, in either role (RFC 4253, RFC 8308, strict key exchange and ping of
// OpenSSH's PROTOCOL).
//
//	c, err := transport.Client(ctx, nc, &transport.ClientConfig{HostKey: check})
//	...
//	for {
//		packet, err := c.ReadPacket() // one goroutine
//		...
//	}
//
// It knows nothing of users and channels: packets numbered 5, 6, 50 and above
// belong to its caller. Ping, ignore, debug, unimplemented, disconnect,
// extension info and everything about key exchange are handled inside.
//
// # Who may call what
//
// One goroutine reads: it calls ReadPacket and nothing else does. While it
// deals with a packet it must not wait for the connection; for its own answers
// it has [Conn.Queue], [Conn.Reject] and [Conn.Wake], which never wait. All
// other methods may be called from any goroutine at any time, also while
// ReadPacket waits.
//
// [Conn.Send] and [Conn.SendData] wait while the output is full and during a
// key exchange; they need the reader to go on reading, for the peer's half of
// a key exchange comes through it. They never wait for the socket while
// holding a lock.
//
// # Writing
//
// Packets are built and sealed in place in one of two output buffers under a
// short lock, and written outside of it, a batch at a time. The connection's
// own goroutine does that, so small packets gather in the other buffer while
// one is written, without timers. A sender of bulk data who finds nobody
// writing writes its batch itself, for some milliseconds at most.
//
// # Limits
//
// A connection holds at most one received packet that is not complete, 256 KiB
// of packets that wait for the socket per buffer, and 128 KiB of the reader's
// answers that a key exchange holds back. A peer that makes the reader answer
// more without reading the answers is disconnected.
package transport
