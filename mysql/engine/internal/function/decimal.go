package function

import (
	"database/sql/driver"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// dec is an exact number: n / 10^scale.
type dec struct {
	n     *big.Int
	scale int
}

var ten = big.NewInt(10)

func pow10(n int) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// toDec returns v as an exact number; of a text the number that it begins
// with.
func toDec(v driver.Value) dec {
	switch v := v.(type) {
	case int64:
		return dec{big.NewInt(v), 0}
	case float64:
		return parseDec(strconv.FormatFloat(v, 'f', -1, 64))
	case []byte:
		if u, ok := BigUnsigned(v); ok {
			return dec{new(big.Int).SetUint64(u), 0}
		}
		return parseDec(string(v))
	case string:
		return parseDec(v)
	}
	return dec{new(big.Int), 0}
}

// maxExponent bounds what an exponent may make of a short text.
const maxExponent = 100

func parseDec(s string) dec {
	s = strings.TrimLeft(s, " \t\n\r\v\f")
	n, _ := numberPrefix(s)
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
		return dec{new(big.Int), 0}
	}
	d := dec{i, len(frac) - exp}
	if d.scale < 0 {
		d.n.Mul(d.n, pow10(-d.scale))
		d.scale = 0
	}
	return d
}

// round returns d with scale digits, halves away from zero.
func (d dec) round(scale int) dec {
	switch {
	case scale >= d.scale:
		return dec{new(big.Int).Mul(d.n, pow10(scale-d.scale)), scale}
	case scale < 0:
		p := pow10(-scale)
		r := d.round0(p, d.scale)
		return dec{r.Mul(r, p), 0}
	}
	return dec{d.round0(big.NewInt(1), d.scale-scale), scale}
}

