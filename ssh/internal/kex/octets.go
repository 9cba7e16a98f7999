package kex

import (
	"bytes"
	"crypto"
	"errors"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// An agreement is a method of two messages with one octet string each: RFC
// 5656 §4, RFC 8731 and the hybrids with ML-KEM.
type agreement interface {
	// offer makes the client's ephemeral key. finish makes the secret K, with
	// its length, of the server's public value.
	offer() (public []byte, finish func(server []byte) (k []byte, err error), err error)
	// accept makes the server's public value and K of the client's value.
	accept(client []byte) (public, k []byte, err error)
}

func octets(name string, hash crypto.Hash, a agreement, k func(secret []byte) []byte) Method {
	return Method{
		Name: name,
		Hash: hash,
		NewClient: func() (Client, error) {
			public, finish, err := a.offer()
			return &octetsClient{public: public, finish: finish}, err
		},
		NewServer: func() Server { return &octetsServer{agreement: a} },
		overhear:  overhearOctets(k),
	}
}

var errDone = errors.New("the key exchange is already complete")

type octetsClient struct {
	public []byte
	finish func([]byte) ([]byte, error)
}

func (c *octetsClient) Start() wire.Message { return &ssh.KexECDHInit{Public: c.public} }

func (c *octetsClient) Next(packet []byte) (wire.Message, *Values, error) {
	var m ssh.KexECDHReply
	if c.finish == nil {
		return nil, nil, errDone
	}
	if err := parse(packet, &m); err != nil {
		return nil, nil, err
	}
	k, err := c.finish(m.Public)
	if err != nil {
		return nil, nil, err
	}
	c.finish = nil
	return nil, &Values{
		K:         k,
		Public:    encode(encode(nil, octetString(c.public)), octetString(m.Public)),
		HostKey:   bytes.Clone(m.HostKey),
		Signature: bytes.Clone(m.Signature),
	}, nil
}

type octetsServer struct {
	agreement agreement
	public    []byte
}

func (s *octetsServer) Next(packet []byte) (wire.Message, *Values, error) {
	var m ssh.KexECDHInit
	if s.public != nil {
		return nil, nil, errDone
	}
	if err := parse(packet, &m); err != nil {
		return nil, nil, err
	}
	public, k, err := s.agreement.accept(m.Public)
	if err != nil {
		return nil, nil, err
	}
	s.public = public
	return nil, &Values{
		K:      k,
		Public: encode(encode(nil, octetString(m.Public)), octetString(public)),
	}, nil
}

func (s *octetsServer) Reply(hostKey, signature []byte) wire.Message {
	return &ssh.KexECDHReply{HostKey: hostKey, Public: s.public, Signature: signature}
}
