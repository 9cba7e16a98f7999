package value

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/wirelark/wirelark/mysql"
)

// A FitError says that a value cannot be one of a column's type.
type FitError struct {
	Column string
	Value  string // as text
	Want   string // "a date" or "a time"
}

// Error names the value and the column.
func (e *FitError) Error() string {
	return fmt.Sprintf("%q in the column %q is not %s", e.Value, e.Column, e.Want)
}

// Fit returns v as a value of the column's type, as a server sends it: numbers
// are rounded to integers, dates cut to the column's decimals, texts read as
// numbers and dates. What is no number becomes 0 in a column of numbers, as in
// MySQL's CAST; what is no date or time is a [*FitError]. Columns of strings
// of bytes take every value as it is; its text is what they want. Fit allocates
// nothing unless it fails.
func Fit(v *mysql.Value, column *mysql.Column) (mysql.Value, error) {
	if v.IsNull() {
		return *v, nil
	}
	switch column.Type {
	case mysql.TypeNull:
		return mysql.Null(), nil
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeInt24, mysql.TypeLong, mysql.TypeLonglong, mysql.TypeYear:
		return integer(v, column.Unsigned()), nil
	case mysql.TypeFloat:
		return mysql.Float(float32(number(v))).WithDecimals(column.Decimals), nil
	case mysql.TypeDouble:
		return mysql.Double(number(v)).WithDecimals(column.Decimals), nil
	case mysql.TypeDate, mysql.TypeNewDate, mysql.TypeDatetime, mysql.TypeTimestamp:
		return date(v, column)
	case mysql.TypeTime:
		d, ok := timeOf(v)
		if !ok {
			return *v, &FitError{column.Name, v.String(), "a time"}
		}
		return mysql.Time(d - d%mysql.Duration(unit(column.Decimals))).WithDecimals(column.Decimals), nil
	}
	return *v, nil
}

func date(v *mysql.Value, column *mysql.Column) (mysql.Value, error) {
	d, ok := dateOf(v)
	if !ok {
		return *v, &FitError{column.Name, v.String(), "a date"}
	}
	if column.Type == mysql.TypeDate || column.Type == mysql.TypeNewDate {
		return mysql.Date(d), nil
	}
	d.Microsecond -= d.Microsecond % unit(column.Decimals)
	return mysql.DateAndTime(d).WithDecimals(column.Decimals), nil
}

// unit returns how many microseconds the last of n digits of a fraction counts.
func unit(n uint8) uint32 {
	u := uint32(1e6)
	for range min(n, 6) {
		u /= 10
	}
	return u
}

// integer rounds v to an integer.
func integer(v *mysql.Value, unsigned bool) mysql.Value {
	switch v.Kind() {
	case mysql.KindInt, mysql.KindUint:
		return *v
	case mysql.KindBit:
		return mysql.Uint(v.Uint64())
	case mysql.KindText, mysql.KindBytes, mysql.KindDecimal:
		text := string(bytes.TrimSpace(v.Bytes()))
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return mysql.Int(n)
		}
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			return mysql.Uint(n)
		}
	}
	f := math.Round(number(v))
	switch {
	case f != f:
		return mysql.Int(0)
	case unsigned && f <= 0:
		return mysql.Uint(0)
	case f >= 1<<64:
		return mysql.Uint(math.MaxUint64)
	case unsigned || f >= 1<<63:
		return mysql.Uint(uint64(f))
	}
	return mysql.Int(int64(max(f, -1<<63)))
}

// number returns v as a floating point number.
func number(v *mysql.Value) float64 {
	switch v.Kind() {
	case mysql.KindInt:
		return float64(v.Int64())
	case mysql.KindUint, mysql.KindBit:
		return float64(v.Uint64())
	case mysql.KindFloat, mysql.KindDouble:
		return v.Float64()
	case mysql.KindText, mysql.KindBytes, mysql.KindDecimal:
		f, _ := strconv.ParseFloat(string(bytes.TrimSpace(v.Bytes())), 64)
		return f
	}
	return 0
}

// dateOf returns what v says as a date: a date, or a text as
// "2024-02-29 12:34:56.789".
func dateOf(v *mysql.Value) (d mysql.DateTime, ok bool) {
	switch v.Kind() {
	case mysql.KindDate, mysql.KindDateTime:
		return v.DateTime(), true
	case mysql.KindText, mysql.KindBytes:
		return mysql.ParseDateTime(v.Bytes())
	}
	return d, false
}

// timeOf returns what v says as a time: a time, or a text as "-12:34:56.789".
func timeOf(v *mysql.Value) (mysql.Duration, bool) {
	switch v.Kind() {
	case mysql.KindTime:
		return v.Time(), true
	case mysql.KindText, mysql.KindBytes:
		return mysql.ParseDuration(v.Bytes())
	}
	return 0, false
}
