package flow_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

var (
	client = netip.MustParseAddrPort("192.0.2.1:50000")
	server = netip.MustParseAddrPort("192.0.2.2:22")
	epoch  = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
)

// seg is one segment of a test's conversation.
type seg struct {
	dir   wire.Dir
	flags link.TCPFlags
	seq   uint32
	ack   uint32
	data  string
	cut   int           // bytes of data that the capture does not have
	after time.Duration // since the segment before
}

func c2s(seq uint32, data string) seg {
	return seg{dir: wire.C2S, flags: link.ACK, seq: seq, data: data}
}

func s2c(seq uint32, data string) seg {
	return seg{dir: wire.S2C, flags: link.ACK, seq: seq, data: data}
}

// frame returns the segment as frame n of a capture of raw IP.
func (s *seg) frame(t testing.TB, n int, at time.Time) *capture.Frame {
	t.Helper()
	src, dst := client, server
	if s.dir == wire.S2C {
		src, dst = server, client
	}
	b, err := link.AppendTCP(nil, src, dst, &link.TCP{
		Seq: s.seq, Ack: s.ack, Flags: s.flags, Window: 65535, Payload: []byte(s.data),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &capture.Frame{N: n, Time: at, Link: capture.LinkRaw, Data: b[:len(b)-s.cut], Len: len(b)}
}

// sink writes down what a conversation says.
type sink struct {
	t      testing.TB
	conv   *flow.Conversation
	events []string
	stream [2]bytes.Buffer
	frames map[int]*capture.Frame
	closed int
}

func (s *sink) Feed(c trace.Chunk) {
	if s.closed > 0 {
		s.t.Errorf("chunk of %d bytes after Close", len(c.Data))
	}
	if c.Gap != 0 {
		s.events = append(s.events, fmt.Sprintf("%s gap %d", c.Dir, c.Gap))
		fmt.Fprintf(&s.stream[c.Dir], "[%d]", c.Gap)
	}
	if len(c.Data) > 0 {
		s.events = append(s.events, fmt.Sprintf("%s %q", c.Dir, c.Data))
	}
	s.stream[c.Dir].Write(c.Data)
	s.provenance(c)
}

// provenance checks that the chunk's bytes stand where its spans say.
func (s *sink) provenance(c trace.Chunk) {
	rest := c.Data
	for _, span := range c.Spans {
		f := s.frames[span.Frame]
		if f == nil || span.Off+span.Len > len(f.Data) || span.Len > len(rest) {
			s.t.Fatalf("span %+v of a chunk of %d bytes is not in its frame", span, len(c.Data))
		}
		if !bytes.Equal(f.Data[span.Off:span.Off+span.Len], rest[:span.Len]) {
			s.t.Errorf("span %+v is %q, the chunk has %q", span, f.Data[span.Off:span.Off+span.Len], rest[:span.Len])
		}
		rest = rest[span.Len:]
	}
	if len(rest) > 0 {
		s.t.Errorf("%d bytes of the chunk have no span", len(rest))
	}
}

func (s *sink) Note(n flow.Note) {
	s.events = append(s.events, fmt.Sprintf("%s note at %d: %s", n.Dir, n.Pos, n.Kind))
}

func (s *sink) Close() {
	s.closed++
	s.events = append(s.events, "close")
}

// run feeds segments to a new table and returns the sinks of the conversations.
func run(t testing.TB, o flow.Options, segs []seg) []*sink {
	t.Helper()
	var sinks []*sink
	frames := map[int]*capture.Frame{}
	o.Open = func(c *flow.Conversation) flow.Sink {
		sinks = append(sinks, &sink{t: t, conv: c, frames: frames})
		return sinks[len(sinks)-1]
	}
	table := flow.New(o)
	at := epoch
	for i := range segs {
		at = at.Add(segs[i].after + time.Microsecond)
		f := segs[i].frame(t, i+1, at)
		frames[i+1] = f
		table.Feed(f)
	}
	table.Close()
	for i, s := range sinks {
		if s.closed != 1 {
			t.Errorf("conversation %d was closed %d times, want once", i+1, s.closed)
		}
	}
	if held := table.Stats().Holding; held != 0 {
		t.Errorf("the table holds %d bytes after Close, want 0", held)
	}
	return sinks
}
