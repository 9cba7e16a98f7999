package flow

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// pending is a command whose answer has not ended.
type pending struct {
	ordinal uint64
	command mysql.Command
	stmt    uint32
	sql     string // of COM_STMT_PREPARE
}

// step is what an answer comes to next.
type step uint8

const (
	stepFirst      step = iota // OK, ERR, a file request or a column count
	stepSimple                 // OK, EOF or ERR
	stepPrepare                // COM_STMT_PREPARE_OK or ERR
	stepParams                 // definitions of parameters
	stepParamsEnd              // EOF
	stepColumns                // definitions of columns
	stepColumnsEnd             // EOF
	stepRows                   // rows, and what ends them
	stepFields                 // definitions of columns, and what ends them
	stepText                   // a text without header
	stepBinlog                 // events, and what ends them
	stepInfile                 // the client's file
	stepInfileDone             // OK or ERR
	stepAuth                   // an authentication conversation
	stepAny                    // anything
)

// answer is where in the answer to the first command of the queue we are.
type answer struct {
	step    step
	left    int  // definitions that are still to come
	columns int  // that follow the parameters
	binary  bool // rows are
	cursor  bool // rows may be left for COM_STMT_FETCH
	more    bool // another answer follows, whatever ends the rows
	prepare *Statement
	count   uint64 // columns of the rows; 0: not known
}

// begin makes the answer that of the first command of the queue.
func (f *Flow) begin() {
	p := &f.queue[0]
	f.answer = answer{step: stepSimple}
	f.freeColumns()
	switch p.command {
	case mysql.ComQuery, mysql.ComProcessInfo:
		f.answer.step = stepFirst
	case mysql.ComStmtExecute, mysql.ComStmtBulkExecute:
		f.answer = answer{step: stepFirst, binary: true, cursor: p.command == mysql.ComStmtExecute}
	case mysql.ComStmtPrepare:
		f.answer.step = stepPrepare
	case mysql.ComStmtFetch:
		f.answer = answer{step: stepRows, binary: true}
		if s := f.Statement(p.stmt); s != nil {
			f.shape, f.answer.count = s.rows, uint64(s.rows.Columns())
		}
	case mysql.ComFieldList:
		f.answer.step = stepFields
	case mysql.ComStatistics:
		f.answer.step = stepText
	case mysql.ComBinlogDump, mysql.ComBinlogDumpGTID:
		f.answer.step = stepBinlog
	case mysql.ComChangeUser:
		f.answer.step, f.turn, f.asked = stepAuth, false, p.ordinal
	default:
		if mysql.Messages.Find(mysql.ContextCommand, uint8(p.command)) == nil {
			f.answer.step = stepAny
		}
	}
}

// pop ends the answer to the first command.
func (f *Flow) pop() {
	f.held -= len(f.queue[0].sql)
	if f.queue[0].command == mysql.ComStmtPrepare {
		f.preparing--
	}
	f.queue[0].sql = ""
	f.queue = f.queue[1:]
	f.freeColumns()
	switch {
	case len(f.queue) > 0:
		f.begin()
	default:
		f.queue = nil
	}
}

// drop forgets all commands.
func (f *Flow) drop() {
	for i := range f.queue {
		f.held -= len(f.queue[i].sql)
	}
	f.queue, f.preparing = nil, 0
	f.freeColumns()
}

// ends reports whether a payload that begins with 0xfe ends rows, being no row
// with a very long first cell.
func (f *Flow) ends(payload []byte) bool {
	const shortest = 1<<24 - 1 // of what such a cell makes a row
	if f.answer.binary || mysql.Caps(f.dialect).Has(mysql.ClientDeprecateEOF) {
		return len(payload) < shortest
	}
	return len(payload) < 9
}

// closing names a packet headed by 0xfe: by its length, since an EOF may come
// where OK was agreed on.
func closing(payload []byte) (wire.Message, *wire.Entry, error) {
	const shortestOK = 7
	if len(payload) < shortestOK {
		m, e := find(mysql.ContextReply, mysql.HeaderEOF)
		return m, e, nil
	}
	m, e := findBare("OK_Packet")
	return m, e, nil
}

