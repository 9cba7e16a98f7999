package mysqlclient_test

import (
	"context"
	"fmt"
	"net"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// birds answers every query with the same two rows.
type birds struct{ mysqlserver.Unsupported }

func (birds) Query(_ context.Context, w *mysqlserver.Writer, _ *mysqlserver.Query) error {
	if err := w.Columns([]mysql.Column{{Name: "id", Type: mysql.TypeLonglong}, {Name: "name", Type: mysql.TypeVarString}}); err != nil {
		return err
	}
	if err := w.Row([]mysql.Value{mysql.Int(11), mysql.String("lark")}); err != nil {
		return err
	}
	return w.Row([]mysql.Value{mysql.Int(12), mysql.String("wren")})
}

// serveBirds returns what dials a server in this process.
func serveBirds(ctx context.Context) (dial func(context.Context, string, string) (net.Conn, error), err error) {
	users, err := mysqlserver.Passwords(map[string]string{"anna": "secret"})
	if err != nil {
		return nil, err
	}
	s := &mysqlserver.Server{
		Auth: users, MariaDB: true,
		Handler: mysqlserver.HandlerFunc(func(context.Context, *mysqlserver.Conn) (mysqlserver.Session, error) { return birds{}, nil }),
	}
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() { _ = s.ServeConn(ctx, far) }() // stops when the client closes its end
		return near, nil
	}, nil
}

func Example() {
	ctx := context.Background()
	dial, err := serveBirds(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := mysqlclient.Connect(ctx, &mysqlclient.Config{User: "anna", Passwords: []string{"secret"}, Dial: dial})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.Close() }()
	rows, err := conn.Query(ctx, "SELECT id, name FROM birds")
	if err != nil {
		fmt.Println(err)
		return
	}
	for rows.Next() {
		fmt.Println(rows.Int64(0), rows.String(1))
	}
	if err := rows.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 11 lark
	// 12 wren
}
