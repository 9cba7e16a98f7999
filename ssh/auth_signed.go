package ssh

import "github.com/wirelark/wirelark/wire"

// signed is what a publickey signature covers: the session id as a string, and
// the request up to the signature. RFC 4252 §7.
type signed struct {
	sessionID []byte
	request   []byte
}

func (m *signed) Fields(c *wire.Coder) {
	c.Bytes("session_identifier", &m.sessionID)
	c.Rest("request", &m.request)
}

// SignedData returns what the signature of a publickey request covers,
// whatever HasSignature and Signature are. RFC 4252 §7.
func (m *UserAuthRequest) SignedData(sessionID []byte) ([]byte, error) {
	r := *m
	r.HasSignature, r.Signature = true, nil
	packet, err := Append(nil, &r)
	if err != nil {
		return nil, err
	}
	packet = packet[:len(packet)-4] // without the length of the signature
	return wire.Append(nil, &signed{sessionID, packet}, wire.Dialect{})
}
