package mysqlclient

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/wirelark/wirelark/mysql"
)

// ValueError says that a value cannot be had as what was asked for. It ends the
// rows it belongs to; see [Rows].
type ValueError struct {
	Column string // its name
	Value  string // as text, cut when it is long
	Want   string // what was asked for, as "an int64"
}

// Error names column and value.
func (e *ValueError) Error() string {
	return fmt.Sprintf("mysql: column %q has %q, which is not %s", e.Column, e.Value, e.Want)
}

// bad ends the rows because of a value, unless they have ended already.
func (r *Rows) bad(i int, want string) {
	if r.err != nil {
		return
	}
	const most = 64
	text := r.String(i)
	if len(text) > most {
		text = text[:most] + "…"
	}
	r.err = &ValueError{Column: r.columns[i].Name, Value: text, Want: want}
}

// IsNull reports whether column i of the present row is NULL.
func (r *Rows) IsNull(i int) bool {
	if r.binary != nil {
		return r.binary.Values[i].IsNull()
	}
	return r.text.Cells[i] == nil
}

// Cell returns column i of the present row. It aliases the row: it is valid
// until Next.
func (r *Rows) Cell(i int) mysql.Value {
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
func (r *Rows) Int64(i int) int64 {
	if r.binary != nil {
		if v := &r.binary.Values[i]; v.Kind() == mysql.KindInt {
			return v.Int64()
		}
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

// Uint64 is [Rows.Int64] for numbers that are not negative.
func (r *Rows) Uint64(i int) uint64 {
	n, negative, ok := r.integer(i)
	if !ok || negative && n != 0 {
		r.bad(i, "a uint64")
		return 0
	}
	return n
}

// integer returns the absolute value of an integer and its sign.
func (r *Rows) integer(i int) (n uint64, negative, ok bool) {
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
func (r *Rows) Float64(i int) float64 {
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
func (r *Rows) Bool(i int) bool {
	n, _, ok := r.integer(i)
	if !ok {
		return r.Float64(i) != 0
	}
	return n != 0
}

// Bytes returns the bytes of a text or a blob, and the text of other values. It
// is nil for NULL, and valid until Next.
func (r *Rows) Bytes(i int) []byte {
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
func (r *Rows) String(i int) string { return string(r.Bytes(i)) }

// AppendText appends what String returns to b, without another allocation.
func (r *Rows) AppendText(b []byte, i int) []byte {
	if r.binary == nil {
		return append(b, r.text.Cells[i]...)
	}
	return r.binary.Values[i].AppendText(b)
}

// DateTime returns a DATE, DATETIME or TIMESTAMP as it is: without a zone, the
// zero date and dates without a day among them.
func (r *Rows) DateTime(i int) mysql.DateTime {
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
// see [Rows.DateTime].
func (r *Rows) Time(i int) time.Time {
	if r.IsNull(i) {
		return time.Time{}
	}
	d := r.DateTime(i)
	t, ok := d.Time(r.c.location())
	if !ok {
		r.bad(i, "a time")
	}
	return t
}

// Duration returns a TIME.
func (r *Rows) Duration(i int) time.Duration {
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
func (r *Rows) Value(i int) any {
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
