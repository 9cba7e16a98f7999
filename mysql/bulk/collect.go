package bulk

import (
	"database/sql"
	"encoding"
	"errors"
	"fmt"
	"iter"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Collect reads the present result set into a slice and closes rows. What a row
// becomes is decided by T, once for all rows:
//
//   - a struct: each column goes to the field whose tag `db` (or `mysql`) is its
//     name, else to the field of that name, where case and underscores do not
//     count. `db:"-"` leaves a field out. Embedded structs take part. A column
//     without a field is an error, a field without a column is left zero.
//   - map[string]any: the values of [mysqlclient.Rows.Value] by column name
//   - anything else: the only column
//
// Fields may be bool, integers, floats, string, []byte, time.Time,
// time.Duration, the values of package mysql, any (as [mysqlclient.Rows.Value]), pointers to
// them (nil for NULL), and what implements [sql.Scanner] or
// [encoding.TextUnmarshaler]. NULL needs a pointer, a []byte, an any or a Scanner,
// and is an error elsewhere, as are numbers that do not fit.
//
// On an error the rows before it are returned with it.
func Collect[T any](rows *mysqlclient.Rows) ([]T, error) {
	var list []T
	for v, err := range Each[T](rows) {
		if err != nil {
			return list, err
		}
		list = append(list, v)
	}
	return list, nil
}

// Each is [Collect] row by row: memory does not grow with their number. It
// yields an error at most once, behind the last row, and closes rows.
func Each[T any](rows *mysqlclient.Rows) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		set, err := setterOf(reflect.TypeFor[T](), rows.Columns())
		if err != nil {
			yield(zero, errors.Join(err, rows.Close()))
			return
		}
		defer func() { _ = rows.Close() }() // where the caller stops early
		for n := 0; rows.Next(); n++ {
			var v T
			if err := set(rows, reflect.ValueOf(&v).Elem()); err != nil {
				yield(zero, fmt.Errorf("row %d: %w", n, err))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := rows.Close(); err != nil {
			yield(zero, err)
		}
	}
}

// rowSetter puts the present row into v.
type rowSetter func(r *mysqlclient.Rows, v reflect.Value) error

// cellSetter puts column i of the present row into v.
type cellSetter func(r *mysqlclient.Rows, i int, v reflect.Value) error

var (
	typeMap      = reflect.TypeFor[map[string]any]()
	typeTime     = reflect.TypeFor[time.Time]()
	typeDuration = reflect.TypeFor[time.Duration]()
	typeDateTime = reflect.TypeFor[mysql.DateTime]()
	typeTimeOf   = reflect.TypeFor[mysql.Duration]()
	typeAny      = reflect.TypeFor[any]()
	typeScanner  = reflect.TypeFor[sql.Scanner]()
	typeText     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// plainStruct reports whether t is a struct whose fields are columns.
func plainStruct(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() == reflect.Struct && t != typeTime && t != typeDateTime && !p.Implements(typeScanner) && !p.Implements(typeText)
}

func setterOf(t reflect.Type, columns []mysql.Column) (rowSetter, error) {
	switch {
	case t == typeMap:
		return setMap, nil
	case plainStruct(t):
		return structSetter(t, columns)
	case len(columns) != 1:
		return nil, fmt.Errorf("mysql: a row of %d columns does not fit into one %s", len(columns), t)
	}
	set, err := cellSetterOf(t)
	if err != nil {
		return nil, err
	}
	return func(r *mysqlclient.Rows, v reflect.Value) error { return finish(r, set(r, 0, v)) }, nil
}

// finish prefers the error that a getter left in the rows.
func finish(r *mysqlclient.Rows, err error) error {
	if e := r.Err(); e != nil {
		return e
	}
	return err
}

func setMap(r *mysqlclient.Rows, v reflect.Value) error {
	m := make(map[string]any, len(r.Columns()))
	for i := range r.Columns() {
		m[r.Columns()[i].Name] = r.Value(i)
	}
	v.Set(reflect.ValueOf(m))
	return r.Err()
}

// structSetter finds the field of each column.
func structSetter(t reflect.Type, columns []mysql.Column) (rowSetter, error) {
	fields := map[string][]int{}
	addFields(t, nil, fields)
	paths := make([][]int, len(columns))
	sets := make([]cellSetter, len(columns))
	for i := range columns {
		name := columns[i].Name
		path, ok := fields[name]
		if !ok {
			path, ok = fields[plainName(name)]
		}
		if !ok {
			return nil, fmt.Errorf("mysql: %s has no field for column %q", t, name)
		}
		set, err := cellSetterOf(t.FieldByIndex(path).Type)
		if err != nil {
			return nil, err
		}
		paths[i], sets[i] = path, set
	}
	return func(r *mysqlclient.Rows, v reflect.Value) error {
		for i, set := range sets {
			if err := set(r, i, fieldOf(v, paths[i])); err != nil {
				return finish(r, err)
			}
		}
		return r.Err()
	}, nil
}

// plainName is what of a name counts where no tag gives it. The NUL keeps it
// apart from tags.
func plainName(s string) string { return "\x00" + strings.ToLower(strings.ReplaceAll(s, "_", "")) }

// addFields notes the fields of t by tag and by name. Outer ones win.
func addFields(t reflect.Type, path []int, fields map[string][]int) {
	var embedded []reflect.StructField
	add := func(name string, f reflect.StructField) {
		if _, taken := fields[name]; !taken {
			fields[name] = append(append([]int{}, path...), f.Index...)
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("db")
		if !tagged {
			tag, tagged = f.Tag.Lookup("mysql")
		}
		tag, _, _ = strings.Cut(tag, ",")
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && plainStruct(f.Type):
			embedded = append(embedded, f)
		case !f.IsExported():
		case tag != "":
			add(tag, f)
		default:
			add(plainName(f.Name), f)
		}
	}
	for _, f := range embedded {
		addFields(f.Type, append(append([]int{}, path...), f.Index...), fields)
	}
}

func fieldOf(v reflect.Value, path []int) reflect.Value {
	for _, i := range path {
		v = v.Field(i)
	}
	return v
}

// errNull says that a NULL has no place.
func errNull(r *mysqlclient.Rows, i int, t reflect.Type) error {
	return &mysqlclient.ValueError{Column: r.Columns()[i].Name, Value: "NULL", Want: "a " + t.String()}
}

// cellSetterOf returns how a value comes into a variable of type t.
func cellSetterOf(t reflect.Type) (cellSetter, error) {
	set, nullable, err := plainSetter(t)
	if err != nil || nullable {
		return set, err
	}
	return func(r *mysqlclient.Rows, i int, v reflect.Value) error {
		if r.IsNull(i) {
			return errNull(r, i, t)
		}
		return set(r, i, v)
	}, nil
}

// plainSetter is cellSetterOf for values that are not NULL. nullable ones take
// NULL as well.
func plainSetter(t reflect.Type) (set cellSetter, nullable bool, err error) {
	switch {
	case reflect.PointerTo(t).Implements(typeScanner):
		return setScanner, true, nil
	case t.Kind() == reflect.Pointer:
		return pointerSetter(t)
	}
	switch t {
	case typeTime:
		return func(r *mysqlclient.Rows, i int, v reflect.Value) error { v.Set(reflect.ValueOf(r.Time(i))); return nil }, false, nil
	case typeDuration:
		return func(r *mysqlclient.Rows, i int, v reflect.Value) error { v.SetInt(int64(r.Duration(i))); return nil }, false, nil
	case typeDateTime:
		return func(r *mysqlclient.Rows, i int, v reflect.Value) error {
			v.Set(reflect.ValueOf(r.DateTime(i)))
			return nil
		}, false, nil
	case typeTimeOf:
		return func(r *mysqlclient.Rows, i int, v reflect.Value) error {
			v.SetInt(int64(mysql.DurationOf(r.Duration(i))))
			return nil
		}, false, nil
	case typeAny:
		return setAny, true, nil
	}
	if reflect.PointerTo(t).Implements(typeText) {
		return setText, false, nil
	}
	return kindSetter(t)
}

func kindSetter(t reflect.Type) (set cellSetter, nullable bool, err error) {
	switch t.Kind() {
	case reflect.Bool:
		return func(r *mysqlclient.Rows, i int, v reflect.Value) error { v.SetBool(r.Bool(i)); return nil }, false, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return setInt, false, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return setUint, false, nil
	case reflect.Float32, reflect.Float64:
		return setFloat, false, nil
	case reflect.String:
		return func(r *mysqlclient.Rows, i int, v reflect.Value) error { v.SetString(r.String(i)); return nil }, false, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return setBytes, true, nil
		}
	}
	return nil, false, fmt.Errorf("mysql: no column becomes a %s", t)
}

// pointerSetter makes what a pointer is to point to, nil for NULL.
func pointerSetter(t reflect.Type) (set cellSetter, nullable bool, err error) {
	inner, err := cellSetterOf(t.Elem())
	if err != nil {
		return nil, false, err
	}
	return func(r *mysqlclient.Rows, i int, v reflect.Value) error {
		if r.IsNull(i) {
			v.SetZero()
			return nil
		}
		p := reflect.New(t.Elem())
		v.Set(p)
		return inner(r, i, p.Elem())
	}, true, nil
}

// misfit says that a number is too large for a variable.
func misfit(r *mysqlclient.Rows, i int, v reflect.Value) error {
	return &mysqlclient.ValueError{Column: r.Columns()[i].Name, Value: r.String(i), Want: "a " + v.Type().String()}
}

func setInt(r *mysqlclient.Rows, i int, v reflect.Value) error {
	n := r.Int64(i)
	if v.OverflowInt(n) {
		return misfit(r, i, v)
	}
	v.SetInt(n)
	return nil
}

func setUint(r *mysqlclient.Rows, i int, v reflect.Value) error {
	n := r.Uint64(i)
	if v.OverflowUint(n) {
		return misfit(r, i, v)
	}
	v.SetUint(n)
	return nil
}

func setFloat(r *mysqlclient.Rows, i int, v reflect.Value) error {
	x := r.Float64(i)
	if v.OverflowFloat(x) && !math.IsInf(x, 0) {
		return misfit(r, i, v)
	}
	v.SetFloat(x)
	return nil
}

// setBytes copies, as rows are reused.
func setBytes(r *mysqlclient.Rows, i int, v reflect.Value) error {
	if r.IsNull(i) {
		v.SetZero()
		return nil
	}
	v.SetBytes(append([]byte{}, r.Bytes(i)...))
	return nil
}

func setAny(r *mysqlclient.Rows, i int, v reflect.Value) error {
	x := r.Value(i)
	if x == nil {
		v.SetZero()
		return nil
	}
	v.Set(reflect.ValueOf(x))
	return nil
}

func setText(r *mysqlclient.Rows, i int, v reflect.Value) error {
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(r.Bytes(i))
}

// setScanner gives a Scanner what database/sql would: an int64, a float64,
// bytes, a time.Time or nil.
func setScanner(r *mysqlclient.Rows, i int, v reflect.Value) error {
	var src any
	switch x := r.Value(i).(type) {
	case uint64:
		src = x
		if x <= math.MaxInt64 {
			src = int64(x)
		}
	case float32:
		src = float64(x)
	case string:
		src = []byte(x)
	case mysql.DateTime:
		src = []byte(r.String(i))
		if x.Month != 0 && x.Day != 0 {
			src = r.Time(i)
		}
	case mysql.Duration:
		src = []byte(r.String(i))
	default:
		src = x
	}
	if err := v.Addr().Interface().(sql.Scanner).Scan(src); err != nil {
		return fmt.Errorf("mysql: column %q: %w", r.Columns()[i].Name, err)
	}
	return nil
}
