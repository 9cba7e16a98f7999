package packet

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrHandshakeTimeout ends the reading of a Packetizer whose handshake was not
// complete in time. It is also an os.ErrDeadlineExceeded and a
// context.DeadlineExceeded.
var ErrHandshakeTimeout error = handshakeTimeoutError{}

type handshakeTimeoutError struct{}

func (handshakeTimeoutError) Error() string   { return "the handshake took too long" }
func (handshakeTimeoutError) Timeout() bool   { return true }
func (handshakeTimeoutError) Temporary() bool { return false }

func (handshakeTimeoutError) Is(target error) bool {
	return target == os.ErrDeadlineExceeded || target == context.DeadlineExceeded
}

// clock holds all times that a Packetizer waits for. Nothing runs for them: the
// earliest one is the read deadline of the connection, and when that has
// passed the receiving goroutine looks what is due.
type clock struct {
	nc    net.Conn
	begin time.Time    // of the Packetizer
	sent  atomic.Int64 // when a batch was taken last, as a duration since begin
	stale atomic.Bool  // a time was changed and the deadline was not

	changes atomic.Uint64 // how often the read deadline was set

	mu        sync.Mutex // guards what follows; nothing is locked under it but what nc locks
	armed     time.Time  // read deadline of nc; zero: none
	user      time.Time  // of SetReadDeadline
	userWrite time.Time  // of SetWriteDeadline
	handshake time.Time  // of StartHandshake
	buffer    time.Time  // when the large buffer is given back
	keys      [2]time.Time
	alive     time.Time // when to look whether the connection has been idle
	interval  time.Duration
	keepAlive func() error
}

// indices of clock.keys
const (
	keysIn = iota
	keysOut
)

// since returns the time since the beginning of the Packetizer.
func (c *clock) since() time.Duration { return time.Since(c.begin) }

// set changes times by means of change, and the read deadline with them.
func (c *clock) set(change func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	return c.arm()
}

