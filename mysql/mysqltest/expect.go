package mysqltest

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// Expectation is a statement that will or may come, and what it is answered
// with. Without an answer it is an OK. The methods that add answers are for
// the beginning of the test; several answers are several results of one
// statement.
type Expectation struct {
	pattern string
	parts   []string // of the pattern, between its dots
	where   string   // file and line of the test
	times   int
	met     int // guarded by the server's mu
	args    []any
	wantArg bool
	answers []answer
}

// answer is one result of a statement.
type answer struct {
	columns []mysql.Column
	rows    []Row
	result  mysqlserver.Result
	err     *mysqlserver.Error
	delay   time.Duration
	call    func(ctx context.Context, w *mysqlserver.Writer, c *Call) error
}

// Row is a row of a result: nil, booleans, numbers, strings, []byte,
// time.Time, time.Duration, and the values of package mysql.
type Row []any

// Call is a statement that has come.
type Call struct {
	Conn       *mysqlserver.Conn
	SQL        string
	Args       []mysql.Value // of a prepared statement
	Attributes []mysql.Param
}

func newExpectation(pattern string, times int) *Expectation {
	e := &Expectation{pattern: pattern, times: times}
	for _, part := range strings.Split(pattern, "...") {
		e.parts = append(e.parts, squeeze(part))
	}
	if _, file, line, ok := runtime.Caller(2); ok {
		e.where = fmt.Sprintf("%s:%d", filepath.Base(file), line)
	}
	return e
}

// String returns the pattern and where it was written.
func (e *Expectation) String() string {
	text := fmt.Sprintf("%q", e.pattern)
	if e.wantArg {
		text += " with " + show(values(e.args))
	}
	return text + " (" + e.where + ")"
}

// Args wants these arguments of a prepared statement. Two values are the same
// when their texts are.
func (e *Expectation) Args(args ...any) *Expectation {
	e.args, e.wantArg = args, true
	return e
}

// Times wants the statement n times.
func (e *Expectation) Times(n int) *Expectation {
	e.times = n
	return e
}

// Rows answers with a result set. See [Columns].
func (e *Expectation) Rows(columns []mysql.Column, rows ...Row) *Expectation {
	return e.add(answer{columns: columns, rows: rows})
}

// Exec answers with an OK.
func (e *Expectation) Exec(affectedRows, lastInsertID uint64) *Expectation {
	return e.add(answer{result: mysqlserver.Result{AffectedRows: affectedRows, LastInsertID: lastInsertID}})
}

// Error answers with an error, after what was answered before. Its SQLSTATE is
// the one that belongs to code.
func (e *Expectation) Error(code uint16, message string) *Expectation {
	return e.add(answer{err: mysqlserver.Errorf(code, "%s", message)})
}

// Delay waits before what is answered next. A client that gives up meanwhile
// is answered with error 1317.
func (e *Expectation) Delay(d time.Duration) *Expectation { return e.add(answer{delay: d}) }

// Answer answers with whatever call writes.
func (e *Expectation) Answer(call func(ctx context.Context, w *mysqlserver.Writer, c *Call) error) *Expectation {
	return e.add(answer{call: call})
}

func (e *Expectation) add(a answer) *Expectation {
	e.answers = append(e.answers, a)
	return e
}

// columns returns those of the first result set.
func (e *Expectation) columns() []mysql.Column {
	for _, a := range e.answers {
		if a.columns != nil {
			return a.columns
		}
	}
	return nil
}

// unlike says why a statement does not fit; "": it does. Without judging, the
// arguments do not matter.
func (e *Expectation) unlike(words string, args []mysql.Value, judge bool) string {
	if !matches(words, e.parts) {
		return "the text is another one"
	}
	if !judge || !e.wantArg {
		return ""
	}
	if want := values(e.args); show(args) != show(want) {
		return "the arguments are " + show(args)
	}
	return ""
}

// squeeze makes texts comparable that differ in white space and case only.
func squeeze(sql string) string {
	return strings.TrimSuffix(strings.ToLower(strings.Join(strings.Fields(sql), " ")), ";")
}

// matches reports whether a text consists of the parts with anything between
// them.
func matches(text string, parts []string) bool {
	if len(parts) == 1 {
		return text == parts[0]
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, last)
}

// answer writes the answers.
func (e *Expectation) answer(ctx context.Context, w *mysqlserver.Writer, c *Call) error {
	for _, a := range e.answers {
		if err := a.write(ctx, w, c); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) write(ctx context.Context, w *mysqlserver.Writer, c *Call) error {
	switch {
	case a.delay > 0:
		return sleep(ctx, a.delay)
	case a.call != nil:
		return a.call(ctx, w, c)
	case a.err != nil:
		return a.err
	case a.columns == nil:
		return w.OK(a.result)
	}
	if err := w.Columns(a.columns); err != nil {
		return err
	}
	for _, row := range a.rows {
		if err := w.Row(values(row)); err != nil {
			return err
		}
	}
	return w.OK(mysqlserver.Result{})
}
