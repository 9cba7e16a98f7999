package flow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func syn(seq uint32) seg { return seg{dir: wire.C2S, flags: link.SYN, seq: seq} }

func synAck(seq, ack uint32) seg {
	return seg{dir: wire.S2C, flags: link.SYN | link.ACK, seq: seq, ack: ack}
}

// hello is a handshake after which the first bytes are 101 and 901.
var hello = []seg{syn(100), synAck(900, 101)}

func after(segs []seg, more ...seg) []seg { return slices.Concat(segs, more) }

func fin(dir wire.Dir, seq, ack uint32) seg {
	return seg{dir: dir, flags: link.FIN | link.ACK, seq: seq, ack: ack}
}

// answer is the server's first data, and says what it has received.
func answer(ack uint32, data string) seg {
	return seg{dir: wire.S2C, flags: link.ACK, seq: 901, ack: ack, data: data}
}

func TestStreams(t *testing.T) {
	for _, row := range []struct {
		name string
		segs []seg
		opts flow.Options
		want []string // events of the first conversation
	}{
		{
			"in order", after(hello, c2s(101, "abc"), s2c(901, "xyz"), c2s(104, "def")),
			flow.Options{},
			[]string{`c2s "abc"`, `s2c "xyz"`, `c2s "def"`, "close"},
		},
		{
			"closed by both ends",
			after(hello, c2s(101, "abc"), fin(wire.C2S, 104, 901), fin(wire.S2C, 901, 105), c2s(105, "late")),
			flow.Options{},
			[]string{`c2s "abc"`, "close"},
		},
		{
			"end before the data", after(hello, fin(wire.C2S, 104, 901), fin(wire.S2C, 901, 101), c2s(101, "abc")),
			flow.Options{},
			[]string{`c2s "abc"`, "close"},
		},
		{
			"out of order", after(hello, c2s(104, "def"), c2s(107, "ghi"), c2s(101, "abc")),
			flow.Options{},
			[]string{`c2s "abc"`, `c2s "def"`, `c2s "ghi"`, "close"},
		},
		{
			"hole at the end", after(hello, c2s(101, "abc"), c2s(107, "ghi")),
			flow.Options{},
			[]string{`c2s "abc"`, "c2s gap 3", `c2s "ghi"`, "close"},
		},
		{
			"hole that the receiver has acknowledged", after(hello, c2s(104, "def"), answer(107, "xyz"), c2s(107, "ghi"), c2s(101, "abc")),
			flow.Options{},
			[]string{"c2s gap 3", `c2s "def"`, `s2c "xyz"`, `c2s "ghi"`, "close"},
		},
		{
			"two holes, one acknowledged", after(hello, c2s(104, "d"), c2s(107, "ghi"), answer(105, "xyz"), c2s(105, "ef")),
			flow.Options{},
			[]string{"c2s gap 3", `c2s "d"`, `s2c "xyz"`, `c2s "ef"`, `c2s "ghi"`, "close"},
		},
		{
			"acknowledged up to the hole and into it", after(hello, c2s(104, "def"), answer(101, "x"), answer(103, ""), c2s(101, "abc")),
			flow.Options{},
			[]string{`s2c "x"`, `c2s "abc"`, `c2s "def"`, "close"},
		},
		{
			"acknowledged beyond all windows", after(hello, c2s(104, "def"), answer(1<<31, "x"), c2s(101, "abc")),
			flow.Options{},
			[]string{`s2c "x"`, `c2s "abc"`, `c2s "def"`, "close"},
		},
		{
			"hole before the end of the stream", after(hello, c2s(101, "abc"), fin(wire.C2S, 110, 901)),
			flow.Options{},
			[]string{`c2s "abc"`, "c2s gap 6", "close"},
		},
		{
			"retransmission", after(hello, c2s(101, "abc"), c2s(101, "abcd"), c2s(101, "ab")),
			flow.Options{},
			[]string{`c2s "abc"`, `c2s "d"`, "close"},
		},
		{
			"conflict with delivered bytes", after(hello, c2s(101, "abc"), c2s(101, "aXcd")),
			flow.Options{},
			[]string{`c2s "abc"`, "c2s note at 0: " + flow.Conflict.String(), `c2s "d"`, "close"},
		},
		{
			"conflict with waiting bytes", after(hello, c2s(103, "cd"), c2s(101, "abXde")),
			flow.Options{},
			[]string{"c2s note at 2: " + flow.Conflict.String(), `c2s "ab"`, `c2s "cd"`, `c2s "e"`, "close"},
		},
		{
			"no history, no conflict", after(hello, c2s(101, "abc"), c2s(101, "aXcd")),
			flow.Options{History: -1},
			[]string{`c2s "abc"`, `c2s "d"`, "close"},
		},
		{
			"keep-alive probe", after(hello, c2s(101, "abc"), c2s(103, "\x00"), c2s(104, "d")),
			flow.Options{},
			[]string{`c2s "abc"`, `c2s "d"`, "close"},
		},
		{
			"too many bytes wait", after(hello, c2s(105, "efgh"), c2s(109, "ijkl"), c2s(101, "ABCD")),
			flow.Options{MaxWait: 200},
			[]string{"c2s gap 4", `c2s "efgh"`, `c2s "ijkl"`, "close"},
		},
		{
			"too many segments wait", after(hello, c2s(105, "e"), c2s(107, "g"), c2s(109, "i"), c2s(106, "f")),
			flow.Options{MaxSegments: 2},
			[]string{"c2s gap 4", `c2s "e"`, `c2s "f"`, `c2s "g"`, "c2s gap 1", `c2s "i"`, "close"},
		},
		{
			"too much waits in all", after(hello, c2s(105, "e"), c2s(107, "g")),
			flow.Options{MaxTotal: 200},
			[]string{"c2s gap 4", `c2s "e"`, "c2s gap 1", `c2s "g"`, "close"},
		},
		{
			"reset gives up holes", after(hello, c2s(105, "e"), seg{dir: wire.S2C, flags: link.RST, seq: 901}, c2s(101, "abcd")),
			flow.Options{},
			[]string{"s2c note at 0: " + flow.Reset.String(), "c2s gap 4", `c2s "e"`, "close"},
		},
		{
			"reset from far away", after(hello, c2s(101, "a"), seg{dir: wire.C2S, flags: link.RST, seq: 101 + 1<<31}, c2s(102, "b")),
			flow.Options{},
			[]string{`c2s "a"`, `c2s "b"`, "close"},
		},
		{
			"hole before an acknowledged end",
			after(hello, c2s(101, "a"), fin(wire.C2S, 104, 901), seg{dir: wire.S2C, flags: link.ACK, seq: 901, ack: 105},
				seg{dir: wire.S2C, flags: link.ACK, seq: 901, ack: 105, data: "x", after: time.Second},
				seg{dir: wire.S2C, flags: link.ACK, seq: 902, ack: 105, data: "y", after: 2 * time.Second}),
			flow.Options{},
			[]string{`c2s "a"`, `s2c "x"`, `s2c "y"`, "c2s gap 2", "close"},
		},
		{
			"cut by the capture", after(hello, seg{dir: wire.C2S, flags: link.ACK, seq: 101, data: "abcdef", cut: 4}, c2s(107, "g")),
			flow.Options{},
			[]string{`c2s "ab"`, "c2s gap 4", `c2s "g"`, "close"},
		},
		{
			"cut and out of order", after(hello, seg{dir: wire.C2S, flags: link.ACK, seq: 103, data: "cdef", cut: 2}, c2s(107, "g"), c2s(101, "ab")),
			flow.Options{},
			[]string{`c2s "ab"`, `c2s "cd"`, "c2s gap 2", `c2s "g"`, "close"},
		},
		{
			"cut and repeated whole", after(hello, seg{dir: wire.C2S, flags: link.ACK, seq: 103, data: "cdef", cut: 2}, c2s(103, "cdef"), c2s(107, "g"), c2s(101, "ab")),
			flow.Options{},
			[]string{`c2s "ab"`, `c2s "cd"`, `c2s "ef"`, `c2s "g"`, "close"},
		},
		{
			"nothing but headers", after(hello, seg{dir: wire.C2S, flags: link.ACK, seq: 101, data: "abcd", cut: 4}, c2s(105, "e")),
			flow.Options{},
			[]string{"c2s gap 4", `c2s "e"`, "close"},
		},
		{
			"sequence numbers wrap", after([]seg{syn(1<<32 - 3), synAck(900, 1<<32-2)}, c2s(1<<32-2, "ab"), c2s(2, "ef"), c2s(0, "cd")),
			flow.Options{},
			[]string{`c2s "ab"`, `c2s "cd"`, `c2s "ef"`, "close"},
		},
		{
			"joined in the middle",
			[]seg{c2s(500, "abc"), s2c(7000, "x"), c2s(503, "d")},
			flow.Options{},
			[]string{
				"c2s note at 0: " + flow.Midstream.String(), "c2s gap -1", `c2s "abc"`,
				"s2c note at 0: " + flow.Midstream.String(), "s2c gap -1", `s2c "x"`, `c2s "d"`, "close",
			},
		},
		{
			"answer to the SYN before it",
			[]seg{synAck(900, 101), syn(100), c2s(101, "a")},
			flow.Options{},
			[]string{`c2s "a"`, "close"},
		},
		{
			"data with the SYN",
			[]seg{{dir: wire.C2S, flags: link.SYN, seq: 100, data: "ab"}, c2s(103, "c")},
			flow.Options{},
			[]string{`c2s "ab"`, `c2s "c"`, "close"},
		},
		{
			"SYN after the first data",
			[]seg{c2s(101, "a"), syn(100), c2s(102, "b")},
			flow.Options{},
			[]string{"c2s note at 0: " + flow.Midstream.String(), "c2s gap -1", `c2s "a"`, `c2s "b"`, "close"},
		},
		{
			"noise from far away", after(hello, c2s(101, "a"), c2s(102+1<<31, "?"), c2s(102, "b")),
			flow.Options{},
			[]string{`c2s "a"`, "c2s note at -2147483647: " + flow.Far.String(), `c2s "b"`, "close"},
		},
		{
			"everything far away", after(hello, c2s(101, "a"), c2s(1<<31, "?"), c2s(1<<31+1, "?"), c2s(1<<31+2, "b")),
			flow.Options{},
			[]string{
				`c2s "a"`, "c2s note at 2147483547: " + flow.Far.String(), "c2s note at 2147483548: " + flow.Far.String(),
				"c2s note at 1: " + flow.Midstream.String(), "c2s gap -1", `c2s "b"`, "close",
			},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			sinks := run(t, row.opts, row.segs)
			if len(sinks) != 1 {
				t.Fatalf("%d conversations, want 1", len(sinks))
			}
			if got := sinks[0].events; !slices.Equal(got, row.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(row.want, "\n\t"))
			}
		})
	}
}

