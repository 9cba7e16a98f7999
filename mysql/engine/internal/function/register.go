package function

import (
	"database/sql/driver"
	"math/rand/v2"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// scalar is a function of values.
type scalar func(args []driver.Value) (driver.Value, error)

// Register adds the functions and collations to d. They work on s.
func Register(d *sqlite.Driver, s *store.State) error {
	for name, cmp := range value.Collations {
		if err := d.RegisterCollationUtf8(name, cmp); err != nil {
			return err
		}
	}
	for name, f := range pure {
		impl := &sqlite.FunctionImpl{NArgs: -1, Deterministic: true, VolatileArgs: true, Scalar: adapt(f)}
		if err := d.RegisterFunction(name, impl); err != nil {
			return err
		}
	}
	for name, f := range functions(s) {
		if err := d.RegisterFunction(name, &sqlite.FunctionImpl{NArgs: -1, VolatileArgs: true, Scalar: adapt(f)}); err != nil {
			return err
		}
	}
	for name, make := range aggregates {
		impl := &sqlite.FunctionImpl{NArgs: -1, VolatileArgs: true, MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) {
			return make(), nil
		}}
		if err := d.RegisterFunction(name, impl); err != nil {
			return err
		}
	}
	return nil
}

// adapt makes a function of SQLite. The driver cuts the texts that it copies at
// a zero byte; those that it lends are whole, and are copied here.
func adapt(f scalar) func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
	return func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		for i, a := range args {
			switch a := a.(type) {
			case string:
				args[i] = strings.Clone(a)
			case []byte:
				args[i] = append([]byte{}, a...)
			}
		}
		v, err := f(args)
		if s, ok := v.(string); ok && len(s) > maxResult {
			return nil, errTooBig
		}
		if b, ok := v.([]byte); ok && len(b) > maxResult {
			return nil, errTooBig
		}
		return v, err
	}
}

// maxResult bounds what a function returns.
const maxResult = 64 << 20

var errTooBig = catalog.Errorf(1301, "Result of a function was larger than max_allowed_packet (%d)", maxResult)

// functions are those that depend on the session.
func functions(s *store.State) map[string]scalar {
	return map[string]scalar{
		"wl_store":    s.Store,
		"wl_change":   s.Change,
		"wl_onupdate": s.OnUpdate,
		"wl_conv":     s.Conv,
		"wl_lastid": func(a []driver.Value) (driver.Value, error) {
			s.LastID, s.SetID = uint64(value.ToInt(a[0])), true
			return a[0], nil
		},
		"wl_setvar": func(a []driver.Value) (driver.Value, error) { return setVar(s, a) },
		"wl_getvar": func(a []driver.Value) (driver.Value, error) { return s.Vars[value.Text(a[0])].Value, nil },
		"wl_rand": func(a []driver.Value) (driver.Value, error) {
			if len(a) == 1 {
				if s.Rnd == nil {
					s.Rnd = rand.New(rand.NewPCG(uint64(value.ToInt(a[0])), 0))
				}
				return s.Rnd.Float64(), nil
			}
			return rand.Float64(), nil
		},
		"wl_uuid":      func([]driver.Value) (driver.Value, error) { return newUUID() },
		"wl_sleep":     func(a []driver.Value) (driver.Value, error) { return sleep(s, a) },
		"wl_from_unix": func(a []driver.Value) (driver.Value, error) { return fromUnix(a, s.Zone) },
		"wl_to_unix":   func(a []driver.Value) (driver.Value, error) { return toUnix(a, s.Zone) },
		"wl_warn_div":  func([]driver.Value) (driver.Value, error) { s.Warn(1365, "Division by 0"); return nil, nil },
		"wl_one_row": func(a []driver.Value) (driver.Value, error) {
			if value.ToInt(a[0]) > 1 {
				return nil, catalog.Errorf(1242, "Subquery returns more than 1 row")
			}
			return int64(1), nil
		},
	}
}

func setVar(s *store.State, a []driver.Value) (driver.Value, error) {
	name := value.Text(a[0])
	v := s.Vars[name]
	v.Type = value.VarType(catalog.Rep(value.ToInt(a[2])))
	v.Value = a[1]
	if s.Vars == nil {
		s.Vars = map[string]store.Var{}
	}
	s.Vars[name] = v
	return a[1], nil
}

// sleep waits in small steps, so that a statement that is killed ends.
func sleep(s *store.State, a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return int64(0), nil
	}
	end := time.Now().Add(time.Duration(value.ToFloat(a[0]) * float64(time.Second)))
	for {
		if err := s.Ctx(); err != nil {
			return nil, catalog.Errorf(1317, "Query execution was interrupted")
		}
		left := time.Until(end)
		if left <= 0 {
			return int64(0), nil
		}
		time.Sleep(min(left, 10*time.Millisecond))
	}
}
