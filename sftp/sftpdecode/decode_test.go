package sftpdecode_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpdecode"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// said is one message of a conversation.
type said struct {
	dir wire.Dir
	m   wire.Message
}

func c2s(m wire.Message) said { return said{wire.C2S, m} }
func s2c(m wire.Message) said { return said{wire.S2C, m} }

// talk is a conversation with requests in flight, replies out of order, a
// reused id and each kind of reply.
func talk() []said {
	h, dir := []byte("handle 1"), []byte("handle 2")
	payload := bytes.Repeat([]byte("payload "), 500)
	var a sftp.Attrs
	a.SetSize(4000)
	a.SetTimes(time.Unix(1_000_000_000, 0), time.Unix(1_000_000_000, 0))
	return []said{
		c2s(&sftp.Init{Version: 3}),
		s2c(&sftp.VersionReply{Version: 3, Extensions: []sftp.Extension{{Name: sftp.ExtLimits, Data: "1"}}}),
		c2s(&sftp.Extended{ID: 1, Request: sftp.ExtLimits}),
		s2c(&sftp.LimitsReply{ID: 1, MaxPacket: 262144}),
		c2s(&sftp.Open{ID: 2, Filename: "/a", Flags: sftp.OpenWrite | sftp.OpenCreate}),
		s2c(&sftp.Handle{ID: 2, Handle: h}),
		c2s(&sftp.Write{ID: 3, Handle: h, Data: payload}),
		c2s(&sftp.Write{ID: 4, Handle: h, Offset: 4000, Data: payload}),
		c2s(&sftp.FStat{ID: 5, Handle: h}),
		s2c(&sftp.Status{ID: 4}),
		s2c(&sftp.Status{ID: 3}),
		s2c(&sftp.AttrsReply{ID: 5, Attrs: a}),
		c2s(&sftp.Read{ID: 3, Handle: h, Length: 4000}),
		c2s(&sftp.Read{ID: 3, Handle: h, Offset: 4000, Length: 4000}),
		s2c(&sftp.Data{ID: 3, Data: payload}),
		s2c(&sftp.Status{ID: 3, Code: sftp.StatusEOF, Message: "end of file"}),
		c2s(&sftp.Close{ID: 6, Handle: h}),
		c2s(&sftp.OpenDir{ID: 7, Path: "/d"}),
		s2c(&sftp.Status{ID: 6}),
		s2c(&sftp.Handle{ID: 7, Handle: dir}),
		c2s(&sftp.ReadDir{ID: 8, Handle: dir}),
		s2c(&sftp.Name{ID: 8, Names: []sftp.NameEntry{{Filename: "x", Longname: "-rw x", Attrs: a}}}),
		c2s(&sftp.Extended{ID: 9, Request: sftp.ExtStatVFS, Path: "/d"}),
		s2c(&sftp.StatVFSReply{ID: 9, Bsize: 4096}),
		c2s(&sftp.Close{ID: 10, Handle: dir}),
		s2c(&sftp.Status{ID: 10}),
		c2s(&sftp.Stat{ID: 11, Path: "/none"}),
		s2c(&sftp.Status{ID: 11, Code: sftp.StatusNoSuchFile, Message: "no such file"}),
		c2s(&sftp.Open{ID: 12, Filename: "/from"}),
		c2s(&sftp.Open{ID: 13, Filename: "/to"}),
		s2c(&sftp.Handle{ID: 12, Handle: h}),
		s2c(&sftp.Handle{ID: 13, Handle: dir}),
		c2s(&sftp.Extended{ID: 14, Request: sftp.ExtCopyData, ReadHandle: h, WriteHandle: dir}),
		s2c(&sftp.Status{ID: 14}),
		c2s(&sftp.Extended{ID: 15, Request: sftp.ExtExpandPath, Path: "~/x"}),
		s2c(&sftp.Name{ID: 15, Names: []sftp.NameEntry{{Filename: "/home/lark/x"}}}),
		c2s(&sftp.Extended{ID: 16, Request: sftp.ExtHomeDir, User: "lark"}),
		s2c(&sftp.Name{ID: 16, Names: []sftp.NameEntry{{Filename: "/home/lark"}}}),
		c2s(&sftp.Extended{ID: 17, Request: sftp.ExtUsersGroups, UIDs: []uint32{7, 8}, GIDs: []uint32{7}}),
		s2c(&sftp.UsersGroupsReply{ID: 17, Users: []string{"lark", ""}, Groups: []string{"birds"}}),
		c2s(&sftp.Extended{ID: 18, Request: sftp.ExtLSetStat, Path: "/l", Attrs: a}),
		s2c(&sftp.Status{ID: 18}),
	}
}

