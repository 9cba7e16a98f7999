package flow

import (
	"encoding/binary"

	"github.com/wirelark/wirelark/mysql"
)

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
	SQL     string         // empty when it was not seen or too much would be kept
	Params  []mysql.Column // empty when definitions were left out
	Columns []mysql.Column // of the last execution, or else of the preparation

	known  bool           // params is
	params []mysql.Param  // with the types of the last execution
	rows   mysql.RowShape // of the last execution or preparation
}

// Statement returns what is known of a statement, or nil. It changes when the
// statement is executed and must not be written to.
func (f *Flow) Statement(id uint32) *Statement {
	if id == mysql.LastPrepared {
		if f.preparing > 0 {
			return nil // which one it will be is not known yet
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

func (s *Statement) paramTypes() []mysql.ParamType {
	types := make([]mysql.ParamType, len(s.params))
	for i := range s.params {
		types[i] = s.params[i].Type
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
func (f *Flow) prepared(m *mysql.StmtPrepareOK, sql string) {
	f.forget(m.ID)
	f.last = &Statement{ID: m.ID, SQL: sql}
	size := int(m.Params) * paramSize
	if len(f.stmts) >= MaxStatements || f.held+size > maxHeld {
		f.held -= len(sql)
		return
	}
	f.held += size
	f.last.known, f.last.params = true, make([]mysql.Param, m.Params)
	if f.stmts == nil {
		f.stmts = make(map[uint32]*Statement)
	}
	f.stmts[m.ID] = f.last
}

// noted reports whether s is one whose parts are kept.
func (f *Flow) noted(s *Statement) bool { return f.stmts[s.ID] == s }

func (f *Flow) forget(id uint32) {
	if s := f.stmts[id]; s != nil {
		f.held -= len(s.SQL) + len(s.params)*paramSize + columnsSize(s.Params) + columnsSize(s.Columns)
		s.Params, s.Columns = nil, nil
		delete(f.stmts, id)
	}
}

func columnsSize(columns []mysql.Column) int {
	n := 0
	for i := range columns {
		n += size(&columns[i])
	}
	return n
}

func size(m *mysql.Column) int {
	n := columnSize + len(m.Catalog) + len(m.Schema) + len(m.Table) + len(m.OrgTable) + len(m.Name) + len(m.OrgName)
	for i := range m.Extended {
		n += 24 + len(m.Extended[i].Value)
	}
	return n
}

// keep adds a copy of m to the columns unless too much is held already.
func (f *Flow) keep(columns []mysql.Column, m *mysql.Column) []mysql.Column {
	n := size(m)
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
	f.columns, f.shape, f.shared = nil, mysql.RowShape{}, false
}

// forgetAll is what a reset of the session does to its statements.
func (f *Flow) forgetAll() {
	for id := range f.stmts {
		f.forget(id)
	}
	f.last = nil
}

func (f *Flow) sawLong(m *mysql.StmtSendLongData) {
	if s := f.Statement(m.ID); s != nil && int(m.Param) < len(s.params) {
		s.params[m.Param].Long = true
	}
}

func (f *Flow) sawReset(id uint32) {
	if s := f.Statement(id); s != nil {
		s.clearLong()
	}
}

func (s *Statement) clearLong() {
	for i := range s.params {
		s.params[i].Long = false
	}
}

func (f *Flow) sawExecute(m *mysql.StmtExecute) {
	s := f.Statement(m.ID)
	if s == nil {
		return
	}
	if m.NewTypes {
		for i := range min(len(s.params), len(m.Params)) {
			s.params[i].Type = m.Params[i].Type
		}
	}
	s.clearLong()
}

func (f *Flow) sawBulk(m *mysql.StmtBulkExecute) {
	s := f.Statement(m.ID)
	if s == nil {
		return
	}
	for i := range min(len(s.params), len(m.Types)) {
		s.params[i].Type = m.Types[i]
	}
}
