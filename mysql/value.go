package mysql

import (
	"math"
	"strconv"
)

// Kind says what a [Value] holds.
type Kind uint8

// The kinds of values. All that travels as a string of bytes is a KindBytes
// or a KindText: which one is decided by the column's collation.
const (
	KindNull Kind = iota
	KindInt
	KindUint
	KindFloat    // 32 bits
	KindDouble   // 64 bits
	KindDecimal  // digits, exact
	KindText     // text in the session's character set
	KindBytes    // anything else: blobs, GEOMETRY, VECTOR
	KindBit      // BIT: bytes, most significant first
	KindDate     // DATE
	KindDateTime // DATETIME and TIMESTAMP
	KindTime     // TIME
)

var kindNames = [...]string{"null", "int", "uint", "float", "double", "decimal", "text", "bytes", "bit", "date", "datetime", "time"}

// String returns a word, as "datetime".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Value is a value of any type: a parameter, an attribute, a cell of a row.
// The zero Value is NULL. Values are small and copied freely; bytes alias what
// they were made of and are not to be written to.
type Value struct {
	kind     Kind
	decimals uint8 // of fraction, as the column says; 0xff: those there are
	num      uint64
	bytes    []byte
}

// freeDecimals marks values whose text has as many digits as it needs.
const freeDecimals = 0xff

// Null returns NULL.
func Null() Value { return Value{} }

// Int returns a signed integer.
func Int(v int64) Value { return Value{kind: KindInt, num: uint64(v)} }

// Uint returns an unsigned integer.
func Uint(v uint64) Value { return Value{kind: KindUint, num: v} }

// Bool returns 1 or 0.
func Bool(v bool) Value {
	if v {
		return Int(1)
	}
	return Int(0)
}

// Float returns a FLOAT.
func Float(v float32) Value {
	return Value{kind: KindFloat, num: uint64(math.Float32bits(v)), decimals: freeDecimals}
}

// Double returns a DOUBLE.
func Double(v float64) Value {
	return Value{kind: KindDouble, num: math.Float64bits(v), decimals: freeDecimals}
}

// Decimal returns an exact number from its digits, which it aliases.
func Decimal(digits []byte) Value { return Value{kind: KindDecimal, bytes: digits} }

// Text returns a text, which it aliases.
func Text(b []byte) Value { return Value{kind: KindText, bytes: b} }

// String returns the text s, of which it makes a copy.
func String(s string) Value { return Value{kind: KindText, bytes: []byte(s)} }

// Bytes returns b as it is, which it aliases. Nil is an empty value, not NULL.
func Bytes(b []byte) Value { return Value{kind: KindBytes, bytes: b} }

// Bit returns a BIT from its bytes, most significant first, which it aliases.
func Bit(b []byte) Value { return Value{kind: KindBit, bytes: b} }

// Date returns a DATE. The clock of d is not looked at.
func Date(d DateTime) Value {
	return Value{kind: KindDate, num: DateTime{Year: d.Year, Month: d.Month, Day: d.Day}.pack()}
}

// DateAndTime returns a DATETIME. Its parts must be within their bounds.
func DateAndTime(d DateTime) Value {
	return Value{kind: KindDateTime, num: d.pack(), decimals: freeDecimals}
}

// Time returns a TIME.
func Time(d Duration) Value { return Value{kind: KindTime, num: uint64(d), decimals: freeDecimals} }

// WithDecimals returns v with n digits behind the point in its text, as a
// column with that many decimals has them: a FLOAT or DOUBLE with at most 30,
// a DATETIME or TIME with at most 6. A greater n, as 31, is as many as are
// needed. Other kinds, and what is sent in the binary form, stay the same.
func (v Value) WithDecimals(n uint8) Value {
	v.decimals = n
	return v
}

// Kind returns what v holds.
func (v *Value) Kind() Kind { return v.kind }

// IsNull reports whether v is NULL.
func (v *Value) IsNull() bool { return v.kind == KindNull }

// Int64 returns the bits of an integer: those of KindInt, KindUint and, up to
// 64, of KindBit. Others are 0.
func (v *Value) Int64() int64 { return int64(v.Uint64()) }

// Uint64 is Int64 for unsigned integers.
func (v *Value) Uint64() uint64 {
	switch v.kind {
	case KindInt, KindUint:
		return v.num
	case KindBit:
		var x uint64
		for _, b := range v.bytes {
			x = x<<8 | uint64(b)
		}
		return x
	}
	return 0
}

// Float64 returns the number of KindFloat and KindDouble. Others are 0.
func (v *Value) Float64() float64 {
	switch v.kind {
	case KindFloat:
		return float64(math.Float32frombits(uint32(v.num)))
	case KindDouble:
		return math.Float64frombits(v.num)
	}
	return 0
}

// Bytes returns the bytes of KindText, KindBytes, KindDecimal and KindBit, nil
// for others. They alias what v was made of and are not to be written to.
func (v *Value) Bytes() []byte { return v.bytes }

// DateTime returns what KindDate and KindDateTime hold, and the zero date for
// others.
func (v *Value) DateTime() DateTime {
	if v.kind == KindDate || v.kind == KindDateTime {
		return unpack(v.num)
	}
	return DateTime{}
}

// Time returns what KindTime holds, and 0 for others.
func (v *Value) Time() Duration {
	if v.kind == KindTime {
		return Duration(v.num)
	}
	return 0
}

// String returns the value as a server writes it into a text row; NULL is
// "NULL".
func (v Value) String() string {
	if v.kind == KindNull {
		return "NULL"
	}
	return string(v.AppendText(nil))
}

// AppendText appends the value as a server writes it into a text row, byte
// for byte: a FLOAT with six significant digits, times with as many digits of
// fraction as their column has. NULL appends nothing.
func (v *Value) AppendText(b []byte) []byte {
	switch v.kind {
	case KindInt:
		return strconv.AppendInt(b, int64(v.num), 10)
	case KindUint:
		return strconv.AppendUint(b, v.num, 10)
	case KindFloat:
		return appendFloat(b, math.Float32frombits(uint32(v.num)), v.decimals)
	case KindDouble:
		return appendDouble(b, math.Float64frombits(v.num), v.decimals)
	case KindDecimal, KindText, KindBytes, KindBit:
		return append(b, v.bytes...)
	case KindDate:
		return unpack(v.num).appendDate(b)
	case KindDateTime:
		d := unpack(v.num)
		return d.appendTo(b, v.fraction(d.Microsecond))
	case KindTime:
		d := Duration(v.num)
		return d.appendTo(b, v.fraction(uint32(max(d, -d)%1e6)))
	}
	return b
}

// fraction returns the digits of fraction to be written.
func (v *Value) fraction(micro uint32) uint8 {
	switch {
	case v.decimals <= 6:
		return v.decimals
	case micro != 0:
		return 6
	}
	return 0
}

// AppendText appends v as the column's server writes it into a text row: as
// [Value.AppendText], with the zeros of ZEROFILL in front and a YEAR in four
// digits.
func (m *Column) AppendText(b []byte, v *Value) []byte {
	width := 0
	switch {
	case v.kind != KindInt && v.kind != KindUint && v.kind != KindFloat && v.kind != KindDouble:
	case m.Type == TypeYear:
		width = 4
	case m.Flags&FlagZerofill != 0:
		width = int(min(m.Length, 255))
	}
	at := len(b)
	b = v.AppendText(b)
	if n := width - (len(b) - at); n > 0 {
		for range n {
			b = append(b, '0')
		}
		copy(b[at+n:], b[at:len(b)-n])
		for i := range n {
			b[at+i] = '0'
		}
	}
	return b
}
