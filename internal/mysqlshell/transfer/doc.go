// Package transfer moves tables between a MySQL or MariaDB server and files:
// export writes a directory with a file for each range of each table's keys,
// import loads such a directory, or runs a script, and both can go on where
// they were interrupted.
//
//	e := &transfer.Export{Connect: connect, Dir: "dump", Database: "shop"}
//	done, err := e.Run(ctx)
//	i := &transfer.Import{Connect: connect, Database: "copy"}
//	done, err = i.Dir(ctx, "dump")
//
// A range is a file that is there in whole or not at all; what is left of an
// interrupted one is written again. An import keeps its place in the database,
// in a table of its own (see [JournalTable]), in the same transaction as the
// rows: nothing is loaded twice where the tables have transactions.
//
// Limits: tables are exported one range after another, on several connections,
// so an export is a picture of one moment only while nobody writes, or with a
// single connection, in tables that have transactions. Views,
// triggers, routines and users are not exported. An import of a script runs its
// statements as they are; those that are neither INSERT nor REPLACE may be run
// again after an interruption.
package transfer

import (
	"context"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Connect makes a connection for a worker. It belongs to the package.
type Connect func(ctx context.Context) (*mysqlclient.Conn, error)

// Event tells how far a transfer has come. Events come from several goroutines,
// one at a time.
type Event struct {
	What        string // the file or table that has moved on
	Rows, Bytes int64  // since the last event about it
	Done, Total int64  // of the unit: ranges, or bytes of a script
}

// Summary is what was done.
type Summary struct {
	Tables, Chunks int
	Rows, Bytes    int64
	Skipped        int // ranges or statements that had been done before
	Statements     int64
	Warnings       []string
}

// FormatLoad is the format that [Import] reads: what LOAD DATA reads by
// default. Exports may have any other format of package format as well.
const FormatLoad = "load"

// names returns the first column of an answer.
func names(ctx context.Context, c *mysqlclient.Conn, sql string) ([]string, error) {
	rows, err := c.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	var all []string
	for rows.Next() {
		all = append(all, rows.String(0))
	}
	return all, rows.Close()
}

func quote(s string) string { return lexer.Quote(s, 0) }

// ident quotes a name of one or two parts.
func ident(parts ...string) string {
	quoted := make([]string, 0, len(parts))
	for _, p := range parts {
		if p != "" {
			quoted = append(quoted, lexer.QuoteIdent(p))
		}
	}
	return strings.Join(quoted, ".")
}

// TableError says which table or file an error is about.
type TableError struct {
	Table string
	Err   error
}

func (e *TableError) Error() string { return fmt.Sprintf("%s: %v", e.Table, e.Err) }

// Unwrap returns what went wrong.
func (e *TableError) Unwrap() error { return e.Err }
