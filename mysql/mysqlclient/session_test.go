package mysqlclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // for systems that have none

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/wire"
)

// told notes commands in words.
func told(said *[]string, m wire.Message) {
	word := strings.TrimPrefix(fmt.Sprintf("%T", m), "*mysql.")
	switch m := m.(type) {
	case *mysql.Query:
		word = string(m.SQL)
	case *mysql.InitDB:
		word += " " + m.Schema
	}
	*said = append(*said, word)
}

func noting(said *[]string) func(p *peer, m wire.Message) bool {
	return func(_ *peer, m wire.Message) bool {
		told(said, m)
		return false
	}
}

// TestSetup: what the configuration wants is set after the login, in order.
func TestSetup(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(c *mysqlclient.Config)
		want   []string
	}{
		{"nothing", func(*mysqlclient.Config) {}, nil},
		{"collation", func(c *mysqlclient.Config) { c.Collation = "latin1_bin" }, []string{"SET NAMES latin1 COLLATE latin1_bin"}},
		{"new collation", func(c *mysqlclient.Config) { c.Collation = "uca1400_ai_ci" }, []string{"SET NAMES utf8mb4 COLLATE uca1400_ai_ci"}},
		{"utc", func(c *mysqlclient.Config) { c.TimeZone = time.UTC }, []string{"SET time_zone = '+00:00'"}},
		{"zone", func(c *mysqlclient.Config) { c.TimeZone = vienna }, []string{"SET time_zone = 'Europe/Vienna'"}},
		{"fixed", func(c *mysqlclient.Config) { c.TimeZone = time.FixedZone("x", -5400) }, []string{"SET time_zone = '-01:30'"}},
		{
			"all", func(c *mysqlclient.Config) {
				c.Charsets, c.Init = []string{"utf8"}, []string{"DO 1"}
				c.Vars = map[string]string{"b": "2", "a": "'x'"}
			},
			[]string{"SET NAMES utf8", "SET a = 'x', b = 2", "DO 1"},
		},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			var said []string
			newWorld(t, true, serve(mysqlCaps, noting(&said))).connect(x.change)
			if !slices.Equal(said, x.want) {
				t.Errorf("the server was told %q, want %q", said, x.want)
			}
		})
	}
}

// TestCharsets: the next character set is tried when the server does not know
// one.
func TestCharsets(t *testing.T) {
	var said []string
	newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		told(&said, m)
		if said[len(said)-1] == "SET NAMES nope" {
			p.send(oops(1115, "unknown character set"))
			return true
		}
		return false
	})).connect(func(c *mysqlclient.Config) { c.Charsets = []string{"nope", "utf8mb4"} })
	if want := []string{"SET NAMES nope", "SET NAMES utf8mb4"}; !slices.Equal(said, want) {
		t.Errorf("the server was told %q, want %q", said, want)
	}
}

// TestReset: everything that a server forgets is set again, in one flight.
func TestReset(t *testing.T) {
	for name, caps := range map[string]mysql.Capabilities{"mysql": mysqlCaps, "mariadb": mariaCaps} {
		t.Run(name, func(t *testing.T) {
			var said []string
			c := newWorld(t, true, serve(caps, noting(&said))).connect(func(c *mysqlclient.Config) {
				c.Database, c.TimeZone = "shop", time.UTC
			})
			if err := c.Use(ctx, "other"); err != nil {
				t.Fatal(err)
			}
			if s := c.State(); s.Schema != "other" || !s.Dirty {
				t.Errorf("State() = %+v", s)
			}
			said = nil
			if err := c.Reset(ctx); err != nil {
				t.Fatal(err)
			}
			want := []string{"ResetConnection", "SET NAMES utf8mb4", "SET time_zone = '+00:00'", "InitDB shop"}
			if caps.MariaDB() { // goes back to the handshake's collation
				want = slices.Delete(want, 1, 2)
			}
			if !slices.Equal(said, want) {
				t.Errorf("the server was told %q, want %q", said, want)
			}
			if s := c.State(); s.Dirty || s.Schema != "shop" {
				t.Errorf("State() = %+v behind a reset", s)
			}
		})
	}
}

// TestState: what an OK tells about the session is known afterwards.
func TestState(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		if q, ok := m.(*mysql.Query); !ok || string(q.SQL) != "BEGIN" {
			return false
		}
		p.send(&mysql.OK{
			Status: mysql.StatusInTrans | mysql.StatusSessionStateChanged | mysql.StatusNoBackslashEscapes, Warnings: 3,
			Track: []mysql.Track{
				{Kind: mysql.TrackSystemVariables, Variables: []mysql.Attribute{{Name: "sql_mode", Value: "ANSI"}}},
				{Kind: mysql.TrackSchema, Value: "new"},
				{Kind: mysql.TrackGTIDs, Value: "uuid:1-5"},
			},
		})
		return true
	})).connect(nil)
	if _, err := c.Exec(ctx, "BEGIN"); err != nil {
		t.Fatal(err)
	}
	s := c.State()
	if !s.InTransaction() || s.Warnings != 3 || s.Vars["sql_mode"] != "ANSI" || s.Schema != "new" || s.GTIDs != "uuid:1-5" || !s.Dirty {
		t.Errorf("State() = %+v", s)
	}
}

