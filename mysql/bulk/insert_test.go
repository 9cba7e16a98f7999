package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// table is a server with one table that has one rule: no row contains "bad".
type table struct {
	*mysqltest.Server
	mu     sync.Mutex
	rows   []string // of the transactions that were committed, and of the open one
	marks  map[string]int
	loaded string // what came with LOAD DATA
	max    int
}

func newTable(t *testing.T) *table {
	t.Helper()
	s := &table{Server: mysqltest.NewServer(t), marks: map[string]int{}, max: 64 << 20}
	s.Allow("...").Answer(s.answer)
	return s
}

var errBad = mysqlserver.Errorf(1062, "Duplicate entry 'bad'")

func (s *table) answer(ctx context.Context, w *mysqlserver.Writer, c *mysqltest.Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	words := strings.Fields(c.SQL)
	last := words[len(words)-1]
	switch words[0] {
	case "START":
		c.Conn.SetStatus(mysql.StatusInTrans, true)
		s.marks[""] = len(s.rows)
	case "COMMIT":
		c.Conn.SetStatus(mysql.StatusInTrans, false)
	case "ROLLBACK":
		if len(words) == 1 {
			c.Conn.SetStatus(mysql.StatusInTrans, false)
			last = ""
		}
		s.rows = s.rows[:s.marks[last]]
	case "SAVEPOINT":
		s.marks[last] = len(s.rows)
	case "RELEASE":
	case "SELECT":
		if err := w.Columns(mysqltest.Columns("v BIGINT")); err != nil {
			return err
		}
		return w.Row([]mysql.Value{mysql.Int(int64(s.max))})
	case "LOAD":
		r, err := w.LocalInfile(ctx, "rows")
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		s.loaded += string(b)
		return w.OK(mysqlserver.Result{AffectedRows: uint64(strings.Count(string(b), "\n"))})
	case "INSERT":
		return s.insert(w, c)
	}
	return w.OK(mysqlserver.Result{})
}

// insert takes a text with rows in parentheses, or one row of arguments.
func (s *table) insert(w *mysqlserver.Writer, c *mysqltest.Call) error {
	_, text, _ := strings.Cut(c.SQL, " VALUES ")
	rows := strings.Split(strings.Trim(text, "()"), "),(")
	if len(c.Args) > 0 {
		cells := make([]string, len(c.Args))
		for i, v := range c.Args {
			cells[i] = v.String()
		}
		rows = []string{strings.Join(cells, ",")}
	}
	if slices.ContainsFunc(rows, func(r string) bool { return strings.Contains(r, "bad") }) {
		return errBad
	}
	s.rows = append(s.rows, rows...)
	return w.OK(mysqlserver.Result{AffectedRows: uint64(len(rows))})
}

