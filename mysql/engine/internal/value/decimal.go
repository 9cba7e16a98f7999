package value

import (
	"database/sql/driver"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// Dec is an exact number: n / 10^scale.
type Dec struct {
	N     *big.Int
	Scale int
}

var ten = big.NewInt(10)

func pow10(n int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// ToDec returns v as an exact number; of a text the number that it begins
// with.
func ToDec(v driver.Value) Dec {
	switch v := v.(type) {
	case int64:
		return Dec{big.NewInt(v), 0}
	case float64:
		return parseDec(strconv.FormatFloat(v, 'f', -1, 64))
	case []byte:
		if u, ok := BigUnsigned(v); ok {
			return Dec{new(big.Int).SetUint64(u), 0}
		}
		return parseDec(string(v))
	case string:
		return parseDec(v)
	}
	return Dec{new(big.Int), 0}
}

// maxExponent bounds what an exponent may make of a short text.
const maxExponent = 100

func parseDec(s string) Dec {
	s = strings.TrimLeft(s, " \t\n\r\v\f")
	n, _ := NumberPrefix(s)
	s = s[:n]
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		exp, _ = strconv.Atoi(s[i+1:])
		exp = max(-maxExponent, min(maxExponent, exp))
		s = s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	i, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return Dec{new(big.Int), 0}
	}
	d := Dec{i, len(frac) - exp}
	if d.Scale < 0 {
		d.N.Mul(d.N, pow10(-d.Scale))
		d.Scale = 0
	}
	return d
}

// Round returns d with scale digits, halves away from zero.
func (d Dec) Round(scale int) Dec {
	switch {
	case scale >= d.Scale:
		return Dec{new(big.Int).Mul(d.N, pow10(scale-d.Scale)), scale}
	case scale < 0:
		p := pow10(-scale)
		r := d.round0(p, d.Scale)
		return Dec{r.Mul(r, p), 0}
	}
	return Dec{d.round0(big.NewInt(1), d.Scale-scale), scale}
}

// round0 returns n / (unit × 10^drop), rounded.
func (d Dec) round0(unit *big.Int, drop int) *big.Int {
	p := pow10(drop)
	p.Mul(p, unit)
	q, r := new(big.Int).QuoRem(d.N, p, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(p) >= 0 {
		q.Add(q, big.NewInt(int64(sign(d.N))))
	}
	return q
}

func sign(n *big.Int) int {
	if n.Sign() < 0 {
		return -1
	}
	return 1
}

// Trunc returns d with scale digits, the rest cut off.
func (d Dec) Trunc(scale int) Dec {
	if scale >= d.Scale {
		return d.Round(scale)
	}
	if scale < 0 {
		p := pow10(d.Scale - scale)
		q := new(big.Int).Quo(d.N, p)
		return Dec{q.Mul(q, pow10(-scale)), 0}
	}
	return Dec{new(big.Int).Quo(d.N, pow10(d.Scale-scale)), scale}
}

func (d Dec) String() string {
	s := new(big.Int).Abs(d.N).String()
	if d.Scale > 0 {
		if len(s) <= d.Scale {
			s = strings.Repeat("0", d.Scale-len(s)+1) + s
		}
		s = s[:len(s)-d.Scale] + "." + s[len(s)-d.Scale:]
	}
	if d.N.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// Align returns both with the same scale.
func Align(a, b Dec) (*big.Int, *big.Int, int) {
	s := max(a.Scale, b.Scale)
	return a.Round(s).N, b.Round(s).N, s
}

// CmpDec compares two numbers.
func CmpDec(a, b Dec) int {
	x, y, _ := Align(a, b)
	return x.Cmp(y)
}

// Calc computes a op b with scale digits; false means NULL.
func Calc(op string, a, b Dec, scale int) (Dec, bool) {
	x, y, s := Align(a, b)
	r := new(big.Int)
	switch op {
	case "+":
		return Dec{r.Add(x, y), s}.Round(scale), true
	case "-":
		return Dec{r.Sub(x, y), s}.Round(scale), true
	case "*":
		return Dec{r.Mul(a.N, b.N), a.Scale + b.Scale}.Round(scale), true
	}
	if y.Sign() == 0 {
		return Dec{}, false
	}
	switch op {
	case "/":
		// One digit more than is kept, then rounded: MySQL cuts off.
		q := new(big.Int).Mul(x, pow10(scale+1))
		return Dec{q.Quo(q, y), scale + 1}.Round(scale), true
	case "DIV":
		return Dec{r.Quo(x, y), 0}, true
	default: // %
		return Dec{r.Rem(x, y), s}.Round(scale), true
	}
}

// Arith is wl_dec(op, a, b, scale).
func Arith(a []driver.Value) (driver.Value, error) {
	if a[1] == nil || a[2] == nil {
		return nil, nil
	}
	d, ok := Calc(a[0].(string), ToDec(a[1]), ToDec(a[2]), int(ToInt(a[3])))
	if !ok {
		return nil, nil
	}
	return d.String(), nil
}

// IntArith is wl_int(op, a, b, unsigned): integers that may become too large.
func IntArith(a []driver.Value) (driver.Value, error) {
	if a[1] == nil || a[2] == nil {
		return nil, nil
	}
	d, ok := Calc(a[0].(string), ToDec(a[1]), ToDec(a[2]), 0)
	if !ok {
		return nil, nil
	}
	unsigned := ToInt(a[3]) != 0
	v, ok := d.Integer(unsigned)
	if !ok {
		kind := "BIGINT"
		if unsigned {
			kind = "BIGINT UNSIGNED"
		}
		return nil, catalog.Errorf(1690, "%s value is out of range in '%s'", kind, Text(a[4]))
	}
	return v, nil
}

// Integer returns d, which has no digits behind the point, as SQLite holds it.
func (d Dec) Integer(unsigned bool) (driver.Value, bool) {
	switch {
	case !unsigned && d.N.IsInt64():
		return d.N.Int64(), true
	case unsigned && d.N.IsUint64():
		return Unsigned(d.N.Uint64()), true
	}
	return nil, false
}

// ToDecimal is wl_todec(v, scale): v as a decimal of so many digits.
func ToDecimal(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	d := ToDec(a[0])
	if len(a) > 1 {
		d = d.Round(int(ToInt(a[1])))
	}
	return d.String(), nil
}

// CastDecimal is wl_castdec(v, precision, scale): cut to what fits.
func CastDecimal(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	p, s := int(ToInt(a[1])), int(ToInt(a[2]))
	d, _ := Fit(ToDec(a[0]), p, s)
	return d.String(), nil
}

// Fit rounds d to scale and, if it has too many digits, returns the largest
// number that fits and false.
func Fit(d Dec, precision, scale int) (Dec, bool) {
	d = d.Round(scale)
	limit := pow10(precision)
	if new(big.Int).Abs(d.N).Cmp(limit) < 0 {
		return d, true
	}
	limit.Sub(limit, big.NewInt(1))
	if d.N.Sign() < 0 {
		limit.Neg(limit)
	}
	return Dec{limit, scale}, false
}

// CastInt is wl_castint(v, unsigned, real): v as an integer of 64 bits.
func CastInt(a []driver.Value) (driver.Value, error) {
	unsigned := ToInt(a[1]) != 0
	var d Dec
	switch v := a[0].(type) {
	case nil:
		return nil, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return int64(0), nil
		}
		d = parseDec(strconv.FormatFloat(math.RoundToEven(v), 'f', 0, 64))
	case string:
		if ToInt(a[2]) != 0 { // a decimal is rounded, a text read up to the point
			d = parseDec(v).Round(0)
			break
		}
		s := strings.TrimLeft(v, " \t\n\r")
		n := 0
		if n < len(s) && (s[n] == '-' || s[n] == '+') {
			n++
		}
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		d = parseDec(s[:n])
	default:
		d = ToDec(v).Round(0)
	}
	if unsigned {
		if d.N.Sign() < 0 && d.N.IsInt64() {
			return Unsigned(uint64(d.N.Int64())), nil
		}
		if v, ok := d.Integer(true); ok {
			return v, nil
		}
		if d.N.Sign() < 0 {
			return int64(0), nil
		}
		return Unsigned(math.MaxUint64), nil
	}
	if v, ok := d.Integer(false); ok {
		return v, nil
	}
	if d.N.IsUint64() {
		return int64(d.N.Uint64()), nil
	}
	if d.N.Sign() < 0 {
		return int64(math.MinInt64), nil
	}
	return int64(math.MaxInt64), nil
}
