package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// JournalTable is the table in which an import keeps its place. It is dropped
// when everything is done.
const JournalTable = "_wirelark_import"

// journal is the place of an import, by source: the file of a range, or a
// script.
type journal struct{ database string }

func (j *journal) table() string { return ident(j.database, JournalTable) }

// open makes the table when it is missing.
func (j *journal) open(ctx context.Context, c *mysqlclient.Conn) error {
	_, err := c.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+j.table()+" (source varchar(190) NOT NULL PRIMARY KEY, place bigint NOT NULL)")
	return err
}

// place returns how far a source was imported, and whether anything is known
// of it.
func (j *journal) place(ctx context.Context, c *mysqlclient.Conn, source string) (place int64, known bool, err error) {
	rows, err := c.Query(ctx, "SELECT place FROM "+j.table()+" WHERE source = "+quote(source))
	if err != nil {
		return 0, false, err
	}
	for rows.Next() {
		place, known = rows.Int64(0), true
	}
	return place, known, rows.Close()
}

// note writes the place of a source of which nothing is known. It fails with
// fs.ErrExist when somebody else did so first: an import that was cut off may
// still be committing.
func (j *journal) note(ctx context.Context, c *mysqlclient.Conn, source string, place int64) error {
	_, err := c.Exec(ctx, fmt.Sprintf("INSERT INTO %s (source, place) VALUES (%s, %d)", j.table(), quote(source), place))
	return err
}

// errMoved says that a place is not where it was left.
var errMoved = errors.New("somebody else has moved this import on: see that no other one runs, and resume it")

// move writes a new place of a source, which must be at the old one.
func (j *journal) move(ctx context.Context, c *mysqlclient.Conn, source string, from, to int64) error {
	r, err := c.Exec(ctx, fmt.Sprintf("UPDATE %s SET place = %d WHERE source = %s AND place = %d", j.table(), to, quote(source), from))
	if err == nil && r.AffectedRows != 1 {
		err = errMoved
	}
	return err
}

// drop removes what is known of the sources and their parts, all of it at once,
// and the table when nothing is left.
func (j *journal) drop(ctx context.Context, c *mysqlclient.Conn, sources []string) error {
	var of []string
	for _, s := range sources {
		of = append(of, fmt.Sprintf("source = %s OR LEFT(source, %d) = %s", quote(s), utf8.RuneCountInString(s)+1, quote(s+"/")))
	}
	if _, err := c.Exec(ctx, "DELETE FROM "+j.table()+" WHERE "+strings.Join(of, " OR ")); err != nil {
		return err
	}
	left, err := names(ctx, c, "SELECT COUNT(*) FROM "+j.table())
	if err != nil || len(left) == 0 || left[0] != "0" {
		return err
	}
	_, err = c.Exec(ctx, "DROP TABLE "+j.table())
	return err
}

// attempts is how often a transaction is run that the server chose to end a
// deadlock with.
const attempts = 3

// together runs do in a transaction that begins with noting: whoever comes later
// to the same place waits for its end.
func (j *journal) together(ctx context.Context, c *mysqlclient.Conn, note, do func() error) (err error) {
	const deadlock = 1213 // ER_LOCK_DEADLOCK
	for range attempts {
		err = j.once(ctx, c, note, do)
		if e, ok := errors.AsType[*mysqlclient.ServerError](err); !ok || e.Code != deadlock {
			return err
		}
	}
	return err
}

func (j *journal) once(ctx context.Context, c *mysqlclient.Conn, note, do func() error) error {
	if _, err := c.Exec(ctx, "START TRANSACTION"); err != nil {
		return err
	}
	err := note()
	if err == nil {
		err = do()
	}
	if err == nil {
		_, err = c.Exec(ctx, "COMMIT")
	}
	if err != nil && c.Err() == nil {
		_, back := c.Exec(ctx, "ROLLBACK")
		err = errors.Join(err, back)
	}
	return err
}
