package mysqlclient

import (
	"errors"

	"github.com/wirelark/wirelark/mysql"
)

var (
	errDate     = errors.New("a date")
	errDuration = errors.New("a duration")
)

// digits reads n decimal digits at the beginning of b.
func digits(b []byte, n int) (v int, rest []byte, ok bool) {
	if len(b) < n {
		return 0, nil, false
	}
	for _, d := range b[:n] {
		if d < '0' || d > '9' {
			return 0, nil, false
		}
		v = v*10 + int(d-'0')
	}
	return v, b[n:], true
}

// field reads a separator and two digits, at most limit.
func field(b []byte, sep byte, limit int) (v int, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != sep {
		return 0, nil, false
	}
	v, rest, ok = digits(b[1:], 2)
	return v, rest, ok && v <= limit
}

// fraction reads a point and up to six digits behind it, as microseconds; b may
// be empty.
func fraction(b []byte) (micro int, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	n := len(b) - 1
	if b[0] != '.' || n == 0 || n > 6 {
		return 0, false
	}
	micro, _, ok = digits(b[1:], n)
	for range 6 - n {
		micro *= 10
	}
	return micro, ok
}

// parseDateTime reads YYYY-MM-DD, with or without hh:mm:ss and a fraction
// behind it.
func parseDateTime(b []byte) (mysql.DateTime, error) {
	year, b, ok1 := digits(b, 4)
	month, b, ok2 := field(b, '-', 12)
	day, b, ok3 := field(b, '-', 31)
	if !ok1 || !ok2 || !ok3 {
		return mysql.DateTime{}, errDate
	}
	d := mysql.DateTime{Year: uint16(year), Month: uint8(month), Day: uint8(day)}
	if len(b) == 0 {
		return d, nil
	}
	hour, b, ok1 := field(b, ' ', 23)
	minute, b, ok2 := field(b, ':', 59)
	second, b, ok3 := field(b, ':', 59)
	micro, ok4 := fraction(b)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return mysql.DateTime{}, errDate
	}
	d.Hour, d.Minute, d.Second, d.Microsecond = uint8(hour), uint8(minute), uint8(second), uint32(micro)
	return d, nil
}

// parseDuration reads [-]h:mm:ss with two or more digits of hours and perhaps a
// fraction.
func parseDuration(b []byte) (mysql.Duration, error) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	n := 0
	for n < len(b) && b[n] != ':' {
		n++
	}
	if n == 0 || n > 6 {
		return 0, errDuration
	}
	hours, b, ok1 := digits(b, n)
	minute, b, ok2 := field(b, ':', 59)
	second, b, ok3 := field(b, ':', 59)
	micro, ok4 := fraction(b)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, errDuration
	}
	d := mysql.Duration(((int64(hours)*60+int64(minute))*60+int64(second))*1e6 + int64(micro))
	if negative {
		d = -d
	}
	return d, nil
}