// connect returns a connection, to a MariaDB if the method needs one.
func (s *table) connect(t *testing.T, method bulk.Method) *mysqlclient.Conn {
	t.Helper()
	s.Server.Server.MariaDB = method == bulk.MethodBulk
	c, err := mysqlclient.Connect(context.Background(), &mysqlclient.Config{Dial: s.Dial, LocalInfile: true, Trace: mysqltest.Flow(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// numbers yields n rows of a number and a text; the texts of those in bad are
// "bad". It uses one slice for all, as callers may.
func numbers(n int, bad ...int) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		row, text := make([]any, 2), []byte("x")
		for i := range n {
			row[0], row[1] = i, text
			if slices.Contains(bad, i) {
				row[1] = "bad"
			}
			if !yield(row) {
				return
			}
			text[0] = byte('a' + i%26)
		}
	}
}

var methods = []bulk.Method{bulk.MethodMulti, bulk.MethodSingle, bulk.MethodBulk}

func TestInsert(t *testing.T) {
	for _, method := range methods {
		t.Run(method.String(), func(t *testing.T) {
			s := newTable(t)
			var told []int64
			r, err := bulk.InsertRows(t.Context(), s.connect(t, method), "t", []string{"a", "b`c"}, numbers(100), &bulk.InsertOptions{
				Method: method, Schema: "d", ChunkRows: 40, Progress: func(n int64) { told = append(told, n) },
			})
			if want := (bulk.InsertResult{Method: method, Rows: 100, Inserted: 100}); err != nil || r != want {
				t.Errorf("got %+v, %v, want %+v", r, err, want)
			}
			if len(s.rows) != 100 || !strings.HasPrefix(s.rows[99], "99,") || !strings.Contains(s.rows[99], "u") {
				t.Errorf("%d rows, the last one %q", len(s.rows), s.rows[99])
			}
			if !slices.Equal(told, []int64{40, 80, 100}) {
				t.Errorf("told %v", told)
			}
			said := s.Statements()
			if said[0] != "START TRANSACTION" || said[len(said)-1] != "COMMIT" {
				t.Errorf("%q … %q", said[0], said[len(said)-1])
			}
			if !slices.ContainsFunc(said, func(sql string) bool { return strings.HasPrefix(sql, "INSERT INTO `d`.`t` (`a`, `b``c`) VALUES (") }) {
				t.Errorf("said %q", said[1])
			}
		})
	}
}

// TestRowIsNamed: the error tells which row it was, and nothing stays.
func TestRowIsNamed(t *testing.T) {
	for _, method := range methods {
		for _, row := range []struct{ n, bad int }{{1, 0}, {100, 0}, {100, 57}, {100, 99}, {3, 1}} {
			t.Run(fmt.Sprintf("%s %d of %d", method, row.bad, row.n), func(t *testing.T) {
				s := newTable(t)
				c := s.connect(t, method)
				_, err := bulk.InsertRows(t.Context(), c, "t", []string{"a", "b"}, numbers(row.n, row.bad, row.n-1), &bulk.InsertOptions{Method: method, ChunkRows: 40})
				re, ok := errors.AsType[*bulk.RowError](err)
				if !ok || re.Row != int64(row.bad) || re.Count != 1 {
					t.Errorf("got %v", err)
				}
				if e, ok := errors.AsType[*mysqlclient.ServerError](err); !ok || e.Code != 1062 {
					t.Errorf("got %v", err)
				}
				if len(s.rows) != 0 {
					t.Errorf("%d rows stayed", len(s.rows))
				}
				if state := c.State(); state.InTransaction() {
					t.Error("a transaction is open")
				}
			})
		}
	}
}

// TestOwnTransaction: rows that were there before the error stay, and so does
// the transaction.
func TestOwnTransaction(t *testing.T) {
	for _, method := range methods {
		t.Run(method.String(), func(t *testing.T) {
			s := newTable(t)
			c := s.connect(t, method)
			tx, err := c.Begin(t.Context(), mysqlclient.TxOptions{})
			if err != nil {
				t.Fatal(err)
			}
			o := &bulk.InsertOptions{Method: method, ChunkRows: 4}
			for i, rows := range []iter.Seq[[]any]{numbers(5), numbers(9, 7), numbers(3)} {
				if _, err := bulk.InsertRows(t.Context(), c, "t", []string{"a", "b"}, rows, o); (err != nil) != (i == 1) {
					t.Errorf("%d: %v", i, err)
				}
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Error(err)
			}
			if len(s.rows) != 8 {
				t.Errorf("%d rows", len(s.rows))
			}
		})
	}
}

// TestContextEnds: a context that ends between two commands leaves no rows for
// the next transaction to commit: behind 5 and 8 of 8 rows, with 4 in a command.
func TestContextEnds(t *testing.T) {
	for _, method := range methods {
		for _, at := range []int{5, 8} {
			s := newTable(t)
			c := s.connect(t, method)
			ctx, cancel := context.WithCancel(t.Context())
			rows := func(yield func([]any) bool) {
				for i := range 8 {
					if i == at {
						cancel()
					}
					if !yield([]any{i, "x"}) {
						return
					}
				}
				cancel()
			}
			_, err := bulk.InsertRows(ctx, c, "t", []string{"a", "b"}, rows, &bulk.InsertOptions{Method: method, ChunkRows: 4})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v, %d: %v", method, at, err)
			}
			if state := c.State(); len(s.rows) != 0 || c.Err() == nil && state.InTransaction() {
				t.Errorf("%v, %d: %d rows stayed, %q", method, at, len(s.rows), s.Statements())
			}
		}
	}
}

func TestBadRows(t *testing.T) {
	for _, row := range []struct {
		rows [][]any
		want string
	}{
		{[][]any{{1, 2}, {1}}, "row 1: mysql: the row has 1 values for 2 columns"},
		{[][]any{{1, 2}, {1, struct{}{}}}, "row 1: mysql: argument 2: a struct {} is no value of SQL"},
		{[][]any{{1, 2}, {3, 4}, {math.Inf(1), 2}}, "row 2: mysql: argument 1: infinity"},
	} {
		for _, method := range []bulk.Method{bulk.MethodMulti} {
			s := newTable(t)
			_, err := bulk.InsertRows(t.Context(), s.connect(t, method), "t", []string{"a", "b"}, slices.Values(row.rows), &bulk.InsertOptions{Method: method})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: got %v, want %s", method, err, row.want)
			}
			if len(s.rows) != 0 || s.Statements()[len(s.Statements())-1] != "ROLLBACK" {
				t.Errorf("%s: %d rows stayed, %q", method, len(s.rows), s.Statements())
			}
		}
	}
}

