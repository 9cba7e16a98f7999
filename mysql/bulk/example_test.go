package bulk_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

func Example() {
	server := mysqltest.NewServer(&testing.B{})
	server.Allow("...").Exec(2, 0)
	server.Expect("SELECT id, name FROM users").Rows(mysqltest.Columns("id BIGINT", "name"), mysqltest.Row{1, "Ada"})

	ctx := context.Background()
	conn, err := mysqlclient.Connect(ctx, &mysqlclient.Config{Dial: server.Dial})
	if err != nil {
		panic(err)
	}
	defer conn.Close()

	rows := [][]any{{1, "Ada"}, {2, "Grace"}}
	result, err := bulk.InsertRows(ctx, conn, "users", []string{"id", "name"}, slices.Values(rows), nil)
	fmt.Println(result.Inserted, err)

	type user struct {
		ID   int
		Name string
	}
	answer, err := conn.Query(ctx, "SELECT id, name FROM users")
	if err != nil {
		panic(err)
	}
	users, err := bulk.Collect[user](answer)
	fmt.Println(users, err)
	// Output:
	// 2 <nil>
	// [{1 Ada}] <nil>
}
