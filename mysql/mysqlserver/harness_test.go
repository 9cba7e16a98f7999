package mysqlserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// What clients of the tests can do: as old as possible, and everything.
const (
	oldest = mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection | mysql.ClientPluginAuth |
		mysql.ClientTransactions | mysql.ClientMultiResults | mysql.ClientPSMultiResults
	modern = oldest | mysql.ClientConnectWithDB | mysql.ClientDeprecateEOF | mysql.ClientSessionTrack | mysql.ClientMultiStatements |
		mysql.ClientPluginAuthLenencClientData | mysql.ClientConnectAttrs | mysql.ClientOptionalResultsetMetadata |
		mysql.ClientQueryAttributes | mysql.ClientMultiFactorAuthentication | mysql.ClientLocalFiles
	mariaDB = modern&^(mysql.ClientLongPassword|mysql.ClientOptionalResultsetMetadata|mysql.ClientQueryAttributes) |
		mysql.MariaDBProgress | mysql.MariaDBBulkOperations | mysql.MariaDBExtendedMetadata | mysql.MariaDBCacheMetadata
)

const user, password = "app", "secret"

// client is a scripted peer of a server under test. A Flow judges everything
// that both say.
type client struct {
	testing.TB
	conn   *testkit.Conn
	pc     *packet.Conn
	flow   flow.Flow
	rude   bool // the client breaks rules on purpose: only the server is judged
	hello  *mysql.HandshakeV10
	served chan error
	server *mysqlserver.Server
}

// newServer returns a server with one user, and sessions of the language of
// session.
func newServer(t testing.TB) *mysqlserver.Server {
	t.Helper()
	v, err := auth.NewAccount(auth.Native, password)
	if err != nil {
		t.Fatal(err)
	}
	return &mysqlserver.Server{
		Plugin: auth.Native,
		Auth: mysqlserver.AuthenticatorFunc(func(_ context.Context, l *mysqlserver.Login) (*mysqlserver.Account, error) {
			if l.User != user {
				return nil, nil
			}
			return &mysqlserver.Account{Factors: []auth.Verifier{v}}, nil
		}),
		Handler: mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
			return &session{c: c}, nil
		}),
		Limits: mysqlserver.Limits{FailureDelay: -1},
	}
}

// connect returns a client that has connected to s and said nothing yet.
func connect(t testing.TB, s *mysqlserver.Server) *client {
	t.Helper()
	cc, sc := testkit.NewPipe(testkit.PipeConfig{})
	c := &client{TB: t, conn: cc, pc: packet.New(cc, &packet.Config{Role: trace.Client}), served: make(chan error, 1), server: s}
	go func() { // stops when the client closes, see end
		c.served <- s.ServeConn(context.Background(), sc)
	}()
	return c
}

// logIn returns a client that has logged in.
func logIn(t testing.TB, s *mysqlserver.Server, caps mysql.Capabilities) *client {
	t.Helper()
	c := connect(t, s)
	c.greeted()
	c.answer(caps, user, password, "")
	c.wantOK()
	return c
}

// greeted reads the greeting.
func (c *client) greeted() {
	c.Helper()
	m, ok := c.hear().(*mysql.HandshakeV10)
	if !ok {
		c.Fatalf("no greeting")
	}
	c.hello = m
}

// answer sends the answer to the greeting.
func (c *client) answer(caps mysql.Capabilities, user, password, db string) {
	c.Helper()
	e := auth.NewExchange(&auth.Config{Passwords: []string{password}}, c.hello.AuthPlugin, c.hello.AuthData)
	plugin, proof, err := e.First()
	if err != nil {
		c.Fatal(err)
	}
	caps &= c.hello.Capabilities
	if caps.MariaDB() != c.hello.MariaDB() {
		c.Fatalf("a client for MariaDB: %v, a server: %v", caps.MariaDB(), c.hello.MariaDB())
	}
	c.say(&mysql.HandshakeResponse41{
		Capabilities: caps, MaxPacket: 1 << 24, Collation: 45, User: user, AuthResponse: proof, Database: db, AuthPlugin: plugin,
		Attributes: []mysql.Attribute{{Name: "program_name", Value: "test"}},
	})
}

// say sends messages in one write. A command begins a conversation.
func (c *client) say(list ...wire.Message) {
	c.Helper()
	for _, m := range list {
		if e := mysql.Messages.Entry(m); e.Context == mysql.ContextCommand {
			c.pc.Begin()
		}
		_, err := c.flow.Saw(wire.C2S, m)
		if err != nil && !c.rude {
			c.Errorf("flow: %v", err)
		}
		if err := c.pc.Append(m); err != nil {
			c.Fatalf("encode %T: %v", m, err)
		}
		c.pc.SetDialect(c.flow.Dialect())
	}
	if err := c.pc.Flush(); err != nil {
		c.Fatalf("write: %v", err)
	}
}

