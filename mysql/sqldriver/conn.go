package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/transport"
)

// Conn is a connection as database/sql has it. [database/sql.Conn.Raw] finds it,
// for those who want the one below: see [Conn.Client].
type Conn struct {
	c    *mysqlclient.Conn
	cfg  *Config
	used bool // it was in the pool before
	// resetting says that a reset was sent, whose answers are still to be read.
	resetting bool
}

var (
	_ driver.Conn               = (*Conn)(nil)
	_ driver.ConnBeginTx        = (*Conn)(nil)
	_ driver.ConnPrepareContext = (*Conn)(nil)
	_ driver.ExecerContext      = (*Conn)(nil)
	_ driver.QueryerContext     = (*Conn)(nil)
	_ driver.NamedValueChecker  = (*Conn)(nil)
	_ driver.Pinger             = (*Conn)(nil)
	_ driver.SessionResetter    = (*Conn)(nil)
	_ driver.Validator          = (*Conn)(nil)
)

// Connect implements [driver.Connector].
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	client := c.cfg.Client
	if c.cfg.BeforeConnect != nil {
		changed := *client
		if err := c.cfg.BeforeConnect(ctx, &changed); err != nil {
			return nil, err
		}
		client = &changed
	}
	conn, err := mysqlclient.Connect(ctx, client)
	if c.cfg.PlainFallback && errors.Is(err, transport.ErrNoTLS) {
		plain := *client
		plain.TLSMode = mysqlclient.TLSDisabled
		conn, err = mysqlclient.Connect(ctx, &plain)
	}
	if err != nil {
		return nil, c.cfg.mapError(err)
	}
	return &Conn{c: conn, cfg: c.cfg}, nil
}

func (cfg *Config) mapError(err error) error {
	if err == nil || cfg.MapError == nil {
		return err
	}
	return cfg.MapError(err)
}

// Client returns the connection below, for what database/sql has no word for:
// pipelines, LoadData, package bulk. It must be idle again when it is given back.
func (c *Conn) Client() *mysqlclient.Conn { return c.c }

// fail turns an error into what database/sql is to get: driver.ErrBadConn if the
// statement can be executed elsewhere, because the server has seen nothing of it
// or refused it for being read-only.
func (c *Conn) fail(err error) error {
	if err == nil {
		return nil
	}
	// A connection that is found lost when a command comes may have been lost to
	// the context of an earlier one.
	ended := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if lost, ok := errors.AsType[*mysqlclient.ConnError](err); ok && lost.SafeToRetry() && (!ended || lost.Phase == mysqlclient.PhaseIdle) {
		return driver.ErrBadConn
	}
	if server, ok := errors.AsType[*mysqlclient.ServerError](err); ok && c.cfg.RejectReadOnly && readOnly(server.Code) {
		_ = c.c.Close() // it is given up
		return driver.ErrBadConn
	}
	return c.cfg.mapError(err)
}

// readOnly reports whether an error says that the server, or the transaction,
// takes no changes: ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
// ER_OPTION_PREVENTS_STATEMENT (--read-only) and ER_READ_ONLY_MODE.
func readOnly(code uint16) bool { return code == 1792 || code == 1290 || code == 1836 }

// arguments returns the values of named values, which must not have names, and
// the OUT parameters among them.
func arguments(named []driver.NamedValue) (args []any, outs []*sql.Out, err error) {
	if len(named) == 0 {
		return nil, nil, nil
	}
	args = make([]any, len(named))
	for i := range named {
		if named[i].Name != "" {
			return nil, nil, fmt.Errorf("mysql: parameter %q has a name, and the servers know none", named[i].Name)
		}
		args[i] = named[i].Value
		if out, ok := named[i].Value.(sql.Out); ok {
			outs = append(outs, &out)
			if args[i], err = inValue(&out); err != nil {
				return nil, nil, err
			}
		}
	}
	return args, outs, nil
}

// longText is how long a text with literals may be. Every server takes as much.
const longText = 1 << 20

// query executes a statement and returns its answer.
func (c *Conn) query(ctx context.Context, text string, named []driver.NamedValue) (*mysqlclient.Rows, []*sql.Out, error) {
	args, outs, err := arguments(named)
	if err != nil {
		return nil, nil, err
	}
	if len(args) > 0 && len(outs) == 0 && c.cfg.Interpolate && c.c.Quotable() {
		sent, err := c.c.Interpolate(text, args...)
		if err != nil {
			return nil, nil, c.fail(err)
		}
		if len(sent) <= longText {
			text, args = sent, nil
		}
	}
	rows, err := c.c.Query(ctx, text, args...)
	if err != nil {
		return nil, nil, c.fail(err)
	}
	return rows, outs, nil
}

// QueryContext implements [driver.QueryerContext].
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, outs, err := c.query(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return c.rows(rows, outs)
}

// ExecContext implements [driver.ExecerContext]. The result is a *[Result].
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.cfg.Infile != nil && mayLoad(query) && lexer.AsksLocalFile(query, c.c.LexerConfig()) {
		return c.load(ctx, query, args)
	}
	rows, outs, err := c.query(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return c.result(rows, outs)
}

