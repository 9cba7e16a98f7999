package flow_test

import (
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/wire"
)

// step is one message, the message that it answers, and the complaint that it
// deserves, if any.
type step struct {
	dir     wire.Dir
	m       wire.Message
	answers uint64
	last    bool
	want    string // part of the complaint
}

func c2s(m wire.Message) step                 { return step{dir: wire.C2S, m: m} }
func s2c(m wire.Message, answers uint64) step { return step{dir: wire.S2C, m: m, answers: answers} }

func (s step) end() step               { s.last = true; return s }
func (s step) but(want string) step    { s.want = want; return s }
func query(sql string) *mysql.Query    { return &mysql.Query{SQL: []byte(sql)} }
func raw(b string) *mysql.AuthResponse { return &mysql.AuthResponse{Data: []byte(b)} }

func follow(t *testing.T, f *flow.Flow, steps []step) {
	t.Helper()
	for i, s := range steps {
		b, err := mysql.Append(nil, s.m, f.Dialect())
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		m, _, rule := f.Next(s.dir, b)
		if err := mysql.Parse(b, m, f.Dialect()); err != nil {
			t.Fatalf("step %d, %x: %v", i, b, err)
		}
		seen, more := f.Saw(s.dir, m)
		if rule == nil {
			rule = more
		}
		name := mysql.Messages.Name(m)
		switch {
		case rule == nil && s.want != "":
			t.Errorf("step %d, %s: no complaint, want %q", i, name, s.want)
		case rule != nil && (s.want == "" || !strings.Contains(rule.Error(), s.want)):
			t.Errorf("step %d: complaint %q, want %q", i, rule, s.want)
		}
		if s.want == "" && name != mysql.Messages.Name(s.m) {
			t.Errorf("step %d is named %s, want %s", i, name, mysql.Messages.Name(s.m))
		}
		if seen.Answers != s.answers || seen.Last != s.last || seen.Ordinal != uint64(i+1) {
			t.Errorf("step %d, %s: %+v, want it to answer %d, last %v", i, name, seen, s.answers, s.last)
		}
	}
}

const (
	base   = mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection | mysql.ClientPluginAuth
	modern = base | mysql.ClientDeprecateEOF | mysql.ClientSSL
)

func greeting(caps mysql.Capabilities) step {
	return s2c(&mysql.HandshakeV10{ServerVersion: "9", Capabilities: caps, AuthData: make([]byte, mysql.NonceSize), AuthPlugin: "caching_sha2_password"}, 0)
}

func response(caps mysql.Capabilities) step {
	return c2s(&mysql.HandshakeResponse41{Capabilities: caps, User: "app", AuthPlugin: "caching_sha2_password"})
}

// login is three steps long.
func login(caps mysql.Capabilities) []step {
	return []step{greeting(caps), response(caps), s2c(&mysql.OK{}, 2).end()}
}

