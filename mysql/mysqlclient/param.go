package mysqlclient

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/value"
)

// Arguments of statements are what [value.Of] takes, and an [io.Reader] whose
// bytes are sent ahead of the execution.

// value returns an argument as a value, which may alias it.
func (c *Conn) value(arg any) (mysql.Value, error) { return value.Of(arg, c.location()) }

// location returns the zone in which values without one are meant.
func (c *Conn) location() *time.Location {
	switch {
	case c.cfg.TimeZone != nil:
		return c.cfg.TimeZone
	case c.cfg.Location != nil:
		return c.cfg.Location
	}
	return time.UTC
}

// longData is the size from which an argument is sent ahead of the execution,
// in pieces of at most longPiece: a packet has to fit into the server's
// max_allowed_packet, which is 16 MiB on MariaDB when nobody changed it.
const (
	longData  = 4 << 20
	longPiece = 1 << 20
)

// params returns the arguments as parameters. readers has those that are to be
// read; it is nil without one. An argument that is sent ahead is Long.
func (c *Conn) params(args []any) (list []mysql.Param, readers []io.Reader, err error) {
	list = make([]mysql.Param, len(args))
	for i, arg := range args {
		if r, ok := arg.(io.Reader); ok {
			if readers == nil {
				readers = make([]io.Reader, len(args))
			}
			readers[i] = r
			list[i] = mysql.Param{Type: mysql.ParamType{Type: mysql.TypeBlob}, Long: true}
			continue
		}
		v, err := c.value(arg)
		if err != nil {
			return nil, nil, &ArgError{Index: i, What: err.Error()}
		}
		list[i] = mysql.NewParam(v)
		list[i].Long = len(v.Bytes()) > longData
	}
	return list, readers, nil
}

// queryAttributes returns the attributes for a statement that is about to be
// sent.
func (c *Conn) queryAttributes(ctx context.Context) ([]mysql.Param, error) {
	if c.cfg.QueryAttributes == nil || !c.server.Capabilities.Has(mysql.ClientQueryAttributes) {
		return nil, nil
	}
	given := c.cfg.QueryAttributes(ctx)
	list := make([]mysql.Param, len(given))
	for i, a := range given {
		v, err := c.value(a.Value)
		if err != nil {
			return nil, fmt.Errorf("mysql: query attribute %q: %w", a.Name, err)
		}
		list[i] = mysql.NewAttribute(a.Name, v)
	}
	return list, nil
}

// Interpolate returns sql with its placeholders replaced by args as literals,
// for a session in which the last answer of this connection left the mode. It
// knows strings, names and comments, so what stands there stays. An [*ArgError]
// says that there are not as many arguments as placeholders.
//
// Parameters that travel beside the statement are the better way: this is for
// statements that cannot be prepared, and for logs.
func (c *Conn) Interpolate(sql string, args ...any) (string, error) {
	return value.Interpolate(sql, args, c.reads(), c.location())
}

// ValueOf returns what arg is as an argument of a statement of this connection.
// It may alias arg. Readers are none.
func (c *Conn) ValueOf(arg any) (mysql.Value, error) { return c.value(arg) }

// LexerConfig returns how the server reads SQL now.
func (c *Conn) LexerConfig() lexer.Config { return c.reads() }

// Quotable reports whether texts can be written as literals for this
// connection: no letter of its character set contains a backslash or a quote, as
// some of big5, gbk and sjis do.
func (c *Conn) Quotable() bool {
	for _, name := range append([]string{options.CharsetOf(c.cfg.Collation)}, c.cfg.Charsets...) {
		switch name {
		case "big5", "cp932", "gb18030", "gb2312", "gbk", "sjis":
			return false
		}
	}
	return true
}
