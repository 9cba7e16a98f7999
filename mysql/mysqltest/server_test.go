package mysqltest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

// witness is a test that writes down what a server complains of.
type witness struct {
	testing.TB
	mu      sync.Mutex
	said    []string
	cleanup []func()
}

func (w *witness) Helper()             {}
func (w *witness) Logf(string, ...any) {}
func (w *witness) Cleanup(f func())    { w.cleanup = append(w.cleanup, f) }
func (w *witness) Error(args ...any)   { w.Errorf("%s", fmt.Sprint(args...)) }
func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

// end ends the test and returns the complaints.
func (w *witness) end() string {
	for i := range w.cleanup {
		w.cleanup[len(w.cleanup)-1-i]()
	}
	return strings.Join(w.said, "\n")
}

// reach logs in to a server.
func reach(t *testing.T, s *mysqltest.Server) bare {
	t.Helper()
	nc, err := s.Dial(context.Background(), "tcp", "db:3306")
	if err != nil {
		t.Fatal(err)
	}
	c := bare{packet.New(nc, &packet.Config{Role: trace.Client}), t}
	t.Cleanup(func() { c.Close() })
	var g mysql.HandshakeV10
	c.hear(&g)
	caps := g.Capabilities & (mysqltest.Plain | mysql.ClientDeprecateEOF)
	c.SetDialect(mysql.NewDialect(caps))
	c.say(&mysql.HandshakeResponse41{Capabilities: caps, User: "anybody", AuthResponse: []byte("anything"), AuthPlugin: auth.Native})
	c.hear(&mysql.OK{})
	return c
}

// ask sends a statement and returns the first byte of the answer, after having
// read all of it; -1 for rows.
func (c bare) ask(sql string) int {
	c.t.Helper()
	c.Begin()
	c.say(&mysql.Query{SQL: []byte(sql)})
	p, err := c.ReadPacket()
	if err != nil {
		c.t.Fatal(err)
	}
	if p[0] == mysql.HeaderOK || p[0] == mysql.HeaderERR {
		return int(p[0])
	}
	for p[0] != mysql.HeaderEOF {
		if p, err = c.ReadPacket(); err != nil {
			c.t.Fatal(err)
		}
	}
	return -1
}

