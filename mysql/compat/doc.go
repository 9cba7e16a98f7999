// Package mysql lets programs that were written for
// github.com/go-sql-driver/mysql run on this module: it has the exported names
// of version 1.10.1 and registers the driver "mysql". Such a program changes one
// import:
//
//	import _ "github.com/wirelark/wirelark/mysql/compat" // was github.com/go-sql-driver/mysql
//
//	db, err := sql.Open("mysql", "app:secret@tcp(db:3306)/shop?parseTime=true")
//
// The package's name is mysql, so that mysql.Config, mysql.MySQLError and the
// rest stay as they are. It is a thin layer: package sqldriver does the work, and
// new programs use that one, which has no registries.
//
// What differs from the original, on purpose:
//
//   - Without tls= the connection is encrypted if the server has TLS, as under
//     tls=preferred; tls=false is as before. tls=preferred decides for each
//     connection.
//   - A server's RSA key is asked for over an unencrypted connection only with
//     allowPublicKeyRetrieval=true, for whoever sits between can answer. serverPubKey
//     works as before.
//   - When a context ends, the statement is killed on the server.
//   - reset-policy=dirty resets a session that was changed (variables, temporary
//     tables, an open transaction) before it is used again. Without it sessions
//     stay as they are left, as before.
//   - Result columns have the same Go types whether a query has parameters or
//     not: BIGINT UNSIGNED is uint64 only where int64 is too small.
//   - allowAllFiles answers only statements that begin with LOAD, and files
//     without a name in them are never opened.
//   - Old passwords (before MySQL 4.1) are not possible: allowOldPasswords is
//     accepted and does nothing.
//   - The default logger is silent. Nothing here writes to a standard stream.
//   - The parameter strict is an error and not a panic.
//
// Parameters with a dash, ssh, timezone and allowPublicKeyRetrieval work as
// package options describes them. Hosts of ssh= need a dialer: DialFunc, or
// RegisterDialContext for a network of your own.
//
// A program that contains the original too, because a library imports it, keeps
// the original under the name "mysql". It gets this driver with NewConnector and
// [database/sql.OpenDB].
//
// The registries of this package belong to the process, as in the original; they
// are safe for concurrent use.
package mysql
