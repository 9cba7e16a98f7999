package mysqlclient

import (
	"context"

	"github.com/wirelark/wirelark/mysql"
)

// cursor is the client's half of a server-side cursor.
type cursor struct {
	ctx   context.Context // of the query: it covers each fetch
	fetch uint32          // rows at a time
	open  bool            // the server keeps rows
	batch []byte          // packets of the last fetch, one behind another
	ends  []int           // where they end in batch
	at    int             // number of the next one
}

// follows takes the status behind the columns, or behind rows, and reports
// whether rows are to be fetched from here on.
func (u *cursor) follows(r *Rows, status mysql.Status) bool {
	switch {
	case status.Has(mysql.StatusLastRowSent), !u.open && !status.Has(mysql.StatusCursorExists):
		return false
	case !u.open:
		u.open = true
		r.c.end() // until the first fetch
	}
	r.more = true
	return true
}

// next returns the next packet of the rows. It fetches when there is none left,
// and then the connection is free again.
func (u *cursor) next(r *Rows) ([]byte, error) {
	if u.at == len(u.ends) {
		if err := u.more(r); err != nil {
			return nil, err
		}
	}
	from := 0
	if u.at > 0 {
		from = u.ends[u.at-1]
	}
	p := u.batch[from:u.ends[u.at]:u.ends[u.at]]
	u.at++
	return p, nil
}

// more fetches a batch, the packet behind its rows included.
func (u *cursor) more(r *Rows) error {
	c := r.c
	if err := c.line.Begin(u.ctx, "a fetch of", r.sql); err != nil {
		return err
	}
	u.batch, u.ends, u.at = u.batch[:0], u.ends[:0], 0
	if r.stmt.epoch != c.epoch {
		return c.done(&ServerError{Code: errUnknownStatement, State: "HY000", Message: "the session was reset, and the cursor with it"})
	}
	if err := c.send(&mysql.StmtFetch{ID: r.stmt.id, Rows: u.fetch}); err != nil {
		return err
	}
	for {
		p, err := c.line.Read()
		if err != nil {
			return c.fail(err)
		}
		u.batch = append(u.batch, p...)
		u.ends = append(u.ends, len(u.batch))
		if p[0] != mysql.HeaderOK { // the end, or an error
			c.end()
			return nil
		}
		if len(u.ends) > int(u.fetch) {
			return c.fail(&ProtocolError{What: "more rows than were fetched"})
		}
	}
}
