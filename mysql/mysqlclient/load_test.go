package mysqlclient_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

const loadText = "LOAD DATA LOCAL INFILE 'x' INTO TABLE t"

// loads makes the server take files; into gets what came.
func loads(s *mysqltest.Server, into *string) {
	s.Expect(loadText).Answer(func(ctx context.Context, w *mysqlserver.Writer, _ *mysqltest.Call) error {
		r, err := w.LocalInfile(ctx, "x")
		if err != nil {
			return err
		}
		b, err := io.ReadAll(r)
		*into = string(b)
		if err != nil {
			return err
		}
		return w.OK(mysqlserver.Result{AffectedRows: uint64(len(b))})
	})
}

func files(cfg *mysqlclient.Config) { cfg.LocalInfile = true }

func TestLoadData(t *testing.T) {
	for _, size := range []int{0, 1, 300 << 10, 3 << 20} {
		s := mysqltest.NewServer(t)
		var came string
		loads(s, &came)
		c := scripted(t, s, files)
		data := strings.Repeat("x", size)
		var told []int64
		r, err := c.LoadData(t.Context(), loadText, strings.NewReader(data), &mysqlclient.LoadOptions{Progress: func(n int64) { told = append(told, n) }})
		if err != nil || r.AffectedRows != uint64(size) || came != data {
			t.Errorf("%d bytes: %+v, %v, %d came", size, r, err, len(came))
		}
		if !slices.IsSorted(told) || size > 0 && told[len(told)-1] != int64(size) {
			t.Errorf("%d bytes: told %v", size, told)
		}
		if err := c.Ping(t.Context()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
}

func TestLoadNothing(t *testing.T) {
	s := mysqltest.NewServer(t)
	c := scripted(t, s, files)
	if _, err := c.LoadData(t.Context(), "SELECT 1", strings.NewReader(""), nil); !errors.Is(err, mysqlclient.ErrNoLoad) {
		t.Errorf("a SELECT: got %v", err)
	}
	c = scripted(t, s, nil)
	if _, err := c.LoadData(t.Context(), loadText, strings.NewReader(""), nil); !errors.Is(err, mysqlclient.ErrLocalInfile) {
		t.Errorf("without LocalInfile: got %v", err)
	}
	if got := s.Statements(); len(got) > 0 {
		t.Errorf("said %q", got)
	}
}

// failing fails behind some bytes, and notes that it was closed.
type failing struct {
	n      int
	closed bool
}

var errReading = errors.New("the disk is gone")

func (f *failing) Read(b []byte) (int, error) {
	if f.n == 0 {
		return 0, errReading
	}
	n := min(f.n, len(b))
	f.n -= n
	return n, nil
}

func (f *failing) Close() error { f.closed = true; return nil }

// TestLoadFails: what has come by then must not be taken for all.
func TestLoadFails(t *testing.T) {
	evil := mysqltest.NewEvil(t, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern), mysqltest.Query(loadText), mysqltest.Send(&mysql.LocalInfileRequest{Filename: "x"}),
		mysqltest.Do("the client leaves", func(p *mysqltest.Peer) error {
			for {
				m, _, err := p.Next()
				if err != nil {
					return nil //nolint:nilerr // that is what it is to do
				}
				if data, ok := m.(*mysql.LocalInfileData); !ok || len(data.Data) == 0 {
					return errors.New("the file ended")
				}
			}
		}),
	})
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Dial: evil.Dial, LocalInfile: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	src := &failing{n: 1 << 20}
	_, err = c.LoadData(t.Context(), loadText, src, &mysqlclient.LoadOptions{Progress: func(int64) {}})
	if !errors.Is(err, errReading) || !src.closed || c.Err() == nil {
		t.Errorf("got %v, closed %v, connection %v", err, src.closed, c.Err())
	}
}

func TestExecBulk(t *testing.T) {
	s := mysqltest.NewServer(t)
	s.Server.MariaDB = true
	s.Expect("SAVEPOINT a")
	const text = "INSERT INTO t VALUES (?, ?)"
	s.Expect(text).Args(1, "x").Exec(1, 0)
	s.Expect(text).Args(2, nil).Exec(1, 0)
	s.Expect("SAVEPOINT b").Error(1064, "no")
	s.Expect(text).Args(3, "y").Exec(1, 0)
	c := scripted(t, s, nil)
	stmt, err := c.Prepare(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	types := []mysql.ParamType{{Type: mysql.TypeLonglong}, {Type: mysql.TypeVarString}}
	values := []mysql.BulkValue{
		mysql.BulkOf(mysql.Int(1)), mysql.BulkOf(mysql.String("x")),
		mysql.BulkOf(mysql.Int(2)), mysql.BulkOf(mysql.Null()),
	}
	r, err := stmt.ExecBulk(t.Context(), "SAVEPOINT a", types, values)
	if err != nil || r.AffectedRows != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
	// The error of the statement before is told, and the connection lives.
	values = []mysql.BulkValue{mysql.BulkOf(mysql.Int(3)), mysql.BulkOf(mysql.String("y"))}
	if _, err = stmt.ExecBulk(t.Context(), "SAVEPOINT b", types, values); err == nil || c.Ping(t.Context()) != nil {
		t.Errorf("got %v, and the connection is lost: %v", err, c.Err())
	}
	if err := stmt.Close(); err != nil {
		t.Error(err)
	}
	if _, err := stmt.ExecBulk(t.Context(), "", types, values); err == nil {
		t.Error("a closed statement was executed")
	}
}

// TestResetInTwo: the connection is busy between the halves.
func TestResetInTwo(t *testing.T) {
	s := mysqltest.NewServer(t)
	c := scripted(t, s, nil)
	if err := c.FinishReset(t.Context()); err == nil {
		t.Error("a reset was finished that had not begun")
	}
	if err := c.StartReset(); err != nil {
		t.Fatal(err)
	}
	if _, busy := errors.AsType[*mysqlclient.BusyError](c.Ping(t.Context())); !busy {
		t.Error("the connection is not busy")
	}
	if err := c.FinishReset(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
