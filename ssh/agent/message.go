package agent

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/wire"
)

// maxFrame is the largest message that OpenSSH's agent takes or sends
// (AGENT_MAX_LEN).
const maxFrame = 256 << 10

// messages is the registry of the part of the protocol that is spoken here
// (RFC 9987 §6.1).
var messages = wire.NewRegistry("agent",
	wire.Entry{Number: 5, Name: "SSH_AGENT_FAILURE", From: wire.FromServer, Section: "RFC 9987 §3.1", New: wire.New[failure]},
	wire.Entry{Number: 11, Name: "SSH_AGENTC_REQUEST_IDENTITIES", From: wire.FromClient, Section: "RFC 9987 §3.5", New: wire.New[requestIdentities]},
	wire.Entry{Number: 12, Name: "SSH_AGENT_IDENTITIES_ANSWER", From: wire.FromServer, Section: "RFC 9987 §3.5", New: wire.New[identitiesAnswer]},
	wire.Entry{Number: 13, Name: "SSH_AGENTC_SIGN_REQUEST", From: wire.FromClient, Section: "RFC 9987 §3.6", New: wire.New[signRequest]},
	wire.Entry{Number: 14, Name: "SSH_AGENT_SIGN_RESPONSE", From: wire.FromServer, Section: "RFC 9987 §3.6", New: wire.New[signResponse]},
)

// failure says no, without a reason.
type failure struct{}

func (*failure) Fields(*wire.Coder) {}

// requestIdentities asks for the public keys of the agent.
type requestIdentities struct{}

func (*requestIdentities) Fields(*wire.Coder) {}

// identitiesAnswer lists the public keys of the agent.
type identitiesAnswer struct {
	identities []identity
}

func (m *identitiesAnswer) Fields(c *wire.Coder) {
	const minIdentity = 8 // two empty strings
	wire.List(c, "identities", minIdentity, &m.identities, (*identity).fields)
}

type identity struct {
	key     []byte // a public key in wire form; aliases the message
	comment string
}

func (m *identity) fields(c *wire.Coder) {
	c.Bytes("key", &m.key)
	c.Text("comment", &m.comment)
}

// signRequest asks for a signature over data.
type signRequest struct {
	key   []byte
	data  []byte
	flags signFlags
}

func (m *signRequest) Fields(c *wire.Coder) {
	c.Bytes("key", &m.key)
	c.Bytes("data", &m.data)
	wire.Enum32(c, "flags", &m.flags)
}

// signFlags choose among the algorithms of an RSA key (RFC 9987 §3.6.1).
type signFlags uint32

const (
	flagRSASHA256 signFlags = 2
	flagRSASHA512 signFlags = 4
)

func (f signFlags) String() string {
	switch f {
	case 0:
		return "none"
	case flagRSASHA256:
		return "SSH_AGENT_RSA_SHA2_256"
	case flagRSASHA512:
		return "SSH_AGENT_RSA_SHA2_512"
	}
	return fmt.Sprintf("0x%08x", uint32(f))
}

// signResponse is the signature, in its wire form.
type signResponse struct {
	signature []byte // aliases the message
}

func (m *signResponse) Fields(c *wire.Coder) { c.Bytes("signature", &m.signature) }

// appendFrame appends a message behind its length (RFC 9987 §3).
func appendFrame(dst []byte, m wire.Message) ([]byte, error) {
	start := len(dst)
	b, err := messages.Append(append(dst, 0, 0, 0, 0), m, wire.Dialect{})
	if err != nil {
		return dst, err
	}
	n := len(b) - start - 4
	if n > maxFrame {
		return dst, fmt.Errorf("a question of %d bytes, an agent takes at most %d", n, maxFrame)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(n))
	return b, nil
}

// readFrame reads one message without its length.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxFrame {
		return nil, fmt.Errorf("%w: an answer of %d bytes, 1 to %d are allowed", ErrProtocol, n, maxFrame)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}
