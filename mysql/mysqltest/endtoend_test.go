package mysqltest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

const password = "correct horse"

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "db"}, DNSNames: []string{"db"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := auth.NewKey()
	if err != nil {
		panic(err)
	}
	return key
})

// circumstances are those under which a client and a server meet.
type circumstances struct {
	method   string
	named    string // by the greeting
	tls      bool
	compress string // "": not
	oldEOF   bool
	mariaDB  bool
}

func (m circumstances) String() string {
	return fmt.Sprintf("%s/named=%s/tls=%v/compress=%s/eof=%v/mariadb=%v", m.method, m.named, m.tls, m.compress, m.oldEOF, m.mariaDB)
}

// all yields every combination that there is; the greeting names one method and
// the other in turns.
func all(yield func(circumstances) bool) {
	names := []string{auth.Native, auth.CachingSHA2}
	for _, method := range []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Clear, auth.Ed25519, auth.Parsec, auth.Dialog} {
		for _, secure := range []bool{false, true} {
			for _, compress := range []string{"", "zlib", "zstd"} {
				for _, oldEOF := range []bool{false, true} {
					for _, mariaDB := range []bool{false, true} {
						if mariaDB && compress == "zstd" || !secure && (method == auth.Clear || method == auth.Dialog) {
							continue
						}
						if !yield(circumstances{method, names[0], secure, compress, oldEOF, mariaDB}) {
							return
						}
						names[0], names[1] = names[1], names[0]
					}
				}
			}
		}
	}
}

// TestEndToEnd has our client talk to our server under all circumstances, with
// what both say judged at both ends.
func TestEndToEnd(t *testing.T) {
	for c := range all {
		t.Run(c.String(), func(t *testing.T) {
			v, err := auth.NewAccount(c.method, password)
			if err != nil {
				t.Fatal(err)
			}
			s := mysqltest.NewServer(t)
			s.Server.Auth = mysqlserver.AuthenticatorFunc(func(_ context.Context, l *mysqlserver.Login) (*mysqlserver.Account, error) {
				if l.User != "ada" || (l.TLS != nil) != c.tls {
					return nil, fmt.Errorf("user %q, TLS: %v", l.User, l.TLS != nil)
				}
				return &mysqlserver.Account{Factors: []auth.Verifier{v}}, nil
			})
			s.Server.Plugin, s.Server.Key, s.Server.Secure, s.Server.MariaDB = c.named, rsaKey(), false, c.mariaDB
			if c.tls {
				s.Server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
			}
			if c.oldEOF {
				s.Server.Withhold = mysql.ClientDeprecateEOF
			}
			cfg := &mysqlclient.Config{
				Dial: s.Dial, User: "ada", Passwords: []string{password}, Database: "db", AllowKeyRetrieval: true, LocalInfile: true,
				TLSMode: mysqlclient.TLSDisabled, Plugins: []string{auth.Native, auth.CachingSHA2, c.method}, Trace: mysqltest.Flow(t), MultiStatements: true,
			}
			if c.tls {
				cfg.TLSMode = mysqlclient.TLSRequired
			}
			if c.compress != "" {
				cfg.Compression = []string{c.compress}
			}
			converse(t, s, cfg)
		})
	}
}

// converse does a bit of everything on one connection.
func converse(t *testing.T, s *mysqltest.Server, cfg *mysqlclient.Config) {
	t.Helper()
	ctx := t.Context()
	s.Expect("select * from t").Rows(mysqltest.Columns("id BIGINT", "name"), mysqltest.Row{1, "Ada"}, mysqltest.Row{2, nil})
	s.Expect("select ?, ?").Args("x", 7).Rows(mysqltest.Columns("a", "b INT"), mysqltest.Row{"x", 7})
	s.Expect("insert into t values (1)").Exec(1, 42)
	s.Expect("select wrong").Error(1146, "Table 'db.wrong' doesn't exist")
	s.Expect("call p").Rows(mysqltest.Columns("n INT"), mysqltest.Row{1}).Rows(mysqltest.Columns("n INT"), mysqltest.Row{2}).Exec(3, 0)
	big := strings.Repeat("ä", 50_000)
	s.Expect("select big").Rows(mysqltest.Columns("t LONGTEXT"), mysqltest.Row{big})
	s.Expect("load data local infile ...").Answer(load)

	c, err := mysqlclient.Connect(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wantRows(t, c, "select * from t", nil, "1 Ada\n2 NULL\n")
	wantRows(t, c, "select ?, ?", []any{"x", 7}, "x 7\n")
	if r, err := c.Exec(ctx, "insert into t values (1)"); err != nil || r.AffectedRows != 1 || r.LastInsertID != 42 {
		t.Errorf("insert: %+v, %v", r, err)
	}
	var e *mysqlclient.ServerError
	if _, err := c.Exec(ctx, "select wrong"); !errors.As(err, &e) || e.Code != 1146 {
		t.Errorf("a wrong table: %v", err)
	}
	wantRows(t, c, "call p", nil, "1\n2\n")
	wantRows(t, c, "select big", nil, big+"\n")
	if r, err := c.LoadData(ctx, "load data local infile 'x' into table t", strings.NewReader(big), nil); err != nil || r.AffectedRows != uint64(len(big)) {
		t.Errorf("load data: %+v, %v", r, err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	if err := c.Reset(ctx); err != nil {
		t.Errorf("reset: %v", err)
	}
	if err := c.Use(ctx, "other"); err != nil || c.State().Schema != "other" {
		t.Errorf("use: %v, the schema is %q", err, c.State().Schema)
	}
	if err := c.ChangeUser(ctx, cfg); err != nil {
		t.Errorf("change user: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func load(ctx context.Context, w *mysqlserver.Writer, _ *mysqltest.Call) error {
	f, err := w.LocalInfile(ctx, "x")
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, f)
	if err != nil {
		return err
	}
	return w.OK(mysqlserver.Result{AffectedRows: uint64(n)})
}

// wantRows wants all rows of all results of a statement.
func wantRows(t *testing.T, c *mysqlclient.Conn, sql string, args []any, want string) {
	t.Helper()
	rows, err := c.Query(t.Context(), sql, args...)
	if err != nil {
		t.Errorf("%s: %v", sql, err)
		return
	}
	defer rows.Close()
	var b strings.Builder
	for {
		for rows.Next() {
			for i := range rows.Columns() {
				if i > 0 {
					b.WriteByte(' ')
				}
				cell := rows.Cell(i)
				b.WriteString(cell.String())
			}
			b.WriteByte('\n')
		}
		if !rows.NextResult() {
			break
		}
	}
	if err := rows.Err(); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
	if got := b.String(); got != want {
		t.Errorf("%s: got %.100q, want %.100q", sql, got, want)
	}
}
