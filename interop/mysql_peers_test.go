package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	pemfile "encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	mysqloptions "github.com/wirelark/wirelark/mysql/options"
)

// The database and the password of all accounts of the servers here.
const (
	mysqlDatabase = "peer"
	mysqlPassword = "secret"
)

// A database is a running MySQL or MariaDB server with an account "app" that
// may do everything.
type database struct {
	name   string
	client mysqlclient.Config // reaches it as app
	socket string             // "": unknown
	ca     *x509.CertPool     // nil: unknown
	caFile string
	ed     bool // has an account "ed" of client_ed25519

	// embedded says that it is our engine, which has no stored programs, no
	// spatial types, and an idle timeout that is not a variable of the session.
	embedded bool
}

// config returns a configuration for a user.
func (d *database) config(user string) *mysqlclient.Config {
	cfg := d.client
	cfg.User = user
	return &cfg
}

// connect logs in as app.
func (d *database) connect(t testing.TB) *mysqlclient.Conn {
	t.Helper()
	return mysqlConnect(t, &d.client)
}

func mysqlConnect(t testing.TB, cfg *mysqlclient.Config) *mysqlclient.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), peerTimeout)
	defer cancel()
	c, err := mysqlclient.Connect(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// databases returns a MariaDB that is started for this test, our own engine, and
// the servers of WIRELARK_MYSQL: words NAME=DSN, whose DSN is in go-sql-driver's syntax.
func databases(t testing.TB) []*database {
	t.Helper()
	all := []*database{startMariaDB(t), startEngine(t)}
	for _, word := range strings.Fields(os.Getenv("WIRELARK_MYSQL")) {
		name, dsn, ok := strings.Cut(word, "=")
		if !ok {
			t.Fatalf("WIRELARK_MYSQL: %q is not NAME=DSN", word)
		}
		o, err := mysqloptions.ParseDSN(dsn)
		if err != nil {
			t.Fatalf("WIRELARK_MYSQL: %s: %v", name, err)
		}
		cfg, err := mysqlclient.FromOptions(o)
		if err != nil {
			t.Fatalf("WIRELARK_MYSQL: %s: %v", name, err)
		}
		cfg.AllowKeyRetrieval = true
		all = append(all, &database{name: name, client: *cfg})
	}
	return all
}

func eachDatabase(t *testing.T, f func(t *testing.T, d *database)) {
	t.Helper()
	for _, d := range databases(t) {
		t.Run(d.name, func(t *testing.T) { f(t, d) })
	}
}

// startMariaDB makes a data directory and starts mariadbd on a free port of the
// loopback interface and a socket, with TLS. It ends with the test.
func startMariaDB(t testing.TB) *database {
	t.Helper()
	server := program(t, "WIRELARK_MARIADBD", "mariadbd")
	install := program(t, "WIRELARK_MARIADB_INSTALL_DB", "mariadb-install-db")
	dir, err := os.MkdirTemp("", "wlm") // short: the path of a socket is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	out, err := command(t, install, "--no-defaults", "--user="+me.Username, "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput()
	if err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, tail(out))
	}
	pool, files := serverCertificate(t, dir)
	d := &database{name: "mariadb", socket: filepath.Join(dir, "s"), ca: pool, caFile: files.ca, ed: true}
	for range 5 { // another process may take the port before the server does
		addr := freeAddr(t)
		_, port, _ := net.SplitHostPort(addr)
		d.client = mysqlclient.Config{Address: addr, User: "app", Passwords: []string{mysqlPassword}, Database: mysqlDatabase}
		log := filepath.Join(dir, "log")
		cmd := exec.Command(server[0], append(append([]string(nil), server[1:]...),
			"--no-defaults", "--user="+me.Username, "--datadir="+data, "--port="+port, "--bind-address=127.0.0.1", "--socket="+d.socket,
			"--pid-file="+filepath.Join(dir, "pid"), "--log-error="+log, "--ssl-ca="+files.ca, "--ssl-cert="+files.cert, "--ssl-key="+files.key,
			"--plugin-load-add=auth_ed25519", "--local-infile=1", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
			"--max-allowed-packet=64M", "--character-set-server=utf8mb4", "--skip-name-resolve")...)
		if d.run(t, cmd, log) {
			return d
		}
	}
	t.Fatal("mariadbd does not start")
	return nil
}

// run starts the server, waits until it answers and makes the accounts; false:
// it ended before.
func (d *database) run(t testing.TB, cmd *exec.Cmd, log string) bool {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // stops when the server has ended
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(200 * time.Millisecond): // nothing in it is to be kept
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	root := &mysqlclient.Config{Address: d.socket, User: "root"}
	for begin := time.Now(); time.Since(begin) < time.Minute; {
		if c, err := mysqlclient.Connect(t.Context(), root); err == nil {
			t.Cleanup(func() {
				stop()
				if b, err := os.ReadFile(log); t.Failed() && err == nil {
					t.Logf("the log of mariadbd ends with:\n%s", tail(b))
				}
			})
			defer c.Close()
			d.accounts(t, c)
			return true
		}
		select {
		case <-ended:
			b, _ := os.ReadFile(log)
			t.Logf("mariadbd ended: %s", tail(b))
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop()
	return false
}

func (d *database) accounts(t testing.TB, root *mysqlclient.Conn) {
	t.Helper()
	for _, sql := range []string{
		"CREATE DATABASE " + mysqlDatabase,
		"CREATE USER app@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('" + mysqlPassword + "')",
		"CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('" + mysqlPassword + "')",
		"CREATE USER tlsonly@'%' IDENTIFIED BY '" + mysqlPassword + "' REQUIRE SSL",
		"CREATE USER nopass@'%'",
		"GRANT ALL ON *.* TO app@'%'", "GRANT ALL ON peer.* TO ed@'%'", "GRANT ALL ON peer.* TO tlsonly@'%'", "GRANT ALL ON peer.* TO nopass@'%'",
	} {
		if _, err := root.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// certificateFiles are the PEM files of a server.
type certificateFiles struct{ ca, cert, key string }

// serverCertificate makes an authority and a certificate of it for this machine,
// in the ways that servers read them.
func serverCertificate(t testing.TB, dir string) (*x509.CertPool, certificateFiles) {
	t.Helper()
	caKey, ca := newCertificate(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "interop authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	key, cert := newCertificate(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, caKey, ca)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pemfile.EncodeToMemory(&pemfile.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return pool, certificateFiles{write("ca.pem", "CERTIFICATE", ca.Raw), write("cert.pem", "CERTIFICATE", cert.Raw), write("key.pem", "PRIVATE KEY", der)}
}

// newCertificate returns a key and a certificate, signed by parent or itself.
func newCertificate(t testing.TB, template *x509.Certificate, parentKey *ecdsa.PrivateKey, parent *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if parent == nil {
		parentKey, parent = key, template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

// exec executes statements that must succeed.
func mysqlExec(t testing.TB, c *mysqlclient.Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if _, err := c.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%.200s: %v", sql, err)
		}
	}
}

// mysqlText returns the first row of a query, joined.
func mysqlText(t testing.TB, c *mysqlclient.Conn, sql string, args ...any) string {
	t.Helper()
	rows, err := c.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%.200s: %v", sql, err)
	}
	var cells []string
	if rows.Next() {
		for i := range rows.Columns() {
			cells = append(cells, fmt.Sprint(rows.Value(i)))
		}
	}
	if err := rows.Close(); err != nil {
		t.Fatalf("%.200s: %v", sql, err)
	}
	return strings.Join(cells, " ")
}
