package mysqldecode_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/mysql/mysqldecode"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// piece is one packet with its header.
type piece struct {
	dir  wire.Dir
	data []byte
	name string // of its message
}

// frames puts headers in front of payloads.
type frames struct {
	flow   flow.Flow
	number uint8
	list   []piece
}

func (f *frames) add(t testing.TB, dir wire.Dir, payload []byte) {
	t.Helper()
	m, _, err := f.flow.Next(dir, payload)
	if err != nil {
		t.Fatal(err)
	}
	name := mysql.Messages.Name(m)
	if dir == wire.C2S && strings.HasPrefix(name, "COM_") {
		f.number = 0
	}
	if err := mysql.Parse(payload, m, f.flow.Dialect()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.flow.Saw(dir, m); err != nil {
		t.Fatal(err)
	}
	var data []byte
	for rest, more := payload, true; more; {
		n := min(len(rest), 1<<24-1)
		data = append(append(data, byte(n), byte(n>>8), byte(n>>16), f.number), rest[:n]...)
		f.number++
		rest, more = rest[n:], n == 1<<24-1
	}
	f.list = append(f.list, piece{dir, data, name})
}

func (f *frames) say(t testing.TB, dir wire.Dir, m wire.Message) {
	t.Helper()
	b, err := mysql.Append(nil, m, f.flow.Dialect())
	if err != nil {
		t.Fatal(err)
	}
	f.add(t, dir, b)
}

// recorded returns what real servers and a client said.
func recorded(t testing.TB) map[string][]piece {
	t.Helper()
	names, err := filepath.Glob("../flow/testdata/conversations/*.txt")
	if err != nil || len(names) < 6 {
		t.Fatalf("%d conversations, %v", len(names), err)
	}
	all := make(map[string][]piece)
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var f frames
		s := bufio.NewScanner(file)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			dir, digits, _ := strings.Cut(s.Text(), " ")
			b, err := hex.DecodeString(digits)
			if err != nil {
				t.Fatal(err)
			}
			f.add(t, map[string]wire.Dir{"c2s": wire.C2S, "s2c": wire.S2C}[dir], b)
		}
		_ = file.Close()
		all[strings.TrimSuffix(filepath.Base(name), ".txt")] = f.list
	}
	return all
}

// collector receives messages.
type collector struct {
	t     testing.TB
	n     int64
	names []string
	lines []string // as text
	errs  []error
	notes []string
	text  trace.Text
	spans int
	size  int
}

func (c *collector) emit(m *trace.Message) {
	c.n++
	m.N, m.Conn = c.n, 1
	c.names = append(c.names, m.Name)
	c.lines = append(c.lines, strings.TrimSuffix(string(c.text.Append(nil, m)), "\n"))
	if m.Err != nil {
		c.errs = append(c.errs, fmt.Errorf("message %d, %s: %w", m.N, m.Name, m.Err))
	}
	c.notes = append(c.notes, m.Notes...)
	c.size += len(m.Raw)
	for _, s := range m.Spans {
		c.spans += s.Len
	}
	at := 0
	var walk func([]wire.Field)
	walk = func(fields []wire.Field) {
		for i := range fields {
			switch f := &fields[i]; {
			case f.Is(wire.Derived):
			case f.Is(wire.Node):
				walk(f.Kids)
			case f.Off != at:
				c.t.Fatalf("%s: field %s begins at bit %d, want %d", m.Name, f.Name, f.Off, at)
			default:
				at += f.Bits
			}
		}
	}
	walk(m.Fields)
	if at != len(m.Raw)*8 {
		c.t.Fatalf("%s: fields cover %d of %d bits", m.Name, at, len(m.Raw)*8)
	}
}

func (c *collector) clean(t *testing.T) {
	t.Helper()
	if len(c.errs) > 0 || len(c.notes) > 0 {
		t.Errorf("errors %v, notes %q, want none", c.errs, c.notes)
	}
}

func newDecoder(t testing.TB, o trace.Options) (*collector, trace.Decoder) {
	c := &collector{t: t}
	o.Emit = c.emit
	return c, mysqldecode.New(o)
}

