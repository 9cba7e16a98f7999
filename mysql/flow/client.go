package flow

import (
	"encoding/binary"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// clientHeadSize is the length of what a client's first packet begins with,
// and of an SSLRequest.
const clientHeadSize = 32

func (f *Flow) nextClient(payload []byte) (wire.Message, *wire.Entry, error) {
	switch f.phase {
	case PhaseGreeting:
		m, e := responseKind(payload, false)
		return m, e, complain(wire.C2S, e, "the server speaks first")
	case PhaseResponse, PhaseTLS:
		m, e := responseKind(payload, f.phase == PhaseTLS)
		if _, ok := m.(*mysql.SSLRequest); ok && f.greeted && !f.offered.Has(mysql.ClientSSL) {
			return m, e, complain(wire.C2S, e, "the server does not offer TLS")
		}
		return m, e, nil
	case PhaseAuth:
		m, e := findBare("AuthResponse")
		if !f.turn {
			return m, e, complain(wire.C2S, e, "the server has not asked")
		}
		return m, e, nil
	case PhaseClosed:
		m, e, _ := f.nextCommand(payload)
		return m, e, &Error{wire.C2S, mysql.Messages.Name(m), "the connection is over", "Protocol::closed"}
	}
	return f.nextCommand(payload)
}

// responseKind tells the client's first packets apart.
func responseKind(payload []byte, inTLS bool) (wire.Message, *wire.Entry) {
	var flags mysql.Capabilities
	if len(payload) >= 2 {
		flags = mysql.Capabilities(binary.LittleEndian.Uint16(payload))
	}
	switch {
	case len(payload) >= 2 && !flags.Has(mysql.ClientProtocol41):
		return findBare("HandshakeResponse320")
	case len(payload) == clientHeadSize && flags.Has(mysql.ClientSSL) && !inTLS:
		return findBare("SSLRequest")
	}
	return findBare("HandshakeResponse41")
}

func (f *Flow) nextCommand(payload []byte) (wire.Message, *wire.Entry, error) {
	switch {
	case f.infile:
		m, e := findBare("LOCAL_INFILE_Data")
		return m, e, nil
	case f.changing():
		m, e := findBare("AuthResponse")
		if !f.turn {
			return m, e, complain(wire.C2S, e, "the server has not asked")
		}
		return m, e, nil
	case len(payload) == 0:
		return f.unknown(wire.C2S, "has no command byte")
	}
	number := payload[0]
	e := mysql.Messages.Find(mysql.ContextCommand, number)
	if e == nil {
		m := &Opaque{entry: &wire.Entry{Number: number, Name: mysql.Command(number).String(), From: wire.FromClient}}
		if mysql.Command(number).Known() || f.lossy {
			return m, nil, nil // dead ones, which a server refuses
		}
		return m, nil, &Error{wire.C2S, m.entry.Name, "unknown command", "Command Phase"}
	}
	m := e.New()
	switch m.(type) {
	case *mysql.StmtExecute:
		if s := f.statement(payload); s != nil && s.known {
			m = mysql.NewStmtExecute(s.params)
		}
	case *mysql.StmtBulkExecute:
		if s := f.statement(payload); s != nil && s.known {
			m = mysql.NewStmtBulkExecute(s.paramTypes())
		}
		if !mysql.Caps(f.dialect).Has(mysql.MariaDBBulkOperations) && !f.guess {
			return m, e, complain(wire.C2S, e, "bulk operations were not agreed on")
		}
	}
	if f.quit {
		return m, e, complain(wire.C2S, e, "COM_QUIT went before")
	}
	return m, e, nil
}

// changing reports whether the answer to COM_CHANGE_USER, a conversation, is
// under way.
func (f *Flow) changing() bool { return len(f.queue) > 0 && f.answer.step == stepAuth }

func (f *Flow) sawClient(m wire.Message) (Seen, error) {
	s := Seen{Ordinal: f.seen}
	switch m := m.(type) {
	case *mysql.SSLRequest:
		f.phase = PhaseTLS
	case *mysql.HandshakeResponse41:
		both := m.Capabilities
		if f.greeted {
			both &= f.offered
		}
		f.dialect, f.guess = mysql.NewDialect(both), false
		f.plugin = m.AuthPlugin
		f.beginAuth(&s)
	case *mysql.HandshakeResponse320:
		f.dialect = mysql.NewDialect(m.Capabilities | mysql.ClientLongPassword)
		f.beginAuth(&s)
	case *mysql.AuthResponse:
		f.asked, f.turn, s.Asks = s.Ordinal, false, true
	case *mysql.LocalInfileData:
		if len(m.Data) == 0 {
			f.infile = false
			if len(f.queue) > 0 && f.answer.step == stepInfile {
				f.answer.step = stepInfileDone
			}
		}
	default:
		s.Asks = f.sawCommand(m)
	}
	return s, nil
}

func (f *Flow) beginAuth(s *Seen) {
	f.phase, f.turn = PhaseAuth, false
	f.asked, s.Asks = s.Ordinal, true
}

// sawCommand notes a command and reports whether it will be answered.
func (f *Flow) sawCommand(m wire.Message) bool {
	e := mysql.Messages.Entry(m)
	if e == nil || e.Bare {
		return false
	}
	p := pending{ordinal: f.seen, command: mysql.Command(e.Number)}
	switch m := m.(type) {
	case *mysql.Quit:
		f.quit = true
		return false
	case *mysql.StmtClose:
		f.forget(m.ID)
		return false
	case *mysql.StmtSendLongData:
		f.sawLong(m)
		return false
	case *mysql.StmtPrepare:
		p.sql = f.hold(m.SQL)
	case *mysql.StmtExecute:
		p.stmt = m.ID
		f.sawExecute(m)
	case *mysql.StmtBulkExecute:
		p.stmt = m.ID
		f.sawBulk(m)
	case *mysql.StmtReset:
		f.sawReset(m.ID)
	case *mysql.StmtFetch:
		p.stmt = m.ID
	case *mysql.ChangeUser:
		f.plugin = m.AuthPlugin
	}
	if f.lost {
		f.lost = false
		f.drop()
	}
	if len(f.queue) >= MaxPending {
		f.Gap()
		return false
	}
	if p.command == mysql.ComStmtPrepare {
		f.preparing++
	}
	f.queue = append(f.queue, p)
	if len(f.queue) == 1 {
		f.begin()
	}
	return true
}