// payload sends a packet of any content as a command.
func (c *client) payload(b ...byte) {
	c.Helper()
	c.pc.Begin()
	c.pc.AppendPayload(b)
	if err := c.pc.Flush(); err != nil {
		c.Fatalf("write: %v", err)
	}
	m, _, _ := c.flow.Next(wire.C2S, b)
	_ = mysql.Parse(b, m, c.flow.Dialect())
	_, _ = c.flow.Saw(wire.C2S, m)
}

// raw writes bytes.
func (c *client) raw(b []byte) {
	c.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.Fatalf("write: %v", err)
	}
}

// next reads a packet and decodes it.
func (c *client) next() (wire.Message, error) {
	c.Helper()
	p, err := c.pc.ReadPacket()
	if err != nil {
		return nil, err
	}
	m, _, err := c.flow.Next(wire.S2C, p)
	if err != nil {
		c.Errorf("flow: %v", err)
	}
	if err := mysql.Parse(p, m, c.flow.Dialect()); err != nil {
		c.Errorf("decode %T: %v", m, err)
	}
	if _, err := c.flow.Saw(wire.S2C, m); err != nil {
		c.Errorf("flow: %v", err)
	}
	c.pc.SetDialect(c.flow.Dialect())
	return m, nil
}

// hear is next where something must come.
func (c *client) hear() wire.Message {
	c.Helper()
	m, err := c.next()
	if err != nil {
		c.Fatalf("read: %v", err)
	}
	return m
}

// wantOK reads an OK.
func (c *client) wantOK() *mysql.OK {
	c.Helper()
	m := c.hear()
	ok, is := m.(*mysql.OK)
	if !is {
		c.Fatalf("got %s, want OK", describe(m))
	}
	return ok
}

// wantError reads an ERR.
func (c *client) wantError(code uint16) *mysql.ERR {
	c.Helper()
	m := c.hear()
	e, is := m.(*mysql.ERR)
	if !is || e.Code != code {
		c.Fatalf("got %s, want error %d", describe(m), code)
	}
	return e
}

// wantEnd wants the server to close the connection.
func (c *client) wantEnd() {
	c.Helper()
	if m, err := c.next(); err == nil {
		c.Errorf("got %s, want the end of the connection", describe(m))
	}
}

// answered reads answers up to the end of the last one, as lines.
func (c *client) answered() string {
	c.Helper()
	var lines []string
	for c.flow.Pending() > 0 {
		lines = append(lines, describe(c.hear()))
	}
	return strings.Join(lines, "\n")
}

// query sends a statement and returns the answers as lines.
func (c *client) query(sql string) string {
	c.Helper()
	c.say(&mysql.Query{SQL: []byte(sql)})
	return c.answered()
}

// describe returns a message in a short form.
func describe(m wire.Message) string {
	var b strings.Builder
	switch m := m.(type) {
	case *mysql.OK:
		fmt.Fprintf(&b, "OK end=%v affected=%d id=%d %v warnings=%d info=%q", m.End, m.AffectedRows, m.LastInsertID, m.Status, m.Warnings, m.Info)
		for _, t := range m.Track {
			fmt.Fprintf(&b, " %v=%q%v", t.Kind, t.Value, t.Variables)
		}
	case *mysql.EOF:
		fmt.Fprintf(&b, "EOF %v warnings=%d", m.Status, m.Warnings)
	case *mysql.ERR:
		fmt.Fprintf(&b, "ERR %d %s %s", m.Code, m.State, m.Message)
	case *mysql.ColumnCount:
		fmt.Fprintf(&b, "count %d", m.Count)
	case *mysql.Column:
		fmt.Fprintf(&b, "column %s %v", m.Name, m.Type)
	case *mysql.TextRow:
		for i, cell := range m.Cells {
			if i > 0 {
				b.WriteByte('|')
			}
			if cell == nil {
				b.WriteString("NULL")
			}
			b.Write(cell)
		}
	case *mysql.BinaryRow:
		b.WriteString("binary ")
		for i, v := range m.Values {
			if i > 0 {
				b.WriteByte('|')
			}
			b.WriteString(v.String())
		}
	default:
		fmt.Fprintf(&b, "%T", m)
	}
	return b.String()
}

// end leaves and returns what ServeConn returned.
func (c *client) end() error {
	c.Helper()
	c.conn.Close()
	return <-c.served
}

// done leaves as clients do, and wants no error.
func (c *client) done() {
	c.Helper()
	c.say(&mysql.Quit{})
	if _, err := c.next(); !errors.Is(err, io.EOF) {
		c.Errorf("after COM_QUIT: %v, want the end", err)
	}
	if err := c.end(); err != nil {
		c.Errorf("ServeConn: %v", err)
	}
}

func want(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got\n%s\nwant\n%s", what, indent(got), indent(want))
	}
}

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }
