package kex

import (
	"bytes"
	"strings"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// Overhear returns the outcome of an exchange of two messages to somebody who
// saw both and was told the shared secret as a key log holds it: the body of
// the mpint, with or without the zero octet of its sign, or the string.
func (m Method) Overhear(client *ssh.KexECDHInit, server *ssh.KexECDHReply, secret []byte) *Values {
	var k []byte
	if strings.HasPrefix(m.Name, "mlkem") { // K is a string, draft-ietf-sshm-mlkem-hybrid-kex §2.4
		k = encode(nil, octetString(secret))
	} else {
		k = encode(nil, mpint(wire.MPIntBody(secret)))
	}
	return &Values{
		K:         k,
		Public:    encode(encode(nil, octetString(client.Public)), octetString(server.Public)),
		HostKey:   bytes.Clone(server.HostKey),
		Signature: bytes.Clone(server.Signature),
	}
}
