package mysqlshell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// desk is a shell that speaks to a server of a test.
type desk struct {
	*Shell
	server   *mysqltest.Server
	out, err bytes.Buffer
	conns    []net.Conn // in the order in which they were made
}

func newDesk(t *testing.T, change func(*Config)) *desk {
	t.Helper()
	d := &desk{server: mysqltest.NewServer(t)}
	cfg := Config{
		Out: &d.out, Err: &d.err, Format: "batch", Names: true, LocalInfile: true,
		Connect: func(ctx context.Context, database string) (*mysqlclient.Conn, error) {
			return mysqlclient.Connect(ctx, &mysqlclient.Config{
				User: "ann", Database: database, Network: "pipe", MultiStatements: true, LocalInfile: true,
				Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
					nc, err := d.server.Dial(ctx, network, addr)
					d.conns = append(d.conns, nc)
					return nc, err
				},
			})
		},
	}
	if change != nil {
		change(&cfg)
	}
	d.Shell = New(cfg)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *desk) script(t *testing.T, text string) {
	t.Helper()
	if err := d.Script(t.Context(), strings.NewReader(text)); err != nil {
		t.Fatalf("%v\n%s", err, d.err.String())
	}
}

func (d *desk) line(t *testing.T, line string) error {
	t.Helper()
	return d.Line(t.Context(), line, nil)
}

// Nothing is asked before the first statement: not the version, no names.
func TestAsksNothingOfItsOwn(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Interactive = true })
	d.server.Expect("select 1").Rows(mysqltest.Columns("1"), mysqltest.Row{1})
	if err := d.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.greet()
	if got := d.server.Statements(); slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, "SET ") }) {
		t.Errorf("asked before anybody wanted to know: %q", got)
	}
	if err := d.line(t, "select 1;"); err != nil {
		t.Fatal(err)
	}
}

func TestScript(t *testing.T) {
	d := newDesk(t, nil)
	d.server.InOrder()
	d.server.Expect("insert into log values (1)").Exec(1, 0)
	d.server.Expect("select a").Rows(mysqltest.Columns("a"), mysqltest.Row{"x\ty"})
	d.server.Expect("create procedure p() begin select 1; select 2; end").Exec(0, 0)
	d.server.Expect("select b").Rows(mysqltest.Columns("b"), mysqltest.Row{2})
	d.server.Expect("select c").Rows(mysqltest.Columns("c"), mysqltest.Row{nil})
	d.script(t, `
use shop
insert into log values (1);
select
  a;
create procedure p() begin select 1; select 2; end;
delimiter //
select b; select c//
delimiter ;
/*!999999\- enable the sandbox mode */
`)
	if got, want := d.out.String(), "a\nx\\ty\nb\n2\nc\nNULL\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d.schema != "shop" {
		t.Errorf("the database is %q", d.schema)
	}
}

func TestScriptSaysWhere(t *testing.T) {
	script := "select 1;\n\nuse shop\nselect\n  bad;\nselect 2;\n"
	for _, force := range []bool{false, true} {
		d := newDesk(t, func(c *Config) { c.Force = force })
		d.server.Allow("select 1").Exec(0, 0)
		d.server.Allow("select 2").Exec(0, 0)
		d.server.Expect("select bad").Error(1054, "Unknown column 'bad'")
		err := d.Script(t.Context(), strings.NewReader(script))
		var se *StatementError
		if !errors.As(err, &se) || se.Line != 4 {
			t.Fatalf("force %v: %v", force, err)
		}
		var fe *FailedError
		if got := errors.As(err, &fe); got != force {
			t.Fatalf("force %v: %v", force, err)
		}
		if force && (fe.Failed != 1 || fe.Done != 3) {
			t.Errorf("%v", fe)
		}
		ran := slices.Contains(d.server.Statements(), "select 2")
		if ran != force {
			t.Errorf("force %v: what follows was run: %v", force, ran)
		}
	}
}

