package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Begin implements [driver.Conn].
func (c *Conn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

// BeginTx implements [driver.ConnBeginTx], in one round trip. sql.LevelSnapshot
// is REPEATABLE READ with a snapshot that is taken at once.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	o := mysqlclient.TxOptions{ReadOnly: opts.ReadOnly}
	switch level := sql.IsolationLevel(opts.Isolation); level {
	case sql.LevelDefault:
	case sql.LevelReadUncommitted:
		o.Isolation = "READ UNCOMMITTED"
	case sql.LevelReadCommitted:
		o.Isolation = "READ COMMITTED"
	case sql.LevelRepeatableRead:
		o.Isolation = "REPEATABLE READ"
	case sql.LevelSnapshot:
		o.Isolation, o.ConsistentSnapshot = "REPEATABLE READ", true
	case sql.LevelSerializable:
		o.Isolation = "SERIALIZABLE"
	default:
		return nil, fmt.Errorf("mysql: the servers have no isolation level %s", level)
	}
	t, err := c.c.Begin(ctx, o)
	if err != nil {
		return nil, c.fail(err)
	}
	return &tx{c, t}, nil
}

// tx is a transaction. What it ends with has no context in database/sql.
type tx struct {
	c *Conn
	t *mysqlclient.Tx
}

// Commit implements [driver.Tx]. When the answer is lost, the error is
// [mysqlclient.ErrOutcomeUnknown].
func (t *tx) Commit() error { return t.c.fail(t.t.Commit(context.Background())) }

// Rollback implements [driver.Tx].
func (t *tx) Rollback() error { return t.c.fail(t.t.Rollback(context.Background())) }
