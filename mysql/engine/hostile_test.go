package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// TestHostile runs statements that are meant to take all memory or time. Each
// is refused or answered soon, and the session goes on.
func TestHostile(t *testing.T) {
	c := open(t, engine.Config{Databases: []string{"test"}})(t, "test")
	run(t, c, "create table t (a int primary key, b text)", "insert into t values (1,'x')")
	nest := func(n int, open, middle, end string) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
	}
	for name, sql := range map[string]string{
		"parentheses":        "select " + nest(100000, "(", "1", ")"),
		"queries":            "select " + nest(5000, "(select ", "1", ")"),
		"derived":            "select * from " + nest(300, "(select * from ", "t", ") x"),
		"not":                "select " + strings.Repeat("not ", 100000) + "1",
		"minus":              "select " + strings.Repeat("- ", 100000) + "1",
		"between":            "select " + nest(60, "(", "1", " between 1 and 2)"),
		"in":                 "select " + nest(60, "1 in (", "1", ",2)"),
		"case":               "select " + nest(60, "case ", "1", " when 1 then 1 when 2 then 2 end"),
		"nullif":             "select " + nest(60, "nullif(", "1", ",2)"),
		"assignments":        "update t set " + strings.TrimSuffix(strings.Repeat("a = a + a,", 100), ","),
		"repeat":             "select length(" + nest(8, "repeat(", "'0123456789abcdef'", ",1000)") + ")",
		"replace":            "select length(replace(repeat('a',10000000),'a',repeat('b',10000000)))",
		"hex":                "select length(" + nest(40, "hex(", "'aaaaaaaa'", ")") + ")",
		"decimals":           "select 1e308 * 1e308, " + strings.Repeat("9", 5000) + " * " + strings.Repeat("9", 5000),
		"power":              "select pow(1e300, 10), exp(10000), cast('1e99999999' as decimal(65,30))",
		"bad UTF-8":          "select '\xff\xfe', `\xff`",
		"zero byte":          "select 'a\x00b', concat('\x00', 'x')",
		"no end of a string": "select 'abc",
		"many columns":       "select " + strings.TrimSuffix(strings.Repeat("1,", 5000), ","),
		"a view of itself":   "create or replace view v as select * from v",
		"system tables":      "delete from information_schema.tables",
		"the catalogue":      "select * from `wirelark.tables`",
		"SQLite's schema":    "select * from sqlite_master",
		"a pragma":           "pragma writable_schema = 1",
		"attach":             "attach database 'x' as y",
		"regexp":             "select 'a' regexp '(((((a{1,1000}){1,1000}){1,1000})))'",
		"a window":           "select a, sum(a) over (order by a rows between unbounded preceding and current row); select 1",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			rows, err := c.Query(t.Context(), sql)
			if err == nil {
				err = rows.Close()
			}
			var se *mysqlclient.ServerError
			if err != nil && !errors.As(err, &se) {
				t.Fatalf("%v", err)
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			if got := one(t, c, "select 1"); got != "1" {
				t.Errorf("afterwards: %q", got)
			}
		})
	}
}

// FuzzQuery runs texts as statements.
func FuzzQuery(f *testing.F) {
	c := open(f, engine.Config{Databases: []string{"test"}})(f, "test")
	run(f, c, "create table t (a int primary key, b varchar(20), c decimal(5,2), d datetime, e enum('x','y'))", "insert into t values (1,'b',1.5,now(),'x')")
	for _, sql := range []string{
		"select a, b, c*2, d + interval 1 day, e+0 from t where b like 'x%' or c in (1,2.5) order by e desc", "update t set a = a + 1, b = upper(b)",
		"insert into t values (2,'x',3,'2020-01-01','y') on duplicate key update b = values(b)", "select group_concat(distinct b order by c separator '|'), avg(c) from t group by e with rollup",
		"show columns from t", "select cast(a as char), date_format(d, '%Y'), coalesce(null, a, b) from t union select 1, 2, 3",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		// What may run for ever needs a context that cuts it, which ends the
		// session that all inputs share: TestCancel does that.
		for _, word := range []string{"sleep", "recursive", "kill"} {
			if strings.Contains(strings.ToLower(sql), word) {
				t.Skip("statements with " + word + " are not for this target")
			}
		}
		rows, err := c.Query(t.Context(), sql)
		if err == nil {
			err = rows.Close()
		}
		var se *mysqlclient.ServerError
		if err != nil && !errors.As(err, &se) {
			t.Fatalf("%q: %v", sql, err)
		}
	})
}
