package flow

import (
	"net/netip"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// A Sink receives what one conversation says. Its methods are called by Feed
// and Close of the [Table]; it must not call them.
type Sink interface {
	// Feed takes the next bytes of a direction. The chunk's slices are valid
	// during the call. Gap is the number of bytes missing before Data: 0 none,
	// -1 when the stream was joined in its middle. A hole at the end of a
	// stream comes as a chunk without Data.
	Feed(trace.Chunk)
	// Note takes a remark about the bytes that were or will be fed.
	Note(Note)
	// Close says that nothing more will come.
	Close()
}

// Options are limits and hooks of a [Table]. Zero values mean the defaults.
type Options struct {
	// Open is called for each new conversation and returns who receives it;
	// nil when nobody does. Required.
	Open func(*Conversation) Sink

	MaxWait          int           // bytes that may wait in one direction behind a hole; default 4 MiB
	MaxSegments      int           // segments that may wait in one direction behind a hole; default 4096
	MaxTotal         int           // bytes that all conversations may hold together; default 48 MiB
	MaxConversations int           // conversations kept; the one idle longest goes first; default 16,384
	History          int           // bytes kept after delivery to compare retransmissions with; default 16 KiB; -1: none
	Linger           time.Duration // of capture time, how long to wait for the last bytes before an acknowledged end; default 2 s
}

func (o Options) withDefaults() Options {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.MaxWait, 4<<20)
	def(&o.MaxSegments, 4096)
	def(&o.MaxTotal, 48<<20)
	def(&o.MaxConversations, 16384)
	def(&o.History, 16<<10)
	if o.Linger == 0 {
		o.Linger = 2 * time.Second
	}
	return o
}

// Stats count what was fed to a [Table].
type Stats struct {
	Frames        int64
	TCP           int64 // segments
	UDP           int64 // datagrams, not followed
	Fragments     int64 // pieces of IP packets, not put together
	Other         int64 // frames of other protocols and link types
	Malformed     int64 // frames that end inside a header or contradict themselves
	Conversations int64 // opened
	Evicted       int64 // closed because there were too many
	Holding       int   // bytes held now
}

// A Conversation is one TCP connection.
type Conversation struct {
	ID             int // counted from 1 in the order of opening
	Client, Server netip.AddrPort
	Guessed        bool // which end is the client was not seen but guessed
	Start          time.Time
	C2S, S2C       Counters
}

// Counters count what one direction sent.
type Counters struct {
	Packets       int64 // segments with and without data
	Bytes         int64 // of payload, retransmissions included
	Delivered     int64 // bytes fed to the sink
	Missing       int64 // bytes reported as gaps
	Retransmitted int64 // bytes that had come before
	OutOfOrder    int64 // segments that came before their turn
}

// Counters returns the counters of a direction.
func (c *Conversation) Counters(d wire.Dir) *Counters {
	if d == wire.C2S {
		return &c.C2S
	}
	return &c.S2C
}

// Layer returns the header that frames of a link type begin with;
// [link.LayerNone] when it is none below IP.
func Layer(t capture.LinkType) link.Layer {
	switch t {
	case capture.LinkEthernet:
		return link.LayerEthernet
	case capture.LinkNull, capture.LinkLoop:
		return link.LayerLoopback
	case capture.LinkRaw, capture.LinkIPv4, capture.LinkIPv6:
		return link.LayerIP
	case capture.LinkSLL:
		return link.LayerSLL
	case capture.LinkSLL2:
		return link.LayerSLL2
	}
	return link.LayerNone
}

// A Table follows the conversations in a sequence of frames. It is not safe
// for concurrent use.
type Table struct {
	opt   Options
	stats Stats
	conns map[key]*conversation

	open    list // conversations, the one idle longest first
	done    list // closed ones, likewise
	waiting list // those in which segments wait, the first to wait first

	packet link.Packet
	spans  [1]trace.Span // of the chunk being fed
}

// New returns an empty table.
func New(o Options) *Table {
	return &Table{opt: o.withDefaults(), conns: make(map[key]*conversation)}
}

// Stats returns what was counted so far.
func (t *Table) Stats() Stats { return t.stats }

// Feed takes the next frame and feeds the bytes it completes to the sink of
// its conversation. Frames are taken in the order of the capture; f is not
// kept. What is not TCP is counted and otherwise ignored.
func (t *Table) Feed(f *capture.Frame) {
	t.stats.Frames++
	p := &t.packet
	switch err := link.Decode(Layer(f.Link), f.Data, p); {
	case err == link.ErrUnknown: //nolint:errorlint // Decode returns it as it is
		t.stats.Other++
	case err != nil:
		t.stats.Malformed++
	case p.Fragment:
		t.stats.Fragments++
	case p.Proto == link.ProtoUDP:
		t.stats.UDP++
	default:
		t.stats.TCP++
		t.tcp(f, p)
	}
}

func (t *Table) tcp(f *capture.Frame, p *link.Packet) {
	k := keyOf(p.Src, p.Dst)
	c := t.conns[k]
	if c != nil && p.Flags&link.SYN != 0 && c.begins(p) {
		t.drop(c, Reused, f.Time)
		c = nil
	}
	if c == nil {
		data := p.PayloadEnd - p.Payload + p.Missing
		if p.Flags&link.RST != 0 || p.Flags&link.SYN == 0 && data == 0 {
			return // neither a beginning nor data
		}
		c = t.begin(k, f, p)
	}
	if c.closed {
		t.done.touch(&c.recent)
	} else {
		t.open.touch(&c.recent)
	}
	t.segment(c, f, p)
}

// begin opens a conversation, and closes another one if there are too many.
func (t *Table) begin(k key, f *capture.Frame, p *link.Packet) *conversation {
	if len(t.conns) >= t.opt.MaxConversations {
		old := t.done.oldest
		if old == nil {
			old = t.open.oldest
			t.stats.Evicted++
		}
		t.drop(old.c, Evicted, f.Time)
	}
	t.stats.Conversations++
	c := &conversation{key: k}
	c.ID, c.Start = int(t.stats.Conversations), f.Time
	c.Client, c.Server, c.Guessed = roles(p)
	c.recent.c, c.waiting.c = c, c
	t.conns[k] = c
	t.open.push(&c.recent)
	c.sink = t.opt.Open(&c.Conversation)
	return c
}

// drop closes a conversation for the reason and forgets it.
func (t *Table) drop(c *conversation, why Kind, now time.Time) {
	if !c.closed {
		x := assembler{t: t, c: c, s: &c.streams[0], time: now}
		x.note(why, 0)
		t.end(c)
	}
	t.done.remove(&c.recent)
	delete(t.conns, c.key)
}

// wants puts c among those that wait, or takes it out.
func (t *Table) wants(c *conversation) {
	some := len(c.streams[0].queue)+len(c.streams[1].queue) > 0
	switch {
	case some && !c.waiting.in:
		t.waiting.push(&c.waiting)
	case !some:
		t.waiting.remove(&c.waiting)
	}
}

// Close gives up all holes and closes all sinks, the conversation idle longest
// first. The table is empty afterwards and may be used again.
func (t *Table) Close() {
	for t.open.oldest != nil {
		t.end(t.open.oldest.c)
	}
	t.done = list{}
	clear(t.conns)
}
