package mysqlserver

import (
	"context"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/value"
)

// statements are the prepared statements of a connection.
type statements struct {
	list    map[uint32]*prepared
	next    uint32 // the id that was given last
	newest  *prepared
	failed  bool // the newest COM_STMT_PREPARE has failed
	params  int  // placeholders of all statements
	long    int  // bytes of long data held
	cursors int  // bytes of rows held for cursors
}

// prepared is a prepared statement of the client.
type prepared struct {
	id     uint32
	st     Statement
	text   string        // its beginning, for Processes
	shape  []mysql.Param // types of the last execution, and which values were sent ahead
	bound  bool          // types have been sent
	long   [][]byte      // values sent ahead; nil, also as an element: none
	failed *Error        // what the next execution is answered with
	cursor *cursor       // nil: none is open
	digest uint64        // of the column definitions that the client has; 0: none
}

// maxParams is how many placeholders a statement can have: what the answer to
// COM_STMT_PREPARE can count.
const maxParams = 1<<16 - 1

func (l *statements) find(id uint32) *prepared {
	if id == mysql.LastPrepared {
		if l.failed {
			return nil
		}
		return l.newest
	}
	return l.list[id]
}

func unknownStatement(id uint32, what string) *Error {
	return Errorf(1243, "Unknown prepared statement handler (%d) given to %s", id, what)
}

// prepare answers COM_STMT_PREPARE.
func (c *Conn) prepare(ctx context.Context, p []byte) error {
	var m mysql.StmtPrepare
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	c.stmts.failed = true
	if n := len(c.stmts.list); n >= c.limits.Statements {
		return c.fail(Errorf(1461, "Can't create more than max_prepared_stmt_count statements (current value: %d)", c.limits.Statements))
	}
	d, e := c.divide(m.SQL)
	if e != nil {
		return c.fail(e)
	}
	text := d.take()
	if d.more {
		return c.fail(c.syntaxError(d.sql, 1))
	}
	var st Statement
	err := c.guard("Prepare", func() (err error) {
		st, err = c.session.Prepare(ctx, text)
		return err
	})
	if err == nil && st == nil {
		err = errInternal
	}
	if err != nil {
		return c.failed(ctx, err)
	}
	s := &prepared{st: st, text: strings.Clone(text[:min(len(text), maxInfo)])}
	var columns []mysql.Column
	params := 0
	err = c.guard("Columns", func() error {
		columns, params = st.Columns(), st.NumParams()
		return nil
	})
	switch {
	case err != nil:
	case params < 0 || params > maxParams || c.stmts.params+params > c.limits.Parameters:
		err = Errorf(1390, "Prepared statement contains too many placeholders")
	case len(columns) > maxColumns:
		err = Errorf(1117, "Too many columns")
	}
	if err != nil {
		c.dispose(s)
		return c.failed(ctx, err)
	}
	s.shape = make([]mysql.Param, params)
	c.stmts.params += params
	c.stmts.add(s)
	return c.introduce(s, columns)
}

func (l *statements) add(s *prepared) {
	if l.list == nil {
		l.list = make(map[uint32]*prepared)
	}
	for s.id == 0 || s.id == mysql.LastPrepared || l.list[s.id] != nil {
		l.next++
		s.id = l.next
	}
	l.list[s.id] = s
	l.newest, l.failed = s, false
}

// introduce sends the answer to a successful COM_STMT_PREPARE.
func (c *Conn) introduce(s *prepared, columns []mysql.Column) error {
	w := Writer{c: c}
	err := c.append(&mysql.StmtPrepareOK{ID: s.id, Columns: uint16(len(columns)), Params: uint16(len(s.shape)), Metadata: 1})
	if err != nil {
		return err
	}
	param := value.Complete(mysql.Column{Name: "?", Type: mysql.TypeVarString, Collation: mysql.CollationBinary}, 0)
	for range s.shape {
		if err := c.append(&param); err != nil {
			return err
		}
	}
	if len(s.shape) > 0 {
		if err := w.endDefinitions(); err != nil {
			return err
		}
	}
	for i := range columns {
		column := value.Complete(columns[i], c.s.collation())
		if err := c.append(&column); err != nil {
			return err
		}
	}
	if len(columns) > 0 {
		return w.endDefinitions()
	}
	return nil
}

