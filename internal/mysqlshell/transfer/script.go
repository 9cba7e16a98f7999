package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

const (
	// batchStatements and batchBytes bound the INSERTs that share a transaction
	// and a round trip.
	batchStatements = 64
	batchBytes      = 4 << 20
	// identBytes is how much of a script tells it from others.
	identBytes = 64 << 10
)

// ScriptError says which statement of a script failed.
type ScriptError struct {
	Line int
	SQL  string // its beginning, without passwords
	Err  error
}

func (e *ScriptError) Error() string { return e.Err.Error() }

// Unwrap returns what was wrong.
func (e *ScriptError) Unwrap() error { return e.Err }

// Script runs the statements of a file: a dump, as a rule. INSERT and REPLACE
// are sent many at a time. With a Database its place is kept there, so that it can
// be resumed: then the batches are transactions of their own, and those of the
// script, and LOCK TABLES, are left out. Of the commands of the mysql command
// line only DELIMITER is known.
func (i *Import) Script(ctx context.Context, path string) (Summary, error) {
	f, err := os.Open(path)
	if err != nil {
		return Summary{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Summary{}, err
	}
	name, err := scriptName(f, info.Size())
	if err != nil {
		return Summary{}, err
	}
	conn, err := i.Connect(ctx)
	if err != nil {
		return Summary{}, err
	}
	defer conn.Close()
	s := &scriptRun{Import: i, conn: conn, name: name, journal: &journal{database: i.Database}, report: newReporter(i.Report, 0, info.Size())}
	s.report.done = 0
	err = s.run(ctx, f)
	return s.sum, err
}

// scriptName tells a script by its beginning and its size.
func scriptName(f *os.File, size int64) (string, error) {
	h := sha256.New()
	if _, err := io.CopyN(h, f, identBytes); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	return fmt.Sprintf("script/%x/%d", h.Sum(nil)[:16], size), nil
}

// scriptRun is a script that is being run.
type scriptRun struct {
	*Import
	conn    *mysqlclient.Conn
	journal *journal
	name    string
	from    int64 // what begins before it was done by an earlier import
	at      int64 // the place that is noted
	batch   []lexer.Statement
	bytes   int
	failed  error
	sum     Summary
	report  *reporter
}

func (s *scriptRun) run(ctx context.Context, r io.Reader) error {
	kept := s.journal.database != ""
	if kept {
		if err := s.journal.open(ctx, s.conn); err != nil {
			return err
		}
		place, known, err := s.journal.place(ctx, s.conn, s.name)
		switch {
		case err != nil:
			return err
		case known && !s.Resume:
			return ErrBegun
		}
		s.from, s.at = place, place
		if !known {
			if err := s.journal.note(ctx, s.conn, s.name, place); err != nil {
				return err
			}
		}
	}
	split := lexer.NewSplitter(r, lexer.CutConfig{})
	for {
		st, err := split.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.take(ctx, st)
		}
		if err != nil {
			return err
		}
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	if kept && s.failed == nil {
		return s.journal.drop(ctx, s.conn, []string{s.name})
	}
	return s.failed
}

// take runs a statement, or keeps it for a batch.
func (s *scriptRun) take(ctx context.Context, st lexer.Statement) error {
	verb := lexer.Verb(st.SQL, s.conn.LexerConfig())
	switch verb {
	case "":
		if strings.TrimSpace(st.SQL) == "" {
			return nil
		}
	case "LOCK TABLES", "UNLOCK TABLES", "START TRANSACTION", "BEGIN", "COMMIT", "LOCK TABLE", "UNLOCK TABLE":
		if s.journal.database != "" {
			return nil
		}
	}
	if st.Pos < s.from && verb != "USE" && verb != "SET" && !strings.HasPrefix(verb, "SET ") { // the session is as it was then
		s.sum.Skipped++
		return nil
	}
	if verb == "INSERT" || verb == "REPLACE" {
		s.batch = append(s.batch, st)
		s.bytes += len(st.SQL)
		if len(s.batch) < batchStatements && s.bytes < batchBytes {
			return nil
		}
		return s.flush(ctx)
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	r, err := s.conn.Exec(ctx, st.SQL)
	if err != nil {
		return s.fail(st, err)
	}
	return s.did(ctx, st, 1, int64(r.AffectedRows))
}

// did counts, and notes the place behind a statement that is no INSERT.
func (s *scriptRun) did(ctx context.Context, st lexer.Statement, statements, rows int64) error {
	s.count(st, statements, rows)
	if s.journal.database == "" {
		return nil
	}
	return s.move(ctx, st)
}

// move notes the place behind a statement.
func (s *scriptRun) move(ctx context.Context, st lexer.Statement) error {
	to := st.Pos + int64(len(st.SQL))
	if err := s.journal.move(ctx, s.conn, s.name, s.at, to); err != nil {
		return err
	}
	s.at = to
	return nil
}

func (s *scriptRun) count(st lexer.Statement, statements, rows int64) {
	s.sum.Statements += statements
	s.sum.Rows += rows
	end := st.Pos + int64(len(st.SQL))
	bytes := end - s.report.done
	s.report.done = end
	s.sum.Bytes += bytes
	s.report.tell(Event{Rows: rows, Bytes: bytes})
}

// fail ends the script, or with Force notes that something failed.
func (s *scriptRun) fail(st lexer.Statement, err error) error {
	text := lexer.MaskSecrets(st.SQL, s.conn.LexerConfig())
	const most = 200
	if len(text) > most {
		text = text[:most] + "…"
	}
	se := &ScriptError{Line: st.Line, SQL: text, Err: err}
	if !s.Force || s.conn.Err() != nil {
		return se
	}
	if s.failed == nil {
		s.failed = se
	}
	s.sum.Warnings = append(s.sum.Warnings[:min(len(s.sum.Warnings), 99)], se.Error())
	return nil
}

// flush runs the batch in a transaction, all of it in one round trip.
func (s *scriptRun) flush(ctx context.Context) error {
	batch := s.batch
	s.batch, s.bytes = s.batch[:0], 0
	if len(batch) == 0 {
		return nil
	}
	last := batch[len(batch)-1]
	var rows int64
	var failed error
	do := func() error {
		rows, failed = s.pipeline(ctx, batch)
		if s.Force && s.conn.Err() == nil {
			return nil
		}
		return failed
	}
	var err error
	if s.journal.database == "" {
		err = do()
	} else {
		at := s.at
		err = s.journal.together(ctx, s.conn, func() error { s.at = at; return s.move(ctx, last) }, do)
	}
	if err != nil {
		return err
	}
	s.count(last, int64(len(batch)), rows)
	return nil
}

func (s *scriptRun) pipeline(ctx context.Context, batch []lexer.Statement) (rows int64, failed error) {
	p := s.conn.Pipeline()
	for _, st := range batch {
		p.Add(st.SQL)
	}
	answers, err := p.Flush(ctx)
	if err != nil {
		return 0, err
	}
	for n := 0; answers.Next(); n++ {
		r := answers.Rows()
		if err := r.Close(); err != nil {
			if err := s.fail(batch[n], err); err != nil && failed == nil {
				failed = err
			}
			continue
		}
		rows += int64(r.Result().AffectedRows)
	}
	if err := answers.Close(); err != nil && failed == nil {
		failed = err
	}
	return rows, failed
}
