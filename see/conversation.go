package see

import (
	"net/netip"

	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/tlsdecode"
	"github.com/wirelark/wirelark/trace"
)

// ends are both ends of a connection.
type ends struct{ client, server netip.AddrPort }

// conversation decodes one TCP conversation.
type conversation struct {
	reader  *reader
	number  int // of its messages; 0 before the first
	decoder trace.Decoder
	data    bool // some was seen
	proto   string
	isBlind bool     // it was when it was closed
	notes   []string // for the next message
}

var _ flow.Sink = (*conversation)(nil)

// maxNotes is the most notes that one message is given.
const maxNotes = 8

// open is called for each new conversation on the wire.
func (x *reader) open(f *flow.Conversation) flow.Sink {
	c := x.conversation("")
	x.remember(ends{f.Client, f.Server}, c)
	return c
}

// maxRemembered is the most conversations that inner streams are looked up in.
const maxRemembered = 1 << 16

func (x *reader) remember(e ends, c *conversation) {
	if len(x.convs) >= maxRemembered {
		clear(x.convs)
	}
	x.convs[e] = c
}

func (x *reader) conversation(path string) *conversation {
	c := &conversation{reader: x}
	emit := x.emitter(&c.number)
	o := x.decoding(path, func(m *trace.Message) {
		if len(c.notes) > 0 {
			m.Notes = append(m.Notes[:len(m.Notes):len(m.Notes)], c.notes...)
			c.notes = nil
		}
		emit(m)
	})
	c.decoder = x.options.Decoders.Detect(o, func(proto string) { c.proto = proto })
	return c
}

// decoding returns the options of a decoder.
func (x *reader) decoding(path string, emit trace.Emit) trace.Options {
	o := trace.Options{Layer: tlsdecode.Layer, Secret: x.secrets.Find, Budget: x.budget}
	o.Inner = x.options.Decoders.Inner(o)
	o.Path, o.Emit = path, emit
	return o
}

func (c *conversation) Feed(chunk trace.Chunk) {
	c.data = c.data || len(chunk.Data) > 0
	c.decoder.Feed(chunk)
}

func (c *conversation) Note(n flow.Note) {
	c.reader.summary.Remarks[n.Kind.String()]++
	if len(c.notes) < maxNotes {
		c.notes = append(c.notes, n.String())
	}
}

func (c *conversation) Close() {
	c.decoder.Close()
	c.isBlind = c.blind()
	c.decoder = nil
	switch {
	case c.proto != "":
		c.reader.summary.Conversations++
	case c.data:
		c.reader.summary.Unknown++
	}
}

// blind reports whether the conversation cannot be decrypted.
func (c *conversation) blind() bool {
	b, ok := c.decoder.(trace.Blind)
	return c.isBlind || ok && b.Blind()
}
