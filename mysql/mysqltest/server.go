package mysqltest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// Server is a server that answers as it was told. It is safe for concurrent
// use.
type Server struct {
	// Server is the server behind it. It may be changed before the first Dial:
	// to be a MariaDB, to let some users in only.
	Server *mysqlserver.Server

	t       testing.TB
	running sync.WaitGroup

	mu         sync.Mutex
	expected   []*Expectation
	allowed    []*Expectation
	ordered    bool
	statements []string
	dialed     int
	over       bool
}

// NewServer returns a server that lives until the end of the test. It lets
// every user in with any password, and has every database. A statement that
// was not expected is answered with an error and fails the test; at the end of
// the test so does an expectation that was not met. It works inside
// testing/synctest bubbles.
//
// Statements that begin with SET, which drivers send when they connect, are
// answered with OK unless they are expected, and mysqlclient's question about
// the process list, which it asks before it kills a statement, with the truth.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t}
	s.Server = &mysqlserver.Server{
		Auth: mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
			return &mysqlserver.Account{Factors: []auth.Verifier{everybody{}}, Super: true}, nil
		}),
		Plugin: auth.Native,
		Handler: mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
			return &session{s: s, c: c}, nil
		}),
		Trace: Flow(t),
	}
	s.Allow("SET ...").Exec(0, 0)
	s.Allow("SELECT id, user, host, LEFT(info, 60) FROM information_schema.processlist ...").Answer(s.processes)
	t.Cleanup(s.close)
	return s
}

// Dial connects to the server; network and addr do not matter. It is the Dial
// of mysqlclient's and sqldriver's configuration.
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, net.ErrClosed
	}
	s.dialed++
	client, server := pipe(s.dialed)
	s.running.Go(func() { // stops when the client has left, or with the test, which closes the server
		_ = s.Server.ServeConn(context.Background(), server)
	})
	return client, nil
}

// Expect says that a statement will come, once unless its expectation says
// something else. Two texts are the same when they differ in white space and
// in the case of letters only; three dots in the pattern stand for anything.
// Statements come as text or prepared, with their placeholders. Where several
// expectations fit the first one counts that has not been met.
func (s *Server) Expect(pattern string) *Expectation {
	e := newExpectation(pattern, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = append(s.expected, e)
	return e
}

// Allow says how a statement is answered that may come, any number of times,
// and need not. What is expected goes first; of what is allowed the newest.
func (s *Server) Allow(pattern string) *Expectation {
	e := newExpectation(pattern, 0)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = append(s.allowed, e)
	return e
}

// InOrder wants the expected statements in the order in which they were
// expected, over all connections.
func (s *Server) InOrder() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ordered = true
}

// Statements returns what has been asked so far.
func (s *Server) Statements() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.statements)
}

// processes answers with the connections of the server.
func (s *Server) processes(_ context.Context, w *mysqlserver.Writer, _ *Call) error {
	if err := w.Columns(Columns("id BIGINT", "user", "host", "info")); err != nil {
		return err
	}
	for _, p := range s.Server.Processes() {
		if err := w.Row(values([]any{p.ID, p.User, p.Host, p.Info[:min(len(p.Info), 60)]})); err != nil {
			return err
		}
	}
	return nil
}

// close ends the connections and says which statements have not come.
func (s *Server) close() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	_ = s.Server.Close()
	s.running.Wait()
	for _, e := range s.expected {
		switch {
		case e.met >= e.times:
		case e.met > 0:
			s.t.Errorf("mysqltest: %s came %d times, %d were expected", e, e.met, e.times)
		default:
			s.t.Errorf("mysqltest: %s was expected and did not come", e)
		}
	}
}

