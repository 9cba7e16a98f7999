// Package sqldriver is the driver of MySQL and MariaDB for [database/sql], on top
// of package mysqlclient.
//
// A connector needs no name and no registry:
//
//	connector, err := sqldriver.Open("mysql://app:secret@db/shop?ssl-mode=VERIFY_IDENTITY")
//	db := sql.OpenDB(connector)
//
// Where a name is needed, [Register] gives it to the driver; importing the
// package alone registers nothing. Package compat has the names and the
// registries of github.com/go-sql-driver/mysql on top of this one.
//
// # Values
//
// A column has the same Go type whether its query has parameters or not:
//
//   - integers and YEAR are int64, and uint64 where int64 is too small
//   - FLOAT is float32, DOUBLE is float64
//   - DATE, DATETIME and TIMESTAMP are time.Time in [Config.Location] with
//     ParseTime, else their text; TIME is its text
//   - DECIMAL and everything else is []byte, valid as database/sql says
//
// The zero date is the zero time.Time, both ways; a date without month or day
// (2024-00-00) is an error with ParseTime. Parameters may be what database/sql
// takes, uint64, json.RawMessage, and the types of package mysql (DateTime,
// Duration, Value). Times are sent in Location, cut to microseconds. A
// time.Duration is the number of its nanoseconds, as everywhere in database/sql;
// mysql.Duration is a TIME.
//
// [sql.Out] works for parameters of CALL statements.
//
// # Pools
//
// When the context of a query ends, the query returns at once and the statement
// is killed on the server. A connection that a server closed while it was idle
// is noticed when it is taken from the pool. An error is driver.ErrBadConn, which
// makes database/sql try again elsewhere, only if not a byte of the command was
// sent.
//
// A session that was changed (a variable, a temporary table, a lock, an open
// transaction) is reset before it is used again: see [Config.Reset].
//
// # Limits
//
// Named parameters are not known to the servers and refused. One statement is
// under way on a connection at a time, so rows have to be closed before the next
// statement of a transaction.
package sqldriver
