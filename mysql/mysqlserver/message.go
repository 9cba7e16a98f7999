package mysqlserver

import (
	"errors"
	"net"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/wire"
)

// flushAt is how many bytes may wait to be sent before a row is.
const flushAt = 32 << 10

// parse decodes a payload, in the dialect of the connection.
func (c *Conn) parse(payload []byte, m wire.Message) error {
	return mysql.Parse(payload, m, c.pc.Dialect())
}

// append puts a message into the output buffer, and sends what is there when
// that has become much.
func (c *Conn) append(m wire.Message) error {
	if err := c.pc.Append(m); err != nil {
		return err
	}
	if c.pc.Unsent() >= flushAt {
		return c.flush()
	}
	return nil
}

// send sends a message at once.
func (c *Conn) send(m wire.Message) error {
	if err := c.pc.Append(m); err != nil {
		return err
	}
	return c.flush()
}

// flush sends what has been appended, within the time for that.
func (c *Conn) flush() error {
	if c.pc.Unsent() == 0 {
		return nil
	}
	_ = c.pc.SetWriteDeadline(time.Now().Add(c.limits.WriteTimeout))
	return c.pc.Flush()
}

// appendError puts an error into the output buffer. A client that has not
// answered the greeting gets it without SQLSTATE.
func (c *Conn) appendError(e *Error) error {
	m := &mysql.ERR{Code: e.Code, State: e.state(), Message: e.Message}
	if m.Code == 0 {
		m.Code = 1105
	}
	if mysql.Caps(c.pc.Dialect()) == 0 {
		m.State = ""
	}
	return c.append(m)
}

func (c *Conn) sendError(e *Error) error {
	if err := c.appendError(e); err != nil {
		return err
	}
	return c.flush()
}

// sayGoodbye tells a client that is waiting for nothing why the connection
// ends. Its packet has the number 0.
func (c *Conn) sayGoodbye(e *Error) {
	c.pc.Begin()
	_ = c.sendError(e)
}

// refuseRead tells the client what is wrong with what it has sent, if it is
// that, and returns the error.
func (c *Conn) refuseRead(err error) error {
	var (
		large    *packet.TooLargeError
		sequence *packet.SequenceError
		frame    *packet.FrameError
		ne       net.Error
	)
	switch {
	case errors.As(err, &large):
		_ = c.sendError(errTooLarge)
	case errors.As(err, &sequence):
		c.sayGoodbye(errOutOfOrder)
	case errors.As(err, &frame):
		c.sayGoodbye(errUncompress)
	case errors.As(err, &ne) && ne.Timeout():
		_ = c.sendError(errReadTimeout)
		return err
	default:
		return err
	}
	c.sock.Linger() // there may be more of it
	return err
}
