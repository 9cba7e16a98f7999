package ssh

import "github.com/wirelark/wirelark/wire"

// KexDHInit carries the client's DH public value. RFC 4253 §8.
type KexDHInit struct {
	E []byte // mpint body, 1 < e < p-1; aliases the packet
}

func (m *KexDHInit) Fields(c *wire.Coder) { c.MPInt("e", &m.E) }

// KexDHReply carries the server's host key, its DH public value, and its
// signature of the exchange hash. RFC 4253 §8.
type KexDHReply struct {
	HostKey   []byte // public key blob; aliases the packet
	F         []byte // mpint body, 1 < f < p-1; aliases the packet
	Signature []byte // signature blob; aliases the packet
}

func (m *KexDHReply) Fields(c *wire.Coder) {
	c.Bytes("host_key", &m.HostKey)
	c.MPInt("f", &m.F)
	c.Bytes("signature", &m.Signature)
}

// KexECDHInit carries the client's ephemeral public value: a point (RFC 5656
// §4), 32 bytes for curve25519 (RFC 8731 §3), or an ML-KEM-768 encapsulation
// key and an X25519 value, 1184 + 32 bytes, for mlkem768x25519-sha256.
type KexECDHInit struct {
	Public []byte // aliases the packet
}

func (m *KexECDHInit) Fields(c *wire.Coder) { c.Bytes("q_c", &m.Public) }

// KexECDHReply answers a [KexECDHInit]; for mlkem768x25519-sha256 the public
// value is an ML-KEM-768 ciphertext and an X25519 value, 1088 + 32 bytes.
type KexECDHReply struct {
	HostKey   []byte // public key blob; aliases the packet
	Public    []byte // aliases the packet
	Signature []byte // signature blob; aliases the packet
}

func (m *KexECDHReply) Fields(c *wire.Coder) {
	c.Bytes("host_key", &m.HostKey)
	c.Bytes("q_s", &m.Public)
	c.Bytes("signature", &m.Signature)
}

// KexGexRequest asks for a group whose size is between Min and Max bits.
// RFC 4419 §3.
type KexGexRequest struct {
	Min, N, Max uint32 // bits
}

func (m *KexGexRequest) Fields(c *wire.Coder) {
	c.U32("min", &m.Min)
	c.U32("n", &m.N)
	c.U32("max", &m.Max)
}

// KexGexRequestOld is [KexGexRequest] as older clients send it: with the
// wanted size alone. RFC 4419 §5.
type KexGexRequestOld struct {
	N uint32 // bits
}

func (m *KexGexRequestOld) Fields(c *wire.Coder) { c.U32("n", &m.N) }

// KexGexGroup is the server's choice of a group. RFC 4419 §3.
type KexGexGroup struct {
	P, G []byte // mpint bodies; alias the packet
}

func (m *KexGexGroup) Fields(c *wire.Coder) {
	c.MPInt("p", &m.P)
	c.MPInt("g", &m.G)
}

// KexGexInit is [KexDHInit] in the negotiated group. RFC 4419 §3.
type KexGexInit struct {
	E []byte // mpint body; aliases the packet
}

func (m *KexGexInit) Fields(c *wire.Coder) { c.MPInt("e", &m.E) }

// KexGexReply is [KexDHReply] in the negotiated group. RFC 4419 §3.
type KexGexReply struct {
	HostKey   []byte // public key blob; aliases the packet
	F         []byte // mpint body; aliases the packet
	Signature []byte // signature blob; aliases the packet
}

func (m *KexGexReply) Fields(c *wire.Coder) {
	c.Bytes("host_key", &m.HostKey)
	c.MPInt("f", &m.F)
	c.Bytes("signature", &m.Signature)
}
