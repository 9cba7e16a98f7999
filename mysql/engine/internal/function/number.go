package function

import (
	"database/sql/driver"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// realFunc makes a function of one real number that is NULL where it has no
// value.
func realFunc(f func(x float64) float64) scalar {
	return strict(func(a []driver.Value) driver.Value { return finite(f(value.ToFloat(a[0]))) })
}

func finite(f float64) driver.Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return f
}

var numberFuncs = map[string]scalar{
	"wl_real":  strict(func(a []driver.Value) driver.Value { return value.ToFloat(a[0]) }),
	"wl_sqrt":  realFunc(math.Sqrt),
	"wl_exp":   realFunc(math.Exp),
	"wl_ln":    realFunc(func(x float64) float64 { return positive(x, math.Log) }),
	"wl_log2":  realFunc(func(x float64) float64 { return positive(x, math.Log2) }),
	"wl_log10": realFunc(func(x float64) float64 { return positive(x, math.Log10) }),
	"wl_log": strict(func(a []driver.Value) driver.Value {
		b, x := value.ToFloat(a[0]), value.ToFloat(a[1])
		if b <= 0 || b == 1 || x <= 0 {
			return nil
		}
		return finite(math.Log(x) / math.Log(b))
	}),
	"wl_pow":     strict(func(a []driver.Value) driver.Value { return finite(math.Pow(value.ToFloat(a[0]), value.ToFloat(a[1]))) }),
	"wl_sin":     realFunc(math.Sin),
	"wl_cos":     realFunc(math.Cos),
	"wl_tan":     realFunc(math.Tan),
	"wl_cot":     realFunc(func(x float64) float64 { return 1 / math.Tan(x) }),
	"wl_asin":    realFunc(math.Asin),
	"wl_acos":    realFunc(math.Acos),
	"wl_atan":    realFunc(math.Atan),
	"wl_atan2":   strict(func(a []driver.Value) driver.Value { return math.Atan2(value.ToFloat(a[0]), value.ToFloat(a[1])) }),
	"wl_degrees": realFunc(func(x float64) float64 { return x * 180 / math.Pi }),
	"wl_radians": realFunc(func(x float64) float64 { return x * math.Pi / 180 }),
	// wl_round(x, digits, scale of the result): decimals.
	"wl_round": strict(func(a []driver.Value) driver.Value {
		return value.ToDec(a[0]).Round(clampScale(a[1])).Round(int(value.ToInt(a[2]))).String()
	}),
	"wl_truncate": strict(func(a []driver.Value) driver.Value {
		return value.ToDec(a[0]).Trunc(clampScale(a[1])).Round(int(value.ToInt(a[2]))).String()
	}),
	"wl_round_int": strict(func(a []driver.Value) driver.Value {
		v, _ := value.ToDec(a[0]).Round(clampScale(a[1])).Integer(value.ToInt(a[2]) != 0)
		return v
	}),
	"wl_truncate_int": strict(func(a []driver.Value) driver.Value {
		v, _ := value.ToDec(a[0]).Trunc(clampScale(a[1])).Integer(value.ToInt(a[2]) != 0)
		return v
	}),
	"wl_round_real": strict(func(a []driver.Value) driver.Value {
		p := math.Pow10(clampScale(a[1]))
		r := math.RoundToEven(value.ToFloat(a[0]) * p)
		if math.IsInf(r, 0) {
			return a[0]
		}
		return r / p
	}),
	"wl_truncate_real": strict(func(a []driver.Value) driver.Value {
		p := math.Pow10(clampScale(a[1]))
		return math.Trunc(value.ToFloat(a[0])*p) / p
	}),
	"wl_ceil": strict(func(a []driver.Value) driver.Value {
		d := value.ToDec(a[0])
		t := d.Trunc(0)
		if value.CmpDec(d, t) > 0 {
			t.N.Add(t.N, big.NewInt(1))
		}
		return t.String()
	}),
	"wl_floor": strict(func(a []driver.Value) driver.Value {
		d := value.ToDec(a[0])
		t := d.Trunc(0)
		if value.CmpDec(d, t) < 0 {
			t.N.Sub(t.N, big.NewInt(1))
		}
		return t.String()
	}),
	"wl_ceil_real":  realFunc(math.Ceil),
	"wl_floor_real": realFunc(math.Floor),
	"wl_mod_real": strict(func(a []driver.Value) driver.Value {
		return finite(math.Mod(value.ToFloat(a[0]), value.ToFloat(a[1])))
	}),
	"wl_div_real": strict(func(a []driver.Value) driver.Value {
		if value.ToFloat(a[1]) == 0 {
			return nil
		}
		return finite(value.ToFloat(a[0]) / value.ToFloat(a[1]))
	}),
	"wl_abs_dec": strict(func(a []driver.Value) driver.Value { return strings.TrimPrefix(value.Text(a[0]), "-") }),
	"wl_neg_dec": strict(func(a []driver.Value) driver.Value {
		d := value.ToDec(a[0])
		d.N.Neg(d.N)
		return d.String()
	}),
	"wl_sign": strict(func(a []driver.Value) driver.Value { return int64(value.ToDec(a[0]).N.Sign()) }),
	// wl_bits(op, a, b): the operators of unsigned integers.
	"wl_bits": strict(func(a []driver.Value) driver.Value {
		x, y := uint64(value.ToInt(a[1])), uint64(value.ToInt(a[2]))
		switch a[0].(string) {
		case "&":
			x &= y
		case "|":
			x |= y
		case "^":
			x ^= y
		case "<<":
			x <<= min(y, 64)
		case ">>":
			x >>= min(y, 64)
		case "~":
			x = ^x
		}
		return value.Unsigned(x)
	}),
	"wl_bit_count": strict(func(a []driver.Value) driver.Value {
		n := int64(0)
		for u := uint64(value.ToInt(a[0])); u != 0; u &= u - 1 {
			n++
		}
		return n
	}),
	"wl_base": strict(func(a []driver.Value) driver.Value { // CONV
		from, to := value.ToInt(a[1]), value.ToInt(a[2])
		if from < 2 || from > 36 || abs64(to) < 2 || abs64(to) > 36 {
			return nil
		}
		s := strings.ToLower(strings.TrimSpace(value.Text(a[0])))
		n := 0
		for n < len(s) && strings.IndexByte("0123456789abcdefghijklmnopqrstuvwxyz"[:from], s[n]) >= 0 {
			n++
		}
		u, err := strconv.ParseUint("0"+s[:n], int(from), 64)
		if err != nil {
			u = math.MaxUint64
		}
		return strings.ToUpper(strconv.FormatUint(u, int(abs64(to))))
	}),
	"wl_format": strict(func(a []driver.Value) driver.Value {
		d := value.ToDec(a[0]).Round(max(0, clampScale(a[1])))
		s := d.String()
		neg := strings.HasPrefix(s, "-")
		whole, frac, hasFrac := strings.Cut(strings.TrimPrefix(s, "-"), ".")
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
		if hasFrac {
			whole += "." + frac
		}
		if neg {
			whole = "-" + whole
		}
		return whole
	}),
}

func positive(x float64, f func(float64) float64) float64 {
	if x <= 0 {
		return math.NaN()
	}
	return f(x)
}

func clampScale(v driver.Value) int { return int(max(-65, min(38, value.ToInt(v)))) }
