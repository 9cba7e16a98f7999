package mysqltest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

func connect(t *testing.T, s *mysqltest.Server, configure func(*mysqlclient.Config)) *mysqlclient.Conn {
	t.Helper()
	cfg := &mysqlclient.Config{Dial: s.Dial, User: "ada", TLSMode: mysqlclient.TLSDisabled, Trace: mysqltest.Flow(t)}
	if configure != nil {
		configure(cfg)
	}
	c, err := mysqlclient.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestCancelStopsTheStatement cancels a statement: the client returns at once,
// and the server's session sees the end of its context soon after.
func TestCancelStopsTheStatement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mysqltest.NewServer(t)
		stopped := make(chan error, 1)
		s.Expect("select sleep(1000)").Answer(func(ctx context.Context, _ *mysqlserver.Writer, _ *mysqltest.Call) error {
			<-ctx.Done()
			stopped <- context.Cause(ctx)
			return ctx.Err()
		})
		c := connect(t, s, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := c.Exec(ctx, "select sleep(1000)"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("exec: %v, want the deadline", err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("exec took %v, want a minute", took)
		}
		if err := <-stopped; err == nil {
			t.Error("the statement was not stopped")
		}
		if took := time.Since(start); took > time.Minute+time.Second {
			t.Errorf("the statement ran for %v", took)
		}
		c.Close()
	})
}

func TestCursorOfAClient(t *testing.T) {
	s := mysqltest.NewServer(t)
	rows := make([]mysqltest.Row, 100)
	for i := range rows {
		rows[i] = mysqltest.Row{i}
	}
	s.Expect("select n from t where n < ?").Args(100).Rows(mysqltest.Columns("n INT"), rows...)
	s.Expect("select 1").Rows(mysqltest.Columns("n INT"), mysqltest.Row{1})
	c := connect(t, s, nil)
	st, err := c.Prepare(t.Context(), "select n from t where n < ?")
	if err != nil {
		t.Fatal(err)
	}
	r, err := st.Cursor(t.Context(), 7, 100)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for r.Next() {
		if got := r.Int64(0); got != n {
			t.Fatalf("row %d is %d", n, got)
		}
		n++
	}
	if err := r.Close(); err != nil || n != 100 {
		t.Errorf("%d rows, %v, want 100", n, err)
	}
	wantRows(t, c, "select 1", nil, "1\n")
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}

func TestBulkOfAClient(t *testing.T) {
	s := mysqltest.NewServer(t)
	s.Server.MariaDB = true
	s.Expect("insert into t values (?, ?)").Args(1, "a").Exec(1, 0)
	s.Expect("insert into t values (?, ?)").Args(2, nil).Exec(1, 0)
	c := connect(t, s, nil)
	st, err := c.Prepare(t.Context(), "insert into t values (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	types := []mysql.ParamType{{Type: mysql.TypeLonglong}, {Type: mysql.TypeVarString}}
	values := []mysql.BulkValue{mysql.BulkOf(mysql.Int(1)), mysql.BulkOf(mysql.String("a")), mysql.BulkOf(mysql.Int(2)), mysql.BulkOf(mysql.Null())}
	r, err := st.ExecBulk(t.Context(), "", types, values)
	if err != nil || r.AffectedRows != 2 || !strings.HasPrefix(r.Info, "Records: 2") {
		t.Errorf("got %+v, %v, want two rows", r, err)
	}
}

func TestFactorsOfAClient(t *testing.T) {
	one, err := auth.NewAccount(auth.CachingSHA2, "one")
	if err != nil {
		t.Fatal(err)
	}
	two, err := auth.NewAccount(auth.Native, "two")
	if err != nil {
		t.Fatal(err)
	}
	s := mysqltest.NewServer(t)
	s.Server.Key = rsaKey()
	s.Server.Auth = mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
		return &mysqlserver.Account{Factors: []auth.Verifier{one, two}}, nil
	})
	connect(t, s, func(cfg *mysqlclient.Config) { cfg.Passwords, cfg.AllowKeyRetrieval = []string{"one", "two"}, true })
	var e *mysqlclient.ServerError
	_, err = mysqlclient.Connect(t.Context(), &mysqlclient.Config{Dial: s.Dial, User: "ada", Passwords: []string{"one", "wrong"}, AllowKeyRetrieval: true})
	if !errors.As(err, &e) || e.Code != 1045 {
		t.Errorf("with a wrong second password: %v, want error 1045", err)
	}
}

// TestCertificateProvedByPassword verifies the certificate that nobody has
// signed of a server that introduces itself as MariaDB.
func TestCertificateProvedByPassword(t *testing.T) {
	for _, method := range []string{auth.Native, auth.Ed25519, auth.Parsec} {
		v, err := auth.NewAccount(method, password)
		if err != nil {
			t.Fatal(err)
		}
		s := mysqltest.NewServer(t)
		s.Server.MariaDB, s.Server.TLS = true, &tls.Config{Certificates: []tls.Certificate{certificate()}}
		s.Server.Auth = mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
			return &mysqlserver.Account{Factors: []auth.Verifier{v}}, nil
		})
		connect(t, s, func(cfg *mysqlclient.Config) {
			cfg.Passwords, cfg.TLSMode, cfg.TLS = []string{password}, mysqlclient.TLSVerifyIdentity, &tls.Config{ServerName: "db"}
		})
	}
}

func TestServerEndsWhileAClientIsIdle(t *testing.T) {
	s := mysqltest.NewServer(t)
	s.Expect("select 1").Exec(0, 0)
	c := connect(t, s, nil)
	if _, err := c.Exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err == nil {
		t.Error("the connection seems to live")
	}
	var e *mysqlclient.ConnError
	if _, err := c.Exec(t.Context(), "select 1"); !errors.As(err, &e) || !e.SafeToRetry() {
		t.Errorf("after the shutdown: %v, want an error that allows to try again", err)
	}
}

func TestPipelineOfAClient(t *testing.T) {
	s := mysqltest.NewServer(t)
	s.Expect("insert into t values (1)").Times(50).Exec(1, 0)
	s.Expect("insert into t values (2)").Times(50).Error(1062, "Duplicate entry")
	c := connect(t, s, nil)
	p := c.Pipeline()
	for range 50 {
		p.Add("insert into t values (1)")
		p.Add("insert into t values (2)")
	}
	answers, err := p.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer answers.Close()
	good, bad := 0, 0
	for answers.Next() {
		if _, err := answers.Result(); err != nil {
			bad++
		} else {
			good++
		}
	}
	if good != 50 || bad != 50 {
		t.Errorf("%d answers and %d errors, want 50 of each", good, bad)
	}
}
