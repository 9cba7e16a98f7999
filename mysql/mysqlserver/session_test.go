package mysqlserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// session speaks a small language in place of SQL; see Query.
type session struct {
	mysqlserver.Unsupported
	c      *mysqlserver.Conn
	closed int
	most   uint64 // of every number in a statement; 0: any
}

var oneColumn = []mysql.Column{{Name: "n", Type: mysql.TypeLong}}

// Query answers:
//
//	ok N ID            an OK
//	nothing            says nothing
//	rows N             a result set of N rows
//	rows N then FAIL   the same with an error behind them
//	results N          N result sets and an OK
//	warn               a result set with 9 warnings and an OK with 2
//	out                a result set of OUT parameters and an OK
//	error CODE TEXT    an error
//	broken             an error that is no *Error
//	panic, wait, hide  panics; waits for the end of the context; waits and does not tell
//	begin, commit      set and clear the status
//	use DB, track      say that the session has changed
//	file NAME          asks for a file and tells its size; "file NAME and stop" reads nothing of it
//	progress           reports it, and an OK
//	attributes         a row for each
//	misuse             a row of too many values
//	kill ID, kill query ID
//	metadata off
func (s *session) Query(ctx context.Context, w *mysqlserver.Writer, q *mysqlserver.Query) error {
	words := strings.Fields(q.SQL)
	number := func(i int) uint64 {
		if i >= len(words) {
			return 0
		}
		n, _ := strconv.ParseUint(words[i], 10, 64)
		if s.most > 0 {
			n = min(n, s.most)
		}
		return n
	}
	switch words[0] {
	case "ok":
		return w.OK(mysqlserver.Result{AffectedRows: number(1), LastInsertID: number(2), Warnings: 1, Info: "done"})
	case "nothing":
		return nil
	case "rows":
		return s.rows(w, int(number(1)), len(words) > 2)
	case "warn":
		w.SetWarnings(9)
		if err := s.rows(w, 0, false); err != nil {
			return err
		}
		if err := w.OK(mysqlserver.Result{}); err != nil {
			return err
		}
		return w.OK(mysqlserver.Result{Warnings: 2})
	case "results":
		for i := range number(1) {
			if err := s.rows(w, int(i), false); err != nil {
				return err
			}
		}
		return w.OK(mysqlserver.Result{AffectedRows: 5})
	case "out":
		if err := w.OutParams(oneColumn, []mysql.Value{mysql.Int(42)}); err != nil {
			return err
		}
		return w.OK(mysqlserver.Result{})
	case "error":
		return mysqlserver.Errorf(uint16(number(1)), "%s", strings.Join(words[2:], " "))
	case "broken":
		return errors.New("out of paper")
	case "panic":
		panic("on request")
	case "wait", "hide":
		<-ctx.Done()
		if words[0] == "hide" {
			return w.OK(mysqlserver.Result{})
		}
		return ctx.Err()
	case "begin", "commit":
		s.c.SetStatus(mysql.StatusInTrans|mysql.StatusMoreResults, words[0] == "begin")
		return nil
	case "use":
		s.c.SetDatabase(words[1])
		return nil
	case "track":
		s.c.TrackVariable("a", "1")
		s.c.TrackVariable("b", "2")
		s.c.TrackTransaction("T_______", "START TRANSACTION;")
		s.c.TrackGTIDs("uuid:1-5")
		return nil
	case "file":
		return s.file(ctx, w, words[1], len(words) > 2)
	case "progress":
		return w.Progress(1, 2, 50_000, "copying")
	case "attributes":
		return s.attributes(w, q.Attributes)
	case "misuse":
		if err := w.Columns(oneColumn); err != nil {
			return err
		}
		return w.Row(make([]mysql.Value, 2))
	case "kill":
		return s.c.Kill(uint32(number(len(words)-1)), words[1] == "query")
	case "metadata":
		s.c.SetMetadata(words[1] != "off")
		return nil
	}
	return mysqlserver.Errorf(1064, "no such word: %s", words[0])
}

