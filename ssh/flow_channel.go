package ssh

import (
	"math"

	"github.com/wirelark/wirelark/wire"
)

// Channel is what a [Flow] knows of a channel that is open or being opened.
type Channel struct {
	ID      uint64    // ordinal of its CHANNEL_OPEN: unlike its numbers never used again
	Type    string    // empty when it was longer than 64 bytes
	Opener  wire.Dir  // direction of the CHANNEL_OPEN
	Numbers [2]uint32 // by the direction in which the side that chose it sends
	Open    bool      // it was confirmed
}

// Channel returns the channel that the recipient number in a message of
// direction dir means.
func (f *Flow) Channel(dir wire.Dir, recipient uint32) (Channel, bool) {
	c := f.conn.channels[channelKey{dir.Reverse(), recipient}]
	if c == nil {
		return Channel{}, false
	}
	return c.Channel, true
}

// connFlow follows the connection protocol. RFC 4254.
type connFlow struct {
	globals  [2]pending // want a reply, by the direction of the request
	channels map[channelKey]*channelFlow
	lost     bool // there were more channels than it can hold
}

const maxFlowChannels = 16384 // each stands in the table twice

// channelKey names a channel by the number that one side chose for it.
type channelKey struct {
	owner  wire.Dir // the direction in which that side sends
	number uint32
}

type channelFlow struct {
	Channel
	eof, closed [2]bool
	window      [2]uint64 // bytes that may be sent, by direction
	maxPacket   [2]uint32 // bytes of data in one packet, by direction
	requests    [2]pending
	close       uint64 // ordinal of the first CLOSE
}

func (f *Flow) sawConnection(dir wire.Dir, m wire.Message, s *Seen) rule {
	switch m := m.(type) {
	case *GlobalRequest:
		if s.Asks = m.WantReply; m.WantReply {
			f.conn.globals[dir].push(s.Ordinal)
		}
	case *RequestSuccess, *RequestFailure:
		s.Answers = f.conn.globals[dir.Reverse()].pop()
	case *ChannelOpen:
		return f.sawOpen(dir, m, s)
	case *ChannelOpenConfirmation:
		return f.sawConfirmation(dir, m, s)
	case *ChannelOpenFailure:
		c, r := f.opening(dir, m.Recipient)
		if c != nil {
			s.Answers = c.ID
			delete(f.conn.channels, channelKey{dir.Reverse(), m.Recipient})
		}
		return r
	case *ChannelWindowAdjust:
		return f.sawAdjust(dir, m)
	case *ChannelData:
		return f.sawData(dir, m.Recipient, len(m.Data))
	case *ChannelExtendedData:
		return f.sawData(dir, m.Recipient, len(m.Data))
	case *ChannelEOF:
		c, r := f.open(dir, m.Recipient)
		if c != nil {
			c.eof[dir] = true
		}
		return r
	case *ChannelClose:
		return f.sawClose(dir, m, s)
	case *ChannelRequest:
		s.Asks = m.WantReply
		c, r := f.open(dir, m.Recipient)
		if c != nil && m.WantReply {
			c.requests[dir].push(s.Ordinal)
		}
		return r
	case *ChannelSuccess:
		return f.sawReply(dir, m.Recipient, s)
	case *ChannelFailure:
		return f.sawReply(dir, m.Recipient, s)
	}
	return rule{}
}

func (f *Flow) sawOpen(dir wire.Dir, m *ChannelOpen, s *Seen) rule {
	s.Asks = true
	key := channelKey{dir, m.Sender}
	switch {
	case f.conn.channels[key] != nil:
		return broken("RFC 4254 §5.1", "channel %d is in use", m.Sender)
	case len(f.conn.channels) >= 2*maxFlowChannels:
		f.conn.lost = true
		return rule{}
	case f.conn.channels == nil:
		f.conn.channels = make(map[channelKey]*channelFlow)
	}
	c := &channelFlow{Channel: Channel{ID: s.Ordinal, Opener: dir}}
	if len(m.Type) <= 64 {
		c.Type = m.Type
	}
	c.Numbers[dir] = m.Sender
	c.window[dir.Reverse()], c.maxPacket[dir.Reverse()] = uint64(m.Window), m.MaxPacket
	f.conn.channels[key] = c
	switch {
	case m.Type == ChannelSession && dir == wire.S2C:
		return broken("RFC 4254 §6.1", "only a client opens sessions")
	case m.Type == ChannelDirectTCPIP && dir == wire.S2C:
		return broken("RFC 4254 §7.2", "only a client opens direct-tcpip channels")
	}
	return rule{}
}

