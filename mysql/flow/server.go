package flow

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

func (f *Flow) nextServer(payload []byte) (wire.Message, *wire.Entry, error) {
	if len(payload) == 0 && f.phase != PhaseCommand {
		return f.unknown(wire.S2C, "an empty packet")
	}
	switch f.phase {
	case PhaseGreeting:
		switch payload[0] {
		case mysql.HeaderHandshake:
			m, e := find(mysql.ContextGreeting, mysql.HeaderHandshake)
			return m, e, nil
		case mysql.HeaderERR:
			m, e := find(mysql.ContextReply, mysql.HeaderERR)
			return m, e, nil
		}
		return f.unknown(wire.S2C, "is no greeting of protocol version 10")
	case PhaseResponse, PhaseTLS, PhaseClosed:
		if payload[0] == mysql.HeaderERR {
			m, e := find(mysql.ContextReply, mysql.HeaderERR)
			return m, e, nil
		}
		return f.unknown(wire.S2C, "nothing was asked")
	case PhaseAuth:
		return f.nextAuth(payload)
	}
	return f.nextAnswer(payload)
}

// nextAuth names a packet of the authentication conversation.
func (f *Flow) nextAuth(payload []byte) (wire.Message, *wire.Entry, error) {
	var m wire.Message
	var e *wire.Entry
	first := byte(0xf0) // of an empty packet, which only a method can mean
	if len(payload) > 0 {
		first = payload[0]
	}
	switch {
	case first == mysql.HeaderOK:
		m, e = findBare("OK_Packet")
		return m, e, nil
	case first == mysql.HeaderERR:
		m, e = find(mysql.ContextReply, mysql.HeaderERR)
		return m, e, nil
	case first == mysql.HeaderEOF, first == mysql.HeaderMoreData:
		m, e = find(mysql.ContextAuth, first)
	case first == mysql.HeaderNextFactor && mysql.Caps(f.dialect).Has(mysql.ClientMultiFactorAuthentication):
		m, e = find(mysql.ContextAuth, first)
	default:
		m, e = findBare("AuthPluginData")
	}
	if f.turn && !f.lossy && f.plugin != "caching_sha2_password" {
		return m, e, complain(wire.S2C, e, "it is the client's turn")
	}
	return m, e, nil
}

func (f *Flow) sawServer(m wire.Message) (Seen, error) {
	s := Seen{Ordinal: f.seen}
	switch m := m.(type) {
	case *mysql.HandshakeV10:
		f.phase, f.greeted = PhaseResponse, true
		f.offered, f.plugin = m.Capabilities, m.AuthPlugin
		if !m.Capabilities.Has(mysql.ClientProtocol41) {
			return s, &Error{wire.S2C, "HandshakeV10", "a server before version 4.1", "Protocol::HandshakeV10"}
		}
		return s, nil
	case *mysql.ERR:
		if f.phase < PhaseCommand {
			s.Answers, s.Last = f.asked, f.asked != 0
			f.phase = PhaseClosed
			return s, nil
		}
	}
	switch f.phase {
	case PhaseAuth:
		return f.sawAuth(s, m), nil
	case PhaseCommand:
		return f.sawAnswer(s, m)
	}
	return s, nil
}

// sawAuth notes a packet of the authentication conversation.
func (f *Flow) sawAuth(s Seen, m wire.Message) Seen {
	s.Answers = f.asked
	f.turn = true
	switch m := m.(type) {
	case *mysql.AuthSwitchRequest:
		f.plugin = m.Plugin
	case *mysql.AuthNextFactor:
		f.plugin = m.Plugin
	case *mysql.OK:
		s.Last = true
		f.phase, f.asked = PhaseCommand, 0
	}
	return s
}
