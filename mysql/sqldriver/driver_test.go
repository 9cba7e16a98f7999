package sqldriver_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/sqldriver"
	"github.com/wirelark/wirelark/mysql/transport"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// pool returns a pool of one connection at most. dial is that of a scripted
// server; change, which may be nil, changes the configuration.
func pool(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), change func(*sqldriver.Config)) *sql.DB {
	t.Helper()
	cfg := &sqldriver.Config{Client: &mysqlclient.Config{User: "u", Dial: dial, Trace: mysqltest.Flow(t)}}
	if change != nil {
		change(cfg)
	}
	db := sql.OpenDB(sqldriver.NewConnector(cfg))
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// ok answers a command that needs no more.
func ok() mysqltest.Step { return mysqltest.Send(&mysql.OK{Status: mysql.StatusAutocommit}) }

func TestLostBehindAStatement(t *testing.T) {
	// The answer is lost: the statement may have been executed, so that it must
	// not be sent again.
	evil := mysqltest.NewEvil(t, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("INSERT INTO t VALUES (1)"), mysqltest.Close(),
	})
	_, err := pool(t, evil.Dial, nil).Exec("INSERT INTO t VALUES (1)")
	var lost *mysqlclient.ConnError
	if !errors.As(err, &lost) || lost.SafeToRetry() || errors.Is(err, driver.ErrBadConn) {
		t.Errorf("got %v", err)
	}
	if n := evil.Dialed(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
}

func TestLostCommit(t *testing.T) {
	evil := mysqltest.NewEvil(t, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("START TRANSACTION"), ok(), mysqltest.Query("COMMIT"), mysqltest.Close(),
	})
	tx, err := pool(t, evil.Dial, nil).Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); !errors.Is(err, mysqlclient.ErrOutcomeUnknown) {
		t.Errorf("got %v", err)
	}
}

// TestAfterCancel: what follows on a connection that a cancelled statement cost
// may be tried elsewhere.
func TestAfterCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancelling := mysqltest.Do("cancel", func(*mysqltest.Peer) error { cancel(); return nil })
	evil := mysqltest.NewEvil(t,
		mysqltest.Script{mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 1"), cancelling, mysqltest.Hang()},
		mysqltest.Script{mysqltest.Close()}, // the side connection for the KILL
	)
	conn, err := pool(t, evil.Dial, nil).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "DO 1"); !errors.Is(err, context.Canceled) || errors.Is(err, driver.ErrBadConn) {
		t.Errorf("cancelled: got %v", err)
	}
	if _, err := conn.ExecContext(context.Background(), "DO 2"); !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, sql.ErrConnDone) {
		t.Errorf("afterwards: got %v", err)
	}
}