func second(i int) time.Time { return time.Unix(1_700_000_000+int64(i), 0) }

func namesOf(list []piece) (names []string) {
	for _, p := range list {
		names = append(names, p.name)
	}
	return names
}

// plainly returns a conversation on the wire without the request for TLS, as
// it would have been.
func plainly(list []piece) []piece {
	return slices.DeleteFunc(slices.Clone(list), func(p piece) bool { return p.name == "SSLRequest" })
}

func TestPackets(t *testing.T) {
	for name, list := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			c, d := newDecoder(t, trace.Options{})
			for i, p := range list {
				d.Feed(trace.Chunk{Dir: p.dir, Data: p.data, Packet: true, Time: second(i)})
			}
			d.Close()
			c.clean(t)
			if !slices.Equal(c.names, namesOf(list)) {
				t.Errorf("messages %q\nwant %q", c.names, namesOf(list))
			}
		})
	}
}

// TestStreams feeds the same as bytes, in pieces of many sizes.
func TestStreams(t *testing.T) {
	for name, list := range recorded(t) {
		for _, size := range []int{1, 3, 7, 100, 1448, 1 << 20} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				c, d := newDecoder(t, trace.Options{})
				list, off, all := plainly(list), [2]int{}, 0
				for i, p := range list {
					all += len(p.data)
					for b := p.data; len(b) > 0; {
						n := min(size, len(b))
						d.Feed(trace.Chunk{Dir: p.dir, Data: bytes.Clone(b[:n]), Time: second(i), Spans: []trace.Span{{Frame: i + 1, Off: off[p.dir], Len: n}}})
						off[p.dir] += n
						b = b[n:]
					}
				}
				d.Close()
				c.clean(t)
				if !slices.Equal(c.names, namesOf(list)) {
					t.Errorf("messages %q\nwant %q", c.names, namesOf(list))
				}
				if c.spans != all {
					t.Errorf("spans cover %d bytes, want %d", c.spans, all)
				}
			})
		}
	}
}

const caps = mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection | mysql.ClientPluginAuth | mysql.ClientDeprecateEOF | mysql.ClientSSL

// login returns the beginning of a conversation.
func login(t testing.TB, both mysql.Capabilities) *frames {
	var f frames
	f.say(t, wire.S2C, &mysql.HandshakeV10{ServerVersion: "9.7.4", Capabilities: caps | both, AuthData: bytes.Repeat([]byte{7}, mysql.NonceSize), AuthPlugin: "caching_sha2_password"})
	f.say(t, wire.C2S, &mysql.HandshakeResponse41{Capabilities: caps&^mysql.ClientSSL | both, User: "app", AuthResponse: []byte("proof of it")})
	f.say(t, wire.S2C, &mysql.AuthMoreData{Data: []byte{4}})
	f.say(t, wire.C2S, &mysql.AuthResponse{Data: []byte("hunter2\x00")})
	f.say(t, wire.S2C, &mysql.OK{Status: mysql.StatusAutocommit})
	return &f
}

// talk is a short conversation with all that is derived.
func talk(t testing.TB) *frames {
	f := login(t, 0)
	f.say(t, wire.C2S, &mysql.Query{SQL: []byte("SELECT name FROM birds")})
	f.say(t, wire.S2C, &mysql.ColumnCount{Count: 1})
	f.say(t, wire.S2C, &mysql.Column{Catalog: "def", Name: "name", Collation: 45, Type: mysql.TypeVarString})
	f.say(t, wire.S2C, &mysql.TextRow{Cells: [][]byte{[]byte("lark")}})
	f.say(t, wire.S2C, &mysql.TextRow{Cells: [][]byte{nil}})
	f.say(t, wire.S2C, &mysql.OK{End: true, Status: mysql.StatusAutocommit})
	f.say(t, wire.C2S, &mysql.StmtPrepare{SQL: []byte("SELECT ?, '?', ?")})
	f.say(t, wire.S2C, &mysql.StmtPrepareOK{ID: 1, Params: 2, Columns: 1})
	f.say(t, wire.S2C, &mysql.Column{Name: "?"})
	f.say(t, wire.S2C, &mysql.Column{Name: "?"})
	f.say(t, wire.S2C, &mysql.Column{Name: "x", Type: mysql.TypeLonglong})
	f.say(t, wire.C2S, &mysql.StmtExecute{ID: 1, Iterations: 1, NewTypes: true, Params: []mysql.Param{mysql.NewParam(mysql.String("it's")), mysql.NewParam(mysql.Int(-5))}})
	f.say(t, wire.S2C, &mysql.ERR{Code: 1317, State: "70100", Message: "Query execution was interrupted"})
	f.say(t, wire.C2S, &mysql.Query{SQL: []byte("CREATE USER x IDENTIFIED BY 'hunter2'")})
	f.say(t, wire.S2C, &mysql.OK{Status: mysql.StatusAutocommit})
	f.say(t, wire.C2S, &mysql.StmtClose{ID: 1})
	f.say(t, wire.C2S, &mysql.Quit{})
	return f
}