// executeStatement answers COM_STMT_EXECUTE.
func (c *Conn) executeStatement(ctx context.Context, p []byte) error {
	var head mysql.StmtExecute
	if err := c.parse(p, &head); err != nil {
		return c.fail(errMalformed)
	}
	s := c.stmts.find(head.ID)
	if s == nil {
		return c.fail(unknownStatement(head.ID, "mysqld_stmt_execute"))
	}
	s.closeCursor(c)
	if e := s.failed; e != nil {
		s.dropLong(c)
		return c.fail(e)
	}
	m := mysql.NewStmtExecute(s.shape)
	err := c.parse(p, m)
	switch {
	case len(s.shape) > 0 && len(m.Params) > 0 && !m.NewTypes && !s.bound:
		return c.fail(Errorf(1210, "Incorrect arguments to mysqld_stmt_execute"))
	case err != nil:
		return c.fail(errMalformed)
	}
	args := s.arguments(m)
	c.s.serving.questions.Add(1)
	c.executes(s.text)
	w := Writer{c: c, ctx: ctx, binary: true, stmt: s}
	if m.Flags&mysql.CursorReadOnly != 0 {
		w.gather = &cursor{owner: s}
	}
	err = c.guard("Execute", func() error {
		return s.st.Execute(ctx, &w, &Execution{Args: args, Attributes: m.Params[len(s.shape):]})
	})
	s.dropLong(c)
	_, err = w.end(ctx, err)
	return err
}

// arguments returns the values of the placeholders and remembers their types.
func (s *prepared) arguments(m *mysql.StmtExecute) []mysql.Value {
	args := make([]mysql.Value, len(s.shape))
	for i := range s.shape {
		p := &m.Params[i]
		if m.NewTypes {
			s.shape[i].Type = p.Type
		}
		args[i] = p.Value
		if !p.Long {
			continue
		}
		args[i] = mysql.Text(s.long[i])
		if t := p.Type.Type; t >= mysql.TypeTinyBlob && t <= mysql.TypeBlob {
			args[i] = mysql.Bytes(s.long[i])
		}
	}
	s.bound = s.bound || m.NewTypes
	return args
}

// longData takes a piece of a value that is sent ahead. It is not answered:
// what is wrong with it is the answer to the next execution.
func (c *Conn) longData(p []byte) {
	var m mysql.StmtSendLongData
	if c.parse(p, &m) != nil {
		return
	}
	s := c.stmts.find(m.ID)
	switch {
	case s == nil || s.failed != nil:
	case int(m.Param) >= len(s.shape):
		s.failed = Errorf(1210, "Incorrect arguments to mysqld_stmt_send_long_data")
	case c.stmts.long+len(m.Data) > c.limits.LongData:
		s.dropLong(c)
		s.failed = Errorf(1105, "Parameter of prepared statement which is set through mysql_send_long_data() is longer than 'max_allowed_packet' bytes")
	default:
		i := m.Param
		if s.long == nil {
			s.long = make([][]byte, len(s.shape))
		}
		if s.long[i] == nil {
			s.long[i] = []byte{}
		}
		s.long[i] = append(s.long[i], m.Data...)
		s.shape[i].Long = true
		c.stmts.long += len(m.Data)
	}
}

// dropLong forgets the values that were sent ahead.
func (s *prepared) dropLong(c *Conn) {
	for i := range s.long {
		c.stmts.long -= len(s.long[i])
		s.shape[i].Long = false
	}
	s.long, s.failed = nil, nil
}

func (s *prepared) closeCursor(c *Conn) {
	if s.cursor != nil {
		s.cursor.close(c)
		s.cursor = nil
	}
}

// resetStatement answers COM_STMT_RESET.
func (c *Conn) resetStatement(p []byte) error {
	var m mysql.StmtReset
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	s := c.stmts.find(m.ID)
	if s == nil {
		return c.fail(unknownStatement(m.ID, "mysqld_stmt_reset"))
	}
	s.dropLong(c)
	s.closeCursor(c)
	return c.ok()
}

// closeStatement does what COM_STMT_CLOSE asks for. It is not answered.
func (c *Conn) closeStatement(p []byte) {
	var m mysql.StmtClose
	if c.parse(p, &m) != nil {
		return
	}
	if s := c.stmts.find(m.ID); s != nil {
		c.stmts.remove(c, s)
	}
}

func (l *statements) remove(c *Conn, s *prepared) {
	delete(l.list, s.id)
	if l.newest == s {
		l.newest = nil
	}
	c.dispose(s)
}

// dispose closes a statement that the client does not know any more.
func (c *Conn) dispose(s *prepared) {
	c.stmts.params -= len(s.shape)
	s.dropLong(c)
	s.closeCursor(c)
	_ = c.guard("Statement.Close", func() error { s.st.Close(); return nil })
}

func (l *statements) closeAll(c *Conn) {
	for _, s := range l.list {
		l.remove(c, s)
	}
}
