// Package bulk moves many rows at once between Go and a server: in with
// [InsertRows] and [TSVWriter], out with [Collect], [Each] and [Batches]. It stands
// on a connection of package mysqlclient, which has single statements and
// LoadData.
//
//	n, err := bulk.InsertRows(ctx, conn, "users", []string{"id", "name"}, rows, nil)
//
//	rows, err := conn.Query(ctx, "SELECT id, name FROM users WHERE id > ?", 100)
//	users, err := bulk.Collect[User](rows)
//
// InsertRows chooses what is fastest on the server at hand without losing rows
// or errors. Collect makes structs, with the mapping computed once for all rows.
// Batches hands out columns, for programs that count and files that are written
// by column, and allocates nothing for each row.
//
// Nothing here is safe for concurrent use, as connections are not.
//
// Limits: InsertRows holds one chunk of rows in memory, Batches one batch, Collect
// all of them ([Each] one).
package bulk