func TestFlow(t *testing.T) {
	more := &mysql.OK{Status: mysql.StatusMoreResults}
	prepared := []step{c2s(&mysql.StmtPrepare{SQL: []byte("SELECT ?")}), s2c(&mysql.StmtPrepareOK{ID: 1, Params: 1, Columns: 1}, 4), s2c(&mysql.Column{}, 4), s2c(&mysql.Column{Type: mysql.TypeLong}, 4).end()}
	for _, row := range []struct {
		name  string
		caps  mysql.Capabilities
		steps []step // behind login
	}{
		{"answers of one packet", modern, []step{
			c2s(&mysql.Ping{}), s2c(&mysql.OK{}, 4).end(),
			c2s(&mysql.InitDB{Schema: "x"}), s2c(&mysql.ERR{Code: 1049, State: "42000"}, 6).end(),
			c2s(&mysql.Statistics{}), s2c(&mysql.StatisticsText{Text: "Uptime: 1"}, 8).end(),
			c2s(&mysql.SetOption{}), s2c(&mysql.OK{End: true}, 10).end(),
			c2s(&mysql.Debug{}), s2c(&mysql.EOF{}, 12).end(),
			c2s(&mysql.StmtClose{ID: 1}), c2s(&mysql.StmtSendLongData{ID: 1}),
			c2s(&mysql.Quit{}),
		}},
		{"rows", modern, []step{
			c2s(query("SELECT 1")), s2c(&mysql.ColumnCount{Count: 1}, 4), s2c(&mysql.Column{}, 4), s2c(&mysql.TextRow{Cells: [][]byte{{}}}, 4), s2c(&mysql.TextRow{Cells: [][]byte{nil}}, 4), s2c(&mysql.OK{End: true}, 4).end(),
		}},
		{"rows between EOFs", base, []step{
			c2s(query("SELECT 1")), s2c(&mysql.ColumnCount{Count: 1}, 4), s2c(&mysql.Column{}, 4), s2c(&mysql.EOF{}, 4), s2c(&mysql.TextRow{Cells: [][]byte{{}}}, 4), s2c(&mysql.EOF{}, 4).end(),
		}},
		{"an error among the rows", modern, []step{
			c2s(query("SELECT 1")), s2c(&mysql.ColumnCount{Count: 1}, 4), s2c(&mysql.Column{}, 4), s2c(&mysql.TextRow{Cells: [][]byte{{}}}, 4), s2c(&mysql.ERR{Code: 1317}, 4).end(),
		}},
		{"many results", modern, []step{
			c2s(query("CALL p()")), s2c(more, 4), s2c(&mysql.ColumnCount{Count: 1}, 4), s2c(&mysql.Column{}, 4), s2c(&mysql.OK{End: true, Status: mysql.StatusMoreResults}, 4), s2c(&mysql.OK{}, 4).end(),
		}},
		{"OUT parameters between EOFs", base, []step{
			c2s(&mysql.StmtExecute{ID: 9}), s2c(&mysql.ColumnCount{Count: 1}, 4), s2c(&mysql.Column{Type: mysql.TypeNull}, 4),
			s2c(&mysql.EOF{Status: mysql.StatusPSOutParams | mysql.StatusMoreResults}, 4), s2c(&mysql.EOF{}, 4), s2c(&mysql.OK{}, 4).end(),
		}},
		{"commands in one write", modern, []step{
			c2s(query("SELECT 1")), c2s(&mysql.Ping{}), c2s(query("DO 1")),
			s2c(&mysql.ColumnCount{Count: 1}, 4), s2c(&mysql.Column{}, 4), s2c(&mysql.OK{End: true}, 4).end(), s2c(&mysql.OK{}, 5).end(), s2c(&mysql.ERR{}, 6).end(),
		}},
		{"a prepared statement", modern, append(prepared[:4:4],
			c2s(&mysql.StmtExecute{ID: 1, NewTypes: true, Params: []mysql.Param{mysql.NewParam(mysql.Int(1))}}), s2c(&mysql.ColumnCount{Count: 1}, 8), s2c(&mysql.Column{Type: mysql.TypeLong}, 8),
			s2c(&mysql.OK{End: true, Status: mysql.StatusCursorExists}, 8).end(),
			c2s(&mysql.StmtFetch{ID: 1, Rows: 5}), s2c(&mysql.OK{End: true, Status: mysql.StatusLastRowSent}, 12).end(),
		)},
		{"a file", modern | mysql.ClientLocalFiles, []step{
			c2s(query("LOAD DATA LOCAL")), s2c(&mysql.LocalInfileRequest{Filename: "f"}, 4), c2s(&mysql.LocalInfileData{Data: []byte("x")}), c2s(&mysql.LocalInfileData{}), s2c(&mysql.OK{}, 4).end(),
		}},
		{"an error while a file is sent", modern | mysql.ClientLocalFiles, []step{
			c2s(query("LOAD DATA LOCAL")), s2c(&mysql.LocalInfileRequest{Filename: "f"}, 4), c2s(&mysql.LocalInfileData{Data: []byte("x")}), s2c(&mysql.ERR{}, 4).end(),
			c2s(&mysql.LocalInfileData{}), c2s(&mysql.Ping{}), s2c(&mysql.OK{}, 9).end(),
		}},
		{"another user", modern, []step{
			c2s(&mysql.ChangeUser{User: "x"}), s2c(&mysql.AuthSwitchRequest{Plugin: "p", Data: []byte("n")}, 4), c2s(raw("proof")), s2c(&mysql.OK{}, 4).end(),
			c2s(&mysql.Ping{}), s2c(&mysql.OK{}, 8).end(),
		}},
		{"fields", modern, []step{
			c2s(&mysql.FieldList{Table: "t"}), s2c(&mysql.Column{HasDefault: true}, 4), s2c(&mysql.OK{End: true}, 4).end(),
		}},
		{"a binary log", modern, []step{
			c2s(&mysql.BinlogDump{}), s2c(&mysql.BinlogEvent{Size: 19}, 4), s2c(&mysql.BinlogEvent{Size: 19}, 4), s2c(&mysql.EOF{}, 4).end(),
		}},
		{"a farewell", modern, []step{s2c(&mysql.ERR{Code: 4031, State: "HY000"}, 0)}},
		{"complaints", modern, []step{
			s2c(&mysql.OK{}, 0).but("no command awaits an answer"),
			c2s(&mysql.StmtBulkExecute{}).but("not agreed on"), s2c(&mysql.OK{}, 5).end(),
			c2s(query("SELECT")), s2c(&mysql.LocalInfileRequest{Filename: "/etc/passwd"}, 7).but("does not give its files away"), c2s(&mysql.LocalInfileData{}), s2c(&mysql.OK{}, 7).end(),
			c2s(&mysql.Ping{}), s2c(&mysql.ColumnCount{Count: 3}, 11).but("is no answer to COM_PING"), s2c(&mysql.OK{}, 11).end(),
			c2s(raw("")).but("has no command byte"),
			c2s(raw("\xaa")).but("unknown command"), s2c(&mysql.ERR{Code: 1047}, 15).end(),
			c2s(&mysql.Quit{}), c2s(&mysql.Ping{}).but("COM_QUIT went before"),
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			follow(t, new(flow.Flow), append(login(row.caps), row.steps...))
		})
	}
}

