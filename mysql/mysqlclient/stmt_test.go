package mysqlclient_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/wire"
)

// stmtServer prepares everything, as statements 1, 2, 3, …, and notes what it is
// told in words.
type stmtServer struct {
	said []string
	last uint32
	fail map[uint32]*mysql.ERR // for executions, once
}

func (s *stmtServer) answer(p *peer, m wire.Message) bool {
	switch m := m.(type) {
	case *mysql.StmtPrepare:
		s.said = append(s.said, "prepare "+string(m.SQL))
		s.last++
		p.prepared(s.last, strings.Count(string(m.SQL), "?"))
	case *mysql.StmtExecute:
		id := m.ID
		if id == mysql.LastPrepared {
			id = s.last
			s.said = append(s.said, "execute last")
		} else {
			s.said = append(s.said, fmt.Sprint("execute ", id))
		}
		if e := s.fail[id]; e != nil {
			delete(s.fail, id)
			p.send(e)
			break
		}
		p.send(okay())
	case *mysql.StmtClose:
		s.said = append(s.said, fmt.Sprint("close ", m.ID))
	case *mysql.StmtSendLongData:
		s.said = append(s.said, fmt.Sprintf("long %d %d", m.Param, len(m.Data)))
	case *mysql.Ping:
		s.said = append(s.said, "ping")
		p.send(okay())
	default:
		return false
	}
	return true
}

func (s *stmtServer) check(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.said, want) {
		t.Errorf("the server was told %q, want %q", s.said, want)
	}
	s.said = nil
}

