package interop

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// startEngine serves the embedded engine, with an empty database in memory.
func startEngine(t testing.TB) *database {
	t.Helper()
	e, err := engine.Open(t.Context(), engine.Config{Databases: []string{mysqlDatabase}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	users, err := mysqlserver.Passwords(map[string]string{"app": mysqlPassword})
	if err != nil {
		t.Fatal(err)
	}
	pool, files := serverCertificate(t, t.TempDir())
	cert, err := tls.LoadX509KeyPair(files.cert, files.key)
	if err != nil {
		t.Fatal(err)
	}
	s := &mysqlserver.Server{Handler: e, MariaDB: true, Auth: users, TLS: &tls.Config{Certificates: []tls.Certificate{cert}}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l) // stops with Close
	t.Cleanup(func() { s.Close() })
	d := &database{name: "engine", embedded: true, ca: pool, caFile: files.ca}
	d.client = mysqlclient.Config{Address: l.Addr().String(), User: "app", Passwords: []string{mysqlPassword}, Database: mysqlDatabase}
	return d
}
