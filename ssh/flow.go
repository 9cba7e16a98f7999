package ssh

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// A Flow follows one connection, fed with the packets of both directions in
// the order in which one end sends and receives them. It knows which message
// a packet is where numbers alone do not tell, which request a message
// answers, and it complains of what the RFCs forbid:
//
//	        KEXINIT …      service        50 … 79
//	start ──────────▶ keys ───────▶ user ────────▶ connection
//	        NEWKEYS    │            auth   SUCCESS     │
//	                   └──── KEXINIT … NEWKEYS ────────┘   at any time
//
// For every packet call Next, decode the packet into the message it returns,
// then call Saw with it. A Flow goes on after a complaint as well as it can.
// It does no I/O and keeps no reference to packets or messages. Its zero value
// is the beginning of a connection, behind the identification strings. It is
// not safe for concurrent use.
//
// Its tables are bounded: a connection with more than 16,384 channels, or more
// than 256 unanswered requests of one kind, is followed without the rules
// about those.
type Flow struct {
	seen    uint64 // messages so far
	side    [2]side
	strict  bool
	alg     Algorithms // of the newest key exchange
	algErr  error
	service pending
	auth    authFlow
	conn    connFlow
}

// side is what one direction has said, by direction.
type side struct {
	kex          kexFlow
	disconnected bool
	pings        pending // sent and not answered
}

// Seen is what a [Flow] says about the message it has just seen.
type Seen struct {
	Ordinal uint64 // of this message in its connection, counted from 1
	Answers uint64 // ordinal of the message that this one answers; 0: none
	Asks    bool   // this message will be answered
}

// FlowError says that a message is not allowed here and now.
type FlowError struct {
	Dir     wire.Dir
	Message string // the registry's name, or the number of an unknown message
	Rule    string // what it breaks, for people
	Section string // where the rule stands, as "RFC 4253 §7.1"
}

func (e *FlowError) Error() string {
	from := "the client"
	if e.Dir == wire.S2C {
		from = "the server"
	}
	return fmt.Sprintf("%s from %s: %s (%s)", e.Message, from, e.Rule, e.Section)
}

// Opaque is a message of which only the number is known.
type Opaque struct {
	Payload []byte // aliases the packet
}

func (m *Opaque) Fields(c *wire.Coder) { c.Rest("payload", &m.Payload) }

// Next returns an empty message of the kind that packet is and the registry's
// entry for it. A number that has no meaning here gives an [*Opaque] and no
// entry. The message is good even when err, a [*FlowError], says that it is
// not allowed here and now. Next looks at the number only and changes nothing.
func (f *Flow) Next(dir wire.Dir, packet []byte) (wire.Message, *wire.Entry, error) {
	if len(packet) == 0 {
		return new(Opaque), nil, &FlowError{dir, "packet", "has no message number", "RFC 4253 §6"}
	}
	n := packet[0]
	e := Messages.Find(f.context(dir, n), n)
	rule := f.gate(dir, n, e)
	if e == nil {
		return new(Opaque), nil, rule.error(dir, fmt.Sprintf("message %d", n))
	}
	return e.New(), e, rule.error(dir, e.Name)
}

// Saw takes note of m, which a packet in direction dir carried. The error, a
// [*FlowError], is about what m says; the one about its place came from Next.
func (f *Flow) Saw(dir wire.Dir, m wire.Message) (Seen, error) {
	f.seen++
	s := Seen{Ordinal: f.seen}
	rule := f.saw(dir, m, &s)
	return s, rule.error(dir, Messages.Name(m))
}

// Algorithms returns the outcome of the newest key exchange. It is a
// [*NegotiationError] when both KEXINITs left no choice.
func (f *Flow) Algorithms() (Algorithms, error) { return f.alg, f.algErr }

// Strict reports whether the connection is under strict key exchange.
func (f *Flow) Strict() bool { return f.strict }

// Authenticated reports whether the client has been let in.
func (f *Flow) Authenticated() bool { return f.auth.done }

