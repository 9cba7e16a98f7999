// Package kex is the arithmetic of SSH key exchange: what the messages 30–49
// carry, the shared secret, and the exchange hash (RFC 4253 §§7–8). It does no
// I/O, and does not sign or verify: that needs the host key, which its caller
// has.
//
// A [Method] makes the halves of one exchange, which take the other side's
// messages and give ours, so that methods of any number of messages look
// alike:
//
//	client                                  server
//	Start()        ── KEX_ECDH_INIT ──▶     Next(packet) → Values
//	                                        sign Hash(…), Reply(hostKey, signature)
//	Next(packet)   ◀─ KEX_ECDH_REPLY ──
//	→ Values, Signed
package kex

import (
	"crypto"
	"crypto/ecdh"
	_ "crypto/sha1"   // for crypto.SHA1
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"fmt"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// A Method is a key-exchange method.
type Method struct {
	Name   string
	Hash   crypto.Hash // of the exchange hash and the key derivation
	Legacy bool        // for old peers: must not be offered unless asked for

	NewClient func() (Client, error)
	NewServer func() Server
	overhear  func(client, server wire.Message, secret []byte) *Values
}

// Client is the client's half of one exchange.
type Client interface {
	// Start returns the first message to send.
	Start() wire.Message
	// Next takes a packet of the server, whose number is between 30 and 49. It
	// returns either a message to send, or the outcome. What it returns does
	// not alias packet.
	Next(packet []byte) (send wire.Message, done *Values, err error)
}

// Server is the server's half of one exchange.
type Server interface {
	// Next is as for the client, but the outcome is not yet signed: the caller
	// computes the exchange hash and sends what Reply returns.
	Next(packet []byte) (send wire.Message, done *Values, err error)
	// Reply returns the last message. It keeps its arguments.
	Reply(hostKey, signature []byte) wire.Message
}

// Values are the outcome of an exchange.
type Values struct {
	K      []byte // the shared secret as it is hashed: an mpint or a string, with its length
	Public []byte // what stands between host key and K in the exchange hash

	HostKey, Signature []byte // from the server's last message; on the server empty
}

// LogSecret returns the secret in the form of a key log: the body of K.
func (v *Values) LogSecret() []byte { return v.K[4:] }

func legacy(m Method) Method {
	m.Legacy = true
	return m
}

// Methods returns all methods, the preferred one first.
func Methods() []Method {
	return []Method{
		octets("mlkem768x25519-sha256", crypto.SHA256, mlkem768x25519{}, secretString),
		octets("curve25519-sha256", crypto.SHA256, curve25519{}, secretMPInt),
		octets("curve25519-sha256@libssh.org", crypto.SHA256, curve25519{}, secretMPInt),
		octets("ecdh-sha2-nistp256", crypto.SHA256, nist{ecdh.P256()}, secretMPInt),
		octets("ecdh-sha2-nistp384", crypto.SHA384, nist{ecdh.P384()}, secretMPInt),
		octets("ecdh-sha2-nistp521", crypto.SHA512, nist{ecdh.P521()}, secretMPInt),
		finite("diffie-hellman-group16-sha512", crypto.SHA512, group16),
		finite("diffie-hellman-group14-sha256", crypto.SHA256, group14),
		legacy(finite("diffie-hellman-group14-sha1", crypto.SHA1, group14)),
	}
}

// Find returns the method with the given name.
func Find(name string) (Method, bool) {
	for _, m := range Methods() {
		if m.Name == name {
			return m, true
		}
	}
	return Method{}, false
}

// Inputs are what both sides must agree on. RFC 4253 §8.
type Inputs struct {
	ClientVersion, ServerVersion []byte // identification lines without their ends
	ClientInit, ServerInit       []byte // payloads of the KEXINITs
	HostKey                      []byte
	Public, K                    []byte // from Values
}

// Fields is the layout that is hashed.
func (in *Inputs) Fields(c *wire.Coder) {
	c.Bytes("v_c", &in.ClientVersion)
	c.Bytes("v_s", &in.ServerVersion)
	c.Bytes("i_c", &in.ClientInit)
	c.Bytes("i_s", &in.ServerInit)
	c.Bytes("k_s", &in.HostKey)
	c.Raw("public", len(in.Public), &in.Public)
	c.Raw("k", len(in.K), &in.K)
}

// Hash returns the exchange hash H. RFC 4253 §8.
func Hash(hash crypto.Hash, in *Inputs) ([]byte, error) {
	b, err := wire.Append(nil, in, wire.Dialect{})
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(b)
	return h.Sum(nil), nil
}

// octetString is a string, mpint an integer, each with its length.
type octetString []byte

func (s octetString) Fields(c *wire.Coder) { c.Bytes("octets", (*[]byte)(&s)) }

type mpint []byte

func (m mpint) Fields(c *wire.Coder) { c.MPInt("integer", (*[]byte)(&m)) }

func encode(dst []byte, m wire.Message) []byte {
	b, err := wire.Append(dst, m, wire.Dialect{})
	if err != nil {
		panic("internal error: " + err.Error()) // both kinds of values are short and well-formed
	}
	return b
}

func parse(packet []byte, m wire.Message) error {
	if e := ssh.Messages.Entry(m); len(packet) == 0 || packet[0] != e.Number {
		return fmt.Errorf("%s expected, not another message", e.Name)
	}
	return ssh.Parse(packet, m)
}