// A script that arrives line by line is run line by line.
func TestScriptWaitsForNoMoreThanALine(t *testing.T) {
	d := newDesk(t, nil)
	d.server.Expect("select 1").Rows(mysqltest.Columns("a"), mysqltest.Row{1})
	in, typed := io.Pipe()
	done := make(chan error, 1)
	seen := make(chan string, 4)
	d.Shell.out.to = writerFunc(func(b []byte) (int, error) { seen <- string(b); return len(b), nil })
	go func() { done <- d.Script(t.Context(), in) }() // stops with the pipe
	if _, err := io.WriteString(typed, "select 1;\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "a\n1\n" {
		t.Errorf("got %q", got)
	}
	typed.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestLongLines(t *testing.T) {
	d := newDesk(t, nil)
	long := "select '" + strings.Repeat("x", 3*maxCommand) + "'"
	d.server.Expect(long).Exec(0, 0)
	d.server.Expect("select 2").Exec(0, 0)
	d.script(t, long+"; select 2;\n")
}

// In a script nothing touches this machine, unless it was allowed, and then not
// behind the mark of a sandbox.
func TestLocalCommands(t *testing.T) {
	lines := []string{"system touch x", `\! touch x`, "source x.sql", `\. x.sql`, "tee x", `\T x`, "pager cat", "edit", "select 1; system touch x;"}
	for _, text := range slices.Concat(lines) {
		for _, allowed := range []bool{false, true} {
			called := 0
			d := newDesk(t, func(c *Config) {
				c.LocalCommands = allowed
				c.System = func(context.Context, string) error { called++; return nil }
				c.Edit = func(_ context.Context, text string) (string, error) { called++; return "", nil }
				c.Page = func(context.Context, string) (io.WriteCloser, error) { called++; return nil, io.EOF }
			})
			d.server.Allow("select 1").Exec(0, 0)
			if allowed {
				text = sandboxMark + " */\n" + text
			}
			err := d.Script(t.Context(), strings.NewReader(text))
			if !errors.Is(err, ErrLocal) || called > 0 {
				t.Errorf("%q: %v, %d calls", text, err, called)
			}
		}
	}
}

func TestHistoryHasNoSecrets(t *testing.T) {
	d := newDesk(t, nil)
	d.server.Allow("...").Exec(0, 0)
	var kept []string
	for _, line := range []string{"select 1;", "create user x identified by 'geheim';", "set password = 'geheim';", "select", "  2\\G", "use shop", "alter user x", "identified by 'geheim';"} {
		if err := d.Line(t.Context(), line, func(s string) { kept = append(kept, s) }); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"select 1;", "select 2\\G", "use shop"}; !slices.Equal(kept, want) {
		t.Errorf("kept %q, want %q", kept, want)
	}
}

func TestPrompt(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		c.Interactive = true
		c.Facts = Facts{User: "ann", Host: "db1", Port: "3306"}
	})
	d.server.Allow("...").Exec(0, 0)
	see := func(want string) {
		t.Helper()
		if got := d.Prompt(); got != want {
			t.Errorf("prompt %q, want %q", got, want)
		}
	}
	see("(none)> ")
	for _, r := range []struct{ line, prompt string }{
		{"use shop", "shop> "},
		{"select 'a", "   '> "},
		{"b' from `t", "   `> "},
		{"` /* c", "  /*> "},
		{"*/", "   -> "},
		{";", "shop> "},
		{"delimiter //", "shop> "},
		{"select 1;", "   -> "},
		{`\c`, "shop> "},
		{`prompt \u@\h:\p [\d]\_`, "ann@db1:3306 [shop] "},
		{"prompt", "shop> "},
		{"prompt evil\x1b[31m> ", `evil\x1b[31m>`},
	} {
		if err := d.line(t, r.line); err != nil {
			t.Fatalf("%q: %v", r.line, err)
		}
		see(r.prompt)
	}
}

// What a server sends reaches a terminal as text alone: names, cells, errors,
// warnings, the schema in the prompt.
func TestHarmless(t *testing.T) {
	const evil = "x\x1b]0;title\x07\u202e"
	d := newDesk(t, func(c *Config) {
		c.Interactive, c.Footers, c.Warnings = true, true, true
		c.Options.Terminal = true
	})
	d.server.Expect("select 1").Rows(mysqltest.Columns(evil), mysqltest.Row{evil})
	d.server.Expect("select 2").Error(1064, evil)
	if err := d.line(t, "select 1;"); err != nil {
		t.Fatal(err)
	}
	if err := d.line(t, "select 2;"); err == nil {
		t.Fatal("no error")
	}
	d.schema = evil
	all := d.out.String() + d.err.String() + d.Prompt()
	if strings.ContainsAny(all, "\x1b\x07\u202e") || strings.Count(all, `\x1b]0;title\x07\u202e`) != 4 {
		t.Errorf("%q", all)
	}
}

