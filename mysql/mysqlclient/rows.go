package mysqlclient

import (
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/value"
)

// Result is how a statement without rows ended, or a result set.
type Result struct {
	AffectedRows uint64
	LastInsertID uint64
	Warnings     uint16
	Status       mysql.Status
	Info         string // the server's words, as "Records: 3  Duplicates: 0  Warnings: 0"
}

// Rows are the answer to a statement: result sets, of which most have one, and
// results without rows. Rows are read from the network one by one, so memory
// does not grow with their number; the connection is busy until the last one
// has been read or Close was called.
//
//	for rows.Next() {
//		id, name := rows.Int64(0), rows.String(1)
//		…
//	}
//	err := rows.Close()
//
// What a column's getter returns is 0 for NULL. A value that does not fit what
// is asked for ends the rows with a [*ValueError], which Err and Close return.
type Rows struct {
	value.Row // the present row, and its getters

	c       *Conn
	sql     string
	stmt    *prepared // nil: text rows
	answers *Answers  // the pipeline that the answer is part of; nil: none
	cursor  *cursor   // nil: all rows come at once
	again   *retry    // how to prepare the statement again; nil: it is not to be

	more   bool // rows of this result set follow
	last   bool // no result follows this one
	ended  bool // the answer was read to its end, or the connection is lost
	result Result
	err    error
}

// maxColumns bounds a result set. A table has at most 4096 columns and a select
// list has been seen with 70,000.
const maxColumns = 1 << 20

// Result returns how the present result ended. For a result set it is complete
// when Next has returned false.
func (r *Rows) Result() Result { return r.result }

// OutParams reports whether the result set, one row, holds the OUT and INOUT
// parameters of a procedure that was called by a prepared statement. It is known
// when Next has returned false.
func (r *Rows) OutParams() bool { return r.result.Status.Has(mysql.StatusPSOutParams) }

// Err returns why the rows ended early: an error of the server, which may come
// after any number of rows, a [*ConnError] or a [*ValueError]; nil when they did
// not.
func (r *Rows) Err() error {
	if r.err == nil {
		return value.Fault(&r.Row)
	}
	return r.err
}

// Next reads the next row of the result set. It returns false behind the last
// one, and when something went wrong: see Err. Byte slices of the row before it
// become invalid.
func (r *Rows) Next() bool {
	return value.Fault(&r.Row) == nil && r.next()
}

func (r *Rows) next() bool {
	for r.more && r.err == nil {
		p, err := r.packet()
		if err != nil && r.cursor != nil && r.cursor.open { // a fetch has ended for itself, or not begun
			r.err = err
			r.finish()
			return false
		}
		if err != nil {
			r.lose(err)
			return false
		}
		if r.ends(p) {
			continue // a cursor goes on with the next batch
		}
		if err := value.Decode(&r.Row, &r.c.coder, p, r.c.dialect); err != nil {
			r.lose(&ProtocolError{What: "a row that cannot be decoded", Err: err})
			return false
		}
		return true
	}
	return false
}

// packet returns the next packet of the rows.
func (r *Rows) packet() ([]byte, error) {
	if r.cursor != nil && r.cursor.open {
		return r.cursor.next(r)
	}
	return r.c.line.Read()
}

// ends reports whether p is not a row, and takes what it says then: the rows'
// end or the server's error. A text row may begin with 0xfe only when it is
// 16 MiB long.
func (r *Rows) ends(p []byte) bool {
	deprecated := r.c.server.Capabilities.Has(mysql.ClientDeprecateEOF)
	switch {
	case p[0] == mysql.HeaderOK: // a row in binary form, or of a text that is empty
		return false
	case p[0] == mysql.HeaderERR:
		r.stop(r.c.line.ServerError(p))
		return true
	case p[0] != mysql.HeaderEOF, deprecated && len(p) >= 1<<24-1, !deprecated && len(p) >= 9:
		return false
	}
	r.more = false
	if err := r.end(p); err != nil {
		r.lose(err)
	}
	return true
}

// end takes the packet behind the last row.
func (r *Rows) end(p []byte) error {
	if r.c.server.Capabilities.Has(mysql.ClientDeprecateEOF) {
		return r.ok(p)
	}
	var m mysql.EOF
	if err := r.c.line.Parse(p, &m); err != nil {
		return err
	}
	r.c.note(m.Status, m.Warnings)
	r.result = Result{Status: m.Status, Warnings: m.Warnings}
	r.close(m.Status)
	return nil
}

