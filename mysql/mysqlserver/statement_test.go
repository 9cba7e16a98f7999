package mysqlserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

const okEnd = "OK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\""

// prepare prepares a statement and returns its id.
func (c *client) prepare(sql string) uint32 {
	c.Helper()
	c.say(&mysql.StmtPrepare{SQL: []byte(sql)})
	m, ok := c.hear().(*mysql.StmtPrepareOK)
	if !ok {
		c.Fatalf("%q is not prepared", sql)
	}
	id := m.ID
	c.answered()
	return id
}

// execute executes a statement with arguments and returns the answers.
func (c *client) execute(id uint32, flags mysql.ExecuteFlags, args ...mysql.Value) string {
	c.Helper()
	m := &mysql.StmtExecute{ID: id, Flags: flags, Iterations: 1, NewTypes: true}
	for _, a := range args {
		m.Params = append(m.Params, mysql.NewParam(a))
	}
	c.say(m)
	return c.answered()
}

func TestPreparedStatements(t *testing.T) {
	for name, caps := range map[string]mysql.Capabilities{"modern": modern, "oldest": oldest} {
		t.Run(name, func(t *testing.T) {
			c := logIn(t, newServer(t), caps)
			id := c.prepare("echo ? ? ? ? ? ? ? ?")
			got := c.execute(id, 0, mysql.Int(-7), mysql.Uint(1<<63), mysql.Double(0.5), mysql.String("text"), mysql.Bytes([]byte{'b', 0}),
				mysql.Null(), mysql.DateAndTime(mysql.DateTime{Year: 2024, Month: 2, Day: 29, Hour: 1, Microsecond: 5}), mysql.Time(-3600e6))
			if row := "binary -7|9223372036854775808|0.500000|text|b\x00|NULL|2024-02-29 01:00:00.000005|-01:00:00.000000"; !strings.Contains(got, row) {
				t.Errorf("the arguments come back as\n%s\nwant\n%s", got, row)
			}
			none := c.prepare("ok 1")
			want(t, "no result set", c.execute(none, 0), "OK end=false affected=1 id=0 SERVER_STATUS_AUTOCOMMIT warnings=1 info=\"done\"")
			c.say(&mysql.StmtPrepare{SQL: []byte("error")})
			c.wantError(1064)
			c.say(&mysql.StmtClose{ID: none})
			c.rude = true
			want(t, "a closed statement", c.execute(none, 0), fmt.Sprintf("ERR 1243 HY000 Unknown prepared statement handler (%d) given to mysqld_stmt_execute", none))
			c.say(&mysql.StmtReset{ID: none})
			c.wantError(1243)
			c.say(&mysql.StmtReset{ID: id})
			c.wantOK()
			c.say(&mysql.ResetConnection{})
			c.wantOK()
			if got := c.execute(id, 0); !strings.HasPrefix(got, "ERR 1243") {
				t.Errorf("after a reset the statement answers %s", got)
			}
			c.done()
		})
	}
}

func TestTypesAreRemembered(t *testing.T) {
	c := logIn(t, newServer(t), oldest)
	id := c.prepare("echo ?")
	c.rude = true
	c.say(&mysql.StmtExecute{ID: id, Iterations: 1, Params: []mysql.Param{mysql.NewParam(mysql.Int(1))}})
	c.wantError(1210) // types were never sent
	c.execute(id, 0, mysql.Int(5))
	c.say(&mysql.StmtExecute{ID: id, Iterations: 1, Params: []mysql.Param{mysql.NewParam(mysql.Int(6))}})
	if got := c.answered(); !strings.Contains(got, "binary 6") {
		t.Errorf("without types the answer is\n%s", got)
	}
	c.done()
}

