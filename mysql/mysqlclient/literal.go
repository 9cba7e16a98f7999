package mysqlclient

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/value"
)

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
