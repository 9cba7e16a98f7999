package mysqlclient

import (
	"context"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// ExecBulk executes the statement once for each row of values, in one command,
// which MariaDB has (mysql.MariaDBBulkOperations). values stand row by row; each
// that is not in place of one has the type of its column in types. before, unless
// it is empty, is a statement that is executed before, in the same write: a
// savepoint, because rows before one that fails may stay.
//
// The result has the sums of all rows. Package bulk has a door that is easier
// to use.
func (s *Stmt) ExecBulk(ctx context.Context, before string, types []mysql.ParamType, values []mysql.BulkValue) (Result, error) {
	c := s.c
	if s.closed {
		return Result{}, errStmtClosed
	}
	size := 0
	for i := range values {
		size += 10 + len(values[i].Value.Bytes())
	}
	if err := c.fits(ctx, size); err != nil {
		return Result{}, err
	}
	if err := c.line.Begin(ctx, "a bulk of", s.p.sql); err != nil {
		return Result{}, err
	}
	c.touch(s.p.sql)
	r, err := c.bulk(s, before, &mysql.StmtBulkExecute{Flags: mysql.BulkSendTypes, Types: types, Values: values})
	if err != nil {
		return Result{}, c.done(err)
	}
	return r.all()
}

// bulk sends a bulk execution and returns the rows to read its end from.
func (c *Conn) bulk(s *Stmt, before string, m *mysql.StmtBulkExecute) (*Rows, error) {
	if s.p.epoch != c.epoch {
		if _, err := c.prepareFor(s.p.sql, s); err != nil {
			return nil, err
		}
	}
	m.ID = s.p.id
	c.pc.Apart(true)
	defer c.pc.Apart(false)
	commands := []wire.Message{m}
	if before != "" {
		commands = []wire.Message{&mysql.Query{SQL: []byte(before)}, m}
	}
	numbers := make([]uint8, len(commands))
	for i, command := range commands {
		if err := c.put(command); err != nil {
			return nil, err
		}
		numbers[i] = c.pc.Sequence()
	}
	if err := c.line.Flush(); err != nil {
		return nil, err
	}
	var first error
	if before != "" {
		c.pc.Expect(numbers[0])
		if first = c.ack(); first != nil && !isServer(first) {
			return nil, first
		}
	}
	c.pc.Expect(numbers[len(numbers)-1])
	r := &Rows{c: c, sql: s.p.sql}
	if r.head(); r.err != nil {
		return nil, r.err
	}
	if first != nil {
		_, _ = r.all() // the first error is the one that counts
		return nil, first
	}
	return r, nil
}
