package mysqlserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/value"
)

// errQuit ends a connection whose client has said good-bye.
var errQuit = errors.New("the client has left")

// commands executes what the client asks for until it leaves.
func (c *Conn) commands() error {
	for {
		p, err := c.next()
		if err != nil {
			return err
		}
		command := mysql.ComSleep
		if len(p) > 0 {
			command = mysql.Command(p[0])
		}
		ctx, done := c.begin(command)
		err = c.execute(ctx, p)
		done()
		switch {
		case errors.Is(err, errQuit):
			return nil
		case err != nil:
			return err
		}
	}
}

// next reads the next command. What is not sent yet goes out first, even when
// the client has sent more already: that may take long to execute.
func (c *Conn) next() ([]byte, error) {
	if err := c.flush(); err != nil {
		return nil, err
	}
	if c.pc.Buffered() == 0 {
		c.pc.Rest()
	}
	c.pc.Begin()
	c.sock.Patience(c.limits.ReadTimeout)
	_ = c.pc.SetReadDeadline(time.Now().Add(c.limits.IdleTimeout))
	if e := c.over(); e != nil { // before the deadline was set, perhaps
		return nil, c.leave(e)
	}
	p, err := c.pc.ReadPacket()
	if err == nil {
		return p, nil
	}
	var ne net.Error
	timeout := errors.As(err, &ne) && ne.Timeout()
	switch e := c.over(); {
	case e != nil && timeout:
		return nil, c.leave(e)
	case timeout && !c.sock.Begun():
		return nil, c.leave(errIdle)
	case errors.Is(err, io.EOF):
		return nil, errQuit
	}
	if cause := context.Cause(c.ctx); cause != nil {
		return nil, cause
	}
	return nil, c.refuseRead(err)
}

func (c *Conn) leave(e *Error) error {
	c.sayGoodbye(e)
	return e
}

// execute answers one command. An error ends the connection; one that is the
// statement's has been sent to the client.
func (c *Conn) execute(ctx context.Context, p []byte) error {
	if len(p) == 0 {
		return c.fail(errMalformed)
	}
	switch mysql.Command(p[0]) {
	case mysql.ComQuit:
		return errQuit
	case mysql.ComQuery:
		return c.query(ctx, p)
	case mysql.ComInitDB:
		return c.initDB(ctx, p)
	case mysql.ComFieldList:
		return c.fieldList(ctx, p)
	case mysql.ComStatistics:
		return c.statistics(ctx)
	case mysql.ComPing:
		return c.ok()
	case mysql.ComProcessKill:
		return c.processKill(p)
	case mysql.ComChangeUser:
		return c.changeUser(p)
	case mysql.ComResetConnection:
		return c.reset(ctx)
	case mysql.ComSetOption:
		return c.setOption(p)
	case mysql.ComStmtPrepare:
		return c.prepare(ctx, p)
	case mysql.ComStmtExecute:
		return c.executeStatement(ctx, p)
	case mysql.ComStmtBulkExecute:
		return c.executeBulk(ctx, p)
	case mysql.ComStmtSendLongData:
		c.longData(p)
		return nil
	case mysql.ComStmtClose:
		c.closeStatement(p)
		return nil
	case mysql.ComStmtReset:
		return c.resetStatement(p)
	case mysql.ComStmtFetch:
		return c.fetch(p)
	}
	return c.fail(errUnknownCommand)
}

// fail answers with an error.
func (c *Conn) fail(e *Error) error { return c.appendError(e) }

// ok answers with a success.
func (c *Conn) ok() error { return (&Writer{c: c}).finish(nil) }

// failed answers with what a method of the session has returned, as its
// context ctx says.
func (c *Conn) failed(ctx context.Context, err error) error { return c.fail(errorIn(ctx, err)) }

func (c *Conn) initDB(ctx context.Context, p []byte) error {
	var m mysql.InitDB
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	err := c.guard("UseDatabase", func() error { return c.session.UseDatabase(ctx, m.Schema) })
	if err != nil {
		return c.failed(ctx, err)
	}
	c.SetDatabase(m.Schema)
	return c.ok()
}

func (c *Conn) fieldList(ctx context.Context, p []byte) error {
	var m mysql.FieldList
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	var columns []mysql.Column
	err := c.guard("FieldList", func() (err error) {
		columns, err = c.session.FieldList(ctx, m.Table, m.Wildcard)
		return err
	})
	if err != nil {
		return c.failed(ctx, err)
	}
	w := Writer{c: c}
	for i := range columns {
		column := value.Complete(columns[i], c.s.collation())
		column.HasDefault = true
		if err := c.append(&column); err != nil {
			return err
		}
	}
	return w.endRows(ending{}, false)
}

func (c *Conn) statistics(ctx context.Context) error {
	var text string
	err := c.guard("Statistics", func() (err error) {
		text, err = c.session.Statistics(ctx)
		return err
	})
	if errors.Is(err, errUnknownCommand) {
		text, err = c.s.statistics(), nil
	}
	if err != nil {
		return c.failed(ctx, err)
	}
	return c.append(&mysql.StatisticsText{Text: text})
}

// statistics returns what the server knows about itself, in the form of MySQL.
func (s *Server) statistics() string {
	s.serving.mu.Lock()
	defer s.serving.mu.Unlock()
	return fmt.Sprintf("Uptime: %d  Threads: %d  Questions: %d  Slow queries: 0  Opens: 0  Flush tables: 0  Open tables: 0  Queries per second avg: 0.000",
		int(time.Since(s.serving.since)/time.Second), len(s.serving.conns), s.serving.questions.Load())
}

func (c *Conn) processKill(p []byte) error {
	var m mysql.ProcessKill
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	if err := c.Kill(m.ID, false); err != nil {
		return c.fail(errorOf(err))
	}
	return c.ok()
}

// reset makes the session as it was at first.
func (c *Conn) reset(ctx context.Context) error {
	c.stmts.closeAll(c)
	if err := c.guard("Reset", func() error { return c.session.Reset(ctx) }); err != nil {
		return c.failed(ctx, err)
	}
	c.status, c.noColumns = initialStatus, false
	c.track(mysql.Track{Kind: mysql.TrackStateChange, Value: "1"})
	return c.ok()
}

func (c *Conn) setOption(p []byte) error {
	var m mysql.SetOption
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	switch m.Option {
	case mysql.OptionMultiStatementsOn:
		c.multi = true
	case mysql.OptionMultiStatementsOff:
		c.multi = false
	default:
		return c.fail(errUnknownCommand)
	}
	w := Writer{c: c}
	return w.endRows(ending{}, false)
}
