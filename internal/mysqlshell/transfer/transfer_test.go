package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// tables is a server with one table, shop.t, and what an import needs.
type tables struct {
	server *mysqltest.Server

	mu      sync.Mutex
	rows    map[int]string // of shop.t, by id; NULL is "NULL"
	loaded  map[int]int    // how often each id was loaded
	made    bool           // the copy was
	journal map[string]int64
	pending map[uint32][]func() // what a transaction will have done, by connection
	claims  map[uint32]string   // and which source it has noted
	asked   []string
	refuse  string // LOAD DATA of rows with this word fails
}

func newTables(t *testing.T, n int) *tables {
	d := &tables{server: mysqltest.NewServer(t), rows: map[int]string{}, loaded: map[int]int{}, journal: map[string]int64{}, pending: map[uint32][]func(){}, claims: map[uint32]string{}}
	for i := range n {
		d.rows[i*3+1] = fmt.Sprintf("name\t%d\\", i)
	}
	d.server.Allow("...").Answer(d.answer)
	return d
}

func (d *tables) connect(ctx context.Context) (*mysqlclient.Conn, error) {
	return mysqlclient.Connect(ctx, &mysqlclient.Config{User: "ann", Network: "pipe", Dial: d.server.Dial, LocalInfile: true, KillTimeout: -1})
}

var (
	place = regexp.MustCompile(`SELECT place FROM .* WHERE source = '(.*)'`)
	note  = regexp.MustCompile(`INSERT INTO .*_wirelark_import.* VALUES \('(.*)', (\d+)\)`)
	move  = regexp.MustCompile(`UPDATE .* SET place = (\d+) WHERE source = '(.*)' AND place = (\d+)`)
	lower = regexp.MustCompile("`id` >= (\\d+)")
	upper = regexp.MustCompile("`id` < (\\d+)")
)

// answer is a database in a few lines.
func (d *tables) answer(ctx context.Context, w *mysqlserver.Writer, c *mysqltest.Call) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, c.SQL)
	text := func(columns []mysql.Column, cells ...any) error {
		if err := w.Columns(columns); err != nil || len(cells) == 0 {
			return err
		}
		row := make([]mysql.Value, len(cells))
		for i, cell := range cells {
			row[i] = mysql.String(fmt.Sprint(cell))
		}
		return w.Row(row)
	}
	one := mysqltest.Columns("n")
	switch sql := c.SQL; {
	case strings.Contains(sql, "information_schema.columns"):
		if !strings.Contains(sql, "table_name = 't'") {
			return text(mysqltest.Columns("n", "t", "k", "e"))
		}
		if err := text(mysqltest.Columns("n", "t", "k", "e"), "id", "int", "PRI", ""); err != nil {
			return err
		}
		return w.Row([]mysql.Value{mysql.String("name"), mysql.String("varchar"), mysql.String(""), mysql.String("")})
	case strings.Contains(sql, "table_type = 'BASE TABLE'"):
		return text(one, "t")
	case strings.Contains(sql, "table_rows"):
		return text(one, len(d.rows))
	case strings.HasPrefix(sql, "SELECT MIN"):
		return text(one, slices.Min(d.ids()))
	case strings.HasPrefix(sql, "SELECT MAX"):
		return text(one, slices.Max(d.ids()))
	case strings.HasPrefix(sql, "SHOW CREATE TABLE"):
		return text(mysqltest.Columns("t", "c"), "t", "CREATE TABLE `t` (id int primary key, name varchar(20))")
	case strings.HasPrefix(sql, "SELECT `id`, `name` FROM `shop`.`t`"):
		return d.selectRange(w, sql)
	case strings.HasPrefix(sql, "CREATE TABLE `t`"):
		if d.made {
			return mysqlserver.Errorf(1050, "Table 't' already exists")
		}
		d.made = true
	case place.MatchString(sql):
		if at, ok := d.journal[place.FindStringSubmatch(sql)[1]]; ok {
			return text(one, at)
		}
		return text(one)
	case note.MatchString(sql):
		m := note.FindStringSubmatch(sql)
		at, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			return err
		}
		if _, known := d.journal[m[1]]; known {
			return mysqlserver.Errorf(1062, "Duplicate entry")
		}
		d.claims[c.Conn.ID()] = m[1]
		d.do(c, func() { d.journal[m[1]] = at })
	case move.MatchString(sql):
		m := move.FindStringSubmatch(sql)
		to, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return err
		}
		if fmt.Sprint(d.journal[m[2]]) != m[3] {
			return w.OK(mysqlserver.Result{})
		}
		d.do(c, func() { d.journal[m[2]] = to })
		return w.OK(mysqlserver.Result{AffectedRows: 1})
	case sql == "START TRANSACTION":
		d.pending[c.Conn.ID()] = []func(){}
		delete(d.claims, c.Conn.ID())
	case sql == "COMMIT", sql == "ROLLBACK":
		if sql == "COMMIT" {
			if _, known := d.journal[d.claims[c.Conn.ID()]]; known { // where a server waits for the other's lock
				delete(d.pending, c.Conn.ID())
				return mysqlserver.Errorf(1213, "Deadlock found")
			}
			for _, f := range d.pending[c.Conn.ID()] {
				f()
			}
		}
		delete(d.pending, c.Conn.ID())
	case strings.HasPrefix(sql, "SELECT COUNT"):
		return text(one, 0)
	case strings.HasPrefix(sql, "LOAD DATA"):
		return d.load(ctx, w, c)
	case strings.HasPrefix(sql, "INSERT INTO"), strings.HasPrefix(sql, "insert into"):
		if d.refuse != "" && strings.Contains(sql, d.refuse) {
			return mysqlserver.Errorf(1062, "Duplicate entry")
		}
		return w.OK(mysqlserver.Result{AffectedRows: 1})
	}
	return w.OK(mysqlserver.Result{})
}