// nextAnswer names a packet of the command phase.
func (f *Flow) nextAnswer(payload []byte) (wire.Message, *wire.Entry, error) {
	if len(f.queue) == 0 {
		return f.unasked(payload)
	}
	first := -1
	if len(payload) > 0 {
		first = int(payload[0])
	}
	if first == mysql.HeaderERR && f.answer.step != stepAuth {
		return f.failure(payload)
	}
	switch f.answer.step {
	case stepAuth:
		return f.nextAuth(payload)
	case stepText:
		m, e := findBare("StatisticsText")
		return m, e, nil
	case stepParams, stepColumns:
		m, e := findBare("ColumnDefinition41")
		return m, e, nil
	case stepRows:
		return f.nextRow(payload, first)
	}
	if first < 0 {
		return f.misplaced("an empty packet")
	}
	switch f.answer.step {
	case stepFirst:
		return f.nextFirst(payload)
	case stepPrepare:
		if first == mysql.HeaderOK {
			m, e := find(mysql.ContextPrepare, mysql.HeaderOK)
			return m, e, nil
		}
	case stepParamsEnd, stepColumnsEnd:
		if first == mysql.HeaderEOF {
			return closing(payload)
		}
	case stepFields:
		if first == mysql.HeaderEOF {
			return closing(payload)
		}
		m, e := findBare("ColumnDefinition41")
		return m, e, nil
	case stepBinlog:
		switch first {
		case mysql.HeaderOK:
			m, e := find(mysql.ContextBinlog, mysql.HeaderOK)
			return m, e, nil
		case mysql.HeaderEOF:
			return closing(payload)
		}
	case stepSimple, stepInfileDone, stepInfile:
		switch first {
		case mysql.HeaderOK:
			m, e := findBare("OK_Packet")
			return m, e, nil
		case mysql.HeaderEOF:
			return closing(payload)
		}
	case stepAny:
		return new(Opaque), nil, nil
	}
	return f.misplaced("is no answer to " + f.queue[0].command.String())
}

func (f *Flow) misplaced(rule string) (wire.Message, *wire.Entry, error) {
	return f.unknown(wire.S2C, rule)
}

// failure names a packet headed by 0xff.
func (f *Flow) failure(payload []byte) (wire.Message, *wire.Entry, error) {
	if len(payload) > 3 && payload[1] == 0xff && payload[2] == 0xff && (mysql.Caps(f.dialect).Has(mysql.MariaDBProgress) || f.guess) {
		m, e := find(mysql.ContextProgress, mysql.HeaderERR)
		return m, e, nil
	}
	m, e := find(mysql.ContextReply, mysql.HeaderERR)
	return m, e, nil
}

// unasked names a packet for which no command waits.
func (f *Flow) unasked(payload []byte) (wire.Message, *wire.Entry, error) {
	if len(payload) > 3 && payload[0] == mysql.HeaderERR && (payload[3] == '#' || !f.lossy) {
		return f.failure(payload) // servers say why they close
	}
	if f.guess && !f.lost && len(payload) == 5 && payload[0] == mysql.HeaderEOF {
		return closing(payload)
	}
	return f.unknown(wire.S2C, "no command awaits an answer")
}

func (f *Flow) nextFirst(payload []byte) (wire.Message, *wire.Entry, error) {
	switch payload[0] {
	case mysql.HeaderOK:
		m, e := findBare("OK_Packet")
		return m, e, nil
	case mysql.HeaderLocalInfile:
		m, e := find(mysql.ContextReply, mysql.HeaderLocalInfile)
		if !mysql.Caps(f.dialect).Has(mysql.ClientLocalFiles) && !f.guess {
			return m, e, complain(wire.S2C, e, "the client does not give its files away")
		}
		return m, e, nil
	case mysql.HeaderEOF:
		return closing(payload)
	}
	m, e := findBare("ColumnCount")
	return m, e, nil
}

func (f *Flow) nextRow(payload []byte, first int) (wire.Message, *wire.Entry, error) {
	switch {
	case first == mysql.HeaderEOF && f.ends(payload):
		return closing(payload)
	case !f.answer.binary:
		_, e := findBare("TextResultsetRow")
		return mysql.NewTextRow(int(f.answer.count)), e, nil
	case first != mysql.HeaderOK:
		return f.misplaced("is no binary row")
	}
	_, e := find(mysql.ContextBinary, mysql.HeaderOK)
	return f.shape.Row(), e, nil
}

// sawAnswer notes a packet of the command phase.
func (f *Flow) sawAnswer(s Seen, m wire.Message) (Seen, error) {
	if len(f.queue) == 0 {
		if _, ok := m.(*mysql.ERR); ok && !f.lossy {
			f.phase = PhaseClosed
		}
		return s, nil
	}
	p := &f.queue[0]
	s.Answers = p.ordinal
	switch m.(type) {
	case *mysql.Progress:
		return s, nil
	case *mysql.OK, *mysql.EOF:
		s.Rows = f.answer.step == stepRows
	case *mysql.ERR:
		s.Rows = f.answer.step == stepRows
		s.Last = true
		f.pop()
		return s, nil
	}
	if f.answer.step == stepAuth {
		at := f.phase
		s = f.sawAuth(s, m)
		s.Answers, f.phase = p.ordinal, at
		if s.Last {
			f.forgetAll()
			f.pop()
		}
		return s, nil
	}
	s.Last = f.advance(p, m)
	if s.Last {
		f.pop()
	}
	return s, nil
}

