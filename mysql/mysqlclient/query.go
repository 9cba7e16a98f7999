package mysqlclient

import (
	"context"
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// Query executes a statement and returns its answer, whose rows are read as they
// are asked for. Without args the text is sent as it is and the rows come as
// text; with args it is a prepared statement, which the connection keeps, and
// the rows come in binary form. Either way getters return the same.
//
// ctx covers the statement and its rows: when it ends, the connection is lost
// and the server is told, from a side connection, to stop. An error of the
// server is a [*ServerError].
func (c *Conn) Query(ctx context.Context, sql string, args ...any) (*Rows, error) {
	if len(args) > 0 {
		return c.execute(ctx, sql, nil, args, nil)
	}
	return c.queryText(ctx, sql, nil)
}

// Exec executes a statement as [Conn.Query] does, throws its rows away, and
// returns how it ended; of several results, how the last one did.
func (c *Conn) Exec(ctx context.Context, sql string, args ...any) (Result, error) {
	r, err := c.Query(ctx, sql, args...)
	if err != nil {
		return Result{}, err
	}
	return r.all()
}

// execInfile executes a LOAD DATA LOCAL whose data infile gives out, when the
// server asks for it.
func (c *Conn) execInfile(ctx context.Context, sql string, infile InfileFunc) (Result, error) {
	r, err := c.queryText(ctx, sql, infile)
	if err != nil {
		return Result{}, err
	}
	return r.all()
}

func (c *Conn) queryText(ctx context.Context, sql string, infile InfileFunc) (*Rows, error) {
	attributes, err := c.queryAttributes(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.fits(ctx, len(sql)); err != nil {
		return nil, err
	}
	if err := c.line.Begin(ctx, "the rows of", sql); err != nil {
		return nil, err
	}
	c.infile = infile
	c.touch(sql)
	if err := c.send(&mysql.Query{Attributes: attributes, SQL: []byte(sql)}); err != nil {
		return nil, err
	}
	return c.answer(&Rows{c: c, sql: sql})
}

// send sends one command. On error the command has ended, and with it the
// connection, unless the message could not be encoded.
func (c *Conn) send(m wire.Message) error {
	if err := c.put(m); err != nil {
		c.end()
		return fmt.Errorf("mysql: %w", err)
	}
	if err := c.line.Flush(); err != nil {
		return c.fail(err)
	}
	return nil
}

// answer reads the beginning of an answer into r.
func (c *Conn) answer(r *Rows) (*Rows, error) {
	if r.head(); r.err != nil {
		return nil, r.err
	}
	return r, nil
}

// exchange sends commands in one write and reads an answer to each, rows thrown
// away. It returns the first error: a [*ServerError] when the connection lives.
// Commands behind one that failed have been executed all the same.
func (c *Conn) exchange(commands ...wire.Message) error {
	c.pc.Apart(true)
	defer c.pc.Apart(false)
	numbers, err := c.dispatch(commands)
	if err != nil {
		return err
	}
	return c.acks(numbers)
}

// dispatch is the first half of exchange: it sends the commands and returns the
// numbers with which their answers begin.
func (c *Conn) dispatch(commands []wire.Message) ([]uint8, error) {
	numbers := make([]uint8, len(commands))
	for i, m := range commands {
		if err := c.put(m); err != nil {
			return nil, err
		}
		numbers[i] = c.pc.Sequence()
	}
	return numbers, c.line.Flush()
}

// acks is the second half of exchange: it reads the answers.
func (c *Conn) acks(numbers []uint8) error {
	var first error
	for _, n := range numbers {
		c.pc.Expect(n)
		err := c.ack()
		switch {
		case err == nil:
		case !isServer(err):
			return err
		case first == nil:
			first = err
		}
	}
	return first
}

// ack reads an answer to its end and throws rows away.
func (c *Conn) ack() error {
	r := &Rows{c: c, answers: new(Answers)} // the command does not end with it
	r.head()
	err := r.Close()
	if lost := c.Err(); lost != nil {
		return lost
	}
	return err
}

// simple sends one command that is answered with an OK.
func (c *Conn) simple(ctx context.Context, what string, m wire.Message) error {
	if err := c.line.Begin(ctx, what, ""); err != nil {
		return err
	}
	if err := c.send(m); err != nil {
		return err
	}
	return c.done(c.readOK())
}

// readOK reads an OK, which some commands answer as at the end of rows, or with
// an EOF.
func (c *Conn) readOK() error {
	p, err := c.line.Read()
	if err != nil {
		return err
	}
	switch p[0] {
	case mysql.HeaderERR:
		return c.line.ServerError(p)
	case mysql.HeaderEOF:
		if len(p) >= 7 {
			break
		}
		var m mysql.EOF
		if err := c.line.Parse(p, &m); err != nil {
			return err
		}
		c.note(m.Status, m.Warnings)
		return nil
	case mysql.HeaderOK:
	default:
		return &ProtocolError{What: fmt.Sprintf("a packet that begins with %#02x where an OK was due", p[0])}
	}
	m := new(mysql.OK)
	if err := c.line.Parse(p, m); err != nil {
		return err
	}
	c.noteOK(m)
	return nil
}
