package mysqlclient

import (
	"context"
	"errors"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// Reset makes the session as it was after the login: it rolls back, drops
// temporary tables, locks and user variables, forgets the server's prepared
// statements, and sets the character set, the variables and the schema of the
// configuration again, which servers forget. It costs one round trip.
// Statements made by [Conn.Prepare] are prepared again when they are next used.
func (c *Conn) Reset(ctx context.Context) error {
	if err := c.startReset(ctx); err != nil {
		return err
	}
	return c.FinishReset(ctx)
}

// StartReset is the first half of [Conn.Reset]: it sends what is to be done and
// does not wait. A pool calls it when it takes the connection back, so that locks
// are released at once, and FinishReset before it hands the connection out again,
// when the answers have long come: the reset costs nothing then. Between the
// two the connection is busy.
func (c *Conn) StartReset() error { return c.startReset(context.Background()) }

func (c *Conn) startReset(ctx context.Context) error {
	if err := c.line.Begin(ctx, "a reset", ""); err != nil {
		return err
	}
	commands := []wire.Message{&mysql.ResetConnection{}}
	list := c.setupSQL()
	if !c.server.MariaDB && len(c.cfg.Charsets) == 0 && c.cfg.Collation == "" {
		list = append([]string{"SET NAMES utf8mb4"}, list...) // MySQL forgets the handshake's
	}
	commands = append(commands, queries(list)...)
	if db := c.cfg.Database; db != "" && db != c.State().Schema {
		commands = append(commands, &mysql.InitDB{Schema: db})
	}
	c.forget()
	c.pc.Apart(true)
	numbers, err := c.dispatch(commands)
	if err != nil {
		c.pc.Apart(false)
		return c.fail(err)
	}
	c.resetting = numbers
	return nil
}

// errNoReset says that FinishReset came without a StartReset.
var errNoReset = errors.New("mysql: no reset is under way")

// FinishReset is the second half of [Conn.Reset].
func (c *Conn) FinishReset(ctx context.Context) error {
	if err := c.Err(); err != nil {
		return err
	}
	if c.resetting == nil {
		return errNoReset
	}
	numbers := c.resetting
	c.resetting = nil
	c.line.Watch(ctx)
	err := c.acks(numbers)
	c.pc.Apart(false)
	if err == nil {
		c.clean()
	}
	return c.done(err)
}