// TestText is what people see.
func TestText(t *testing.T) {
	c, d := newDecoder(t, trace.Options{})
	for i, p := range talk(t).list {
		d.Feed(trace.Chunk{Dir: p.dir, Data: p.data, Time: second(i)})
	}
	d.Close()
	c.clean(t)
	text := strings.Join(c.lines, "\n")
	for _, want := range []string{
		`HandshakeV10 server_version=9.7.4 `,
		`HandshakeResponse41 `,
		` auth_response=‹masked›`,
		`AuthResponse data=‹masked›`,
		`3.000000 → mysql AuthResponse`,
		`OK_Packet header=0 affected_rows=0 last_insert_id=0 status_flags=SERVER_STATUS_AUTOCOMMIT warnings=0 [1 s]`,
		`COM_QUERY query="SELECT name FROM birds"`,
		`TextResultsetRow cells=1 cells.0.value=lark`,
		`TextResultsetRow cells=1 cells.0.value=NULL`,
		` warnings=0 rows=2 row_bytes=6 [5 s]`,
		`COM_STMT_EXECUTE query="SELECT 'it\\'s', '?', -5" statement_id=1 `,
		`ERR_Packet error_name=ER_QUERY_INTERRUPTED error_code=1317 sql_state_marker=35 sql_state=70100 error_message="Query execution was interrupted" [1 s]`,
		`COM_QUERY query_masked="CREATE USER x IDENTIFIED BY '<secret>'" query=‹masked›`,
		`COM_STMT_CLOSE query="SELECT ?, '?', ?" statement_id=1`,
		`COM_QUIT`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "hunter2") || strings.Contains(text, "proof") {
		t.Errorf("a password is shown:\n%s", text)
	}
}

// TestLongMessages: one of more than 16 MiB comes as one; one that is too long
// is cut, and what follows is read.
func TestLongMessages(t *testing.T) {
	f := login(t, 0)
	long := append([]byte("SELECT '"), bytes.Repeat([]byte("x"), 17<<20)...)
	f.say(t, wire.C2S, &mysql.Query{SQL: long})
	f.say(t, wire.S2C, &mysql.OK{})
	f.say(t, wire.C2S, &mysql.Query{SQL: append(long, long...)})
	f.say(t, wire.S2C, &mysql.OK{})
	c, d := newDecoder(t, trace.Options{})
	for i, p := range f.list {
		for b := p.data; len(b) > 0; b = b[min(len(b), 1<<20):] {
			d.Feed(trace.Chunk{Dir: p.dir, Data: b[:min(len(b), 1<<20)], Time: second(i)})
		}
	}
	d.Close()
	if !slices.Equal(c.names, namesOf(f.list)) {
		t.Errorf("messages %q", c.names)
	}
	if len(c.errs) != 1 || !strings.Contains(c.errs[0].Error(), "message 8, COM_QUERY") {
		t.Errorf("errors %v, want one about the second query", c.errs)
	}
}

