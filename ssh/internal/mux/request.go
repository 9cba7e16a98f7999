package mux

import (
	"context"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// queue sends what the reader has to say. That it cannot means that the peer
// asks and does not listen: the connection ends.
func (m *Mux) queue(msg wire.Message) error {
	if err := m.t.Queue(msg); err != nil {
		err = m.cause(err)
		m.fail(err)
		m.t.Wake()
		return err
	}
	return nil
}

// reply is the answer to a request.
type reply struct {
	ok   bool
	data []byte
}

// waiters are those who wait for replies, which come in the order of the
// requests (RFC 4254 §4, §5.4). The owner's mutex guards it.
type waiters []waiter

type waiter struct {
	reply chan reply
	since time.Time
}

func (w *waiters) add() chan reply {
	c := make(chan reply, 1)
	*w = append(*w, waiter{c, time.Now()})
	return c
}

// remove takes back the waiter that was added last, unless a peer has answered
// it already: what it was not asked yet.
func (w *waiters) remove(c <-chan reply) {
	if last := len(*w) - 1; last >= 0 && (*w)[last].reply == c {
		*w = (*w)[:last]
	}
}

// answer gives r to the first waiter, and tells since when that has waited.
func (w *waiters) answer(r reply) (since time.Time, ok bool) {
	if len(*w) == 0 {
		return time.Time{}, false
	}
	first := (*w)[0]
	first.reply <- r
	(*w)[0] = waiter{}
	*w = (*w)[1:]
	return first.since, true
}

// fail closes all: no reply will come.
func (w *waiters) fail() {
	for _, first := range *w {
		close(first.reply)
	}
	*w = nil
}

// Pending is a request whose reply has not been asked for.
type Pending struct {
	reply <-chan reply
	err   func() error // why there is no reply
}

// Wait returns whether the request was granted, and the data of a global
// request's reply. When ctx ends first, the reply is thrown away as it comes.
func (p *Pending) Wait(ctx context.Context) (ok bool, data []byte, err error) {
	select {
	case r, open := <-p.reply:
		if !open {
			return false, nil, p.err()
		}
		return r.ok, r.data, nil
	case <-ctx.Done():
		return false, nil, context.Cause(ctx)
	}
}

// Request sends a global request, and waits for the reply if r wants one.
func (m *Mux) Request(ctx context.Context, r *ssh.GlobalRequest) (ok bool, data []byte, err error) {
	select {
	case m.globalTurn <- struct{}{}:
	case <-ctx.Done():
		return false, nil, context.Cause(ctx)
	}
	p := &Pending{err: m.Err}
	m.mu.Lock()
	err = m.err
	if err == nil && r.WantReply {
		p.reply = m.globals.add()
	}
	m.mu.Unlock()
	if err == nil {
		if err = m.t.Send(ctx, r); err != nil {
			err = m.cause(err)
			m.mu.Lock()
			if r.WantReply && m.err == nil {
				m.globals.remove(p.reply)
			}
			m.mu.Unlock()
		}
	}
	<-m.globalTurn
	if err != nil || !r.WantReply {
		return false, nil, err
	}
	return p.Wait(ctx)
}

func (m *Mux) onGlobal(r *ssh.GlobalRequest) error {
	ok, data := false, []byte(nil)
	if m.cfg.OnGlobal != nil {
		ok, data = m.cfg.OnGlobal(r)
	}
	switch {
	case !r.WantReply:
		return nil
	case ok:
		return m.queue(&ssh.RequestSuccess{Data: data})
	}
	return m.queue(&ssh.RequestFailure{})
}

func (m *Mux) onGlobalReply(ok bool, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil
	}
	since, known := m.globals.answer(reply{ok, append([]byte(nil), data...)})
	if !known {
		return protocolError("reply to a global request that was not made")
	}
	m.probe.sample(since)
	return nil
}

// Request sends a request on the channel, and waits for the reply if r wants
// one.
func (ch *Channel) Request(ctx context.Context, r *ssh.ChannelRequest) (ok bool, err error) {
	p, err := ch.Start(ctx, r)
	if err != nil || !r.WantReply {
		return false, err
	}
	ok, _, err = p.Wait(ctx)
	return ok, err
}

// Start sends a request on the channel; its reply is awaited later. It waits
// for room until ctx is done or the channel is closed. r.Recipient is set.
func (ch *Channel) Start(ctx context.Context, r *ssh.ChannelRequest) (*Pending, error) {
	select {
	case ch.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-ch.turn }()
	p := &Pending{err: ch.cause}
	ch.mu.Lock()
	if ch.closWant {
		defer ch.mu.Unlock()
		return nil, ch.err
	}
	ch.sending++
	if r.WantReply {
		p.reply = ch.replies.add()
	}
	ch.mu.Unlock()

	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(ch.life, func() { cancel(context.Cause(ch.life)) })
	r.Recipient = ch.remote
	err := ch.m.t.Send(ctx, r)
	stop()
	cancel(nil)

	ch.mu.Lock()
	ch.sending--
	if err != nil {
		if r.WantReply && ch.err == nil {
			ch.replies.remove(p.reply)
		}
		if ch.err != nil {
			err = ch.err
		}
	}
	ch.settle()
	return p, err
}

// cause says why the channel ended; nil while it has not.
func (ch *Channel) cause() error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.err
}

func (m *Mux) onRequest(r *ssh.ChannelRequest) error {
	ch, err := m.find(r.Recipient, "request")
	if err != nil {
		return err
	}
	ch.mu.Lock()
	open, closing := ch.opened && !ch.closRecv, ch.closWant
	ch.mu.Unlock()
	if !open {
		return protocolError("request for channel %d, which is not open", ch.local)
	}
	if closing {
		return nil // the peer has not heard yet that we closed
	}
	ok, then := false, func() {}
	if ch.opt.OnRequest != nil {
		if o, t := ch.opt.OnRequest(ch, r); t != nil {
			ok, then = o, t
		} else {
			ok = o
		}
	}
	if r.WantReply {
		if err := ch.reply(ok); err != nil {
			return err
		}
	}
	then()
	return nil
}

// reply answers a request unless the channel has been closed since: nothing
// may follow a close.
func (ch *Channel) reply(ok bool) error {
	ch.mu.Lock()
	if ch.closWant {
		ch.mu.Unlock()
		return nil
	}
	ch.sending++
	ch.mu.Unlock()
	var msg wire.Message = &ssh.ChannelFailure{Recipient: ch.remote}
	if ok {
		msg = &ssh.ChannelSuccess{Recipient: ch.remote}
	}
	err := ch.m.queue(msg)
	ch.mu.Lock()
	ch.sending--
	ch.settle()
	return err
}

func (m *Mux) onSuccess(s *ssh.ChannelSuccess) error { return m.onReply(s.Recipient, true) }
func (m *Mux) onFailure(f *ssh.ChannelFailure) error { return m.onReply(f.Recipient, false) }

func (m *Mux) onReply(id uint32, ok bool) error {
	ch, err := m.find(id, "reply")
	if err != nil {
		return err
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	switch {
	case !ch.opened || ch.closRecv:
		return protocolError("reply on channel %d, which is not open", ch.local)
	case ch.closWant:
		return nil // nobody waits any longer
	}
	since, known := ch.replies.answer(reply{ok: ok})
	if !known {
		return protocolError("reply to a request that was not made on channel %d", ch.local)
	}
	m.probe.sample(since)
	return nil
}
