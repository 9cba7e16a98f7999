package mysql

import (
	"math"
	"strconv"
)

// appendFloat appends f as a server writes a FLOAT.
func appendFloat(b []byte, f float32, decimals uint8) []byte {
	return appendNumber(b, float64(f), decimals, 6)
}

// appendDouble appends f as a server writes a DOUBLE.
func appendDouble(b []byte, f float64, decimals uint8) []byte {
	return appendNumber(b, f, decimals, -1)
}

// appendNumber appends f with the digits behind the point that the column
// has, or, if it has no number of them, with digits significant ones at most;
// -1: as many as are needed.
func appendNumber(b []byte, f float64, decimals uint8, digits int) []byte {
	if decimals < 31 {
		return strconv.AppendFloat(b, f, 'f', int(decimals), 64)
	}
	if f == 0 && math.Signbit(f) {
		return append(b, "-0"...)
	}
	return strconv.AppendFloat(b, f, 'g', digits, 64)
}
