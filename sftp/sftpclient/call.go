package sftpclient

import (
	"context"
	"strings"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// call is a request in flight.
type call struct {
	s    *session
	id   uint32
	seq  uint64 // counts requests; unlike ids it never wraps
	want want
	cost int           // bytes of the budget that the answer gives back
	done chan struct{} // capacity 1: one value when pkt or err is set
	pkt  *packet       // the answer
	err  error         // why there is none

	abandoned bool // guarded by session.mu
}

// newCall takes a call out of the session's pool. It is the session's own so
// that channels do not wander between the bubbles of package synctest.
func (s *session) newCall(w want, cost int) *call {
	c, _ := s.calls.Get().(*call)
	if c == nil {
		c = &call{s: s, done: make(chan struct{}, 1)}
	}
	c.want, c.cost = w, cost
	return c
}

// recycle gives c back; its packet belongs to whoever has it.
func (c *call) recycle() {
	*c = call{s: c.s, done: c.done}
	c.s.calls.Put(c)
}

// want says which message answers a request beside STATUS.
type want uint8

const (
	wantStatus want = iota
	wantHandle
	wantData
	wantName
	wantAttrs
	wantExtended // EXTENDED_REPLY
	wantAny      // a request that only the caller knows
)

var wantNumbers = [...]uint8{
	wantStatus: sftp.NumStatus, wantHandle: sftp.NumHandle, wantData: sftp.NumData,
	wantName: sftp.NumName, wantAttrs: sftp.NumAttrs, wantExtended: sftp.NumExtendedReply,
}

func (w want) accepts(number uint8) bool {
	return w == wantAny || number == sftp.NumStatus || number == wantNumbers[w]
}

// String names the answers.
func (w want) String() string {
	names := []string{replyName(sftp.NumStatus)}
	if w != wantStatus && w != wantAny {
		names = append(names, replyName(wantNumbers[w]))
	}
	return strings.Join(names, " or ")
}

// ask sends the request that build makes with an id and waits for the answer,
// which it decodes into reply. A status other than OK is an
// [*sftp.StatusError]; so is OK where reply is another message. With a nil
// reply the answer is a status.
func (s *session) ask(ctx context.Context, w want, build func(id uint32) wire.Message, reply wire.Message) error {
	if err := s.out.wait(ctx, s.dead); err != nil {
		return s.alive(err)
	}
	c, err := s.open(w, 0)
	if err != nil {
		return err
	}
	if err := s.out.post(build(c.id)); err != nil {
		s.drop(c)
		return err
	}
	return s.answer(ctx, c, reply)
}

// answer waits for the answer to c and decodes it; see ask. c is gone then.
func (s *session) answer(ctx context.Context, c *call, reply wire.Message) error {
	if err := s.await(ctx, c); err != nil {
		return err
	}
	p := c.pkt
	c.recycle()
	err := s.decode(p, reply)
	p.free()
	return err
}

// decode decodes an answer whose type was checked on arrival. Slices in reply
// are valid until p is freed.
func (s *session) decode(p *packet, reply wire.Message) error {
	if p.b[0] != sftp.NumStatus {
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
		return protocolError("status OK where %s was due", sftp.Messages.Name(reply))
	}
	return nil
}

// parse decodes p; broken bytes kill the session.
func (s *session) parse(p *packet, m wire.Message) error {
	if m == nil {
		return nil
	}
	if err := sftp.Parse(p.b, m, s.dialect); err != nil {
		err = &ProtocolError{What: "broken answer", Err: err}
		s.fail(err)
		return err
	}
	return nil
}
