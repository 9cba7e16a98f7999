package flow_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func nobody(*flow.Conversation) flow.Sink { return nil }

func encode(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := wire.Append(nil, m, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestStats(t *testing.T) {
	table := flow.New(flow.Options{Open: nobody})
	udp := encode(t, new(link.UDP).Over(client.Addr(), server.Addr()))
	datagram, err := link.AppendIP(nil, client.Addr(), server.Addr(), link.ProtoUDP, udp)
	if err != nil {
		t.Fatal(err)
	}
	piece := encode(t, &link.IPv4{MF: true, Protocol: link.ProtoTCP, Src: client.Addr(), Dst: server.Addr(), Payload: make([]byte, 8)})
	s := c2s(1, "x")
	tcp := s.frame(t, 1, epoch).Data
	for _, f := range []capture.Frame{
		{Link: capture.LinkRaw, Data: tcp},
		{Link: capture.LinkIPv4, Data: tcp},
		{Link: capture.LinkEthernet, Data: encode(t, &link.Ethernet{Type: link.EtherIPv4, Payload: tcp})},
		{Link: capture.LinkNull, Data: append([]byte{2, 0, 0, 0}, tcp...)},
		{Link: capture.LinkLoop, Data: append([]byte{0, 0, 0, 2}, tcp...)},
		{Link: capture.LinkSLL, Data: encode(t, &link.SLL{Type: link.EtherIPv4, Payload: tcp})},
		{Link: capture.LinkSLL2, Data: encode(t, &link.SLL2{Type: link.EtherIPv4, Payload: tcp})},
		{Link: capture.LinkRaw, Data: datagram},
		{Link: capture.LinkRaw, Data: piece},
		{Link: capture.LinkRaw, Data: tcp[:30]},
		{Link: capture.LinkUpperPDU, Data: tcp},
		{Link: capture.LinkEthernet, Data: encode(t, &link.Ethernet{Type: link.EtherARP})},
	} {
		table.Feed(&f)
	}
	got := table.Stats()
	got.Holding = 0
	want := flow.Stats{Frames: 12, TCP: 7, UDP: 1, Fragments: 1, Other: 2, Malformed: 1, Conversations: 1}
	if got != want {
		t.Errorf("Stats = %+v, want %+v", got, want)
	}
	table.Close()
}

func TestTooManyConversations(t *testing.T) {
	var open []*sink
	table := flow.New(flow.Options{MaxConversations: 2, History: -1, Open: func(c *flow.Conversation) flow.Sink {
		open = append(open, &sink{t: t, conv: c, frames: map[int]*capture.Frame{}})
		return open[len(open)-1]
	}})
	at := epoch
	feed := func(port uint16, s seg) {
		t.Helper()
		at = at.Add(time.Millisecond)
		src, dst := netip.AddrPortFrom(client.Addr(), port), server
		if s.dir == wire.S2C {
			src, dst = dst, src
		}
		b, err := link.AppendTCP(nil, src, dst, &link.TCP{Seq: s.seq, Ack: s.ack, Flags: s.flags})
		if err != nil {
			t.Fatal(err)
		}
		table.Feed(&capture.Frame{N: 1, Time: at, Link: capture.LinkRaw, Data: b})
	}
	reset := seg{dir: wire.S2C, flags: link.RST | link.ACK, ack: 101}
	feed(1001, syn(100))
	feed(1002, syn(100))
	feed(1001, syn(100)) // 1002 is idle longest now
	feed(1003, syn(100))
	feed(1003, reset)
	feed(1004, syn(100)) // takes the place of 1003, which is closed
	for i, want := range []int{0, 1, 1, 0} {
		if got := open[i].closed; got != want {
			t.Errorf("the conversation of port %d was closed %d times, want %d", 1001+i, got, want)
		}
	}
	if got := table.Stats().Evicted; got != 1 {
		t.Errorf("Evicted = %d, want 1", got)
	}
	table.Close()
}

func TestFeedAllocatesNothingInOrder(t *testing.T) {
	bytes := 0
	table := flow.New(flow.Options{Open: func(*flow.Conversation) flow.Sink {
		return feedFunc(func(c trace.Chunk) { bytes += len(c.Data) })
	}})
	s := seg{dir: wire.C2S, flags: link.ACK, seq: 1, data: string(make([]byte, 1000))}
	f := s.frame(t, 1, epoch)
	next := func() {
		f.N++
		table.Feed(f)
		seq := f.Data[24:28] // of the TCP header behind 20 bytes of IP
		s.seq += uint32(len(s.data))
		seq[0], seq[1], seq[2], seq[3] = byte(s.seq>>24), byte(s.seq>>16), byte(s.seq>>8), byte(s.seq)
	}
	for range 100 { // the history grows
		next()
	}
	if got := testing.AllocsPerRun(1000, next); got > 0 {
		t.Errorf("Feed allocates %v times a segment, want 0", got)
	}
	if want := 1101 * len(s.data); bytes != want {
		t.Errorf("%d bytes were delivered, want %d", bytes, want)
	}
}

// FuzzFeed feeds segments that are made of the fuzzer's bytes: seven of
// direction, flags, sequence number and length for each.
func FuzzFeed(f *testing.F) {
	f.Add([]byte{0, 2, 0, 0, 0, 0, 0, 1, 18, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 9, 9, 0, 16, 0, 0, 0, 1, 9})
	f.Add([]byte{0, 16, 255, 255, 255, 250, 99, 0, 17, 0, 0, 0, 9, 9, 1, 4, 0, 0, 0, 1, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 4 << 10
		var delivered, missing, seen [2]int64
		table := flow.New(flow.Options{MaxTotal: limit, MaxWait: limit, MaxSegments: 8, History: 64, Open: func(*flow.Conversation) flow.Sink {
			return feedFunc(func(c trace.Chunk) {
				delivered[c.Dir] += int64(len(c.Data))
				missing[c.Dir] += max(0, c.Gap)
				if len(c.Data) == 0 && c.Gap == 0 {
					t.Error("a chunk of nothing")
				}
			})
		}})
		for n := 1; len(b) >= 7; n++ {
			s := seg{dir: wire.Dir(b[0] & 1), flags: link.TCPFlags(b[1]), ack: uint32(b[0])}
			s.seq = uint32(b[2])<<24 | uint32(b[3])<<16 | uint32(b[4])<<8 | uint32(b[5])
			s.data = string(make([]byte, b[6]))
			s.cut = int(b[6]) * int(b[0]>>6) / 3
			b = b[7:]
			seen[0] += int64(len(s.data))
			table.Feed(s.frame(t, n, epoch.Add(time.Duration(n)*time.Second)))
			if held := table.Stats().Holding; held < 0 || held > limit+512 {
				t.Fatalf("%d bytes are held, want at most %d", held, limit)
			}
		}
		table.Close()
		if got := table.Stats().Holding; got != 0 {
			t.Errorf("%d bytes are held after Close, want 0", got)
		}
		if delivered[0]+delivered[1] > seen[0] {
			t.Errorf("%d bytes were delivered, only %d were sent", delivered[0]+delivered[1], seen[0])
		}
	})
}

func BenchmarkFeed(b *testing.B) {
	for _, size := range []int{64, 1400} {
		for _, order := range []string{"in order", "swapped"} {
			b.Run(fmt.Sprintf("%dB/%s", size, order), func(b *testing.B) {
				frames := stream(b, size, 4000)
				if order == "swapped" {
					for i := 2; i+1 < len(frames); i += 2 {
						frames[i], frames[i+1] = frames[i+1], frames[i]
					}
				}
				b.ReportAllocs()
				b.SetBytes(int64(size * len(frames)))
				for b.Loop() {
					table := flow.New(flow.Options{Open: func(*flow.Conversation) flow.Sink { return feedFunc(func(trace.Chunk) {}) }})
					for i := range frames {
						table.Feed(&frames[i])
					}
					table.Close()
				}
				b.ReportMetric(float64(len(frames)*b.N)/b.Elapsed().Seconds(), "frames/s")
			})
		}
	}
}

// stream returns n segments of 16 conversations.
func stream(t testing.TB, size, n int) []capture.Frame {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(rand.Uint32())
	}
	frames := make([]capture.Frame, n)
	for i := range frames {
		src := netip.AddrPortFrom(client.Addr(), uint16(40000+i/2%16))
		b, err := link.AppendTCP(nil, src, server, &link.TCP{Seq: uint32((i/32*2 + i%2) * size), Flags: link.ACK, Payload: data})
		if err != nil {
			t.Fatal(err)
		}
		frames[i] = capture.Frame{N: i + 1, Time: epoch, Link: capture.LinkRaw, Data: b, Len: len(b)}
	}
	return frames
}