// want is what a decoder says of talk: the message, what it answers, after how
// many seconds, and the path it found out.
const want = `
1 c2s SSH_FXP_INIT
2 s2c SSH_FXP_VERSION
3 c2s SSH_FXP_EXTENDED
4 s2c SSH_FXP_EXTENDED_REPLY reply to 3 after 1s
5 c2s SSH_FXP_OPEN
6 s2c SSH_FXP_HANDLE reply to 5 after 1s path /a
7 c2s SSH_FXP_WRITE path /a
8 c2s SSH_FXP_WRITE path /a
9 c2s SSH_FXP_FSTAT path /a
10 s2c SSH_FXP_STATUS reply to 8 after 2s path /a
11 s2c SSH_FXP_STATUS reply to 7 after 4s path /a
12 s2c SSH_FXP_ATTRS reply to 9 after 3s path /a
13 c2s SSH_FXP_READ path /a
14 c2s SSH_FXP_READ path /a
15 s2c SSH_FXP_DATA reply to 13 after 2s path /a
16 s2c SSH_FXP_STATUS reply to 14 after 2s path /a
17 c2s SSH_FXP_CLOSE path /a
18 c2s SSH_FXP_OPENDIR
19 s2c SSH_FXP_STATUS reply to 17 after 2s path /a
20 s2c SSH_FXP_HANDLE reply to 18 after 2s path /d
21 c2s SSH_FXP_READDIR path /d
22 s2c SSH_FXP_NAME reply to 21 after 1s path /d
23 c2s SSH_FXP_EXTENDED
24 s2c SSH_FXP_EXTENDED_REPLY reply to 23 after 1s path /d
25 c2s SSH_FXP_CLOSE path /d
26 s2c SSH_FXP_STATUS reply to 25 after 1s path /d
27 c2s SSH_FXP_STAT
28 s2c SSH_FXP_STATUS reply to 27 after 1s path /none
29 c2s SSH_FXP_OPEN
30 c2s SSH_FXP_OPEN
31 s2c SSH_FXP_HANDLE reply to 29 after 2s path /from
32 s2c SSH_FXP_HANDLE reply to 30 after 2s path /to
33 c2s SSH_FXP_EXTENDED path /from write_to_path /to
34 s2c SSH_FXP_STATUS reply to 33 after 1s path /from
35 c2s SSH_FXP_EXTENDED
36 s2c SSH_FXP_NAME reply to 35 after 1s path ~/x
37 c2s SSH_FXP_EXTENDED
38 s2c SSH_FXP_NAME reply to 37 after 1s
39 c2s SSH_FXP_EXTENDED
40 s2c SSH_FXP_EXTENDED_REPLY reply to 39 after 1s
41 c2s SSH_FXP_EXTENDED
42 s2c SSH_FXP_STATUS reply to 41 after 1s path /l
`

// collector receives messages.
type collector struct {
	t     testing.TB
	n     int64
	lines []string
	errs  []error
	notes []string
	raw   [2][]byte // all packets of a direction, with their lengths
	spans int       // bytes that spans cover
}

func (c *collector) emit(m *trace.Message) {
	c.n++
	m.N = c.n
	line := fmt.Sprintf("%d %s %s", m.N, m.Dir, m.Name)
	if m.ReplyTo > 0 {
		line += fmt.Sprintf(" reply to %d after %v", m.ReplyTo, m.Latency)
	}
	for _, f := range m.Fields {
		if f.Is(wire.Derived) {
			line += fmt.Sprintf(" %s %v", f.Name, f.Value)
		}
	}
	c.lines = append(c.lines, line)
	if m.Err != nil {
		c.errs = append(c.errs, m.Err)
	}
	c.notes = append(c.notes, m.Notes...)
	n := len(m.Raw)
	c.raw[m.Dir] = append(append(c.raw[m.Dir], byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), m.Raw...)
	for _, s := range m.Spans {
		c.spans += s.Len
	}
	tiles(c.t, m)
}

