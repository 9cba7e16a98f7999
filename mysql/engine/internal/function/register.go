package function

import (
	"database/sql/driver"
	"math/rand/v2"
	"time"

	"modernc.org/sqlite"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// scalar is a function of values.
type scalar func(args []driver.Value) (driver.Value, error)

// Register adds the functions and collations to d. They work on s.
func Register(d *sqlite.Driver, s *State) error {
	for name, cmp := range collations {
		if err := d.RegisterCollationUtf8(name, cmp); err != nil {
			return err
		}
	}
	for name, f := range pure {
		impl := &sqlite.FunctionImpl{NArgs: -1, Deterministic: true, Scalar: adapt(f)}
		if err := d.RegisterFunction(name, impl); err != nil {
			return err
		}
	}
	for name, f := range s.functions() {
		if err := d.RegisterFunction(name, &sqlite.FunctionImpl{NArgs: -1, Scalar: adapt(f)}); err != nil {
			return err
		}
	}
	for name, make := range aggregates {
		impl := &sqlite.FunctionImpl{NArgs: -1, MakeAggregate: func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) {
			return make(), nil
		}}
		if err := d.RegisterFunction(name, impl); err != nil {
			return err
		}
	}
	return nil
}

func adapt(f scalar) func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
	return func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) { return f(args) }
}

// functions are those that depend on the session.
func (s *State) functions() map[string]scalar {
	return map[string]scalar{
		"wl_store":    s.store,
		"wl_change":   s.change,
		"wl_onupdate": s.onUpdate,
		"wl_conv":     s.conv,
		"wl_lastid": func(a []driver.Value) (driver.Value, error) {
			s.LastID, s.SetID = uint64(toInt(a[0])), true
			return a[0], nil
		},
		"wl_setvar": func(a []driver.Value) (driver.Value, error) { return s.setVar(a) },
		"wl_getvar": func(a []driver.Value) (driver.Value, error) { return s.Vars[text(a[0])].Value, nil },
		"wl_rand": func(a []driver.Value) (driver.Value, error) {
			if len(a) == 1 {
				if s.rnd == nil {
					s.rnd = rand.New(rand.NewPCG(uint64(toInt(a[0])), 0))
				}
				return s.rnd.Float64(), nil
			}
			return rand.Float64(), nil
		},
		"wl_uuid":      func([]driver.Value) (driver.Value, error) { return newUUID() },
		"wl_sleep":     func(a []driver.Value) (driver.Value, error) { return s.sleep(a) },
		"wl_from_unix": func(a []driver.Value) (driver.Value, error) { return fromUnix(a, s.Zone) },
		"wl_to_unix":   func(a []driver.Value) (driver.Value, error) { return toUnix(a, s.Zone) },
		"wl_warn_div":  func([]driver.Value) (driver.Value, error) { s.Warn(1365, "Division by 0"); return nil, nil },
		"wl_one_row": func(a []driver.Value) (driver.Value, error) {
			if toInt(a[0]) > 1 {
				return nil, catalog.Errorf(1242, "Subquery returns more than 1 row")
			}
			return int64(1), nil
		},
	}
}

func (s *State) setVar(a []driver.Value) (driver.Value, error) {
	name := text(a[0])
	v := s.Vars[name]
	v.Type = varType(int(toInt(a[2])))
	v.Value = a[1]
	if s.Vars == nil {
		s.Vars = map[string]Var{}
	}
	s.Vars[name] = v
	return a[1], nil
}

// sleep waits in small steps, so that a statement that is killed ends.
func (s *State) sleep(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return int64(0), nil
	}
	end := time.Now().Add(time.Duration(toFloat(a[0]) * float64(time.Second)))
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
