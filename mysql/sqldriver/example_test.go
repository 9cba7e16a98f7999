package sqldriver_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/mysql/sqldriver"
)

func Example() {
	server := mysqltest.NewServer(&testing.B{})
	server.Expect("SELECT name FROM users WHERE id = ?").Args(7).Rows(mysqltest.Columns("name"), mysqltest.Row{"Ada"})

	// With a real server: sqldriver.Open("mysql://app:secret@db/shop")
	connector := sqldriver.NewConnector(&sqldriver.Config{Client: &mysqlclient.Config{Dial: server.Dial}})
	db := sql.OpenDB(connector)
	defer db.Close()
	var name string
	err := db.QueryRow("SELECT name FROM users WHERE id = ?", 7).Scan(&name)
	fmt.Println(name, err)
	// Output: Ada <nil>
}
