package transport

import (
	"context"
	"errors"
	"time"
)

const (
	defaultRekeyBytes    = 1 << 30   // RFC 4253 §9
	defaultRekeyInterval = time.Hour // RFC 4253 §9
	maxRekeyPackets      = 1 << 31   // RFC 4344 §3.1
	defaultRekeyTimeout  = 2 * time.Minute

	// unanswered is how many bytes a peer may send before it answers our
	// KEXINIT: far more than any window that we grant.
	unanswered = 256 << 20
)

func (r Rekey) complete() Rekey {
	if r.Bytes == 0 {
		r.Bytes = defaultRekeyBytes
	}
	if r.Packets == 0 || r.Packets > maxRekeyPackets {
		r.Packets = maxRekeyPackets
	}
	if r.Interval == 0 {
		r.Interval = defaultRekeyInterval
	}
	if r.Timeout <= 0 {
		r.Timeout = defaultRekeyTimeout
	}
	return r
}

// kexState is what writers and the reader both know of key exchanges. Guarded
// by Conn.mu.
type kexState struct {
	running  bool          // from the first KEXINIT of either side to the peer's NEWKEYS
	ended    chan struct{} // closed at its end
	init     []byte        // payload of our KEXINIT
	received uint64        // bytes received when it was queued
	timer    *time.Timer   // bounds a rekey
	interval *time.Timer   // to the next one
	count    int           // completed
	at       time.Time     // of the newest keys

	// counters of the packetizer when the newest keys were taken into use
	sentPackets, sentBytes, receivedPackets, receivedBytes uint64
}

// rekeyIfDue begins a key exchange when the keys have protected enough. c.mu is
// held.
func (c *Conn) rekeyIfDue() {
	if c.kex.running || !c.authenticated.Load() || c.err != nil || !c.due() {
		return
	}
	c.beginKex()
}

func (c *Conn) due() bool {
	limit := c.cfg.Rekey
	packets, bytes := c.p.Sent()
	if packets-c.kex.sentPackets >= limit.Packets || bytes-c.kex.sentBytes >= limit.Bytes {
		return true
	}
	packets, bytes = c.p.Received()
	return packets-c.kex.receivedPackets >= limit.Packets || bytes-c.kex.receivedBytes >= limit.Bytes
}

// rekeyIfReceived is rekeyIfDue for the reader. It looks at the counters of
// what was received before it takes the lock, now and then.
func (c *Conn) rekeyIfReceived() error {
	if c.in.round != nil || c.in.first {
		return nil
	}
	packets, bytes := c.p.Received()
	if packets < c.in.checkPackets && bytes < c.in.checkBytes {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kex.running {
		if bytes-c.kex.received > unanswered {
			return &TimeoutError{Waiting: "the peer's answer to our KEXINIT"}
		}
		return nil
	}
	c.rekeyIfDue()
	limit := c.cfg.Rekey
	c.in.checkPackets = packets + max(1, limit.Packets/64)
	c.in.checkBytes = bytes + max(1, limit.Bytes/64)
	return nil
}

// armInterval sets the clock for the next key exchange. c.mu is held.
func (c *Conn) armInterval() {
	if c.kex.interval != nil {
		c.kex.interval.Stop()
	}
	if c.cfg.Rekey.Interval < 0 {
		return
	}
	c.kex.interval = time.AfterFunc(c.cfg.Rekey.Interval, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err == nil && !c.kex.running && c.authenticated.Load() {
			c.beginKex()
		}
	})
}

// stopTimers is for the end of the connection. c.mu is held.
func (c *Conn) stopTimers() {
	for _, t := range []*time.Timer{c.kex.timer, c.kex.interval} {
		if t != nil {
			t.Stop()
		}
	}
}

// Rekey starts a key exchange, unless one is under way, and waits for its end.
// Before Authenticated it is an error. The reader must not call it.
func (c *Conn) Rekey(ctx context.Context) error {
	c.mu.Lock()
	switch {
	case c.err != nil:
		defer c.mu.Unlock()
		return c.err
	case !c.authenticated.Load():
		c.mu.Unlock()
		return errors.New("keys are not renewed before the user is authenticated")
	case !c.kex.running:
		c.beginKex()
	}
	ended := c.kex.ended
	c.mu.Unlock()
	select {
	case <-ended:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// storm limits how often a peer begins key exchanges: once for every packet of
// its own, once a second, and some more.
type storm struct {
	tokens int
	at     time.Time
}

const maxStorm = 100

func (s *storm) packet() { s.tokens = min(s.tokens+1, maxStorm) }

func (s *storm) rekey(now time.Time) bool {
	if s.at.IsZero() {
		s.tokens, s.at = maxStorm, now
	}
	if seconds := int(now.Sub(s.at) / time.Second); seconds > 0 {
		s.tokens = min(s.tokens+seconds, maxStorm)
		s.at = now
	}
	s.tokens--
	return s.tokens >= 0
}