// An idle connection that was lost is made again without losing a statement,
// unless a transaction was lost with it.
func TestConnectsAgain(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Interactive = true })
	d.server.Expect("select 1").Exec(0, 0)
	d.server.Expect("select 2").Rows(mysqltest.Columns("a"), mysqltest.Row{2})
	if err := d.line(t, "select 1;"); err != nil {
		t.Fatal(err)
	}
	d.conns[0].Close()
	if err := d.line(t, "select 2;"); err != nil {
		t.Fatal(err)
	}
	if len(d.conns) != 2 || !strings.Contains(d.err.String(), "connected again") {
		t.Errorf("%d connections; told %q", len(d.conns), d.err.String())
	}
}

// Cells are the same in both protocols, and reading them allocates nothing.
func TestCells(t *testing.T) {
	columns := mysqltest.Columns("a BIGINT", "b", "c")
	rows := func(n int) []mysqltest.Row {
		all := make([]mysqltest.Row, n)
		for i := range all {
			all[i] = mysqltest.Row{i, fmt.Sprint("text ", i), nil}
		}
		return all
	}
	cost := func(n int) float64 {
		d := newDesk(t, func(c *Config) { c.Out = io.Discard })
		d.server.Server.Trace = nil // which allocates
		row := []mysql.Value{mysql.Int(7), mysql.String("some text"), mysql.Null()}
		d.server.Allow("select * from t").Answer(func(_ context.Context, w *mysqlserver.Writer, _ *mysqltest.Call) error {
			err := w.Columns(columns)
			for range n {
				err = errors.Join(err, w.Row(row))
			}
			return err
		})
		d.script(t, "select * from t;")
		return testing.AllocsPerRun(5, func() { d.script(t, "select * from t;") })
	}
	few, many := cost(100), cost(2100)
	if got := (many - few) / 2000; got > 0.5 { // not even one; the race detector makes some
		t.Errorf("%.2f allocations a row", got)
	}
	var got [2]string
	for i, text := range []bool{true, false} {
		d := newDesk(t, func(c *Config) { c.Text = text })
		d.server.Expect("select * from t").Rows(columns, rows(3)...)
		d.script(t, "select * from t;")
		got[i] = d.out.String()
	}
	if want := "a\tb\tc\n0\ttext 0\tNULL\n1\ttext 1\tNULL\n2\ttext 2\tNULL\n"; got[0] != want || got[1] != want {
		t.Errorf("text %q, binary %q, want %q", got[0], got[1], want)
	}
}

func TestTeeAndPager(t *testing.T) {
	var paged bytes.Buffer
	file := t.TempDir() + "/copy"
	d := newDesk(t, func(c *Config) {
		c.LocalCommands, c.Interactive = true, true
		c.Page = func(context.Context, string) (io.WriteCloser, error) { return nopCloser{&paged}, nil }
	})
	d.server.Expect("select 1").Rows(mysqltest.Columns("a"), mysqltest.Row{1}).Times(2)
	for _, line := range []string{"tee " + file, "pager less", "select 1;", "nopager", "notee", "select 1;"} {
		if err := d.line(t, line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	copied, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if paged.String() != "a\n1\n" || d.out.String() != "a\n1\n" || strings.Count(string(copied), "a\n1\n") != 1 {
		t.Errorf("paged %q, out %q, copied %q", paged.String(), d.out.String(), copied)
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// LOAD DATA LOCAL reads the file that the statement names, whatever the server
// asks for.
func TestLoadData(t *testing.T) {
	file := t.TempDir() + "/rows.tsv"
	if err := os.WriteFile(file, []byte("1\tAda\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, nil)
	var got string
	d.server.Expect("load data local infile ...").Answer(func(ctx context.Context, w *mysqlserver.Writer, _ *mysqltest.Call) error {
		r, err := w.LocalInfile(ctx, "/etc/passwd")
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		got = string(b)
		return errors.Join(err, r.Close())
	})
	d.script(t, "load data local infile '"+file+"' into table t;")
	if got != "1\tAda\n" {
		t.Errorf("the server got %q", got)
	}
	d.cfg.LocalInfile = false
	err := d.Script(t.Context(), strings.NewReader("load data local infile '"+file+"' into table t;"))
	if !errors.As(err, new(*UsageError)) {
		t.Errorf("not allowed: %v", err)
	}
}

func ExampleShell_Script() {
	sh := New(Config{Out: os.Stdout, Err: os.Stdout, Format: "table", Options: format.Options{}})
	defer sh.Close()
	err := sh.Script(context.Background(), strings.NewReader("system rm -r /\n"))
	fmt.Println(err)
	// Output:
	// line 1: system: commands that touch this machine are not run from a script
}
