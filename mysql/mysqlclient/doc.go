// Package mysqlclient speaks MySQL's client/server protocol with MySQL and
// MariaDB servers, from the login to the last row.
//
//	conn, err := mysqlclient.Connect(ctx, &mysqlclient.Config{Address: "db:3306", User: "anna", Passwords: []string{pw}})
//	…
//	rows, err := conn.Query(ctx, "SELECT id, name FROM t WHERE id > ?", 10)
//	…
//	for rows.Next() {
//		fmt.Println(rows.Int64(0), rows.String(1))
//	}
//	err = rows.Close()
//
// A [Conn] is one session, for one goroutine at a time, and no pool: package
// sqldriver gives connections to database/sql. Contexts cover all of a call, rows
// included: when one ends, the call returns at once, the connection is lost, and
// a side connection made in the same way kills what the server is doing, unless
// it may have reached another server.
//
// No statement is executed twice behind the caller's back. What is lost says how
// far it came ([ConnError]), and a COMMIT whose answer is lost is called what it
// is: [ErrOutcomeUnknown].
//
// Rows are read as they come and allocate nothing; their getters give the same
// Go values for text and for binary rows. [Pipeline] sends many statements in one
// round trip. Package bulk loads and collects many rows.
//
// # Limits
//
// Texts are utf8mb4 unless the configuration says otherwise; nothing is converted
// here. A result set has at most 1,048,576 columns, a packet 1 GiB. Servers before
// MySQL 5.5 and MariaDB 5.5 are not spoken with. Replication is not.
package mysqlclient