// rule is a broken rule; its zero value is none.
type rule struct{ text, section string }

func (r rule) error(dir wire.Dir, message string) error {
	if r.text == "" {
		return nil
	}
	return &FlowError{Dir: dir, Message: message, Rule: r.text, Section: r.section}
}

func broken(section, format string, args ...any) rule {
	return rule{text: fmt.Sprintf(format, args...), section: section}
}

func (f *Flow) context(dir wire.Dir, n uint8) string {
	switch {
	case n >= 30 && n <= 49:
		return f.side[dir].kex.context()
	case n >= 60 && n <= 79:
		return f.auth.context()
	}
	return ""
}

// gate judges a message by its number.
func (f *Flow) gate(dir wire.Dir, n uint8, e *wire.Entry) rule {
	s := &f.side[dir]
	switch {
	case s.disconnected:
		return broken("RFC 4253 §11.1", "nothing may follow SSH_MSG_DISCONNECT")
	case e != nil && !e.From.Allows(dir):
		return broken(e.Section, "only the other side sends this")
	}
	if r, decided := f.kexGate(dir, n); decided {
		return r
	}
	switch {
	case n == 6 && f.service.none():
		return broken("RFC 4253 §10", "no service was requested")
	case n >= 50 && n <= 79:
		return f.authGate(n)
	case n >= 80 && n <= 127 && !f.auth.done:
		return broken("RFC 4252 §6", "not before the user is authenticated")
	case n == 81 || n == 82:
		if f.conn.globals[dir.Reverse()].none() {
			return broken("RFC 4254 §4", "no global request awaits a reply")
		}
	case n == 193 && f.side[dir.Reverse()].pings.none():
		return broken("OpenSSH PROTOCOL §1.8", "no ping awaits a reply")
	}
	return rule{}
}

func (f *Flow) saw(dir wire.Dir, m wire.Message, s *Seen) rule {
	side, other := &f.side[dir], &f.side[dir.Reverse()]
	side.kex.saw(m)
	switch m := m.(type) {
	case *Disconnect:
		side.disconnected = true
	case *KexInit:
		return f.sawKexInit(dir, m)
	case *KexDHInit, *KexECDHInit, *KexGexRequest, *KexGexInit, *KexGexRequestOld,
		*KexDHReply, *KexECDHReply, *KexGexGroup, *KexGexReply:
		f.sawKexMethod(dir, s)
	case *NewKeys:
		side.kex.finish()
	case *ServiceRequest:
		s.Asks = true
		f.service.push(s.Ordinal)
		f.auth.requested = f.auth.requested || m.Service == ServiceUserAuth
	case *ServiceAccept:
		s.Answers = f.service.pop()
	case *Ping:
		s.Asks = true
		side.pings.push(s.Ordinal)
	case *Pong:
		s.Answers = other.pings.pop()
	case *UserAuthRequest, *UserAuthFailure, *UserAuthSuccess, *UserAuthPKOK,
		*UserAuthPasswdChangeReq, *UserAuthInfoRequest, *UserAuthInfoResponse:
		f.sawAuth(m, s)
	default:
		return f.sawConnection(dir, m, s)
	}
	return rule{}
}

// pending is a queue of requests that will be answered in order, by ordinal.
type pending struct {
	queue []uint64
	lost  bool // there were more than it can hold: nothing is known any more
}

const maxPending = 256

func (p *pending) push(ordinal uint64) {
	if len(p.queue) == maxPending {
		p.lost = true
		p.queue = nil
	}
	if !p.lost {
		p.queue = append(p.queue, ordinal)
	}
}

func (p *pending) none() bool { return len(p.queue) == 0 && !p.lost }

func (p *pending) pop() uint64 {
	if len(p.queue) == 0 {
		return 0
	}
	n := p.queue[0]
	p.queue = p.queue[1:]
	if len(p.queue) == 0 {
		p.queue = nil
	}
	return n
}
