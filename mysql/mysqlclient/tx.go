package mysqlclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// Tx is an open transaction. It is nothing but its connection and a memory of
// whether it is over: statements may be executed on either.
type Tx struct {
	c    *Conn
	over bool
}

// Begin starts a transaction, in one round trip.
func (c *Conn) Begin(ctx context.Context, opts TxOptions) (*Tx, error) {
	var commands []wire.Message
	if level := opts.Isolation; level != "" {
		if strings.Trim(strings.ToUpper(level), "ABCDEFGHIJKLMNOPQRSTUVWXYZ ") != "" {
			return nil, fmt.Errorf("mysql: isolation level %q is none", level)
		}
		commands = append(commands, &mysql.Query{SQL: []byte("SET TRANSACTION ISOLATION LEVEL " + level)})
	}
	var how []string
	if opts.ConsistentSnapshot {
		how = append(how, "WITH CONSISTENT SNAPSHOT")
	}
	if opts.ReadOnly {
		how = append(how, "READ ONLY")
	}
	start := strings.TrimSpace("START TRANSACTION " + strings.Join(how, ", "))
	commands = append(commands, &mysql.Query{SQL: []byte(start)})
	if err := c.line.Begin(ctx, "the start of a transaction", ""); err != nil {
		return nil, err
	}
	err := c.exchange(commands...)
	if err := c.done(err); err != nil {
		if state := c.State(); isServer(err) && state.InTransaction() { // begun at another level
			_, _ = c.Exec(ctx, "ROLLBACK") // the first error is the one that counts
		}
		return nil, err
	}
	return &Tx{c: c}, nil
}

// Conn returns the connection.
func (t *Tx) Conn() *Conn { return t.c }

// Query is [Conn.Query] within the transaction.
func (t *Tx) Query(ctx context.Context, sql string, args ...any) (*Rows, error) {
	if t.over {
		return nil, ErrTxDone
	}
	return t.c.Query(ctx, sql, args...)
}

// Exec is [Conn.Exec] within the transaction.
func (t *Tx) Exec(ctx context.Context, sql string, args ...any) (Result, error) {
	if t.over {
		return Result{}, ErrTxDone
	}
	return t.c.Exec(ctx, sql, args...)
}

// Commit makes the transaction's changes last. When the answer is lost, nobody
// knows whether they do: the error is [ErrOutcomeUnknown] then.
func (t *Tx) Commit(ctx context.Context) error { return t.end(ctx, "COMMIT") }

// Rollback undoes the transaction's changes. Behind a Commit it does nothing but
// return [ErrTxDone].
func (t *Tx) Rollback(ctx context.Context) error { return t.end(ctx, "ROLLBACK") }

func (t *Tx) end(ctx context.Context, sql string) error {
	if t.over {
		return ErrTxDone
	}
	_, err := t.c.Exec(ctx, sql)
	// Where nothing was sent, because the connection is busy or ctx has ended
	// already, the transaction is still open.
	t.over = err == nil || isServer(err) || t.c.Err() != nil
	return err
}