// tiles checks that the leaves of a message cover its packet.
func tiles(t testing.TB, m *trace.Message) {
	t.Helper()
	at := 0
	var walk func([]wire.Field)
	walk = func(fields []wire.Field) {
		for i := range fields {
			f := &fields[i]
			switch {
			case f.Is(wire.Derived):
			case f.Is(wire.Node):
				walk(f.Kids)
			case f.Off != at:
				t.Fatalf("%s: field %s begins at bit %d, want %d", m.Name, f.Name, f.Off, at)
			default:
				at += f.Bits
			}
		}
	}
	walk(m.Fields)
	if at != len(m.Raw)*8 {
		t.Fatalf("%s: fields cover %d of %d bits", m.Name, at, len(m.Raw)*8)
	}
}

func (c *collector) check(t *testing.T, want string) {
	t.Helper()
	if got := "\n" + strings.Join(c.lines, "\n") + "\n"; got != want {
		t.Errorf("messages:%s\nwant:%s", got, want)
	}
}

func packet(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := sftp.AppendPacket(nil, m, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newDecoder(t testing.TB) (*collector, trace.Decoder) {
	c := &collector{t: t}
	return c, sftpdecode.Factory.New(trace.Options{Emit: c.emit, Path: "ssh/0"})
}

func second(i int) time.Time { return time.Unix(1_700_000_000+int64(i), 0) }

func TestPackets(t *testing.T) {
	c, d := newDecoder(t)
	for i, s := range talk() {
		d.Feed(trace.Chunk{Dir: s.dir, Data: packet(t, s.m)[sftp.LengthSize:], Packet: true, Time: second(i)})
	}
	d.Close()
	c.check(t, want)
	if len(c.errs) > 0 || len(c.notes) > 0 {
		t.Errorf("errors %v, notes %q, want none", c.errs, c.notes)
	}
}

// TestStreams feeds the same conversation as bytes, in pieces of many sizes.
func TestStreams(t *testing.T) {
	for _, size := range []int{1, 2, 3, 5, 7, 100, 1448, 1 << 20} {
		c, d := newDecoder(t)
		var streams [2][]byte
		off := [2]int{}
		for i, s := range talk() {
			b := packet(t, s.m)
			streams[s.dir] = append(streams[s.dir], b...)
			for len(b) > 0 {
				n := min(size, len(b))
				span := trace.Span{Frame: i, Off: off[s.dir], Len: n}
				d.Feed(trace.Chunk{Dir: s.dir, Data: bytes.Clone(b[:n]), Time: second(i), Spans: []trace.Span{span}})
				off[s.dir] += n
				b = b[n:]
			}
		}
		d.Close()
		c.check(t, want)
		if len(c.errs) > 0 || len(c.notes) > 0 {
			t.Errorf("pieces of %d: errors %v, notes %q, want none", size, c.errs, c.notes)
		}
		if !bytes.Equal(c.raw[0], streams[0]) || !bytes.Equal(c.raw[1], streams[1]) {
			t.Errorf("pieces of %d: the packets are not the streams", size)
		}
		if all := len(streams[0]) + len(streams[1]); size >= 3 && c.spans != all {
			t.Errorf("pieces of %d: spans cover %d bytes, want %d", size, c.spans, all)
		}
	}
}

// feedWithHole feeds the client's direction of talk with the bytes from off up
// to off+n missing, and everything else whole.
func feedWithHole(t *testing.T, off, n int, known bool) *collector {
	t.Helper()
	c, d := newDecoder(t)
	at := 0
	for i, s := range talk() {
		b := packet(t, s.m)
		if s.dir == wire.S2C {
			d.Feed(trace.Chunk{Dir: s.dir, Data: b, Time: second(i)})
			continue
		}
		begin, end := at, at+len(b)
		at = end
		lo, hi := max(off, begin), min(off+n, end)
		if lo >= hi {
			d.Feed(trace.Chunk{Dir: s.dir, Data: b, Time: second(i)})
			continue
		}
		gap := int64(hi - lo)
		if !known {
			gap = -1
		}
		if lo > begin {
			d.Feed(trace.Chunk{Dir: s.dir, Data: b[:lo-begin], Time: second(i)})
		}
		d.Feed(trace.Chunk{Dir: s.dir, Data: b[hi-begin:], Gap: gap, Time: second(i)})
	}
	d.Close()
	return c
}

// TestHoles cuts a piece out of the first WRITE: the message is still shown,
// and all others are read as if nothing had happened.
func TestHoles(t *testing.T) {
	begin := 0
	for _, s := range talk()[:6] {
		if s.dir == wire.C2S {
			begin += len(packet(t, s.m))
		}
	}
	for _, row := range []struct {
		name   string
		off, n int
	}{
		{"inside the data", 1000, 500},
		{"up to the packet's end", 1000, 3033},
		{"right behind the length", 4, 100},
	} {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/known=%v", row.name, known), func(t *testing.T) {
				c := feedWithHole(t, begin+row.off, row.n, known)
				var got []string
				for _, l := range c.lines {
					_, l, _ = strings.Cut(l, " ")
					got = append(got, strings.Fields(l)[1])
				}
				var names []string
				for i, s := range talk() {
					if row.off == 4 && i == 6 {
						continue // nothing of it is left to show
					}
					names = append(names, sftp.Messages.Name(s.m))
				}
				if !slices.Equal(got, names) {
					t.Errorf("messages %q, want %q", got, names)
				}
				if len(c.notes) == 0 {
					t.Error("no note tells of the hole")
				}
			})
		}
	}
}

