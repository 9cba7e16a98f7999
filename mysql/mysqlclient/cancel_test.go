package mysqlclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/wire"
)

// killer plays the side connection: it answers the process list with rows, and
// notes what it is told to kill.
type killer struct {
	killed atomic.Pointer[string]
	rows   func(side net.Addr) [][]string // id, user, host, text
}

func (k *killer) play(p *peer) {
	h := hello(mysqlCaps)
	h.ConnectionID = 8
	p.send(h)
	p.next()
	p.send(okay())
	for {
		switch m := p.command().(type) {
		case nil:
			return
		case *mysql.Query:
			sql := string(m.SQL)
			if strings.HasPrefix(sql, "KILL") {
				k.killed.Store(&sql)
				p.send(okay())
				continue
			}
			list := p.head(column("id", mysql.TypeVarString), column("user", mysql.TypeVarString), column("host", mysql.TypeVarString), column("info", mysql.TypeVarString))
			for _, cells := range k.rows(p.nc.RemoteAddr()) {
				row := new(mysql.TextRow)
				for _, cell := range cells {
					row.Cells = append(row.Cells, []byte(cell))
				}
				list = append(list, row)
			}
			p.send(append(list, p.ending(mysql.StatusAutocommit))...)
		default:
			p.send(okay())
		}
	}
}

// TestCancel: a statement whose context ends returns at once, the connection is
// lost, and a side connection kills the thread when it is sure whose it is.
func TestCancel(t *testing.T) {
	const sql = "SELECT SLEEP(100)"
	tests := []struct {
		name string
		rows func(victim, side string) [][]string
		want bool
	}{
		{"our address", func(v, s string) [][]string {
			return [][]string{{"7", "anna", v, sql}, {"8", "anna", s, "SELECT"}}
		}, true},
		{"our port, by name", func(v, s string) [][]string {
			return [][]string{{"7", "anna", "localhost" + v[strings.LastIndex(v, ":"):], sql}, {"8", "anna", "localhost" + s[strings.LastIndex(s, ":"):], "SELECT"}}
		}, true},
		{"another's port", func(_, s string) [][]string {
			return [][]string{{"7", "anna", s[:strings.LastIndex(s, ":")] + ":1", sql}, {"8", "anna", s, "SELECT"}}
		}, false},
		{"translated addresses, our statement", func(_, _ string) [][]string {
			return [][]string{{"7", "anna", "nat:5", sql[:10]}, {"8", "anna", "nat:6", "SELECT"}}
		}, true},
		{"translated addresses, another statement", func(_, _ string) [][]string {
			return [][]string{{"7", "anna", "nat:5", "DELETE"}, {"8", "anna", "nat:6", "SELECT"}}
		}, false},
		{"another's user", func(v, s string) [][]string {
			return [][]string{{"7", "bert", v, sql}, {"8", "anna", s, "SELECT"}}
		}, false},
		{"nobody", func(_, s string) [][]string { return [][]string{{"8", "anna", s, "SELECT"}} }, false},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := new(killer)
				var victim atomic.Pointer[string]
				k.rows = func(side net.Addr) [][]string { return x.rows(*victim.Load(), side.String()) }
				c := newWorld(t, true, silent, k.play).connect(nil)
				v := c.LocalAddr().String()
				victim.Store(&v)
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				start := time.Now()
				_, err := c.Query(short, sql)
				if took := time.Since(start); took != time.Second {
					t.Errorf("Query() returned after %v", took)
				}
				e, ok := errors.AsType[*mysqlclient.ConnError](err)
				if !ok || !errors.Is(err, context.DeadlineExceeded) || e.SafeToRetry() || e.Phase != mysqlclient.PhaseAnswer {
					t.Errorf("Query() = %v", err)
				}
				if err := c.Close(); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Close() = %v", err)
				}
				synctest.Wait()
				if got := k.killed.Load(); (got != nil) != x.want || got != nil && *got != "KILL CONNECTION 7" {
					t.Errorf("killed %v, want it: %v", got, x.want)
				}
			})
		})
	}
}

// TestCancelElsewhere: a side connection that reaches another server kills
// nothing and asks nothing.
func TestCancelElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := false
		c := newWorld(t, true, silent, func(p *peer) {
			h := hello(mysqlCaps)
			h.ServerVersion = "8.4.0"
			p.send(h)
			p.next()
			p.send(okay())
			for p.command() != nil {
				asked = true
			}
		}).connect(nil)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := c.Ping(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ping() = %v", err)
		}
		synctest.Wait()
		if asked {
			t.Error("another server was asked")
		}
	})
}

// TestCancelUnreachable: a side connection that hangs ends by itself.
func TestCancelUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		w := newWorld(t, true, silent, func(p *peer) {
			_, _ = p.nc.Read(make([]byte, 1))
			ended = true
		})
		c := w.connect(nil)
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		start := time.Now()
		err := c.Ping(short)
		if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ping() = %v after %v", err, took)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if !ended {
			t.Error("the side connection hangs")
		}
	})
}

