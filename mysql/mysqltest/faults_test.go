package mysqltest_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

// exchange has a client do a few things over a line, and returns the bytes that
// it has sent and received, and the first error.
func exchange(t *testing.T, c2s, s2c testkit.Line) (counts [2]int64, failed error) {
	t.Helper()
	s := mysqltest.NewServer(t)
	s.Allow("select 1").Rows(mysqltest.Columns("n INT"), mysqltest.Row{1}, mysqltest.Row{2})
	s.Allow("select ?").Rows(mysqltest.Columns("n INT"), mysqltest.Row{1})
	s.Allow("insert into t values (?)").Exec(1, 1)
	served := make(chan error, 1)
	counted := new(counter)
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{
		User: "ada", TLSMode: mysqlclient.TLSDisabled, KillTimeout: -1, Trace: mysqltest.Flow(t),
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := testkit.NewPipe(testkit.PipeConfig{C2S: c2s, S2C: s2c})
			go func() { served <- s.Server.ServeConn(context.Background(), server) }() // stops with its client
			counted.Conn = client
			return counted, nil
		},
	})
	if err != nil {
		<-served
		return counted.n, err
	}
	note := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	for _, q := range []struct {
		sql  string
		args []any
	}{{"select 1", nil}, {"select ?", []any{"x"}}} {
		rows, err := c.Query(t.Context(), q.sql, q.args...)
		note(err)
		if err == nil {
			for rows.Next() {
			}
			note(rows.Close())
		}
	}
	_, err = c.Exec(t.Context(), "insert into t values (?)", 5)
	note(err)
	note(c.Close())
	<-served
	return counted.n, failed
}

// counter counts the bytes of a client.
type counter struct {
	net.Conn
	n [2]int64 // written, read
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.n[0] += int64(n)
	return n, err
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n[1] += int64(n)
	return n, err
}

// TestCutAtEveryByte breaks the line after each byte of a conversation, in
// either direction: both sides come to an end at once, and the client says so.
func TestCutAtEveryByte(t *testing.T) {
	all, err := exchange(t, testkit.Line{}, testkit.Line{})
	if err != nil || all[0] < 200 || all[1] < 200 {
		t.Fatalf("without a fault: %v, %d bytes", err, all)
	}
	for dir := range 2 {
		for n := int64(1); n < all[dir]; n++ {
			synctest.Test(t, func(t *testing.T) {
				var lines [2]testkit.Line
				lines[dir] = testkit.Line{CutAfter: n, Reset: n%2 == 0}
				start := time.Now()
				_, err := exchange(t, lines[0], lines[1])
				if took := time.Since(start); took > time.Second {
					t.Errorf("direction %d, cut after %d bytes: it took %v", dir, n, took)
				}
				var e *mysqlclient.ConnError
				if !errors.As(err, &e) && n < all[dir]-5 { // the last five are the farewell
					t.Errorf("direction %d, cut after %d bytes: %v, want a ConnError", dir, n, err)
				}
			})
		}
	}
}

// TestSlowLine has everything come a few bytes at a time.
func TestSlowLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drip := testkit.Line{Chunk: 3, Every: time.Millisecond, Delay: 10 * time.Millisecond}
		if _, err := exchange(t, drip, drip); err != nil {
			t.Error(err)
		}
	})
}
