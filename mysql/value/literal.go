package value

import (
	"encoding/hex"
	"errors"
	"fmt"
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

// Interpolate returns sql with its placeholders replaced by args as literals, for
// a server that reads SQL as cfg says. It knows strings, names and comments, so
// what stands there stays. An [*ArgError] says that there are not as many
// arguments as placeholders, or that one has no literal.
func Interpolate(sql string, args []any, cfg lexer.Config, loc *time.Location) (string, error) {
	at := lexer.Placeholders(sql, cfg)
	if len(at) != len(args) {
		return "", &ArgError{Index: -1, What: fmt.Sprintf("the statement has %d placeholders and got %d arguments", len(at), len(args))}
	}
	out := make([]byte, 0, len(sql)+16*len(args))
	last := 0
	for i, offset := range at {
		v, err := Of(args[i], loc)
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
