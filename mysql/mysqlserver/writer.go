package mysqlserver

import (
	"context"
	"io"

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
type Writer struct {
	c *Conn
}

// Result is what an OK tells.
type Result struct {
	AffectedRows uint64
	LastInsertID uint64
	Warnings     uint16
	Info         string // for people, as "Rows matched: 1  Changed: 0  Warnings: 0"; "": none
}

// OK answers with a success that has no rows. After rows it ends the result
// set, with r.Warnings and, for clients that can be told, the rest of r.
func (w *Writer) OK(r Result) error { return nil }

// Columns begins a result set. Catalog "def" and what is left out of a column
// that follows from its Type are filled in. The slice may be used again when
// Columns has returned.
func (w *Writer) Columns(columns []mysql.Column) error { return nil }

// Row sends one row, in the form that the client wants. Each value is converted
// to the type of its column; len(values) is the number of columns. The values
// and what they refer to are free again when Row has returned. It allocates
// nothing, and waits while the client does not read.
func (w *Writer) Row(values []mysql.Value) error { return nil }

// OutParams sends the OUT parameters of a procedure as a result set of one row,
// marked as such.
func (w *Writer) OutParams(columns []mysql.Column, values []mysql.Value) error { return nil }

// SetWarnings sets the number of warnings that is sent with the end of the
// result set, or the OK that is sent if there is none.
func (w *Writer) SetWarnings(n uint16) {}

// Binary reports whether rows are sent in the binary form, as to prepared
// statements.
func (w *Writer) Binary() bool { return false }

// Flush sends what has been written so far without waiting for more.
func (w *Writer) Flush() error { return nil }

// LocalInfile asks the client for the file name and returns what it sends. It
// is to be read to its end or closed before anything else is written; Close
// discards what is left. It fails with error 3948 when the client has not said
// that it allows this (CLIENT_LOCAL_FILES). A client that refuses sends nothing:
// the reader is at its end at once.
func (w *Writer) LocalInfile(ctx context.Context, name string) (io.ReadCloser, error) {
	return nil, nil
}

// Progress tells a client that wants to know (MariaDB's, before the first row)
// how far the statement is: stage of stages, and permille of this stage in
// thousandths of a percent. Others are told nothing.
func (w *Writer) Progress(stage, stages uint8, percentThousandths uint32, what string) error {
	return nil
}
