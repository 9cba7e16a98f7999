package mysqlserver

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// cursor keeps the rows of a statement until the client fetches them.
type cursor struct {
	owner *prepared
	buf   []byte // encoded rows, one after another
	ends  []int  // where each ends in buf
	sent  int    // rows
	held  int    // bytes, of all cursors of the connection, that this one counts for
}

// rowOverhead is what a row costs beside its bytes.
const rowOverhead = 8

func (k *cursor) begin([]mysql.Column) { k.buf, k.ends, k.sent = nil, nil, 0 }

// add keeps a row. When there are too many it sends all of them, as a server
// does that has no cursor for the statement, and reports false.
func (k *cursor) add(w *Writer, m wire.Message) (kept bool, err error) {
	c := w.c
	from := len(k.buf)
	b, err := mysql.Append(k.buf, m, c.pc.Dialect())
	if err != nil {
		return false, err
	}
	k.buf = b
	size := len(b) - from + rowOverhead
	if c.stmts.cursors+size <= c.limits.CursorBytes {
		k.ends = append(k.ends, len(b))
		k.held += size
		c.stmts.cursors += size
		return true, nil
	}
	k.buf = k.buf[:from]
	w.gather = nil
	if err := w.endDefinitions(); err != nil {
		return false, err
	}
	err = k.send(c, len(k.ends))
	k.close(c)
	return false, err
}

// send sends up to n rows.
func (k *cursor) send(c *Conn, n int) error {
	for n = min(n, len(k.ends)-k.sent); n > 0; n-- {
		from := 0
		if k.sent > 0 {
			from = k.ends[k.sent-1]
		}
		c.pc.AppendPayload(k.buf[from:k.ends[k.sent]])
		k.sent++
		if c.pc.Unsent() >= flushAt {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// close forgets the rows.
func (k *cursor) close(c *Conn) {
	c.stmts.cursors -= k.held
	*k = cursor{owner: k.owner}
}

// openCursor ends the answer to an execution with a cursor: no rows, and a flag
// that says that they may be fetched.
func (w *Writer) openCursor(e ending, more bool) error {
	k := w.gather
	w.gather = nil // what follows has no cursor
	if more || e.out {
		if err := w.endDefinitions(); err != nil {
			return err
		}
		err := k.send(w.c, len(k.ends))
		k.close(w.c)
		if err != nil {
			return err
		}
		return w.endRows(e, more)
	}
	e.flags |= mysql.StatusCursorExists
	k.owner.cursor = k
	return w.endRows(e, false)
}

// fetch answers COM_STMT_FETCH.
func (c *Conn) fetch(p []byte) error {
	var m mysql.StmtFetch
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	s := c.stmts.find(m.ID)
	switch {
	case s == nil:
		return c.fail(unknownStatement(m.ID, "mysqld_stmt_fetch"))
	case s.cursor == nil:
		return c.fail(Errorf(1421, "The statement (%d) has no open cursor.", m.ID))
	}
	k := s.cursor
	if err := k.send(c, int(min(m.Rows, 1<<30))); err != nil {
		return err
	}
	e := ending{flags: mysql.StatusCursorExists}
	if k.sent == len(k.ends) {
		e.flags = mysql.StatusLastRowSent
		s.closeCursor(c)
	}
	w := Writer{c: c}
	return w.endRows(e, false)
}