// TestJoining begins in the middle of a conversation, at each packet.
func TestJoining(t *testing.T) {
	list := talk(t).list
	for from := 5; from < len(list)-2; from++ {
		c, d := newDecoder(t, trace.Options{})
		for i, p := range list[from:] {
			d.Feed(trace.Chunk{Dir: p.dir, Data: p.data, Time: second(i)})
		}
		d.Close()
		if len(c.errs) > 0 {
			t.Errorf("from packet %d: %v", from, c.errs)
		}
		next := from
		for list[next].dir == wire.S2C {
			next++
		}
		if want := namesOf(list[next:]); len(c.names) < len(want) || !slices.Equal(c.names[len(c.names)-len(want):], want) {
			t.Errorf("from packet %d: %q, want at last %q", from, c.names, want)
		}
	}
}

// TestHoles cuts bytes out of the middle of a conversation: what is behind the
// next command is read as if nothing had happened.
func TestHoles(t *testing.T) {
	list := talk(t).list
	for _, known := range []bool{true, false} {
		for _, p := range []int{5, 6, 7, 8, 10, 11, 12, 16, 17} {
			for _, n := range []int{1, min(3, len(list[p].data)-4), max(1, len(list[p].data)-5)} {
				c, d := newDecoder(t, trace.Options{})
				for i, x := range list {
					chunk := trace.Chunk{Dir: x.dir, Data: x.data, Time: second(i)}
					if i == p {
						d.Feed(trace.Chunk{Dir: x.dir, Data: x.data[:4], Time: second(i)})
						chunk.Gap, chunk.Data = int64(n), x.data[4+n:]
						if !known {
							chunk.Gap = -1
						}
					}
					d.Feed(chunk)
				}
				d.Close()
				want := namesOf(list[18:])
				if len(c.notes) == 0 || len(c.names) < len(want) || !slices.Equal(c.names[len(c.names)-len(want):], want) {
					t.Errorf("%d bytes missing in packet %d, known %v: %q, notes %q, want at last %q", n, p, known, c.names, c.notes, want)
				}
			}
		}
	}
}

// layer is a security layer that does nothing but turn bytes over.
type layer struct {
	plain func(trace.Chunk)
	blind bool
}

func (l *layer) Feed(c trace.Chunk) {
	if l.blind {
		return
	}
	c.Data = bytes.Clone(c.Data)
	for i := range c.Data {
		c.Data[i] ^= 0xff
	}
	l.plain(c)
}

func (l *layer) Close()      {}
func (l *layer) Blind() bool { return l.blind }

// TestTLS switches to a layer behind the client's request for it, in the
// middle of a chunk.
func TestTLS(t *testing.T) {
	var f frames
	f.say(t, wire.S2C, &mysql.HandshakeV10{ServerVersion: "9", Capabilities: caps, AuthData: make([]byte, mysql.NonceSize)})
	f.say(t, wire.C2S, &mysql.SSLRequest{Capabilities: caps})
	f.say(t, wire.C2S, &mysql.HandshakeResponse41{Capabilities: caps, User: "app"})
	f.say(t, wire.S2C, &mysql.OK{})
	f.say(t, wire.C2S, &mysql.Ping{})
	f.say(t, wire.S2C, &mysql.OK{})
	for _, row := range []struct {
		name  string
		layer trace.Layer
		want  []string
		notes int
		blind bool
	}{
		{"opened", func(name string, _ trace.Options, plain func(trace.Chunk)) trace.Decoder {
			if name != "tls" {
				t.Errorf("layer %q", name)
			}
			return &layer{plain: plain}
		}, namesOf(f.list), 0, false},
		{"without secrets", func(string, trace.Options, func(trace.Chunk)) trace.Decoder { return &layer{blind: true} }, []string{"HandshakeV10", "SSLRequest", "TLS"}, 1, true},
		{"without a layer", nil, []string{"HandshakeV10", "SSLRequest"}, 1, true},
	} {
		for _, together := range []bool{false, true} {
			c, d := newDecoder(t, trace.Options{Layer: row.layer})
			for i := 0; i < len(f.list); i++ {
				p := f.list[i]
				data := bytes.Clone(p.data)
				for j := range data {
					if i > 1 {
						data[j] ^= 0xff
					}
				}
				if together && i == 1 { // TLS begins in the same segment
					for _, b := range f.list[2].data {
						data = append(data, b^0xff)
					}
					i++
				}
				d.Feed(trace.Chunk{Dir: p.dir, Data: data, Time: second(i)})
			}
			if got := d.(trace.Blind).Blind(); got != row.blind {
				t.Errorf("%s: blind %v", row.name, got)
			}
			d.Close()
			if !slices.Equal(c.names, row.want) || len(c.notes) != row.notes || len(c.errs) > 0 {
				t.Errorf("%s: %q, notes %q, errors %v, want %q", row.name, c.names, c.notes, c.errs, row.want)
			}
		}
	}
}

