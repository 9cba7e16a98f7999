package mysqlclient_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// TestAllocsPerRow: reading a row allocates nothing, in text and in binary.
func TestAllocsPerRow(t *testing.T) {
	const rows = 20_000
	a, b, d := column("a", mysql.TypeLonglong), column("b", mysql.TypeVarString), column("d", mysql.TypeDatetime)
	many := func(p *peer, row wire.Message) {
		for _, m := range p.head(a, b, d) {
			p.put(m)
		}
		for range rows {
			if err := p.pc.Append(row); err != nil {
				t.Error(err)
			}
			if p.pc.Unsent() > 32<<10 {
				_ = p.pc.Flush()
			}
		}
		p.put(p.ending(mysql.StatusAutocommit))
		_ = p.pc.Flush()
	}
	w := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		switch m.(type) {
		case *mysql.Query:
			many(p, &mysql.TextRow{Cells: [][]byte{[]byte("12345"), []byte("some text"), []byte("2024-02-29 01:02:03")}})
		case *mysql.StmtPrepare:
			p.prepared(1, 1, a, b, d)
		case *mysql.StmtExecute:
			many(p, binaryRow([]*mysql.Column{a, b, d}, mysql.Int(12345), mysql.String("some text"), mysql.DateAndTime(leapDay)))
		default:
			return false
		}
		return true
	}))
	c := w.connect(func(c *mysqlclient.Config) { c.Trace = nil })
	for _, args := range [][]any{nil, {1}} {
		r, err := c.Query(ctx, "SELECT ?", args...)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		var text []byte
		for range 100 { // what grows has grown
			r.Next()
			sum += int64(len(r.AppendText(text[:0], 0)))
		}
		text = make([]byte, 0, 100)
		got := testing.AllocsPerRun(10_000, func() {
			if !r.Next() {
				t.Fatal(r.Err())
			}
			sum += r.Int64(0) + int64(len(r.Bytes(1))) + int64(r.DateTime(2).Year)
			text = r.AppendText(text[:0], 2)
		})
		if got > 0.01 {
			t.Errorf("%d arguments: %v allocations per row", len(args), got)
		}
		if err := r.Close(); err != nil || sum == 0 {
			t.Errorf("Close() = %v", err)
		}
	}
}

// wireCount counts packets and writes of the client, and how often it turned
// from writing to reading: its round trips.
type wireCount struct {
	mu                     sync.Mutex
	packets, writes, trips int
	last                   wire.Dir
}

func (n *wireCount) Open(trace.Info) trace.Conn { return n }
func (n *wireCount) Secret(string)              {}
func (n *wireCount) Event(trace.Event)          {}
func (n *wireCount) Close(error)                {}

func (n *wireCount) Wire(dir wire.Dir, _ []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if dir == wire.C2S {
		n.writes++
	} else if n.last == wire.C2S {
		n.trips++
	}
	n.last = dir
}

func (n *wireCount) Packet(dir wire.Dir, _ []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if dir == wire.C2S {
		n.packets++
	}
}

func (n *wireCount) take() string {
	s := fmt.Sprintf("%d packets, %d writes, %d round trips", n.packets, n.writes, n.trips)
	n.packets, n.writes, n.trips, n.last = 0, 0, 0, wire.S2C
	return s
}