// TestCancelRows: the context of a query covers its rows.
func TestCancelRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &killer{rows: func(net.Addr) [][]string { return nil }}
		c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
			if _, ok := m.(*mysql.Query); !ok {
				return false
			}
			p.send(append(p.head(column("a", mysql.TypeLong)), &mysql.TextRow{Cells: [][]byte{[]byte("1")}})...)
			return true
		}), k.play).connect(nil)
		stoppable, cancel := context.WithCancelCause(ctx)
		rows, err := c.Query(stoppable, "SELECT a FROM t")
		if err != nil {
			t.Fatal(err)
		}
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		cause := errors.New("enough")
		go func() { // ends at once
			time.Sleep(time.Second)
			cancel(cause)
		}()
		if rows.Next() || !errors.Is(rows.Err(), cause) || !errors.Is(rows.Close(), cause) {
			t.Errorf("the rows ended with %v", rows.Err())
		}
		synctest.Wait() // for the side connection
	})
}

// TestCancelledBefore: with a context that has ended nothing is sent and the
// connection lives.
func TestCancelledBefore(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, nil)).connect(nil)
	over, cancel := context.WithCancel(ctx)
	cancel()
	if err := c.Ping(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Ping() = %v", err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestCancelLate: a context that ends behind its command does no harm.
func TestCancelLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t, true, serve(mysqlCaps, nil)).connect(nil)
		stoppable, cancel := context.WithCancel(ctx)
		if err := c.Ping(stoppable); err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if err := c.Ping(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestInterrupt: the statement of another goroutine is stopped, and the
// connection goes on.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := new(killer)
		killed := make(chan bool)
		var own string
		k.rows = func(net.Addr) [][]string { return [][]string{{"7", "anna", own, "SELECT"}, {"8", "anna", "nat:1", ""}} }
		w := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
			if _, ok := m.(*mysql.Query); !ok {
				return false
			}
			<-killed
			p.send(oops(1317, "interrupted"))
			return true
		}), k.play)
		c := w.connect(nil)
		own = c.LocalAddr().String()
		if err := c.Interrupt(ctx); err != nil {
			t.Errorf("Interrupt() of nothing = %v", err)
		}
		done := make(chan error)
		go func() { // ends with its answer
			_, err := c.Exec(ctx, "SELECT 1")
			done <- err
		}()
		synctest.Wait()
		if err := c.Interrupt(ctx); err != nil {
			t.Errorf("Interrupt() = %v", err)
		}
		if got := k.killed.Load(); got == nil || *got != "KILL QUERY 7" {
			t.Errorf("killed %v", got)
		}
		close(killed)
		if e, ok := errors.AsType[*mysqlclient.ServerError](<-done); !ok || e.Code != 1317 {
			t.Errorf("Exec() = %v", e)
		}
		if err := c.Ping(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestHandshakeTimeout: a server that says nothing is given up, in whatever
// phase.
func TestHandshakeTimeout(t *testing.T) {
	tests := []struct {
		name string
		play func(p *peer)
		want mysqlclient.Phase
	}{
		{"no greeting", func(p *peer) { p.next() }, mysqlclient.PhaseGreeting},
		{"half a greeting", func(p *peer) { _, _ = p.nc.Write([]byte{50, 0, 0, 0, 10}); p.next() }, mysqlclient.PhaseGreeting},
		{"no answer", func(p *peer) { p.send(hello(mysqlCaps)); p.next(); p.next() }, mysqlclient.PhaseAuth},
		{"no answer to the setup", func(p *peer) { silent(p) }, mysqlclient.PhaseSetup},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := newWorld(t, false, x.play).config()
				cfg.TimeZone = time.UTC
				start := time.Now()
				_, err := mysqlclient.Connect(ctx, cfg)
				e, ok := errors.AsType[*mysqlclient.ConnError](err)
				if took := time.Since(start); took != 15*time.Second || !ok || e.Phase != x.want || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Connect() = %v after %v", err, took)
				}
			})
		})
	}
}

// TestCommitLost: a COMMIT whose answer is lost leaves the outcome open, however
// it was said; one that was never sent does not.
func TestCommitLost(t *testing.T) {
	tests := []struct {
		name    string
		cancel  bool
		do      func(c *mysqlclient.Conn, ctx context.Context) error
		unknown bool
	}{
		{"commit", false, commit, true},
		{"cancelled commit", true, commit, true},
		{"typed", false, func(c *mysqlclient.Conn, ctx context.Context) error {
			_, err := c.Exec(ctx, " /* x */ commit AND CHAIN")
			return err
		}, true},
		{"among others", false, func(c *mysqlclient.Conn, ctx context.Context) error {
			_, err := c.Exec(ctx, "UPDATE t SET a = 'commit'; COMMIT")
			return err
		}, true},
		{"rollback", false, func(c *mysqlclient.Conn, ctx context.Context) error {
			_, err := c.Exec(ctx, "ROLLBACK")
			return err
		}, false},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
					q, ok := m.(*mysql.Query)
					if !ok || strings.HasPrefix(string(q.SQL), "START") {
						return false
					}
					if !x.cancel {
						p.nc.Cut()
					}
					return true
				})).connect(func(c *mysqlclient.Config) { c.KillTimeout, c.MultiStatements = -1, true })
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				err := x.do(c, short)
				if got := errors.Is(err, mysqlclient.ErrOutcomeUnknown); got != x.unknown {
					t.Errorf("%v: unknown outcome is %v", err, got)
				}
				if x.cancel && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v is no DeadlineExceeded", err)
				}
			})
		})
	}
}

func commit(c *mysqlclient.Conn, ctx context.Context) error { //nolint:revive // as a method on c
	tx, err := c.Begin(ctx, mysqlclient.TxOptions{})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return tx.Commit(ctx)
}
