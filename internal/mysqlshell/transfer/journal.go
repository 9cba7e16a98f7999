package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// JournalTable is the table in which an import keeps its place. It is dropped
// when everything is done.
const JournalTable = "_wirelark_import"

// journal is the place of an import, by source: the file of a range, or a
// script.
type journal struct{ database string }

func (j *journal) table() string { return ident(j.database, JournalTable) }

// open makes the table when it is missing. without resume what it says of an
// earlier import is an error.
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

// note writes the place of a source, in the transaction that is open.
func (j *journal) note(ctx context.Context, c *mysqlclient.Conn, source string, place int64) error {
	_, err := c.Exec(ctx, fmt.Sprintf("REPLACE INTO %s (source, place) VALUES (%s, %d)", j.table(), quote(source), place))
	return err
}

// drop removes what is known of the sources, and the table when nothing is left.
func (j *journal) drop(ctx context.Context, c *mysqlclient.Conn, sources []string) error {
	for _, s := range sources {
		if _, err := c.Exec(ctx, "DELETE FROM "+j.table()+" WHERE source = "+quote(s)); err != nil {
			return err
		}
	}
	left, err := names(ctx, c, "SELECT COUNT(*) FROM "+j.table())
	if err != nil || len(left) == 0 || left[0] != "0" {
		return err
	}
	_, err = c.Exec(ctx, "DROP TABLE "+j.table())
	return err
}

// together runs do and notes the place in one transaction.
func (j *journal) together(ctx context.Context, c *mysqlclient.Conn, source string, place int64, do func() error) error {
	if _, err := c.Exec(ctx, "START TRANSACTION"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = j.note(ctx, c, source, place)
	}
	if err != nil {
		if c.Err() == nil {
			_, back := c.Exec(ctx, "ROLLBACK")
			err = errors.Join(err, back)
		}
		return err
	}
	_, err = c.Exec(ctx, "COMMIT")
	return err
}
