package sftp

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// A Flow follows one SFTP session, fed with the packets of both directions in
// the order in which one end sends and receives them. It knows the version,
// which message a packet is where its number alone does not tell, which
// request a reply answers, and it complains of what the draft forbids:
//
//	       INIT           VERSION              request 1, 2, 3 …
//	start ──────▶ asked ─────────▶ session  ◀─────────────────────▶
//	                     dialect              one reply for each id
//
// For every packet call Next, decode the packet into the message it returns,
// then call Saw with it. A Flow goes on after a complaint as well as it can.
// It does no I/O and keeps no reference to packets or messages. Its zero value
// is the beginning of a session. It is not safe for concurrent use.
//
// Its table is bounded: while [MaxPending] requests are unanswered, further
// ones are not noted, and no complaint is made of replies that seem to lack a
// request.
type Flow struct {
	seen    uint64
	asked   uint32 // version in INIT
	inited  bool
	dialect wire.Dialect
	version bool
	lossy   bool // packets are missing: pairing is a guess and not complained of
	pending map[uint32]*pending
	count   int
}

// MaxPending is how many unanswered requests a [Flow] remembers.
const MaxPending = 1 << 16

// Seen is what a [Flow] says about the message it has just seen.
type Seen struct {
	Ordinal uint64 // of this message in its session, counted from 1
	Answers uint64 // ordinal of the message that this one answers; 0: none
	Asks    bool   // this message will be answered, and Answers will tell
}

// FlowError says that a message is not allowed here and now.
type FlowError struct {
	Dir     wire.Dir
	Message string // the registry's name, or the number of an unknown message
	Rule    string // what it breaks, for people
	Section string // where the rule stands, as "filexfer-02 §6"
}

func (e *FlowError) Error() string {
	from := "the client"
	if e.Dir == wire.S2C {
		from = "the server"
	}
	return fmt.Sprintf("%s from %s: %s (%s)", e.Message, from, e.Rule, e.Section)
}

// Opaque is a message of which only number and request id are known: its
// number is not registered, or the session's version is one whose layouts are
// not known here.
type Opaque struct {
	ID   uint32
	Rest []byte // aliases the packet

	entry *wire.Entry // set by the Flow
}

func (m *Opaque) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Rest("payload", &m.Rest)
}

// WireEntry returns what is known about the message: its number and a name.
func (m *Opaque) WireEntry() *wire.Entry {
	if m.entry == nil {
		return &wire.Entry{Name: "message"}
	}
	return m.entry
}

func opaque(number uint8) *Opaque {
	return &Opaque{entry: &wire.Entry{Number: number, Name: fmt.Sprintf("message %d", number)}}
}

// pending is an unanswered request. Ids may be reused while one is unanswered;
// such requests queue behind each other.
type pending struct {
	ordinal uint64
	number  uint8
	context string // of an EXTENDED_REPLY
	length  uint32 // READ: bytes asked
	any     bool   // EXTENDED that nobody here knows: any reply will do
	name    bool   // EXTENDED that is answered with one name
	next    *pending
	last    *pending // of the queue that this one heads
}

// Dialect returns what the session has negotiated so far.
func (f *Flow) Dialect() wire.Dialect { return f.dialect }

// Known reports whether the layouts of the negotiated version are known here.
func (f *Flow) Known() bool { return Version(f.dialect) <= Version3 }

// Gap says that packets are missing from here on or were missed before. The
// Flow then complains no more of replies without a request and takes a reused
// id for a request whose reply was missed.
func (f *Flow) Gap() { f.lossy = true }

// Next returns an empty message of the kind that packet is and the registry's
// entry for it. A number that has no meaning gives an [*Opaque] and no entry;
// a version that is not known here gives an [*Opaque] with the entry. The
// message is good even when err, a [*FlowError], says that it is not allowed
// here and now. Next looks at number and id only and changes nothing.
func (f *Flow) Next(dir wire.Dir, packet []byte) (wire.Message, *wire.Entry, error) {
	number, id, ok := Header(packet)
	switch {
	case len(packet) == 0:
		return new(Opaque), nil, &FlowError{dir, "packet", "has no message number", "filexfer-02 §3"}
	case !ok && Messages.Find("", number) != nil && number != NumInit && number != NumVersion:
		e := Messages.Find("", number)
		return e.New(), e, nil // too short: decoding will say where
	}
	p := f.pending[id]
	context := ""
	if p != nil && number == NumExtendedReply {
		context = p.context
	}
	e := Messages.Find(context, number)
	if e == nil {
		m := opaque(number)
		return m, nil, &FlowError{dir, m.entry.Name, "unknown number", "filexfer-02 §3"}
	}
	m := e.New()
	if !f.Known() && number != NumInit && number != NumVersion {
		m = &Opaque{entry: e}
	}
	return m, e, f.gate(dir, number, p, e)
}

// gate judges a message by its number and the request it answers.
func (f *Flow) gate(dir wire.Dir, number uint8, p *pending, e *wire.Entry) error {
	switch {
	case !e.From.Allows(dir):
		return &FlowError{dir, e.Name, "only the other side sends this", e.Section}
	case number == NumInit && f.inited:
		return &FlowError{dir, e.Name, "was sent before", "filexfer-02 §4"}
	case number == NumVersion && f.version:
		return &FlowError{dir, e.Name, "was sent before", "filexfer-02 §4"}
	case number != NumInit && !f.inited && !f.lossy:
		return &FlowError{dir, e.Name, "SSH_FXP_INIT must come first", "filexfer-02 §4"}
	case !IsReply(number) || f.lossy:
		return nil
	case p == nil && f.count < MaxPending:
		return &FlowError{dir, e.Name, "no request with this id awaits a reply", "filexfer-02 §6"}
	case p != nil && !p.allows(number):
		return &FlowError{dir, e.Name, "is no answer to " + Messages.Find("", p.number).Name, "filexfer-02 §6"}
	}
	return nil
}

