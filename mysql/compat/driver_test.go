package mysql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	wire "github.com/wirelark/wirelark/mysql"
	mysql "github.com/wirelark/wirelark/mysql/compat"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// open opens a pool by name, whose connections dial makes.
func open(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), params string) *sql.DB {
	t.Helper()
	mysql.RegisterDialContext("scripted", func(ctx context.Context, addr string) (net.Conn, error) {
		if addr != "here" {
			t.Errorf("the address is %q", addr)
		}
		return dial(ctx, "", "")
	})
	db, err := sql.Open("mysql", "u@scripted(here)/?"+params)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() {
		_ = db.Close()
		mysql.DeregisterDialContext("scripted")
	})
	return db
}

func TestErrors(t *testing.T) {
	server := mysqltest.NewServer(t)
	server.Expect("INSERT INTO t VALUES (1)").Error(1062, "Duplicate entry '1'")
	_, err := open(t, server.Dial, "").Exec("INSERT INTO t VALUES (1)")
	var me *mysql.MySQLError
	if !errors.As(err, &me) || me.Number != 1062 || string(me.SQLState[:]) != "23000" || !errors.Is(err, &mysql.MySQLError{Number: 1062}) || errors.Is(err, &mysql.MySQLError{Number: 1}) {
		t.Errorf("got %v", err)
	}
	if got, want := err.Error(), "Error 1062 (23000): Duplicate entry '1'"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := (&mysql.MySQLError{Number: 1040, Message: "x"}).Error(), "Error 1040: x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLost(t *testing.T) {
	evil := mysqltest.NewEvil(t,
		mysqltest.Script{mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 1"), mysqltest.Close()},
		mysqltest.Script{mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 2"), mysqltest.Payload(0x00, 0xfc)},
	)
	db := open(t, evil.Dial, "")
	for text, want := range map[string]error{"DO 1": mysql.ErrInvalidConn} {
		_, err := db.Exec(text)
		var lost *mysqlclient.ConnError
		if !errors.Is(err, want) || !errors.As(err, &lost) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	if _, err := db.Exec("DO 2"); !errors.Is(err, mysql.ErrMalformPkt) {
		t.Errorf("got %v", err)
	}
}

func TestNoConnection(t *testing.T) {
	refused := errors.New("refused")
	db := open(t, func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "")
	if err := db.Ping(); err != refused {
		t.Errorf("got %v", err)
	}
	db = open(t, mysqltest.NewServer(t).Dial, "tls=skip-verify")
	if err := db.Ping(); !errors.Is(err, mysql.ErrNoTLS) {
		t.Errorf("got %v", err)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancelling := mysqltest.Do("cancel", func(*mysqltest.Peer) error { cancel(); return nil })
	evil := mysqltest.NewEvil(t, mysqltest.Script{mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("DO 1"), cancelling, mysqltest.Hang()}, mysqltest.Script{mysqltest.Close()})
	if _, err := open(t, evil.Dial, "").ExecContext(ctx, "DO 1"); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

// load answers LOAD DATA statements with requests for the files that they name.
func load(t *testing.T, names ...string) *mysqltest.Evil {
	t.Helper()
	script := mysqltest.Script{mysqltest.LogIn(mysqltest.Modern)}
	for _, name := range names {
		script = append(script, mysqltest.Do("load "+name, func(p *mysqltest.Peer) error {
			if _, _, err := p.Next(); err != nil {
				return err
			}
			if err := p.Send(&wire.LocalInfileRequest{Filename: name}); err != nil {
				return err
			}
			var got int
			for {
				m, _, err := p.Next()
				if err != nil {
					return err
				}
				data := m.(*wire.LocalInfileData).Data
				got += len(data)
				if len(data) == 0 {
					return p.Send(&wire.OK{AffectedRows: uint64(got), Status: wire.StatusAutocommit})
				}
			}
		}))
	}
	return mysqltest.NewEvil(t, script)
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.tsv")
	if err := os.WriteFile(path, []byte("file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mysql.RegisterReaderHandler("data", func() io.Reader { return strings.NewReader("reader\n") })
	defer mysql.DeregisterReaderHandler("data")
	mysql.RegisterReaderHandler("nil", func() io.Reader { return nil })
	defer mysql.DeregisterReaderHandler("nil")

	// Servers put a directory of theirs before the name of a reader.
	names := []string{"Reader::data", "/var/lib/Reader::data", "Reader::none", "Reader::nil", path}
	want := []string{"7", "7", "reader 'none' is not registered", "reader 'nil' is <nil>", "is not registered"}
	db := open(t, load(t, names...).Dial, "")
	for i, name := range names {
		check(t, db, name, want[i])
	}

	mysql.RegisterLocalFile(path)
	db = open(t, load(t, path, path).Dial, "")
	check(t, db, path, "5")
	mysql.DeregisterLocalFile(path)
	check(t, db, path, "is not registered")
	check(t, open(t, load(t, path).Dial, "allowAllFiles=true"), path, "5")
}

// check loads a file and compares how many bytes there were, or the error.
func check(t *testing.T, db *sql.DB, name, want string) {
	t.Helper()
	r, err := db.Exec("LOAD DATA LOCAL INFILE 'x' INTO TABLE t")
	if err != nil {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
		return
	}
	if n, _ := r.RowsAffected(); want != string(rune('0'+n)) {
		t.Errorf("%s: %d bytes came, want %s", name, n, want)
	}
}

func TestBeforeConnect(t *testing.T) {
	server := mysqltest.NewServer(t)
	server.Allow("SELECT 1")
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.DialFunc = "tcp", "nowhere:1", "before", server.Dial
	seen := []string{}
	err := cfg.Apply(mysql.BeforeConnect(func(_ context.Context, c *mysql.Config) error {
		seen = append(seen, c.User)
		c.User = "after"
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, own := connector.Driver().(*mysql.MySQLDriver); !own {
		t.Errorf("the driver is a %T", connector.Driver())
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	for range 2 {
		conn, err := db.Conn(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if !slices.Equal(seen, []string{"before", "before"}) || cfg.User != "before" {
		t.Errorf("users %q, and %q in the configuration", seen, cfg.User)
	}
}

// TestSessionStays: as with the original, nothing is reset unless that is asked
// for.
func TestSessionStays(t *testing.T) {
	ok := mysqltest.Send(&wire.OK{Status: wire.StatusAutocommit})
	evil := mysqltest.NewEvil(t, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern), mysqltest.Query("SET @x = 1"), ok, mysqltest.Query("DO @x"), ok, mysqltest.Expect(&wire.Quit{}),
	})
	db := open(t, evil.Dial, "")
	for _, text := range []string{"SET @x = 1", "DO @x"} {
		if _, err := db.Exec(text); err != nil {
			t.Error(err)
		}
	}
}

func TestResult(t *testing.T) {
	server := mysqltest.NewServer(t)
	server.Expect("DELETE FROM t").Exec(3, 4)
	conn, err := open(t, server.Dial, "").Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(raw any) error {
		r, err := raw.(interface {
			ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error)
		}).ExecContext(context.Background(), "DELETE FROM t", nil)
		if err != nil {
			return err
		}
		all := r.(mysql.Result)
		if !slices.Equal(all.AllRowsAffected(), []int64{3}) || !slices.Equal(all.AllLastInsertIds(), []int64{4}) {
			t.Errorf("got %v and %v", all.AllRowsAffected(), all.AllLastInsertIds())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
