package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/trace"
)

// demoDatabase is where the demo's database seems to be: no host has this name,
// and no port is open. Only the SSH server knows the way.
const demoDatabase = "db.demo:3306"

// database starts the demo's MySQL server in this process. dial is for the SSH
// server, end stops everything.
func (d *demonstration) database(ctx context.Context) (dial func(context.Context, *sshserver.Forward) (net.Conn, error), end func() error, err error) {
	d.password = makePassword()
	srv := &mysqlserver.Server{Plugin: auth.Native} // it needs no encryption of its own inside SSH
	if srv.Auth, err = mysqlserver.Passwords(map[string]string{demoUser: d.password}); err != nil {
		return nil, nil, err
	}
	handler, closeEngine, err := openEngine(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	srv.Handler = handler
	l := newPipeListener()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }() // stops at Close
	dial = func(ctx context.Context, f *sshserver.Forward) (net.Conn, error) {
		if addr := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); addr != demoDatabase {
			return nil, fmt.Errorf("the demo has no way to %q", addr)
		}
		return l.dial(ctx)
	}
	return dial, func() error {
		err := srv.Close()
		if e := <-done; !errors.Is(e, mysqlserver.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return errors.Join(err, closeEngine())
	}, nil
}

// pipeListener accepts connections that never leave the process.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Accept returns the next connection.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is no address that others could use.
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: demoDatabase, Net: "pipe"} }

// query asks the database, through the SSH server.
func (d *demonstration) query(ctx context.Context, c *sshclient.Client, t trace.Tracer) (err error) {
	conn, err := mysqlclient.Connect(ctx, &mysqlclient.Config{
		Address: demoDatabase, Dial: join.MySQLDialer(c), Trace: t, TraceInfo: join.MySQLTraceInfo(c),
		User: demoUser, Passwords: []string{d.password}, Database: "test",
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.Exec(ctx, "CREATE TABLE birds (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40), grams DECIMAL(6,1))"); err != nil {
		return err
	}
	const insert = "INSERT INTO birds (name, grams) VALUES (?, ?)"
	for _, b := range []struct{ name, grams string }{{"lark", "37.0"}, {"wren", "9.5"}, {"owl", "330.0"}} {
		if _, err := conn.Exec(ctx, insert, b.name, b.grams); err != nil {
			return err
		}
	}
	rows, err := conn.Query(ctx, "SELECT id, name, grams FROM birds WHERE grams < ? ORDER BY grams", 100)
	if err != nil {
		return err
	}
	w, err := format.New("table", indented{d.Stdout}, nil)
	if err != nil {
		return err
	}
	if _, err := format.WriteRows(w, rows, nil); err != nil {
		return err
	}
	return rows.Close()
}

// indented puts spaces in front of what is one block of lines.
type indented struct {
	to interface{ Write([]byte) (int, error) }
}

func (w indented) Write(b []byte) (int, error) {
	at := 0
	for i, c := range b {
		if c != '\n' {
			continue
		}
		if _, err := fmt.Fprintf(w.to, "   %s", b[at:i+1]); err != nil {
			return at, err
		}
		at = i + 1
	}
	return len(b), nil
}