func TestFlowOfTheHandshake(t *testing.T) {
	nonce := make([]byte, mysql.NonceSize)
	for _, row := range []struct {
		name  string
		phase flow.Phase
		steps []step
	}{
		{"refused at once", flow.PhaseClosed, []step{s2c(&mysql.ERR{Code: 1040, Message: "Too many connections"}, 0)}},
		{"TLS", flow.PhaseCommand, []step{greeting(modern), c2s(&mysql.SSLRequest{Capabilities: modern}), response(modern), s2c(&mysql.OK{}, 3).end()}},
		{"TLS that is not offered", flow.PhaseTLS, []step{greeting(base), c2s(&mysql.SSLRequest{Capabilities: modern}).but("does not offer TLS")}},
		{"refused later", flow.PhaseClosed, []step{greeting(modern), response(modern), s2c(&mysql.ERR{Code: 1045, State: "28000"}, 2).end(), c2s(&mysql.Ping{}).but("the connection is over")}},
		{"a fast way", flow.PhaseCommand, []step{greeting(modern), response(modern), s2c(&mysql.AuthMoreData{Data: []byte{3}}, 2), s2c(&mysql.OK{}, 2).end()}},
		{"a switch and more", flow.PhaseCommand, []step{
			greeting(modern), response(modern), s2c(&mysql.AuthSwitchRequest{Plugin: "parsec", Data: nonce}, 2), c2s(raw("")), s2c(&mysql.AuthPluginData{Data: []byte("P\x00salt")}, 4), c2s(raw("proof")), s2c(&mysql.OK{}, 6).end(),
		}},
		{"a client that does not wait", flow.PhaseAuth, []step{greeting(modern), response(modern), c2s(raw("x")).but("the server has not asked")}},
		{"a server that goes on alone", flow.PhaseAuth, []step{
			greeting(modern), response(modern), s2c(&mysql.AuthSwitchRequest{Plugin: "dialog"}, 2), s2c(&mysql.AuthPluginData{Data: []byte("\x04Password: ")}, 2).but("it is the client's turn"),
		}},
		{"a client that begins", flow.PhaseAuth, []step{response(modern).but("the server speaks first")}},
		{"an old client", flow.PhaseAuth, []step{greeting(modern), c2s(&mysql.HandshakeResponse320{User: "old"})}},
		{"no greeting", flow.PhaseGreeting, []step{s2c(&mysql.StatisticsText{Text: "SSH-2.0-x"}, 0).but("no greeting")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var f flow.Flow
			follow(t, &f, row.steps)
			if f.Phase() != row.phase {
				t.Errorf("phase %v, want %v", f.Phase(), row.phase)
			}
		})
	}
}

