package mysqlclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/wire"
)

const loadSQL = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t"

// loader asks for a file for every query, and answers with its size.
func loader(got *bytes.Buffer) func(p *peer, m wire.Message) bool {
	return func(p *peer, m wire.Message) bool {
		if _, ok := m.(*mysql.Query); !ok {
			return false
		}
		p.send(&mysql.LocalInfileRequest{Filename: "x"})
		got.Reset()
		for {
			d, ok := p.next().(*mysql.LocalInfileData)
			if !ok {
				return true // cut
			}
			if len(d.Data) == 0 {
				break
			}
			got.Write(d.Data)
		}
		p.send(&mysql.OK{AffectedRows: uint64(got.Len()), Info: "Records: 1"})
		return true
	}
}

func allow(c *mysqlclient.Config) { c.LocalInfile = true }

// TestLoad: the reader of the call is sent, to its end.
func TestLoad(t *testing.T) {
	for _, size := range []int{0, 1, 300_000} {
		var got bytes.Buffer
		c := newWorld(t, true, serve(mysqlCaps, loader(&got))).connect(allow)
		data := strings.Repeat("a\tb\n", size/4+1)[:size]
		res, err := c.LoadData(ctx, loadSQL, strings.NewReader(data), nil)
		if err != nil || res.AffectedRows != uint64(size) || res.Info != "Records: 1" || got.String() != data {
			t.Errorf("%d bytes: %+v, %v, %d bytes arrived", size, res, err, got.Len())
		}
		if err := c.Ping(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestLoadRefused: a request to which no reader belongs gets an empty file, and
// the call its own error.
func TestLoadRefused(t *testing.T) {
	var got bytes.Buffer
	c := newWorld(t, true, serve(mysqlCaps, loader(&got))).connect(allow)
	for _, sql := range []string{loadSQL, "SELECT 1"} {
		if _, err := c.Exec(ctx, sql); !errors.Is(err, mysqlclient.ErrInfile) || got.Len() != 0 {
			t.Errorf("%s = %v, %d bytes arrived", sql, err, got.Len())
		}
	}
	if _, err := c.ExecInfile(ctx, loadSQL, func(name string) (io.Reader, error) { return nil, fmt.Errorf("not %q", name) }); err == nil || err.Error() != `not "x"` {
		t.Errorf("ExecInfile() = %v", err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestLoadBroken: an error of the reader does not become the end of the file.
func TestLoadBroken(t *testing.T) {
	var got bytes.Buffer
	c := newWorld(t, true, serve(mysqlCaps, loader(&got))).connect(allow)
	broken := errors.New("disk on fire")
	_, err := c.LoadData(ctx, loadSQL, io.MultiReader(strings.NewReader("1\n"), iotest.ErrReader(broken)), nil)
	if _, ok := errors.AsType[*mysqlclient.ConnError](err); !ok || !errors.Is(err, broken) {
		t.Errorf("LoadData() = %v", err)
	}
}

// TestLoadGivenUp: a server that answers in the middle and reads no more does
// not stop the client for ever.
func TestLoadGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, false, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
			if _, ok := m.(*mysql.Query); !ok {
				return false
			}
			p.send(&mysql.LocalInfileRequest{Filename: "x"})
			p.next()
			p.send(oops(1153, "packet too large"))
			time.Sleep(time.Hour)
			return true
		}))
		w.pipe = testkit.PipeConfig{Buffer: 4 << 10}
		c := w.connect(allow)
		_, err := c.LoadData(ctx, loadSQL, io.LimitReader(zeros{}, 10<<20), nil)
		if e, ok := errors.AsType[*mysqlclient.ServerError](err); !ok || e.Code != 1153 || c.Err() == nil {
			t.Errorf("LoadData() = %v, the connection %v", err, c.Err())
		}
	})
}

// TestLoadCancelled: a context ends an upload to a server that reads no more,
// and what is killed is that statement.
func TestLoadCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, false, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
			if _, ok := m.(*mysql.Query); !ok {
				return false
			}
			p.send(&mysql.LocalInfileRequest{Filename: "x"})
			time.Sleep(time.Hour)
			return true
		}))
		w.pipe = testkit.PipeConfig{Buffer: 4 << 10}
		c := w.connect(func(c *mysqlclient.Config) { c.LocalInfile, c.KillTimeout = true, -1 })
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.LoadData(short, loadSQL, zeros{}, nil)
		if took := time.Since(start); took != time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("LoadData() = %v after %v", err, took)
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestLoadInPipeline: there a request ends the connection, as the commands
// behind it would be taken for the file.
func TestLoadInPipeline(t *testing.T) {
	c := newWorld(t, false, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		if _, ok := m.(*mysql.Query); !ok {
			return false
		}
		p.send(&mysql.LocalInfileRequest{Filename: "/etc/passwd"})
		return true
	})).connect(allow)
	p := c.Pipeline()
	p.Add("SELECT 1")
	p.Add("SELECT 'secret'")
	answers, err := p.Flush(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := answers.Close(); !errors.Is(err, mysqlclient.ErrInfile) || c.Err() == nil {
		t.Errorf("Close() = %v", err)
	}
}
