package parse

import (
	"testing"

	"github.com/wirelark/wirelark/mysql/lexer"
)

func FuzzStatement(f *testing.F) {
	for _, s := range []string{
		"select a, count(*) from t left join u using (x) where a in (1,?) group by 1 having b order by c limit 2,3",
		"insert into t (a) values (1),(default) on duplicate key update a = values(a)", "create table t (a int primary key, b enum('x') default 'x', key (b))",
		"update a join b on a.x=b.x set a.y=1", "with recursive c(n) as (select 1 union select n+1 from c) select * from c", "set @a=1, names='x'",
		"show full columns from t like 'a'", "alter table t add column x int first, drop key y", "((select 1) union (select 2)) order by 1",
		"select case when 1 then date '2020-01-01' + interval 1 day end, cast(a as char(3)), -x, not y between 1 and 2",
	} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, sql string, pipes bool) {
		st, n, err := Statement(sql, Options{Config: lexer.Config{MariaDB: true}, PipesAsConcat: pipes})
		if (st == nil) == (err == nil) || n < 0 {
			t.Errorf("%q: %v, %d, %v", sql, st, n, err)
		}
		if err != nil && err.Error() == "" {
			t.Errorf("%q: an error without words", sql)
		}
	})
}