func TestLongData(t *testing.T) {
	s := newServer(t)
	s.Limits.LongData = 100
	c := logIn(t, s, modern)
	id := c.prepare("echo ? ?")
	execute := func() string {
		t.Helper()
		long := mysql.NewParam(mysql.Bytes(nil))
		long.Long = true
		c.say(&mysql.StmtExecute{ID: id, Iterations: 1, NewTypes: true, Params: []mysql.Param{long, mysql.NewParam(mysql.Int(1))}})
		return c.answered()
	}
	c.say(&mysql.StmtSendLongData{ID: id, Data: []byte("ab")}, &mysql.StmtSendLongData{ID: id, Data: []byte("cd")})
	if got := execute(); !strings.Contains(got, "binary abcd|1") {
		t.Errorf("the pieces come back as\n%s", got)
	}
	c.say(&mysql.StmtSendLongData{ID: id}) // an empty value is one
	if got := execute(); !strings.Contains(got, "binary |1") {
		t.Errorf("an empty value comes back as\n%s", got)
	}
	c.say(&mysql.StmtSendLongData{ID: id, Data: []byte("lost")}, &mysql.StmtReset{ID: id})
	c.wantOK()
	if got := c.execute(id, 0, mysql.Int(1), mysql.Int(2)); !strings.Contains(got, "binary 1|2") {
		t.Errorf("after a reset the answer is\n%s", got)
	}
	for range 2 { // too much, and what is held before counts no more
		c.say(&mysql.StmtSendLongData{ID: id, Data: make([]byte, 60)}, &mysql.StmtSendLongData{ID: id, Data: make([]byte, 60)})
		if got := execute(); !strings.HasPrefix(got, "ERR 1105") {
			t.Errorf("too much is answered with\n%s", got)
		}
	}
	c.rude = true
	c.say(&mysql.StmtSendLongData{ID: id, Param: 9, Data: []byte("x")}, &mysql.StmtSendLongData{ID: 77, Data: []byte("x")})
	if got := c.execute(id, 0, mysql.Int(1), mysql.Int(2)); !strings.HasPrefix(got, "ERR 1210") {
		t.Errorf("a parameter that is none is answered with\n%s", got)
	}
	if got := c.execute(id, 0, mysql.Int(1), mysql.Int(2)); !strings.Contains(got, "binary 1|2") {
		t.Errorf("after an error the answer is\n%s", got)
	}
	c.done()
}

func TestCursors(t *testing.T) {
	for name, caps := range map[string]mysql.Capabilities{"modern": modern, "oldest": oldest} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.Limits.CursorBytes = 1000
			c := logIn(t, s, caps)
			end := func(flags string) string {
				if caps == oldest {
					return "EOF SERVER_STATUS_AUTOCOMMIT" + flags + " warnings=0"
				}
				return "OK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT" + flags + " warnings=0 info=\"\""
			}
			id := c.prepare("rows ?")
			head := "count 1\ncolumn n MYSQL_TYPE_LONG\n"
			want(t, "open", c.execute(id, mysql.CursorReadOnly, mysql.Int(3)), head+end("|SERVER_STATUS_CURSOR_EXISTS"))
			want(t, "another statement between", c.query("nothing"), "OK end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"")
			c.say(&mysql.StmtFetch{ID: id, Rows: 2})
			want(t, "fetch", c.answered(), "binary 0\nbinary 1\n"+end("|SERVER_STATUS_CURSOR_EXISTS"))
			c.say(&mysql.StmtFetch{ID: id, Rows: 2})
			want(t, "last fetch", c.answered(), "binary 2\n"+end("|SERVER_STATUS_LAST_ROW_SENT"))
			c.say(&mysql.StmtFetch{ID: id, Rows: 2})
			c.wantError(1421)
			many := c.execute(id, mysql.CursorReadOnly, mysql.Int(200))
			if n := strings.Count(many, "binary"); n != 200 || strings.Contains(many, "CURSOR") {
				t.Errorf("a result that is too large for a cursor comes as %d rows, flag: %v", n, strings.Contains(many, "CURSOR"))
			}
			for range 5 { // what is held does not add up
				c.execute(id, mysql.CursorReadOnly, mysql.Int(40))
			}
			c.say(&mysql.StmtReset{ID: id})
			c.wantOK()
			c.say(&mysql.StmtFetch{ID: id, Rows: 1})
			c.wantError(1421)
			ok := c.prepare("ok ?")
			if got := c.execute(ok, mysql.CursorReadOnly, mysql.Int(3)); !strings.HasPrefix(got, "OK end=false affected=3") {
				t.Errorf("a statement without rows answers %s", got)
			}
			several := c.prepare("results ?")
			if got := c.execute(several, mysql.CursorReadOnly, mysql.Int(3)); strings.Contains(got, "CURSOR") || strings.Count(got, "binary") != 3 {
				t.Errorf("several result sets come as\n%s", got)
			}
			c.rude = true
			c.say(&mysql.StmtFetch{ID: 99, Rows: 1})
			c.wantError(1243)
			c.done()
		})
	}
}

