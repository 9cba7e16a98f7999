package mysql

import (
	"math"
	"strconv"
)

// Digits of the text of floating point numbers.
const (
	floatDigits = 6  // significant ones of a FLOAT: the rest is lost in text
	fixedDigits = 15 // before the point if none follow it, or zeros behind it, without an exponent
	notFixed    = 31 // decimals of a column with as many digits as needed
)

// appendFloat appends f as a server writes a FLOAT of a column with that many
// decimals.
func appendFloat(b []byte, f float32, decimals uint8) []byte {
	if decimals < notFixed {
		return strconv.AppendFloat(b, float64(f), 'f', int(decimals), 64)
	}
	return appendNumber(b, float64(f), floatDigits)
}

// appendDouble appends f as a server writes a DOUBLE of a column with that
// many decimals.
func appendDouble(b []byte, f float64, decimals uint8) []byte {
	if decimals < notFixed {
		return strconv.AppendFloat(b, f, 'f', int(decimals), 64)
	}
	return appendNumber(b, f, -1)
}

// appendNumber appends f with at most so many significant digits, -1: as many
// as it takes to read it back, without trailing zeros, and with an exponent
// when the number is very large or small.
func appendNumber(b []byte, f float64, significant int) []byte {
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	if significant > 0 {
		significant-- // behind the first one
	}
	var store [32]byte
	e := strconv.AppendFloat(store[:0], f, 'e', significant, 64) // d.ddde±dd
	if e[0] == '-' {
		b, e = append(b, '-'), e[1:]
	}
	mark := len(e) - 1
	for e[mark] != 'e' {
		mark--
	}
	exponent, _ := strconv.Atoi(string(e[mark+1:]))
	digits := append(e[:1], e[min(2, mark):mark]...)
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	point := exponent + 1 // the digits before it
	switch {
	case point > fixedDigits && point >= len(digits), point <= -fixedDigits:
		b = append(b, digits[0])
		if len(digits) > 1 {
			b = append(append(b, '.'), digits[1:]...)
		}
		return strconv.AppendInt(append(b, 'e'), int64(exponent), 10)
	case point <= 0:
		b = append(b, "0."...)
		for range -point {
			b = append(b, '0')
		}
		return append(b, digits...)
	case point >= len(digits):
		b = append(b, digits...)
		for range point - len(digits) {
			b = append(b, '0')
		}
		return b
	}
	return append(append(append(b, digits[:point]...), '.'), digits[point:]...)
}
