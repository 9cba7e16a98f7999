package value

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// Row is a row of a result set and the getters of its columns, which are counted
// from 0. An index beyond the columns panics, as that of a slice does. What a
// getter returns for NULL is 0.
//
// A value that does not fit what is asked for gives 0 as well and is
// remembered: see [Fault].
type Row struct {
	columns []mysql.Column
	text    *mysql.TextRow
	binary  *mysql.BinaryRow // nil: the row is text
	loc     *time.Location
	scratch []byte // texts of numbers
	fault   error
}

// Describe says of what columns the rows are that r will hold, and in which zone
// values without one are meant. Binary is the decoder for rows in binary form;
// nil: they are text.
func Describe(r *Row, columns []mysql.Column, binary *mysql.BinaryRow, loc *time.Location) {
	r.columns, r.binary, r.loc, r.text = columns, binary, loc, nil
	if binary == nil && columns != nil {
		r.text = mysql.NewTextRow(len(columns))
	}
}

// Decode makes r the row in a packet, which it aliases from then on. It allocates
// nothing but for the first row.
func Decode(r *Row, c *wire.Coder, packet []byte, d wire.Dialect) error {
	r.scratch = r.scratch[:0]
	if r.binary == nil {
		return c.Parse(packet, r.text, d)
	}
	if len(packet) == 0 || packet[0] != mysql.HeaderOK {
		return wire.ErrValue
	}
	if r.binary.Scan(packet[1:]) {
		return nil
	}
	return c.Parse(packet[1:], r.binary, d)
}

// Fault returns the first [*Error] of a getter of r; nil: there was none.
func Fault(r *Row) error { return r.fault }

// Columns describes the columns; nil: there are no rows. The slice is shared and
// is not to be written to.
func (r *Row) Columns() []mysql.Column { return r.columns }

// Error says that a value cannot be had as what was asked for. It ends the
// rows it belongs to.
type Error struct {
	Column string // its name
	Value  string // as text, cut when it is long
	Want   string // what was asked for, as "an int64"
}

// Error names column and value.
func (e *Error) Error() string {
	return fmt.Sprintf("mysql: column %q has %q, which is not %s", e.Column, e.Value, e.Want)
}

// bad ends the rows because of a value, unless they have ended already.
func (r *Row) bad(i int, want string) {
	if r.fault != nil {
		return
	}
	const most = 64
	text := r.String(i)
	if len(text) > most {
		text = text[:most] + "…"
	}
	r.fault = &Error{Column: r.columns[i].Name, Value: text, Want: want}
}

// IsNull reports whether column i of the present row is NULL.
func (r *Row) IsNull(i int) bool {
	if r.binary != nil {
		return r.binary.Values[i].IsNull()
	}
	return r.text.Cells[i] == nil
}

// Cell returns column i of the present row. It aliases the row: it is valid
// until Next.
func (r *Row) Cell(i int) mysql.Value {
	if r.binary != nil {
		return r.binary.Values[i]
	}
	v, err := r.columns[i].ParseText(r.text.Cells[i])
	if err != nil {
		r.bad(i, "what its column says")
	}
	return v
}

// Int64 returns an integer. Numbers with nothing behind the point, and texts
// that are integers, are good as well; BIT counts as unsigned.
func (r *Row) Int64(i int) int64 {
	if r.binary != nil {
		if v := &r.binary.Values[i]; v.Kind() == mysql.KindInt {
			return v.Int64()
		}
	} else if n, ok := digits(r.text.Cells[i]); ok && r.columns[i].Type != mysql.TypeBit {
		return n
	}
	n, negative, ok := r.integer(i)
	switch {
	case ok && negative && n <= 1<<63:
		return int64(-n)
	case ok && !negative && n <= math.MaxInt64:
		return int64(n)
	}
	r.bad(i, "an int64")
	return 0
}

// digits reads an integer of at most 18 digits.
func digits(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	for _, d := range b {
		if d -= '0'; d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	if negative {
		n = -n
	}
	return n, 0 < len(b) && len(b) <= 18
}

// Uint64 is [Row.Int64] for numbers that are not negative.
func (r *Row) Uint64(i int) uint64 {
	n, negative, ok := r.integer(i)
	if !ok || negative && n != 0 {
		r.bad(i, "a uint64")
		return 0
	}
	return n
}

// integer returns the absolute value of an integer and its sign.
func (r *Row) integer(i int) (n uint64, negative, ok bool) {
	v := r.Cell(i)
	switch v.Kind() {
	case mysql.KindNull:
		return 0, false, true
	case mysql.KindInt:
		if x := v.Int64(); x < 0 {
			return -uint64(x), true, true
		}
		return v.Uint64(), false, true
	case mysql.KindUint:
		return v.Uint64(), false, true
	case mysql.KindBit:
		return v.Uint64(), false, len(v.Bytes()) <= 8
	case mysql.KindFloat, mysql.KindDouble:
		return wholeNumber(v.Float64())
	case mysql.KindDecimal, mysql.KindText, mysql.KindBytes:
		text := string(v.Bytes())
		if x, err := strconv.ParseInt(text, 10, 64); err == nil {
			if x < 0 {
				return -uint64(x), true, true
			}
			return uint64(x), false, true
		}
		if x, err := strconv.ParseUint(text, 10, 64); err == nil {
			return x, false, true
		}
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			return wholeNumber(x)
		}
	}
	return 0, false, false
}

