package mysqlserver_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/mysql"
)

// life is a model of the prepared statements of a connection.
type life struct {
	open map[uint32]*model
	next uint32
}

type model struct {
	long string // sent ahead; "": nothing
	rows int    // left in the cursor; -1: there is none
}

// TestStatementLife compares a server with a model: what is prepared, sent
// ahead, executed, fetched, reset and closed in any order.
func TestStatementLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newServer(t)
		s.Limits.Statements, s.Limits.LongData = 5, 20
		c := logIn(t, s, modern)
		c.rude = true // it uses statements that it has closed
		l := &life{open: make(map[uint32]*model)}
		id := func() uint32 { return uint32(rapid.IntRange(1, int(l.next)+1).Draw(rt, "id")) }
		held := func() (n int) {
			for _, m := range l.open {
				n += len(m.long)
			}
			return n
		}
		check := func(what, got, prefix string) {
			if !strings.HasPrefix(got, prefix) {
				rt.Fatalf("%s is answered with %s, want %s", what, got, prefix)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"prepare": func(rt *rapid.T) {
				c.say(&mysql.StmtPrepare{SQL: []byte("echo ?")})
				if len(l.open) == s.Limits.Statements {
					check("prepare", c.answered(), "ERR 1461")
					return
				}
				l.next++
				m, ok := c.hear().(*mysql.StmtPrepareOK)
				if !ok || m.ID != l.next {
					rt.Fatalf("prepared as %+v, want id %d", m, l.next)
				}
				c.answered()
				l.open[l.next] = &model{rows: -1}
			},
			"send ahead": func(rt *rapid.T) {
				n, text := id(), rapid.StringMatching("[a-z]{1,5}").Draw(rt, "text")
				m := l.open[n]
				if m == nil || held()+len(text) > s.Limits.LongData {
					rt.Skip("ends in an error that another test looks at")
				}
				m.long += text
				c.say(&mysql.StmtSendLongData{ID: n, Data: []byte(text)})
			},
			"execute": func(*rapid.T) {
				n := id()
				m := l.open[n]
				p := mysql.NewParam(mysql.String("now"))
				want := "now"
				if m != nil && m.long != "" {
					p.Long, want = true, m.long
				}
				c.say(&mysql.StmtExecute{ID: n, Iterations: 1, NewTypes: true, Params: []mysql.Param{p}})
				got := c.answered()
				if m == nil {
					check("execute", got, "ERR 1243")
					return
				}
				if !strings.Contains(got, "\nbinary "+want+"\n") {
					rt.Fatalf("execute is answered with %s, want %s", got, want)
				}
				*m = model{rows: -1}
			},
			"open": func(*rapid.T) {
				n := id()
				m := l.open[n]
				if m != nil && m.long != "" {
					return
				}
				c.say(&mysql.StmtExecute{ID: n, Flags: mysql.CursorReadOnly, Iterations: 1, NewTypes: true, Params: []mysql.Param{mysql.NewParam(mysql.String("kept"))}})
				got := c.answered()
				if m == nil {
					check("open", got, "ERR 1243")
					return
				}
				if !strings.Contains(got, "CURSOR_EXISTS") || strings.Contains(got, "kept") {
					rt.Fatalf("open is answered with %s", got)
				}
				m.rows = 1
			},
			"fetch": func(*rapid.T) {
				n := id()
				c.say(&mysql.StmtFetch{ID: n, Rows: 3})
				got := c.answered()
				switch m := l.open[n]; {
				case m == nil:
					check("fetch", got, "ERR 1243")
				case m.rows < 0:
					check("fetch", got, "ERR 1421")
				default:
					check("fetch", got, "binary kept\nOK end=true affected=0 id=0 SERVER_STATUS_AUTOCOMMIT|SERVER_STATUS_LAST_ROW_SENT")
					m.rows = -1
				}
			},
			"reset": func(*rapid.T) {
				n := id()
				c.say(&mysql.StmtReset{ID: n})
				if l.open[n] == nil {
					check("reset", c.answered(), "ERR 1243")
					return
				}
				check("reset", c.answered(), "OK")
				*l.open[n] = model{rows: -1}
			},
			"close": func(*rapid.T) {
				n := id()
				c.say(&mysql.StmtClose{ID: n})
				delete(l.open, n)
			},
			"begin anew": func(*rapid.T) {
				c.say(&mysql.ResetConnection{})
				check("reset of the connection", c.answered(), "OK")
				clear(l.open)
			},
			"": func(rt *rapid.T) {
				if n := held(); n > s.Limits.LongData {
					rt.Fatalf("the model holds %d bytes", n)
				}
			},
		})
		c.done()
	})
}
