package mysqlclient

import (
	"context"
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/wire"
)

// Pipeline collects statements that are sent without waiting for each other's
// answers: all of them cost one round trip. A statement with arguments that the
// connection has not prepared before costs one more, for all of them together.
//
//	p := conn.Pipeline()
//	p.Add("INSERT INTO t VALUES (?)", 1)
//	p.Add("SELECT COUNT(*) FROM t")
//	answers, err := p.Flush(ctx)
//	…
//	for answers.Next() {
//		rows := answers.Rows()
//		…
//	}
//	err = answers.Close()
//
// A statement that fails does not keep the ones behind it from being executed:
// a COMMIT behind an INSERT commits what there is. A LOAD DATA LOCAL is refused.
type Pipeline struct {
	c     *Conn
	calls []call
	err   error
}

// call is a statement in a pipeline.
type call struct {
	sql        string
	params     []mysql.Param
	attributes []mysql.Param
	args       bool // it has arguments, so it is prepared
	stmt       *prepared
}

// Pipeline returns an empty pipeline.
func (c *Conn) Pipeline() *Pipeline { return &Pipeline{c: c} }

// Add queues a statement. Arguments are taken as they are now; byte slices must
// not change before Flush has returned its last answer. What is wrong with them
// is reported by Flush.
func (p *Pipeline) Add(sql string, args ...any) {
	if p.err != nil {
		return
	}
	params, readers, err := p.c.params(args)
	switch {
	case err != nil:
		p.err = err
	case readers != nil:
		p.err = &ArgError{Index: -1, What: "a pipeline takes no readers"}
	case lexer.AsksLocalFile(sql, p.c.reads()):
		p.err = ErrInfile
	}
	for i := range params {
		params[i].Long = false
	}
	p.calls = append(p.calls, call{sql: sql, params: params, args: len(args) > 0})
}

// Len returns how many statements are queued.
func (p *Pipeline) Len() int { return len(p.calls) }

// Flush sends what is queued and empties the pipeline. The connection is busy
// until the last answer was read or Answers.Close called; ctx covers all of that.
func (p *Pipeline) Flush(ctx context.Context) (*Answers, error) {
	c, calls, err := p.c, p.calls, p.err
	p.calls, p.err = nil, nil
	if err != nil {
		return nil, err
	}
	for i := range calls {
		if calls[i].attributes, err = c.queryAttributes(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.line.Begin(ctx, fmt.Sprintf("a pipeline of %d statements", len(calls)), ""); err != nil {
		return nil, err
	}
	c.pc.Apart(true)
	a := &Answers{c: c, calls: calls, at: -1}
	if err := a.prepare(); err != nil {
		c.pc.Apart(false)
		c.leftovers = append(c.leftovers, a.late...)
		if _, wrong := err.(*ArgError); wrong { //nolint:errorlint // it is never wrapped
			c.end()
			return nil, err
		}
		return nil, c.done(err)
	}
	for i := range calls {
		c.touch(calls[i].sql)
		a.waiting = append(a.waiting, calls[i].sql)
	}
	c.line.Await(a.waiting)
	a.numbers = c.line.Send(len(calls), func(i int) error { return c.putAt(i, calls[i].message(c.server.Capabilities)) })
	return a, nil
}

// message returns the command for a call.
func (q *call) message(caps mysql.Capabilities) wire.Message {
	if !q.args {
		return &mysql.Query{Attributes: q.attributes, SQL: []byte(q.sql)}
	}
	x := execution{params: q.params, attributes: q.attributes}
	return x.message(q.stmt.id, caps)
}

// reads returns how the server reads SQL.
func (c *Conn) reads() lexer.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.names
}

// Answers are the answers to a pipeline, in its order.
type Answers struct {
	c       *Conn
	calls   []call
	waiting []string // their texts
	late    []uint32 // statements to close behind them
	at      int      // the present one
	numbers <-chan uint8
	rows    *Rows
	err     error // the first one
	ended   bool
}

// prepare prepares what is not prepared yet, all of it in one flight.
func (a *Answers) prepare() error {
	c := a.c
	var missing []string
	first := map[string]*prepared{}
	for i := range a.calls {
		q := &a.calls[i]
		if _, seen := first[q.sql]; !q.args || seen {
			continue
		}
		p := c.cache.get(q.sql)
		if first[q.sql] = p; p == nil {
			missing = append(missing, q.sql)
		}
	}
	numbers := c.line.Send(len(missing), func(i int) error { return c.putAt(i, &mysql.StmtPrepare{SQL: []byte(missing[i])}) })
	var failed error
	var made []*prepared
	for _, sql := range missing {
		n, ok := <-numbers
		if ok {
			c.pc.Expect(n)
		}
		p, err := c.readPrepared(sql)
		switch {
		case err == nil:
			first[sql] = p
			made = append(made, p)
		case !isServer(err):
			err = c.fail(err)
			for range numbers { // whoever writes is cut off, and has ended then
			}
			return err
		case failed == nil:
			failed = err
		}
	}
	for range numbers { // whoever writes has ended
	}
	// Statements that have to leave the cache for new ones may be among those to
	// be executed: they are closed behind the pipeline.
	waiting := c.leftovers
	c.leftovers = nil
	for _, p := range made {
		c.keep(p)
	}
	a.late, c.leftovers = c.leftovers, waiting
	for i := range a.calls {
		if q := &a.calls[i]; q.args && failed == nil {
			q.stmt = first[q.sql]
			x := execution{params: q.params}
			failed = x.count(q.stmt)
		}
	}
	return failed
}

// Next goes on to the next answer, past what has not been read of the present
// one. It returns false behind the last one, and when the connection is lost.
func (a *Answers) Next() bool {
	if a.ended {
		return false
	}
	a.skip()
	a.at++
	if a.at == len(a.calls) || a.c.Err() != nil {
		a.end()
		return false
	}
	c := a.c
	c.line.Await(a.waiting[a.at:])
	if n, ok := <-a.numbers; ok {
		c.pc.Expect(n)
	}
	a.rows = &Rows{c: c, sql: a.calls[a.at].sql, stmt: a.calls[a.at].stmt, answers: a}
	a.rows.head()
	return true
}

// Index returns the number of the present statement in its pipeline, from 0.
func (a *Answers) Index() int { return a.at }

// Rows returns the present answer; its error tells when the statement failed.
// They are valid until Next.
func (a *Answers) Rows() *Rows { return a.rows }

// Result reads the present answer to its end and returns how it ended.
func (a *Answers) Result() (Result, error) { return a.rows.all() }

// skip reads the present answer to its end and keeps the first error.
func (a *Answers) skip() {
	if a.rows == nil {
		return
	}
	if err := a.rows.Close(); err != nil && a.err == nil {
		a.err = fmt.Errorf("statement %d of the pipeline: %w", a.at+1, err)
	}
}

// Close reads the answers that have not been read and returns the first error
// of any statement, the answers read before included.
func (a *Answers) Close() error {
	for a.Next() {
	}
	return a.err
}

// end ends the command.
func (a *Answers) end() {
	a.ended = true
	for range a.numbers { // whoever writes has ended
	}
	a.c.pc.Apart(false)
	a.c.leftovers = append(a.c.leftovers, a.late...)
	if err := a.c.Err(); err != nil && a.err == nil {
		a.err = err
	}
	a.c.end()
}
