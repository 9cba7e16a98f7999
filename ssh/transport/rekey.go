package transport

import (
	"context"
	"errors"
	"time"

	"github.com/wirelark/wirelark/ssh/packet"
)

const (
	defaultRekeyBytes    = 1 << 30   // RFC 4253 §9
	defaultRekeyInterval = time.Hour // RFC 4253 §9
	maxRekeyPackets      = 1 << 31   // RFC 4344 §3.1
	defaultRekeyTimeout  = 2 * time.Minute

	// unanswered is how many bytes a peer may send between our KEXINIT and its
	// NEWKEYS: far more than any window that we grant.
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
	running bool          // from the first KEXINIT of either side to the peer's NEWKEYS
	ended   chan struct{} // closed at its end
	init    []byte        // payload of our KEXINIT
	timer   *time.Timer   // bounds a rekey
	count   int           // completed
	at      time.Time     // of the newest keys
}

// limits is what the packetizer is told.
func (c *Conn) limits() packet.Rekey {
	r := c.cfg.Rekey
	return packet.Rekey{
		Bytes: r.Bytes, Packets: r.Packets, Interval: r.Interval, OverflowBytes: unanswered,
		Expired: func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.rekeyIfDue()
		},
	}
}

// rekeyIfDue begins a key exchange when the keys have protected enough. c.mu is
// held.
func (c *Conn) rekeyIfDue() {
	if c.p.NeedRekey() == packet.NoRekey || c.kex.running || !c.authenticated.Load() || c.err != nil {
		return
	}
	c.beginKex()
}

// rekeyIfReceived is rekeyIfDue for the reader.
func (c *Conn) rekeyIfReceived() {
	if c.in.round != nil || c.p.NeedRekey() == packet.NoRekey {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rekeyIfDue()
}

// stopTimer is for the end of the connection. c.mu is held.
func (c *Conn) stopTimer() {
	if c.kex.timer != nil {
		c.kex.timer.Stop()
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