func TestNoSuchMethod(t *testing.T) {
	s := newTable(t)
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Dial: s.Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for method, want := range map[bulk.Method]string{bulk.MethodBulk: "no bulk execution", bulk.MethodLoad: "LocalInfile"} {
		if _, err := bulk.InsertRows(t.Context(), c, "t", []string{"a"}, numbers(1), &bulk.InsertOptions{Method: method}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", method, err, want)
		}
	}
	if _, err := bulk.InsertRows(t.Context(), c, "t", nil, numbers(1), nil); err == nil {
		t.Error("a table without columns was filled")
	}
	if got := s.Statements(); len(got) != 0 {
		t.Errorf("said %q", got)
	}
}

// TestTooLarge: chunks are made for the server's limit, and a row that alone is
// beyond it is named.
func TestTooLarge(t *testing.T) {
	s := newTable(t)
	s.max = 1 << 20
	c := s.connect(t, bulk.MethodMulti)
	long := strings.Repeat("x", 400<<10)
	rows := [][]any{{1, long}, {2, long}, {3, long}, {4, strings.Repeat("y", 1<<20)}}
	_, err := bulk.InsertRows(t.Context(), c, "t", []string{"a", "b"}, slices.Values(rows[:3]), nil)
	if err != nil || len(s.rows) != 3 {
		t.Errorf("%d rows, %v", len(s.rows), err)
	}
	_, err = bulk.InsertRows(t.Context(), c, "t", []string{"a", "b"}, slices.Values(rows), nil)
	re, ok := errors.AsType[*bulk.RowError](err)
	if large, is := errors.AsType[*mysqlclient.TooLargeError](err); !ok || re.Row != 3 || !is || large.Limit != 1<<20 {
		t.Errorf("got %v", err)
	}
	if len(s.rows) != 3 {
		t.Errorf("%d rows", len(s.rows))
	}
}