// TestSearchFindsTheNextPacket: the end of a WRITE is missing from
// its head on, and its data hold what looks like a length.
func TestSearchFindsTheNextPacket(t *testing.T) {
	c, d := newDecoder(t)
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: packet(t, &sftp.Init{Version: 3}), Time: second(0)})
	rest := packet(t, &sftp.Write{ID: 1, Handle: []byte("h"), Data: bytes.Repeat([]byte{0, 0, 0, 9, 4, 0, 0, 0}, 1000)})[100:]
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: rest, Gap: -1, Time: second(1)})
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: packet(t, &sftp.Stat{ID: 2, Path: "/a"}), Time: second(2)})
	d.Close()
	c.check(t, "\n1 c2s SSH_FXP_INIT\n2 c2s SSH_FXP_STAT\n")
	if len(c.notes) != 2 || !strings.Contains(c.notes[1], fmt.Sprint(len(rest))) {
		t.Errorf("notes %q, want one that counts %d bytes", c.notes, len(rest))
	}
}

func TestComplaints(t *testing.T) {
	for _, row := range []struct {
		name string
		said []said
		want string
	}{
		{"request before INIT", []said{c2s(&sftp.Stat{})}, "SSH_FXP_INIT must come first"},
		{"reply without request", []said{c2s(&sftp.Init{Version: 3}), s2c(&sftp.Status{ID: 1})}, "no request with this id"},
		{"wrong kind of reply", []said{c2s(&sftp.Init{Version: 3}), c2s(&sftp.Stat{ID: 1}), s2c(&sftp.Data{ID: 1})}, "is no answer to SSH_FXP_STAT"},
		{"wrong side", []said{c2s(&sftp.Init{Version: 3}), s2c(&sftp.Stat{ID: 1})}, "only the other side"},
	} {
		c, d := newDecoder(t)
		for i, s := range row.said {
			d.Feed(trace.Chunk{Dir: s.dir, Data: packet(t, s.m)[sftp.LengthSize:], Packet: true, Time: second(i)})
		}
		if len(c.errs) != 1 || !strings.Contains(c.errs[0].Error(), row.want) {
			t.Errorf("%s: errors %v, want one that says %q", row.name, c.errs, row.want)
		}
	}
}

