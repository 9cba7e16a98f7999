package tlsdecode

import (
	"bytes"

	"github.com/wirelark/wirelark/wire"
)

// Handshake message types. RFC 8446 §4.
const (
	clientHello = 1
	serverHello = 2
	finished    = 20
	keyUpdate   = 24
)

// maxHandshake bounds a handshake message: certificates are the largest.
const maxHandshake = 256 << 10

// messages deals with a piece of the handshake stream.
func (d *Decoder) messages(dir wire.Dir, b []byte) {
	s := &d.dirs[dir]
	s.handshake = append(s.handshake, b...)
	for len(s.handshake) >= 4 {
		n := int(s.handshake[1])<<16 | int(s.handshake[2])<<8 | int(s.handshake[3])
		if n > maxHandshake {
			s.handshake = nil
			return
		}
		if len(s.handshake) < 4+n {
			return
		}
		d.message(dir, s.handshake[0], s.handshake[4:4+n])
		s.handshake = s.handshake[4+n:]
	}
	if len(s.handshake) == 0 {
		s.handshake = nil
	}
}

func (d *Decoder) message(dir wire.Dir, kind byte, body []byte) {
	s := &d.dirs[dir]
	switch kind {
	case clientHello:
		var m hello
		if dir == wire.C2S && wire.Parse(body, &m, wire.Dialect{}) == nil {
			d.clientRandom = bytes.Clone(m.random[:])
		}
	case serverHello:
		if dir == wire.S2C {
			d.serverHello(body)
		}
	case finished:
		// RFC 8446 §7.1: behind Finished the handshake keys are done with.
		if d.version == tls13 && s.protected && !s.finished {
			s.finished, s.open = true, nil
		}
	case keyUpdate: // RFC 8446 §7.2
		if d.version == tls13 && s.finished && s.secret != nil {
			d.use13(s, d.suite.expand(s.secret, "traffic upd", d.suite.hash().Size()))
		}
	}
}

func (d *Decoder) serverHello(body []byte) {
	m := hello{server: true}
	if wire.Parse(body, &m, wire.Dialect{}) != nil || m.random == helloRetry {
		return
	}
	d.serverRandom = bytes.Clone(m.random[:])
	d.version = m.version
	for _, x := range m.extensions {
		switch {
		case x.kind == extSupportedVersions && len(x.data) == 2:
			d.version = uint16(x.data[0])<<8 | uint16(x.data[1])
		case x.kind == extEncryptThenMAC:
			d.encryptFirst = true
		}
	}
	d.suite = findSuite(d.version, m.suite)
	if d.version == tls13 {
		d.dirs[wire.C2S].protected, d.dirs[wire.S2C].protected = true, true
	}
}

const (
	extEncryptThenMAC    = 22 // RFC 7366
	extSupportedVersions = 43 // RFC 8446 §4.2.1
)

// hello is a ClientHello or, with server set, a ServerHello. RFC 8446 §4.1.2
// and §4.1.3, RFC 5246 §7.4.1.
type hello struct {
	server bool

	version     uint16
	random      [32]byte
	session     []byte
	suite       uint16 // the server's choice
	suites      []byte // the client's offer
	compression []byte
	extensions  []extension
	extended    bool
}

type extension struct {
	kind uint16
	data []byte
}

func (m *hello) Fields(c *wire.Coder) {
	c.U16("legacy_version", &m.version)
	c.Fixed("random", m.random[:])
	c.Bytes8("session_id", &m.session)
	if m.server {
		c.U16("cipher_suite", &m.suite)
		c.Raw("compression_method", 1, &m.compression)
	} else {
		c.Bytes16("cipher_suites", &m.suites)
		c.Bytes8("compression_methods", &m.compression)
	}
	if !c.Tail(&m.extended) {
		return
	}
	var size uint16
	if !c.Decoding() {
		for _, x := range m.extensions {
			size += uint16(4 + len(x.data))
		}
	}
	c.U16("extensions_length", &size)
	wire.ListWithin(c, "extensions", int(size), &m.extensions, func(x *extension, c *wire.Coder) {
		c.U16("extension_type", &x.kind)
		c.Bytes16("extension_data", &x.data)
	})
}
