package mux

import (
	"context"
	"time"

	"github.com/wirelark/wirelark/ssh"
)

// minMaxPacket is the smallest maximum packet size that we work with. RFC 4254
// sets none; a peer that says 0 makes naive senders loop for ever, and one
// that says 1 makes them send 40 bytes for each.
const minMaxPacket = 64

// Open asks the peer for a channel; type and what belongs to it stand in o.
// When ctx ends first, the channel is closed as soon as the peer has answered.
// A refusal is an [*OpenError].
func (m *Mux) Open(ctx context.Context, o *ssh.ChannelOpen, opt Options) (*Channel, error) {
	ch := newChannel(m, opt)
	answer := make(chan error, 1)
	ch.opening, ch.asked = answer, time.Now()
	if err := m.add(ch); err != nil {
		return nil, err
	}
	req := *o
	req.Sender, req.Window, req.MaxPacket = ch.local, uint32(m.limits.Window), uint32(m.limits.MaxPacket)
	if err := m.t.Send(ctx, &req); err != nil {
		m.forget(ch)
		return nil, m.cause(err)
	}
	select {
	case err := <-answer:
		if err != nil {
			return nil, refused(err, o.Type)
		}
		return ch, nil
	case <-ctx.Done():
		ch.Close() // sent when the peer confirms
		return nil, context.Cause(ctx)
	}
}

func refused(err error, kind string) error {
	if e, ok := err.(*OpenError); ok { //nolint:errorlint // made below, never wrapped
		e.Type = kind
	}
	return err
}

// cause prefers the reason why the connection ended to the error that this
// made elsewhere.
func (m *Mux) cause(err error) error {
	if own := m.Err(); own != nil {
		return own
	}
	return err
}

// take ends the opening of ch and returns where its answer goes.
func (ch *Channel) take() (answer chan<- error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	answer, ch.opening = ch.opening, nil
	return answer
}

func (m *Mux) onOpenConfirmation(c *ssh.ChannelOpenConfirmation) error {
	ch, err := m.find(c.Recipient, "open confirmation")
	if err != nil {
		return err
	}
	answer := ch.take()
	if answer == nil {
		return protocolError("open confirmation for channel %d, which is open", ch.local)
	}
	m.probe.sample(ch.asked)
	ch.start(c.Sender, c.Window, c.MaxPacket)
	if c.MaxPacket < minMaxPacket {
		ch.Close()
		answer <- protocolError("channel %d opened with a maximum packet size of %d bytes", ch.local, c.MaxPacket)
		return nil
	}
	answer <- nil
	ch.mu.Lock()
	ch.settle() // closed in the meantime
	return nil
}

func (m *Mux) onOpenFailure(f *ssh.ChannelOpenFailure) error {
	ch, err := m.find(f.Recipient, "open failure")
	if err != nil {
		return err
	}
	answer := ch.take()
	if answer == nil {
		return protocolError("open failure for channel %d, which is open", ch.local)
	}
	m.forget(ch)
	answer <- &OpenError{Reason: f.Reason, Text: f.Description}
	return nil
}

// Incoming is a channel that the peer wants to open.
type Incoming struct {
	Open *ssh.ChannelOpen
	m    *Mux
}

func (m *Mux) onOpen(o *ssh.ChannelOpen) error {
	in := &Incoming{Open: o, m: m}
	o.Rest = append([]byte(nil), o.Rest...)
	m.mu.Lock()
	full := m.draining || m.pending >= m.limits.PendingOpens || m.full()
	m.pending++
	m.mu.Unlock()
	switch {
	case full:
		in.Reject(ssh.ResourceShortage, "too many channels")
	case o.MaxPacket < minMaxPacket:
		in.Reject(ssh.ConnectFailed, "maximum packet size too small")
	case m.cfg.OnOpen == nil:
		in.Reject(ssh.AdministrativelyProhibited, "no channels are accepted")
	default:
		m.cfg.OnOpen(in)
	}
	return m.Err() // an answer that could not be queued ends the connection
}

func (in *Incoming) decided() {
	in.m.mu.Lock()
	in.m.pending--
	in.m.checkEmpty()
	in.m.mu.Unlock()
}

// Accept opens the channel. It does not wait. An error means that the
// connection has ended or is about to.
func (in *Incoming) Accept(opt Options) (*Channel, error) {
	in.decided()
	ch := newChannel(in.m, opt)
	if err := in.m.add(ch); err != nil {
		in.refuse(ssh.ResourceShortage, "too many channels")
		return nil, err
	}
	ch.start(in.Open.Sender, in.Open.Window, in.Open.MaxPacket)
	err := in.m.queue(&ssh.ChannelOpenConfirmation{
		Recipient: in.Open.Sender, Sender: ch.local,
		Window: uint32(in.m.limits.Window), MaxPacket: uint32(in.m.limits.MaxPacket),
	})
	if err != nil {
		return nil, err
	}
	return ch, nil
}

// Reject refuses the channel. It does not wait.
func (in *Incoming) Reject(reason ssh.OpenFailureReason, text string) {
	in.decided()
	in.refuse(reason, text)
}

// refuse sends a refusal. That it cannot be queued has ended the connection.
func (in *Incoming) refuse(reason ssh.OpenFailureReason, text string) {
	_ = in.m.queue(&ssh.ChannelOpenFailure{Recipient: in.Open.Sender, Reason: reason, Description: text})
}