func TestAuto(t *testing.T) {
	for _, row := range []struct {
		name  string
		maria bool
		infil bool
		chars []string
		o     bulk.InsertOptions
		want  bulk.Method
	}{
		{"MySQL", false, true, nil, bulk.InsertOptions{}, bulk.MethodMulti},
		{"MariaDB", true, true, nil, bulk.InsertOptions{}, bulk.MethodBulk},
		{"MySQL, ignore", false, true, nil, bulk.InsertOptions{Ignore: true}, bulk.MethodLoad},
		{"MySQL, ignore, no files", false, false, nil, bulk.InsertOptions{Ignore: true}, bulk.MethodMulti},
		{"MariaDB, ignore", true, true, nil, bulk.InsertOptions{Ignore: true}, bulk.MethodBulk},
		{"MySQL, GBK", false, false, []string{"gbk"}, bulk.InsertOptions{}, bulk.MethodSingle},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newTable(t)
			s.Server.Server.MariaDB = row.maria
			c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Dial: s.Dial, LocalInfile: row.infil, Charsets: row.chars})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			r, err := bulk.InsertRows(t.Context(), c, "t", []string{"a", "b"}, numbers(3), &row.o)
			if err != nil || r.Method != row.want || r.Inserted != 3 {
				t.Errorf("got %+v, %v, want %s", r, err, row.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	s := newTable(t)
	c := s.connect(t, bulk.MethodLoad)
	at := time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)
	rows := [][]any{
		{1, "a\tb\\c\nd\x00", []byte{0, 0xff}, at, nil, 0.5},
		{2, "", "text", mysql.Duration(-1e6), true, uint64(1<<64 - 1)},
		{3, nil, nil, nil, nil, nil},
	}
	_, err := bulk.InsertRows(t.Context(), c, "t", []string{"i", "s", "b", "t", "n", "f"}, slices.Values(rows), &bulk.InsertOptions{Method: bulk.MethodLoad, Ignore: true})
	if err != nil {
		t.Fatal(err)
	}
	want := "1\ta\\tb\\\\c\\nd\\0\t00ff\t2024-02-29 01:02:03.000004\t\\N\t5e-01\n" +
		"2\t\t74657874\t-00:00:01\t1\t18446744073709551615\n" +
		"3" + strings.Repeat("\t\\N", 5) + "\n"
	if s.loaded != want {
		t.Errorf("loaded\n%q, want\n%q", s.loaded, want)
	}
	const sql = "LOAD DATA LOCAL INFILE 'rows' IGNORE INTO TABLE `t` CHARACTER SET utf8mb4 FIELDS TERMINATED BY 0x09 ESCAPED BY 0x5C LINES TERMINATED BY 0x0A (`i`, `s`, @wirelark_2, `t`, `n`, `f`) SET `b` = UNHEX(@wirelark_2)"
	if !slices.Contains(s.Statements(), sql) {
		t.Errorf("said %q", s.Statements())
	}
}

// TestLoadRefused: a server that has it switched off gets INSERTs.
func TestLoadRefused(t *testing.T) {
	s := newTable(t)
	s.Expect("LOAD DATA LOCAL...").Error(3948, "Loading local data is disabled")
	r, err := bulk.InsertRows(t.Context(), s.connect(t, bulk.MethodLoad), "t", []string{"a", "b"}, numbers(100), &bulk.InsertOptions{Ignore: true, ChunkRows: 30})
	if want := (bulk.InsertResult{Method: bulk.MethodMulti, Rows: 100, Inserted: 100}); err != nil || r != want || len(s.rows) != 100 {
		t.Errorf("got %+v, %v, %d rows, want %+v", r, err, len(s.rows), want)
	}
	s.Expect("LOAD DATA LOCAL...").Error(3948, "Loading local data is disabled")
	_, err = bulk.InsertRows(t.Context(), s.connect(t, bulk.MethodLoad), "t", []string{"a", "b"}, numbers(1), &bulk.InsertOptions{Method: bulk.MethodLoad})
	if e, ok := errors.AsType[*mysqlclient.ServerError](err); !ok || e.Code != 3948 {
		t.Errorf("got %v", err)
	}
}

// TestLoadBadRow: what the server has got by then must not be taken for all.
func TestLoadBadRow(t *testing.T) {
	for name, bad := range map[string]any{"type": struct{}{}, "bytes": []byte{0xff}} {
		t.Run(name, func(t *testing.T) {
			s := newTable(t)
			c := s.connect(t, bulk.MethodLoad)
			rows := func(yield func([]any) bool) {
				for i := range 6000 {
					if v := any("x"); i == 5500 && !yield([]any{i, bad}) || i != 5500 && !yield([]any{i, v}) {
						return
					}
				}
			}
			_, err := bulk.InsertRows(t.Context(), c, "t", []string{"a", "b"}, rows, &bulk.InsertOptions{Method: bulk.MethodLoad})
			if re, ok := errors.AsType[*bulk.RowError](err); !ok || re.Row != 5500 {
				t.Errorf("got %v", err)
			}
			if c.Err() == nil {
				t.Error("the connection lives")
			}
		})
	}
}
