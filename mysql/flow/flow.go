// Package flow follows connections of MySQL and MariaDB. Packets of the
// protocol carry no sign of what they are: a [Flow] knows it from those that
// went before, in both directions, whoever wants to know: clients, servers,
// decoders and tests.
//
// It is a part of the vocabulary of package mysql, with a package of its own:
// no sockets, clocks, goroutines or locks. What it remembers is bounded:
// [MaxPending], [MaxStatements], and 16 MiB of SQL and definitions.
package flow

import (
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// Phase is how far a connection has come.
type Phase uint8

// The phases of a connection.
const (
	PhaseGreeting Phase = iota // the server speaks first
	PhaseResponse              // the client answers, or asks for TLS
	PhaseTLS                   // TLS was asked for: the client answers inside it
	PhaseAuth                  // until the server says OK
	PhaseCommand               // one command after another
	PhaseClosed                // nothing is expected any more
)

var phaseNames = [...]string{"greeting", "response", "tls", "auth", "command", "closed"}

// String returns a word, as "command".
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase %d", uint8(p))
}

// A Flow follows one connection, fed with the payloads of both directions in
// the order in which one end sends and receives them. It names each packet in
// its context, knows what both ends agreed on, which command a packet answers,
// and it complains of what the protocol forbids:
//
//	greeting ─▶ response ─▶ auth ─▶ command ─▶ closed
//	                │        ▲      one answer to each command, in order;
//	                └─▶ tls ─┘      an answer has many packets
//
// For every packet call Next, decode the payload into the message it returns
// in the Flow's dialect, then call Saw with it. A Flow goes on after a
// complaint as well as it can. It does no I/O and keeps no reference to
// payloads. Its zero value is the beginning of a connection. It is not safe
// for concurrent use.
//
// Its tables are bounded: by [MaxPending] commands without an answer and by
// [MaxStatements] prepared statements. Beyond them it behaves as after a gap.
type Flow struct {
	seen    uint64
	phase   Phase
	dialect wire.Dialect
	offered mysql.Capabilities // of the greeting
	greeted bool
	quit    bool
	lossy   bool // packets are missing: pairing is a guess and not complained of
	lost    bool // since the last command
	guess   bool // the dialect is a guess too

	asked  uint64 // ordinal of what the authentication answers
	turn   bool   // the client is to speak in the authentication
	plugin string // authentication method

	queue     []pending // commands that await their answers, the first one's has begun
	preparing int       // of them that prepare a statement
	answer    answer    // where in the answer to the first one we are
	infile    bool      // the client sends a file
	stmts     map[uint32]*Statement
	held      int // bytes that stmts, queue and columns take
	last      *Statement
	columns   []mysql.Column // of the rows that are being sent
	shared    bool           // a statement has columns too
	shape     mysql.RowShape
}

// MaxPending is how many unanswered commands a [Flow] remembers.
const MaxPending = 1 << 14

// Seen is what a [Flow] says about the message it has just seen.
type Seen struct {
	Ordinal uint64 // of this message in its connection, counted from 1
	Answers uint64 // ordinal of the message that this one answers or belongs to the answer of; 0: none
	Asks    bool   // this message will be answered, and Answers will tell
	Last    bool   // this message ends the answer
	Rows    bool   // this message ends the rows of a result set
}

// Error says that a message is not allowed here and now.
type Error struct {
	Dir     wire.Dir
	Message string // the registry's name, or what there is of an unknown message
	Rule    string // what it breaks, for people
	Section string // where the rule stands
}

func (e *Error) Error() string {
	from := "the client"
	if e.Dir == wire.S2C {
		from = "the server"
	}
	return fmt.Sprintf("%s from %s: %s (%s)", e.Message, from, e.Rule, e.Section)
}

// Opaque is a packet of which nothing is known but its direction, or a command
// that is not registered.
type Opaque struct {
	Rest []byte // aliases the packet

	entry *wire.Entry // set by the Flow
}

func (m *Opaque) Fields(c *wire.Coder) { c.Rest("payload", &m.Rest) }

// WireEntry returns what is known about the message.
func (m *Opaque) WireEntry() *wire.Entry {
	if m.entry == nil {
		return &wire.Entry{Bare: true, Name: "packet"}
	}
	return m.entry
}

// Dialect returns what the connection has negotiated so far, or what it seems
// to have.
func (f *Flow) Dialect() wire.Dialect { return f.dialect }

// Phase returns how far the connection has come.
func (f *Flow) Phase() Phase { return f.phase }

// Pending returns the number of commands whose answers have not ended.
func (f *Flow) Pending() int { return len(f.queue) }

// Gap says that packets are missing from here on or were missed before, or,
// called first of all, that the connection is joined in its middle. The Flow
// then waits for the next command and complains no more of answers without
// one. What both ends agreed on it guesses, and learns better from what it
// sees.
func (f *Flow) Gap() {
	f.lossy, f.lost, f.infile, f.turn = true, true, false, true
	f.drop()
	if f.phase < PhaseCommand {
		f.phase = PhaseCommand
		if mysql.Caps(f.dialect) == 0 {
			f.guess = true
			f.dialect = mysql.NewDialect(guessed)
		}
	}
}

// Next returns an empty message of the kind that the payload is and the
// registry's entry for it. A payload that has no meaning here gives an
// [*Opaque] and no entry. The message is good even when err, a [*Error],
// says that it is not allowed here and now. Next changes nothing, but for the
// dialect where that is a guess.
func (f *Flow) Next(dir wire.Dir, payload []byte) (wire.Message, *wire.Entry, error) {
	if f.guess {
		f.learn(dir, payload)
	}
	if dir == wire.C2S {
		return f.nextClient(payload)
	}
	return f.nextServer(payload)
}

// Saw takes note of m, which a packet in direction dir carried. The error, a
// [*Error], is about what m says; the one about its place came from Next.
// A message that could not be decoded to its end is passed too.
func (f *Flow) Saw(dir wire.Dir, m wire.Message) (Seen, error) {
	f.seen++
	if dir == wire.C2S {
		return f.sawClient(m)
	}
	return f.sawServer(m)
}

func complain(dir wire.Dir, e *wire.Entry, rule string) error {
	return &Error{dir, e.Name, rule, e.Section}
}

// find returns an empty message of a kind that is registered.
func find(context string, number uint8) (wire.Message, *wire.Entry) {
	e := mysql.Messages.Find(context, number)
	return e.New(), e
}

func findBare(name string) (wire.Message, *wire.Entry) { return find(name, 0) }

// unknown returns a message for a payload that has no meaning, and a
// complaint unless the Flow has lost its way.
func (f *Flow) unknown(dir wire.Dir, rule string) (wire.Message, *wire.Entry, error) {
	if f.lossy {
		return new(Opaque), nil, nil
	}
	return new(Opaque), nil, &Error{dir, "packet", rule, "Protocol::" + f.phase.String()}
}