func TestClosedWhileIdle(t *testing.T) {
	gone := &mysql.ERR{Code: 4031, State: "HY000", Message: "idle for too long"}
	// The server says goodbye while nobody listens; the next statement goes to
	// another connection, and only there.
	evil := mysqltest.NewEvil(t,
		mysqltest.Script{mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 1"), ok(), mysqltest.Raw(mysqltest.Bytes(mysqltest.Modern, 0, gone)), mysqltest.Close()},
		mysqltest.Script{mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 2"), ok(), mysqltest.Expect(&mysql.Quit{})},
	)
	db := pool(t, evil.Dial, func(c *sqldriver.Config) { c.Reset = options.ResetNever })
	for _, text := range []string{"DO 1", "DO 2"} {
		if _, err := db.Exec(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if n := evil.Dialed(); n != 2 {
		t.Errorf("%d connections were made", n)
	}
}

// TestReset looks at the packets: the session is reset when it comes back, and
// the next statement does not wait for that.
func TestReset(t *testing.T) {
	evil := mysqltest.NewEvil(t, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern),
		mysqltest.Query("SELECT 1 FROM DUAL WHERE FALSE"), ok(),
		mysqltest.Query("SET @x = 1"), ok(),
		mysqltest.Expect(&mysql.ResetConnection{}), ok(),
		mysqltest.Query("SET NAMES utf8mb4"), ok(),
		mysqltest.Query("DO 2"), ok(),
		mysqltest.Expect(&mysql.ResetConnection{}), ok(),
		mysqltest.Query("SET NAMES utf8mb4"), mysqltest.Send(&mysql.ERR{Code: 1115, State: "42000", Message: "no"}),
	}, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 3"), ok(),
		mysqltest.Expect(&mysql.ResetConnection{}), ok(), mysqltest.Query("SET NAMES utf8mb4"), ok(), mysqltest.Expect(&mysql.Quit{}),
	})
	db := pool(t, evil.Dial, nil)
	// A session that could not be cleaned is thrown away.
	for _, text := range []string{"SELECT 1 FROM DUAL WHERE FALSE", "SET @x = 1", "DO 2", "DO 3"} {
		if _, err := db.Exec(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if n := evil.Dialed(); n != 2 {
		t.Errorf("%d connections were made", n)
	}
}

func TestRejectReadOnly(t *testing.T) {
	refused := mysqltest.Send(&mysql.ERR{Code: 1290, State: "HY000", Message: "The MySQL server is running with the --read-only option"})
	login := mysqltest.LogIn(mysqltest.Modern)
	insert := mysqltest.Query("INSERT INTO t VALUES (1)")
	evil := mysqltest.NewEvil(t,
		mysqltest.Script{login, insert, refused},
		mysqltest.Script{login, insert, ok(), mysqltest.Expect(&mysql.Quit{})},
	)
	db := pool(t, evil.Dial, func(c *sqldriver.Config) { c.RejectReadOnly = true })
	if _, err := db.Exec("INSERT INTO t VALUES (1)"); err != nil {
		t.Error(err)
	}
}

// TestInterpolate looks at the text that is sent.
func TestInterpolate(t *testing.T) {
	for _, row := range []struct {
		sql  string
		args []any
		want string
	}{
		{"SELECT ?", []any{1}, "SELECT 1"},
		{"SELECT ?, '?', ?", []any{"it's", nil}, `SELECT 'it\'s', '?', NULL`},
		{"SELECT ? -- ?\n, ?", []any{1.5, true}, "SELECT 1.5e+00 -- ?\n, 1"},
		{"SELECT ?", []any{[]byte("a\x00\xff")}, "SELECT _binary'a\\0\xff'"},
		{"SELECT ?", []any{time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC)}, "SELECT '2024-01-02 03:04:05.000006'"},
		{"SELECT ?", []any{time.Time{}}, "SELECT '0000-00-00 00:00:00'"},
		{"SELECT ?", []any{uint64(1<<64 - 1)}, "SELECT 18446744073709551615"},
		{"SELECT ?", []any{mysql.Decimal([]byte("1.50"))}, "SELECT 1.50"},
	} {
		server := mysqltest.NewServer(t)
		server.Allow("...").Exec(0, 0)
		db := pool(t, server.Dial, func(c *sqldriver.Config) { c.Interpolate = true })
		if _, err := db.Exec(row.sql, row.args...); err != nil {
			t.Errorf("%s: %v", row.sql, err)
		}
		if got := server.Statements(); !slices.Contains(got, row.want) {
			t.Errorf("%s: sent %q, want %q", row.sql, got, row.want)
		}
	}
}

// TestNoBackslashes: the server reads a backslash as one.
func TestNoBackslashes(t *testing.T) {
	server := mysqltest.NewServer(t)
	server.Expect("SET sql_mode = 'NO_BACKSLASH_ESCAPES'").Answer(func(_ context.Context, w *mysqlserver.Writer, c *mysqltest.Call) error {
		c.Conn.SetStatus(mysql.StatusNoBackslashEscapes, true)
		return w.OK(mysqlserver.Result{})
	})
	server.Expect(`SELECT 'a\''b'`)
	conn, err := pool(t, server.Dial, func(c *sqldriver.Config) { c.Interpolate = true }).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, s := range []struct {
		text string
		args []any
	}{{"SET sql_mode = 'NO_BACKSLASH_ESCAPES'", nil}, {"SELECT ?", []any{`a\'b`}}} {
		if _, err := conn.ExecContext(context.Background(), s.text, s.args...); err != nil {
			t.Error(err)
		}
	}
}

// closer notes that it was closed.
type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestInfile(t *testing.T) {
	ask := mysqltest.Send(&mysql.LocalInfileRequest{Filename: "data.tsv"})
	load := "LOAD DATA LOCAL INFILE 'data.tsv' INTO TABLE t"
	evil := mysqltest.NewEvil(t, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern),
		mysqltest.Query(load), ask,
		mysqltest.Expect(&mysql.LocalInfileData{Data: []byte("1\t2\n")}), mysqltest.Expect(&mysql.LocalInfileData{Data: []byte{}}),
		mysqltest.Send(&mysql.OK{AffectedRows: 1}),
		// A SELECT that is answered with a request for a file gives nothing away.
		mysqltest.Query("SELECT 1"), ask,
		mysqltest.Expect(&mysql.LocalInfileData{Data: []byte{}}), ok(),
		mysqltest.Expect(&mysql.Quit{}),
	})
	src := &closer{Reader: strings.NewReader("1\t2\n")}
	asked := 0
	db := pool(t, evil.Dial, func(c *sqldriver.Config) {
		c.Reset = options.ResetNever
		c.Infile = func(name string) (io.Reader, error) {
			asked++
			if name != "data.tsv" {
				t.Errorf("asked for %q", name)
			}
			return src, nil
		}
	})
	r, err := db.Exec(load)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n != 1 || !src.closed {
		t.Errorf("%d rows, closed %v", n, src.closed)
	}
	if _, err := db.Query("SELECT 1"); !errors.Is(err, mysqlclient.ErrInfile) {
		t.Errorf("a file behind a SELECT: %v", err)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestHooks(t *testing.T) {
	server := mysqltest.NewServer(t)
	server.Expect("SELECT 1").Error(1064, "no")
	mapped := errors.New("mapped")
	users := []string{}
	db := pool(t, server.Dial, func(c *sqldriver.Config) {
		c.BeforeConnect = func(_ context.Context, client *mysqlclient.Config) error {
			users = append(users, client.User)
			client.User = "somebody else"
			return nil
		}
		c.MapError = func(err error) error {
			if e, ok := errors.AsType[*mysqlclient.ServerError](err); ok && e.Code == 1064 {
				return mapped
			}
			return err
		}
	})
	if _, err := db.Exec("SELECT 1"); !errors.Is(err, mapped) {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(users, []string{"u"}) {
		t.Errorf("the configurations before: %q", users)
	}
	refused := errors.New("no token")
	db = pool(t, server.Dial, func(c *sqldriver.Config) {
		c.BeforeConnect = func(context.Context, *mysqlclient.Config) error { return refused }
	})
	if err := db.Ping(); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

// TestPlainFallback: the server has no TLS.
func TestPlainFallback(t *testing.T) {
	server := mysqltest.NewServer(t)
	for _, fallback := range []bool{false, true} {
		db := pool(t, server.Dial, func(c *sqldriver.Config) {
			c.Client.TLSMode, c.PlainFallback = mysqlclient.TLSVerifyIdentity, fallback
		})
		if err := db.Ping(); (err == nil) != fallback || !fallback && !errors.Is(err, transport.ErrNoTLS) {
			t.Errorf("fallback %v: got %v", fallback, err)
		}
	}
}

// TestLongText: what would become a long text is prepared.
func TestLongText(t *testing.T) {
	server := mysqltest.NewServer(t)
	server.Allow("SELECT @@max_allowed_packet").Rows(mysqltest.Columns("v BIGINT"), mysqltest.Row{64 << 20})
	long := strings.Repeat("x", 1<<20)
	server.Expect("DO ?").Args(long)
	if _, err := pool(t, server.Dial, func(c *sqldriver.Config) { c.Interpolate = true }).Exec("DO ?", long); err != nil {
		t.Error(err)
	}
}

// TestTimeouts: a server that says nothing is given up.
func TestTimeouts(t *testing.T) {
	evil := mysqltest.NewEvil(t, mysqltest.Script{mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 1"), mysqltest.Hang()})
	db := pool(t, evil.Dial, func(c *sqldriver.Config) {
		c.Client.ReadTimeout, c.Client.WriteTimeout = 50*time.Millisecond, time.Second
	})
	var timeout net.Error
	if _, err := db.Exec("DO 1"); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v", err)
	}
}

func TestRaw(t *testing.T) {
	server := mysqltest.NewServer(t)
	server.Expect("DELETE FROM a").Exec(2, 0)
	server.Expect("DELETE FROM b").Exec(3, 7)
	conn, err := pool(t, server.Dial, func(c *sqldriver.Config) { c.Client.MultiStatements = true }).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(raw any) error {
		c := raw.(*sqldriver.Conn)
		if c.Client() == nil {
			t.Error("there is no client")
		}
		r, err := c.ExecContext(context.Background(), "DELETE FROM a; DELETE FROM b", nil)
		if err != nil {
			return err
		}
		all := r.(*sqldriver.Result)
		if got := all.AllRowsAffected(); !slices.Equal(got, []int64{2, 3}) {
			t.Errorf("rows %v", got)
		}
		if got := all.AllLastInsertIds(); !slices.Equal(got, []int64{0, 7}) {
			t.Errorf("ids %v", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOpen(t *testing.T) {
	for _, row := range []struct{ name, want string }{
		{"/?tls=custom", `no TLS configuration is known as "custom"`},
		{"/?serverPubKey=k", `no server key is known as "k"`},
		{"mysql+ssh://bastion/db", "needs a dialer"},
		{"nonsense", "a slash before the name"},
		{"/?ssl-ca=testdata%2Fmissing.pem", "missing.pem"},
	} {
		if _, err := sqldriver.Open(row.name); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
	if !slices.Contains(sql.Drivers(), "wirelark-test") { // from a run before this one
		sqldriver.Register("wirelark-test")
	}
	db, err := sql.Open("wirelark-test", "mysql://u@127.0.0.1:1/d?connect-timeout=5")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, named := db.Driver().(sqldriver.Driver); !named {
		t.Errorf("the driver is a %T", db.Driver())
	}
	if err := db.Ping(); err == nil {
		t.Error("there is a server at port 1")
	}
}