// TestStatementCache: a statement is prepared once; the one not used for longest
// leaves, and its close rides along with the next command.
func TestStatementCache(t *testing.T) {
	s := new(stmtServer)
	c := newWorld(t, true, serve(mysqlCaps, s.answer)).connect(func(c *mysqlclient.Config) { c.StatementCache = 2 })
	for _, sql := range []string{"a ?", "b ?", "a ?", "c ?", "a ?"} {
		if _, err := c.Exec(ctx, sql, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	s.check(t, "prepare a ?", "execute 1", "prepare b ?", "execute 2", "execute 1", "prepare c ?", "close 2", "execute 3", "execute 1", "ping")
}

// TestNoStatementCache: without a cache each statement is closed again.
func TestNoStatementCache(t *testing.T) {
	s := new(stmtServer)
	c := newWorld(t, true, serve(mysqlCaps, s.answer)).connect(func(c *mysqlclient.Config) { c.StatementCache = -1 })
	for range 2 {
		if _, err := c.Exec(ctx, "a ?", 1); err != nil {
			t.Fatal(err)
		}
	}
	s.check(t, "prepare a ?", "close 1", "execute 1", "prepare a ?", "close 2", "execute 2")
}

// TestOneFlight: MariaDB prepares and executes in one write. When the numbers of
// placeholders and arguments differ nothing is executed.
func TestOneFlight(t *testing.T) {
	s := new(stmtServer)
	c := newWorld(t, true, serve(mariaCaps, s.answer)).connect(nil)
	for range 2 {
		if _, err := c.Exec(ctx, "a ?", 1); err != nil {
			t.Fatal(err)
		}
	}
	s.check(t, "prepare a ?", "execute last", "execute 1")
	_, err := c.Exec(ctx, "b ?, ?", 1)
	if e, ok := errors.AsType[*mysqlclient.ArgError](err); !ok || e.Index != -1 {
		t.Errorf("Exec() = %v", err)
	}
	s.check(t, "prepare b ?, ?")
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestOneFlightRefused: both answers are read when the preparation fails.
func TestOneFlightRefused(t *testing.T) {
	c := newWorld(t, true, serve(mariaCaps, func(p *peer, m wire.Message) bool {
		switch m.(type) {
		case *mysql.StmtPrepare:
			p.send(oops(1064, "syntax"))
		case *mysql.StmtExecute:
			p.send(oops(1243, "unknown statement"))
		default:
			return false
		}
		return true
	})).connect(nil)
	_, err := c.Exec(ctx, "selec ?", 1)
	if e, ok := errors.AsType[*mysqlclient.ServerError](err); !ok || e.Code != 1064 {
		t.Errorf("Exec() = %v", err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestPrepareAgain: a statement that the server has forgotten is prepared once
// more and executed once.
func TestPrepareAgain(t *testing.T) {
	for _, code := range []uint16{1243, 1615} {
		s := &stmtServer{fail: map[uint32]*mysql.ERR{1: oops(code, "forgotten")}}
		c := newWorld(t, true, serve(mysqlCaps, s.answer)).connect(nil)
		if _, err := c.Exec(ctx, "a ?", 1); err != nil {
			t.Errorf("%d: %v", code, err)
		}
		s.check(t, "prepare a ?", "execute 1", "prepare a ?", "execute 2")
	}
	s := &stmtServer{fail: map[uint32]*mysql.ERR{1: oops(1243, "forgotten"), 2: oops(1243, "forgotten again")}}
	c := newWorld(t, true, serve(mysqlCaps, s.answer)).connect(nil)
	if _, err := c.Exec(ctx, "a ?", 1); err == nil || !strings.Contains(err.Error(), "again") {
		t.Errorf("a server that always forgets: %v", err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestCallIsNotRepeated: a procedure may have done something before it executed
// a statement that nobody knows.
func TestCallIsNotRepeated(t *testing.T) {
	s := &stmtServer{fail: map[uint32]*mysql.ERR{1: oops(1243, "unknown handler (x) given to EXECUTE")}}
	c := newWorld(t, true, serve(mysqlCaps, s.answer)).connect(nil)
	if _, err := c.Exec(ctx, "/* p */ call a(?)", 1); err == nil || !strings.Contains(err.Error(), "EXECUTE") {
		t.Errorf("Exec() = %v", err)
	}
	s.check(t, "prepare /* p */ call a(?)", "execute 1")
	if _, err := c.Exec(ctx, "/* p */ call a(?)", 1); err != nil {
		t.Error(err)
	}
	s.check(t, "close 1", "prepare /* p */ call a(?)", "execute 2")
}

// TestStmt: a statement knows its placeholders, survives a reset, and is closed
// with the next command.
func TestStmt(t *testing.T) {
	s := new(stmtServer)
	c := newWorld(t, true, serve(mysqlCaps, s.answer)).connect(nil)
	stmt, err := c.Prepare(ctx, "a ? ?")
	if err != nil {
		t.Fatal(err)
	}
	if got := stmt.NumParams(); got != 2 {
		t.Errorf("NumParams() = %d, want 2", got)
	}
	run := func(want error, args ...any) {
		t.Helper()
		if _, err := stmt.Exec(ctx, args...); (err == nil) != (want == nil) {
			t.Errorf("Exec() = %v", err)
		}
	}
	run(nil, 1, 2)
	run(errors.New("one is missing"), 1)
	if err := c.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	run(nil, 1, 2)
	for range 2 {
		if err := stmt.Close(); err != nil {
			t.Error(err)
		}
	}
	run(errors.New("it is closed"), 1, 2)
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
	s.check(t, "prepare a ? ?", "execute 1", "prepare a ? ?", "execute 2", "close 2", "ping")
}

// TestLongData: readers and large values go ahead of the execution, in pieces.
func TestLongData(t *testing.T) {
	s := new(stmtServer)
	var limit int
	c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		if _, ok := m.(*mysql.Query); ok {
			limit++
			p.text(mysql.StatusAutocommit, fmt.Sprint(64<<20))
			return true
		}
		return s.answer(p, m)
	})).connect(nil)
	if _, err := c.Exec(ctx, "a ?, ?, ?", strings.NewReader("abc"), 1, make([]byte, 5<<20)); err != nil {
		t.Fatal(err)
	}
	want := []string{"prepare a ?, ?, ?", "long 0 0", "long 0 3"}
	want = append(want, slices.Repeat([]string{"long 2 1048576"}, 5)...)
	s.check(t, append(want, "execute 1")...)
	if limit != 0 {
		t.Errorf("the limit was asked for %d times; values sent ahead do not count", limit)
	}

	_, err := c.Exec(ctx, "a ?, ?, ?", iotest.ErrReader(io.ErrClosedPipe), 1, 2)
	if e, ok := errors.AsType[*mysqlclient.ConnError](err); !ok || !errors.Is(err, io.ErrClosedPipe) || e.SafeToRetry() {
		t.Errorf("with a reader that fails: %v", err)
	}
}

// TestCursor: rows come in batches, between which the connection is free.
func TestCursor(t *testing.T) {
	for name, caps := range kinds {
		t.Run(name, func(t *testing.T) {
			c := newWorld(t, true, serve(caps, cursorServer(true))).connect(nil)
			stmt, err := c.Prepare(ctx, "SELECT a FROM t")
			if err != nil {
				t.Fatal(err)
			}
			rows, err := stmt.Cursor(ctx, 2)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for rows.Next() {
				got = append(got, rows.Int64(0))
				if err := c.Ping(ctx); err != nil {
					t.Error(err)
				}
			}
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
			if want := []int64{1, 2, 3, 4, 5}; !slices.Equal(got, want) {
				t.Errorf("rows %v, want %v", got, want)
			}
			if rows, err = stmt.Cursor(ctx, 2); err != nil {
				t.Fatal(err)
			}
			rows.Next()
			if err := rows.Close(); err != nil || rows.Next() {
				t.Errorf("Close() in the middle = %v", err)
			}
			if err := c.Ping(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCursorBusy: a fetch that cannot begin does not cost the connection.
func TestCursorBusy(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, cursorServer(true))).connect(nil)
	stmt, err := c.Prepare(ctx, "SELECT a FROM t")
	if err != nil {
		t.Fatal(err)
	}
	p := c.Pipeline()
	p.Add("SELECT 1")
	rows, err := stmt.Cursor(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	rows.Next() // the next one has to be fetched
	answers, err := p.Flush(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if rows.Next() || c.Err() != nil {
		t.Errorf("within a pipeline: the connection %v", c.Err())
	}
	if _, busy := errors.AsType[*mysqlclient.BusyError](rows.Close()); !busy {
		t.Errorf("within a pipeline: Close() = %v", rows.Close())
	}
	if err := answers.Close(); err != nil {
		t.Error(err)
	}
	if rows, err = stmt.Cursor(ctx, 2); err != nil {
		t.Fatal(err)
	}
	rows.Next()
	rows.Next()
	if err := c.Reset(ctx); err != nil {
		t.Fatal(err)
	}
	if rows.Next() || rows.Close() == nil || c.Err() != nil {
		t.Errorf("behind a reset: %v, the connection %v", rows.Close(), c.Err())
	}
}

// TestNoCursor: a server may send all rows at once instead.
func TestNoCursor(t *testing.T) {
	for name, caps := range kinds {
		t.Run(name, func(t *testing.T) {
			c := newWorld(t, true, serve(caps, cursorServer(false))).connect(nil)
			stmt, err := c.Prepare(ctx, "SELECT a FROM t")
			if err != nil {
				t.Fatal(err)
			}
			rows, err := stmt.Cursor(ctx, 2)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Close(); err != nil || n != 5 {
				t.Errorf("%d rows, %v", n, err)
			}
			if err := c.Ping(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// cursorServer has rows 1 to 5.
func cursorServer(cursor bool) func(p *peer, m wire.Message) bool {
	a := column("a", mysql.TypeLonglong)
	next := int64(1)
	rows := func(most int) (list []wire.Message) {
		for ; next <= 5 && len(list) < most; next++ {
			list = append(list, binaryRow([]*mysql.Column{a}, mysql.Int(next)))
		}
		return list
	}
	return func(p *peer, m wire.Message) bool {
		switch m := m.(type) {
		case *mysql.StmtPrepare:
			p.prepared(1, 0, a)
		case *mysql.StmtExecute:
			next = 1
			switch {
			case !cursor:
				p.send(slices.Concat(p.head(a), rows(5), []wire.Message{p.ending(mysql.StatusAutocommit)})...)
			case mysql.Caps(p.flow.Dialect()).Has(mysql.ClientDeprecateEOF):
				p.send(append(p.head(a), p.ending(mysql.StatusCursorExists))...)
			default:
				p.send(&mysql.ColumnCount{Count: 1, Metadata: 1}, a, p.ending(mysql.StatusCursorExists))
			}
		case *mysql.StmtFetch:
			list, status := rows(int(m.Rows)), mysql.StatusCursorExists
			if next > 5 {
				status = mysql.StatusLastRowSent
			}
			p.send(append(list, p.ending(status))...)
		default:
			return false
		}
		return true
	}
}

// TestCachedColumns: MariaDB leaves definitions out that have not changed, and
// its latest ones count.
func TestCachedColumns(t *testing.T) {
	wrong, right := column("a", mysql.TypeLonglong), column("a", mysql.TypeDouble)
	n := 0
	c := newWorld(t, true, serve(mariaCaps, func(p *peer, m wire.Message) bool {
		switch m.(type) {
		case *mysql.StmtPrepare:
			p.prepared(1, 1, wrong)
		case *mysql.StmtExecute:
			head := p.head(right)
			if n++; n > 1 {
				head = []wire.Message{&mysql.ColumnCount{Count: 1, Metadata: 0}}
			}
			p.send(append(head, binaryRow([]*mysql.Column{right}, mysql.Double(0.5)), p.ending(mysql.StatusAutocommit))...)
		default:
			return false
		}
		return true
	})).connect(nil)
	for range 3 {
		rows, err := c.Query(ctx, "SELECT ?", 1)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			if got := rows.Float64(0); got != 0.5 {
				t.Errorf("Float64() = %v, want 0.5", got)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStrayDefinitions: a server that sends more definitions than it announces,
// as all do beyond 65,535 columns, is not listened to any more.
func TestStrayDefinitions(t *testing.T) {
	executed := false
	c := newWorld(t, false, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		switch m.(type) {
		case *mysql.StmtPrepare:
			a := column("a", mysql.TypeLong)
			p.send(&mysql.StmtPrepareOK{ID: 1, Params: 1, Columns: 1}, a, a, a, a)
		case *mysql.StmtExecute:
			executed = true
		}
		return true
	})).connect(nil)
	_, err := c.Query(ctx, "SELECT ?", 1)
	if _, ok := errors.AsType[*mysqlclient.ProtocolError](err); !ok || executed || c.Err() == nil {
		t.Errorf("Query() = %v, executed: %v", err, executed)
	}
}