func TestStatementLimit(t *testing.T) {
	s := newServer(t)
	s.Limits.Statements = 2
	c := logIn(t, s, modern)
	id := c.prepare("ok 1")
	c.prepare("ok 1")
	c.say(&mysql.StmtPrepare{SQL: []byte("ok 1")})
	c.wantError(1461)
	c.say(&mysql.StmtClose{ID: id})
	c.prepare("ok 1")
	c.done()

	s = newServer(t)
	s.Limits.Parameters = 4
	c = logIn(t, s, modern)
	id = c.prepare("echo ? ? ?")
	c.say(&mysql.StmtPrepare{SQL: []byte("echo ? ?")})
	c.wantError(1390)
	c.prepare("echo ?")
	c.say(&mysql.StmtClose{ID: id})
	c.prepare("echo ? ? ?")
	c.done()
}

// asMariaDB returns a client of a MariaDB.
func asMariaDB(t *testing.T) *client {
	t.Helper()
	s := newServer(t)
	s.MariaDB = true
	return logIn(t, s, mariaDB)
}

func TestLastPrepared(t *testing.T) {
	c := asMariaDB(t)
	c.prepare("ok 1")
	c.prepare("ok 2")
	if got := c.execute(mysql.LastPrepared, 0); !strings.HasPrefix(got, "OK end=false affected=2") {
		t.Errorf("the last one answers %s", got)
	}
	c.say(&mysql.StmtPrepare{SQL: []byte("error")})
	c.wantError(1064)
	c.rude = true
	if got := c.execute(mysql.LastPrepared, 0); !strings.HasPrefix(got, "ERR 1243") {
		t.Errorf("behind a failure an older one answers %s", got)
	}
	c.done()
}

func TestKnownMetadataIsLeftOut(t *testing.T) {
	c := asMariaDB(t)
	id := c.prepare("rows ?")
	full := "count 1\ncolumn n MYSQL_TYPE_LONG\nbinary 0\n" + okEnd
	want(t, "first", c.execute(id, 0, mysql.Int(1)), full)
	want(t, "second", c.execute(id, 0, mysql.Int(1)), "count 1\nbinary 0\n"+okEnd)
	other := c.prepare("echo ?")
	if got := c.execute(other, 0, mysql.Int(1)); !strings.Contains(got, "column p0 MYSQL_TYPE_LONGLONG") {
		t.Errorf("first: %s", got)
	}
	if got := c.execute(other, 0, mysql.String("x")); !strings.Contains(got, "column p0 MYSQL_TYPE_VAR_STRING") {
		t.Errorf("other columns are not told: %s", got)
	}
	want(t, "text", c.query("rows 1"), "count 1\ncolumn n MYSQL_TYPE_LONG\n0\n"+okEnd)
	c.done()
}

