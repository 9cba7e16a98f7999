package mysqlclient_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/wire"
)

// echo answers a query with its own text, made long, and an execution with its
// arguments.
func echo(p *peer, m wire.Message) bool {
	switch m := m.(type) {
	case *mysql.Query:
		if strings.HasPrefix(string(m.SQL), "bad") {
			p.send(oops(1064, "bad"))
			break
		}
		p.text(mysql.StatusAutocommit, string(m.SQL), strings.Repeat("x", 1000))
	case *mysql.StmtPrepare:
		if strings.HasPrefix(string(m.SQL), "bad") {
			p.send(oops(1064, "bad"))
			break
		}
		p.prepared(uint32(len(m.SQL)), strings.Count(string(m.SQL), "?"))
	case *mysql.StmtExecute:
		c := column("v", mysql.TypeVarString)
		row := binaryRow([]*mysql.Column{c}, mysql.String(m.Params[0].Value.String()))
		p.send(append(p.head(c), row, p.ending(mysql.StatusAutocommit))...)
	default:
		return false
	}
	return true
}

// TestPipeline: answers come in order, whatever the size of the buffers between:
// a server that waits until its answers are read does not stop the client.
func TestPipeline(t *testing.T) {
	for name, caps := range kinds {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, true, serve(caps, echo))
			w.pipe = testkit.PipeConfig{Buffer: 4 << 10}
			c := w.connect(nil)
			p := c.Pipeline()
			const n = 300
			for i := range n {
				p.Add(fmt.Sprint("SELECT ", i))
				p.Add("SELECT ?", fmt.Sprint(i, strings.Repeat("y", 500)))
			}
			if got := p.Len(); got != 2*n {
				t.Errorf("Len() = %d, want %d", got, 2*n)
			}
			answers, err := p.Flush(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Ping(ctx); err == nil {
				t.Error("a command behind an open pipeline was taken")
			}
			for answers.Next() {
				i := answers.Index()
				want := fmt.Sprint("SELECT ", i/2)
				if i%2 == 1 {
					want = fmt.Sprint(i/2, strings.Repeat("y", 500))
				}
				rows := answers.Rows()
				if i%3 == 0 {
					continue // not read
				}
				for rows.Next() {
					if got := rows.String(0); got != want {
						t.Fatalf("answer %d is %q, want %q", i, got, want)
					}
				}
			}
			if err := answers.Close(); err != nil {
				t.Error(err)
			}
			if err := c.Ping(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPipelineErrors: a statement that fails does not stop the others, and the
// first error is told at the end.
func TestPipelineErrors(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, echo)).connect(nil)
	p := c.Pipeline()
	for _, sql := range []string{"a", "bad 1", "b", "bad 2"} {
		p.Add(sql)
	}
	answers, err := p.Flush(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for answers.Next() {
		_, err := answers.Result()
		got = append(got, fmt.Sprint(err))
	}
	if want := []string{"<nil>", "server error 1064 (HY000): bad", "<nil>", "server error 1064 (HY000): bad"}; !slices.Equal(got, want) {
		t.Errorf("results %q, want %q", got, want)
	}
	if err := answers.Close(); err == nil || !strings.Contains(err.Error(), "statement 2 of the pipeline") {
		t.Errorf("Close() = %v", err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestPipelineRefused: what cannot be sent is told before anything is executed.
func TestPipelineRefused(t *testing.T) {
	tests := []struct {
		name string
		sql  string
		args []any
		want func(err error) bool
	}{
		{"local file", "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", nil, func(err error) bool { return errors.Is(err, mysqlclient.ErrInfile) }},
		{"number of arguments", "SELECT ?", []any{1, 2}, isArg},
		{"type", "SELECT ?", []any{make(chan int)}, isArg},
		{"reader", "SELECT ?", []any{strings.NewReader("")}, isArg},
		{"syntax", "bad ?", []any{1}, func(err error) bool { _, ok := errors.AsType[*mysqlclient.ServerError](err); return ok }},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			executed := 0
			c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
				switch m.(type) {
				case *mysql.Query, *mysql.StmtExecute:
					executed++
				}
				return echo(p, m)
			})).connect(nil)
			p := c.Pipeline()
			p.Add("INSERT 1")
			p.Add(x.sql, x.args...)
			if _, err := p.Flush(ctx); !x.want(err) {
				t.Errorf("Flush() = %v", err)
			}
			if executed != 0 {
				t.Errorf("%d statements were executed", executed)
			}
			if err := c.Ping(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func isArg(err error) bool {
	_, ok := errors.AsType[*mysqlclient.ArgError](err)
	return ok
}

// TestPipelineCut: every statement without an answer is told to be lost, and a
// COMMIT among them leaves the outcome open.
func TestPipelineCut(t *testing.T) {
	w := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		if q, ok := m.(*mysql.Query); ok && string(q.SQL) == "cut" {
			p.nc.Cut()
			return true
		}
		return echo(p, m)
	}))
	c := w.connect(nil)
	p := c.Pipeline()
	for _, sql := range []string{"INSERT", "cut", "UPDATE", "COMMIT"} {
		p.Add(sql)
	}
	answers, err := p.Flush(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = answers.Close()
	if e, ok := errors.AsType[*mysqlclient.ConnError](err); !ok || !errors.Is(err, mysqlclient.ErrOutcomeUnknown) || e.SafeToRetry() {
		t.Errorf("Close() = %v", err)
	}
}

// TestPipelineCancelled: a context ends a pipeline whose answers do not come,
// while it is still being sent.
func TestPipelineCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, true, silent)
		w.pipe = testkit.PipeConfig{Buffer: 4 << 10}
		c := w.connect(func(c *mysqlclient.Config) { c.KillTimeout = -1 })
		p := c.Pipeline()
		for i := range 2000 {
			p.Add(fmt.Sprint("SELECT ", i, strings.Repeat("x", 100)))
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		start := time.Now()
		answers, err := p.Flush(short)
		if err != nil {
			t.Fatal(err)
		}
		err = answers.Close()
		if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close() = %v after %v", err, took)
		}
		if answers.Next() || c.Ping(ctx) == nil {
			t.Error("the pipeline goes on")
		}
	})
}