// ok takes an OK.
func (r *Rows) ok(p []byte) error {
	var m mysql.OK
	if err := r.c.line.Parse(p, &m); err != nil {
		return err
	}
	r.c.noteOK(&m)
	r.result = Result{
		AffectedRows: m.AffectedRows, LastInsertID: m.LastInsertID,
		Warnings: m.Warnings, Status: m.Status, Info: m.Info,
	}
	r.close(m.Status)
	return nil
}

// close ends a result, and the answer unless another result follows.
func (r *Rows) close(status mysql.Status) {
	if r.cursor != nil && r.cursor.follows(r, status) {
		return
	}
	r.last = !status.Has(mysql.StatusMoreResults)
	if r.last {
		r.finish()
	}
}

// finish says that the answer has been read to its end.
func (r *Rows) finish() {
	if r.ended {
		return
	}
	r.more, r.last, r.ended = false, true, true
	if r.answers == nil && (r.cursor == nil || !r.cursor.open) {
		r.c.end()
	}
}

// stop ends the whole answer, as an ERR does. Other errors end the connection
// with it.
func (r *Rows) stop(err error) {
	if !isServer(err) {
		r.lose(err)
		return
	}
	r.err = err
	r.finish()
}

// lose ends the answer because the connection is lost.
func (r *Rows) lose(err error) {
	r.more, r.last, r.ended = false, true, true
	r.err = r.c.fail(err)
}

// head reads the beginning of a result: an OK, an ERR, or column definitions.
// What goes wrong is in r.err.
func (r *Rows) head() {
	value.Describe(&r.Row, nil, nil, nil)
	r.more = false
	p, err := r.c.line.Read()
	if err != nil {
		r.lose(err)
		return
	}
	switch p[0] {
	case mysql.HeaderERR:
		if err = r.c.line.ServerError(p); !isServer(err) || !r.prepareAgain(err) {
			r.stop(err)
		}
		return
	case mysql.HeaderOK:
		err = r.ok(p)
	case mysql.HeaderLocalInfile:
		err = r.local(p)
	default:
		err = r.set(p)
	}
	if err != nil {
		r.stop(err)
	}
}

// set reads the beginning of a result set.
func (r *Rows) set(p []byte) error {
	var count mysql.ColumnCount
	if err := r.c.line.Parse(p, &count); err != nil {
		return err
	}
	if count.Count > maxColumns {
		return &ProtocolError{What: fmt.Sprintf("a result set of %d columns", count.Count)}
	}
	optional := r.c.server.Capabilities&(mysql.ClientOptionalResultsetMetadata|mysql.MariaDBCacheMetadata) != 0
	var columns []mysql.Column
	switch {
	case !optional || count.Metadata != 0:
		var err error
		if columns, err = r.c.line.Columns(int(count.Count)); err != nil {
			return err
		}
		if r.stmt != nil {
			r.stmt.setColumns(columns)
		}
	case r.stmt != nil && len(r.stmt.columns) == int(count.Count):
		columns = r.stmt.columns
	default:
		return &ProtocolError{What: "a result set without the definitions of its columns"}
	}
	r.more = true
	r.c.line.Phase(PhaseRows)
	if !r.c.server.Capabilities.Has(mysql.ClientDeprecateEOF) {
		m, err := r.c.line.Middle()
		if err != nil {
			return err
		}
		r.result.Status = m.Status
		if r.cursor != nil {
			r.cursor.follows(r, m.Status)
		}
	}
	var binary *mysql.BinaryRow
	if r.stmt != nil {
		binary = r.stmt.row()
	}
	value.Describe(&r.Row, columns, binary, r.c.location())
	return nil
}

// NextResult goes on to the next result of the answer, past what has not been
// read of this one. It returns false when there is none, or after an error.
func (r *Rows) NextResult() bool {
	r.drain()
	if r.Err() != nil || r.last {
		return false
	}
	r.head()
	return r.err == nil
}

// drain reads the rest of a result set.
func (r *Rows) drain() {
	for r.next() {
	}
}

// Close reads what is left of the answer, so that the connection is free again,
// and returns the first error. To leave many rows behind, end the context of the
// query instead: that costs the connection and saves the rows.
func (r *Rows) Close() error {
	if r.cursor != nil && r.cursor.open { // the next execution, or Close of the statement, drops it
		r.finish()
		return r.Err()
	}
	fault := value.Fault(&r.Row)
	for r.drain(); r.err == nil && !r.last; r.drain() {
		r.head()
	}
	if r.err == nil {
		r.err = fault
	}
	return r.err
}

// all reads the whole answer and returns the last result.
func (r *Rows) all() (Result, error) {
	err := r.Close()
	return r.result, err
}
