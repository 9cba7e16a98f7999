package parse

import (
	"testing"

	"github.com/wirelark/wirelark/mysql/lexer"
)

func TestStatement(t *testing.T) {
	for _, sql := range []string{
		"select 1", "select a.b, `c`, count(distinct x), t.* from t left join u using (a) where a in (1,2) and b not like 'x%' group by 1 having c > 2 order by 1 desc limit 2,3",
		"select (select 1) + 1, ((select 2)), (1,2) = (3,4), not exists (select 1), -1, - a, !b",
		"(select 1) union all (select 2) order by 1 limit 1", "with recursive a(n) as (select 1 union all select n+1 from a where n < 5) select * from a",
		"insert into t (a,b) values (1,?), (default, now()) on duplicate key update a = values(a)+1",
		"insert ignore into t set a=1", "replace into t select * from u", "update t set a=1, b=2 where c order by d limit 1",
		"update a join b on a.x=b.x set a.y=b.y", "delete a from a join b on a.x=b.x", "delete from t where a limit 1", "truncate t",
		"create table if not exists t (id int unsigned not null auto_increment primary key, a varchar(10) character set utf8mb4 default 'x' comment 'c', d decimal(10,2), e enum('a','b'), ts timestamp default current_timestamp on update current_timestamp, key k (a(3)), unique key u (d,e), constraint f foreign key (id) references p (id) on delete cascade) engine=InnoDB default charset=utf8mb4",
		"alter table t add column x int first, drop column y, modify a int not null, add index (a), rename to u", "create unique index i on t (a,b)",
		"set @a := 1, sql_mode = concat(@@sql_mode,',STRICT_TRANS_TABLES'), autocommit=0, global x = on", "set names utf8mb4 collate utf8mb4_bin",
		"set session transaction isolation level read committed, read only", "show full columns from t from d like 'a%'", "show variables where variable_name = 'x'",
		"show create table `t`", "describe t a", "explain select 1", "start transaction with consistent snapshot, read only", "kill query 5",
		"select case a when 1 then 2 else 3 end, cast(x as decimal(10,2)), convert(a using utf8mb4), extract(day from d), d + interval 1 day, date_add(d, interval '1:2' minute_second)",
		"select group_concat(distinct a order by b desc separator '|'), trim(both 'x' from y), sum(a) over (partition by b order by c rows between 1 preceding and current row)",
		"select * from (select 1 as a) t, u where t.a <=> u.a", "select $$ from t where 1", "create view v as select 1", "select a->>'$.x', json_value(a,'$.y')",
		"load data local infile 'x' into table t fields terminated by ',' enclosed by '\"' lines terminated by '\\n' ignore 1 lines (a,@b) set c=@b",
		"select /*!40001 SQL_NO_CACHE */ * from t", "select '' 'a' \"b\", n'x', _utf8'x', date '2020-01-01', true, null, 0x41, @@global.x",
	} {
		if _, _, err := Statement(sql, Options{}); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{"select", "selec 1", "insert into t value", "select 1 from", "select (1", "create table t ()", "select 1 1", "update t", "'x'"} {
		if _, _, err := Statement(sql, Options{Config: lexer.Config{}}); err == nil {
			t.Errorf("%s: no error", sql)
		}
	}
}
