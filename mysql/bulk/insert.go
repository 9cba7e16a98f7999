package bulk

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Method is how [InsertRows] brings rows to the server.
type Method uint8

// The methods.
const (
	// MethodAuto is MethodBulk where the server has it, MethodLoad for
	// InsertOptions.Ignore where that is possible, else MethodMulti.
	MethodAuto Method = iota
	// MethodBulk prepares one INSERT and executes it for many rows at a time.
	// MariaDB has that.
	MethodBulk
	// MethodLoad is LOAD DATA LOCAL. It is never chosen for rows that must all
	// arrive, because it takes what violates a key for a warning. It needs
	// Config.LocalInfile and the server's local_infile.
	MethodLoad
	// MethodMulti sends INSERTs of many rows each, as text.
	MethodMulti
	// MethodSingle sends an INSERT for each row, many before it reads the first
	// answer. It is for texts in character sets that MethodMulti cannot quote.
	MethodSingle
)

// String returns a word.
func (m Method) String() string {
	names := [...]string{"auto", "bulk", "load", "multi", "single"}
	if int(m) < len(names) {
		return names[m]
	}
	return fmt.Sprintf("method %d", uint8(m))
}

// InsertOptions are what [InsertRows] may be told. Its zero value, and nil,
// are good for everybody.
type InsertOptions struct {
	Schema string // of the table; empty: the session's
	// Ignore skips rows that violate a key, and makes values fit that do not
	// (INSERT IGNORE).
	Ignore bool
	// Method is how; see its values.
	Method Method
	// ChunkRows and ChunkBytes bound what one command carries; 0: 5,000 rows
	// and 1 MiB. A row is never cut.
	ChunkRows, ChunkBytes int
	// Progress is told how many rows the server has taken, behind each command.
	Progress func(rows int64)
}

const (
	defaultChunkRows  = 5000
	defaultChunkBytes = 1 << 20
)

// InsertResult is what became of the rows.
type InsertResult struct {
	Method   Method
	Rows     int64  // that were given
	Inserted int64  // that are in the table; fewer than Rows only with Ignore
	Warnings uint64 // of all commands
}

// RowError says which row the server refused. None of the rows is in the table,
// if its engine has transactions.
type RowError struct {
	Row   int64 // from 0
	Count int64 // it is one of so many, of which Row is the first; 1 where that is known
	Err   error // a *mysqlclient.ServerError or *mysqlclient.ArgError
}

// Error says which row and why.
func (e *RowError) Error() string {
	if e.Count > 1 {
		return fmt.Sprintf("mysql: one of the rows %d to %d: %v", e.Row, e.Row+e.Count-1, e.Err)
	}
	return fmt.Sprintf("mysql: row %d: %v", e.Row, e.Err)
}

// Unwrap returns the cause.
func (e *RowError) Unwrap() error { return e.Err }

// InsertRows inserts rows into a table, in the fastest way that the server has
// and that loses nothing. Each row has a value for each of columns, as an argument
// of a statement would be; a row and what it refers to may be changed as soon as
// the next one is asked for.
//
// Either all rows are inserted or none: where no transaction is open, InsertRows
// makes one, and where one is open it goes back to where it was (savepoint) on
// an error, and leaves it open. For tables without transactions that cannot
// be. An error that a row causes is a [*RowError] that names it.
//
// Memory is bounded by a chunk, however many rows there are. Commands that would
// exceed the server's max_allowed_packet are made smaller; a row that alone
// exceeds it is a RowError around a [*mysqlclient.TooLargeError].
func InsertRows(ctx context.Context, c *mysqlclient.Conn, table string, columns []string, rows iter.Seq[[]any], o *InsertOptions) (InsertResult, error) {
	in, err := newInserter(c, table, columns, o)
	if err != nil {
		return InsertResult{}, err
	}
	if err := in.start(ctx); err != nil {
		return InsertResult{}, err
	}
	if err := in.all(ctx, rows); err != nil {
		return InsertResult{Method: in.method, Rows: in.read}, in.undo(ctx, err)
	}
	if err := in.finish(ctx); err != nil {
		return InsertResult{Method: in.method, Rows: in.read}, in.undo(ctx, err)
	}
	return InsertResult{Method: in.method, Rows: in.read, Inserted: in.inserted, Warnings: in.warnings}, nil
}

