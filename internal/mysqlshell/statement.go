package mysqlshell

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// query runs a statement and writes its results. vertical is for this one.
func (s *Shell) query(ctx context.Context, sql string, vertical bool) error {
	s.last = sql
	s.statement++
	if s.cfg.Echo {
		bar := "--------------\n"
		if _, err := fmt.Fprintf(s.out, "%s%s\n%s\n", bar, sql, bar); err != nil {
			return err
		}
	}
	for again := false; ; again = true {
		if err := s.Connect(ctx); err != nil {
			return err
		}
		transaction := s.inTransaction()
		err := s.guard(ctx, func(ctx context.Context, stopped *atomic.Bool) error {
			return s.results(ctx, sql, vertical, stopped)
		})
		s.follow()
		if errors.Is(err, net.ErrClosed) && s.conn.Err() == nil {
			_ = s.conn.Close() // the server has said that it ends the session
		}
		if err == nil {
			return s.showPending(ctx)
		}
		if again || errors.Is(err, context.Canceled) || s.conn.Err() == nil || !s.retry(err, transaction) {
			return err
		}
	}
}

// results asks and writes all results of the answer.
func (s *Shell) results(ctx context.Context, sql string, vertical bool, stopped *atomic.Bool) error {
	s.hidden = false
	start := time.Now()
	names := s.conn.LexerConfig()
	if mentions(sql, "LOCAL") && lexer.AsksLocalFile(sql, names) {
		return s.load(ctx, sql, names)
	}
	rows, stmt, err := s.ask(ctx, sql, names)
	if err != nil {
		return err
	}
	if stmt != nil {
		defer stmt.Close() // it is told with the next statement
	}
	for first := true; first || rows.NextResult(); first = false {
		if err := rows.Err(); err != nil {
			break // told below
		}
		if err := s.result(ctx, sql, rows, vertical, start, stopped); err != nil {
			s.leave(rows)
			return err
		}
	}
	return rows.Close()
}

// leave ends an answer that nobody wants to read any more: the server is told
// to stop, as there may be much of it.
func (s *Shell) leave(rows *mysqlclient.Rows) {
	if rows.Err() == nil && s.conn.Err() == nil {
		ask, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		_ = s.conn.Interrupt(ask) // then there is more to read, no harm
	}
	_ = rows.Close() // that it was stopped is no news
}

// result writes one result.
func (s *Shell) result(ctx context.Context, sql string, rows *mysqlclient.Rows, vertical bool, start time.Time, stopped *atomic.Bool) error {
	if rows.Columns() == nil {
		r := rows.Result()
		s.footer(fmt.Sprintf("Query OK, %s affected", count(r.AffectedRows, "row")), r, start)
		if r.Info != "" && s.footers() {
			s.sayf("%s", r.Info)
		}
		s.tellWarnings(r.Warnings)
		return nil
	}
	name := s.cfg.Format
	if vertical {
		name = "vertical"
	}
	if err := s.out.begin(ctx, s.cfg.Page); err != nil {
		return err
	}
	n, err := s.write(name, sql, rows, stopped)
	if endErr := s.out.end(); err == nil {
		err = endErr
	}
	if err == nil {
		err = rows.Err()
	}
	if errors.Is(err, errPagerLeft) {
		s.leave(rows)
		err = nil
	}
	if err != nil {
		return err
	}
	if stopped.Load() {
		s.hidden = true
		return nil
	}
	what := "Empty set"
	if n > 0 {
		what = count(n, "row") + " in set"
	}
	r := rows.Result()
	s.footer(what, r, start)
	s.tellWarnings(r.Warnings)
	return nil
}

// write writes the rows of a result set. After an interrupt it only reads on.
func (s *Shell) write(name, sql string, rows *mysqlclient.Rows, stopped *atomic.Bool) (n uint64, err error) {
	opt := s.cfg.Options
	opt.Statement = sql
	w, err := format.New(name, s.out, &opt)
	if err != nil {
		return 0, err
	}
	return format.WriteRows(w, rows, stopped)
}

func (s *Shell) footers() bool { return s.cfg.Footers }

// footer tells how a statement ended and how long it took.
func (s *Shell) footer(what string, r mysqlclient.Result, start time.Time) {
	if !s.footers() {
		return
	}
	if r.Warnings > 0 {
		what += ", " + count(uint64(r.Warnings), "warning")
	}
	s.sayf("%s (%.3f sec)\n", what, time.Since(start).Seconds())
}

