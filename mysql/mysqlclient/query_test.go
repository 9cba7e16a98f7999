package mysqlclient_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/wire"
)

var ctx = context.Background()

// kinds are the servers of which every answer is tried.
var kinds = map[string]mysql.Capabilities{"mysql": mysqlCaps, "mariadb": mariaCaps, "with EOF": oldCaps}

var leapDay = mysql.DateTime{Year: 2024, Month: 2, Day: 29, Hour: 1, Minute: 2, Second: 3, Microsecond: 4}

// types has a column of each kind, its text form, its value, and what Value
// returns for it.
var types = []struct {
	column *mysql.Column
	text   string
	value  mysql.Value
	want   any
}{
	{column("tiny", mysql.TypeTiny), "-5", mysql.Int(-5), int64(-5)},
	{column("long", mysql.TypeLonglong), "-9223372036854775808", mysql.Int(-1 << 63), int64(-1 << 63)},
	{&mysql.Column{Name: "unsigned", Type: mysql.TypeLonglong, Flags: mysql.FlagUnsigned}, "18446744073709551615", mysql.Uint(1<<64 - 1), uint64(1<<64 - 1)},
	{column("year", mysql.TypeYear), "2024", mysql.Uint(2024), uint64(2024)},
	{&mysql.Column{Name: "float", Type: mysql.TypeFloat, Decimals: 31}, "1.5", mysql.Float(1.5), float32(1.5)},
	{&mysql.Column{Name: "double", Type: mysql.TypeDouble, Decimals: 31}, "-2.25", mysql.Double(-2.25), -2.25},
	{column("decimal", mysql.TypeNewDecimal), "12.50", mysql.Decimal([]byte("12.50")), "12.50"},
	{column("text", mysql.TypeVarString), "grüß", mysql.String("grüß"), "grüß"},
	{&mysql.Column{Name: "blob", Type: mysql.TypeBlob, Collation: mysql.CollationBinary}, "\x00\xff", mysql.Bytes([]byte{0, 255}), []byte{0, 255}},
	{column("bit", mysql.TypeBit), "\x02\x01", mysql.Bit([]byte{2, 1}), []byte{2, 1}},
	{&mysql.Column{Name: "json", Type: mysql.TypeJSON, Collation: mysql.CollationBinary}, `{"a": 1}`, mysql.String(`{"a": 1}`), `{"a": 1}`},
	{column("date", mysql.TypeDate), "2024-02-29", mysql.Date(mysql.DateTime{Year: 2024, Month: 2, Day: 29}), mysql.DateTime{Year: 2024, Month: 2, Day: 29}},
	{
		&mysql.Column{Name: "datetime", Type: mysql.TypeDatetime, Decimals: 6}, "2024-02-29 01:02:03.000004",
		mysql.DateAndTime(leapDay), leapDay,
	},
	{column("zero", mysql.TypeDatetime), "0000-00-00 00:00:00", mysql.DateAndTime(mysql.DateTime{}), mysql.DateTime{}},
	{&mysql.Column{Name: "time", Type: mysql.TypeTime}, "-838:59:59", mysql.Time(-3020399e6), mysql.Duration(-3020399e6)},
	{column("null", mysql.TypeLong), "", mysql.Null(), nil},
}

// typesServer answers a query with a row of all types as text, and an execution
// with the same row in binary form.
func typesServer(p *peer, m wire.Message) bool {
	var columns []*mysql.Column
	var values []mysql.Value
	text := new(mysql.TextRow)
	for _, x := range types {
		columns, values = append(columns, x.column), append(values, x.value)
		cell := []byte(x.text)
		if x.value.IsNull() {
			cell = nil
		}
		text.Cells = append(text.Cells, cell)
	}
	switch m.(type) {
	case *mysql.Query:
		p.send(append(p.head(columns...), text, p.ending(mysql.StatusAutocommit))...)
	case *mysql.StmtPrepare:
		p.prepared(1, 1, columns...)
	case *mysql.StmtExecute:
		p.send(append(p.head(columns...), binaryRow(columns, values...), p.ending(mysql.StatusAutocommit))...)
	default:
		return false
	}
	return true
}

// prepared answers a preparation.
func (p *peer) prepared(id uint32, params int, columns ...*mysql.Column) {
	list := []wire.Message{&mysql.StmtPrepareOK{ID: id, Params: uint16(params), Columns: uint16(len(columns))}}
	describe := func(columns []*mysql.Column) {
		for _, c := range columns {
			list = append(list, c)
		}
		if len(columns) > 0 && !mysql.Caps(p.flow.Dialect()).Has(mysql.ClientDeprecateEOF) {
			list = append(list, &mysql.EOF{})
		}
	}
	describe(slices.Repeat([]*mysql.Column{column("?", mysql.TypeVarString)}, params))
	describe(columns)
	p.send(list...)
}