func TestBrokenPackets(t *testing.T) {
	c, d := newDecoder(t)
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: packet(t, &sftp.Init{Version: 3})})
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: []byte{0, 0, 0, 6, sftp.NumStat, 0, 0, 0, 1, 0xff}})
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: []byte{0, 0, 0, 9, 99, 0, 0, 0, 2, 1, 2, 3, 4}})
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: []byte{0, 0, 0, 2, sftp.NumStat, 0}})
	d.Feed(trace.Chunk{Dir: wire.C2S, Data: []byte{0, 0, 0, 20, sftp.NumStat, 0, 0, 0, 3, 0, 0, 0, 11, 'c', 'u', 't'}})
	d.Close()
	c.check(t, "\n1 c2s SSH_FXP_INIT\n2 c2s SSH_FXP_STAT\n3 c2s message 99\n4 c2s SSH_FXP_STAT\n5 c2s SSH_FXP_STAT\n")
	if len(c.errs) != 4 {
		t.Errorf("errors %v, want four", c.errs)
	}
	var we *wire.Error
	if !errors.As(c.errs[0], &we) || we.Field != "path" {
		t.Errorf("the first error is %v, want one about the field path", c.errs[0])
	}
}

func TestOtherVersions(t *testing.T) {
	c, d := newDecoder(t)
	for i, s := range []said{
		c2s(&sftp.Init{Version: 6}), s2c(&sftp.VersionReply{Version: 6}), c2s(&sftp.Stat{ID: 1, Path: "/a"}), s2c(&sftp.Status{ID: 1}),
	} {
		d.Feed(trace.Chunk{Dir: s.dir, Data: packet(t, s.m), Time: second(i)})
	}
	c.check(t, "\n1 c2s SSH_FXP_INIT\n2 s2c SSH_FXP_VERSION\n3 c2s SSH_FXP_STAT\n4 s2c SSH_FXP_STATUS reply to 3 after 1s\n")
	if len(c.errs) > 0 || len(c.notes) != 2 {
		t.Errorf("errors %v, notes %q, want no error and a note for each message", c.errs, c.notes)
	}
}

func TestDetect(t *testing.T) {
	init := packet(t, &sftp.Init{Version: 3})
	version := packet(t, &sftp.VersionReply{Version: 3, Extensions: []sftp.Extension{{Name: "a", Data: "b"}}})
	for _, row := range []struct {
		name     string
		c2s, s2c []byte
		want     trace.Verdict
	}{
		{"nothing", nil, nil, trace.Maybe},
		{"INIT", init, nil, trace.Yes},
		{"VERSION", nil, version, trace.Yes},
		{"both", init, version, trace.Yes},
		{"part of INIT", init[:6], nil, trace.Maybe},
		{"part of both", init[:6], version[:2], trace.Maybe},
		{"wrong way round", version, init, trace.No},
		{"text", []byte("GET / HTTP/1.1"), nil, trace.No},
		{"SSH", []byte("SSH-2.0-x"), []byte("SSH-2.0-y"), trace.No},
		{"INIT and text", init, []byte("hello"), trace.No},
		{"length 0", []byte{0, 0, 0, 0, 1, 0, 0, 0, 3}, nil, trace.No},
	} {
		if got := sftpdecode.Factory.Detect(row.c2s, row.s2c); got != row.want {
			t.Errorf("%s: verdict %v, want %v", row.name, got, row.want)
		}
	}
}

// FuzzDecoder feeds bytes as chunks: the first byte of each says how long it
// is, in which direction, and whether there is a hole.
func FuzzDecoder(f *testing.F) {
	var seed []byte
	for _, s := range talk() {
		b := packet(f, s.m)
		for len(b) > 0 {
			n := min(len(b), 31)
			seed = append(append(seed, byte(s.dir)<<7|byte(n)), b[:n]...)
			b = b[n:]
		}
	}
	f.Add(seed)
	f.Add([]byte{0x49, 0, 0, 0, 5, 1, 0, 0, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, d := newDecoder(t)
		total := 0
		for len(b) > 0 {
			head := b[0]
			n := min(int(head&31), len(b)-1)
			chunk := trace.Chunk{Dir: wire.Dir(head >> 7), Data: b[1 : 1+n], Packet: head&0x60 == 0x60}
			switch head & 0x60 {
			case 0x40:
				chunk.Gap = int64(int8(head)) + 100
			case 0x20:
				chunk.Gap = -1
			}
			if head == 0x1f {
				chunk.Gap = 0
			}
			total += n
			d.Feed(chunk)
			b = b[1+n:]
		}
		d.Close()
		if got := len(c.raw[0]) + len(c.raw[1]) - 4*len(c.lines); got > total {
			t.Errorf("%d bytes of messages from %d bytes of input", got, total)
		}
	})
}
