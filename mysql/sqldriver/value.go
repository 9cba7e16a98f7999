package sqldriver

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// CheckNamedValue implements [driver.NamedValueChecker]: it takes what the client
// takes for an argument, and sql.Out.
func (c *Conn) CheckNamedValue(nv *driver.NamedValue) error {
	if out, ok := nv.Value.(sql.Out); ok {
		if v := reflect.ValueOf(out.Dest); v.Kind() != reflect.Pointer || v.IsNil() {
			return fmt.Errorf("mysql: Dest of sql.Out is a %T and not a pointer", out.Dest)
		}
		return nil
	}
	v, err := c.argument(nv.Value)
	nv.Value = v
	return err
}

// argument returns what is sent for an argument.
func (c *Conn) argument(v any) (any, error) {
	switch x := v.(type) {
	case nil, int64, float64, bool, string, []byte, uint64, json.RawMessage, io.Reader, mysql.Value:
		return v, nil
	case time.Time:
		return c.time(x), nil
	case time.Duration:
		return int64(x), nil // as database/sql has it; mysql.Duration is a TIME
	case driver.Valuer:
		inner, err := callValuer(x)
		if err != nil {
			return nil, err
		}
		if _, again := inner.(driver.Valuer); again {
			return nil, fmt.Errorf("mysql: the Value of a %T has a Value itself", v)
		}
		return c.argument(inner)
	}
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer {
		if p.IsNil() {
			return nil, nil
		}
		return c.argument(p.Elem().Interface())
	}
	return c.c.ValueOf(v)
}

// time returns a time as it is sent. The zero time is the zero date.
func (c *Conn) time(t time.Time) mysql.Value {
	if t.IsZero() {
		return mysql.DateAndTime(mysql.DateTime{})
	}
	if c.cfg.TimeTruncate > 0 {
		t = t.Truncate(c.cfg.TimeTruncate)
	}
	return mysql.DateAndTime(mysql.DateTimeOf(t.In(c.cfg.Location)))
}

// callValuer asks a Valuer. A nil pointer whose method belongs to the value is
// NULL, as in database/sql.
func callValuer(v driver.Valuer) (driver.Value, error) {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() && p.Type().Elem().Implements(reflect.TypeFor[driver.Valuer]()) {
		return nil, nil
	}
	return v.Value()
}

// inValue returns what is sent for an OUT parameter: NULL, or for an INOUT what
// Dest has.
func inValue(out *sql.Out) (any, error) {
	if !out.In {
		return nil, nil
	}
	v := reflect.ValueOf(out.Dest).Elem().Interface()
	if valuer, ok := v.(driver.Valuer); ok {
		return callValuer(valuer)
	}
	return v, nil
}

// lastRow reads a result set to its end and returns its last row, if it has n
// columns: only behind it the server says that it was the OUT parameters.
func lastRow(rows *mysqlclient.Rows, n int) []any {
	var last []any
	for rows.Next() {
		if n > 0 && len(rows.Columns()) == n {
			last = rowOf(rows)
		}
	}
	return last
}

// rowOf copies the present row.
func rowOf(rows *mysqlclient.Rows) []any {
	row := make([]any, len(rows.Columns()))
	for i := range row {
		row[i] = rows.Value(i)
	}
	return row
}

// assignOuts stores the OUT parameters where they belong. The row has them in
// their order, INOUT ones included.
func assignOuts(row []any, outs []*sql.Out) error {
	for i, out := range outs {
		if err := assign(out.Dest, row[i]); err != nil {
			return fmt.Errorf("mysql: OUT parameter %d: %w", i+1, err)
		}
	}
	return nil
}

// assign stores a value where dest points to, with the conversions of
// database/sql.
func assign(dest, v any) error {
	switch x := v.(type) {
	case mysql.DateTime:
		v = []byte(x.String())
		if _, wants := dest.(*time.Time); wants || isNullTime(dest) {
			if t, ok := x.Time(time.UTC); ok {
				v = t
			}
		}
	case mysql.Duration:
		v = []byte(x.String())
	}
	if scanner, ok := dest.(sql.Scanner); ok {
		return scanner.Scan(v)
	}
	switch d := dest.(type) {
	case *any:
		*d = v
		return nil
	case *string:
		return scan(d, v)
	case *[]byte:
		return scan(d, v)
	case *time.Time:
		return scan(d, v)
	case *bool:
		return scan(d, v)
	}
	return assignNumber(reflect.ValueOf(dest).Elem(), v)
}

func isNullTime(dest any) bool {
	switch dest.(type) {
	case *sql.NullTime, *sql.Null[time.Time]:
		return true
	}
	return false
}

// scan converts as Rows.Scan does, which has no other door than this one.
func scan[T any](dest *T, v any) error {
	var n sql.Null[T]
	if err := n.Scan(v); err != nil {
		return err
	}
	if !n.Valid {
		return fmt.Errorf("converting NULL to %T is unsupported", *dest)
	}
	*dest = n.V
	return nil
}

// assignNumber stores into a number, a pointer, or a type made of a basic one.
func assignNumber(d reflect.Value, v any) error {
	switch d.Kind() {
	case reflect.Pointer:
		if v == nil {
			d.SetZero()
			return nil
		}
		p := reflect.New(d.Type().Elem())
		d.Set(p)
		return assign(p.Interface(), v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var n int64
		if err := scan(&n, v); err != nil {
			return err
		}
		if d.OverflowInt(n) {
			return fmt.Errorf("%d does not fit into a %s", n, d.Type())
		}
		d.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n uint64
		if err := scan(&n, v); err != nil {
			return err
		}
		if d.OverflowUint(n) {
			return fmt.Errorf("%d does not fit into a %s", n, d.Type())
		}
		d.SetUint(n)
	case reflect.Float32, reflect.Float64:
		var x float64
		if err := scan(&x, v); err != nil {
			return err
		}
		d.SetFloat(x)
	case reflect.String:
		var s string
		if err := scan(&s, v); err != nil {
			return err
		}
		d.SetString(s)
	default:
		return fmt.Errorf("nothing becomes a %s", d.Type())
	}
	return nil
}