// TestStateIsBounded: what a server tells about variables without end is not kept.
func TestStateIsBounded(t *testing.T) {
	n := 0
	c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		if _, ok := m.(*mysql.Query); !ok {
			return false
		}
		n++
		list := []mysql.Attribute{{Name: fmt.Sprint("large", n), Value: strings.Repeat("x", 1<<20)}}
		for i := range 500 {
			list = append(list, mysql.Attribute{Name: fmt.Sprint("v", n, "_", i), Value: "y"})
		}
		p.send(&mysql.OK{Status: mysql.StatusSessionStateChanged, Track: []mysql.Track{{Kind: mysql.TrackSystemVariables, Variables: list}}})
		return true
	})).connect(nil)
	for range 4 {
		if _, err := c.Exec(ctx, "x"); err != nil {
			t.Fatal(err)
		}
	}
	bytes, state := 0, c.State()
	for name, v := range state.Vars {
		bytes += len(name) + len(v)
	}
	if len(state.Vars) == 0 || bytes > 64<<10 {
		t.Errorf("%d variables of %d bytes are kept", len(state.Vars), bytes)
	}
}

// TestDirty: statements that may leave something behind are known.
func TestDirty(t *testing.T) {
	tests := []struct {
		sql  string
		want bool
	}{
		{"SELECT 1", false},
		{"(SELECT 1) UNION (SELECT 2)", false},
		{"/* x */ insert into t values ('@a')", false},
		{"SET @a = 1", true},
		{"select @a := 1", true},
		{"SELECT get_lock('x', 1)", true},
		{"CREATE TEMPORARY TABLE t (a int)", true},
		{"LOCK TABLES t READ", true},
		{"USE x", true},
		{"SELECT 1; USE x", true},
		{"SELECT 1;", false},
		{"CALL p()", true},
	}
	for _, x := range tests {
		c := newWorld(t, true, serve(mysqlCaps, nil)).connect(nil)
		if _, err := c.Exec(ctx, x.sql); err != nil {
			t.Fatal(err)
		}
		if got := c.State().Dirty; got != x.want {
			t.Errorf("%s: Dirty = %v, want %v", x.sql, got, x.want)
		}
	}
}

