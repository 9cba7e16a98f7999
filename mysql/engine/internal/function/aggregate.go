package function

import (
	"database/sql/driver"
	"math"
	"math/big"
	"strings"

	"modernc.org/sqlite"

	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// aggregates are the aggregates that SQLite has not.
var aggregates = map[string]func() sqlite.AggregateFunction{
	"wl_sum":          func() sqlite.AggregateFunction { return &sum{n: new(big.Int)} },
	"wl_group_concat": func() sqlite.AggregateFunction { return &groupConcat{} },
	"wl_var":          func() sqlite.AggregateFunction { return &variance{} },
	"wl_bit_and":      func() sqlite.AggregateFunction { return &bits{op: '&', v: math.MaxUint64} },
	"wl_bit_or":       func() sqlite.AggregateFunction { return &bits{op: '|'} },
	"wl_bit_xor":      func() sqlite.AggregateFunction { return &bits{op: '^'} },
}

// sum is the exact sum of numbers: wl_sum(x).
type sum struct {
	n     *big.Int
	scale int
	small int64 // what fits 62 bits and has no fraction is added up here
	count int
}

func (s *sum) add(v driver.Value, sign int64) {
	if v == nil {
		return
	}
	s.count += int(sign)
	if i, ok := v.(int64); ok && i < 1<<61 && i > -1<<61 && s.small < 1<<61 && s.small > -1<<61 {
		s.small += sign * i
		return
	}
	d := value.ToDec(v)
	if sign < 0 {
		d.N.Neg(d.N)
	}
	x, y, scale := value.Align(value.Dec{N: s.n, Scale: s.scale}, d)
	s.n, s.scale = x.Add(x, y), scale
}

func (s *sum) Step(_ *sqlite.FunctionContext, a []driver.Value) error {
	s.add(a[0], 1)
	return nil
}

func (s *sum) WindowInverse(_ *sqlite.FunctionContext, a []driver.Value) error {
	s.add(a[0], -1)
	return nil
}

func (s *sum) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if s.count == 0 {
		return nil, nil
	}
	d, _ := value.Calc("+", value.Dec{N: s.n, Scale: s.scale}, value.Dec{N: big.NewInt(s.small), Scale: 0}, s.scale)
	return d.String(), nil
}

func (s *sum) Final(*sqlite.FunctionContext) {}

// groupConcat is wl_group_concat(x, separator).
type groupConcat struct {
	b   strings.Builder
	any bool
}

// maxGroupConcat is MariaDB's default of group_concat_max_len.
const maxGroupConcat = 1 << 20

func (g *groupConcat) Step(_ *sqlite.FunctionContext, a []driver.Value) error {
	if a[0] == nil || g.b.Len() > maxGroupConcat {
		return nil
	}
	if g.any {
		if len(a) > 1 {
			g.b.WriteString(value.Text(a[1]))
		} else {
			g.b.WriteString(separator)
		}
	}
	g.any = true
	g.b.WriteString(value.Text(a[0]))
	return nil
}

// separator stands between the texts of a GROUP_CONCAT(DISTINCT), in which
// SQLite allows one argument alone; wl_separate puts the wanted one there.
const separator = "\x1f\x1e\x1f"

func (g *groupConcat) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return nil }

func (g *groupConcat) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if !g.any {
		return nil, nil
	}
	return g.b.String(), nil
}

func (g *groupConcat) Final(*sqlite.FunctionContext) {}

// variance is wl_var(x, kind): 0 the variance of all, 1 of a sample, 2 and 3
// their roots.
type variance struct {
	n, kind int
	mean, m float64
}

func (v *variance) Step(_ *sqlite.FunctionContext, a []driver.Value) error {
	if a[0] == nil {
		return nil
	}
	v.n++
	v.kind = int(value.ToInt(a[1]))
	x := value.ToFloat(a[0])
	d := x - v.mean
	v.mean += d / float64(v.n)
	v.m += d * (x - v.mean)
	return nil
}

func (v *variance) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return nil }

func (v *variance) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	n := float64(v.n)
	if v.kind&1 != 0 {
		n--
	}
	if v.n == 0 || n == 0 {
		return nil, nil
	}
	r := v.m / n
	if v.kind >= 2 {
		r = math.Sqrt(r)
	}
	return r, nil
}

func (v *variance) Final(*sqlite.FunctionContext) {}

// bits is BIT_AND, BIT_OR, BIT_XOR.
type bits struct {
	op byte
	v  uint64
}

func (b *bits) Step(_ *sqlite.FunctionContext, a []driver.Value) error {
	if a[0] == nil {
		return nil
	}
	u := uint64(value.ToInt(a[0]))
	switch b.op {
	case '&':
		b.v &= u
	case '|':
		b.v |= u
	default:
		b.v ^= u
	}
	return nil
}

func (b *bits) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return nil }

func (b *bits) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	return value.Unsigned(b.v), nil
}

func (b *bits) Final(*sqlite.FunctionContext) {}
