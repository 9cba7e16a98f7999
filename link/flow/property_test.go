package flow_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// TestAnyCuttingGivesTheSameStreams sends two texts in segments of any sizes,
// in any order, some of them twice with other borders, from any initial
// sequence number.
func TestAnyCuttingGivesTheSameStreams(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		isn := [2]uint32{rapid.Uint32().Draw(rt, "isn"), rapid.Uint32().Draw(rt, "isn")}
		var texts [2]string
		var segs []seg
		for dir := range texts {
			n := rapid.IntRange(0, 2000).Draw(rt, "length")
			src := rand.New(rand.NewPCG(uint64(n), uint64(dir)))
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(src.Uint32())
			}
			texts[dir] = string(b)
			for _, s := range cutting(rt, wire.Dir(dir), isn[dir]+1, texts[dir]) {
				s.ack = isn[1-dir] + 1 // nothing is acknowledged: no hole is given up
				segs = append(segs, s)
			}
		}
		segs = rapid.Permutation(segs).Draw(rt, "order")
		segs = after([]seg{syn(isn[0]), synAck(isn[1], isn[0]+1)}, segs...)
		sinks := run(t, flow.Options{}, segs)
		if len(sinks) != 1 {
			rt.Fatalf("%d conversations, want 1", len(sinks))
		}
		for dir, want := range texts {
			if got := sinks[0].stream[dir].String(); got != want {
				rt.Errorf("%s: got %d bytes, want %d, or other ones", wire.Dir(dir), len(got), len(want))
			}
		}
		for _, e := range sinks[0].events {
			if len(e) > 9 && e[4:8] == "note" {
				rt.Errorf("unexpected %s", e)
			}
		}
	})
}

// cutting cuts text into segments that cover it, and some more. The end of the
// stream is a segment of its own or part of one.
func cutting(rt *rapid.T, dir wire.Dir, seq uint32, text string) []seg {
	var segs []seg
	add := func(from, to int, flags link.TCPFlags) {
		segs = append(segs, seg{dir: dir, flags: link.ACK | flags, seq: seq + uint32(from), data: text[from:to]})
	}
	size := rapid.IntRange(1, 400)
	for at := 0; at < len(text); {
		n := min(size.Draw(rt, "size"), len(text)-at)
		add(at, at+n, 0)
		at += n
	}
	for range rapid.IntRange(0, 5).Draw(rt, "again") {
		if len(text) == 0 {
			break
		}
		from := rapid.IntRange(0, len(text)-1).Draw(rt, "from")
		add(from, min(len(text), from+size.Draw(rt, "size")), 0)
	}
	if len(text) > 0 && rapid.Bool().Draw(rt, "fin") {
		add(rapid.IntRange(0, len(text)-1).Draw(rt, "last"), len(text), link.FIN)
	}
	return segs
}

// TestHostileSegmentsStayWithinLimits feeds segments that leave holes
// everywhere in many conversations and measures what is held.
func TestHostileSegmentsStayWithinLimits(t *testing.T) {
	const limit = 64 << 10
	table := flow.New(flow.Options{
		MaxTotal: limit, MaxWait: 32 << 10, MaxConversations: 8,
		Open: func(*flow.Conversation) flow.Sink { return feedFunc(func(trace.Chunk) {}) },
	})
	src := rand.New(rand.NewPCG(3, 4))
	const room = 2000 // of the segment that is being put away
	for i := range 20000 {
		s := seg{dir: wire.Dir(src.IntN(2)), flags: link.TCPFlags(src.IntN(64)), seq: src.Uint32(), data: string(make([]byte, src.IntN(1400)))}
		if src.IntN(4) > 0 {
			s.seq, s.flags = uint32(src.IntN(1<<20)), link.ACK
		}
		f := s.frame(t, i+1, epoch.Add(time.Duration(i)*time.Millisecond))
		f.Data[15], f.Data[19] = byte(src.IntN(4)), byte(src.IntN(4)) // hosts
		table.Feed(f)
		if held := table.Stats().Holding; held > limit+room || held < 0 {
			t.Fatalf("after %d segments %d bytes are held, want at most %d", i+1, held, limit+room)
		}
	}
	table.Close()
	if got := table.Stats(); got.Holding != 0 || got.Evicted == 0 {
		t.Errorf("Stats = %+v, want nothing held and some evicted", got)
	}
}
