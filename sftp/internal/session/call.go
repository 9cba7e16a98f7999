package session

import (
	"context"
	"strings"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// Call is a request in flight. It belongs to the session again when its answer
// was taken, or it was given up.
type Call struct {
	s    *Session
	id   uint32
	seq  uint64 // counts requests; unlike ids it never wraps
	want Want
	cost int           // bytes of the budget that the answer gives back
	done chan struct{} // capacity 1: one value when pkt or err is set
	pkt  *Packet       // the answer
	err  error         // why there is none

	abandoned bool // guarded by session.mu
	owed      bool // Close waits for the answer; guarded by session.mu
}

// newCall takes a call out of the session's pool. It is the session's own so
// that channels do not wander between the bubbles of package synctest.
func (s *Session) newCall(w Want, cost int) *Call {
	c, _ := s.calls.Get().(*Call)
	if c == nil {
		c = &Call{s: s, done: make(chan struct{}, 1)}
	}
	c.want, c.cost = w, cost
	return c
}

// ID returns the request id.
func (c *Call) ID() uint32 { return c.id }

// Ready reports whether the answer is there: then taking it does not wait.
func (c *Call) Ready() bool { return len(c.done) > 0 }

// recycle gives c back; its packet belongs to whoever has it.
func (c *Call) recycle() {
	*c = Call{s: c.s, done: c.done}
	c.s.calls.Put(c)
}

// Want says which message answers a request beside STATUS.
type Want uint8

const (
	WantStatus Want = iota
	WantHandle
	WantData
	WantName
	WantAttrs
	WantExtended // EXTENDED_REPLY
	WantAny      // a request that only the caller knows
)

var wantNumbers = [...]uint8{
	WantStatus: sftp.NumStatus, WantHandle: sftp.NumHandle, WantData: sftp.NumData,
	WantName: sftp.NumName, WantAttrs: sftp.NumAttrs, WantExtended: sftp.NumExtendedReply,
}

func (w Want) accepts(number uint8) bool {
	return w == WantAny || number == sftp.NumStatus || number == wantNumbers[w]
}

// String names the answers.
func (w Want) String() string {
	names := []string{ReplyName(sftp.NumStatus)}
	if w != WantStatus && w != WantAny {
		names = append(names, ReplyName(wantNumbers[w]))
	}
	return strings.Join(names, " or ")
}

// Ask sends the request that build makes with an id and waits for the answer,
// which it decodes into reply. A status other than OK is an
// [*sftp.StatusError]; OK is an error where reply is another message. With a
// nil reply the answer is a status.
func (s *Session) Ask(ctx context.Context, w Want, build func(id uint32) wire.Message, reply wire.Message) error {
	c, err := s.Begin(ctx, w, build, s.Post)
	if err != nil {
		return err
	}
	return s.Answer(ctx, c, reply)
}

// Begin waits for room and sends the request that build makes with an id by
// means of post, which is [Session.Post] or a function that calls it.
func (s *Session) Begin(ctx context.Context, w Want, build func(id uint32) wire.Message, post func(wire.Message) error) (*Call, error) {
	if err := s.out.wait(ctx, s.dead); err != nil {
		return nil, s.alive(err)
	}
	c, err := s.Open(w, 0)
	if err != nil {
		return nil, err
	}
	if err := post(build(c.id)); err != nil {
		s.Drop(c)
		return nil, err
	}
	return c, nil
}

// Answer waits for the answer to c and decodes it; see [Session.Ask]. c is gone
// then. Slices in reply are not valid any more.
func (s *Session) Answer(ctx context.Context, c *Call, reply wire.Message) error {
	p, err := s.Take(ctx, c)
	if err != nil {
		return err
	}
	err = s.Decode(p, reply)
	p.Free()
	return err
}

// Decode decodes an answer whose type was checked on arrival. Slices in reply
// are valid until p is freed.
func (s *Session) Decode(p *Packet, reply wire.Message) error {
	if p.B[0] != sftp.NumStatus {
		return s.parse(p, reply)
	}
	st := &p.status
	if err := s.parse(p, st); err != nil {
		return err
	}
	if st.CodeOnly {
		st.Message, st.Language = "", "" // of an earlier packet in this buffer
	}
	if err := st.Err("", ""); err != nil {
		return err
	}
	if reply != nil {
		return Protocolf("status OK where %s was due", sftp.Messages.Name(reply))
	}
	return nil
}

// parse decodes p; broken bytes kill the session.
func (s *Session) parse(p *Packet, m wire.Message) error {
	if m == nil {
		return nil
	}
	if err := sftp.Parse(p.B, m, s.dialect); err != nil {
		err = &ProtocolError{What: "broken answer", Err: err}
		s.Fail(err)
		return err
	}
	return nil
}
