package bulk_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

// query returns the rows of a scripted answer, as text or in binary form.
func query(t testing.TB, binary bool, columns []string, rows ...mysqltest.Row) *mysqlclient.Rows {
	t.Helper()
	s := mysqltest.NewServer(t)
	text, args := "SELECT it", []any(nil)
	if binary {
		text, args = "SELECT it WHERE 1 = ?", []any{1}
	}
	s.Expect(text).Rows(mysqltest.Columns(columns...), rows...)
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	r, err := c.Query(t.Context(), text, args...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type base struct {
	ID   int64
	Name string `db:"full_name"`
}

type everything struct {
	base
	Score   float64
	Small   uint8
	Flag    bool
	When    time.Time
	Raw     mysql.DateTime
	Took    time.Duration
	Span    mysql.Duration
	Blob    []byte
	Maybe   *string
	None    *int
	Null    sql.NullInt64
	Doc     json.RawMessage
	Addr    netip.Addr
	Any     any
	Other   string `mysql:"old,omitempty"`
	Ignored string `db:"-"`
	Unset   int
	hidden  int //nolint:unused // no column may go there
}

func TestCollect(t *testing.T) {
	columns := []string{
		"id BIGINT", "full_name", "SCORE DOUBLE", "small INT UNSIGNED", "flag TINYINT", "when DATETIME(6)", "raw DATE", "took TIME", "span TIME",
		"blob BLOB", "may_be", "none INT", "null BIGINT", "doc JSON", "addr", "any DECIMAL(5,2)", "old",
	}
	at := time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)
	row := mysqltest.Row{
		7, "Ada", 1.5, 255, 1, at,
		mysql.DateTime{},
		-3 * time.Hour, time.Second,
		[]byte{0, 1},
		"yes", nil, 9, `{"a":1}`, "::1", "1.50", "tagged",
	}
	yes := "yes"
	want := everything{
		base: base{7, "Ada"}, Score: 1.5, Small: 255, Flag: true, When: at, Took: -3 * time.Hour, Span: 1e6, Blob: []byte{0, 1},
		Maybe: &yes, Null: sql.NullInt64{Int64: 9, Valid: true}, Doc: json.RawMessage(`{"a":1}`), Addr: netip.IPv6Loopback(), Any: "1.50", Other: "tagged",
	}
	for _, binary := range []bool{false, true} {
		got, err := bulk.Collect[everything](query(t, binary, columns, row, row))
		if err != nil || len(got) != 2 || !reflect.DeepEqual(got[1], want) {
			t.Errorf("binary %v: got %+v, %v\nwant %+v", binary, got, err, want)
		}
	}
}

func TestCollectScalars(t *testing.T) {
	columns := []string{"v BIGINT"}
	if got, err := bulk.Collect[int](query(t, false, columns, mysqltest.Row{1}, mysqltest.Row{2})); err != nil || fmt.Sprint(got) != "[1 2]" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := bulk.Collect[*string](query(t, true, columns, mysqltest.Row{nil}, mysqltest.Row{2})); err != nil || got[0] != nil || *got[1] != "2" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := bulk.Collect[map[string]any](query(t, true, []string{"a INT", "b"}, mysqltest.Row{1, nil})); err != nil || !reflect.DeepEqual(got, []map[string]any{{"a": int64(1), "b": nil}}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := bulk.Collect[sql.NullTime](query(t, false, []string{"t DATETIME"}, mysqltest.Row{time.Unix(0, 0).UTC()}, mysqltest.Row{nil})); err != nil || !got[0].Time.Equal(time.Unix(0, 0)) || got[1].Valid {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestCollectErrors has rows that do not fit; those before are returned.
func TestCollectErrors(t *testing.T) {
	one := []string{"v INT"}
	for name, row := range map[string]struct {
		collect func() (int, error)
		n       int
		want    string
	}{
		"NULL": {func() (int, error) {
			l, err := bulk.Collect[int](query(t, false, one, mysqltest.Row{1}, mysqltest.Row{nil}))
			return len(l), err
		}, 1, `row 1: mysql: column "v" has "NULL", which is not a int`},
		"overflow": {func() (int, error) {
			l, err := bulk.Collect[int8](query(t, true, one, mysqltest.Row{1}, mysqltest.Row{200}))
			return len(l), err
		}, 1, `"200", which is not a int8`},
		"negative": {func() (int, error) {
			l, err := bulk.Collect[uint](query(t, true, one, mysqltest.Row{-1}))
			return len(l), err
		}, 0, `"-1", which is not a uint64`},
		"no number": {func() (int, error) {
			l, err := bulk.Collect[int](query(t, false, []string{"v"}, mysqltest.Row{"x"}))
			return len(l), err
		}, 0, `"x", which is not an int64`},
		"no field": {func() (int, error) {
			l, err := bulk.Collect[base](query(t, false, []string{"id INT", "other"}, mysqltest.Row{1, ""}))
			return len(l), err
		}, 0, `bulk_test.base has no field for column "other"`},
		"two columns": {func() (int, error) {
			l, err := bulk.Collect[int](query(t, false, []string{"a INT", "b INT"}, mysqltest.Row{1, 2}))
			return len(l), err
		}, 0, "a row of 2 columns does not fit into one int"},
		"no such type": {func() (int, error) {
			l, err := bulk.Collect[chan int](query(t, false, one, mysqltest.Row{1}))
			return len(l), err
		}, 0, "no column becomes a chan int"},
		"text": {func() (int, error) {
			l, err := bulk.Collect[netip.Addr](query(t, false, []string{"v"}, mysqltest.Row{"nowhere"}))
			return len(l), err
		}, 0, "unable to parse IP"},
	} {
		n, err := row.collect()
		if err == nil || !strings.Contains(err.Error(), row.want) || n != row.n {
			t.Errorf("%s: got %d rows and %v, want %s", name, n, err, row.want)
		}
	}
}

// TestEachStops: the connection is free behind the loop, however it ends.
func TestEachStops(t *testing.T) {
	s := mysqltest.NewServer(t)
	s.Expect("SELECT 1").Rows(mysqltest.Columns("v INT"), mysqltest.Row{1}, mysqltest.Row{2}, mysqltest.Row{3})
	s.Expect("SELECT 2").Rows(mysqltest.Columns("v INT"), mysqltest.Row{1}).Error(1317, "interrupted")
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rows, err := c.Query(t.Context(), "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	for v, err := range bulk.Each[int](rows) {
		if v != 1 || err != nil {
			t.Errorf("got %d, %v", v, err)
		}
		break
	}
	if rows, err = c.Query(t.Context(), "SELECT 2"); err != nil {
		t.Fatal(err)
	}
	var failed error
	for _, err := range bulk.Each[int](rows) {
		failed = err
	}
	if e, ok := errors.AsType[*mysqlclient.ServerError](failed); !ok || e.Code != 1317 {
		t.Errorf("got %v", failed)
	}
}

func TestBatches(t *testing.T) {
	columns := []string{"i BIGINT", "u BIGINT UNSIGNED", "f FLOAT", "t DATETIME", "d TIME", "s", "y YEAR", "n INT", "dec DECIMAL(9,2)"}
	at := mysql.DateTime{Year: 2024, Month: 2, Day: 29}
	const n = 2500
	rows := make([]mysqltest.Row, n)
	for i := range rows {
		var null any
		if i%3 == 0 {
			null = i
		}
		rows[i] = mysqltest.Row{-i, uint64(1<<63) + uint64(i), 0.5, at, mysql.Duration(i * 1e6), strings.Repeat("x", i%5), 2024, null, "1.25"}
	}
	for _, binary := range []bool{false, true} {
		r := query(t, binary, columns, rows...)
		at, seen := 0, []int{}
		for b := range bulk.Batches(r) {
			seen = append(seen, b.Len())
			kinds := ""
			for i := range b.Columns() {
				kinds += b.Kind(i).String() + " "
			}
			if kinds != "int uint double datetime time bytes uint int bytes " {
				t.Errorf("kinds %s", kinds)
			}
			for i := range b.Len() {
				row := rows[at+i]
				same := b.Int64s(0)[i] == int64(row[0].(int)) && b.Uint64s(1)[i] == row[1] && b.Float64s(2)[i] == 0.5 &&
					b.DateTimes(3)[i] == row[3] && b.Durations(4)[i] == row[4] && string(b.Bytes(5, i)) == row[5] && b.Uint64s(6)[i] == 2024 &&
					b.IsNull(7, i) == (row[7] == nil) && string(b.Bytes(8, i)) == "1.25"
				if !same {
					t.Fatalf("row %d: %v", at+i, row)
				}
			}
			if !b.HasNull(7) || b.HasNull(0) || b.Nulls(7)[0]&0b1111 != 0b0110 && at == 0 {
				t.Errorf("NULLs: %v %v %b", b.HasNull(7), b.HasNull(0), b.Nulls(7)[0])
			}
			data, ends := b.Data(5)
			if len(ends) != b.Len() || ends[len(ends)-1] != len(data) {
				t.Errorf("%d ends of %d bytes", len(ends), len(data))
			}
			at += b.Len()
		}
		if err := r.Close(); err != nil || at != n || fmt.Sprint(seen) != "[1024 1024 452]" {
			t.Errorf("%d rows in batches of %v, %v", at, seen, err)
		}
	}
}

// TestBatchesOfBytes: long rows make short batches.
func TestBatchesOfBytes(t *testing.T) {
	rows := make([]mysqltest.Row, 10)
	for i := range rows {
		rows[i] = mysqltest.Row{strings.Repeat("x", 300<<10)}
	}
	r := query(t, true, []string{"s TEXT"}, rows...)
	sizes := []int{}
	for b := range bulk.Batches(r) {
		sizes = append(sizes, b.Len())
	}
	if err := r.Close(); err != nil || fmt.Sprint(sizes) != "[4 4 2]" {
		t.Errorf("batches of %v, %v", sizes, err)
	}
}

// TestBatchesAllocateNothing counts over many rows of the same shape: what there
// is to allocate is allocated for the first batches.
func TestBatchesAllocateNothing(t *testing.T) {
	count := func(n int) float64 {
		rows := make([]mysqltest.Row, n)
		for i := range rows {
			rows[i] = mysqltest.Row{i, "some text", 1.5}
		}
		r := query(t, true, []string{"i BIGINT", "s", "f DOUBLE"}, rows...)
		sum := 0
		// One run reads all rows, so that the count is that of all of them.
		total := testing.AllocsPerRun(1, func() {
			for b := range bulk.Batches(r) {
				sum += b.Len()
			}
		})
		if sum != n {
			t.Fatalf("%d rows", sum)
		}
		return total
	}
	count(10)
	if got := count(20000); got > 2000 { // 0.1 for each row leaves room for the server, which runs beside
		t.Errorf("%v allocations for 20,000 rows", got)
	}
}
