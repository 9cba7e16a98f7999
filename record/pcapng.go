package record

import (
	"bytes"
	"io"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// pcapng is the sink of capture files.
type pcapng struct {
	w         *capture.Writer
	options   Options
	wireIndex int // of the wire's interface
	secrets   keylog.Secrets
	conns     map[*conn]*captured
	opened    int                      // connections so far
	inner     int                      // interfaces of inner streams so far
	shared    map[capture.LinkType]int // the newest of them
	held      int                      // connections that are held
	firstErr  error
}

// captured is the state of one connection.
type captured struct {
	sink    *pcapng
	tcp     *tcp
	decoder trace.Decoder
	mysql   *mysqlInner // of a MySQL connection; else nil

	// From KexStart until the secret has come, because a reader needs the
	// secret in front of the frame with the reply.
	holding   bool
	since     time.Time
	held      []held
	heldBytes int
}

// held is a run of bytes that waits for a secret.
type held struct {
	dir  wire.Dir
	time time.Time
	data []byte
}

func newPcapng(w io.Writer, o Options) *pcapng {
	s := &pcapng{
		w:       capture.NewWriter(w, &capture.WriterConfig{Application: o.Application}),
		options: o, wireIndex: -1, conns: make(map[*conn]*captured),
		shared: make(map[capture.LinkType]int),
	}
	if o.Mode != Inner {
		s.wireIndex = s.addInterface(capture.Interface{
			Link: capture.LinkRaw, Name: "wire",
			Description: "bytes of the socket in TCP/IP frames made by " + o.Application,
		})
	}
	return s
}

func (s *pcapng) addInterface(i capture.Interface) int {
	n, err := s.w.AddInterface(i)
	s.fail(err)
	return n
}

func (s *pcapng) fail(err error) {
	if s.firstErr == nil {
		s.firstErr = err
	}
}

func (s *pcapng) err() error { return s.firstErr }

// frame writes a frame. After an error nothing more is written.
func (s *pcapng) frame(index int, at time.Time, data []byte) {
	if s.firstErr == nil {
		s.fail(s.w.WriteFrame(&capture.Frame{Time: at, Interface: index, Data: data}))
	}
}

func (s *pcapng) open(c *conn) {
	k := &captured{sink: s}
	s.conns[c] = k
	k.tcp = &tcp{
		addr:  ends(c.info.ClientAddr(), c.info.ServerAddr(), s.opened),
		write: func(at time.Time, frame []byte) { s.frame(s.wireIndex, at, frame) },
	}
	s.opened++
	if c.info.Proto == "ssh" {
		k.hold(time.Now()) // from the first byte on: see release
	}
	if s.options.Mode != Wire {
		if c.info.Proto == mysql.Messages.Proto() {
			k.mysql = &mysqlInner{sink: s, carrier: k}
		}
		k.decoder = newDecoder(s.options.Decoders, c.info, s.emitter(k), s.secrets.Find, k.openInner)
	}
}

func (s *pcapng) take(c *conn, it *item, b []byte) {
	k := s.conns[c]
	if k == nil || s.firstErr != nil {
		return
	}
	switch it.kind {
	case wireBytes:
		k.wire(it, b)
	case packetBytes:
		if k.decoder != nil && !k.mysql.off() {
			k.decoder.Feed(trace.Chunk{Dir: it.dir, Data: b, Time: it.time, Packet: true})
		}
	case secretLine:
		s.secret(c.info.Proto, b)
		if c.info.Proto == "ssh" { // a key exchange of TLS has several; its end releases
			k.release()
		}
	case nestedSecret:
		s.secret(it.event.Detail, b)
	case event:
		k.event(it)
	case closed:
		s.closeConn(c, it.time)
	}
}

func (s *pcapng) secret(proto string, line []byte) {
	s.secrets.Add(line)
	if s.options.Mode != Inner {
		s.fail(s.w.WriteSecrets(secretsType(proto), append(line[:len(line):len(line)], '\n')))
	}
}

func secretsType(proto string) capture.SecretsType {
	if proto == "ssh" {
		return capture.SecretsSSH
	}
	return capture.SecretsTLS
}

func (k *captured) wire(it *item, b []byte) {
	if !k.holding {
		k.tcp.data(it.dir, it.time, b)
		return
	}
	k.held = append(k.held, held{it.dir, it.time, append([]byte(nil), b...)})
	k.heldBytes += len(b)
	if k.heldBytes > k.sink.options.HoldBytes {
		k.release()
	}
}

func (k *captured) event(it *item) {
	switch it.event.Kind {
	case trace.KexStart:
		k.hold(it.time)
	case trace.KexEnd:
		k.release()
	}
}

func (k *captured) hold(at time.Time) {
	if !k.holding && k.sink.options.Mode != Inner {
		k.holding, k.since = true, at
		k.sink.held++
	}
}

// release writes what was held. A connection begins with the client's first
// line even when the server's bytes were seen before: the lines cross on their
// way, and tshark 4.6 takes who speaks first for the client and reads nothing
// of a server that sends its KEXINIT before the client's line.
func (k *captured) release() {
	if !k.holding {
		return
	}
	k.holding = false
	k.sink.held--
	if !k.tcp.begun {
		k.clientFirst()
	}
	for _, h := range k.held {
		k.tcp.data(h.dir, h.time, h.data)
	}
	k.held, k.heldBytes = nil, 0
}

func (k *captured) clientFirst() {
	for i := range k.held {
		h := &k.held[i]
		if h.dir != wire.C2S {
			continue
		}
		if n := bytes.IndexByte(h.data, '\n') + 1; i > 0 && n > 0 {
			k.tcp.data(wire.C2S, k.held[0].time, h.data[:n])
			h.data = h.data[n:]
		}
		return
	}
}

func (s *pcapng) closeConn(c *conn, at time.Time) {
	k := s.conns[c]
	if k == nil {
		return
	}
	delete(s.conns, c)
	k.release()
	if k.decoder != nil {
		k.decoder.Close()
	}
	k.mysql.end()
	k.tcp.end(at)
}

func (s *pcapng) busy() bool { return s.held > 0 }

// idle flushes, so that others can read the file while it grows.
func (s *pcapng) idle(now time.Time) {
	if s.held > 0 {
		for _, k := range s.conns {
			if k.holding && now.Sub(k.since) > s.options.HoldTime {
				k.release()
			}
		}
	}
	if s.firstErr == nil {
		s.fail(s.w.Flush())
	}
}

func (s *pcapng) finish() {
	now := time.Now()
	for c, k := range s.conns {
		k.release() // not closed: these sessions may go on
		if k.decoder != nil {
			k.decoder.Close()
		}
		delete(s.conns, c)
	}
	s.idle(now)
}
