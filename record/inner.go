package record

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/tlsdecode"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// maxInner is the most interfaces of inner streams in a file. Further streams
// share one of each kind.
const maxInner = 10000

// emitter returns the function that takes the messages of a connection. Those
// of the connection itself are of interest only when nothing carries it, as an
// SFTP session over a pipe, or when the wire hides it.
func (s *pcapng) emitter(k *captured) trace.Emit {
	index, n := -1, int64(0)
	return func(m *trace.Message) {
		n++
		m.N, m.Conn = n, s.opened
		if k.mysql != nil {
			k.mysql.message(m)
			return
		}
		if _, ok := upperPDU(m); !ok || m.Path != "" {
			return
		}
		if index < 0 {
			index = s.innerInterface(k, capture.LinkUpperPDU, "", m.Proto)
		}
		s.pdu(index, k, m)
	}
}

// openInner is the decoders' way to open what runs inside a connection: it
// decides what of it goes to the file.
func (k *captured) openInner(label, path string, emit trace.Emit) trace.Decoder {
	s := k.sink
	if strings.HasPrefix(label, "direct-") || strings.HasPrefix(label, "forwarded-") {
		return s.innerTCP(k, label, path)
	}
	index := -1
	return s.options.Decoders.Inner(trace.Options{Layer: tlsdecode.Layer, Secret: s.secrets.Find})(label, path, func(m *trace.Message) {
		emit(m)
		if _, ok := upperPDU(m); !ok || m.Path != path {
			return
		}
		if index < 0 {
			index = s.innerInterface(k, capture.LinkUpperPDU, path, label)
		}
		s.pdu(index, k, m)
	})
}

// upperPDU says how the messages of a protocol are written as upper PDU
// records: with the dissector and the message as it would stand in a stream.
func upperPDU(m *trace.Message) (data []byte, ok bool) {
	if m.Proto != "sftp" || len(m.Raw) == 0 {
		return nil, false
	}
	// draft-ietf-secsh-filexfer-02 §3: uint32 length, then the packet
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(m.Raw)), uint32(len(m.Raw))), m.Raw...), true
}

func (s *pcapng) pdu(index int, k *captured, m *trace.Message) {
	if m.Hide && !s.options.Reveal {
		return
	}
	data, _ := upperPDU(m)
	record, err := wire.Append(nil, link.NewUpperPDU(m.Proto, k.tcp.addr[m.Dir], k.tcp.addr[m.Dir.Reverse()], data), wire.Dialect{})
	s.fail(err)
	if err == nil {
		s.frame(index, m.Time, record)
	}
}

// innerInterface describes a new interface for an inner stream.
func (s *pcapng) innerInterface(k *captured, l capture.LinkType, path, label string) int {
	if s.inner >= maxInner {
		if i, ok := s.shared[l]; ok {
			return i
		}
		path, label = "", "all further streams"
	}
	s.inner++
	name := strings.TrimSpace(InnerPrefix + path + " " + printable(label))
	if path == "" {
		name = InnerPrefix + printable(label)
	}
	i := s.addInterface(capture.Interface{Link: l, Name: name, Description: Carrier(k.tcp.addr[wire.C2S], k.tcp.addr[wire.S2C])})
	s.shared[l] = i
	return i
}

// Carrier is the description of an inner interface: which connection of the
// same file carried the stream.
func Carrier(client, server netip.AddrPort) string {
	return fmt.Sprintf("carried by %s > %s", client, server)
}

// ParseCarrier is the reverse of [Carrier].
func ParseCarrier(s string) (client, server netip.AddrPort, ok bool) {
	s, ok = strings.CutPrefix(s, "carried by ")
	c, d, two := strings.Cut(s, " > ")
	if !ok || !two {
		return client, server, false
	}
	client, err1 := netip.ParseAddrPort(c)
	server, err2 := netip.ParseAddrPort(d)
	return client, server, err1 == nil && err2 == nil
}

// printable returns a label fit for the name of an interface.
func printable(label string) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, label)
	return s[:min(len(s), 64)]
}

// innerTCP writes a forwarded stream as a TCP connection of its own, with the
// address it goes to where that is known and one made up where it is not.
func (s *pcapng) innerTCP(k *captured, label, path string) trace.Decoder {
	_, target, _ := strings.Cut(label, " ")
	server, err := netip.ParseAddrPort(target)
	if err != nil {
		var port uint64
		if _, p, err := net.SplitHostPort(target); err == nil {
			port, _ = strconv.ParseUint(p, 10, 16) // 0 will do
		}
		server = netip.AddrPortFrom(documentation(3), uint16(port))
	}
	return &innerStream{tcp: *s.innerConn(k, server, path, label)}
}

// innerConn returns a TCP connection to server on an interface of its own. Its
// client's address is made up, so that it is not taken for another one.
func (s *pcapng) innerConn(k *captured, server netip.AddrPort, path, label string) *tcp {
	server = netip.AddrPortFrom(server.Addr().Unmap().WithZone(""), server.Port())
	client := netip.AddrPortFrom(documentation(4), uint16(49152+s.inner%16384))
	if server.Addr().Is6() {
		client = netip.AddrPortFrom(netip.AddrFrom16(client.Addr().As16()), client.Port())
	}
	index := s.innerInterface(k, capture.LinkRaw, path, label)
	return &tcp{
		addr:  [2]netip.AddrPort{client, server},
		write: func(at time.Time, frame []byte) { s.frame(index, at, frame) },
	}
}

type innerStream struct {
	tcp  tcp
	last time.Time
}

func (i *innerStream) Feed(c trace.Chunk) {
	i.last = c.Time
	i.tcp.data(c.Dir, c.Time, c.Data)
}

func (i *innerStream) Close() { i.tcp.end(i.last) }