func TestBulk(t *testing.T) {
	tests := []struct {
		name, sql string
		values    []mysql.BulkValue
		want      string
	}{
		{"each", "ok ?", []mysql.BulkValue{mysql.BulkOf(mysql.Int(1)), mysql.BulkOf(mysql.Int(2)), {Indicator: mysql.IndicatorIgnoreRow}, mysql.BulkOf(mysql.Int(4))}, "OK end=false affected=7 id=0 SERVER_STATUS_AUTOCOMMIT warnings=3 info=\"Records: 3  Duplicates: 0  Warnings: 3\""},
		{"of its own", "bulk ?", []mysql.BulkValue{mysql.BulkOf(mysql.Int(1)), {Indicator: mysql.IndicatorDefault}}, "OK end=false affected=2 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"STMT_INDICATOR_NONE:1 STMT_INDICATOR_DEFAULT:NULL \""},
		{"NULL", "error 1048 ?", []mysql.BulkValue{mysql.BulkOf(mysql.Null())}, "ERR 1048 23000 NULL"},
		{"default", "ok ?", []mysql.BulkValue{mysql.BulkOf(mysql.Int(1)), {Indicator: mysql.IndicatorDefault}}, "ERR 1235 42000 This server doesn't yet support 'DEFAULT and IGNORE in bulk executions'"},
		{"rows", "rows ?", []mysql.BulkValue{mysql.BulkOf(mysql.Int(1))}, "ERR 1295 HY000 This command is not supported in the prepared statement protocol yet"},
		{"unknown indicator", "ok ?", []mysql.BulkValue{{Indicator: 9}}, "ERR 1835 HY000 Malformed communication packet."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := asMariaDB(t)
			id := c.prepare(tt.sql)
			m := &mysql.StmtBulkExecute{ID: id, Flags: mysql.BulkSendTypes, Types: []mysql.ParamType{{Type: mysql.TypeLonglong}}, Values: tt.values}
			c.say(m)
			want(t, "answer", c.answered(), tt.want)
			m.Flags = 0 // the types are known now
			c.say(m)
			want(t, "again", c.answered(), tt.want)
			c.done()
		})
	}
	c := asMariaDB(t)
	id := c.prepare("ok ? ?")
	c.rude = true
	odd := &mysql.StmtBulkExecute{ID: id, Flags: mysql.BulkSendTypes, Types: make([]mysql.ParamType, 2), Values: make([]mysql.BulkValue, 3)}
	for i := range odd.Values {
		odd.Values[i].Indicator = mysql.IndicatorNull
	}
	c.say(odd)
	c.wantError(1835)
	own := c.prepare("bulk ? ?")
	odd.ID = own
	c.say(odd)
	c.wantError(1835)
	odd.ID = 99
	c.say(odd)
	c.wantError(1243)
	c.done()

	c = logIn(t, newServer(t), modern)
	c.rude = true
	c.payload(byte(mysql.ComStmtBulkExecute), 1, 0, 0, 0, 0, 0)
	c.wantError(1047)
	c.done()
}

// TestHostileExecutions sends executions that do not fit their statement.
func TestHostileExecutions(t *testing.T) {
	tests := []struct {
		name string
		body []byte // behind the id
		code uint16
	}{
		{"nothing", nil, 1835},
		{"no bitmap", []byte{0, 1, 0, 0, 0}, 1210},
		{"no types", []byte{0, 1, 0, 0, 0, 0, 1}, 1835},
		{"half a type", []byte{0, 1, 0, 0, 0, 0, 1, 8}, 1835},
		{"no value", []byte{0, 1, 0, 0, 0, 0, 1, 8, 0, 3, 0}, 1835},
		{"huge text", []byte{0, 1, 0, 0, 0, 2, 1, 253, 0, 253, 0, 0xfe, 255, 255, 255, 255, 255, 255, 255, 127}, 1835},
		{"date of 200 bytes", []byte{0, 1, 0, 0, 0, 2, 1, 12, 0, 12, 0, 200}, 1835},
		{"unknown type", []byte{0, 1, 0, 0, 0, 2, 1, 99, 0, 99, 0, 250}, 1835},
		{"bytes behind", []byte{0, 1, 0, 0, 0, 3, 1, 6, 0, 6, 0, 1, 2, 3}, 1835},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := logIn(t, newServer(t), oldest)
			id := c.prepare("echo ? ?")
			c.rude = true
			c.payload(append([]byte{byte(mysql.ComStmtExecute), byte(id), 0, 0, 0}, tt.body...)...)
			c.wantError(tt.code)
			if got := c.execute(id, 0, mysql.Int(1), mysql.Int(2)); !strings.Contains(got, "binary 1|2") {
				t.Errorf("afterwards the answer is\n%s", got)
			}
			c.done()
		})
	}
}

var _ mysqlserver.BulkStatement = (*bulkStatement)(nil)
