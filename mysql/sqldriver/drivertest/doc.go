// Package drivertest is the suite that package sqldriver has to pass against a
// server: the embedded engine, MySQL or MariaDB.
//
//	func TestDriver(t *testing.T) {
//		drivertest.Run(t, func(params string) *sql.DB {
//			connector, err := sqldriver.Open("app:secret@tcp(db:3306)/test?" + params)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return sql.OpenDB(connector)
//		})
//	}
//
// It makes tables, and where the server has them procedures, whose names begin
// with drivertest_, in the schema of the connection, and drops them. What a
// server does not have is named when the suite is run; nothing is left out by
// itself.
//
// Limits: it says nothing about speed, and leaves packets alone (mysqlclient's
// own tests look at those).
package drivertest