// allows reports whether a reply of this number may answer p.
func (p *pending) allows(number uint8) bool {
	if number == NumStatus || p.any {
		return true
	}
	switch p.number {
	case NumOpen, NumOpenDir:
		return number == NumHandle
	case NumRead:
		return number == NumData
	case NumReadDir, NumReadLink, NumRealPath:
		return number == NumName
	case NumStat, NumLStat, NumFStat:
		return number == NumAttrs
	case NumExtended:
		return p.context != "" && number == NumExtendedReply || p.name && number == NumName
	}
	return false
}

// Saw takes note of m, which a packet in direction dir carried. The error, a
// [*FlowError], is about what m says; the one about its place came from Next.
// A message that could not be decoded to its end is passed too, for its id.
func (f *Flow) Saw(dir wire.Dir, m wire.Message) (Seen, error) {
	f.seen++
	s := Seen{Ordinal: f.seen}
	id, ok := ID(m)
	e := Messages.Entry(m)
	switch {
	case e == nil:
		return s, nil
	case !ok:
		return s, f.sawVersion(dir, m)
	case dir == wire.C2S && !IsReply(e.Number):
		s.Asks = f.push(id, request(e.Number, s.Ordinal, m))
		return s, nil
	case dir == wire.S2C && IsReply(e.Number):
		p := f.pop(id)
		if p == nil {
			return s, nil
		}
		s.Answers = p.ordinal
		if rule := p.judge(m); rule != "" && !f.lossy {
			return s, &FlowError{dir, e.Name, rule, e.Section}
		}
	}
	return s, nil
}

func (f *Flow) sawVersion(dir wire.Dir, m wire.Message) error {
	switch m := m.(type) {
	case *Init:
		f.inited, f.asked = true, m.Version
	case *VersionReply:
		f.version = true
		f.dialect = Dialect(int(m.Version))
		if f.inited && m.Version > f.asked {
			return &FlowError{dir, "SSH_FXP_VERSION", fmt.Sprintf("version %d, the client asked for %d", m.Version, f.asked), "filexfer-02 §4"}
		}
	}
	return nil
}

// request returns what is to be remembered of a request.
func request(number uint8, ordinal uint64, m wire.Message) *pending {
	p := &pending{ordinal: ordinal, number: number}
	switch m := m.(type) {
	case *Read:
		p.length = m.Length
	case *Extended:
		p.context = ReplyContext(m.Request)
		switch m.Request {
		case ExtPosixRename, ExtHardlink, ExtFSync, ExtLSetStat, ExtCopyData: // STATUS only
		case ExtExpandPath, ExtHomeDir:
			p.name = true
		default:
			p.any = p.context == ""
		}
	case *Opaque:
		p.any = true
	}
	return p
}

// judge returns the rule that the reply m to p breaks, or "".
func (p *pending) judge(m wire.Message) string {
	switch m := m.(type) {
	case *Status:
		if m.Code == StatusOK && !p.any && !p.statusOK() {
			return "success without what was asked"
		}
	case *Data:
		if p.number == NumRead && uint64(len(m.Data)) > uint64(p.length) {
			return fmt.Sprintf("%d bytes, at most %d were asked", len(m.Data), p.length)
		}
	case *Name:
		switch p.number {
		case NumReadDir:
			if len(m.Names) == 0 {
				return "an empty list instead of SSH_FX_EOF"
			}
		case NumReadLink, NumRealPath, NumExtended:
			if len(m.Names) != 1 && !p.any {
				return fmt.Sprintf("%d names instead of one", len(m.Names))
			}
		}
	case *Handle:
		if len(m.Handle) > MaxHandle {
			return fmt.Sprintf("a handle of %d bytes, at most %d are allowed", len(m.Handle), MaxHandle)
		}
	}
	return ""
}

// statusOK reports whether success alone answers p.
func (p *pending) statusOK() bool {
	switch p.number {
	case NumOpen, NumOpenDir, NumRead, NumReadDir, NumReadLink, NumRealPath, NumStat, NumLStat, NumFStat:
		return false
	case NumExtended:
		return p.context == "" && !p.name
	}
	return true
}

func (f *Flow) push(id uint32, p *pending) bool {
	if f.lossy {
		f.drop(id)
	}
	if f.count >= MaxPending {
		return false
	}
	f.count++
	p.last = p
	if head := f.pending[id]; head != nil {
		head.last.next = p
		head.last = p
		return true
	}
	if f.pending == nil {
		f.pending = make(map[uint32]*pending)
	}
	f.pending[id] = p
	return true
}

func (f *Flow) pop(id uint32) *pending {
	p := f.pending[id]
	if p == nil {
		return nil
	}
	f.count--
	if p.next != nil {
		p.next.last = p.last
		f.pending[id] = p.next
	} else {
		delete(f.pending, id)
	}
	return p
}

func (f *Flow) drop(id uint32) {
	for f.pop(id) != nil {
	}
}
