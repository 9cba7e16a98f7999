package sqldriver_test

import (
	"context"
	"database/sql"
	"net"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/sqldriver"
	"github.com/wirelark/wirelark/mysql/sqldriver/drivertest"
)

// TestSuite runs the suite against the embedded engine, without a port. The
// interop module runs it against MySQL and MariaDB.
func TestSuite(t *testing.T) {
	e, err := engine.Open(t.Context(), engine.Config{Databases: []string{"drivertest"}})
	if err != nil {
		t.Fatal(err)
	}
	users, err := mysqlserver.Passwords(map[string]string{"app": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	server := &mysqlserver.Server{Handler: e, Auth: users, MariaDB: true, Secure: true}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	dial := func(context.Context, string, string) (net.Conn, error) {
		client, peer := testkit.Pipe()
		go func() { _ = server.ServeConn(context.Background(), peer) }() // ends when either end is closed
		return client, nil
	}
	drivertest.Run(t, func(params string) *sql.DB {
		o, err := options.ParseDSN("app:secret@/drivertest?" + params)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := sqldriver.FromOptions(o)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Client.Dial, cfg.Client.Trace = dial, mysqltest.Flow(t)
		return sql.OpenDB(sqldriver.NewConnector(cfg))
	}, drivertest.Procedures, drivertest.TimeZones)
}