// inserter is one InsertRows.
type inserter struct {
	c       *mysqlclient.Conn
	o       InsertOptions
	method  Method
	head    string // INSERT INTO t (a, b) VALUES
	table   string // quoted
	columns []string
	own     bool // the transaction is ours

	chunk    chunk
	stmt     *mysqlclient.Stmt
	read     int64 // rows
	inserted int64
	warnings uint64
}

// savepoint is where an error goes back to in a transaction of the caller's.
const savepoint = "wirelark_insert_rows"

func newInserter(c *mysqlclient.Conn, table string, columns []string, o *InsertOptions) (*inserter, error) {
	in := &inserter{c: c, columns: columns, table: lexer.QuoteIdent(table)}
	if o != nil {
		in.o = *o
	}
	if len(columns) == 0 {
		return nil, &mysqlclient.ArgError{Index: -1, What: "there are no columns to insert into"}
	}
	if in.o.Schema != "" {
		in.table = lexer.QuoteIdent(in.o.Schema) + "." + in.table
	}
	if in.o.ChunkRows <= 0 {
		in.o.ChunkRows = defaultChunkRows
	}
	if in.o.ChunkBytes <= 0 {
		in.o.ChunkBytes = defaultChunkBytes
	}
	var err error
	if in.method, err = in.choose(); err != nil {
		return nil, err
	}
	verb := "INSERT INTO "
	if in.o.Ignore {
		verb = "INSERT IGNORE INTO "
	}
	in.head = verb + in.table + " (" + quoteAll(columns) + ") VALUES "
	in.chunk.width = len(columns)
	return in, nil
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = lexer.QuoteIdent(n)
	}
	return strings.Join(quoted, ", ")
}

// choose returns the method, or why the one that is wanted cannot be.
func (in *inserter) choose() (Method, error) {
	caps := in.c.Server().Capabilities
	bulk, local := caps.Has(mysql.MariaDBBulkOperations), caps.Has(mysql.ClientLocalFiles)
	switch m := in.o.Method; {
	case m == MethodBulk && !bulk:
		return 0, errors.New("mysql: the server has no bulk execution")
	case m == MethodLoad && !local:
		return 0, mysqlclient.ErrLocalInfile
	case m != MethodAuto:
		return m, nil
	case bulk:
		return MethodBulk, nil
	case in.o.Ignore && local:
		return MethodLoad, nil
	}
	return in.inserts(), nil
}

// inserts returns the method for servers that have INSERT alone.
func (in *inserter) inserts() Method {
	if in.c.Quotable() {
		return MethodMulti
	}
	return MethodSingle
}

// start begins a transaction, or notes where the caller's is.
func (in *inserter) start(ctx context.Context) error {
	state := in.c.State()
	in.own = !state.InTransaction()
	sql := "SAVEPOINT " + savepoint
	if in.own {
		sql = "START TRANSACTION"
	}
	_, err := in.c.Exec(ctx, sql)
	return err
}

// finish makes the rows last.
func (in *inserter) finish(ctx context.Context) error {
	in.closeStmt()
	sql := "RELEASE SAVEPOINT " + savepoint
	if in.own {
		sql = "COMMIT"
	}
	_, err := in.c.Exec(ctx, sql)
	return err
}

// wayBack bounds the way back behind a context that has ended. When that takes
// longer the connection is cut, which undoes as well.
const wayBack = 5 * time.Second

// undo takes the rows back because of err. The server may have done so already
// (a deadlock).
func (in *inserter) undo(ctx context.Context, err error) error {
	if in.c.Err() != nil {
		return err
	}
	in.closeStmt()
	sql := "ROLLBACK TO SAVEPOINT " + savepoint
	if in.own {
		sql = "ROLLBACK"
	}
	if ctx.Err() != nil { // nothing would be sent, and the next transaction would commit the rows
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), wayBack)
		defer stop()
	}
	_, undone := in.c.Exec(ctx, sql)
	switch {
	case undone == nil:
	case !in.own && noSavepoint(undone):
	default:
		return errors.Join(err, undone)
	}
	return err
}

// noSavepoint reports whether err is ER_SP_DOES_NOT_EXIST, which servers answer
// when a deadlock took a savepoint with it.
func noSavepoint(err error) bool {
	e, ok := errors.AsType[*mysqlclient.ServerError](err)
	return ok && e.Code == 1305
}

