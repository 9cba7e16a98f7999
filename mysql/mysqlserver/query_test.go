package mysqlserver_test

import (
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql"
)

// TestAnswers has every kind of answer in both ways of ending results.
func TestAnswers(t *testing.T) {
	tests := []struct{ name, sql, modern, oldest string }{
		{
			"ok", "ok 3 4",
			"OK end=false affected=3 id=4 SERVER_STATUS_AUTOCOMMIT warnings=1 info=\"done\"",
			"OK end=false affected=3 id=4 SERVER_STATUS_AUTOCOMMIT warnings=1 info=\"done\"",
		},
		{
			"said nothing", "nothing",
			"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
			"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
		},
		{
			"rows", "rows 2",
			"count 1\ncolumn n MYSQL_TYPE_LONG\n0\n1\nOK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
			"count 1\ncolumn n MYSQL_TYPE_LONG\nEOF SERVER_STATUS_AUTOCOMMIT warnings=0\n0\n1\nEOF SERVER_STATUS_AUTOCOMMIT warnings=0",
		},
		{
			"error behind rows", "rows 1 then fail",
			"count 1\ncolumn n MYSQL_TYPE_LONG\n0\nERR 1317 70100 no more",
			"count 1\ncolumn n MYSQL_TYPE_LONG\nEOF SERVER_STATUS_AUTOCOMMIT warnings=0\n0\nERR 1317 70100 no more",
		},
		{
			"several results", "results 2",
			"count 1\ncolumn n MYSQL_TYPE_LONG\nOK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT|SERVER_MORE_RESULTS_EXISTS warnings=0 info=\"\"\n" +
				"count 1\ncolumn n MYSQL_TYPE_LONG\n0\nOK end=true affected=5 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
			"count 1\ncolumn n MYSQL_TYPE_LONG\nEOF SERVER_STATUS_AUTOCOMMIT warnings=0\nEOF SERVER_STATUS_AUTOCOMMIT|SERVER_MORE_RESULTS_EXISTS warnings=0\n" +
				"count 1\ncolumn n MYSQL_TYPE_LONG\nEOF SERVER_STATUS_AUTOCOMMIT warnings=0\n0\nEOF SERVER_STATUS_AUTOCOMMIT warnings=0",
		},
		{
			"out parameters", "out",
			"count 1\ncolumn n MYSQL_TYPE_LONG\n42\nOK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT|SERVER_MORE_RESULTS_EXISTS|SERVER_PS_OUT_PARAMS warnings=0 info=\"\"\n" +
				"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
			"count 1\ncolumn n MYSQL_TYPE_LONG\nEOF SERVER_STATUS_AUTOCOMMIT warnings=0\n42\nEOF SERVER_STATUS_AUTOCOMMIT|SERVER_MORE_RESULTS_EXISTS|SERVER_PS_OUT_PARAMS warnings=0\n" +
				"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
		},
		{
			"warnings", "warn",
			"count 1\ncolumn n MYSQL_TYPE_LONG\nOK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT|SERVER_MORE_RESULTS_EXISTS warnings=9 info=\"\"\n" +
				"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=2 info=\"\"",
			"count 1\ncolumn n MYSQL_TYPE_LONG\nEOF SERVER_STATUS_AUTOCOMMIT warnings=9\nEOF SERVER_STATUS_AUTOCOMMIT|SERVER_MORE_RESULTS_EXISTS warnings=9\n" +
				"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=2 info=\"\"",
		},
		{"error", "error 1146 no table", "ERR 1146 42S02 no table", "ERR 1146 42S02 no table"},
		{"other error", "broken", "ERR 1105 HY000 out of paper", "ERR 1105 HY000 out of paper"},
		{"empty", " ", "ERR 1065 42000 Query was empty", "ERR 1065 42000 Query was empty"},
		{"only semicolons", ";;", "ERR 1065 42000 Query was empty", "ERR 1065 42000 Query was empty"},
		{
			"trailing semicolon", "ok 1;",
			"OK end=false affected=1 id=0 SERVER_STATUS_AUTOCOMMIT warnings=1 info=\"done\"",
			"OK end=false affected=1 id=0 SERVER_STATUS_AUTOCOMMIT warnings=1 info=\"done\"",
		},
		{
			"status", "begin",
			"OK end=false affected=0 id=0 SERVER_STATUS_IN_TRANS|SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
			"OK end=false affected=0 id=0 SERVER_STATUS_IN_TRANS|SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
		},
		{
			"tracking", "track",
			"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT|SERVER_SESSION_STATE_CHANGED warnings=0 info=\"\"" +
				" SESSION_TRACK_SYSTEM_VARIABLES=\"\"[{a 1} {b 2}] SESSION_TRACK_TRANSACTION_CHARACTERISTICS=\"START TRANSACTION;\"[]" +
				" SESSION_TRACK_TRANSACTION_STATE=\"T_______\"[] SESSION_TRACK_GTIDS=\"uuid:1-5\"[]",
			"OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := logIn(t, newServer(t), modern)
			want(t, "modern", c.query(tt.sql), tt.modern)
			c.done()
			c = logIn(t, newServer(t), oldest)
			want(t, "oldest", c.query(tt.sql), tt.oldest)
			c.done()
		})
	}
}

