package mysqlclient

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// Stmt is a prepared statement of one connection. It outlives resets of the
// session: it is then prepared again when it is next used.
type Stmt struct {
	c      *Conn
	p      *prepared
	closed bool
}

// Prepare makes a prepared statement. Queries with arguments do that by
// themselves; a Stmt serves those that want its columns, or a cursor.
func (c *Conn) Prepare(ctx context.Context, sql string) (*Stmt, error) {
	if err := c.fits(ctx, len(sql)); err != nil {
		return nil, err
	}
	if err := c.line.Begin(ctx, "the preparation of", sql); err != nil {
		return nil, err
	}
	p, err := c.prepare(sql)
	if err := c.done(err); err != nil {
		return nil, err
	}
	return &Stmt{c: c, p: p}, nil
}

// NumParams returns the number of placeholders.
func (s *Stmt) NumParams() int { return s.p.params }

// Columns describes the columns that an execution will have, as far as the
// server knows: MariaDB may choose other types when it executes. nil: it will
// have no rows. The slice is shared and is not to be written to.
func (s *Stmt) Columns() []mysql.Column { return s.p.columns }

// Query executes the statement; see [Conn.Query].
func (s *Stmt) Query(ctx context.Context, args ...any) (*Rows, error) {
	return s.c.execute(ctx, s.p.sql, s, args, nil)
}

// Exec executes the statement; see [Conn.Exec].
func (s *Stmt) Exec(ctx context.Context, args ...any) (Result, error) {
	r, err := s.Query(ctx, args...)
	if err != nil {
		return Result{}, err
	}
	return r.all()
}

// Cursor executes the statement and lets the server keep its rows, which are
// fetched a number at a time, as they are asked for. Between two fetches the
// connection is free for other statements; ctx covers each fetch. A batch is held
// in memory. A server that makes no cursor for a statement sends all rows at
// once, as for Query.
func (s *Stmt) Cursor(ctx context.Context, fetch int, args ...any) (*Rows, error) {
	return s.c.execute(ctx, s.p.sql, s, args, &cursor{ctx: ctx, fetch: uint32(max(fetch, 1))})
}

// Close forgets the statement. The server is told with the next command, so it
// costs no round trip. Rows of it must have been read or closed before.
func (s *Stmt) Close() error {
	if !s.closed {
		s.closed = true
		s.c.drop(s.p)
	}
	return nil
}

// errStmtClosed says that a statement was used behind its Close.
var errStmtClosed = errors.New("mysql: the statement is closed")

// drop has the server forget a statement with the next write.
func (c *Conn) drop(p *prepared) {
	if p != nil && p.epoch == c.epoch {
		c.leftovers = append(c.leftovers, p.id)
	}
}

// prepare prepares sql within a command.
func (c *Conn) prepare(sql string) (*prepared, error) {
	if err := c.put(&mysql.StmtPrepare{SQL: []byte(sql)}); err != nil {
		return nil, err
	}
	if err := c.line.Flush(); err != nil {
		return nil, err
	}
	p, err := c.readPrepared(sql)
	if err == nil && c.pc.Buffered() > 0 { // counts are modulo 65,536
		err = &ProtocolError{What: "more definitions than it announced"}
	}
	return p, err
}

// readPrepared reads the answer to a preparation.
func (c *Conn) readPrepared(sql string) (*prepared, error) {
	p, err := c.line.Read()
	if err != nil {
		return nil, err
	}
	switch p[0] {
	case mysql.HeaderERR:
		return nil, c.line.ServerError(p)
	case mysql.HeaderOK:
	default:
		return nil, &ProtocolError{What: fmt.Sprintf("a packet that begins with %#02x behind a preparation", p[0])}
	}
	var m mysql.StmtPrepareOK
	if err := c.line.Parse(p, &m); err != nil {
		return nil, err
	}
	if _, err := c.described(int(m.Params)); err != nil {
		return nil, err
	}
	columns, err := c.described(int(m.Columns))
	if err != nil {
		return nil, err
	}
	return &prepared{sql: sql, id: m.ID, epoch: c.epoch, params: int(m.Params), columns: columns}, nil
}

// described reads n definitions and the EOF that may stand behind them.
func (c *Conn) described(n int) ([]mysql.Column, error) {
	columns, err := c.line.Columns(n)
	if err != nil || n == 0 || c.server.Capabilities.Has(mysql.ClientDeprecateEOF) {
		return columns, err
	}
	_, err = c.line.Middle()
	return columns, err
}

