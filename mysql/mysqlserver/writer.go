package mysqlserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/wirelark/wirelark/mysql"
)

// Writer takes the answer to one statement: either
//
//	w.OK(mysqlserver.Result{AffectedRows: 1})
//
// or a result set
//
//	w.Columns(columns)
//	w.Row(values)   // any number of times
//
// or several of these one after another. What is left open when the method of
// the session returns is ended then; an answer that was not begun is an OK. An
// error that the method returns is sent in place of the end, and nothing comes
// after it.
//
// The errors of its methods are those of the connection, or tell of a wrong use
// (too few values, a row without columns); return them.
//
// A Writer is for the call that it was given to.
type Writer struct {
	c      *Conn
	ctx    context.Context // of the statement
	binary bool
	more   bool      // another statement of the same command follows
	stmt   *prepared // nil: none
	gather *cursor   // rows are kept for a cursor; nil: sent

	state    state
	pending  ending // state ended: not sent yet, as it says whether more follows
	warnings uint16
	out      bool // the result set is that of OUT parameters
	rows     rowWriter
	file     *infile
	sum      *Result // a bulk adds up what is said; nil: it is sent
}

// state says how far the answer is.
type state uint8

const (
	fresh  state = iota // nothing has been said
	inRows              // columns have been sent
	ended               // pending is to be sent
)

// ending is an OK, or the end of rows.
type ending struct {
	Result
	rows  bool // it ends rows
	out   bool
	flags mysql.Status
}

// Result is what an OK tells.
type Result struct {
	AffectedRows uint64
	LastInsertID uint64
	Warnings     uint16
	Info         string // for people, as "Rows matched: 1  Changed: 0  Warnings: 0"; "": none
}

// errMisuse is wrapped by the errors about a wrong use of a Writer.
var errMisuse = errors.New("mysqlserver: wrong use of a Writer")

// OK answers with a success that has no rows. After rows it ends the result
// set, with r.Warnings and, for clients that can be told, the rest of r.
func (w *Writer) OK(r Result) error {
	if w.sum != nil {
		w.sum.AffectedRows += r.AffectedRows
		w.sum.LastInsertID = max(w.sum.LastInsertID, r.LastInsertID)
		w.sum.Warnings += r.Warnings
		w.state = ended
		return nil
	}
	if w.state == inRows {
		w.pending, w.state = w.ended(r, true), ended
		return nil
	}
	if err := w.next(); err != nil {
		return err
	}
	w.pending, w.state = w.ended(r, false), ended
	return nil
}

// SetWarnings sets the number of warnings that is sent with the next end of a
// result set, or OK, whose own number is 0.
func (w *Writer) SetWarnings(n uint16) { w.warnings = n }

// Binary reports whether rows are sent in the binary form, as to prepared
// statements.
func (w *Writer) Binary() bool { return w.binary }

// Flush sends what has been written so far without waiting for more.
func (w *Writer) Flush() error { return w.c.flush() }

// Progress tells a client that wants to know (MariaDB's, before the first row)
// how far the statement is: stage of stages, of which done thousandths of a
// percent are over. Others are told nothing.
func (w *Writer) Progress(stage, stages uint8, done uint32, what string) error {
	if !w.c.client.Capabilities.Has(mysql.MariaDBProgress) || w.state != fresh || w.file != nil || w.sum != nil {
		return nil
	}
	m := &mysql.Progress{Strings: 1, Stage: stage, MaxStage: stages, Done: min(done, 100_000), Text: what}
	return w.c.send(m)
}

// next makes place for another answer of the same statement.
func (w *Writer) next() error {
	if err := w.closeFile(); err != nil {
		return err
	}
	switch w.state {
	case inRows:
		w.pending = w.ended(Result{}, true)
	case fresh:
		return nil
	}
	w.state = fresh
	return w.sendEnding(w.pending, true)
}

// ended returns an ending, with the warnings that were announced for it.
func (w *Writer) ended(r Result, rows bool) ending {
	if r.Warnings == 0 {
		r.Warnings = w.warnings
	}
	w.warnings = 0
	return ending{Result: r, rows: rows, out: rows && w.out}
}

// finish ends the answer with what err, the statement's, says.
func (w *Writer) finish(e *Error) error {
	if err := w.closeFile(); err != nil {
		return err
	}
	if e != nil {
		if w.state == ended {
			if err := w.sendEnding(w.pending, true); err != nil {
				return err
			}
		}
		w.state = fresh
		return w.c.fail(e)
	}
	switch w.state {
	case fresh:
		w.pending = w.ended(Result{}, false)
	case inRows:
		w.pending = w.ended(Result{}, true)
	}
	w.state = fresh
	return w.sendEnding(w.pending, w.more)
}

// end ends the answer with what the method of the session has returned. over
// says that the rest of the command is not executed.
func (w *Writer) end(ctx context.Context, result error) (over bool, err error) {
	if result == nil {
		return false, w.finish(nil)
	}
	if cause := context.Cause(w.c.ctx); cause != nil {
		return true, cause // nobody is there to be told
	}
	if errors.Is(result, errMisuse) {
		w.c.s.log(slog.LevelWarn, "wrong answer of a session", "id", w.c.id, "err", result)
	}
	return true, w.finish(errorIn(ctx, result))
}

// sendEnding sends an OK or the end of rows.
func (w *Writer) sendEnding(e ending, more bool) error {
	if w.gather != nil && e.rows {
		return w.openCursor(e, more)
	}
	if e.rows {
		return w.endRows(e, more)
	}
	return w.sendOK(e, false, more)
}

// endRows sends what stands behind rows, or in other places where servers
// before MySQL 5.7 sent an EOF.
func (w *Writer) endRows(e ending, more bool) error {
	if w.c.client.Capabilities.Has(mysql.ClientDeprecateEOF) {
		return w.sendOK(e, true, more)
	}
	return w.c.append(&mysql.EOF{Warnings: e.Warnings, Status: w.status(e, more)})
}

func (w *Writer) sendOK(e ending, end, more bool) error {
	m := &mysql.OK{
		End: end, AffectedRows: e.AffectedRows, LastInsertID: e.LastInsertID, Warnings: e.Warnings, Info: e.Info,
		Track: w.c.takeTracks(),
	}
	m.Status = w.status(e, more)
	if len(m.Track) > 0 {
		m.Status |= mysql.StatusSessionStateChanged
	}
	return w.c.append(m)
}

// status returns the flags of an answer.
func (w *Writer) status(e ending, more bool) mysql.Status {
	s := w.c.status | e.flags
	if more {
		s |= mysql.StatusMoreResults
	}
	if e.out {
		s |= mysql.StatusPSOutParams
	}
	return s
}

func misuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errMisuse, fmt.Sprintf(format, args...))
}