func TestStatements(t *testing.T) {
	var f flow.Flow
	follow(t, &f, append(login(modern),
		c2s(&mysql.StmtPrepare{SQL: []byte("SELECT ?")}), s2c(&mysql.StmtPrepareOK{ID: 7, Params: 1, Columns: 1}, 4), s2c(&mysql.Column{Name: "?"}, 4), s2c(&mysql.Column{Name: "a"}, 4).end()))
	s := f.Statement(7)
	if s == nil || s.SQL != "SELECT ?" || len(s.Params) != 1 || len(s.Columns) != 1 || s != f.Statement(mysql.LastPrepared) {
		t.Fatalf("statement 7 is %+v", s)
	}
	execute := &mysql.StmtExecute{ID: 7, NewTypes: true, Params: []mysql.Param{mysql.NewParam(mysql.Int(5))}}
	for i, m := range []*mysql.StmtExecute{execute, {ID: 7, Params: execute.Params}} {
		b, err := mysql.Append(nil, m, f.Dialect())
		if err != nil {
			t.Fatal(err)
		}
		got, _, _ := f.Next(wire.C2S, b)
		if err := mysql.Parse(b, got, f.Dialect()); err != nil {
			t.Fatal(err)
		}
		if p := got.(*mysql.StmtExecute).Params; len(p) != 1 || p[0].Value.Int64() != 5 {
			t.Errorf("execution %d has parameters %v", i, p)
		}
		if _, err := f.Saw(wire.C2S, got); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Saw(wire.C2S, &mysql.StmtClose{ID: 7}); err != nil || f.Statement(7) != nil {
		t.Errorf("a closed statement is remembered, %v", err)
	}
}

// TestFlowIsBounded feeds tables until they are full: the Flow goes on as
// after a gap and keeps what it can.
func TestFlowIsBounded(t *testing.T) {
	var f flow.Flow
	follow(t, &f, login(modern))
	for i := range flow.MaxPending + 5 {
		if _, err := f.Saw(wire.C2S, &mysql.Ping{}); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
	}
	if f.Pending() > flow.MaxPending {
		t.Errorf("%d commands pending", f.Pending())
	}
	f = flow.Flow{}
	follow(t, &f, login(modern))
	known := 0
	for i := range 2000 {
		_, _ = f.Saw(wire.C2S, &mysql.StmtPrepare{SQL: make([]byte, 1<<16)})
		_, _ = f.Saw(wire.S2C, &mysql.StmtPrepareOK{ID: uint32(i), Params: 0, Columns: 1})
		_, _ = f.Saw(wire.S2C, &mysql.Column{Name: strings.Repeat("x", 1000)})
		if s := f.Statement(uint32(i)); s != nil && s.SQL != "" {
			known++
		}
	}
	if known < 100 || known > 300 {
		t.Errorf("the SQL of %d statements is kept, want that of 16 MiB", known)
	}
}

func TestFlowAfterGap(t *testing.T) {
	var f flow.Flow
	follow(t, &f, append(login(modern), c2s(query("SELECT 1")), s2c(&mysql.ColumnCount{Count: 1}, 4)))
	f.Gap()
	for _, b := range []string{"\x01x", "\xfe\x00\x00\x02\x00\x00\x00", "\x00anything"} {
		m, _, err := f.Next(wire.S2C, []byte(b))
		if err != nil {
			t.Errorf("%q after a gap: %v", b, err)
		}
		_ = mysql.Parse([]byte(b), m, f.Dialect())
		if seen, err := f.Saw(wire.S2C, m); err != nil || seen.Answers != 0 {
			t.Errorf("%q after a gap: %+v, %v", b, seen, err)
		}
	}
	for _, s := range []step{c2s(&mysql.Ping{}), s2c(&mysql.OK{}, 9)} {
		b, _ := mysql.Append(nil, s.m, f.Dialect())
		m, _, _ := f.Next(s.dir, b)
		seen, err := f.Saw(s.dir, m)
		if err != nil || seen.Answers != s.answers || mysql.Messages.Name(m) != mysql.Messages.Name(s.m) {
			t.Errorf("%T: %T, %+v, %v", s.m, m, seen, err)
		}
	}
}
