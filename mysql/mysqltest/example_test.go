package mysqltest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

// name is what is to be tested.
func name(ctx context.Context, c *mysqlclient.Conn, id int) (string, error) {
	rows, err := c.Query(ctx, "SELECT name FROM users WHERE id = ?", id)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	if !rows.Next() {
		return "", rows.Err()
	}
	return rows.String(0), rows.Close()
}

// The t of this example is that of the test.
func ExampleNewServer() {
	t := new(testing.T)
	s := mysqltest.NewServer(t)
	s.Expect("SELECT name FROM users WHERE id = ?").Args(7).
		Rows(mysqltest.Columns("name"), mysqltest.Row{"Ada"})

	ctx := context.Background()
	c, err := mysqlclient.Connect(ctx, &mysqlclient.Config{Dial: s.Dial, User: "app"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println(name(ctx, c, 7))
	// Output: Ada <nil>
}