func isServer(err error) bool {
	_, ok := errors.AsType[*mysqlclient.ServerError](err)
	return ok
}

func (in *inserter) closeStmt() {
	if in.stmt != nil {
		_ = in.stmt.Close() // it is answered by nothing
		in.stmt = nil
	}
}

// all takes the rows in chunks.
func (in *inserter) all(ctx context.Context, rows iter.Seq[[]any]) error {
	if in.method == MethodLoad {
		return in.load(ctx, rows)
	}
	var failed error
	for row := range rows {
		if failed = in.add(row); failed != nil {
			break
		}
		if in.chunk.rows >= in.o.ChunkRows || in.chunk.bytes >= in.o.ChunkBytes {
			if failed = in.send(ctx); failed != nil {
				break
			}
		}
	}
	if failed == nil && in.chunk.rows > 0 {
		failed = in.send(ctx)
	}
	return failed
}

// add copies a row into the chunk.
func (in *inserter) add(row []any) error {
	if err := in.chunk.add(in.c, row); err != nil {
		return &RowError{Row: in.read, Count: 1, Err: err}
	}
	in.read++
	return nil
}

// send brings the chunk to the server and empties it.
func (in *inserter) send(ctx context.Context) error {
	if err := in.part(ctx, &in.chunk); err != nil {
		return err
	}
	if in.o.Progress != nil {
		in.o.Progress(in.read)
	}
	in.chunk.clear(in.read)
	return nil
}

// part brings rows to the server, in halves if they are more than it takes at
// once.
func (in *inserter) part(ctx context.Context, k *chunk) error {
	result, err := in.execute(ctx, k)
	if err == nil {
		in.took(result)
		return nil
	}
	if _, large := errors.AsType[*mysqlclient.TooLargeError](err); !large || k.rows == 1 {
		return in.blame(ctx, k, err)
	}
	left, right := k.slice(0, k.rows/2), k.slice(k.rows/2, k.rows)
	if err := in.part(ctx, &left); err != nil {
		return err
	}
	return in.part(ctx, &right)
}

func (in *inserter) took(r mysqlclient.Result) {
	in.inserted += int64(r.AffectedRows)
	in.warnings += uint64(r.Warnings)
}

// execute inserts the rows of a chunk, all or none of them.
func (in *inserter) execute(ctx context.Context, k *chunk) (mysqlclient.Result, error) {
	switch in.method {
	case MethodBulk:
		return in.bulk(ctx, k)
	case MethodSingle:
		return in.singles(ctx, k)
	default:
		return in.multi(ctx, k)
	}
}

// blame finds the row that made rows fail, which were taken back whole: it
// inserts halves of what is left until one row is.
func (in *inserter) blame(ctx context.Context, k *chunk, err error) error {
	if in.c.Err() != nil || !ofRow(err) {
		return err
	}
	lo, hi := 0, k.rows // the culprit is in [lo, hi)
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		half := k.slice(lo, mid)
		_, e := in.execute(ctx, &half)
		switch {
		case e == nil:
			lo = mid
		case in.c.Err() != nil:
			return e
		default:
			hi, err = mid, e
		}
	}
	last := k.slice(lo, hi)
	if k.rows == 1 {
		return &RowError{Row: last.first, Count: 1, Err: err}
	}
	if _, e := in.execute(ctx, &last); e != nil {
		return &RowError{Row: last.first, Count: 1, Err: e}
	}
	// It does not fail any more, for whatever reason.
	return &RowError{Row: k.first, Count: int64(k.rows), Err: err}
}

// ofRow reports whether an error is about a row that is not named yet, and not
// about the table, the session or the server: executing less would tell more.
func ofRow(err error) bool {
	if _, named := errors.AsType[*RowError](err); named {
		return false
	}
	if _, large := errors.AsType[*mysqlclient.TooLargeError](err); large {
		return true
	}
	e, ok := errors.AsType[*mysqlclient.ServerError](err)
	if !ok {
		return false
	}
	switch e.Code {
	case 1205, 1213, 1317, 1053, 1927, 3024, 1969, 2013: // waits, deadlocks, kills, shutdown
		return false
	}
	return len(e.State) != 5 || e.State[:2] != "42" || e.Code == 1136
}