// opening returns the channel that a reply in direction dir decides about.
func (f *Flow) opening(dir wire.Dir, recipient uint32) (*channelFlow, rule) {
	c := f.conn.channels[channelKey{dir.Reverse(), recipient}]
	switch {
	case c == nil && f.conn.lost:
		return nil, rule{}
	case c == nil || c.Open || c.Opener == dir:
		return nil, broken("RFC 4254 §5.1", "channel %d is not being opened", recipient)
	}
	return c, rule{}
}

func (f *Flow) sawConfirmation(dir wire.Dir, m *ChannelOpenConfirmation, s *Seen) rule {
	c, r := f.opening(dir, m.Recipient)
	if c == nil {
		return r
	}
	s.Answers = c.ID
	c.Open = true
	c.Numbers[dir] = m.Sender
	c.window[dir.Reverse()], c.maxPacket[dir.Reverse()] = uint64(m.Window), m.MaxPacket
	key := channelKey{dir, m.Sender}
	if f.conn.channels[key] != nil {
		return broken("RFC 4254 §5.1", "channel %d is in use", m.Sender)
	}
	f.conn.channels[key] = c
	return rule{}
}

// open returns the channel on which a message in direction dir travels. It is
// nil when there is none, which without a broken rule means: not known.
func (f *Flow) open(dir wire.Dir, recipient uint32) (*channelFlow, rule) {
	c := f.conn.channels[channelKey{dir.Reverse(), recipient}]
	switch {
	case c == nil && f.conn.lost:
		return nil, rule{}
	case c == nil || !c.Open:
		return nil, broken("RFC 4254 §5", "channel %d is not open", recipient)
	case c.closed[dir]:
		return nil, broken("RFC 4254 §5.3", "nothing may follow SSH_MSG_CHANNEL_CLOSE on channel %d", recipient)
	}
	return c, rule{}
}

func (f *Flow) sawAdjust(dir wire.Dir, m *ChannelWindowAdjust) rule {
	c, r := f.open(dir, m.Recipient)
	if c == nil {
		return r
	}
	w := &c.window[dir.Reverse()]
	*w += uint64(m.Add)
	if *w > math.MaxUint32 {
		*w = math.MaxUint32
		return broken("RFC 4254 §5.2", "the window of channel %d passes 2³²-1 bytes", m.Recipient)
	}
	return rule{}
}

func (f *Flow) sawData(dir wire.Dir, recipient uint32, n int) rule {
	c, r := f.open(dir, recipient)
	if c == nil {
		return r
	}
	window := c.window[dir]
	c.window[dir] -= min(window, uint64(n))
	switch {
	case c.eof[dir]:
		return broken("RFC 4254 §5.3", "no data may follow SSH_MSG_CHANNEL_EOF on channel %d", recipient)
	case uint64(n) > uint64(c.maxPacket[dir]):
		return broken("RFC 4254 §5.2", "%d bytes are more than the packet limit %d of channel %d", n, c.maxPacket[dir], recipient)
	case uint64(n) > window:
		return broken("RFC 4254 §5.2", "%d bytes are more than the window %d of channel %d", n, window, recipient)
	}
	return rule{}
}

func (f *Flow) sawClose(dir wire.Dir, m *ChannelClose, s *Seen) rule {
	c, r := f.open(dir, m.Recipient)
	if c == nil {
		return r
	}
	c.closed[dir] = true
	if !c.closed[dir.Reverse()] {
		s.Asks = true
		c.close = s.Ordinal
		return rule{}
	}
	s.Answers = c.close
	for owner, number := range c.Numbers {
		key := channelKey{wire.Dir(owner), number}
		if f.conn.channels[key] == c {
			delete(f.conn.channels, key)
		}
	}
	return rule{}
}

func (f *Flow) sawReply(dir wire.Dir, recipient uint32, s *Seen) rule {
	c, r := f.open(dir, recipient)
	if c == nil {
		return r
	}
	requests := &c.requests[dir.Reverse()]
	if requests.none() {
		return broken("RFC 4254 §5.4", "no request awaits a reply on channel %d", recipient)
	}
	s.Answers = requests.pop()
	return rule{}
}
