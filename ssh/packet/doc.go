// Package packet is the binary packet protocol of SSH (RFC 4253 §6): lengths,
// padding, encryption and authentication of single packets, the derivation of
// their keys, and a [Packetizer] that reads and writes them on a net.Conn.
//
// A [Sealer] makes packets of one direction, an [Opener] takes them apart.
// They do no I/O. They are the only implementation of SSH's packet
// cryptography: connections, decoders and tests use the same.
//
// Ciphers: "none", aes128-gcm@openssh.com, aes256-gcm@openssh.com,
// chacha20-poly1305@openssh.com, and aes128-ctr, aes192-ctr and aes256-ctr with
// hmac-sha2-256 or hmac-sha2-512, over the plaintext or (-etm) over the
// ciphertext. For old peers there are aes-cbc and hmac-sha1. See [Ciphers],
// [MACs] and [IsLegacy].
package packet