// execution is one execution of a prepared statement.
type execution struct {
	sql        string
	args       []any
	params     []mysql.Param
	readers    []io.Reader
	attributes []mysql.Param
	cursor     *cursor
	ahead      bool // something is sent ahead of the execution
}

// execute executes a statement: stmt's, or the cached one for sql.
func (c *Conn) execute(ctx context.Context, sql string, stmt *Stmt, args []any, cur *cursor) (*Rows, error) {
	if stmt != nil && stmt.closed {
		return nil, errStmtClosed
	}
	x := &execution{sql: sql, args: args, cursor: cur}
	var err error
	if x.params, x.readers, err = c.params(args); err != nil {
		return nil, err
	}
	if x.attributes, err = c.queryAttributes(ctx); err != nil {
		return nil, err
	}
	size := len(sql)
	for i := range x.params {
		x.ahead = x.ahead || x.params[i].Long
		if !x.params[i].Long {
			size += len(x.params[i].Value.Bytes())
		}
	}
	if err := c.fits(ctx, size); err != nil {
		return nil, err
	}
	if err := c.line.Begin(ctx, "the rows of", sql); err != nil {
		return nil, err
	}
	c.touch(sql)
	r, err := c.run(x, stmt)
	if err != nil {
		if _, wrong := err.(*ArgError); wrong { //nolint:errorlint // it is never wrapped
			c.end()
			return nil, err
		}
		return nil, c.done(err)
	}
	return c.answer(r)
}

// run sends an execution and returns the rows to read its answer into. It
// prepares what is not prepared yet; where the server allows it, in the same
// write.
func (c *Conn) run(x *execution, stmt *Stmt) (*Rows, error) {
	p := c.cache.get(x.sql)
	if stmt != nil {
		p = stmt.p
	}
	if p == nil && c.oneFlight(x) {
		return c.runUnseen(x)
	}
	var err error
	if p == nil || p.epoch != c.epoch {
		if p, err = c.prepareFor(x.sql, stmt); err != nil {
			return nil, err
		}
	}
	if err := x.count(p); err != nil {
		return nil, err
	}
	if err := c.sendExecution(x, p); err != nil {
		return nil, err
	}
	return &Rows{c: c, sql: x.sql, stmt: p, cursor: x.cursor, again: &retry{x, stmt}}, nil
}

// prepareFor prepares sql for stmt, or for the cache.
func (c *Conn) prepareFor(sql string, stmt *Stmt) (*prepared, error) {
	p, err := c.prepare(sql)
	if err != nil {
		return nil, err
	}
	if stmt != nil {
		stmt.p = p
	} else {
		c.keep(p)
	}
	return p, nil
}

// keep puts a statement into the cache.
func (c *Conn) keep(p *prepared) { c.drop(c.cache.add(p)) }

func (x *execution) count(p *prepared) error {
	if len(x.params) != p.params {
		return &ArgError{Index: -1, What: fmt.Sprintf("the statement has %d placeholders and got %d arguments", p.params, len(x.params))}
	}
	return nil
}

// sendExecution sends an execution, behind what goes ahead of it.
func (c *Conn) sendExecution(x *execution, p *prepared) error {
	if x.ahead {
		if err := c.sendAhead(x, p); err != nil {
			return err
		}
	}
	if err := c.put(x.message(p.id, c.server.Capabilities)); err != nil {
		return err
	}
	return c.line.Flush()
}

// message returns the command that executes statement id.
func (x *execution) message(id uint32, caps mysql.Capabilities) *mysql.StmtExecute {
	m := &mysql.StmtExecute{ID: id, Iterations: 1, NewTypes: true, Params: x.params}
	if caps.Has(mysql.ClientQueryAttributes) {
		m.Flags |= mysql.ParameterCountAvailable
		m.Params = append(m.Params[:len(m.Params):len(m.Params)], x.attributes...)
	}
	if x.cursor != nil {
		m.Flags |= mysql.CursorReadOnly
	}
	return m
}

