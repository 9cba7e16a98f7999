package engine_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

func run(t testing.TB, c *mysqlclient.Conn, list ...string) {
	t.Helper()
	for _, sql := range list {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// one returns the only value of a query as text.
func one(t testing.TB, c *mysqlclient.Conn, sql string, args ...any) string {
	t.Helper()
	rows, err := c.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var list []string
	for rows.Next() {
		list = append(list, rows.String(0))
	}
	if err := rows.Close(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(list, ",")
}

func code(err error) uint16 {
	var se *mysqlclient.ServerError
	if errors.As(err, &se) {
		return se.Code
	}
	return 0
}

// TestPrepared stores values of every type by parameters and reads them back
// in binary.
func TestPrepared(t *testing.T) {
	c := open(t, engine.Config{Databases: []string{"test"}})(t, "test")
	run(t, c, `create table v (id int primary key auto_increment, i int, u bigint unsigned, d decimal(20,5), f double, s varchar(50),
		b blob, dt datetime(6), da date, tm time, n int)`)
	at := time.Date(2024, 2, 29, 12, 34, 56, 789000000, time.UTC)
	res, err := c.Exec(t.Context(), "insert into v (i,u,d,f,s,b,dt,da,tm,n) values (?,?,?,?,?,?,?,?,?,?)",
		-5, uint64(math.MaxUint64), "123.45600", 1.5, "größe \x00 'q'", []byte{0, 0xff, 'x'}, at, "2024-02-29", "-12:00:01", nil)
	if err != nil || res.LastInsertID != 1 || res.AffectedRows != 1 {
		t.Fatalf("insert: %+v, %v", res, err)
	}
	rows, err := c.Query(t.Context(), "select * from v where id = ? and u > ? and s like ?", 1, 5, "größe%")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() {
		t.Fatal("no row", rows.Err())
	}
	for i, want := range []any{
		int64(1), int64(-5), uint64(math.MaxUint64), "123.45600", 1.5, "größe \x00 'q'",
		[]byte{0, 0xff, 'x'},
		mysql.DateTimeOf(at),
		mysql.DateTime{Year: 2024, Month: 2, Day: 29},
		mysql.DurationOf(-12*time.Hour - time.Second), nil,
	} {
		got := rows.Value(i)
		if g, ok := got.([]byte); ok {
			if string(g) != string(want.([]byte)) {
				t.Errorf("column %d: %q, want %q", i, g, want)
			}
			continue
		}
		if got != want {
			t.Errorf("column %d: %v (%T), want %v (%T)", i, got, got, want, want)
		}
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	st, err := c.Prepare(t.Context(), "select i, s from v where id = ? limit ?")
	if err != nil {
		t.Fatal(err)
	}
	if st.NumParams() != 2 || len(st.Columns()) != 2 || st.Columns()[1].Type != mysql.TypeVarString {
		t.Errorf("prepared: %d parameters, columns %v", st.NumParams(), st.Columns())
	}
	if _, err := c.Prepare(t.Context(), "select nope from v"); code(err) != 1054 {
		t.Errorf("preparing an unknown column: %v", err)
	}
}

// TestCorpusPrepared runs the corpus' queries as prepared statements: the
// values are the same in binary.
func TestCorpusPrepared(t *testing.T) {
	c := open(t, engine.Config{Databases: []string{"test"}})(t, "test")
	run(t, c, "set timestamp = 1700000000")
	for _, sql := range []string{
		"select 1, -1, 12345678901, 1.5, 1e3, 'abc', null, true", "select 5/2, 1/3, 7 div 2, 1.5+1, now(), curdate(), curtime(), now(3)",
		"select timestamp '2020-01-31 12:34:56.5', time '-12:34:56', x'4142', 18446744073709551615",
		"select avg(x), sum(x), count(*), max(x), std(x), group_concat(x) from (select 1 x union select 2) y",
		"select concat('a', 1.50, 2), cast(1 as char), if(1, 2.5, 3), coalesce(null, 'x'), date_add(date '2020-01-31', interval 1 month)",
	} {
		text, err := c.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		text.Next()
		var want []any
		for i := range text.Columns() {
			want = append(want, text.Value(i))
		}
		if err := text.Close(); err != nil {
			t.Fatal(err)
		}
		st, err := c.Prepare(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := st.Query(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows.Next()
		for i := range want {
			got := rows.Value(i)
			if b, ok := got.([]byte); ok {
				got, want[i] = string(b), string(want[i].([]byte))
			}
			if got != want[i] {
				t.Errorf("%s: column %d is %v in binary, %v in text", sql, i, got, want[i])
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTransactions(t *testing.T) {
	dial := open(t, engine.Config{Databases: []string{"test"}})
	a, b := dial(t, "test"), dial(t, "test")
	run(t, a, "create table t (id int primary key, n int)", "insert into t values (1,1),(2,2)")
	run(t, a, "begin", "update t set n = 10 where id = 1")
	if !func() bool { s := a.State(); return s.InTransaction() }() {
		t.Error("the status says that there is no transaction")
	}
	if got := one(t, b, "select n from t where id = 1"); got != "1" {
		t.Errorf("another session sees what is not committed: %s", got)
	}
	run(t, b, "set innodb_lock_wait_timeout = 0")
	if _, err := b.Exec(t.Context(), "update t set n = 5 where id = 2"); code(err) != 1205 {
		t.Errorf("a second writer: %v, want error 1205", err)
	}
	run(t, a, "commit")
	if got := one(t, b, "select n from t where id = 1"); got != "10" {
		t.Errorf("another session does not see what is committed: %s", got)
	}
	// A transaction that has read an older state may not write over a newer one.
	run(t, b, "begin")
	one(t, b, "select count(*) from t")
	run(t, a, "update t set n = 11 where id = 1")
	if _, err := b.Exec(t.Context(), "update t set n = n + 1 where id = 1"); code(err) != 1213 {
		t.Errorf("writing over a newer state: %v, want error 1213", err)
	}
	run(t, b, "update t set n = n + 1 where id = 1")
	if got := one(t, a, "select n from t where id = 1"); got != "12" {
		t.Errorf("after the second attempt: %s", got)
	}
	run(t, a, "start transaction read only")
	if _, err := a.Exec(t.Context(), "delete from t"); code(err) != 1792 {
		t.Errorf("writing in a read only transaction: %v", err)
	}
}

func TestPersistence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "some data?.db")
	t.Run("write", func(t *testing.T) {
		c := open(t, engine.Config{File: file, Databases: []string{"shop"}})(t, "shop")
		run(t, c, "create table t (id int auto_increment primary key, e enum('a','b'), d decimal(5,2) default 1.5, key k (e))", "insert into t (e) values ('b')",
			"create view v as select d from t")
	})
	t.Run("read", func(t *testing.T) {
		c := open(t, engine.Config{File: file, Databases: []string{"shop"}})(t, "shop")
		run(t, c, "insert into t (e) values ('A')")
		if got := one(t, c, "select concat(id, e, d) from t order by id"); got != "1b1.50,2a1.50" {
			t.Errorf("rows: %s", got)
		}
		if got := one(t, c, "select count(*) from v"); got != "2" {
			t.Errorf("view: %s", got)
		}
		if _, err := c.Exec(t.Context(), "insert into t (e) values ('c')"); code(err) != 1265 {
			t.Errorf("a value that the ENUM has not: %v", err)
		}
	})
}

func TestCancel(t *testing.T) {
	dial := open(t, engine.Config{Databases: []string{"test"}})
	for _, sql := range []string{
		"select sleep(60)", "with recursive c(n) as (select 1 union all select n+1 from c where n < 1000000000) select count(*) from c",
	} {
		c := dial(t, "test")
		other := dial(t, "test")
		id := one(t, c, "select connection_id()")
		done := make(chan error)
		go func() { // ends when the statement does
			rows, err := c.Query(context.Background(), sql)
			if err == nil {
				err = rows.Close()
			}
			done <- err
		}()
		for one(t, other, "select count(*) from information_schema.processlist where id = "+id) != "1" {
		}
		var err error
		for killed := false; !killed; {
			select {
			case err = <-done:
				killed = true
			case <-time.After(5 * time.Millisecond):
				run(t, other, "kill query "+id)
			}
		}
		if code(err) != 1317 {
			t.Errorf("%s, killed: %v", sql, err)
		}
		if got := one(t, c, "select 1"); got != "1" {
			t.Errorf("the session after that: %s", got)
		}
	}
}

func TestLoadData(t *testing.T) {
	c := open(t, engine.Config{Databases: []string{"test"}})(t, "test")
	run(t, c, "create table t (a int, b varchar(20), c varchar(20))")
	text := "h,h,h\n1,\"x,\"\"y\",\\N\n2,plain,\"two\nlines\"\n3,\\\\esc,end"
	res, err := c.LoadData(t.Context(), `load data local infile 'x' into table t fields terminated by ',' optionally enclosed by '"' ignore 1 lines`,
		strings.NewReader(text), nil)
	if err != nil || res.AffectedRows != 3 {
		t.Fatalf("load: %+v, %v", res, err)
	}
	if got := one(t, c, "select concat(a,':',b,':',ifnull(c,'-')) from t order by a"); got != "1:x,\"y:-,2:plain:two\nlines,3:\\esc:end" {
		t.Errorf("rows: %q", got)
	}
}

func TestFoundRows(t *testing.T) {
	dial := open(t, engine.Config{Databases: []string{"test"}})
	c := dial(t, "test")
	run(t, c, "create table t (id int primary key, n int)", "insert into t values (1,1),(2,1)")
	res, err := c.Exec(t.Context(), "update t set n = 1")
	if err != nil || res.AffectedRows != 0 || res.Info != "Rows matched: 2  Changed: 0  Warnings: 0" {
		t.Errorf("an update that changes nothing: %+v, %v", res, err)
	}
	res, err = c.Exec(t.Context(), "insert into t values (1,1),(3,3) on duplicate key update n = n + 1")
	if err != nil || res.AffectedRows != 3 {
		t.Errorf("one inserted, one updated: %+v, %v", res, err)
	}
}

func TestReset(t *testing.T) {
	c := open(t, engine.Config{Databases: []string{"test"}})(t, "test")
	run(t, c, "set @a = 5", "create temporary table tmp (a int)", "set sql_mode = ''")
	if err := c.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := one(t, c, "select @a is null and @@sql_mode <> ''"); got != "1" {
		t.Errorf("variables after a reset: %s", got)
	}
	if _, err := c.Exec(t.Context(), "select * from tmp"); code(err) != 1146 {
		t.Errorf("a temporary table after a reset: %v", err)
	}
}

func TestGlobals(t *testing.T) {
	dial := open(t, engine.Config{Databases: []string{"test"}})
	c := dial(t, "test")
	run(t, c, "set global max_connections = 7")
	if got := one(t, c, "select concat(@@max_connections = 7, @@global.max_connections)"); got != "07" {
		t.Errorf("in the session that has set it: %s", got)
	}
	if got := one(t, dial(t, "test"), "select @@max_connections"); got != "7" {
		t.Errorf("in a later session: %s", got)
	}
}
