package engine_test

import (
	"context"
	"fmt"
	"net"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

func Example() {
	ctx := context.Background()
	e, err := engine.Open(ctx, engine.Config{Databases: []string{"shop"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	users, err := mysqlserver.Passwords(map[string]string{"ann": "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := &mysqlserver.Server{Handler: e, Auth: users, MariaDB: true, Secure: true}
	defer srv.Close()
	c, err := mysqlclient.Connect(ctx, &mysqlclient.Config{
		User: "ann", Passwords: []string{"secret"}, Database: "shop",
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := testkit.Pipe()
			go func() { _ = srv.ServeConn(ctx, server) }() // ends with the connection
			return client, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for _, sql := range []string{"create table t (name varchar(20), price decimal(8,2))", "insert into t values ('tea', 2.5), ('cup', 7)"} {
		if _, err := c.Exec(ctx, sql); err != nil {
			fmt.Println(err)
			return
		}
	}
	rows, err := c.Query(ctx, "select name, price * 2 from t where price > ?", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for rows.Next() {
		fmt.Println(rows.String(0), rows.String(1))
	}
	fmt.Println(rows.Close())
	// Output:
	// tea 5.00
	// cup 14.00
	// <nil>
}