// round0 returns n / (unit × 10^drop), rounded.
func (d dec) round0(unit *big.Int, drop int) *big.Int {
	p := pow10(drop)
	p.Mul(p, unit)
	q, r := new(big.Int).QuoRem(d.n, p, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(p) >= 0 {
		q.Add(q, big.NewInt(int64(sign(d.n))))
	}
	return q
}

func sign(n *big.Int) int {
	if n.Sign() < 0 {
		return -1
	}
	return 1
}

// trunc returns d with scale digits, the rest cut off.
func (d dec) trunc(scale int) dec {
	if scale >= d.scale {
		return d.round(scale)
	}
	if scale < 0 {
		p := pow10(d.scale - scale)
		q := new(big.Int).Quo(d.n, p)
		return dec{q.Mul(q, pow10(-scale)), 0}
	}
	return dec{new(big.Int).Quo(d.n, pow10(d.scale-scale)), scale}
}

func (d dec) String() string {
	s := new(big.Int).Abs(d.n).String()
	if d.scale > 0 {
		if len(s) <= d.scale {
			s = strings.Repeat("0", d.scale-len(s)+1) + s
		}
		s = s[:len(s)-d.scale] + "." + s[len(s)-d.scale:]
	}
	if d.n.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// align returns both with the same scale.
func align(a, b dec) (*big.Int, *big.Int, int) {
	s := max(a.scale, b.scale)
	return a.round(s).n, b.round(s).n, s
}

func cmpDec(a, b dec) int {
	x, y, _ := align(a, b)
	return x.Cmp(y)
}

// calc computes a op b with scale digits; false means NULL.
func calc(op string, a, b dec, scale int) (dec, bool) {
	x, y, s := align(a, b)
	r := new(big.Int)
	switch op {
	case "+":
		return dec{r.Add(x, y), s}.round(scale), true
	case "-":
		return dec{r.Sub(x, y), s}.round(scale), true
	case "*":
		return dec{r.Mul(a.n, b.n), a.scale + b.scale}.round(scale), true
	}
	if y.Sign() == 0 {
		return dec{}, false
	}
	switch op {
	case "/":
		// One digit more than is kept, then rounded: MySQL cuts off.
		q := new(big.Int).Mul(x, pow10(scale+1))
		return dec{q.Quo(q, y), scale + 1}.round(scale), true
	case "DIV":
		return dec{r.Quo(x, y), 0}, true
	default: // %
		return dec{r.Rem(x, y), s}.round(scale), true
	}
}

// arith is wl_dec(op, a, b, scale).
func arith(a []driver.Value) (driver.Value, error) {
	if a[1] == nil || a[2] == nil {
		return nil, nil
	}
	d, ok := calc(a[0].(string), toDec(a[1]), toDec(a[2]), int(toInt(a[3])))
	if !ok {
		return nil, nil
	}
	return d.String(), nil
}

// intArith is wl_int(op, a, b, unsigned): integers that may become too large.
func intArith(a []driver.Value) (driver.Value, error) {
	if a[1] == nil || a[2] == nil {
		return nil, nil
	}
	d, ok := calc(a[0].(string), toDec(a[1]), toDec(a[2]), 0)
	if !ok {
		return nil, nil
	}
	unsigned := toInt(a[3]) != 0
	v, ok := d.integer(unsigned)
	if !ok {
		kind := "BIGINT"
		if unsigned {
			kind = "BIGINT UNSIGNED"
		}
		return nil, catalog.Errorf(1690, "%s value is out of range in '%s'", kind, text(a[4]))
	}
	return v, nil
}

// integer returns d, which has no digits behind the point, as SQLite holds it.
func (d dec) integer(unsigned bool) (driver.Value, bool) {
	switch {
	case !unsigned && d.n.IsInt64():
		return d.n.Int64(), true
	case unsigned && d.n.IsUint64():
		return Unsigned(d.n.Uint64()), true
	}
	return nil, false
}

// toDecimal is wl_todec(v, scale): v as a decimal of so many digits.
func toDecimal(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	d := toDec(a[0])
	if len(a) > 1 {
		d = d.round(int(toInt(a[1])))
	}
	return d.String(), nil
}

// castDecimal is wl_castdec(v, precision, scale): cut to what fits.
func castDecimal(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	p, s := int(toInt(a[1])), int(toInt(a[2]))
	d, _ := fit(toDec(a[0]), p, s)
	return d.String(), nil
}

// fit rounds d to scale and, if it has too many digits, returns the largest
// number that fits and false.
func fit(d dec, precision, scale int) (dec, bool) {
	d = d.round(scale)
	limit := pow10(precision)
	if new(big.Int).Abs(d.n).Cmp(limit) < 0 {
		return d, true
	}
	limit.Sub(limit, big.NewInt(1))
	if d.n.Sign() < 0 {
		limit.Neg(limit)
	}
	return dec{limit, scale}, false
}

// castInt is wl_castint(v, unsigned, real): v as an integer of 64 bits.
func castInt(a []driver.Value) (driver.Value, error) {
	unsigned := toInt(a[1]) != 0
	var d dec
	switch v := a[0].(type) {
	case nil:
		return nil, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return int64(0), nil
		}
		d = parseDec(strconv.FormatFloat(math.RoundToEven(v), 'f', 0, 64))
	case string:
		if toInt(a[2]) != 0 { // a decimal is rounded, a text read up to the point
			d = parseDec(v).round(0)
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
		d = toDec(v).round(0)
	}
	if unsigned {
		if d.n.Sign() < 0 && d.n.IsInt64() {
			return Unsigned(uint64(d.n.Int64())), nil
		}
		if v, ok := d.integer(true); ok {
			return v, nil
		}
		if d.n.Sign() < 0 {
			return int64(0), nil
		}
		return Unsigned(math.MaxUint64), nil
	}
	if v, ok := d.integer(false); ok {
		return v, nil
	}
	if d.n.IsUint64() {
		return int64(d.n.Uint64()), nil
	}
	if d.n.Sign() < 0 {
		return int64(math.MinInt64), nil
	}
	return int64(math.MaxInt64), nil
}
