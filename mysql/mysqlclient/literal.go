package mysqlclient

import (
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// errNoLiteral says that a number has no literal.
var errNoLiteral = errors.New("infinity and NaN are no values of SQL")

// AppendLiteral appends v as a literal of SQL, for a session with the given
// mode. It stands for the same value as the parameter v would: a DOUBLE is one
// and not a DECIMAL, bytes have no character set.
func AppendLiteral(dst []byte, v mysql.Value, mode lexer.Mode) ([]byte, error) {
	switch v.Kind() {
	case mysql.KindNull:
		return append(dst, "NULL"...), nil
	case mysql.KindInt, mysql.KindUint:
		return v.AppendText(dst), nil
	case mysql.KindFloat, mysql.KindDouble:
		return appendFloat(dst, v)
	case mysql.KindDecimal:
		if !isDecimal(v.Bytes()) {
			return lexer.AppendQuote(dst, v.Bytes(), mode), nil
		}
		return append(dst, v.Bytes()...), nil
	case mysql.KindText:
		return lexer.AppendQuote(dst, v.Bytes(), mode), nil
	case mysql.KindBytes:
		return lexer.AppendQuote(append(dst, "_binary"...), v.Bytes(), mode), nil
	case mysql.KindBit:
		dst = append(dst, "x'"...)
		return append(hex.AppendEncode(dst, v.Bytes()), '\''), nil
	default: // dates and times
		dst = append(dst, '\'')
		return append(v.AppendText(dst), '\''), nil
	}
}

// appendFloat appends a number so that it is one of floating point: 1.5 alone
// would be a DECIMAL.
func appendFloat(dst []byte, v mysql.Value) ([]byte, error) {
	x, bits := v.Float64(), 64
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return dst, errNoLiteral
	}
	if v.Kind() == mysql.KindFloat {
		bits = 32
	}
	return strconv.AppendFloat(dst, x, 'e', -1, bits), nil
}

// isDecimal reports whether b is a plain number.
func isDecimal(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	digits, points := 0, 0
	for _, d := range b {
		switch {
		case d == '.':
			points++
		case d >= '0' && d <= '9':
			digits++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

// Interpolate returns sql with its placeholders replaced by args as literals,
// for a session in which the last answer of this connection left the mode. It
// knows strings, names and comments, so what stands there stays. An [*ArgError]
// says that there are not as many arguments as placeholders.
//
// Parameters that travel beside the statement are the better way: this is for
// statements that cannot be prepared, and for logs.
func (c *Conn) Interpolate(sql string, args ...any) (string, error) {
	cfg := c.reads()
	at := lexer.Placeholders(sql, cfg)
	if len(at) != len(args) {
		return "", &ArgError{Index: -1, What: "the statement has " + strconv.Itoa(len(at)) + " placeholders and got " + strconv.Itoa(len(args)) + " arguments"}
	}
	out := make([]byte, 0, len(sql)+16*len(args))
	last := 0
	for i, offset := range at {
		v, err := c.value(args[i])
		if err == nil {
			out, err = AppendLiteral(append(out, sql[last:offset]...), v, cfg.Mode)
		}
		if err != nil {
			return "", &ArgError{Index: i, What: err.Error()}
		}
		last = offset + 1
	}
	return string(append(out, sql[last:]...)), nil
}

// ValueOf returns what arg is as an argument of a statement of this connection.
// It may alias arg. Readers are none.
func (c *Conn) ValueOf(arg any) (mysql.Value, error) { return c.value(arg) }

// ValueOf returns what arg is as an argument of a statement, on a connection
// whose times are in loc; nil: UTC.
func ValueOf(arg any, loc *time.Location) (mysql.Value, error) {
	return (&Conn{cfg: &Config{Location: loc}}).value(arg)
}

// LexerConfig returns how the server reads SQL now.
func (c *Conn) LexerConfig() lexer.Config { return c.reads() }

// Quotable reports whether texts can be written as literals for this
// connection: no letter of its character set contains a backslash or a quote, as
// some of big5, gbk and sjis do.
func (c *Conn) Quotable() bool {
	for _, name := range append([]string{charsetOf(c.cfg.Collation)}, c.cfg.Charsets...) {
		switch name {
		case "big5", "cp932", "gb18030", "gb2312", "gbk", "sjis":
			return false
		}
	}
	return true
}
