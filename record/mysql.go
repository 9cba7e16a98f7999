package record

import (
	"fmt"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// mysqlInner writes a MySQL connection that TLS or compression hides on the
// wire as a TCP connection of its own: what would have been sent without
// either. The request for TLS is left out, the client has not what hides, and
// packets are numbered anew; passwords and proofs are blanks unless they are
// to be revealed. Whether that is needed turns out when the client logs in:
// until then the first messages are kept.
type mysqlInner struct {
	sink    *pcapng
	carrier *captured
	first   []said
	decided bool
	needed  bool
	sealed  bool // TLS was asked for
	tcp     *tcp
	number  uint8 // of the next packet
	last    time.Time
	buf     []byte
}

// said is a payload that waits for the decision.
type said struct {
	dir     wire.Dir
	at      time.Time
	payload []byte
	command bool
}

// hiding are the capabilities that change how packets travel.
const hiding = mysql.ClientSSL | mysql.ClientCompress | mysql.ClientZstdCompression

// off reports whether no inner stream is needed.
func (x *mysqlInner) off() bool { return x != nil && x.decided && !x.needed }

// message takes the next message of the connection.
func (x *mysqlInner) message(m *trace.Message) {
	s := said{m.Dir, m.Time, m.Raw, m.Dir == wire.C2S && len(m.Fields) > 0 && m.Fields[0].Name == "number"}
	x.last = m.Time
	switch {
	case m.Err != nil && len(m.Raw) == 0 || x.off():
		return
	case m.Name == "SSLRequest":
		x.sealed = true // a reader knows that it is blind when it has seen some of it
		return
	case m.Name == "HandshakeResponse41":
		x.login(s)
		return
	case !x.sink.options.Reveal:
		s.payload = blanked(m)
		if text := wire.Find(m.Fields, "query_masked"); text != nil {
			off, _ := wire.Find(m.Fields, "query").Bytes()
			s.payload = append(append([]byte(nil), m.Raw[:off]...), fmt.Sprint(text.Value)...)
		}
	}
	if x.decided {
		x.write(s)
		return
	}
	s.payload = append([]byte(nil), s.payload...)
	x.first = append(x.first, s)
	if len(x.first) > maxFirst {
		x.decide(x.sealed || x.sink.options.Mode == Inner)
	}
}

// maxFirst is how many messages may come before the client logs in: one in
// all but strange cases.
const maxFirst = 16

// login takes the client's answer to the greeting.
func (x *mysqlInner) login(s said) {
	var m mysql.HandshakeResponse41
	if mysql.Parse(s.payload, &m, wire.Dialect{}) != nil {
		x.decide(x.sealed || x.sink.options.Mode == Inner)
		return
	}
	x.decide(x.sealed || m.Capabilities&hiding != 0 || x.sink.options.Mode == Inner)
	if !x.needed {
		return
	}
	m.Capabilities &^= hiding
	if !x.sink.options.Reveal {
		m.AuthResponse = make([]byte, len(m.AuthResponse))
	}
	var err error
	s.payload, err = mysql.Append(nil, &m, wire.Dialect{})
	x.sink.fail(err)
	x.write(s)
}

// decide begins the inner stream if it is needed.
func (x *mysqlInner) decide(needed bool) {
	if x.decided {
		return
	}
	x.decided, x.needed = true, needed
	if needed {
		x.tcp = x.sink.innerConn(x.carrier, x.carrier.tcp.addr[wire.S2C], "", mysql.Messages.Proto())
		for _, s := range x.first {
			x.write(s)
		}
	}
	x.first = nil
}

// write writes a payload as packets.
func (x *mysqlInner) write(s said) {
	const most = 1<<24 - 1
	if x.tcp == nil {
		return
	}
	if s.command {
		x.number = 0
	}
	for rest, more := s.payload, true; more; {
		n := min(len(rest), most)
		x.buf = append(append(x.buf[:0], byte(n), byte(n>>8), byte(n>>16), x.number), rest[:n]...)
		x.number++
		x.tcp.data(s.dir, s.at, x.buf)
		rest, more = rest[n:], n == most
	}
}

// blanked returns the payload of m without its secrets: spaces stand in the
// place of texts and zeros in the place of proofs.
func blanked(m *trace.Message) []byte {
	var out []byte
	blank := func(from, to int) {
		if out == nil {
			out = append([]byte(nil), m.Raw...)
		}
		for i := from; i < to; i++ {
			if out[i] >= ' ' && out[i] <= '~' {
				out[i] = ' '
			} else {
				out[i] = 0
			}
		}
	}
	var walk func([]wire.Field)
	walk = func(fields []wire.Field) {
		for i := range fields {
			f := &fields[i]
			switch off, n := f.Bytes(); {
			case f.Is(wire.Derived):
			case len(f.Kids) > 0:
				walk(f.Kids)
			case f.Is(wire.Secret):
				from, to := valueOf(f)
				blank(from, to)
			case m.Hide && f.Name != "number":
				blank(off, off+n)
			}
		}
	}
	walk(m.Fields)
	if out == nil {
		return m.Raw
	}
	return out
}

// valueOf returns which bytes of a leaf are its value: not the length in front
// of it and not the NUL behind a text.
func valueOf(f *wire.Field) (from, to int) {
	off, n := f.Bytes()
	switch v := f.Value.(type) {
	case []byte:
		return off + n - min(n, len(v)), off + n
	case string:
		return off, off + min(n, len(v))
	}
	return off, off + n
}

// end ends the stream. One that nobody logged in to is there all the same when
// there is nothing else.
func (x *mysqlInner) end() {
	if x == nil {
		return
	}
	x.decide((x.sealed || x.sink.options.Mode == Inner) && len(x.first) > 0)
	if x.tcp != nil {
		x.tcp.end(x.last)
	}
}