func TestSeveralStatements(t *testing.T) {
	const (
		first = "OK end=false affected=1 id=0 SERVER_STATUS_AUTOCOMMIT|SERVER_MORE_RESULTS_EXISTS warnings=1 info=\"done\"\n"
		last  = "OK end=false affected=2 id=0 SERVER_STATUS_AUTOCOMMIT warnings=1 info=\"done\""
	)
	c := logIn(t, newServer(t), modern)
	want(t, "two", c.query("ok 1; ok 2"), first+last)
	want(t, "an error ends them", c.query("ok 1; error 1064 no; ok 2"), first+"ERR 1064 42000 no")
	want(t, "semicolons in texts", c.query("error 1064 'a;b'"), "ERR 1064 42000 'a;b'")
	if e := c.query("ok 1; misuse; ok 2"); !strings.Contains(e, "ERR 1105") {
		t.Errorf("a wrong use is answered with %s", e)
	}
	c.say(&mysql.SetOption{Option: mysql.OptionMultiStatementsOff})
	if ok := c.wantOK(); !ok.End {
		t.Error("COM_SET_OPTION is not answered with the end of rows")
	}
	if e := c.query("ok 1; ok 2"); !strings.HasPrefix(e, "ERR 1064 42000") || !strings.Contains(e, "near 'ok 2' at line 1") {
		t.Errorf("two statements are answered with %s", e)
	}
	c.say(&mysql.SetOption{Option: mysql.OptionMultiStatementsOn})
	c.wantOK()
	want(t, "two again", c.query("ok 1; ok 2"), first+last)
	c.done()

	c = logIn(t, newServer(t), oldest)
	if e := c.query("ok 1; ok 2"); !strings.HasPrefix(e, "ERR 1064") {
		t.Errorf("two statements of a client that may send one are answered with %s", e)
	}
	c.done()
}

func TestPipeline(t *testing.T) {
	c := logIn(t, newServer(t), modern)
	c.pc.Apart(true)
	var list []string
	for range 100 {
		c.say(&mysql.Query{SQL: []byte("rows 3")}, &mysql.Ping{})
		list = append(list, "rows", "ping")
	}
	ends := 0
	for range list {
		c.pc.Expect(1)
		pending := c.flow.Pending()
		for c.flow.Pending() == pending {
			c.hear()
		}
		ends++
	}
	if ends != len(list) {
		t.Errorf("%d answers to %d commands", ends, len(list))
	}
	c.pc.Apart(false)
	c.done()
}

