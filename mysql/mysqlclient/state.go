package mysqlclient

import (
	"maps"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// State is what is known of a session from what the server told with its
// answers.
type State struct {
	// Schema is the session's schema, "" when there is none. It is that of the
	// login, of [Conn.Use], and of what servers with session tracking tell.
	Schema string

	Status   mysql.Status // of the last answer
	Warnings uint16       // of the last answer

	// Vars are the system variables that the server has told about, in lower
	// case; which ones it tells is its session_track_system_variables.
	Vars map[string]string

	GTIDs       string // of the last transaction, where the server tells (session_track_gtids)
	Transaction string // SQL that starts one like the one that is open, where the server tells

	// Dirty says that statements may have changed the session since the login or
	// the last reset: variables, schema, locks, temporary tables. It errs on the
	// side of true. An open transaction counts as well.
	Dirty bool
}

// InTransaction reports whether a transaction is open.
func (s *State) InTransaction() bool { return s.Status.Has(mysql.StatusInTrans) }

// Autocommit reports whether each statement is a transaction of its own.
func (s *State) Autocommit() bool { return s.Status.Has(mysql.StatusAutocommit) }

// State returns what is known of the session. The caller owns it.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state
	s.Vars = maps.Clone(s.Vars)
	s.Dirty = s.Dirty || s.InTransaction()
	return s
}

// note takes what every answer tells.
func (c *Conn) note(status mysql.Status, warnings uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noteLocked(status, warnings)
}

func (c *Conn) noteLocked(status mysql.Status, warnings uint16) {
	c.state.Status, c.state.Warnings = status, warnings
	c.names.Mode = lexer.ModeOf(c.state.Vars["sql_mode"]) &^ lexer.NoBackslashEscapes
	if status.Has(mysql.StatusNoBackslashEscapes) {
		c.names.Mode |= lexer.NoBackslashEscapes
	}
	if c.server.MariaDB && status.Has(mysql.StatusANSIQuotes) {
		c.names.Mode |= lexer.ANSIQuotes
	}
}

// noteOK takes what an OK tells.
func (c *Conn) noteOK(ok *mysql.OK) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range ok.Track {
		c.track(&ok.Track[i])
	}
	c.noteLocked(ok.Status, ok.Warnings)
}

// track takes one change of the session. Memory for variables is bounded: the
// server decides how many there are.
func (c *Conn) track(t *mysql.Track) {
	const most, large = 1000, 64 << 10 // variables, and bytes of one; honest ones have a few hundred
	s := &c.state
	switch t.Kind {
	case mysql.TrackSystemVariables:
		if s.Vars == nil {
			s.Vars = map[string]string{}
		}
		for _, v := range t.Variables {
			_, ok := s.Vars[v.Name]
			if (ok || len(s.Vars) < most) && len(v.Name)+len(v.Value) <= large {
				s.Vars[v.Name] = v.Value
			}
		}
	case mysql.TrackSchema:
		s.Schema = t.Value
	case mysql.TrackGTIDs:
		s.GTIDs = t.Value
	case mysql.TrackTransactionCharacteristics:
		s.Transaction = t.Value
	case mysql.TrackStateChange:
		s.Dirty = true
	}
}

// clean notes that the session is as after the login.
func (c *Conn) clean() {
	c.mu.Lock()
	c.state.Dirty = false
	if db := c.cfg.Database; db != "" {
		c.state.Schema = db
	}
	c.mu.Unlock()
}

// touch notes what sql may do to the session.
func (c *Conn) touch(sql string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Dirty = c.state.Dirty || lexer.ChangesSession(sql, c.names)
}
