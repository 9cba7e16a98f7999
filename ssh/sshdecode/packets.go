package sshdecode

import (
	"bytes"
	"fmt"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// packets is the packet layer: it makes messages of plaintext packets.
type packets struct {
	opts       trace.Options
	flow       ssh.Flow
	identified [2]bool
	asked      map[uint64]asked // by ordinal in the flow: waiting for an answer
	channels   map[uint64]*channel
	inner      int  // open inner decoders
	kexInits   int  // so far, of both sides
	lost       bool // packets are missing: complaints mean nothing any more
}

// asked is a message that will be answered.
type asked struct {
	n    int64
	time time.Time
}

// maxAsked is the most unanswered messages that are remembered, over all
// channels of a connection.
const maxAsked = 1 << 14

// A packet is a plaintext packet and where it comes from.
type plain struct {
	dir     wire.Dir
	payload []byte
	time    time.Time
	spans   []trace.Span
	notes   []string
}

// whole takes a packet that a session reported.
func (p *packets) whole(c trace.Chunk) {
	in := plain{dir: c.Dir, payload: c.Data, time: c.Time, spans: c.Spans}
	if c.Gap != 0 {
		p.hole(c.Dir, c.Time)
		in.notes = append(in.notes, missing(c.Dir, c.Gap))
	}
	if !p.identified[c.Dir] {
		switch {
		case bytes.HasPrefix(c.Data, []byte(identPrefix)):
			p.line(in)
			return
		case c.Dir == wire.S2C && len(c.Data) > 0 && c.Data[0] >= ' ' && isText(c.Data):
			p.line(in)
			return
		}
		p.identified[c.Dir] = true
	}
	p.packet(in)
}

// line emits an identification line, or a line that a server sends before it,
// without its line end.
func (p *packets) line(in plain) {
	name := "line"
	if bytes.HasPrefix(in.payload, []byte(identPrefix)) {
		name = "identification"
		p.identified[in.dir] = true
	}
	m := p.message(in, name)
	m.Fields = []wire.Field{{Name: name, Bits: 8 * len(in.payload), Value: string(in.payload)}}
	p.opts.Emit(m)
}

func (p *packets) message(in plain, name string) *trace.Message {
	return &trace.Message{
		Time: in.time, Path: p.opts.Path, Dir: in.dir, Proto: "ssh", Name: name,
		Raw: in.payload, Spans: in.spans, Notes: in.notes,
	}
}

// packet emits the message of a packet and what it completes in its channel.
// It returns the message, nil when it could not be decoded as a whole.
func (p *packets) packet(in plain) wire.Message {
	m, entry, rule := p.flow.Next(in.dir, in.payload)
	name := "SSH_MSG_EMPTY"
	switch {
	case entry != nil:
		name = entry.Name
	case len(in.payload) > 0:
		name = fmt.Sprintf("SSH_MSG_%d", in.payload[0])
	}
	msg := p.message(in, name)
	var err error
	msg.Fields, err = ssh.Messages.Describe(in.payload, m, wire.Dialect{})
	if err != nil {
		msg.Err = err
		mask(msg, m)
		p.opts.Emit(msg)
		return nil
	}
	ch := p.channelOf(in.dir, m) // before the flow forgets a closed one
	seen, saw := p.flow.Saw(in.dir, m)
	if rule == nil {
		rule = saw
	}
	if !p.lost {
		msg.Err = rule
	}
	if _, ok := m.(*ssh.KexInit); ok {
		msg.Fields = p.negotiated(msg.Fields)
	}
	if a, ok := p.asked[seen.Answers]; ok {
		msg.ReplyTo, msg.Latency = a.n, in.time.Sub(a.time)
		delete(p.asked, seen.Answers)
	}
	mask(msg, m)
	if _, data := m.(*ssh.ChannelData); data && ch != nil && ch.typed(in.dir) {
		msg.Hide = true
	}
	p.opts.Emit(msg)
	if seen.Asks && len(p.asked) < maxAsked {
		if p.asked == nil {
			p.asked = make(map[uint64]asked)
		}
		p.asked[seen.Ordinal] = asked{msg.N, in.time}
	}
	p.channel(in, m, ch, seen)
	return m
}

// negotiated adds what both KEXINITs lead to to the later of them.
func (p *packets) negotiated(fields []wire.Field) []wire.Field {
	alg, err := p.flow.Algorithms()
	if err != nil {
		return append(fields, wire.Field{Name: "negotiated", Value: err.Error(), Flags: wire.Derived})
	}
	p.kexInits++
	if p.kexInits%2 != 0 {
		return fields
	}
	list := []string{alg.Kex, alg.HostKey, alg.C2S.Cipher}
	for _, s := range []string{alg.C2S.MAC, alg.S2C.Cipher, alg.S2C.MAC} {
		if s != "" && s != list[len(list)-1] {
			list = append(list, s)
		}
	}
	return append(fields, wire.Field{Name: "negotiated", Value: list, Flags: wire.Derived})
}

// mask marks what must not be shown and is not secret by its layout alone.
func mask(msg *trace.Message, m wire.Message) {
	switch m.(type) {
	case *ssh.UserAuthRequest:
		secret(msg.Fields, "signature", "method_data", "undecoded", "excess")
	case *ssh.UserAuthInfoResponse:
		secret(msg.Fields, "undecoded", "excess")
	case *ssh.Opaque:
		if n := msg.Raw; len(n) > 0 && n[0] >= 50 && n[0] <= 79 {
			secret(msg.Fields, "payload")
		}
	}
}

func secret(fields []wire.Field, names ...string) {
	for _, name := range names {
		if f := wire.Find(fields, name); f != nil {
			f.Flags |= wire.Secret
		}
	}
}

// hole takes note that packets of a direction are missing, from now on: rules
// mean nothing any more, and the decoders of inner streams must not wait for
// what will not come.
func (p *packets) hole(dir wire.Dir, at time.Time) {
	p.lost = true
	for _, ch := range p.ordered() {
		d := ch.inward(dir)
		if ch.inner == nil {
			ch.gap[d] = true
			continue
		}
		ch.inner.Feed(trace.Chunk{Dir: d, Gap: -1, Time: at})
	}
}

// missing is the note about n missing bytes, -1 for an unknown number.
func missing(dir wire.Dir, n int64) string {
	if n < 0 {
		return fmt.Sprintf("bytes of the %s are missing before this", sender(dir))
	}
	return fmt.Sprintf("%d bytes of the %s are missing before this", n, sender(dir))
}

func (p *packets) close() {
	for _, ch := range p.ordered() {
		ch.close(p)
	}
	p.channels = nil
}