func TestDetect(t *testing.T) {
	list := talk(t).list
	greeting, query, count := list[0].data, list[5].data, list[6].data
	refused := []byte("\x1d\x00\x00\x00\xff\x10\x04#08004Too many connections")
	ping := []byte{1, 0, 0, 0, 0x0e}
	for _, row := range []struct {
		name     string
		c2s, s2c []byte
		want     trace.Verdict
	}{
		{"nothing", nil, nil, trace.Maybe},
		{"greeting", nil, greeting, trace.Yes},
		{"part of it", nil, greeting[:7], trace.Maybe},
		{"less of it", nil, greeting[:2], trace.Maybe},
		{"refusal", nil, refused, trace.Yes},
		{"a statement", query, nil, trace.Yes},
		{"a statement and its answer", query, count, trace.Yes},
		{"a ping", ping, nil, trace.Maybe},
		{"a ping and its answer", ping, []byte{7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, trace.Yes},
		{"a ping and something else", ping, []byte("HTTP/1.1 200 OK"), trace.No},
		{"SSH", []byte("SSH-2.0-x\r\n"), []byte("SSH-2.0-y\r\n"), trace.No},
		{"SFTP", []byte{0, 0, 0, 5, 1, 0, 0, 0, 3}, nil, trace.No},
		{"TLS", []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc}, nil, trace.No},
		{"HTTP", []byte("GET / HTTP/1.1\r\n"), nil, trace.No},
		{"zeros", make([]byte, 100), nil, trace.No},
		{"zeros from the server", nil, make([]byte, 100), trace.Maybe},
	} {
		if got := mysqldecode.Factory.Detect(row.c2s, row.s2c); got != row.want {
			t.Errorf("%s: verdict %d, want %d", row.name, got, row.want)
		}
	}
}

// TestBudget: what is too much is dropped, and what follows is read.
func TestBudget(t *testing.T) {
	f := talk(t)
	b := &trace.Budget{Bytes: 1 << 16}
	c, d := newDecoder(t, trace.Options{Budget: b})
	for i, p := range f.list {
		if i == 5 {
			d.Feed(trace.Chunk{Dir: wire.C2S, Data: append([]byte{0, 0, 0x20, 0, 3}, make([]byte, 1<<17)...), Time: second(i)})
		}
		d.Feed(trace.Chunk{Dir: p.dir, Data: p.data, Time: second(i)})
	}
	d.Close()
	if b.Refused == 0 || b.Bytes != 1<<16 || !slices.Contains(c.names, "COM_QUIT") {
		t.Errorf("budget %+v, messages %q", b, c.names)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, list := range recorded(f) {
		var seed []byte
		for _, p := range list {
			if len(p.data) < 0xff && len(seed) < 4<<10 {
				seed = append(append(seed, byte(p.dir)<<7, byte(len(p.data))), p.data...)
			}
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, d := newDecoder(t, trace.Options{Budget: &trace.Budget{Bytes: 1 << 20, Tries: 1 << 20}})
		for len(b) > 1 {
			c := trace.Chunk{Dir: wire.Dir(b[0] >> 7), Packet: b[0]&1 != 0}
			if b[0]&2 != 0 {
				c.Gap = int64(b[0]&0x7c) - 1
			}
			n := min(int(b[1]), len(b)-2)
			c.Data = b[2 : 2+n]
			b = b[2+n:]
			d.Feed(c)
		}
		d.Close()
	})
}