// TestValues: the same column gives the same Go value in text and in binary.
func TestValues(t *testing.T) {
	for name, caps := range kinds {
		for _, args := range [][]any{nil, {1}} {
			t.Run(fmt.Sprintf("%s, %d arguments", name, len(args)), func(t *testing.T) {
				c := newWorld(t, true, serve(caps, typesServer)).connect(nil)
				sql := "SELECT * FROM t WHERE id = 1"
				if args != nil {
					sql = "SELECT * FROM t WHERE id = ?"
				}
				rows, err := c.Query(ctx, sql, args...)
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for ; rows.Next(); n++ {
					for i, x := range types {
						if got := rows.Value(i); fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", x.want, x.want) {
							t.Errorf("%s: Value() = %T %v, want %T %v", x.column.Name, got, got, x.want, x.want)
						}
						if got := rows.String(i); got != x.text {
							t.Errorf("%s: String() = %q, want %q", x.column.Name, got, x.text)
						}
						if got := string(rows.AppendText([]byte("x"), i)); got != "x"+x.text {
							t.Errorf("%s: AppendText() = %q, want %q", x.column.Name, got, "x"+x.text)
						}
						if got, want := rows.IsNull(i), x.want == nil; got != want {
							t.Errorf("%s: IsNull() = %v", x.column.Name, got)
						}
					}
				}
				if err := rows.Close(); err != nil || n != 1 {
					t.Errorf("Close() = %v after %d rows", err, n)
				}
			})
		}
	}
}

// TestGetters: conversions that lose nothing work, others end the rows.
func TestGetters(t *testing.T) {
	at := map[string]int{}
	for i, x := range types {
		at[x.column.Name] = i
	}
	tests := []struct {
		column string
		get    func(r *mysqlclient.Rows, i int) any
		want   any
		bad    bool
	}{
		{"tiny", func(r *mysqlclient.Rows, i int) any { return r.Int64(i) }, int64(-5), false},
		{"tiny", func(r *mysqlclient.Rows, i int) any { return r.Uint64(i) }, uint64(0), true},
		{"tiny", func(r *mysqlclient.Rows, i int) any { return r.Float64(i) }, -5.0, false},
		{"tiny", func(r *mysqlclient.Rows, i int) any { return r.Bool(i) }, true, false},
		{"long", func(r *mysqlclient.Rows, i int) any { return r.Int64(i) }, int64(-1 << 63), false},
		{"unsigned", func(r *mysqlclient.Rows, i int) any { return r.Int64(i) }, int64(0), true},
		{"unsigned", func(r *mysqlclient.Rows, i int) any { return r.Uint64(i) }, uint64(1<<64 - 1), false},
		{"double", func(r *mysqlclient.Rows, i int) any { return r.Int64(i) }, int64(0), true},
		{"decimal", func(r *mysqlclient.Rows, i int) any { return r.Float64(i) }, 12.5, false},
		{"text", func(r *mysqlclient.Rows, i int) any { return r.Float64(i) }, 0.0, true},
		{"text", func(r *mysqlclient.Rows, i int) any { return r.Time(i) }, time.Time{}, true},
		{"bit", func(r *mysqlclient.Rows, i int) any { return r.Int64(i) }, int64(513), false},
		{"datetime", func(r *mysqlclient.Rows, i int) any { return r.Time(i) }, time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC), false},
		{"zero", func(r *mysqlclient.Rows, i int) any { return r.Time(i) }, time.Time{}, true},
		{"zero", func(r *mysqlclient.Rows, i int) any { return r.DateTime(i) }, mysql.DateTime{}, false},
		{"time", func(r *mysqlclient.Rows, i int) any { return r.Duration(i) }, -3020399 * time.Second, false},
		{"null", func(r *mysqlclient.Rows, i int) any { return r.Int64(i) }, int64(0), false},
		{"null", func(r *mysqlclient.Rows, i int) any { return r.Time(i) }, time.Time{}, false},
	}
	c := newWorld(t, true, serve(mysqlCaps, typesServer)).connect(nil)
	for _, x := range tests {
		for _, sql := range []string{"SELECT 1", "SELECT ?"} {
			var args []any
			if strings.Contains(sql, "?") {
				args = []any{1}
			}
			rows, err := c.Query(ctx, sql, args...)
			if err != nil {
				t.Fatal(err)
			}
			rows.Next()
			if got := x.get(rows, at[x.column]); got != x.want {
				t.Errorf("%s of %s = %v, want %v", x.column, sql, got, x.want)
			}
			if err := rows.Close(); x.bad != (err != nil) {
				t.Errorf("%s of %s: Close() = %v", x.column, sql, err)
			} else if bad, ok := errors.AsType[*mysqlclient.ValueError](err); x.bad && (!ok || bad.Column != x.column) {
				t.Errorf("%s: the error is %v", x.column, err)
			}
		}
	}
}