// find returns the expectation that a statement fits, or why there is none.
// args is nil while the statement is only being prepared.
func (s *Server) find(sql string, args []mysql.Value, count bool) (*Expectation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if count {
		s.statements = append(s.statements, sql)
	}
	words := squeeze(sql)
	var reasons []string
	for _, e := range s.expected {
		if e.met >= e.times {
			continue
		}
		why := e.unlike(words, args, count)
		if why == "" {
			if count {
				e.met++
			}
			return e, nil
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s", e, why))
		if s.ordered && count {
			break
		}
	}
	for _, e := range slices.Backward(s.allowed) {
		if e.unlike(words, args, count) == "" {
			return e, nil
		}
	}
	if len(reasons) == 0 {
		reasons = []string{"nothing more is expected"}
	}
	if len(args) > 0 {
		sql += " with " + show(args)
	}
	err := fmt.Errorf("mysqltest: unexpected statement %q\n  %s", sql, strings.Join(reasons, "\n  "))
	s.t.Error(err)
	return nil, mysqlserver.Errorf(1105, "%s", err.Error())
}

// session is a connection to a Server.
type session struct {
	mysqlserver.Unsupported
	s *Server
	c *mysqlserver.Conn
}

// Query answers a statement that came as text.
func (c *session) Query(ctx context.Context, w *mysqlserver.Writer, q *mysqlserver.Query) error {
	if id, queryOnly, ok := killed(q.SQL); ok {
		return c.c.Kill(id, queryOnly)
	}
	e, err := c.s.find(q.SQL, nil, true)
	if err != nil {
		return err
	}
	return e.answer(ctx, w, &Call{Conn: c.c, SQL: q.SQL, Attributes: q.Attributes})
}

// killed reads a KILL, which needs no expectation: clients send it when a
// context ends.
func killed(sql string) (id uint32, queryOnly, ok bool) {
	words := strings.Fields(strings.ToUpper(sql))
	if len(words) < 2 || words[0] != "KILL" {
		return 0, false, false
	}
	queryOnly = words[1] == "QUERY"
	_, err := fmt.Sscanf(words[len(words)-1], "%d", &id)
	return id, queryOnly, err == nil
}

// UseDatabase has every database.
func (c *session) UseDatabase(context.Context, string) error { return nil }

// Prepare prepares a statement that is expected.
func (c *session) Prepare(_ context.Context, sql string) (mysqlserver.Statement, error) {
	e, err := c.s.find(sql, nil, false)
	if err != nil {
		return nil, err
	}
	return &statement{c: c, sql: sql, params: len(lexer.Placeholders(sql, lexer.Config{})), columns: e.columns()}, nil
}

// statement is a prepared statement of a session.
type statement struct {
	c       *session
	sql     string
	params  int
	columns []mysql.Column
}

// NumParams counts the placeholders.
func (p *statement) NumParams() int { return p.params }

// Columns are those of the first expectation that fitted the text.
func (p *statement) Columns() []mysql.Column { return p.columns }

// Execute answers as the expectation says that fits text and arguments.
func (p *statement) Execute(ctx context.Context, w *mysqlserver.Writer, x *mysqlserver.Execution) error {
	e, err := p.c.s.find(p.sql, x.Args, true)
	if err != nil {
		return err
	}
	return e.answer(ctx, w, &Call{Conn: p.c.c, SQL: p.sql, Args: x.Args, Attributes: x.Attributes})
}

// Close does nothing.
func (p *statement) Close() {}

// everybody is the account of a user who may have any password.
type everybody struct{}

// Plugin is one that every client knows.
func (everybody) Plugin() string { return auth.Native }

// Session begins a login.
func (everybody) Session(l *auth.Login) auth.Session { return welcome{l.Nonce} }

type welcome struct{ nonce []byte }

// Challenge returns the nonce and the NUL behind it.
func (w welcome) Challenge() []byte { return append(slices.Clone(w.nonce), 0) }

// Next takes any answer.
func (welcome) Next([]byte) ([]byte, auth.Verdict) { return nil, auth.Accepted }

// sleep waits for d unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
