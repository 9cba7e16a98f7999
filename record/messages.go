package record

import (
	"bufio"
	"io"
	"time"

	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/tlsdecode"
	"github.com/wirelark/wirelark/trace"
)

// messages is the sink of text and JSON.
type messages struct {
	w        *bufio.Writer
	options  Options
	render   func(dst []byte, m *trace.Message) []byte
	line     []byte
	secrets  keylog.Secrets
	decoders map[*conn]trace.Decoder
	n        int64
	conns    int
	firstErr error
}

func newMessages(w io.Writer, o Options, render func([]byte, *trace.Message) []byte) *messages {
	return &messages{w: bufio.NewWriterSize(w, 32<<10), options: o, render: render, decoders: make(map[*conn]trace.Decoder)}
}

func (s *messages) open(c *conn) {
	number := 0
	emit := func(m *trace.Message) {
		if number == 0 {
			s.conns++
			number = s.conns
		}
		s.n++
		m.N, m.Conn = s.n, number
		s.emit(m)
	}
	if d := newDecoder(s.options.Decoders, c.info, emit, s.secrets.Find, nil); d != nil {
		s.decoders[c] = d
	}
}

// newDecoder returns a decoder for the packets of a connection, nil when
// nobody knows its protocol.
func newDecoder(fs trace.Factories, info trace.Info, emit trace.Emit, secret func([]byte) ([]byte, bool), inner trace.Inner) trace.Decoder {
	f, ok := fs.Find(info.Proto)
	if !ok {
		return nil
	}
	if inner == nil {
		inner = fs.Inner(trace.Options{Layer: tlsdecode.Layer, Secret: secret})
	}
	return f.New(trace.Options{Emit: emit, Inner: inner, Layer: tlsdecode.Layer, Secret: secret})
}

func (s *messages) emit(m *trace.Message) {
	if s.firstErr != nil || !s.options.Filter.Match(m) {
		return
	}
	s.line = s.render(s.line[:0], m)
	_, err := s.w.Write(s.line)
	s.fail(err)
}

func (s *messages) fail(err error) {
	if s.firstErr == nil {
		s.firstErr = err
	}
}

func (s *messages) take(c *conn, it *item, b []byte) {
	switch it.kind {
	case packetBytes:
		if d := s.decoders[c]; d != nil && s.firstErr == nil {
			d.Feed(trace.Chunk{Dir: it.dir, Data: b, Time: it.time, Packet: true})
		}
	case secretLine, nestedSecret:
		s.secrets.Add(b)
	case closed:
		s.closeConn(c)
	}
}

func (s *messages) closeConn(c *conn) {
	if d := s.decoders[c]; d != nil {
		d.Close()
		delete(s.decoders, c)
	}
}

func (s *messages) idle(time.Time) {
	if s.firstErr == nil {
		s.fail(s.w.Flush())
	}
}

func (s *messages) busy() bool { return false }

func (s *messages) finish() {
	for c := range s.decoders {
		s.closeConn(c)
	}
	s.idle(time.Time{})
}

func (s *messages) err() error { return s.firstErr }
