package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// With -mariadb ADDRESS the expected answers are written anew by a MariaDB
// 10.11 at that address, whose user app has the password secret and may make
// databases.
var mariadb = flag.String("mariadb", "", "address of the MariaDB that writes testdata/corpus/*.golden")

func TestMain(m *testing.M) { testkit.Leaks(m) }

const user, password = "app", "secret"

// open returns an engine and a function that connects to it.
func open(t testing.TB, cfg engine.Config) func(t testing.TB, db string) *mysqlclient.Conn {
	t.Helper()
	e, err := engine.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := mysqlserver.Passwords(map[string]string{user: password})
	if err != nil {
		t.Fatal(err)
	}
	srv := &mysqlserver.Server{Handler: e, Auth: accounts, MariaDB: true, Secure: true}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(t testing.TB, db string) *mysqlclient.Conn {
		t.Helper()
		return connect(t, &mysqlclient.Config{
			User: user, Passwords: []string{password}, Database: db, LocalInfile: true,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				client, server := testkit.Pipe()
				// ends when the server or the client closes the connection
				go func() { _ = srv.ServeConn(context.Background(), server) }()
				return client, nil
			},
		})
	}
}

func connect(t testing.TB, cfg *mysqlclient.Config) *mysqlclient.Conn {
	t.Helper()
	c, err := mysqlclient.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestCorpus runs the statements of testdata/corpus and compares what they
// answer with what MariaDB has answered.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	var dial func(t testing.TB, db string) *mysqlclient.Conn
	if *mariadb == "" {
		dial = open(t, engine.Config{})
	} else {
		dial = func(t testing.TB, db string) *mysqlclient.Conn {
			return connect(t, &mysqlclient.Config{Address: *mariadb, User: user, Passwords: []string{password}, Database: db})
		}
	}
	total := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sql")
		t.Run(name, func(t *testing.T) {
			got := play(t, dial(t, ""), file)
			golden := strings.TrimSuffix(file, ".sql") + ".golden"
			if *mariadb != "" {
				if err := os.WriteFile(golden, []byte(strings.Join(got, "")), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			total += len(got)
			b, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.SplitAfter(string(b), "\n\n")
			for i, g := range got {
				if i >= len(want) || g != want[i] {
					w := "nothing"
					if i < len(want) {
						w = want[i]
					}
					t.Errorf("MariaDB answers otherwise.\ngot  %s\nwant %s", g, w)
				}
			}
		})
	}
	if *mariadb == "" && total < 200 {
		t.Errorf("the corpus has %d statements", total)
	}
}

// play runs the statements of a file in a database of its own and returns
// what each answers.
func play(t testing.TB, c *mysqlclient.Conn, file string) []string {
	t.Helper()
	ctx := t.Context()
	for _, sql := range []string{
		"drop database if exists wl_corpus", "drop database if exists wl_corpus2",
		"create database wl_corpus character set utf8mb4 collate utf8mb4_general_ci", "use wl_corpus",
		"set names utf8mb4", "set time_zone = '+00:00'", "set timestamp = 1700000000",
	} {
		if _, err := c.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	split := lexer.NewSplitter(f, lexer.CutConfig{})
	for {
		st, err := split.Next()
		if err != nil {
			break
		}
		out = append(out, "> "+st.SQL+"\n"+answer(ctx, c, st.SQL)+"\n")
	}
	return out
}

// answer runs a statement and describes what comes back.
func answer(ctx context.Context, c *mysqlclient.Conn, sql string) string {
	rows, err := c.Query(ctx, sql)
	var b strings.Builder
	if err == nil {
		describe(&b, rows)
		err = rows.Close()
	}
	var se *mysqlclient.ServerError
	switch {
	case errors.As(err, &se):
		return fmt.Sprintf("error %d (%s)\n", se.Code, se.State)
	case err != nil:
		return "broken: " + err.Error() + "\n"
	}
	return b.String()
}

// describe writes the columns and the rows of an answer.
func describe(b *strings.Builder, rows *mysqlclient.Rows) {
	cols := rows.Columns()
	if cols == nil {
		r := rows.Result()
		fmt.Fprintf(b, "ok: %d rows, id %d\n", r.AffectedRows, r.LastInsertID)
		return
	}
	for i := range cols {
		b.WriteString("column " + column(&cols[i]) + "\n")
	}
	for rows.Next() {
		b.WriteString("row")
		for i := range cols {
			text := "NULL"
			if !rows.IsNull(i) {
				text = fmt.Sprintf("%q", rows.String(i))
			}
			b.WriteString(" " + text)
		}
		b.WriteByte('\n')
	}
}

// column describes a column: name, type, unsigned, decimals, text or bytes. That
// it is in a key is left out: MariaDB tells it or not, as its plan has it.
func column(c *mysql.Column) string {
	s := fmt.Sprintf("%s %s", c.Name, strings.TrimPrefix(c.Type.String(), "MYSQL_TYPE_"))
	if c.Unsigned() {
		s += " unsigned"
	}
	for _, f := range []mysql.ColumnFlags{mysql.FlagEnum, mysql.FlagSet, mysql.FlagZerofill} {
		if c.Flags.Has(f) {
			s += " " + f.String()
		}
	}
	switch c.Type {
	case mysql.TypeNewDecimal, mysql.TypeFloat, mysql.TypeDouble, mysql.TypeTime, mysql.TypeDatetime, mysql.TypeTimestamp:
		s += fmt.Sprintf(" decimals %d", c.Decimals)
	case mysql.TypeVarString, mysql.TypeString, mysql.TypeBlob, mysql.TypeMediumBlob, mysql.TypeLongBlob, mysql.TypeTinyBlob:
		if c.Collation == mysql.CollationBinary {
			s += " bytes"
		} else {
			s += " text"
		}
	}
	if c.Table != "" {
		s += " of " + c.Table
	}
	return s
}