// TestPacketsPerCall: what each call costs on the wire. A change here is a change
// of behaviour.
func TestPacketsPerCall(t *testing.T) {
	var file bytes.Buffer
	load := loader(&file)
	answer := func(p *peer, m wire.Message) bool {
		switch m := m.(type) {
		case *mysql.Query:
			return strings.HasPrefix(string(m.SQL), "LOAD") && load(p, m)
		case *mysql.StmtPrepare:
			p.prepared(1, strings.Count(string(m.SQL), "?"))
		default:
			return false
		}
		return true
	}
	exec := func(sql string, args ...any) func(c *mysqlclient.Conn) error {
		return func(c *mysqlclient.Conn) error { _, err := c.Exec(ctx, sql, args...); return err }
	}
	var stmt *mysqlclient.Stmt
	steps := []struct {
		name           string
		do             func(c *mysqlclient.Conn) error
		mysql, mariadb string // what it costs; mariadb empty: the same
	}{
		{"Ping", func(c *mysqlclient.Conn) error { return c.Ping(ctx) }, "1 packets, 1 writes, 1 round trips", ""},
		{"Exec", exec("DO 1"), "1 packets, 1 writes, 1 round trips", ""},
		{"Exec with an argument, new", exec("DO ?", 1), "2 packets, 2 writes, 2 round trips", "2 packets, 1 writes, 1 round trips"},
		{"Exec with an argument, known", exec("DO ?", 1), "1 packets, 1 writes, 1 round trips", ""},
		{"Prepare", func(c *mysqlclient.Conn) (err error) { stmt, err = c.Prepare(ctx, "DO ? + 1"); return err }, "1 packets, 1 writes, 1 round trips", ""},
		{"Stmt.Exec", func(*mysqlclient.Conn) error { _, err := stmt.Exec(ctx, 1); return err }, "1 packets, 1 writes, 1 round trips", ""},
		{"Stmt.Close", func(*mysqlclient.Conn) error { return stmt.Close() }, "0 packets, 0 writes, 0 round trips", ""},
		{"Ping behind it", func(c *mysqlclient.Conn) error { return c.Ping(ctx) }, "2 packets, 1 writes, 1 round trips", ""},
		{"transaction", func(c *mysqlclient.Conn) error {
			tx, err := c.Begin(ctx, mysqlclient.TxOptions{Isolation: "SERIALIZABLE"})
			if err != nil {
				return err
			}
			return tx.Commit(ctx)
		}, "3 packets, 2 writes", ""}, // it reads and writes at the same time,
		{"pipeline", func(c *mysqlclient.Conn) error {
			p := c.Pipeline()
			for range 50 {
				p.Add("DO ?", 5)
				p.Add("DO 5")
			}
			answers, err := p.Flush(ctx)
			if err != nil {
				return err
			}
			return answers.Close()
		}, "100 packets, 1 writes, 1 round trips", ""},
		{"LoadData", func(c *mysqlclient.Conn) error {
			_, err := c.LoadData(ctx, loadSQL, io.LimitReader(zeros{}, 1000), nil)
			return err
		}, "3 packets, 2 writes", ""}, // it reads and writes at the same time,
		{"Reset", func(c *mysqlclient.Conn) error { return c.Reset(ctx) }, "2 packets, 1 writes, 1 round trips", "1 packets, 1 writes, 1 round trips"},
	}
	for name, caps := range map[string]mysql.Capabilities{"mysql": mysqlCaps, "mariadb": mariaCaps} {
		t.Run(name, func(t *testing.T) {
			n := &wireCount{last: wire.S2C}
			c := newWorld(t, true, serve(caps, answer)).connect(func(c *mysqlclient.Config) { c.Trace, c.LocalInfile = n, true })
			if got, want := n.take(), "1 packets, 1 writes, 1 round trips"; got != want {
				t.Errorf("Connect: %s, want %s", got, want)
			}
			for _, x := range steps {
				if err := x.do(c); err != nil {
					t.Errorf("%s: %v", x.name, err)
				}
				want := x.mysql
				if caps.MariaDB() && x.mariadb != "" {
					want = x.mariadb
				}
				if got := n.take(); !strings.HasPrefix(got, want) {
					t.Errorf("%s: %s, want %s", x.name, got, want)
				}
			}
		})
	}
}

// TestManyConnections: connections share no state.
func TestManyConnections(t *testing.T) {
	w := newWorld(t, true, serve(mysqlCaps, typesServer))
	cfg := w.config()
	var dials int
	dial := cfg.Dial
	cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		if network != "tcp" || address != "db.example:3306" {
			t.Errorf("dialled %s %s", network, address)
		}
		return dial(ctx, network, address)
	}
	for range 3 {
		c, err := mysqlclient.Connect(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Exec(ctx, "SELECT ?", 1); err != nil {
			t.Error(err)
		}
		_ = c.Close()
	}
	if dials != 3 {
		t.Errorf("%d connections were made", dials)
	}
}