// tellWarnings shows the warnings of the last statement, where that is wanted.
// It comes when the answer has been read as far as it can be: with several
// results in one answer there is no asking in between.
func (s *Shell) tellWarnings(n uint16) { s.pendingWarnings = s.warnings && n > 0 }

// showPending asks for the warnings and shows them.
func (s *Shell) showPending(ctx context.Context) error {
	wanted := s.pendingWarnings
	s.pendingWarnings = false
	if !wanted {
		return nil
	}
	rows, err := s.conn.Query(ctx, "SHOW WARNINGS")
	if err != nil {
		return err
	}
	for rows.Next() {
		s.sayf("%s (Code %s): %s", rows.String(0), rows.String(1), rows.String(2))
	}
	return rows.Close()
}

// ask sends a statement: by the binary protocol where many rows are wanted as
// fast as they come, with a prepared statement that is to be closed; else as
// text.
func (s *Shell) ask(ctx context.Context, sql string, names lexer.Config) (*mysqlclient.Rows, *mysqlclient.Stmt, error) {
	if !s.cfg.Text && !s.cfg.Interactive && s.cfg.Format != "table" && binary(sql, names) {
		stmt, err := s.conn.Prepare(ctx, sql)
		if err == nil {
			rows, err := stmt.Query(ctx)
			return rows, stmt, err
		}
		if code, _, _ := serverError(err); code == 0 {
			return nil, nil, err
		} // as text it says what is wrong, or can do it
	}
	rows, err := s.conn.Query(ctx, sql)
	return rows, nil, err
}

// binary reports whether a statement is one that may be prepared and whose
// answer may be long: a SELECT from something, without placeholders.
func binary(sql string, names lexer.Config) bool {
	switch lexer.Verb(sql, names) {
	case "SELECT", "TABLE":
	default:
		return false
	}
	from := false
	for t := range lexer.Tokens(sql, names) {
		switch {
		case t.Kind == lexer.Placeholder, t.Is(";"):
			return false
		case t.Is("FROM"), t.Is("TABLE"):
			from = true
		}
	}
	return from
}

// load runs a LOAD DATA LOCAL. The file is the one that the statement names,
// whatever the server asks for.
func (s *Shell) load(ctx context.Context, sql string, names lexer.Config) error {
	if !s.cfg.LocalInfile {
		return &UsageError{"LOAD DATA LOCAL sends a file of this machine: allow it with --local-infile"}
	}
	name, ok := localFile(sql, names)
	if !ok {
		return &UsageError{"LOAD DATA LOCAL needs the name of a file in quotes"}
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	start := time.Now()
	r, err := s.conn.LoadData(ctx, sql, f, nil)
	if err != nil {
		return err
	}
	s.footer(fmt.Sprintf("Query OK, %s affected", count(r.AffectedRows, "row")), r, start)
	if r.Info != "" && s.footers() {
		s.sayf("%s", r.Info)
	}
	s.tellWarnings(r.Warnings)
	return nil
}

// mentions reports whether a text has a word in it, in any case of letters: a
// quick look before a long one.
func mentions(text, word string) bool {
	for len(text) >= len(word) {
		i := strings.IndexAny(text, word[:1]+strings.ToLower(word[:1]))
		if i < 0 || len(text)-i < len(word) {
			return false
		}
		if strings.EqualFold(text[i:i+len(word)], word) {
			return true
		}
		text = text[i+1:]
	}
	return false
}

// localFile is the string behind INFILE.
func localFile(sql string, names lexer.Config) (string, bool) {
	tokens := lexer.Code(sql, names)
	for i, t := range tokens {
		if t.Is("INFILE") && i+1 < len(tokens) && tokens[i+1].Kind == lexer.String {
			return tokens[i+1].Value(names.Mode), true
		}
	}
	return "", false
}

func count(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func quote(text string) string { return lexer.Quote(text, 0) }

func quoteName(name string) string { return lexer.QuoteIdent(name) }

func itoa(n int) string { return fmt.Sprint(n) }

// serverError returns what a server reported; code 0: it is another error.
func serverError(err error) (code uint16, state, text string) {
	e, ok := errors.AsType[*mysqlclient.ServerError](err)
	if !ok {
		return 0, "", ""
	}
	return e.Code, e.State, strings.TrimRight(e.Message, "\n")
}
