package mysql

import (
	"fmt"
	"strconv"
)

// ParseText returns the value of a text row's cell in column c: of the same
// kind, and equal, as in a binary row, but for a FLOAT, of which a text has six
// digits. Nil is NULL. The value may alias cell.
func (m *Column) ParseText(cell []byte) (Value, error) {
	if cell == nil {
		return Value{}, nil
	}
	t := cellTypeOf(m)
	v, ok := t.parse(cell)
	if !ok {
		return Value{}, &TextError{Type: m.Type, Text: string(cell[:min(len(cell), maxErrorText)])}
	}
	return v, nil
}

// maxErrorText is how much of a text a [TextError] keeps.
const maxErrorText = 64

// TextError says that a text is no value of a type.
type TextError struct {
	Type Type
	Text string // its beginning
}

func (e *TextError) Error() string { return fmt.Sprintf("%q is no %s", e.Text, e.Type) }

func (t cellType) parse(cell []byte) (Value, bool) {
	switch t.typ {
	case TypeTiny, TypeShort, TypeLong, TypeInt24, TypeLonglong, TypeYear:
		if t.unsigned || t.typ == TypeYear {
			u, ok := parseUint(cell)
			return Value{kind: KindUint, num: u}, ok
		}
		i, ok := parseInt(cell)
		return Value{kind: KindInt, num: uint64(i)}, ok
	case TypeFloat:
		f, err := strconv.ParseFloat(string(cell), 32)
		return Float(float32(f)).WithDecimals(t.decimals), err == nil
	case TypeDouble:
		f, err := strconv.ParseFloat(string(cell), 64)
		return Double(f).WithDecimals(t.decimals), err == nil
	case TypeDate, TypeNewDate:
		d, ok := ParseDateTime(cell)
		return Date(d), ok
	case TypeDatetime, TypeTimestamp:
		d, ok := ParseDateTime(cell)
		return Value{kind: KindDateTime, num: d.pack(), decimals: t.decimals}, ok
	case TypeTime:
		d, ok := ParseDuration(cell)
		return Value{kind: KindTime, num: uint64(d), decimals: t.decimals}, ok
	}
	return Value{kind: t.bytesKind(), bytes: cell}, true
}

// parseUint parses decimal digits. Zeros may stand in front (ZEROFILL).
func parseUint(b []byte) (uint64, bool) {
	const cut = (1<<64 - 1) / 10
	var v uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || v > cut || v == cut && d > 5 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, len(b) > 0
}

func parseInt(b []byte) (int64, bool) {
	if len(b) > 0 && b[0] == '-' {
		u, ok := parseUint(b[1:])
		return -int64(u), ok && u <= 1<<63
	}
	u, ok := parseUint(b)
	return int64(u), ok && u < 1<<63
}

// digits parses exactly n digits in front of b.
func digits(b []byte, n int) (v uint32, rest []byte, ok bool) {
	if len(b) < n {
		return 0, nil, false
	}
	u, ok := parseUint(b[:n])
	return uint32(u), b[n:], ok
}

// after returns b behind the byte c.
func after(b []byte, c byte) ([]byte, bool) {
	if len(b) == 0 || b[0] != c {
		return nil, false
	}
	return b[1:], true
}

// ParseDateTime parses a date as a server writes it, with or without a time
// of day behind it.
func ParseDateTime(b []byte) (d DateTime, ok bool) {
	var year, month, day uint32
	if year, b, ok = digits(b, 4); !ok {
		return d, false
	}
	if month, b, ok = part(b, '-'); !ok {
		return d, false
	}
	if day, b, ok = part(b, '-'); !ok {
		return d, false
	}
	d = DateTime{Year: uint16(year), Month: uint8(month), Day: uint8(day)}
	if len(b) == 0 {
		return d, d.valid()
	}
	if b[0] != ' ' && b[0] != 'T' {
		return d, false
	}
	var hour, minute, second uint32
	if hour, b, ok = digits(b[1:], 2); !ok {
		return d, false
	}
	if minute, second, d.Microsecond, ok = parseClock(b); !ok {
		return d, false
	}
	d.Hour, d.Minute, d.Second = uint8(hour), uint8(minute), uint8(second)
	return d, d.valid()
}

// part parses the byte c and two digits.
func part(b []byte, c byte) (uint32, []byte, bool) {
	b, ok := after(b, c)
	if !ok {
		return 0, nil, false
	}
	return digits(b, 2)
}

// parseClock parses what stands behind the hours.
func parseClock(b []byte) (minute, second, micro uint32, ok bool) {
	if minute, b, ok = part(b, ':'); !ok {
		return 0, 0, 0, false
	}
	if second, b, ok = part(b, ':'); !ok || len(b) == 0 {
		return minute, second, 0, ok
	}
	b, ok = after(b, '.')
	if !ok || len(b) == 0 || len(b) > 6 {
		return 0, 0, 0, false
	}
	n := len(b)
	micro, _, ok = digits(b, n)
	for range 6 - n {
		micro *= 10
	}
	return minute, second, micro, ok
}

// ParseDuration parses a TIME as a server writes it.
func ParseDuration(b []byte) (Duration, bool) {
	negative := false
	if len(b) > 0 && b[0] == '-' {
		negative, b = true, b[1:]
	}
	n := 0
	for n < len(b) && b[n] != ':' {
		n++
	}
	hours, ok := parseUint(b[:n])
	if !ok || hours > maxDays*24 {
		return 0, false
	}
	minute, second, us, ok := parseClock(b[n:])
	if !ok || minute > 59 || second > 59 {
		return 0, false
	}
	d := Duration((int64(hours)*60+int64(minute))*60+int64(second))*1e6 + Duration(us)
	if negative {
		d = -d
	}
	return d, true
}
