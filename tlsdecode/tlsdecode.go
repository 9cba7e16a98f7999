// Package tlsdecode opens the records of TLS 1.2 and 1.3 with secrets from a
// key log, for decoders of protocols that run inside.
//
// It is a layer and no protocol: nothing is emitted, the application data of
// each direction comes out as chunks of a stream, with the frames they came
// from. Every authentication tag is verified. Behind a hole in the capture it
// finds its place again with the tag as oracle, and says how much is missing by
// a Gap.
//
//	d := tlsdecode.New(trace.Options{Secret: secrets.Find}, func(c trace.Chunk) { … })
//	d.Feed(chunk)
//
// Known are the cipher suites with AES-GCM and ChaCha20-Poly1305 of both
// versions, and those with AES-CBC of version 1.2. A direction for which there
// is no secret, or whose beginning was not seen, stays closed: see
// [Decoder.Blind]. Early data and renegotiation are not opened. It holds at
// most one record in each direction, and the bytes of one handshake message.
package tlsdecode

import (
	"crypto/sha256"

	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Decoder opens one TLS connection. It implements [trace.Decoder].
type Decoder struct {
	options trace.Options
	plain   func(trace.Chunk)

	version      uint16 // 0: not known yet
	suite        *suite
	clientRandom []byte
	serverRandom []byte
	encryptFirst bool // the MAC is that of the ciphertext, RFC 7366

	dirs [2]direction
}

// direction is what is known of what one side sends.
type direction struct {
	in        input
	open      opener // nil: in the clear, or closed
	secret    []byte // TLS 1.3: of the keys in use
	protected bool   // records are encrypted from here on
	blind     bool   // and cannot be opened
	finished  bool   // TLS 1.3: the handshake keys are done with
	handshake []byte // an incomplete handshake message
	missing   bool   // application data is missing in front of the next
}

// New returns a decoder that gives the application data of both directions to
// plain. Of o it uses Secret and Budget.
func New(o trace.Options, plain func(trace.Chunk)) *Decoder {
	return &Decoder{options: o, plain: plain}
}

// Layer opens TLS for [trace.Options].
func Layer(name string, o trace.Options, plain func(trace.Chunk)) trace.Decoder {
	if name != "tls" {
		return nil
	}
	return New(o, plain)
}

// Blind reports whether a direction cannot be opened.
func (d *Decoder) Blind() bool { return d.dirs[wire.C2S].blind || d.dirs[wire.S2C].blind }

// Feed takes a piece of the encrypted stream.
func (d *Decoder) Feed(c trace.Chunk) {
	if c.Packet {
		return // of a layer below
	}
	s := &d.dirs[c.Dir]
	if s.blind {
		return
	}
	if !s.in.add(d.options.Budget, c) {
		d.lose(s)
		return
	}
	for !s.blind {
		if s.in.lost && !d.resume(c.Dir) {
			break
		}
		r, ok := s.in.next()
		if !ok {
			if s.in.bad {
				s.in.lost, s.in.bad = true, false
				if s.open == nil {
					d.lose(s)
				}
				continue
			}
			break
		}
		if d.record(c.Dir, r); !s.blind {
			s.in.done(r)
		}
	}
	s.in.keep(d.options.Budget)
}

// Close frees what is held.
func (d *Decoder) Close() {
	for i := range d.dirs {
		d.dirs[i].in.drop(d.options.Budget)
	}
}

// lose gives a direction up.
func (d *Decoder) lose(s *direction) {
	s.blind = true
	s.in.drop(d.options.Budget)
}

// Content types. RFC 8446 §5.1.
const (
	changeCipherSpec = 20
	alert            = 21
	handshake        = 22
	applicationData  = 23
)

// record deals with one whole record.
func (d *Decoder) record(dir wire.Dir, r record) {
	s := &d.dirs[dir]
	if r.kind == changeCipherSpec && (d.version == tls13 || d.version == 0) {
		return // for middleboxes only, RFC 8446 §D.4
	}
	kind, body := r.kind, r.body
	if s.protected {
		if s.open == nil && !d.findKeys(dir) {
			d.lose(s)
			return
		}
		var ok bool
		if kind, body, ok = s.open.open(r); !ok {
			s.in.lost = true
			return
		}
	}
	d.content(dir, kind, body, r.spans)
}

// content deals with what was in a record.
func (d *Decoder) content(dir wire.Dir, kind byte, body []byte, spans []trace.Span) {
	s := &d.dirs[dir]
	switch kind {
	case changeCipherSpec:
		s.protected, s.open = true, nil
	case handshake:
		d.messages(dir, body)
	case applicationData:
		if len(body) > 0 {
			c := trace.Chunk{Dir: dir, Data: body, Time: s.in.time, Spans: spans}
			if s.missing {
				c.Gap, s.missing = -1, false
			}
			d.plain(c)
		}
	}
}

// findKeys sets the opener of a direction that has begun to encrypt.
func (d *Decoder) findKeys(dir wire.Dir) bool {
	s := &d.dirs[dir]
	if d.suite == nil || d.options.Secret == nil {
		return false
	}
	if d.version == tls13 {
		label := [2]string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"}[dir]
		if s.finished {
			label = [2]string{"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}[dir]
		}
		secret, ok := d.options.Secret(keylog.TLS(label, d.clientRandom))
		return ok && d.use13(s, secret)
	}
	master, ok := d.options.Secret(keylog.TLS("CLIENT_RANDOM", d.clientRandom))
	return ok && d.use12(s, dir, master)
}

// use13 begins to use keys derived from a traffic secret. RFC 8446 §7.3.
func (d *Decoder) use13(s *direction, secret []byte) bool {
	aead, iv, err := d.suite.keys13(secret)
	if err != nil {
		return false
	}
	s.secret, s.open = secret, &aead13{aead: aead, iv: iv}
	return true
}

// use12 begins to use keys derived from the master secret. RFC 5246 §6.3.
func (d *Decoder) use12(s *direction, dir wire.Dir, master []byte) bool {
	seed := append(append([]byte(nil), d.serverRandom...), d.clientRandom...)
	block := prf12(d.suite.hash, master, "key expansion", seed, 2*(d.suite.mac+d.suite.key+d.suite.iv))
	take := func(n int) (mine []byte) {
		mine = block[int(dir)*n : int(dir)*n+n]
		block = block[2*n:]
		return mine
	}
	mac, key, iv := take(d.suite.mac), take(d.suite.key), take(d.suite.iv)
	var err error
	s.open, err = d.suite.open12(mac, key, iv, d.encryptFirst)
	return err == nil
}

const (
	tls12 = 0x0303
	tls13 = 0x0304
)

// helloRetry is the random by which a ServerHello is a HelloRetryRequest. RFC
// 8446 §4.1.3.
var helloRetry = sha256.Sum256([]byte("HelloRetryRequest"))
