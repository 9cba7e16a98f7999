package mysqlclient_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/wire"
)

// bookkeeper is a server that knows which statements are open, and what it was
// asked to execute.
type bookkeeper struct {
	open     map[uint32]string
	last     uint32
	most     int // statements that were open at once
	executed []string
	bad      []string
}

func (b *bookkeeper) answer(p *peer, m wire.Message) bool {
	switch m := m.(type) {
	case *mysql.StmtPrepare:
		b.last++
		b.open[b.last] = string(m.SQL)
		b.most = max(b.most, len(b.open))
		p.prepared(b.last, 1)
	case *mysql.StmtExecute:
		id := m.ID
		if id == mysql.LastPrepared {
			id = b.last
		}
		sql, ok := b.open[id]
		if !ok {
			b.bad = append(b.bad, fmt.Sprintf("statement %d is not open", id))
			p.send(oops(1243, "unknown"))
			return true
		}
		b.executed = append(b.executed, fmt.Sprint(sql, " ", m.Params[0].Value.Int64()))
		p.send(okay())
	case *mysql.StmtClose:
		if _, ok := b.open[m.ID]; !ok {
			b.bad = append(b.bad, fmt.Sprintf("statement %d is closed again", m.ID))
		}
		delete(b.open, m.ID)
	case *mysql.ResetConnection:
		clear(b.open)
		p.send(okay())
	default:
		return false
	}
	return true
}

// TestStatementLife: whatever is done in whatever order, each execution happens
// once and as it was meant, no statement is used or closed that is not open, and
// no more are open than the cache and the caller hold.
func TestStatementLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		caps := rapid.SampledFrom([]mysql.Capabilities{mysqlCaps, mariaCaps}).Draw(rt, "caps")
		size := rapid.IntRange(1, 3).Draw(rt, "cache")
		b := &bookkeeper{open: map[uint32]string{}}
		w := newWorld(t, true, serve(caps, b.answer))
		cfg := w.config()
		cfg.StatementCache = size
		c, err := mysqlclient.Connect(context.Background(), cfg)
		if err != nil {
			rt.Fatal(err)
		}
		var want []string
		var stmts []*mysqlclient.Stmt
		n, held := 0, 0
		sqls := rapid.SampledFrom([]string{"a ?", "b ?", "c ?", "d ?", "e ?"})
		check := func(err error) {
			if err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"exec": func(rt *rapid.T) {
				sql := sqls.Draw(rt, "sql")
				n++
				_, err := c.Exec(ctx, sql, n)
				check(err)
				want = append(want, fmt.Sprint(sql, " ", n))
			},
			"pipeline": func(rt *rapid.T) {
				p := c.Pipeline()
				for range rapid.IntRange(1, 6).Draw(rt, "length") {
					sql := sqls.Draw(rt, "sql")
					n++
					p.Add(sql, n)
					want = append(want, fmt.Sprint(sql, " ", n))
				}
				answers, err := p.Flush(ctx)
				check(err)
				check(answers.Close())
			},
			"prepare": func(rt *rapid.T) {
				stmt, err := c.Prepare(ctx, sqls.Draw(rt, "sql"))
				check(err)
				stmts = append(stmts, stmt)
				held = max(held, len(stmts))
			},
			"execute": func(rt *rapid.T) {
				if len(stmts) == 0 {
					rt.Skip()
				}
				before := len(b.executed)
				_, err := stmts[rapid.IntRange(0, len(stmts)-1).Draw(rt, "stmt")].Exec(ctx, 7)
				check(err)
				if len(b.executed) != before+1 {
					rt.Fatalf("%d executions of one", len(b.executed)-before)
				}
				want = append(want, b.executed[before:]...)
			},
			"close": func(rt *rapid.T) {
				if len(stmts) == 0 {
					rt.Skip()
				}
				check(stmts[0].Close())
				stmts = stmts[1:]
			},
			"reset": func(*rapid.T) { check(c.Reset(ctx)) },
			"ping":  func(*rapid.T) { check(c.Ping(ctx)) },
			"": func(rt *rapid.T) {
				if len(b.bad) > 0 {
					rt.Fatal(b.bad)
				}
			},
		})
		check(c.Ping(ctx)) // with which the last statements are closed
		if got := fmt.Sprint(b.executed); got != fmt.Sprint(want) {
			rt.Fatalf("executed %s, want %v", got, want)
		}
		if got, most := len(b.open), size+len(stmts); got > most {
			rt.Fatalf("%d statements are open, %d are held", got, most)
		}
		if most := size + held + 6; b.most > most { // a pipeline needs its own all at once
			rt.Fatalf("%d statements were open at once, %d were held", b.most, most)
		}
		_ = c.Close()
	})
}