// wholeNumber returns a number that has nothing behind the point, and is small
// enough for a float64 to hold it exactly.
func wholeNumber(x float64) (n uint64, negative, ok bool) {
	if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return 0, false, false
	}
	return uint64(math.Abs(x)), x < 0, true
}

// Float64 returns a number, or a text that is one. A DECIMAL is rounded.
func (r *Row) Float64(i int) float64 {
	v := r.Cell(i)
	switch v.Kind() {
	case mysql.KindNull:
		return 0
	case mysql.KindFloat, mysql.KindDouble:
		return v.Float64()
	case mysql.KindInt:
		return float64(v.Int64())
	case mysql.KindUint, mysql.KindBit:
		return float64(v.Uint64())
	case mysql.KindDecimal, mysql.KindText, mysql.KindBytes:
		if x, err := strconv.ParseFloat(string(v.Bytes()), 64); err == nil {
			return x
		}
	}
	r.bad(i, "a number")
	return 0
}

// Bool reports whether a number, or a BIT, is not 0.
func (r *Row) Bool(i int) bool {
	n, _, ok := r.integer(i)
	if !ok {
		return r.Float64(i) != 0
	}
	return n != 0
}

// Bytes returns the bytes of a text or a blob, and the text of other values. It
// is nil for NULL, and valid until Next.
func (r *Row) Bytes(i int) []byte {
	if r.binary == nil {
		return r.text.Cells[i]
	}
	v := &r.binary.Values[i]
	switch v.Kind() {
	case mysql.KindNull:
		return nil
	case mysql.KindText, mysql.KindBytes, mysql.KindDecimal, mysql.KindBit:
		return v.Bytes()
	}
	at := len(r.scratch)
	r.scratch = v.AppendText(r.scratch)
	return r.scratch[at:]
}

// String returns a copy of a text or a blob, and the text of other values: as
// the server writes it. It is empty for NULL.
func (r *Row) String(i int) string { return string(r.Bytes(i)) }

// AppendText appends what String returns to b, without another allocation.
func (r *Row) AppendText(b []byte, i int) []byte {
	if r.binary == nil {
		return append(b, r.text.Cells[i]...)
	}
	return r.binary.Values[i].AppendText(b)
}

// DateTime returns a DATE, DATETIME or TIMESTAMP as it is: without a zone, the
// zero date and dates without a day among them.
func (r *Row) DateTime(i int) mysql.DateTime {
	v := r.Cell(i)
	switch v.Kind() {
	case mysql.KindNull, mysql.KindDate, mysql.KindDateTime:
		return v.DateTime()
	case mysql.KindText, mysql.KindBytes:
		if d, ok := mysql.ParseDateTime(v.Bytes()); ok {
			return d
		}
	}
	r.bad(i, "a date")
	return mysql.DateTime{}
}

// Time returns a DATE, DATETIME or TIMESTAMP as a time in the configuration's
// zone. The zero date and others that are no day of the calendar are an error:
// see [Row.DateTime].
func (r *Row) Time(i int) time.Time {
	if r.IsNull(i) {
		return time.Time{}
	}
	d := r.DateTime(i)
	t, ok := d.Time(r.loc)
	if !ok {
		r.bad(i, "a time")
	}
	return t
}

// Duration returns a TIME.
func (r *Row) Duration(i int) time.Duration {
	v := r.Cell(i)
	switch v.Kind() {
	case mysql.KindNull, mysql.KindTime:
		return v.Time().Duration()
	case mysql.KindText, mysql.KindBytes:
		if d, ok := mysql.ParseDuration(v.Bytes()); ok {
			return d.Duration()
		}
	}
	r.bad(i, "a duration")
	return 0
}

// Value returns a copy of column i in the Go type of the column, which is the
// same whether the rows are text or binary: nil, int64, uint64 (UNSIGNED and
// YEAR), float32, float64, string (texts, DECIMAL, ENUM, SET, JSON), []byte
// (blobs, BIT, GEOMETRY, VECTOR), [mysql.DateTime] (DATE, DATETIME, TIMESTAMP)
// or [mysql.Duration] (TIME).
func (r *Row) Value(i int) any {
	v := r.Cell(i)
	switch v.Kind() {
	case mysql.KindInt:
		return v.Int64()
	case mysql.KindUint:
		return v.Uint64()
	case mysql.KindFloat:
		return float32(v.Float64())
	case mysql.KindDouble:
		return v.Float64()
	case mysql.KindDecimal, mysql.KindText:
		return string(v.Bytes())
	case mysql.KindBytes, mysql.KindBit:
		return slices.Concat([]byte{}, v.Bytes())
	case mysql.KindDate, mysql.KindDateTime:
		return v.DateTime()
	case mysql.KindTime:
		return v.Time()
	}
	return nil
}