// TestCommands: the small ones.
func TestCommands(t *testing.T) {
	for name, caps := range kinds {
		t.Run(name, func(t *testing.T) {
			var said []string
			c := newWorld(t, true, serve(caps, func(p *peer, m wire.Message) bool {
				told(&said, m)
				switch m.(type) {
				case *mysql.Statistics:
					p.send(&mysql.StatisticsText{Text: "Uptime: 3"})
				case *mysql.SetOption:
					p.send(p.ending(mysql.StatusAutocommit))
				case *mysql.FieldList:
					a := column("a", mysql.TypeLong)
					a.HasDefault, a.Default = true, []byte("5")
					p.send(a, p.ending(mysql.StatusAutocommit))
				default:
					return false
				}
				return true
			})).connect(nil)
			if got, err := c.Statistics(ctx); err != nil || got != "Uptime: 3" {
				t.Errorf("Statistics() = %q, %v", got, err)
			}
			if err := c.SetOption(ctx, mysql.OptionMultiStatementsOn); err != nil {
				t.Error(err)
			}
			if got, err := c.FieldList(ctx, "t", ""); err != nil || len(got) != 1 || string(got[0].Default) != "5" {
				t.Errorf("FieldList() = %v, %v", got, err)
			}
			if err := c.Kill(ctx, 1<<33, true); err != nil {
				t.Error(err)
			}
			tx, err := c.Begin(ctx, mysqlclient.TxOptions{Isolation: "read committed", ReadOnly: true, ConsistentSnapshot: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(ctx); err != nil {
				t.Error(err)
			}
			if err := tx.Rollback(ctx); !errors.Is(err, mysqlclient.ErrTxDone) {
				t.Errorf("Rollback() = %v behind a commit", err)
			}
			if _, err := c.Begin(ctx, mysqlclient.TxOptions{Isolation: "x; DROP TABLE t"}); err == nil {
				t.Error("an isolation level with a semicolon was taken")
			}
			want := []string{
				"Statistics", "SetOption", "FieldList", "KILL QUERY 8589934592", "SET TRANSACTION ISOLATION LEVEL read committed",
				"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", "COMMIT",
			}
			if !slices.Equal(said, want) {
				t.Errorf("the server was told %q, want %q", said, want)
			}
		})
	}
}

// TestTxStaysOpen: a Commit that has sent nothing leaves the transaction to a
// Rollback; otherwise the next Begin would commit it.
func TestTxStaysOpen(t *testing.T) {
	var said []string
	c := newWorld(t, true, serve(mysqlCaps, func(_ *peer, m wire.Message) bool {
		if q, ok := m.(*mysql.Query); ok {
			said = append(said, string(q.SQL))
		}
		return false
	})).connect(nil)
	tx, err := c.Begin(ctx, mysqlclient.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	late, cancel := context.WithCancel(ctx)
	cancel()
	if err := tx.Commit(late); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit() = %v", err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Errorf("Rollback() = %v", err)
	}
	if want := []string{"START TRANSACTION", "ROLLBACK"}; !slices.Equal(said, want) {
		t.Errorf("the server was told %q, want %q", said, want)
	}
}

// TestChangeUser: the server's switch is followed, and the session is new.
func TestChangeUser(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		u, ok := m.(*mysql.ChangeUser)
		if !ok {
			return false
		}
		if u.User != "bert" || u.Database != "b" || len(u.AuthResponse) != 0 {
			t.Errorf("COM_CHANGE_USER is %+v", u)
		}
		p.send(&mysql.AuthSwitchRequest{Plugin: "mysql_native_password", Data: []byte("ABCDEFGHIJKLMNOPQRST\x00")})
		if r, ok := p.next().(*mysql.AuthResponse); !ok || len(r.Data) != 20 {
			t.Errorf("the client answered the switch with %+v", r)
		}
		p.send(okay())
		return true
	})).connect(nil)
	if err := c.ChangeUser(ctx, &mysqlclient.Config{User: "bert", Passwords: []string{"pw"}, Database: "b"}); err != nil {
		t.Fatal(err)
	}
	if got := c.State().Schema; got != "b" {
		t.Errorf("the schema is %q, want %q", got, "b")
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestCompression: everything behind the login is compressed, with what the
// server has of what is offered.
func TestCompression(t *testing.T) {
	for _, offer := range [][]string{{"zlib"}, {"zstd"}, {"zstd", "zlib"}} {
		for name, caps := range kinds {
			t.Run(fmt.Sprint(offer, " ", name), func(t *testing.T) {
				c := newWorld(t, true, serve(caps, echo)).connect(func(c *mysqlclient.Config) { c.Compression = offer })
				for i := range 3 {
					sql := strings.Repeat("x", 20_000*i+1)
					rows, err := c.Query(ctx, sql)
					if err != nil {
						t.Fatal(err)
					}
					for rows.Next() {
						if got := rows.String(0); got != sql {
							t.Errorf("%d bytes came back of %d", len(got), len(sql))
						}
					}
					if err := rows.Close(); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

// TestIdle: what a server says before it hangs up on an idle connection is
// found before anything is sent.
func TestIdle(t *testing.T) {
	tests := []struct {
		name string
		last func(p *peer)
		want func(err error) bool
	}{
		{"an error", func(p *peer) { p.pc.Begin(); p.send(oops(4031, "idle for too long")) }, func(err error) bool {
			e, ok := errors.AsType[*mysqlclient.ServerError](err)
			return ok && e.Code == 4031
		}},
		{"the end", func(*peer) {}, func(err error) bool { return strings.HasSuffix(err.Error(), "EOF") }},
		{"an OK", func(p *peer) { p.pc.Begin(); p.send(okay()) }, func(err error) bool {
			_, ok := errors.AsType[*packet.SequenceError](err)
			return ok
		}},
	}
	for _, x := range tests {
		for _, check := range []bool{true, false} {
			t.Run(fmt.Sprint(x.name, " ", check), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newWorld(t, false, func(p *peer) {
						p.login(mysqlCaps)
						time.Sleep(time.Hour)
						x.last(p)
					}).connect(nil)
					if err := c.Check(); err != nil {
						t.Errorf("Check() = %v at first", err)
					}
					time.Sleep(2 * time.Hour)
					err := c.Check()
					if !check {
						err = c.Ping(ctx)
					}
					e, ok := errors.AsType[*mysqlclient.ConnError](err)
					if !ok || !x.want(err) || !e.SafeToRetry() || e.Phase != mysqlclient.PhaseIdle || e.Idle < time.Hour || !errors.Is(err, net.ErrClosed) {
						t.Errorf("the error is %v", err)
					}
					if err := c.Ping(ctx); !errors.Is(err, net.ErrClosed) {
						t.Errorf("Ping() = %v behind that", err)
					}
				})
			})
		}
	}
}

// TestClose: a session is ended politely, and Close twice is fine.
func TestClose(t *testing.T) {
	quit := make(chan bool, 1)
	c := newWorld(t, true, func(p *peer) {
		p.login(mysqlCaps)
		p.pc.Begin()
		_, ok := p.next().(*mysql.Quit)
		quit <- ok
	}).connect(nil)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("the second Close() = %v", err)
	}
	if !<-quit {
		t.Error("the server was not told")
	}
	if err := c.Ping(ctx); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Ping() = %v", err)
	}
}

// TestCloseUnblocks: a command under way ends when the connection is closed.
func TestCloseUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, true, silent).connect(nil)
		done := make(chan error)
		go func() { done <- c.Ping(ctx) }() // ends with the connection
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Ping() = %v", err)
		}
	})
}

// silent lets everybody in and says nothing more.
func silent(p *peer) {
	p.login(mysqlCaps)
	for p.command() != nil {
	}
}
