package packet

import (
	"math"
	"sync/atomic"
	"time"
)

// Rekey says how long one set of keys may protect a direction. A zero value
// means no limit. RFC 4253 §9 advises 1 GiB and an hour, RFC 4344 §3.1 no more
// than 2^31 packets.
type Rekey struct {
	Bytes    uint64        // sent, or received, on the wire
	Packets  uint64        // sent, or received
	Interval time.Duration // age of the keys

	// OverflowBytes and OverflowPackets are how much the peer may go on to
	// send once NeedRekey has said yes. Beyond that, ReadMessage fails with an
	// [*Error] of the kind Overflow.
	OverflowBytes, OverflowPackets uint64

	// Expired, if not nil, is called when keys have reached their age, by the
	// receiving goroutine, which may be waiting for a packet just then. It must
	// not wait.
	Expired func()
}

// RekeyReason says why new keys are needed.
type RekeyReason uint32

const (
	NoRekey         RekeyReason = iota // none are needed
	SentBytes                          // Rekey.Bytes were sent
	SentPackets                        // Rekey.Packets were sent
	SentAge                            // the keys for sending are older than Rekey.Interval
	ReceivedBytes                      // Rekey.Bytes were received
	ReceivedPackets                    // Rekey.Packets were received
	ReceivedAge                        // the keys for receiving are older than Rekey.Interval
	Requested                          // BeginRekey was called
)

// String returns the reason in words, as "bytes sent".
func (r RekeyReason) String() string {
	switch r {
	case NoRekey:
		return "none"
	case SentBytes:
		return "bytes sent"
	case SentPackets:
		return "packets sent"
	case SentAge:
		return "age of the keys for sending"
	case ReceivedBytes:
		return "bytes received"
	case ReceivedPackets:
		return "packets received"
	case ReceivedAge:
		return "age of the keys for receiving"
	case Requested:
		return "requested"
	}
	return "unknown"
}

// amounts are counters at which something is to happen.
type amounts struct{ packets, bytes uint64 }

// after returns the counters that are reached after so many more; 0 is never.
func after(packets, bytes, morePackets, moreBytes uint64) amounts {
	add := func(n, more uint64) uint64 {
		if more == 0 || n > math.MaxUint64-more {
			return math.MaxUint64
		}
		return n + more
	}
	return amounts{add(packets, morePackets), add(bytes, moreBytes)}
}

// rekeying is what both halves know about the need for new keys.
type rekeying struct {
	cfg                    Rekey
	in, out                atomic.Uint32 // a RekeyReason for each direction
	overPackets, overBytes atomic.Uint64 // what may be received while there is a need
}

// SetRekey sets when new keys are needed. Call it before the Packetizer is
// used.
func (p *Packetizer) SetRekey(r Rekey) {
	p.rekey.cfg = r
	p.newLimitsIn()
	p.newLimitsOut()
}

// NeedRekey says whether, and why, new keys are needed: since an amount of
// [Rekey] was reached in one direction, or BeginRekey was called, until both
// directions in need got new keys by SetOpener and SetSealer. It costs next to
// nothing. It may be called from any goroutine.
//
// The age of keys is looked at by the receiving goroutine only, because no new
// keys can be agreed on while nobody receives.
func (p *Packetizer) NeedRekey() RekeyReason {
	if r := p.rekey.out.Load(); r != 0 {
		return RekeyReason(r)
	}
	return RekeyReason(p.rekey.in.Load())
}

// BeginRekey says that a key exchange begins, for whatever reason: NeedRekey
// says yes until it is over, no keepalive is sent, and the peer may only send
// the overflow of [Rekey] until then. It may be called from any goroutine.
func (p *Packetizer) BeginRekey() {
	p.need(&p.rekey.in, Requested)
	p.need(&p.rekey.out, Requested)
}

// need says that a direction needs new keys.
func (p *Packetizer) need(dir *atomic.Uint32, why RekeyReason) {
	if dir.CompareAndSwap(0, uint32(why)) {
		p.armOverflow()
	}
}

// armOverflow begins to count what the peer sends before it has new keys.
func (p *Packetizer) armOverflow() {
	r := &p.rekey
	packets, bytes := p.Received()
	over := after(packets, bytes, r.cfg.OverflowPackets, r.cfg.OverflowBytes)
	r.overPackets.CompareAndSwap(math.MaxUint64, over.packets)
	r.overBytes.CompareAndSwap(math.MaxUint64, over.bytes)
}

func (r *rekeying) disarm() {
	r.overPackets.Store(math.MaxUint64)
	r.overBytes.Store(math.MaxUint64)
}

// overflowed ends reading, if new keys are still needed.
func (p *Packetizer) overflowed() {
	if p.NeedRekey() == NoRekey {
		p.rekey.disarm()
		return
	}
	p.in.err = &Error{Kind: Overflow, Seq: p.in.opener.Seq() - 1}
}

func (p *Packetizer) receivedMuch(packets, bytes uint64) {
	why := ReceivedBytes
	if packets >= p.in.limits.packets {
		why = ReceivedPackets
	}
	p.in.limits = after(packets, bytes, 0, 0)
	p.need(&p.rekey.in, why)
}

func (p *Packetizer) sentMuch() {
	why := SentBytes
	if p.out.packets >= p.out.limits.packets {
		why = SentPackets
	}
	p.out.limits = after(0, 0, 0, 0)
	p.need(&p.rekey.out, why)
}

// newKeysIn takes note that the receiving half got keys.
func (p *Packetizer) newKeysIn() {
	p.newLimitsIn()
	p.rekey.in.Store(0)
	p.rekey.disarm()
	if p.rekey.out.Load() != 0 {
		p.armOverflow()
	}
	p.setAge(keysIn)
}

// newKeysOut takes note that the sending half got keys.
func (p *Packetizer) newKeysOut() {
	p.newLimitsOut()
	p.rekey.out.Store(0)
	p.setAge(keysOut)
}

func (p *Packetizer) newLimitsIn() {
	packets, bytes := p.Received()
	p.in.limits = after(packets, bytes, p.rekey.cfg.Packets, p.rekey.cfg.Bytes)
}

func (p *Packetizer) newLimitsOut() {
	p.out.limits = after(p.out.packets, p.out.bytes, p.rekey.cfg.Packets, p.rekey.cfg.Bytes)
}

// setAge begins the age of new keys. The reader sets its deadline before it
// waits the next time: it has to receive before the exchange is over.
func (p *Packetizer) setAge(dir int) {
	if p.rekey.cfg.Interval <= 0 {
		return
	}
	c := &p.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[dir] = time.Now().Add(p.rekey.cfg.Interval)
	c.stale.Store(true)
}

// keysExpired looks at the age of keys.
func (p *Packetizer) keysExpired(now time.Time) {
	c := &p.clock
	c.mu.Lock()
	in, out := passed(c.keys[keysIn], now), passed(c.keys[keysOut], now)
	if in {
		c.keys[keysIn] = time.Time{}
	}
	if out {
		c.keys[keysOut] = time.Time{}
	}
	c.mu.Unlock()
	if in {
		p.need(&p.rekey.in, ReceivedAge)
	}
	if out {
		p.need(&p.rekey.out, SentAge)
	}
	if (in || out) && p.rekey.cfg.Expired != nil {
		p.rekey.cfg.Expired()
	}
}
