package value

import (
	"database/sql/driver"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// Text returns v as MySQL writes it.
func Text(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return FormatDouble(v)
	}
	return ""
}

// FormatDouble returns f as MySQL writes a DOUBLE.
func FormatDouble(f float64) string {
	v := mysql.Double(f)
	return v.String()
}

// FormatFloat returns f as MySQL writes a FLOAT.
func FormatFloat(f float64) string {
	v := mysql.Float(float32(f))
	return v.String()
}

// ToFloat returns v as a number: of a text the number that it begins with.
func ToFloat(v driver.Value) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	case []byte:
		if u, ok := BigUnsigned(v); ok {
			return float64(u)
		}
		return prefixFloat(string(v))
	case string:
		return prefixFloat(v)
	}
	return 0
}

// ToInt returns v as an integer, rounded.
func ToInt(v driver.Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case []byte:
		if u, ok := BigUnsigned(v); ok {
			return int64(u)
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
	}
	f := math.Round(ToFloat(v))
	switch {
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

// BigUnsigned returns the integer that is held as a blob of 8 bytes because it
// is beyond SQLite's.
func BigUnsigned(b []byte) (uint64, bool) {
	if len(b) != 8 || b[0] < 0x80 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}

// Unsigned returns u as SQLite holds it.
func Unsigned(u uint64) driver.Value {
	if u <= math.MaxInt64 {
		return int64(u)
	}
	return binary.BigEndian.AppendUint64(nil, u)
}

// NumberPrefix returns how many bytes of s make a number, and whether it is
// an integer.
func NumberPrefix(s string) (n int, integer bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	start := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	digits := i - start
	integer = true
	if i < len(s) && s[i] == '.' {
		j := i + 1
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		if digits+j-i-1 > 0 {
			digits += j - i - 1
			i, integer = j, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '-' || s[j] == '+') {
			j++
		}
		if k := j; k < len(s) && s[k] >= '0' && s[k] <= '9' {
			for k < len(s) && s[k] >= '0' && s[k] <= '9' {
				k++
			}
			i, integer = k, false
		}
	}
	return i, integer
}

// prefixFloat returns the number that s begins with.
func prefixFloat(s string) float64 {
	s = strings.TrimLeft(s, " \t\n\r\v\f")
	n, _ := NumberPrefix(s)
	f, _ := strconv.ParseFloat(strings.TrimPrefix(s[:n], "+"), 64)
	return f
}

// VarType is the type of a user variable that was given a value held so.
func VarType(rep catalog.Rep) catalog.Type {
	switch rep {
	case catalog.RepInt:
		return catalog.Type{Kind: mysql.TypeLonglong, Length: 21, Precision: 20, Collation: "binary", Expr: true}
	case catalog.RepReal:
		return catalog.Type{Kind: mysql.TypeDouble, Length: 23, Decimals: 31, Collation: "binary", Expr: true}
	case catalog.RepDec:
		return catalog.Type{Kind: mysql.TypeNewDecimal, Length: 83, Precision: 65, Decimals: 38, Collation: "binary", Expr: true}
	case catalog.RepBytes, catalog.RepNull:
		return catalog.Type{Kind: mysql.TypeLongBlob, Length: 1 << 24, Collation: "binary", Expr: true}
	}
	return catalog.Type{Kind: mysql.TypeLongBlob, Length: 1 << 24, Collation: "utf8mb4_general_ci", Expr: true}
}
