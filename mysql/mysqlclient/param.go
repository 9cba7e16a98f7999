package mysqlclient

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/wirelark/wirelark/mysql"
)

// ArgError says that an argument has a type that is none of SQL's, or that a
// statement got the wrong number of arguments. Nothing was executed.
type ArgError struct {
	Index int // of the argument, from 0; -1: their number is wrong
	What  string
}

// Error says which argument and what is wrong with it.
func (e *ArgError) Error() string {
	if e.Index < 0 {
		return "mysql: " + e.What
	}
	return fmt.Sprintf("mysql: argument %d: %s", e.Index+1, e.What)
}

// Arguments of statements may be nil, bool, integers, floats, string, []byte
// (nil is NULL), [json.RawMessage], [time.Time] (sent in the connection's zone
// with microseconds), [time.Duration] (TIME), the values of package mysql, an
// [io.Reader] whose bytes are sent ahead of the execution, a [driver.Valuer],
// pointers to all of them, and types made of them.

// value returns an argument as a value, which may alias it.
func (c *Conn) value(arg any) (mysql.Value, error) {
	switch x := arg.(type) {
	case nil:
		return mysql.Null(), nil
	case mysql.Value:
		return x, nil
	case int:
		return mysql.Int(int64(x)), nil
	case int64:
		return mysql.Int(x), nil
	case uint64:
		return mysql.Uint(x), nil
	case bool:
		return mysql.Bool(x), nil
	case float32:
		return mysql.Float(x), nil
	case float64:
		return mysql.Double(x), nil
	case string:
		return mysql.String(x), nil
	case []byte:
		if x == nil {
			return mysql.Null(), nil
		}
		return mysql.Bytes(x), nil
	case json.RawMessage: // text: servers make no JSON of bytes
		if x == nil {
			return mysql.Null(), nil
		}
		return mysql.Text(x), nil
	case time.Time:
		return mysql.DateAndTime(mysql.DateTimeOf(x.In(c.location()))), nil
	case time.Duration:
		return mysql.Time(mysql.DurationOf(x)), nil
	case mysql.DateTime:
		return mysql.DateAndTime(x), nil
	case mysql.Duration:
		return mysql.Time(x), nil
	case driver.Valuer:
		return c.valuer(x)
	}
	return c.reflected(reflect.ValueOf(arg))
}

// valuer asks a Valuer, whose nil pointer is NULL, as database/sql does.
func (c *Conn) valuer(x driver.Valuer) (mysql.Value, error) {
	if v := reflect.ValueOf(x); v.Kind() == reflect.Pointer && v.IsNil() {
		return mysql.Null(), nil
	}
	inner, err := x.Value()
	if err != nil {
		return mysql.Null(), err
	}
	if _, again := inner.(driver.Valuer); again {
		return mysql.Null(), fmt.Errorf("a %T yields another Valuer", x)
	}
	return c.value(inner)
}

// reflected returns the value of a pointer, or of a type made of another one.
func (c *Conn) reflected(v reflect.Value) (mysql.Value, error) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return mysql.Null(), nil
		}
		return c.value(v.Elem().Interface())
	case reflect.Bool:
		return mysql.Bool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return mysql.Int(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return mysql.Uint(v.Uint()), nil
	case reflect.Float32:
		return mysql.Float(float32(v.Float())), nil
	case reflect.Float64:
		return mysql.Double(v.Float()), nil
	case reflect.String:
		return mysql.String(v.String()), nil
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return c.value(v.Bytes())
		}
	}
	return mysql.Null(), fmt.Errorf("a %s is no value of SQL", v.Type())
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
