package mysqlserver

import (
	"bytes"
	"math"
	"strconv"

	"github.com/wirelark/wirelark/mysql"
)

// fit puts v, as a value of the type of column i, into r.values. What is no
// number becomes 0 in a column of numbers, as in MySQL's CAST; other values
// that do not fit are errors.
func (r *rowWriter) fit(i int, v *mysql.Value) error {
	column, to := &r.columns[i], &r.values[i]
	if v.IsNull() {
		*to = *v
		return nil
	}
	switch column.Type {
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeInt24, mysql.TypeLong, mysql.TypeLonglong, mysql.TypeYear:
		*to = integer(v, column.Unsigned())
	case mysql.TypeFloat:
		*to = mysql.Float(float32(number(v))).WithDecimals(column.Decimals)
	case mysql.TypeDouble:
		*to = mysql.Double(number(v)).WithDecimals(column.Decimals)
	case mysql.TypeDate, mysql.TypeNewDate, mysql.TypeDatetime, mysql.TypeTimestamp:
		d, ok := dateOf(v)
		if !ok {
			return misuse("%q in the column %q is no date", v.String(), column.Name)
		}
		if column.Type == mysql.TypeDate || column.Type == mysql.TypeNewDate {
			*to = mysql.Date(d)
			return nil
		}
		d.Microsecond -= d.Microsecond % unit(column.Decimals)
		*to = mysql.DateAndTime(d).WithDecimals(column.Decimals)
	case mysql.TypeTime:
		d, ok := timeOf(v)
		if !ok {
			return misuse("%q in the column %q is no time", v.String(), column.Name)
		}
		*to = mysql.Time(d - d%mysql.Duration(unit(column.Decimals))).WithDecimals(column.Decimals)
	default:
		r.fitBytes(to, v)
	}
	return nil
}

// fitBytes makes a string of bytes of v.
func (r *rowWriter) fitBytes(to, v *mysql.Value) {
	switch v.Kind() {
	case mysql.KindText, mysql.KindBytes, mysql.KindDecimal, mysql.KindBit:
		*to = *v
	default:
		if r.binary == nil {
			*to = *v // its text is made with the row
			return
		}
		from := len(r.scratch)
		r.scratch = v.AppendText(r.scratch)
		*to = mysql.Text(r.scratch[from:]) // a later growth leaves these bytes where they are
	}
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
	case mysql.KindInt, mysql.KindUint, mysql.KindBit:
		if v.Kind() == mysql.KindBit {
			return mysql.Uint(v.Uint64())
		}
		return *v
	case mysql.KindText, mysql.KindBytes, mysql.KindDecimal:
		b := bytes.TrimSpace(v.Bytes())
		if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
			return mysql.Int(n)
		}
		if n, err := strconv.ParseUint(string(b), 10, 64); err == nil {
			return mysql.Uint(n)
		}
	}
	f := math.Round(number(v))
	switch {
	case f != f:
		return mysql.Int(0)
	case unsigned || f >= math.MaxInt64:
		return mysql.Uint(uint64(min(max(f, 0), math.MaxUint64)))
	}
	return mysql.Int(int64(max(f, math.MinInt64)))
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
