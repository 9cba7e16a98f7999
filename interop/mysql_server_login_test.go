package interop

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"

	gsd "github.com/go-sql-driver/mysql"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// whoServer answers every statement with the user's name, and has a user for
// each method, all with the same password.
type whoServer struct {
	host, port string
	caFile     string
}

var whoPlugins = map[string]string{
	"native": auth.Native, "caching": auth.CachingSHA2, "sha256": auth.SHA256, "ed": auth.Ed25519, "clear": auth.Clear, "dialog": auth.Dialog,
}

func startWhoServer(t testing.TB, withTLS, mariaDB bool) *whoServer {
	t.Helper()
	accounts := map[string]*mysqlserver.Account{}
	for user, plugin := range whoPlugins {
		v, err := auth.NewAccount(plugin, mysqlPassword)
		if err != nil {
			t.Fatal(err)
		}
		accounts[user] = &mysqlserver.Account{Factors: []auth.Verifier{v}}
	}
	key, err := auth.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	_, files := serverCertificate(t, t.TempDir())
	s := &mysqlserver.Server{
		MariaDB: mariaDB, Key: key,
		Auth: mysqlserver.AuthenticatorFunc(func(_ context.Context, l *mysqlserver.Login) (*mysqlserver.Account, error) {
			return accounts[l.User], nil
		}),
		Handler: mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
			return &whoSession{user: c.User()}, nil
		}),
	}
	if withTLS {
		cert, err := tls.LoadX509KeyPair(files.cert, files.key)
		if err != nil {
			t.Fatal(err)
		}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l) // stops with Close
	t.Cleanup(func() { s.Close() })
	host, port, _ := net.SplitHostPort(l.Addr().String())
	return &whoServer{host, port, files.ca}
}

type whoSession struct {
	mysqlserver.Unsupported
	user string
}

func (s *whoSession) Query(_ context.Context, w *mysqlserver.Writer, q *mysqlserver.Query) error {
	if !strings.HasPrefix(strings.ToUpper(q.SQL), "SELECT") {
		return w.OK(mysqlserver.Result{})
	}
	if err := w.Columns([]mysql.Column{{Name: "who", Type: mysql.TypeVarString}}); err != nil {
		return err
	}
	return w.Row([]mysql.Value{mysql.String(s.user)})
}

// A whoClient asks a server who the user is.
type whoClient struct {
	name    string
	methods string // that it knows without TLS and with it, "method+" being with TLS only
	ask     func(t testing.TB, s *whoServer, user, password string, secure bool) string
}

func whoClients(t testing.TB) []whoClient {
	mariadb := program(t, "WIRELARK_MARIADB", "mariadb")
	python := pythonWith(t, "pymysql")
	return []whoClient{
		{"mariadb", "native caching sha256 ed clear+ dialog+", func(t testing.TB, s *whoServer, user, password string, secure bool) string {
			args := []string{"--no-defaults", "-h", s.host, "-P", s.port, "--protocol=TCP", "-u", user, "-p" + password, "-N", "-B", "-e", "SELECT who"}
			if secure {
				args = append(args, "--ssl", "--ssl-ca="+s.caFile, "--ssl-verify-server-cert")
			} else {
				args = append(args, "--skip-ssl")
			}
			return said(command(t, mariadb, args...))
		}},
		{"PyMySQL", "native caching sha256", func(t testing.TB, s *whoServer, user, password string, secure bool) string {
			script := fmt.Sprintf(`import pymysql
c = pymysql.connect(host=%q, port=%s, user=%q, password=%q%s)
k = c.cursor()
k.execute("SELECT who")
print(k.fetchone()[0])`, s.host, s.port, user, password, map[bool]string{true: fmt.Sprintf(`, ssl={"ca": %q}`, s.caFile), false: ", ssl_disabled=True"}[secure])
			return said(command(t, python, "-c", script))
		}},
		{"go-sql-driver", "native caching sha256 ed clear+", func(t testing.TB, s *whoServer, user, password string, secure bool) string {
			cfg := gsd.NewConfig()
			cfg.Net, cfg.Addr, cfg.User, cfg.Passwd = "tcp", net.JoinHostPort(s.host, s.port), user, password
			cfg.AllowCleartextPasswords = secure
			if secure {
				cfg.TLSConfig = "skip-verify"
			}
			db, err := sql.Open("mysql", cfg.FormatDSN())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var who string
			if err := db.QueryRowContext(t.Context(), "SELECT who").Scan(&who); err != nil {
				return err.Error()
			}
			return who
		}},
	}
}

// said returns what a program printed, on either stream.
func said(cmd *exec.Cmd) string {
	out, _ := cmd.CombinedOutput()
	return strings.TrimSpace(string(out))
}

// pythonWith returns a Python that has a module.
func pythonWith(t testing.TB, module string) []string {
	t.Helper()
	for _, words := range [][]string{program(t, "WIRELARK_PYTHON3", "python3"), {"/usr/bin/python3"}} {
		if command(t, words, "-c", "import "+module).Run() == nil {
			return words
		}
	}
	missing(t, "Python has no module %s", module)
	return nil
}

// TestMySQLServerLogin lets other people's clients log in to our server with
// every method that both know, as MySQL and as MariaDB, with and without TLS.
func TestMySQLServerLogin(t *testing.T) {
	for _, mariaDB := range []bool{false, true} {
		for _, secure := range []bool{false, true} {
			s := startWhoServer(t, secure, mariaDB)
			for _, c := range whoClients(t) {
				for _, method := range strings.Fields(c.methods) {
					user, needsTLS := strings.CutSuffix(method, "+")
					name := fmt.Sprintf("%s/%s/MariaDB %v, TLS %v", c.name, user, mariaDB, secure)
					t.Run(name, func(t *testing.T) {
						wrong := c.ask(t, s, user, "wrong", secure)
						right := c.ask(t, s, user, mysqlPassword, secure)
						again := c.ask(t, s, user, mysqlPassword, secure) // caching_sha2_password goes another way now
						switch {
						case needsTLS && !secure:
							if right == user || wrong == user {
								t.Errorf("the password was taken in the open: %s", right)
							}
						case right != user || again != user:
							t.Errorf("says %q, then %q", right, again)
						case wrong == user || !strings.Contains(wrong, "1045") && !strings.Contains(wrong, "denied"):
							t.Errorf("with a wrong password: %q", wrong)
						}
					})
				}
			}
		}
	}
}