func (s *session) rows(w *mysqlserver.Writer, n int, fail bool) error {
	if err := w.Columns(oneColumn); err != nil {
		return err
	}
	for i := range n {
		if err := w.Row([]mysql.Value{mysql.Int(int64(i))}); err != nil {
			return err
		}
	}
	if fail {
		return mysqlserver.Errorf(1317, "no more")
	}
	return nil
}

func (s *session) file(ctx context.Context, w *mysqlserver.Writer, name string, stop bool) error {
	f, err := w.LocalInfile(ctx, name)
	if err != nil {
		return err
	}
	if stop {
		return mysqlserver.Errorf(1148, "enough")
	}
	n, err := io.Copy(io.Discard, f)
	if err != nil {
		return err
	}
	return w.OK(mysqlserver.Result{AffectedRows: uint64(n)})
}

func (s *session) attributes(w *mysqlserver.Writer, list []mysql.Param) error {
	if err := w.Columns([]mysql.Column{{Name: "name", Type: mysql.TypeVarString}, {Name: "value", Type: mysql.TypeVarString}}); err != nil {
		return err
	}
	for i := range list {
		if err := w.Row([]mysql.Value{mysql.String(list[i].Name), list[i].Value}); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) UseDatabase(_ context.Context, name string) error {
	if name == "missing" {
		return mysqlserver.Errorf(1049, "Unknown database '%s'", name)
	}
	return nil
}

func (s *session) FieldList(_ context.Context, table, wildcard string) ([]mysql.Column, error) {
	if table == "missing" {
		return nil, mysqlserver.Errorf(1146, "Table '%s' doesn't exist", table)
	}
	return []mysql.Column{{Name: wildcard + "1", Table: table, Type: mysql.TypeLong, Default: []byte("7")}, {Name: "c2", Table: table, Type: mysql.TypeVarString}}, nil
}

func (s *session) Reset(context.Context) error {
	s.c.SetStatus(mysql.StatusInTrans, false)
	return nil
}

func (s *session) Close() { s.closed++ }

// Prepare prepares:
//
//	echo ? …   a row of the arguments
//	other      what Query answers
//
// with a bulk of its own for "bulk ?".
func (s *session) Prepare(_ context.Context, sql string) (mysqlserver.Statement, error) {
	if sql == "error" {
		return nil, mysqlserver.Errorf(1064, "not this")
	}
	st := &statement{s: s, sql: sql, params: strings.Count(sql, "?")}
	if strings.HasPrefix(sql, "bulk") {
		return &bulkStatement{st}, nil
	}
	return st, nil
}

type statement struct {
	s      *session
	sql    string
	params int
}

func (p *statement) NumParams() int { return p.params }

func (p *statement) Columns() []mysql.Column {
	if strings.HasPrefix(p.sql, "rows") {
		return oneColumn
	}
	return nil
}

func (p *statement) Execute(ctx context.Context, w *mysqlserver.Writer, x *mysqlserver.Execution) error {
	if !strings.HasPrefix(p.sql, "echo") {
		sql := p.sql
		for _, a := range x.Args {
			sql = strings.Replace(sql, "?", a.String(), 1)
		}
		return p.s.Query(ctx, w, &mysqlserver.Query{SQL: sql, Attributes: x.Attributes})
	}
	columns := make([]mysql.Column, len(x.Args))
	for i := range x.Args {
		columns[i] = mysql.Column{Name: fmt.Sprint("p", i), Type: x.Args[i].ParamType().Type, Decimals: 6}
		if x.Args[i].ParamType().Unsigned {
			columns[i].Flags = mysql.FlagUnsigned
		}
	}
	if err := w.Columns(columns); err != nil {
		return err
	}
	return w.Row(x.Args)
}

func (p *statement) Close() {}

type bulkStatement struct{ *statement }

// ExecuteBulk tells how many sets there are, and what they hold.
func (p *bulkStatement) ExecuteBulk(_ context.Context, w *mysqlserver.Writer, sets iter.Seq2[[]mysql.BulkValue, error]) error {
	n, info := 0, ""
	for set, err := range sets {
		if err != nil {
			return err
		}
		n++
		for _, v := range set {
			info += fmt.Sprintf("%v:%v ", v.Indicator, v.Value)
		}
	}
	return w.OK(mysqlserver.Result{AffectedRows: uint64(n), Info: info})
}