// do does something now, or at the end of the transaction.
func (d *tables) do(c *mysqltest.Call, f func()) {
	if open, ok := d.pending[c.Conn.ID()]; ok {
		d.pending[c.Conn.ID()] = append(open, f)
		return
	}
	f()
}

func (d *tables) ids() (all []int) {
	for id := range d.rows {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

func (d *tables) selectRange(w *mysqlserver.Writer, sql string) error {
	from, below := 0, 1<<30
	if m := lower.FindStringSubmatch(sql); m != nil {
		from, _ = strconv.Atoi(m[1])
	}
	if m := upper.FindStringSubmatch(sql); m != nil {
		below, _ = strconv.Atoi(m[1])
	}
	if err := w.Columns(mysqltest.Columns("id INT", "name")); err != nil {
		return err
	}
	for _, id := range d.ids() {
		if id < from || id >= below {
			continue
		}
		if err := w.Row([]mysql.Value{mysql.Int(int64(id)), mysql.String(d.rows[id])}); err != nil {
			return err
		}
	}
	return nil
}

func (d *tables) load(ctx context.Context, w *mysqlserver.Writer, c *mysqltest.Call) error {
	r, err := w.LocalInfile(ctx, "rows")
	if err != nil {
		return err
	}
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if d.refuse != "" && bytes.Contains(b, []byte(d.refuse)) {
		return mysqlserver.Errorf(1205, "Lock wait timeout exceeded")
	}
	n := uint64(0)
	for line := range strings.Lines(string(b)) {
		row := make([]any, 2)
		if err := parseRow(strings.TrimSuffix(line, "\n"), []Column{{Kind: "text"}, {Kind: "text"}}, row); err != nil {
			return mysqlserver.Errorf(1261, "%v", err)
		}
		id, err := strconv.Atoi(row[0].(string))
		if err != nil || d.rows[id] != row[1] {
			return mysqlserver.Errorf(1366, "row %q", line)
		}
		d.do(c, func() { d.loaded[id]++ })
		n++
	}
	return w.OK(mysqlserver.Result{AffectedRows: n})
}

// What is exported is imported, each row once, also when both are interrupted
// and taken up again.
func TestExportAndImport(t *testing.T) {
	d := newTables(t, 1000)
	dir := t.TempDir()
	var events []Event
	e := &Export{Connect: d.connect, Dir: dir, Database: "shop", Rows: 500, Parallel: 3, Report: func(e Event) { events = append(events, e) }}
	sum, err := e.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total := sum.Chunks
	if sum.Rows != 1000 || sum.Tables != 1 || total < 4 {
		t.Errorf("%+v", sum)
	}
	if last := events[len(events)-1]; last.Done != last.Total || last.Total != int64(sum.Chunks) {
		t.Errorf("the last event is %+v", last)
	}

	// Again: refused; with Resume only what is missing is written.
	if _, err := e.Run(t.Context()); !errors.Is(err, ErrThere) {
		t.Errorf("exporting over an export: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "t.00002.tsv")); err != nil {
		t.Fatal(err)
	}
	i := &Import{Connect: d.connect, Database: "copy", Parallel: 2}
	if _, err := i.Dir(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("importing half an export: %v", err)
	}
	e.Resume = true
	if sum, err = e.Run(t.Context()); err != nil || sum.Chunks != 1 || sum.Skipped < 3 {
		t.Errorf("%+v, %v", sum, err)
	}

	d.refuse = "name\\t700\\\\"
	sum, err = i.Dir(t.Context(), dir)
	if te, ok := errors.AsType[*TableError](err); !ok || !strings.HasPrefix(te.Table, "t.0000") {
		t.Fatalf("%v", err)
	}
	d.refuse = ""
	if _, err := i.Dir(t.Context(), dir); !errors.Is(err, ErrBegun) {
		t.Errorf("beginning twice: %v", err)
	}
	i.Resume = true
	more, err := i.Dir(t.Context(), dir)
	// A range may have been committed when its worker was told to stop.
	if err != nil || more.Skipped+more.Chunks != total || more.Skipped < sum.Chunks {
		t.Errorf("first %+v, then %+v, %v", sum, more, err)
	}
	for id := range d.rows {
		if d.loaded[id] != 1 {
			t.Fatalf("row %d was loaded %d times", id, d.loaded[id])
		}
	}
}

// One connection exports from one snapshot.
func TestExportOfOneMoment(t *testing.T) {
	d := newTables(t, 10)
	e := &Export{Connect: d.connect, Dir: t.TempDir(), Database: "shop", Parallel: 1, Rows: 5}
	if _, err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := slices.Index(d.asked, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
	read := slices.IndexFunc(d.asked, func(sql string) bool { return strings.HasPrefix(sql, "SELECT `id`, `name`") })
	if begun < 0 || read < begun {
		t.Errorf("snapshot at %d, first row at %d", begun, read)
	}
}

func TestExportErrors(t *testing.T) {
	d := newTables(t, 3)
	e := &Export{Connect: d.connect, Dir: t.TempDir(), Database: "shop", Tables: []string{"nothing"}}
	if _, err := e.Run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing table: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.Tables = nil
	if _, err := e.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled export: %v", err)
	}
	i := &Import{Connect: d.connect}
	if _, err := i.Dir(t.Context(), t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}

const dump = `/*!999999\- enable the sandbox mode */
SET NAMES utf8mb4;
DROP TABLE IF EXISTS t;
CREATE TABLE t (id int);
LOCK TABLES t WRITE;
insert into t values (1);
insert into t values (2);
UNLOCK TABLES;
insert into t values (3);
`

func TestScriptResumes(t *testing.T) {
	d := newTables(t, 1)
	path := filepath.Join(t.TempDir(), "dump.sql")
	if err := os.WriteFile(path, []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	i := &Import{Connect: d.connect, Database: "copy"}
	d.refuse = "(2)"
	_, err := i.Script(t.Context(), path)
	var se *ScriptError
	if !errors.As(err, &se) || se.Line != 7 {
		t.Fatalf("%v", err)
	}
	if _, err := i.Script(t.Context(), path); !errors.Is(err, ErrBegun) {
		t.Errorf("beginning twice: %v", err)
	}
	d.refuse, d.asked, i.Resume = "", nil, true
	sum, err := i.Script(t.Context(), path)
	if err != nil || sum.Statements != 4 || sum.Rows != 3 {
		t.Errorf("%+v, %v", sum, err)
	}
	ran := strings.Join(d.asked, "\n")
	for _, want := range []string{"SET NAMES utf8mb4", "insert into t values (1)", "insert into t values (3)"} {
		if !strings.Contains(ran, want) {
			t.Errorf("%q was not run:\n%s", want, ran)
		}
	}
	for _, not := range []string{"DROP TABLE IF EXISTS t", "CREATE TABLE t", "LOCK TABLES"} {
		if strings.Contains(ran, not) {
			t.Errorf("%q was run again:\n%s", not, ran)
		}
	}
}

func TestScriptForce(t *testing.T) {
	d := newTables(t, 1)
	path := filepath.Join(t.TempDir(), "dump.sql")
	if err := os.WriteFile(path, []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
	d.refuse = "(2)"
	sum, err := (&Import{Connect: d.connect, Force: true}).Script(t.Context(), path)
	if !errors.As(err, new(*ScriptError)) || len(sum.Warnings) != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if ran := strings.Join(d.asked, "\n"); !strings.Contains(ran, "(3)") || !strings.Contains(ran, "LOCK TABLES") {
		t.Errorf("%s", ran)
	}
}

// The ranges follow each other and leave no key out.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Int64().Draw(t, "low")
		span := rapid.Uint64Range(0, 1<<62).Draw(t, "span")
		n := rapid.Int64Range(1, 50).Draw(t, "n")
		from := big.NewInt(low)
		to := new(big.Int).Add(from, new(big.Int).SetUint64(span))
		chunks := split(strconv.Itoa, from, to, n)
		if int64(len(chunks)) != n || chunks[0].From != "" || chunks[n-1].Below != "" {
			t.Fatalf("%+v", chunks)
		}
		for i := 1; i < len(chunks); i++ {
			if chunks[i].From != chunks[i-1].Below {
				t.Fatalf("range %d begins at %s, the one before ends at %s", i, chunks[i].From, chunks[i-1].Below)
			}
			a, _ := new(big.Int).SetString(chunks[i].From, 10)
			if a.Cmp(from) < 0 || a.Cmp(to) > 0 {
				t.Fatalf("%s is outside of %s to %s", a, from, to)
			}
			if b, ok := new(big.Int).SetString(chunks[i].Below, 10); ok && b.Cmp(a) < 0 {
				t.Fatalf("%s is below %s", b, a)
			}
		}
		if got := chunksOf(from, to, "1000", 10); got < 1 || got > maxChunks {
			t.Fatalf("%d ranges", got)
		}
	})
}

// What the format writes is what is read.
func TestRows(t *testing.T) {
	columns := []Column{{Name: "a", Kind: "text"}, {Name: "b", Kind: "hex"}, {Name: "c", Kind: "bit"}, {Name: "d", Kind: "text"}}
	kinds := []format.Column{{}, {Kind: format.Binary}, {Kind: format.Bit}, {}}
	rapid.Check(t, func(t *rapid.T) {
		bit := rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(t, "bit")
		in := [][]byte{
			rapid.SliceOf(rapid.Byte()).Draw(t, "text"), rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"), bit, nil,
		}
		var b bytes.Buffer
		w, err := format.New(FormatLoad, &b, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Begin(kinds), w.Row(in), w.End()); err != nil {
			t.Fatal(err)
		}
		row := make([]any, len(columns))
		if err := parseRow(strings.TrimSuffix(b.String(), "\n"), columns, row); err != nil {
			t.Fatal(err)
		}
		want := []any{string(in[0]), append([]byte{}, in[1]...), new(big.Int).SetBytes(bit).Uint64(), nil}
		if !reflect.DeepEqual(row, want) {
			t.Fatalf("%q became %q", want, row)
		}
	})
}

func FuzzParseRow(f *testing.F) {
	f.Add("1\tAda\\n\t\\N\t00ff")
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, line string) {
		columns := []Column{{Kind: "text"}, {Kind: "hex"}, {Kind: "bit"}, {Kind: "text"}}
		_ = parseRow(line, columns, make([]any, 4)) // it may not panic
	})
}

// A manifest names files beside it and keys, and nothing else.
func TestManifestBadInput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.json")
	for _, text := range []string{
		``, `{}`, `[]`, `{"id":"x","table":"t","columns":[]}`,
		`{"id":"x","table":"t","columns":[{"name":"a"}],"chunks":[{"file":"../../etc/passwd"}]}`,
		`{"id":"x","table":"t","columns":[{"name":"a"}],"chunks":[{"file":""}]}`,
		`{"id":"x","table":"t","columns":[{"name":"a"}],"chunks":[{"file":"a","from":"1 OR 1=1"}]}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := readManifest(path); err == nil {
			t.Errorf("%s: %+v", text, m)
		}
	}
}

func TestFileName(t *testing.T) {
	for table, want := range map[string]string{"orders": "orders", "a/b": "a%2Fb", "..": "%2E%2E", "ä b": "%C3%A4%20b"} {
		if got := fileName(table); got != want || filepath.Base(got) != got {
			t.Errorf("fileName(%q) = %q, want %q", table, got, want)
		}
	}
}

func ExampleExport() {
	connect := func(ctx context.Context) (*mysqlclient.Conn, error) {
		return mysqlclient.Connect(ctx, &mysqlclient.Config{Address: "db1:3306", User: "ann", Database: "shop", LocalInfile: true})
	}
	e := &Export{Connect: connect, Dir: "shop.dump", Database: "shop", Resume: true}
	done, err := e.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(done.Rows, "rows")
	i := &Import{Connect: connect, Database: "copy"}
	if _, err := i.Dir(context.Background(), "shop.dump"); err != nil {
		fmt.Println(err)
	}
}
