package mysqlclient

import (
	"context"
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/transport"
)

// Ping asks the server whether it is there.
func (c *Conn) Ping(ctx context.Context) error {
	return c.simple(ctx, "a ping", &mysql.Ping{})
}

// Use changes the schema of the session.
func (c *Conn) Use(ctx context.Context, schema string) error {
	err := c.simple(ctx, "a change of schema", &mysql.InitDB{Schema: schema})
	if err == nil {
		c.mu.Lock()
		c.state.Schema, c.state.Dirty = schema, true
		c.mu.Unlock()
	}
	return err
}

// Statistics returns a line about the server, for people.
func (c *Conn) Statistics(ctx context.Context) (string, error) {
	if err := c.line.Begin(ctx, "statistics", ""); err != nil {
		return "", err
	}
	if err := c.send(&mysql.Statistics{}); err != nil {
		return "", err
	}
	p, err := c.line.Read()
	if err != nil {
		return "", c.fail(err)
	}
	if p[0] == mysql.HeaderERR {
		return "", c.done(c.line.ServerError(p))
	}
	var m mysql.StatisticsText
	if err := c.line.Parse(p, &m); err != nil {
		return "", c.fail(err)
	}
	c.end()
	return m.Text, nil
}

// SetOption switches several statements in one query on or off.
func (c *Conn) SetOption(ctx context.Context, option mysql.Option) error {
	err := c.simple(ctx, "an option", &mysql.SetOption{Option: option})
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.multi = option == mysql.OptionMultiStatementsOn
		c.state.Dirty = true
	}
	return err
}

// Kill ends another connection of the server by its number, or with queryOnly
// the statement that it is executing. To stop what this connection is doing, see
// [Conn.Interrupt].
func (c *Conn) Kill(ctx context.Context, id uint64, queryOnly bool) error {
	what := "CONNECTION"
	if queryOnly {
		what = "QUERY"
	}
	_, err := c.Exec(ctx, fmt.Sprintf("KILL %s %d", what, id))
	return err
}

// FieldList returns the columns of a table whose names match wildcard, a LIKE
// pattern; "": all. Column.Default is set where the server tells it. Servers hold
// the command to be out of date: SHOW COLUMNS tells more.
func (c *Conn) FieldList(ctx context.Context, table, wildcard string) ([]mysql.Column, error) {
	if err := c.line.Begin(ctx, "a list of fields", ""); err != nil {
		return nil, err
	}
	if err := c.send(&mysql.FieldList{Table: table, Wildcard: wildcard}); err != nil {
		return nil, err
	}
	columns, err := c.fieldList()
	return columns, c.done(err)
}

func (c *Conn) fieldList() ([]mysql.Column, error) {
	var columns []mysql.Column
	for len(columns) < maxColumns {
		p, err := c.line.Read()
		if err != nil {
			return nil, err
		}
		switch p[0] {
		case mysql.HeaderERR:
			return nil, c.line.ServerError(p)
		case mysql.HeaderEOF:
			return columns, nil
		}
		var m mysql.Column
		if err := c.line.Parse(p, &m); err != nil {
			return nil, err
		}
		columns = append(columns, m)
	}
	return nil, &ProtocolError{What: "a list of fields without end"}
}

// TooLargeError says that a statement is longer than the server takes. Nothing
// was sent.
type TooLargeError = transport.TooLargeError

// alwaysFits is a size that every server takes: the least default there was.
const alwaysFits = 1 << 20

// fits makes sure that the server takes a command of n bytes. It knows without
// asking when n is small.
func (c *Conn) fits(ctx context.Context, n int) error {
	if n < alwaysFits {
		return nil
	}
	limit, err := c.MaxAllowedPacket(ctx)
	if err != nil {
		return err
	}
	if int64(n) >= limit {
		return &TooLargeError{Size: int64(n), Limit: limit}
	}
	return nil
}

// MaxAllowedPacket returns the size, in bytes, of the largest command that the
// server takes. The server is asked once.
func (c *Conn) MaxAllowedPacket(ctx context.Context) (int64, error) {
	c.mu.Lock()
	known := c.limit
	c.mu.Unlock()
	if known > 0 {
		return known, nil
	}
	r, err := c.Query(ctx, "SELECT @@max_allowed_packet")
	if err != nil {
		return 0, err
	}
	var limit int64
	for r.Next() {
		limit = r.Int64(0)
	}
	if err := r.Close(); err != nil {
		return 0, err
	}
	if limit <= 0 {
		limit = alwaysFits
	}
	c.mu.Lock()
	c.limit = limit
	c.mu.Unlock()
	return limit, nil
}
