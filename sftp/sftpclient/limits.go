package sftpclient

import (
	"context"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
	"github.com/wirelark/wirelark/wire"
)

// Limits are what the server states with limits@openssh.com. Zero means that
// it states nothing.
type Limits struct {
	MaxPacket  uint64 // bytes of a whole packet
	MaxRead    uint64 // bytes of data in one answer to READ
	MaxWrite   uint64 // bytes of data in one WRITE
	MaxHandles uint64 // open at a time
}

// Limits waits for the server's limits, which were asked for when the session
// began. They are all zero when the server has no such extension.
func (c *Client) Limits(ctx context.Context) (Limits, error) {
	select {
	case <-c.limitsKnown:
		return c.limits, nil
	case <-c.s.Done():
		return Limits{}, c.s.Err()
	case <-ctx.Done():
		return Limits{}, context.Cause(ctx)
	}
}

// askLimits asks without waiting: until the answer is there, chunks have the
// size that every server takes.
func (c *Client) askLimits() error {
	if !c.version.Offers(sftp.ExtLimits, sftp.ExtVersionOne) {
		close(c.limitsKnown)
		return nil
	}
	q, err := c.s.Begin(context.Background(), session.WantExtended, func(id uint32) wire.Message {
		return &sftp.Extended{ID: id, Request: sftp.ExtLimits}
	}, c.s.Post)
	if err != nil {
		return err
	}
	c.s.Go(func() {
		var m sftp.LimitsReply
		if c.s.Answer(context.Background(), q, &m) == nil {
			c.limits = Limits{MaxPacket: m.MaxPacket, MaxRead: m.MaxRead, MaxWrite: m.MaxWrite, MaxHandles: m.MaxHandles}
			if m.MaxHandles > 0 && m.MaxHandles < manyHandles {
				c.places = make(chan struct{}, max(m.MaxHandles, 2))
			}
		}
		close(c.limitsKnown)
	})
	return nil
}

// chunks returns how many bytes of data a READ and a WRITE may carry now.
func (c *Client) chunks() (read, write int) {
	var l Limits
	select {
	case <-c.limitsKnown:
		l = c.limits
	default:
	}
	return c.chunk(l.MaxRead, 0), c.chunk(l.MaxWrite, l.MaxPacket)
}

// chunk bounds what the server states; packet is the limit of the whole
// packet, 0 when it does not matter or is not stated.
func (c *Client) chunk(stated, packet uint64) int {
	if stated == 0 {
		stated = sftp.SafeData
	}
	const around = 1 << 10 // more than the fields around the data
	switch {
	case packet > 2*around:
		stated = min(stated, packet-around)
	case packet > 0:
		stated = min(stated, max(packet/2, 1)) // absurd, but what it says
	}
	return int(min(stated, uint64(c.cfg.MaxChunk)))
}

// manyHandles is what servers allow that need no care: no operation of the
// client's own has so many files open.
const manyHandles = 256

// hold waits for n places, 1 or 2, among the handles that a server with few of
// them allows, and takes them until release is called. Only operations that
// open and close by themselves wait here, and none of them waits for more when
// it has some. Files that callers have open are not counted: the server says
// when there are too many.
func (c *Client) hold(ctx context.Context, n int) (release func(), err error) {
	select {
	case <-c.limitsKnown:
	default:
		return func() {}, nil
	}
	if c.places == nil {
		return func() {}, nil
	}
	if n > 1 { // one at a time collects several
		select {
		case c.pairs <- struct{}{}:
			defer func() { <-c.pairs }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	taken := 0
	release = func() {
		for range taken {
			<-c.places
		}
	}
	for ; taken < n; taken++ {
		select {
		case c.places <- struct{}{}:
		case <-ctx.Done():
			release()
			return nil, context.Cause(ctx)
		}
	}
	return release, nil
}

// offers reports whether the server announced the extension in this version.
// Others are never sent: a server may not even answer them.
func (c *Client) offers(name, version string) bool { return c.version.Offers(name, version) }

// extended sends an extended request that is answered with a status or, when
// reply is not nil, with reply.
func (c *Client) extended(ctx context.Context, version string, m sftp.Extended, w session.Want, reply wire.Message) error {
	if !c.offers(m.Request, version) {
		return &UnsupportedError{Extension: m.Request}
	}
	return c.s.Ask(ctx, w, func(id uint32) wire.Message { m.ID = id; return &m }, reply)
}