func TestConversations(t *testing.T) {
	for _, row := range []struct {
		name    string
		segs    []seg
		opts    flow.Options
		clients []bool // for each conversation, whether the usual client is its client
		guessed bool   // of the first
		last    []string
	}{
		{
			name: "SYN", segs: after(hello, c2s(101, "a")), clients: []bool{true},
			last: []string{`c2s "a"`, "close"},
		},
		{
			name: "SYN from the lower port", segs: []seg{{dir: wire.S2C, flags: link.SYN, seq: 1}, s2c(2, "a")}, clients: []bool{false},
			last: []string{`c2s "a"`, "close"},
		},
		{
			name: "answer to a SYN", segs: []seg{synAck(900, 101), s2c(901, "a")}, clients: []bool{true},
			last: []string{`s2c "a"`, "close"},
		},
		{
			name: "guessed by port", segs: []seg{s2c(901, "a")}, clients: []bool{true}, guessed: true,
			last: []string{"s2c note at 0: " + flow.Midstream.String(), "s2c gap -1", `s2c "a"`, "close"},
		},
		{
			name: "no conversation", segs: []seg{
				{dir: wire.C2S, flags: link.ACK, seq: 5},
				{dir: wire.C2S, flags: link.FIN | link.ACK, seq: 5},
				{dir: wire.S2C, flags: link.RST, seq: 5},
			},
		},
		{
			name:    "ports used anew",
			segs:    after(hello, c2s(101, "a"), c2s(103, "c"), syn(5000), synAck(7000, 5001), c2s(5001, "b"), s2c(7001, "x")),
			clients: []bool{true, true},
			last:    []string{`c2s "b"`, `s2c "x"`, "close"},
		},
		{
			name:    "ports used anew by the other end",
			segs:    after(hello, c2s(101, "a"), seg{dir: wire.S2C, flags: link.SYN, seq: 5000}, s2c(5001, "b")),
			clients: []bool{true, false},
			last:    []string{`c2s "b"`, "close"},
		},
		{
			name: "repeated SYN", segs: after(hello, syn(100), synAck(900, 101), c2s(101, "a"), syn(100), c2s(102, "b")), clients: []bool{true},
			last: []string{`c2s "a"`, `c2s "b"`, "close"},
		},
		{
			name:    "ports used anew after a refusal",
			segs:    []seg{syn(100), {dir: wire.S2C, flags: link.RST | link.ACK, ack: 101}, syn(200), synAck(900, 201), c2s(201, "a")},
			clients: []bool{true, true},
			last:    []string{`c2s "a"`, "close"},
		},
		{
			name: "both ends open", segs: []seg{syn(100), {dir: wire.S2C, flags: link.SYN, seq: 900}, c2s(101, "a"), s2c(901, "b")}, clients: []bool{true},
			last: []string{`c2s "a"`, `s2c "b"`, "close"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			sinks := run(t, row.opts, row.segs)
			if len(sinks) != len(row.clients) {
				t.Fatalf("%d conversations, want %d", len(sinks), len(row.clients))
			}
			for i, s := range sinks {
				if got := s.conv.Client == client; got != row.clients[i] || s.conv.ID != i+1 {
					t.Errorf("conversation %d has the client %v and ID %d, want the usual one: %t", i+1, s.conv.Client, s.conv.ID, row.clients[i])
				}
			}
			if len(sinks) == 0 {
				return
			}
			if got := sinks[0].conv.Guessed; got != row.guessed {
				t.Errorf("Guessed = %t, want %t", got, row.guessed)
			}
			if got := sinks[len(sinks)-1].events; !slices.Equal(got, row.last) {
				t.Errorf("last conversation: got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(row.last, "\n\t"))
			}
		})
	}
}

func TestReusedPortsDeliverWhatWaited(t *testing.T) {
	sinks := run(t, flow.Options{}, after(hello, c2s(103, "c"), syn(5000)))
	want := []string{"c2s note at 0: " + flow.Reused.String(), "c2s gap 2", `c2s "c"`, "close"}
	if len(sinks) != 2 || !slices.Equal(sinks[0].events, want) {
		t.Errorf("%d conversations, the first with %q, want 2 with %q", len(sinks), sinks[0].events, want)
	}
}

func TestCounters(t *testing.T) {
	s := run(t, flow.Options{}, after(hello, c2s(103, "cd"), c2s(101, "ab"), c2s(101, "abcd"), c2s(110, "j"), s2c(901, "x")))[0]
	want := flow.Counters{Packets: 5, Bytes: 9, Delivered: 5, Missing: 5, Retransmitted: 4, OutOfOrder: 2}
	if s.conv.C2S != want {
		t.Errorf("C2S = %+v, want %+v", s.conv.C2S, want)
	}
	if want := (flow.Counters{Packets: 2, Bytes: 1, Delivered: 1}); s.conv.S2C != want {
		t.Errorf("S2C = %+v, want %+v", s.conv.S2C, want)
	}
}

func TestDeliveryTimesDoNotGoBack(t *testing.T) {
	var times []time.Time
	table := flow.New(flow.Options{Open: func(*flow.Conversation) flow.Sink {
		return feedFunc(func(c trace.Chunk) { times = append(times, c.Time) })
	}})
	for i, s := range after(hello, c2s(102, "b"), c2s(101, "a"), c2s(103, "c")) {
		table.Feed(s.frame(t, i+1, epoch.Add(time.Duration(i)*time.Second)))
	}
	want := []time.Time{epoch.Add(3 * time.Second), epoch.Add(3 * time.Second), epoch.Add(4 * time.Second)}
	if !slices.Equal(times, want) {
		t.Errorf("times of delivery = %v, want %v", times, want)
	}
}

// feedFunc is a sink that only looks at chunks.
type feedFunc func(trace.Chunk)

func (f feedFunc) Feed(c trace.Chunk) { f(c) }
func (feedFunc) Note(flow.Note)       {}
func (feedFunc) Close()               {}