// sendAhead sends the long arguments. They are not answered: what goes wrong is
// told by the execution.
func (c *Conn) sendAhead(x *execution, p *prepared) error {
	var b []byte
	for i := range x.params {
		switch {
		case !x.params[i].Long:
		case x.readers != nil && x.readers[i] != nil:
			if b == nil {
				b = make([]byte, longPiece)
			}
			if err := c.sendReader(p.id, i, x.readers[i], b); err != nil {
				return err
			}
		default:
			data := x.params[i].Value.Bytes()
			for len(data) > 0 {
				n := min(len(data), longPiece)
				if err := c.sendPiece(p.id, i, data[:n]); err != nil {
					return err
				}
				data = data[n:]
			}
		}
	}
	return nil
}

func (c *Conn) sendReader(id uint32, param int, src io.Reader, b []byte) error {
	if err := c.sendPiece(id, param, nil); err != nil { // an empty argument is not NULL
		return err
	}
	for {
		n, err := io.ReadFull(src, b)
		if n > 0 {
			if err := c.sendPiece(id, param, b[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		default:
			return fmt.Errorf("reading an argument: %w", err)
		}
	}
}

func (c *Conn) sendPiece(id uint32, param int, b []byte) error {
	if err := c.put(&mysql.StmtSendLongData{ID: id, Param: uint16(param), Data: b}); err != nil {
		return err
	}
	return c.line.Flush()
}

// oneFlight reports whether a statement may be prepared and executed in one
// write: MariaDB knows the statement prepared last without its number. The
// placeholders must have been counted here, for a wrong number of arguments would
// be taken for other arguments.
func (c *Conn) oneFlight(x *execution) bool {
	return c.server.Capabilities.Has(mysql.MariaDBBulkOperations) && !x.ahead && x.cursor == nil &&
		len(lexer.Placeholders(x.sql, c.names)) == len(x.params)
}

// runUnseen prepares and executes a statement in one write.
func (c *Conn) runUnseen(x *execution) (*Rows, error) {
	c.pc.Apart(true)
	defer c.pc.Apart(false)
	if err := c.put(&mysql.StmtPrepare{SQL: []byte(x.sql)}); err != nil {
		return nil, err
	}
	first := c.pc.Sequence()
	if err := c.put(x.message(mysql.LastPrepared, c.server.Capabilities)); err != nil {
		return nil, err
	}
	second := c.pc.Sequence()
	if err := c.line.Flush(); err != nil {
		return nil, err
	}
	c.pc.Expect(first)
	p, err := c.readPrepared(x.sql)
	if err != nil && !isServer(err) {
		return nil, err
	}
	c.pc.Expect(second)
	if err != nil {
		if refused := c.ack(); !isServer(refused) { // nothing was prepared, so nothing can be executed
			return nil, &ProtocolError{What: "it executed a statement that it had not prepared", Err: refused}
		}
		return nil, err
	}
	c.keep(p)
	return &Rows{c: c, sql: x.sql, stmt: p}, nil
}

// retry is what it takes to execute a statement once more.
type retry struct {
	x    *execution
	stmt *Stmt
}

// Errors of servers that have forgotten a statement, or what it was made of. The
// statement was not executed then, unless it is one that executes others: the
// error may be that of one of those.
const (
	errUnknownStatement = 1243 // ER_UNKNOWN_STMT_HANDLER
	errNeedsPreparing   = 1615 // ER_NEED_REPREPARE
)

// prepareAgain prepares and executes a statement again that the server has
// forgotten. It reports whether it has.
func (r *Rows) prepareAgain(err error) bool {
	again := r.again
	r.again = nil
	if again == nil || again.x.readers != nil || !isCode(err, errUnknownStatement) && !isCode(err, errNeedsPreparing) {
		return false
	}
	c := r.c
	switch lexer.Verb(r.sql, c.reads()) {
	case "CALL", "BEGIN", "EXECUTE":
		c.drop(r.stmt)
		r.stmt.epoch = -1 // it is prepared anew when it is next used
		return false
	}
	if again.stmt == nil {
		c.cache.remove(r.sql)
	}
	p, err := c.prepareFor(r.sql, again.stmt)
	if err == nil {
		err = again.x.count(p)
	}
	if err == nil {
		err = c.sendExecution(again.x, p)
	}
	if _, wrong := err.(*ArgError); wrong { //nolint:errorlint // it is never wrapped
		r.err = err
		r.finish()
		return true
	}
	if err != nil {
		r.stop(err)
		return true
	}
	r.stmt = p
	r.head()
	return true
}