func TestServerComplains(t *testing.T) {
	const rows, ok, failed = -1, 0, 255
	tests := []struct {
		name   string
		expect func(s *mysqltest.Server)
		asked  []string
		want   []int
		said   []string // parts of the complaints, in order; nil: none
	}{
		{"nothing", func(*mysqltest.Server) {}, nil, nil, nil},
		{"as expected", func(s *mysqltest.Server) {
			s.Expect("SELECT  id\nFROM t;").Rows(mysqltest.Columns("id INT"), mysqltest.Row{1})
			s.Expect("INSERT INTO t VALUES ...").Times(2)
		}, []string{"insert into t values (1)", "select id from t", "insert into t values (2), (3)"}, []int{ok, rows, ok}, nil},
		{
			"never", func(s *mysqltest.Server) { s.Expect("select 1"); s.Expect("select 2").Times(2) },
			[]string{"select 2"},
			[]int{ok},
			[]string{`"select 1" (server_test.go:`, "was expected and did not come", `"select 2" (server_test.go:`, "came 1 times, 2 were expected"},
		},
		{
			"unexpected", func(s *mysqltest.Server) { s.Expect("select 1") },
			[]string{"select 2", "select 1", "select 1"},
			[]int{failed, ok, failed},
			[]string{`unexpected statement "select 2"`, "the text is another one", `unexpected statement "select 1"`, "nothing more is expected"},
		},
		{"error", func(s *mysqltest.Server) { s.Expect("select 1").Error(1064, "no") }, []string{"select 1"}, []int{failed}, nil},
		{"SET is allowed", func(*mysqltest.Server) {}, []string{"SET NAMES utf8mb4"}, []int{ok}, nil},
		{"SET is expected", func(s *mysqltest.Server) { s.Expect("set names ...").Error(1193, "no") }, []string{"SET NAMES x", "SET NAMES x"}, []int{failed, ok}, nil},
		{"allowed", func(s *mysqltest.Server) { s.Allow("show ... like ...").Rows(mysqltest.Columns("a")) }, []string{"show tables like 'x'", "show a like 'b'"}, []int{rows, rows}, nil},
		{"the newest counts", func(s *mysqltest.Server) {
			s.Allow("a").Error(1064, "")
			s.Allow("a").Exec(1, 1)
		}, []string{"a"}, []int{ok}, nil},
		{
			"out of order", func(s *mysqltest.Server) { s.InOrder(); s.Expect("a"); s.Expect("b") },
			[]string{"b", "a", "b"},
			[]int{failed, ok, ok},
			[]string{`unexpected statement "b"`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &witness{TB: t}
			s := mysqltest.NewServer(w)
			tt.expect(s)
			c := reach(t, s)
			for i, sql := range tt.asked {
				if got := c.ask(sql); got != tt.want[i] {
					t.Errorf("%s is answered with %d, want %d", sql, got, tt.want[i])
				}
			}
			if got := s.Statements(); strings.Join(got, "\n") != strings.Join(tt.asked, "\n") {
				t.Errorf("the server has seen %q", got)
			}
			rest, all := w.end(), w.said
			for _, part := range tt.said {
				at := strings.Index(rest, part)
				if at < 0 {
					t.Errorf("the server said %q, want %q in it", all, part)
					break
				}
				rest = rest[at+len(part):]
			}
			if len(tt.said) == 0 && len(all) > 0 {
				t.Errorf("the server said %q, want nothing", all)
			}
			if _, err := s.Dial(context.Background(), "", ""); err == nil {
				t.Error("after the end of the test the server can be reached")
			}
		})
	}
}

func TestAnswersOfAFunctionAndDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mysqltest.NewServer(t)
		s.Expect("who").Answer(func(_ context.Context, w *mysqlserver.Writer, c *mysqltest.Call) error {
			if c.Conn.User() != "anybody" || c.SQL != "who" {
				t.Errorf("the call is %+v", c)
			}
			return w.OK(mysqlserver.Result{AffectedRows: 3})
		})
		s.Expect("slow").Delay(time.Minute).Exec(1, 1)
		c := reach(t, s)
		c.ask("who")
		start := time.Now()
		c.ask("slow")
		if took := time.Since(start); took != time.Minute {
			t.Errorf("the answer took %v, want a minute", took)
		}
		c.Close()
	})
}

func TestColumns(t *testing.T) {
	got := mysqltest.Columns("a", "b BIGINT UNSIGNED", "c decimal(10, 2)", "d DATETIME(6)", "e TIME", "f BLOB", "g bit(8)", "h LONGTEXT")
	want := []mysql.Column{
		{Name: "a", Type: mysql.TypeVarString},
		{Name: "b", Type: mysql.TypeLonglong, Flags: mysql.FlagUnsigned},
		{Name: "c", Type: mysql.TypeNewDecimal, Decimals: 2},
		{Name: "d", Type: mysql.TypeDatetime, Decimals: 6},
		{Name: "e", Type: mysql.TypeTime},
		{Name: "f", Type: mysql.TypeBlob, Collation: mysql.CollationBinary},
		{Name: "g", Type: mysql.TypeBit, Length: 8},
		{Name: "h", Type: mysql.TypeBlob, Collation: 45},
	}
	for i := range want {
		want[i].OrgName = want[i].Name
		if fmt.Sprintf("%+v", got[i]) != fmt.Sprintf("%+v", want[i]) {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
	defer func() {
		if p := recover(); p == nil {
			t.Error("an unknown type is taken")
		}
	}()
	mysqltest.Columns("x NONSENSE")
}
