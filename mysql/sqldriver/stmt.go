package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// stmt is a prepared statement.
type stmt struct {
	c *Conn
	s *mysqlclient.Stmt
}

var (
	_ driver.Stmt             = (*stmt)(nil)
	_ driver.StmtExecContext  = (*stmt)(nil)
	_ driver.StmtQueryContext = (*stmt)(nil)
)

// Prepare implements [driver.Conn].
func (c *Conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext implements [driver.ConnPrepareContext].
func (c *Conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.c.Prepare(ctx, query)
	if err != nil {
		return nil, c.fail(err)
	}
	return &stmt{c, s}, nil
}

// Close implements [driver.Stmt]. The server is told with the next command.
func (s *stmt) Close() error { return s.s.Close() }

// NumInput implements [driver.Stmt].
func (s *stmt) NumInput() int { return s.s.NumParams() }

func (s *stmt) query(ctx context.Context, named []driver.NamedValue) (*mysqlclient.Rows, []*sql.Out, error) {
	args, outs, err := arguments(named)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.s.Query(ctx, args...)
	if err != nil {
		return nil, nil, s.c.fail(err)
	}
	return rows, outs, nil
}

// ExecContext implements [driver.StmtExecContext].
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	rows, outs, err := s.query(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.c.result(rows, outs)
}

// QueryContext implements [driver.StmtQueryContext].
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	rows, outs, err := s.query(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.c.rows(rows, outs)
}

func values(args []driver.Value) []driver.NamedValue {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return named
}

// Exec implements [driver.Stmt].
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), values(args))
}

// Query implements [driver.Stmt].
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), values(args))
}