// mayLoad sorts out most statements that are no LOAD.
func mayLoad(text string) bool {
	return strings.Contains(text, "LOAD") || strings.Contains(strings.ToUpper(text), "LOAD")
}

// load executes a LOAD DATA LOCAL.
func (c *Conn) load(ctx context.Context, text string, named []driver.NamedValue) (driver.Result, error) {
	args, _, err := arguments(named)
	if err == nil && len(args) > 0 { // it cannot be prepared
		text, err = c.c.Interpolate(text, args...)
	}
	if err != nil {
		return nil, c.fail(err)
	}
	r, err := c.c.ExecInfile(ctx, text, c.cfg.Infile)
	if err != nil {
		return nil, c.fail(err)
	}
	return &Result{affected: []int64{int64(r.AffectedRows)}, ids: []int64{int64(r.LastInsertID)}}, nil
}

// result reads an answer to its end.
func (c *Conn) result(rows *mysqlclient.Rows, outs []*sql.Out) (*Result, error) {
	r := &Result{}
	for {
		last := lastRow(rows, len(outs))
		if rows.OutParams() && last != nil {
			if err := assignOuts(last, outs); err != nil {
				_ = rows.Close() // the first error is the one that counts
				return nil, c.fail(err)
			}
			outs = nil
		}
		done := rows.Result()
		r.affected, r.ids = append(r.affected, int64(done.AffectedRows)), append(r.ids, int64(done.LastInsertID))
		if rows.Err() != nil || !rows.NextResult() {
			break
		}
	}
	if err := rows.Close(); err != nil {
		return nil, c.fail(err)
	}
	if len(outs) > 0 {
		return nil, c.cfg.mapError(fmt.Errorf("mysql: no result had as many OUT parameters as were given: %d", len(outs)))
	}
	return r, nil
}

// Result is how the statements of an Exec ended. [database/sql.Conn.Raw] is the
// way to it.
type Result struct {
	affected, ids []int64 // of each statement
}

// LastInsertId returns the AUTO_INCREMENT that the last statement made, the
// first one if it made several.
func (r *Result) LastInsertId() (int64, error) { return r.ids[len(r.ids)-1], nil }

// RowsAffected returns how many rows the last statement changed.
func (r *Result) RowsAffected() (int64, error) { return r.affected[len(r.affected)-1], nil }

// AllLastInsertIds returns what LastInsertId would for each statement.
func (r *Result) AllLastInsertIds() []int64 { return append([]int64(nil), r.ids...) }

// AllRowsAffected returns what RowsAffected would for each statement.
func (r *Result) AllRowsAffected() []int64 { return append([]int64(nil), r.affected...) }

// Ping implements [driver.Pinger].
func (c *Conn) Ping(ctx context.Context) error { return c.fail(c.c.Ping(ctx)) }

// goodbye is how long Close waits for the answers to a reset, which have come
// as a rule: with them the server can be told that the session ends.
const goodbye = time.Second

// Close implements [driver.Conn].
func (c *Conn) Close() error {
	if c.resetting {
		ctx, stop := context.WithTimeout(context.Background(), goodbye)
		_ = c.c.FinishReset(ctx) // it ends either way
		stop()
	}
	_ = c.c.Close() // it tells why the connection was lost before
	return nil
}

// IsValid implements [driver.Validator]. It is asked when the connection comes
// back to the pool, which is when a session that is to be cleaned begins to be:
// locks and transactions end at once, and the answers have come when the
// connection is used again.
func (c *Conn) IsValid() bool {
	if c.c.Err() != nil {
		return false
	}
	c.used = true
	if c.resetting || !c.wantsReset() {
		return true
	}
	c.resetting = c.c.StartReset() == nil
	return c.resetting
}

func (c *Conn) wantsReset() bool {
	switch c.cfg.Reset {
	case options.ResetNever:
		return false
	case options.ResetAlways:
		return c.used
	default:
		return c.c.State().Dirty
	}
}

// ResetSession implements [driver.SessionResetter]. It is asked before the
// connection is used again.
func (c *Conn) ResetSession(ctx context.Context) error {
	if c.resetting {
		c.resetting = false
		if err := c.c.FinishReset(ctx); err != nil {
			_ = c.c.Close() // nobody knows in which state the session is
			return driver.ErrBadConn
		}
	}
	if c.c.Err() != nil || !c.cfg.SkipLiveness && c.c.Check() != nil {
		return driver.ErrBadConn
	}
	return nil
}

// Exec is ExecContext for those who reach the connection by
// [database/sql.Conn.Raw] and know driver.Execer.
func (c *Conn) Exec(query string, args []driver.Value) (driver.Result, error) {
	return c.ExecContext(context.Background(), query, values(args))
}

// Query is QueryContext for those who know driver.Queryer.
func (c *Conn) Query(query string, args []driver.Value) (driver.Rows, error) {
	return c.QueryContext(context.Background(), query, values(args))
}
