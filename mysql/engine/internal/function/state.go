package function

import (
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"time"

	"modernc.org/sqlite"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// State is what the functions of one session know about the statement that is
// running. It belongs to the goroutine that runs the session's statements.
type State struct {
	Now      time.Time // when the statement began, in the session's time zone
	Zone     *time.Location
	Stores   []Store // the columns that the statement stores to, see Store
	Warnings []Warning
	LastID   uint64 // LAST_INSERT_ID()
	NewID    uint64 // the first value that AUTO_INCREMENT made
	SetID    bool   // LAST_INSERT_ID(x) was called
	NextAuto func(n uint64) uint64
	// NextAuto returns a value for the AUTO_INCREMENT column that is being
	// stored to, or, if n is not 0, takes note that n is in use.

	Rows    int                     // rows that were stored to
	Changed int                     // rows that were changed by an update
	Matched int                     // rows that an update found
	changed bool                    // the row that is being updated has changed
	Row     map[string]driver.Value // what the last row was given
	Row1    int                     // rows that came before this statement's first, for messages
	Vars    map[string]Var          // user variables
	rnd     *rand.Rand
	Ctx     func() error // not nil when the statement is to end
}

// Var is the value of a user variable.
type Var struct {
	Type  catalog.Type
	Value driver.Value
}

// Warning is a line of SHOW WARNINGS.
type Warning struct {
	Level   string // Note, Warning, Error
	Code    uint16
	Message string
}

// Begin makes s ready for a statement.
func (s *State) Begin(now time.Time) {
	s.Now = now
	s.Stores, s.Rows, s.Changed, s.Matched, s.changed, s.Row1 = nil, 0, 0, 0, false, 0
	s.NewID, s.SetID = 0, false
	s.Row = map[string]driver.Value{}
}

// maxWarnings bounds the list, as max_error_count does.
const maxWarnings = 64

// Warn adds a warning.
func (s *State) Warn(code uint16, format string, args ...any) {
	s.add(Warning{"Warning", code, fmt.Sprintf(format, args...)})
}

// Note adds a note.
func (s *State) Note(code uint16, format string, args ...any) {
	s.add(Warning{"Note", code, fmt.Sprintf(format, args...)})
}

func (s *State) add(w Warning) {
	if len(s.Warnings) < maxWarnings {
		s.Warnings = append(s.Warnings, w)
	}
}

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
		"wl_setvar": s.setVar,
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
		"wl_sleep":     s.sleep,
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
