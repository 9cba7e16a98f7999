package mysqlclient_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

// scripted returns a connection to a server that answers as a test says.
func scripted(t *testing.T, s *mysqltest.Server, change func(*mysqlclient.Config)) *mysqlclient.Conn {
	t.Helper()
	cfg := &mysqlclient.Config{Dial: s.Dial, Trace: mysqltest.Flow(t)}
	if change != nil {
		change(cfg)
	}
	c, err := mysqlclient.Connect(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestInterpolate(t *testing.T) {
	c := scripted(t, mysqltest.NewServer(t), nil)
	for _, row := range []struct {
		sql  string
		args []any
		want string // or the error behind "!"
	}{
		{"SELECT 1", nil, "SELECT 1"},
		{"SELECT ?,'?',`?`,\"?\" /* ? */ # ?\n,?", []any{1, "?"}, "SELECT 1,'?',`?`,\"?\" /* ? */ # ?\n,'?'"},
		{"SELECT ?", nil, "!the statement has 1 placeholders and got 0 arguments"},
		{"SELECT ?", []any{1, 2}, "!1 placeholders and got 2"},
		{"SELECT ?, ?", []any{1, struct{}{}}, "!argument 2: a struct {} is no value of SQL"},
		{"SELECT ?", []any{math.NaN()}, "!argument 1: infinity and NaN"},
	} {
		got, err := c.Interpolate(row.sql, row.args...)
		if want, wrong := strings.CutPrefix(row.want, "!"); wrong {
			if _, is := errors.AsType[*mysqlclient.ArgError](err); !is || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", row.sql, err, want)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", row.sql, got, err, want)
		}
	}
	if !c.Quotable() {
		t.Error("UTF-8 cannot be quoted")
	}
	if scripted(t, mysqltest.NewServer(t), func(cfg *mysqlclient.Config) { cfg.Collation = "gbk_chinese_ci" }).Quotable() {
		t.Error("GBK can be quoted")
	}
}