func TestOtherCommands(t *testing.T) {
	c := logIn(t, newServer(t), modern)
	c.say(&mysql.Ping{})
	c.wantOK()
	c.say(&mysql.InitDB{Schema: "missing"})
	c.wantError(1049)
	c.say(&mysql.InitDB{Schema: "db"})
	if ok := c.wantOK(); len(ok.Track) != 1 || ok.Track[0].Value != "db" {
		t.Errorf("the new schema is told as %v", ok.Track)
	}
	c.say(&mysql.FieldList{Table: "missing"})
	c.wantError(1146)
	c.say(&mysql.FieldList{Table: "t", Wildcard: "c"})
	want(t, "COM_FIELD_LIST", c.answered(), "column c1 MYSQL_TYPE_LONG\ncolumn c2 MYSQL_TYPE_VAR_STRING\nOK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"")
	c.say(&mysql.Statistics{})
	if m, ok := c.hear().(*mysql.StatisticsText); !ok || !strings.HasPrefix(m.Text, "Uptime: 0  Threads: 1  Questions: 0") {
		t.Errorf("COM_STATISTICS is answered with %+v", m)
	}
	c.say(&mysql.Debug{})
	c.wantError(1047)
	c.query("begin")
	c.say(&mysql.ResetConnection{})
	if ok := c.wantOK(); ok.Status.Has(mysql.StatusInTrans) || len(ok.Track) != 1 || ok.Track[0].Kind != mysql.TrackStateChange {
		t.Errorf("a reset is answered with %s", describe(ok))
	}
	c.rude = true
	c.payload(0x66)
	c.wantError(1047)
	c.payload()
	c.wantError(1835)
	for _, b := range [][]byte{{byte(mysql.ComFieldList), 'x'}, {byte(mysql.ComSetOption)}, {byte(mysql.ComStmtExecute), 1}, {byte(mysql.ComProcessKill), 1, 2}, {byte(mysql.ComQuery), 1}} {
		c.payload(b...)
		c.wantError(1835)
	}
	c.done()
}

func TestMetadataCanBeLeftOut(t *testing.T) {
	c := logIn(t, newServer(t), modern)
	c.query("metadata off")
	c.say(&mysql.Query{SQL: []byte("rows 1")})
	m := c.hear().(*mysql.ColumnCount)
	if m.Metadata != 0 {
		t.Errorf("the definitions are announced")
	}
	if row, ok := c.hear().(*mysql.TextRow); !ok || string(row.Cells[0]) != "0" {
		t.Errorf("got %+v, want the row", row)
	}
	c.wantOK()
	c.query("metadata on")
	want(t, "rows", c.query("rows 0"), "count 1\ncolumn n MYSQL_TYPE_LONG\nOK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"")
	c.done()
}

func TestAttributesAndProgress(t *testing.T) {
	c := logIn(t, newServer(t), modern)
	c.say(&mysql.Query{SQL: []byte("attributes"), Attributes: []mysql.Param{
		mysql.NewAttribute("trace", mysql.String("abc")), mysql.NewAttribute("n", mysql.Int(7)),
	}})
	if got := c.answered(); !strings.Contains(got, "\ntrace|abc\nn|7\n") {
		t.Errorf("the attributes arrive as\n%s", got)
	}
	want(t, "progress for MySQL's client", c.query("progress"), "OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"")
	c.done()

	s := newServer(t)
	s.MariaDB = true
	c = logIn(t, s, mariaDB)
	c.say(&mysql.Query{SQL: []byte("progress")})
	if m, ok := c.hear().(*mysql.Progress); !ok || m.Done != 50_000 || m.Text != "copying" {
		t.Errorf("got %+v, want the progress", m)
	}
	c.wantOK()
	c.done()
}

func TestLocalInfile(t *testing.T) {
	c := logIn(t, newServer(t), modern)
	ask := func(sql string) {
		t.Helper()
		c.say(&mysql.Query{SQL: []byte(sql)})
		if m, ok := c.hear().(*mysql.LocalInfileRequest); !ok || m.Filename != "x.csv" {
			t.Fatalf("got %+v, want a request for x.csv", m)
		}
	}
	for range 2 {
		ask("file x.csv")
		c.say(&mysql.LocalInfileData{Data: []byte("abc")}, &mysql.LocalInfileData{Data: make([]byte, 100_000)}, &mysql.LocalInfileData{})
		if ok := c.wantOK(); ok.AffectedRows != 100_003 {
			t.Errorf("%d bytes arrived, want 100003", ok.AffectedRows)
		}
	}
	ask("file x.csv")
	c.say(&mysql.LocalInfileData{}) // refuses
	c.wantOK()
	ask("file x.csv and stop")
	c.say(&mysql.LocalInfileData{Data: []byte("abc")}, &mysql.LocalInfileData{})
	c.wantError(1148)
	ask("ok 1; file x.csv"[6:])
	c.say(&mysql.LocalInfileData{})
	c.wantOK()
	c.done()

	c = logIn(t, newServer(t), modern&^mysql.ClientLocalFiles)
	want(t, "a client that gives no files", c.query("file x.csv"), "ERR 3948 42000 Loading local data is disabled; this must be enabled on both the client and server sides")
	c.done()
}
