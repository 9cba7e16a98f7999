package mysqlserver

import (
	"context"
	"iter"

	"github.com/wirelark/wirelark/mysql"
)

// A Handler makes the sessions of a server. It is safe for concurrent use.
type Handler interface {
	// NewSession is called when the user of c has been let in, before he is
	// told so, and after COM_CHANGE_USER. An error refuses him: an [*Error] is
	// sent, as 1049 for an unknown database, any other is sent as 1105. The
	// database that the client wishes to begin with is c.Database(); the
	// session is not told about it again.
	NewSession(ctx context.Context, c *Conn) (Session, error)
}

// HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, c *Conn) (Session, error)

// NewSession calls f.
func (f HandlerFunc) NewSession(ctx context.Context, c *Conn) (Session, error) { return f(ctx, c) }

// A Session answers the commands of one connection. Its methods are called one
// at a time. Embed [Unsupported] in an implementation, for the methods that it
// does not have and for those that may be added.
//
// A context that a method gets ends when the client goes away, the statement is
// killed or the server is closed; the method should return soon then. What it
// returns is then of no importance.
type Session interface {
	// Query answers one SQL statement: COM_QUERY, or one of several that came
	// in one COM_QUERY. See [Writer] for how.
	Query(ctx context.Context, w *Writer, q *Query) error

	// Prepare makes a prepared statement.
	Prepare(ctx context.Context, sql string) (Statement, error)

	// UseDatabase makes name the default database: COM_INIT_DB. When it returns
	// nil, the server has done [Conn.SetDatabase].
	UseDatabase(ctx context.Context, name string) error

	// FieldList answers COM_FIELD_LIST with the columns of a table whose names
	// match wildcard, "" being all, and their default values.
	FieldList(ctx context.Context, table, wildcard string) ([]mysql.Column, error)

	// Statistics returns one line for people: COM_STATISTICS.
	Statistics(ctx context.Context) (string, error)

	// Reset makes the session as it was at first, without changing the user or
	// the database: COM_RESET_CONNECTION. It rolls back, and forgets variables
	// and temporary tables. The server has closed the prepared statements, and
	// sets the status to what it was at first.
	Reset(ctx context.Context) error

	// Close is called once, at last, when no other method is running. The
	// statements have been closed.
	Close()
}

// A Query is one statement to be answered.
type Query struct {
	// SQL is the statement, without the semicolon that divided it from the
	// next one. It is in the character set of the connection.
	SQL string

	// Attributes are the client's query attributes (MySQL 8.0.23): named values
	// for whoever watches. They are valid during the call, until it asks for a
	// file.
	Attributes []mysql.Param
}

// A Statement is a prepared statement of a [Session]. Its methods are called as
// those of the session are, never while one of them is running.
type Statement interface {
	// NumParams returns the number of placeholders, at most 65,535.
	NumParams() int

	// Columns describes the result set; nil when there will be none, or when it
	// is not known yet: clients look at what is announced with each execution.
	Columns() []mysql.Column

	// Execute answers one execution. len(x.Args) is NumParams.
	Execute(ctx context.Context, w *Writer, x *Execution) error

	// Close is called once, at last.
	Close()
}

// Execution is what a prepared statement is executed with. It and all that it
// refers to is valid during the call.
type Execution struct {
	Args       []mysql.Value // in the order of the placeholders; alias the packet
	Attributes []mysql.Param
}

// A BulkStatement is a [Statement] that executes a list of parameter sets
// itself: MariaDB's COM_STMT_BULK_EXECUTE. The server executes other
// statements once for each set, adds up what they say, stops at the first
// error, and refuses the indicators that stand for no value.
type BulkStatement interface {
	Statement

	// ExecuteBulk executes the statement for each set, answering once. A set
	// has NumParams values, and is valid until the next one. A malformed set
	// comes with an error, which is to be returned.
	ExecuteBulk(ctx context.Context, w *Writer, sets iter.Seq2[[]mysql.BulkValue, error]) error
}

// Unsupported is a [Session] that refuses everything, to be embedded in those
// that do something.
type Unsupported struct{}

var _ Session = Unsupported{}

// Query refuses the statement with error 1235.
func (Unsupported) Query(context.Context, *Writer, *Query) error {
	return Errorf(1235, "This server does not answer statements")
}

// Prepare refuses with error 1295, after which clients use the text protocol.
func (Unsupported) Prepare(context.Context, string) (Statement, error) {
	return nil, Errorf(1295, "This command is not supported in the prepared statement protocol yet")
}

// UseDatabase refuses with error 1049.
func (Unsupported) UseDatabase(_ context.Context, name string) error {
	return Errorf(1049, "Unknown database '%s'", name)
}

// FieldList refuses with error 1047.
func (Unsupported) FieldList(context.Context, string, string) ([]mysql.Column, error) {
	return nil, errUnknownCommand
}

// Statistics refuses with error 1047. The server then tells what it knows
// itself.
func (Unsupported) Statistics(context.Context) (string, error) { return "", errUnknownCommand }

// Reset does nothing.
func (Unsupported) Reset(context.Context) error { return nil }

// Close does nothing.
func (Unsupported) Close() {}