// arm makes the earliest time the read deadline. c.mu is held.
func (c *clock) arm() error {
	c.stale.Store(false)
	var at time.Time
	for _, t := range [...]time.Time{c.user, c.handshake, c.buffer, c.keys[keysIn], c.keys[keysOut], c.alive} {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if at.Equal(c.armed) {
		return nil
	}
	c.changes.Add(1)
	if err := c.nc.SetReadDeadline(at); err != nil {
		return err
	}
	c.armed = at
	return nil
}

func passed(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// SetReadDeadline limits how long ReadMessage, ReadLine and ReadFull wait, also
// if they wait already; the zero time means no limit. They return an error
// that is os.ErrDeadlineExceeded then, which does not stick: the next call
// goes on where this one stopped, also in the middle of a packet. It may be
// called from any goroutine. Deadlines that are set on the connection itself
// are overridden.
func (p *Packetizer) SetReadDeadline(t time.Time) error {
	return p.clock.set(func() { p.clock.user = t })
}

// SetWriteDeadline limits how long Flush and SendMessage wait; the zero time
// means no limit. See Flush for what happens to the rest. It may be called from
// any goroutine.
func (p *Packetizer) SetWriteDeadline(t time.Time) error {
	c := &p.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.userWrite = t
	return c.armWrite()
}

// armWrite sets the write deadline. c.mu is held.
func (c *clock) armWrite() error {
	at := c.userWrite
	if h := c.handshake; !h.IsZero() && (at.IsZero() || h.Before(at)) {
		at = h
	}
	return c.nc.SetWriteDeadline(at)
}

// StartHandshake begins the time within which CompleteHandshake is to be
// called. When it has passed, reading ends with [ErrHandshakeTimeout], and so
// does a Flush that waits. A second call sets a new limit. The error is that of
// a connection without deadlines. It may be called from any goroutine.
func (p *Packetizer) StartHandshake(limit time.Duration) error {
	at := time.Now().Add(limit)
	return p.clock.setHandshake(at)
}

// CompleteHandshake ends what StartHandshake began.
func (p *Packetizer) CompleteHandshake() error { return p.clock.setHandshake(time.Time{}) }

func (c *clock) setHandshake(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handshake = at
	return errors.Join(c.arm(), c.armWrite())
}

// HandshakeTimedOut reports whether the time of StartHandshake has passed
// without CompleteHandshake.
func (p *Packetizer) HandshakeTimedOut() bool {
	p.clock.mu.Lock()
	defer p.clock.mu.Unlock()
	return passed(p.clock.handshake, time.Now())
}

// SetKeepAlive makes the receiving goroutine call send when nothing was
// received or sent for the interval, while it waits for a packet, and again
// after each further interval. It is called only when both directions are
// encrypted and NeedRekey says no. send usually sends a request that the peer
// answers; as it runs beside the sending goroutine, it needs the caller's own
// lock. An error of send ends reading with that error: so a caller who counts
// can give up a dead peer. An interval of 0, or no function, switches it off.
// The error is that of a connection without deadlines. It may be called from
// any goroutine.
func (p *Packetizer) SetKeepAlive(interval time.Duration, send func() error) error {
	if send == nil {
		interval = 0
	}
	return p.clock.set(func() {
		c := &p.clock
		c.interval, c.keepAlive, c.alive = interval, send, time.Time{}
		if interval > 0 {
			c.alive = time.Now().Add(interval)
		}
		c.sent.Store(int64(c.since()))
		p.idleMatters.Store(interval > 0)
	})
}

// wait sets the read deadline for the next read. For the sake of speed it
// looks at nothing that has not changed.
func (p *Packetizer) wait() {
	in, stale := &p.in, p.clock.stale.Load()
	in.changes = p.clock.changes.Load()
	switch {
	case in.noIdle:
		return
	case in.large == nil || in.w-in.r > smallBuffer/2:
		if in.idleAt.IsZero() && !stale {
			return
		}
		in.idleAt = time.Time{}
	default:
		now := time.Now()
		if in.idleAt.Sub(now) > idleAfter/2 && !stale {
			return // renewing it for every read would cost more than the read
		}
		in.idleAt = now.Add(idleAfter)
	}
	err := p.clock.set(func() { p.clock.buffer = in.idleAt })
	in.changes = p.clock.changes.Load()
	if err != nil {
		// Without deadlines the buffer is kept, and the age of keys is looked
		// at when something comes. For all else the caller got the error. If
		// the connection is closed, reading says so.
		in.noIdle = true
	}
}

// expired deals with a read deadline that has passed. It returns err, which
// does not stick, when that is the caller's own.
func (p *Packetizer) expired(err error) error {
	c, in := &p.clock, &p.in
	now := time.Now()
	c.mu.Lock()
	ours := passed(c.armed, now) || c.changes.Load() != in.changes
	buffer, user, handshake := passed(c.buffer, now), passed(c.user, now), passed(c.handshake, now)
	c.stale.Store(true)
	c.mu.Unlock()
	if buffer && in.large != nil {
		in.giveBack()
	}
	switch {
	case handshake:
		in.err = ErrHandshakeTimeout
		return nil
	case user || !ours:
		return err
	}
	p.keysExpired(now)
	p.idled(now)
	return nil
}

// idled calls the keepalive function when it is time.
func (p *Packetizer) idled(now time.Time) {
	c := &p.clock
	c.mu.Lock()
	send, interval := c.keepAlive, c.interval
	if interval <= 0 || !passed(c.alive, now) {
		c.mu.Unlock()
		return
	}
	c.alive = c.begin.Add(max(p.in.last, time.Duration(c.sent.Load())) + interval)
	due := passed(c.alive, now)
	if due {
		c.alive = now.Add(interval)
	}
	c.mu.Unlock()
	if due && p.keyed.Load() == bothKeyed && p.NeedRekey() == NoRekey {
		p.in.err = send()
	}
}
