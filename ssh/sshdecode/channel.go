package sshdecode

import (
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// maxInner is the most inner decoders that are open at a time: each may keep
// an incomplete message.
const maxInner = 256

// maxLabel is the longest label; the rest of a command is of no use in one.
const maxLabel = 256

// channel is what is decoded inside a channel.
type channel struct {
	ssh.Channel
	label  string // empty while nobody knows what runs in it
	pty    bool
	asked  bool // label is a request that may still be refused
	opened bool // inner was asked for
	inner  trace.Decoder
	gap    [2]bool // bytes are missing before the next ones, by inner direction
}

// typed reports whether a person types what travels in direction dir.
func (ch *channel) typed(dir wire.Dir) bool { return ch.pty && dir == wire.C2S }

// inward returns the direction inside the channel: whoever opened it is the
// client of what runs in it.
func (ch *channel) inward(dir wire.Dir) wire.Dir {
	if ch.Opener == wire.S2C {
		return dir.Reverse()
	}
	return dir
}

// channelOf returns the channel that m is about, or nil.
func (p *packets) channelOf(dir wire.Dir, m wire.Message) *channel {
	var number uint32
	switch m := m.(type) {
	case *ssh.ChannelOpenFailure:
		number = m.Recipient
	case *ssh.ChannelData:
		number = m.Recipient
	case *ssh.ChannelRequest:
		number = m.Recipient
	case *ssh.ChannelFailure:
		number = m.Recipient
	case *ssh.ChannelClose:
		number = m.Recipient
	default:
		return nil
	}
	c, ok := p.flow.Channel(dir, number)
	if !ok {
		return nil
	}
	ch := p.channels[c.ID]
	if ch != nil {
		ch.Channel = c // the flow learns the numbers one after the other
	}
	return ch
}

// channel lets a message have its effect on what runs inside channels.
func (p *packets) channel(in plain, m wire.Message, ch *channel, seen ssh.Seen) {
	if open, ok := m.(*ssh.ChannelOpen); ok {
		p.open(in.dir, open, seen.Ordinal)
		return
	}
	if ch == nil {
		return
	}
	switch m := m.(type) {
	case *ssh.ChannelOpenFailure:
		p.drop(ch)
	case *ssh.ChannelRequest:
		ch.request(m)
	case *ssh.ChannelFailure:
		if ch.asked && ch.inner == nil {
			ch.label, ch.asked = "", false
		}
	case *ssh.ChannelData:
		p.data(in, m, ch)
	case *ssh.ChannelClose:
		if _, open := p.flow.Channel(in.dir, m.Recipient); !open {
			p.drop(ch)
		}
	}
}

func (p *packets) open(dir wire.Dir, m *ssh.ChannelOpen, id uint64) {
	c, ok := p.flow.Channel(dir.Reverse(), m.Sender)
	if !ok || c.ID != id {
		return // the number is in use, or the flow keeps no more channels
	}
	if p.channels == nil {
		p.channels = make(map[uint64]*channel)
	}
	p.channels[id] = &channel{Channel: c, label: cutLabel(Label(m))}
}

// Label says what a channel carries, as far as the opening of it tells: empty
// for a session, which says so in a request.
func Label(m *ssh.ChannelOpen) string {
	switch m.Type {
	case ssh.ChannelSession:
		return ""
	case ssh.ChannelDirectTCPIP, ssh.ChannelForwardedTCPIP:
		return m.Type + " " + net.JoinHostPort(m.Host, strconv.FormatUint(uint64(m.Port), 10))
	case ssh.ChannelDirectStreamLocal, ssh.ChannelForwardedStreamLocal:
		return m.Type + " " + m.SocketPath
	}
	return m.Type
}

// request notes what a session is used for. RFC 4254 §6.5: only one of these
// requests can succeed for a channel.
func (ch *channel) request(m *ssh.ChannelRequest) {
	label := ""
	switch m.Type {
	case ssh.RequestPTY:
		ch.pty = true
	case ssh.RequestExec:
		label = "exec " + m.Command
	case ssh.RequestSubsystem:
		label = "subsystem " + m.Subsystem
	case ssh.RequestShell:
		label = "shell"
	}
	if label != "" && ch.inner == nil {
		ch.label, ch.asked, ch.opened = cutLabel(label), m.WantReply, false
	}
}

func cutLabel(s string) string { return s[:min(len(s), maxLabel)] }

// data hands the data of a channel to the decoder of what runs in it.
func (p *packets) data(in plain, m *ssh.ChannelData, ch *channel) {
	if !ch.opened && ch.label != "" {
		ch.opened = true
		if p.opts.Inner != nil && !ch.pty && p.inner < maxInner {
			ch.inner = p.opts.Inner(ch.label, p.path(ch), p.opts.Emit)
		}
		if ch.inner != nil {
			p.inner++
		}
	}
	if ch.inner == nil {
		return
	}
	dir := ch.inward(in.dir)
	c := trace.Chunk{Dir: dir, Data: m.Data, Time: in.time, Spans: in.spans}
	if ch.gap[dir] {
		c.Gap, ch.gap[dir] = -1, false
	}
	ch.inner.Feed(c)
}

// path of the messages inside a channel: the protocol and the client's number.
func (p *packets) path(ch *channel) string {
	path := fmt.Sprintf("ssh/%d", ch.Numbers[wire.C2S])
	if p.opts.Path != "" {
		path = p.opts.Path + "/" + path
	}
	return path
}

func (p *packets) drop(ch *channel) {
	ch.close(p)
	delete(p.channels, ch.ID)
}

func (ch *channel) close(p *packets) {
	if ch.inner != nil {
		ch.inner.Close()
		ch.inner = nil
		p.inner--
	}
}

// ordered returns the channels in the order in which they were opened.
func (p *packets) ordered() []*channel {
	ids := make([]uint64, 0, len(p.channels))
	for id := range p.channels {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out := make([]*channel, len(ids))
	for i, id := range ids {
		out[i] = p.channels[id]
	}
	return out
}
