package kex

import (
	"bytes"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// Overhear returns the outcome of an exchange of two messages to somebody who
// saw both and was told the shared secret as a key log holds it: the body of
// the mpint, with or without the zero octet of its sign, or the string. It
// returns nil when the messages are not those of the method.
func (m Method) Overhear(client, server wire.Message, secret []byte) *Values {
	return m.overhear(client, server, secret)
}

// overhearOctets is for the methods of two octet strings; k encodes the
// secret.
func overhearOctets(k func([]byte) []byte) func(client, server wire.Message, secret []byte) *Values {
	return func(client, server wire.Message, secret []byte) *Values {
		c, ok1 := client.(*ssh.KexECDHInit)
		s, ok2 := server.(*ssh.KexECDHReply)
		if !ok1 || !ok2 {
			return nil
		}
		return &Values{
			K:         k(secret),
			Public:    encode(encode(nil, octetString(c.Public)), octetString(s.Public)),
			HostKey:   bytes.Clone(s.HostKey),
			Signature: bytes.Clone(s.Signature),
		}
	}
}

func secretMPInt(secret []byte) []byte { return encode(nil, mpint(wire.MPIntBody(secret))) }

// secretString is for methods whose K is a string,
// draft-ietf-sshm-mlkem-hybrid-kex §2.4.
func secretString(secret []byte) []byte { return encode(nil, octetString(secret)) }

func overhearModp(client, server wire.Message, secret []byte) *Values {
	c, ok1 := client.(*ssh.KexDHInit)
	s, ok2 := server.(*ssh.KexDHReply)
	if !ok1 || !ok2 {
		return nil
	}
	return &Values{
		K:         secretMPInt(secret),
		Public:    encode(encode(nil, mpint(c.E)), mpint(s.F)),
		HostKey:   bytes.Clone(s.HostKey),
		Signature: bytes.Clone(s.Signature),
	}
}
