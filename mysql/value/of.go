package value

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
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

// Of returns what an argument of a statement is as a value, which may alias it.
// Arguments may be nil, bool, integers, floats, string, []byte (nil is NULL),
// [json.RawMessage], [time.Time] (sent in loc, nil being UTC, cut to
// microseconds), [time.Duration] (TIME), the values of package mysql, a
// [driver.Valuer], pointers to all of them, and types made of them.
func Of(arg any, loc *time.Location) (mysql.Value, error) {
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
		if loc == nil {
			loc = time.UTC
		}
		return mysql.DateAndTime(mysql.DateTimeOf(x.In(loc))), nil
	case time.Duration:
		return mysql.Time(mysql.DurationOf(x)), nil
	case mysql.DateTime:
		return mysql.DateAndTime(x), nil
	case mysql.Duration:
		return mysql.Time(x), nil
	case driver.Valuer:
		return ofValuer(x, loc)
	}
	return reflected(reflect.ValueOf(arg), loc)
}

// ofValuer asks a Valuer, whose nil pointer is NULL, as database/sql does.
func ofValuer(x driver.Valuer, loc *time.Location) (mysql.Value, error) {
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
	return Of(inner, loc)
}

// reflected returns the value of a pointer, or of a type made of another one.
func reflected(v reflect.Value, loc *time.Location) (mysql.Value, error) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return mysql.Null(), nil
		}
		return Of(v.Elem().Interface(), loc)
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
			return Of(v.Bytes(), loc)
		}
	}
	return mysql.Null(), fmt.Errorf("a %s is no value of SQL", v.Type())
}
