package transport

import (
	"errors"
	"os"
	"time"

	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/wire"
)

const (
	// directBatch is the least batch that its writer writes to the socket by
	// itself: that saves bulk data a change of goroutines. Smaller ones are
	// left to the flusher, so that they gather while it writes.
	directBatch = 16 << 10

	// directTime bounds such a write. What the socket has not taken by then
	// goes to the flusher too: the caller's context or deadline must count.
	directTime = 50 * time.Millisecond
)

// SetCredits sets the function that emits what is state and not a message:
// window credit. After [Conn.Wake] it is called once with the next batch, or
// after the key exchange that is under way; it calls add for every message
// there is. It runs under the output lock, as Fill does, on any goroutine.
// Set it before the first Wake.
func (c *Conn) SetCredits(credits func(add func(m wire.Message))) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.credits = credits
	c.out.addCredit = func(m wire.Message) {
		b, err := c.encode(m)
		switch {
		case err != nil:
		case c.out.gate: // credit emitted just before has begun a key exchange
			c.out.held = appendHeld(c.out.held, b)
		default:
			c.emit(b)
		}
	}
}

// Wake says that there is credit to emit. It never waits and takes no lock, so
// it may be called with any lock held, also from Fill.
func (c *Conn) Wake() {
	c.credit.Store(true)
	c.wakeFlusher()
}

func (c *Conn) wakeFlusher() {
	select {
	case c.out.kick <- struct{}{}:
	default: // it has yet to run, and will see everything
	}
}

// take ends the current batch. c.mu is held.
func (c *Conn) take() packet.Batch {
	if !c.out.gate && c.err == nil && c.credit.Load() && c.out.credits != nil {
		c.credit.Store(false)
		c.out.credits(c.out.addCredit)
	}
	return c.p.Take()
}

// unlockAndFlush unlocks c.mu and sees to it that the batch is written.
func (c *Conn) unlockAndFlush() {
	if !c.out.direct || c.out.writing || c.p.Pending() < directBatch || c.err != nil || c.ending.unsent != nil {
		c.mu.Unlock()
		c.wakeFlusher()
		return
	}
	c.writeBatch(true)
	more := c.unwritten() || c.err != nil || c.credit.Load()
	c.mu.Unlock()
	if more {
		c.wakeFlusher()
	}
}

// unwritten reports whether there is a batch to write. c.mu is held.
func (c *Conn) unwritten() bool { return c.p.Pending() > 0 || len(c.out.rest.Bytes()) > 0 }

// writeBatch writes one batch, if there is one, with c.mu unlocked meanwhile.
// c.mu is held and c.out.writing is false, before and after. It reports
// whether there was one.
func (c *Conn) writeBatch(direct bool) bool {
	b := c.out.rest
	c.out.rest = packet.Batch{}
	again := len(b.Bytes()) > 0
	if !again {
		b = c.take()
	}
	if len(b.Bytes()) == 0 {
		b.Release()
		return false
	}
	c.out.writing = true
	c.wakeAll() // the other buffer is free
	c.mu.Unlock()
	if !again {
		c.hook.wire(c.role.Sends(), b.Bytes())
	}
	c.setWriteDeadline(direct)
	n, err := c.nc.Write(b.Bytes())
	b.Advance(n)
	c.mu.Lock()
	c.out.writing = false
	switch {
	case err == nil:
	case direct && errors.Is(err, os.ErrDeadlineExceeded):
		c.out.rest = b
		return true
	default:
		c.writeFailed(err)
	}
	b.Release()
	return true
}

// setWriteDeadline bounds direct writes, and only those. Renewing it for every
// write would cost more than it is worth.
func (c *Conn) setWriteDeadline(direct bool) {
	switch now := time.Now(); {
	case direct && c.out.deadline.Sub(now) < directTime/2:
		c.out.deadline = now.Add(directTime)
	case !direct && !c.out.deadline.IsZero():
		c.out.deadline = time.Time{}
	default:
		return
	}
	_ = c.nc.SetWriteDeadline(c.out.deadline) // cannot fail but on a closed socket, which the write reports
}

// flush is the connection's own goroutine: it writes what others leave to it,
// and closes the socket in the end.
func (c *Conn) flush() {
	defer close(c.finished)
	for range c.out.kick {
		c.mu.Lock()
		for !c.out.writing && c.ending.unsent == nil && c.writeBatch(false) {
		}
		ended := c.ended()
		c.mu.Unlock()
		if ended {
			c.finish()
			return
		}
	}
}
