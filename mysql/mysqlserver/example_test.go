package mysqlserver_test

import (
	"context"
	"fmt"
	"net"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// greeter answers every statement with one row.
type greeter struct {
	mysqlserver.Unsupported
	user string
}

func (g greeter) Query(_ context.Context, w *mysqlserver.Writer, q *mysqlserver.Query) error {
	if err := w.Columns([]mysql.Column{{Name: "you", Type: mysql.TypeVarString}, {Name: "said", Type: mysql.TypeVarString}}); err != nil {
		return err
	}
	return w.Row([]mysql.Value{mysql.String(g.user), mysql.String(q.SQL)})
}

func ExampleServer() {
	users, err := mysqlserver.Passwords(map[string]string{"app": "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := &mysqlserver.Server{
		Auth: users,
		Handler: mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
			return greeter{user: c.User()}, nil
		}),
		MariaDB: true, // a server without TLS, for clients without a key
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }() // stops with Shutdown

	ctx := context.Background()
	c, err := mysqlclient.Connect(ctx, &mysqlclient.Config{Address: l.Addr().String(), User: "app", Passwords: []string{"secret"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, err := c.Query(ctx, "hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	for rows.Next() {
		fmt.Println(rows.String(0), "said", rows.String(1))
	}
	fmt.Println(c.Close(), s.Shutdown(ctx), <-served)
	// Output:
	// app said hello
	// <nil> <nil> mysql server closed
}
