package mysql

import "encoding/binary"

// MaxStatements is how many prepared statements a [Flow] remembers.
const MaxStatements = 1 << 14

// maxHeld is about how many bytes a Flow keeps of statements and columns.
const maxHeld = 16 << 20

// What elements of a Flow's tables take, about.
const (
	paramSize  = 64
	columnSize = 192
)

// Statement is what a [Flow] remembers of a prepared statement.
type Statement struct {
	ID      uint32
	SQL     string   // empty when it was not seen or too much would be kept
	Params  []Column // empty when definitions were left out
	Columns []Column // of the last execution, or else of the preparation

	known bool    // shape is
	shape []Param // with the types of the last execution
	types []cellType
}

// Statement returns what is known of a statement, or nil. It changes when the
// statement is executed and must not be written to.
func (f *Flow) Statement(id uint32) *Statement {
	if id == LastPrepared {
		for i := range f.queue {
			if f.queue[i].command == ComStmtPrepare {
				return nil // which one it will be is not known yet
			}
		}
		return f.last
	}
	return f.stmts[id]
}

// statement returns the statement that a command names, or nil.
func (f *Flow) statement(payload []byte) *Statement {
	if len(payload) < 5 {
		return nil
	}
	return f.Statement(binary.LittleEndian.Uint32(payload[1:]))
}

func (s *Statement) paramTypes() []ParamType {
	types := make([]ParamType, len(s.shape))
	for i := range s.shape {
		types[i] = s.shape[i].Type
	}
	return types
}

func cellTypes(columns []Column) []cellType {
	types := make([]cellType, len(columns))
	for i := range columns {
		types[i] = cellTypeOf(&columns[i])
	}
	return types
}

// hold returns a copy of sql, or "" when too much is held already.
func (f *Flow) hold(sql []byte) string {
	if f.held+len(sql) > maxHeld {
		return ""
	}
	f.held += len(sql)
	return string(sql)
}

// prepared notes a statement. The SQL is held already.
func (f *Flow) prepared(m *StmtPrepareOK, sql string) {
	f.forget(m.ID)
	f.last = &Statement{ID: m.ID, SQL: sql}
	size := int(m.Params) * paramSize
	if len(f.stmts) >= MaxStatements || f.held+size > maxHeld {
		f.held -= len(sql)
		return
	}
	f.held += size
	f.last.known, f.last.shape = true, make([]Param, m.Params)
	if f.stmts == nil {
		f.stmts = make(map[uint32]*Statement)
	}
	f.stmts[m.ID] = f.last
}

// noted reports whether s is one whose parts are kept.
func (f *Flow) noted(s *Statement) bool { return f.stmts[s.ID] == s }

func (f *Flow) forget(id uint32) {
	if s := f.stmts[id]; s != nil {
		f.held -= len(s.SQL) + len(s.shape)*paramSize + columnsSize(s.Params) + columnsSize(s.Columns)
		s.Params, s.Columns = nil, nil
		delete(f.stmts, id)
	}
}

func columnsSize(columns []Column) int {
	n := 0
	for i := range columns {
		n += columns[i].size()
	}
	return n
}

func (m *Column) size() int {
	n := columnSize + len(m.Catalog) + len(m.Schema) + len(m.Table) + len(m.OrgTable) + len(m.Name) + len(m.OrgName)
	for i := range m.Extended {
		n += 24 + len(m.Extended[i].Value)
	}
	return n
}

// keep adds a copy of m to the columns unless too much is held already.
func (f *Flow) keep(columns []Column, m *Column) []Column {
	n := m.size()
	if f.held+n > maxHeld {
		return columns
	}
	f.held += n
	c := *m
	c.Default = nil // it aliases the packet
	return append(columns, c)
}

// freeColumns forgets the columns of the rows that were being sent.
func (f *Flow) freeColumns() {
	if !f.shared {
		f.held -= columnsSize(f.columns)
	}
	f.columns, f.types, f.shared = nil, nil, false
}

// forgetAll is what a reset of the session does to its statements.
func (f *Flow) forgetAll() {
	for id := range f.stmts {
		f.forget(id)
	}
	f.last = nil
}

func (f *Flow) sawLong(m *StmtSendLongData) {
	if s := f.Statement(m.ID); s != nil && int(m.Param) < len(s.shape) {
		s.shape[m.Param].Long = true
	}
}

func (f *Flow) sawReset(id uint32) {
	if s := f.Statement(id); s != nil {
		s.clearLong()
	}
}

func (s *Statement) clearLong() {
	for i := range s.shape {
		s.shape[i].Long = false
	}
}

func (f *Flow) sawExecute(m *StmtExecute) {
	s := f.Statement(m.ID)
	if s == nil {
		return
	}
	if m.NewTypes {
		for i := range min(len(s.shape), len(m.Params)) {
			s.shape[i].Type = m.Params[i].Type
		}
	}
	s.clearLong()
}

func (f *Flow) sawBulk(m *StmtBulkExecute) {
	s := f.Statement(m.ID)
	if s == nil {
		return
	}
	for i := range min(len(s.shape), len(m.Types)) {
		s.shape[i].Type = m.Types[i]
	}
}