// advance moves on in the answer and reports whether it has ended.
func (f *Flow) advance(p *pending, m wire.Message) bool {
	switch m := m.(type) {
	case *mysql.OK:
		return f.sawEnd(p, m.Status, m.End)
	case *mysql.EOF:
		return f.sawEnd(p, m.Status, true)
	case *mysql.LocalInfileRequest:
		f.infile, f.answer.step = true, stepInfile
	case *mysql.ColumnCount:
		f.sawCount(p, m)
	case *mysql.StmtPrepareOK:
		return f.sawPrepared(p, m)
	case *mysql.Column:
		return f.sawColumn(p, m)
	case *mysql.StatisticsText:
		return true
	case *Opaque:
		return f.answer.step == stepAny
	}
	return false
}

// sawEnd notes an OK or an EOF, which ends a part of the answer or all of it.
func (f *Flow) sawEnd(p *pending, status mysql.Status, end bool) bool {
	a := &f.answer
	switch {
	case a.step == stepParamsEnd:
		return f.afterParams()
	case a.step == stepColumnsEnd && a.prepare != nil:
		return true
	case a.step == stepColumnsEnd && end && !(a.cursor && status.Has(mysql.StatusCursorExists)):
		// MySQL says only here that something follows OUT parameters.
		a.step, a.more = stepRows, status.Has(mysql.StatusPSOutParams|mysql.StatusMoreResults)
		return false
	case a.step == stepBinlog:
		return true
	case a.step == stepSimple && p.command == mysql.ComResetConnection:
		f.forgetAll()
	}
	if (status.Has(mysql.StatusMoreResults) || a.more) && a.step != stepSimple {
		a.step, a.more = stepFirst, false
		f.freeColumns()
		return false
	}
	return true
}

func (f *Flow) sawCount(p *pending, m *mysql.ColumnCount) {
	a := &f.answer
	a.count, a.left = m.Count, int(min(m.Count, 1<<31))
	a.step = stepColumns
	if m.Metadata == 0 && mysql.Caps(f.dialect).MetadataFlag() {
		a.left = 0
		if s := f.Statement(p.stmt); s != nil && a.binary && uint64(s.rows.Columns()) == m.Count {
			f.shape = s.rows
		}
	}
	if a.left == 0 {
		f.afterColumns(p)
	}
}

// afterColumns goes on behind the last definition.
func (f *Flow) afterColumns(p *pending) {
	a := &f.answer
	if len(f.columns) > 0 && uint64(len(f.columns)) == a.count {
		f.shape = mysql.NewRowShape(f.columns)
		if s := f.Statement(p.stmt); s != nil && a.binary && f.noted(s) {
			f.held -= columnsSize(s.Columns)
			s.Columns, s.rows, f.shared = f.columns, f.shape, true
		}
	}
	a.step = stepRows
	if !mysql.Caps(f.dialect).Has(mysql.ClientDeprecateEOF) {
		a.step = stepColumnsEnd
	}
}

func (f *Flow) sawPrepared(p *pending, m *mysql.StmtPrepareOK) bool {
	sql := p.sql
	p.sql = "" // the statement holds it now
	f.prepared(m, sql)
	a := &f.answer
	a.prepare, a.left, a.columns = f.last, int(m.Params), int(m.Columns)
	a.step = stepParams
	if mysql.Caps(f.dialect).Has(mysql.ClientOptionalResultsetMetadata) && m.Metadata == 0 {
		return true
	}
	if a.left == 0 {
		return f.afterParams()
	}
	return false
}

// afterParams goes on behind the parameters of a prepared statement and
// reports whether nothing follows.
func (f *Flow) afterParams() bool {
	a := &f.answer
	a.step, a.left = stepColumns, a.columns
	return a.left == 0
}

func (f *Flow) sawColumn(p *pending, m *mysql.Column) bool {
	a := &f.answer
	if a.step == stepFields {
		return false
	}
	a.left--
	switch {
	case a.step == stepParams:
		if f.noted(a.prepare) {
			a.prepare.Params = f.keep(a.prepare.Params, m)
		}
		if a.left > 0 {
			return false
		}
		if !mysql.Caps(f.dialect).Has(mysql.ClientDeprecateEOF) {
			a.step = stepParamsEnd
			return false
		}
		return f.afterParams()
	case a.prepare != nil:
		if f.noted(a.prepare) {
			a.prepare.Columns = f.keep(a.prepare.Columns, m)
		}
		if a.left > 0 {
			return false
		}
		if len(a.prepare.Columns) == a.columns {
			a.prepare.rows = mysql.NewRowShape(a.prepare.Columns)
		}
		a.step = stepColumnsEnd
		return mysql.Caps(f.dialect).Has(mysql.ClientDeprecateEOF)
	}
	f.columns = f.keep(f.columns, m)
	if a.left <= 0 {
		f.afterColumns(p)
	}
	return false
}

// Columns returns the definitions of the columns of the rows that are being
// sent, as far as they have been seen. They must not be written to.
func (f *Flow) Columns() []mysql.Column {
	if len(f.columns) == 0 && len(f.queue) > 0 && f.answer.binary {
		if s := f.Statement(f.queue[0].stmt); s != nil {
			return s.Columns
		}
	}
	return f.columns
}
