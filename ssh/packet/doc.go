// Package packet is the binary packet protocol of SSH (RFC 4253 §6): lengths,
// padding, encryption and authentication of single packets, the derivation of
// their keys, and a [Packetizer] that reads and writes them on a net.Conn.
//
// A [Sealer] makes packets of one direction, an [Opener] takes them apart.
// They do no I/O. They are the only implementation of SSH's packet
// cryptography: connections, decoders and tests use the same.
//
// Ciphers: "none", aes128-gcm@openssh.com, aes256-gcm@openssh.com and
// chacha20-poly1305@openssh.com. See [Supported].
package packet
