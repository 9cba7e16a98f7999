package store

import (
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"time"

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
	Rnd     *rand.Rand
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