// TestResults: several results of one query come in order, and an error ends
// them.
func TestResults(t *testing.T) {
	for name, caps := range kinds {
		t.Run(name, func(t *testing.T) {
			c := newWorld(t, true, serve(caps, func(p *peer, m wire.Message) bool {
				if _, ok := m.(*mysql.Query); !ok {
					return false
				}
				p.text(mysql.StatusMoreResults, "a")
				p.send(&mysql.OK{AffectedRows: 3, LastInsertID: 9, Status: mysql.StatusMoreResults, Info: "words"})
				p.text(mysql.StatusMoreResults|mysql.StatusPSOutParams, "b", "c")
				p.send(oops(1146, "no such table"))
				return true
			})).connect(func(c *mysqlclient.Config) { c.MultiStatements = true })
			rows, err := c.Query(ctx, "SELECT 1; INSERT …; CALL p(); SELECT nope")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for more := true; more; more = rows.NextResult() {
				for rows.Next() {
					got = append(got, rows.String(len(rows.Columns())-1))
				}
				r := rows.Result()
				got = append(got, fmt.Sprintf("%d %d %s %v", r.AffectedRows, r.LastInsertID, r.Info, rows.OutParams()))
			}
			want := []string{"a", "0 0  false", "3 9 words false", "c", "0 0  true"}
			if !slices.Equal(got, want) {
				t.Errorf("results %q, want %q", got, want)
			}
			err = rows.Close()
			if e, ok := errors.AsType[*mysqlclient.ServerError](err); !ok || e.Code != 1146 || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Close() = %v", err)
			}
			if err := c.Ping(ctx); err != nil {
				t.Errorf("the connection is of no use any more: %v", err)
			}
		})
	}
}

// TestErrorBetweenRows: an ERR may come behind any row, and ends the rows only.
func TestErrorBetweenRows(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		if _, ok := m.(*mysql.Query); !ok {
			return false
		}
		row := &mysql.TextRow{Cells: [][]byte{[]byte("1")}}
		p.send(append(p.head(column("a", mysql.TypeLong)), row, row, oops(1317, "interrupted"))...)
		return true
	})).connect(nil)
	rows, err := c.Query(ctx, "SELECT a FROM t")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	if e, ok := errors.AsType[*mysqlclient.ServerError](rows.Err()); n != 2 || !ok || e.Code != 1317 {
		t.Errorf("%d rows, then %v", n, rows.Err())
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestBusy: a command behind unread rows is refused with their name, and
// nothing is sent.
func TestBusy(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, typesServer)).connect(nil)
	rows, err := c.Query(ctx, "SELECT * FROM big")
	if err != nil {
		t.Fatal(err)
	}
	err = c.Ping(ctx)
	if e, ok := errors.AsType[*mysqlclient.BusyError](err); !ok || !strings.Contains(e.Open, "SELECT * FROM big") {
		t.Errorf("Ping() = %v", err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Errorf("Ping() = %v behind Close", err)
	}
}

// TestQueryAttributes: they stand in both kinds of statements where the server
// has them, and nowhere else.
func TestQueryAttributes(t *testing.T) {
	for name, caps := range map[string]mysql.Capabilities{"mysql": mysqlCaps, "mariadb": mariaCaps} {
		t.Run(name, func(t *testing.T) {
			var got []string
			take := func(kind string, list []mysql.Param) {
				for _, a := range list {
					got = append(got, fmt.Sprintf("%s %s=%s", kind, a.Name, a.Value.String()))
				}
			}
			c := newWorld(t, true, serve(caps, func(p *peer, m wire.Message) bool {
				switch m := m.(type) {
				case *mysql.Query:
					take("query", m.Attributes)
				case *mysql.StmtPrepare:
					p.prepared(1, 1)
					return true
				case *mysql.StmtExecute:
					take("execute", m.Params)
				}
				return false
			})).connect(func(c *mysqlclient.Config) {
				c.QueryAttributes = func(context.Context) []mysqlclient.Attribute {
					return []mysqlclient.Attribute{{Name: "traceparent", Value: "00-ab"}}
				}
			})
			for _, args := range [][]any{nil, {5}} {
				if _, err := c.Exec(ctx, "DO ?", args...); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{"query traceparent=00-ab", "execute =5", "execute traceparent=00-ab"}
			if caps.MariaDB() {
				want = []string{"execute =5"}
			}
			if !slices.Equal(got, want) {
				t.Errorf("the server saw %q, want %q", got, want)
			}
		})
	}
}
