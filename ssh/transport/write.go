package transport

import (
	"context"
	"slices"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/wire"
)

const (
	// softLimit is what Send and SendData fill the current buffer up to; a
	// packet of any length goes into an empty one.
	softLimit = 192 << 10

	// reserve is how much the reader's answers may take beyond that, and what
	// may be held back during a key exchange. 128 KiB are some two thousand
	// answers: a peer that reads at all has far fewer outstanding.
	reserve = 128 << 10

	defaultMaxPayload = 128 << 10

	// tracedMaxPayload keeps packets, with all that surrounds a payload, at
	// 32,000 bytes while a capture is made: what decoders of captures accept.
	tracedMaxPayload = 32_000 - 64

	keepScratch = 16 << 10

	maxFreeWaiters = 64
)

// output is the sending half of a connection. Its fields are guarded by
// Conn.mu, but for those that say otherwise.
type output struct {
	gate    bool         // our KEXINIT is queued and our NEWKEYS is not
	held    []byte       // packets that wait for the gate to open, as SSH strings
	writing bool         // somebody is writing a batch to the socket
	rest    packet.Batch // what a direct write left over; it goes first
	waiters []*waiter
	free    []*waiter // for use again; as many as have ever waited at once
	scratch []byte

	credits   func(add func(wire.Message))
	addCredit func(wire.Message) // made once, so that emitting credit allocates nothing

	kick     chan struct{} // wakes the flusher; not guarded
	direct   bool          // the socket is one of the kernel, whose writes can be interrupted; does not change
	deadline time.Time     // of writes to the socket; belongs to whoever set writing
}

// waiter is a goroutine that waits for room or for the gate.
type waiter struct{ ready chan struct{} }

// newWaiter puts a waiter on the list. They are used again, for the sake of
// senders of bulk data, who wait often. c.mu is held.
func (o *output) newWaiter() *waiter {
	var w *waiter
	if n := len(o.free); n > 0 {
		w, o.free = o.free[n-1], o.free[:n-1]
	} else {
		w = &waiter{ready: make(chan struct{}, 1)}
	}
	o.waiters = append(o.waiters, w)
	return w
}

// acquire locks c.mu when there is room for n bytes and the gate is open.
func (c *Conn) acquire(cancel <-chan struct{}, n int) error {
	c.mu.Lock()
	for {
		switch {
		case c.err != nil:
			defer c.mu.Unlock()
			return c.err
		case !c.out.gate && (c.p.Pending() == 0 || c.p.Pending()+n <= softLimit):
			return nil
		}
		w := c.out.newWaiter()
		c.mu.Unlock()
		select {
		case <-w.ready:
		case <-c.done:
			return c.Err()
		case <-cancel:
			c.forget(w)
			return ErrCanceled
		}
		c.mu.Lock()
		if len(c.out.free) < maxFreeWaiters {
			c.out.free = append(c.out.free, w)
		}
	}
}

// forget takes a waiter that gave up off the list.
func (c *Conn) forget(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.out.waiters, w); i >= 0 {
		c.out.waiters = slices.Delete(c.out.waiters, i, i+1)
	}
}

// wakeAll wakes whoever waits for room. c.mu is held.
func (c *Conn) wakeAll() {
	for i, w := range c.out.waiters {
		w.ready <- struct{}{} // never waits: one place, one signal
		c.out.waiters[i] = nil
	}
	c.out.waiters = c.out.waiters[:0]
}

// encode returns the packet of m, valid until the next call. c.mu is held.
func (c *Conn) encode(m wire.Message) ([]byte, error) {
	if cap(c.out.scratch) > keepScratch {
		c.out.scratch = nil
	}
	b, err := ssh.Append(c.out.scratch[:0], m)
	if err != nil {
		return nil, err
	}
	c.out.scratch = b
	if len(b) > c.maxPayload {
		return nil, &packet.Error{Kind: packet.BadLength, Seq: c.p.SendSeq(), Value: int64(len(b)), Local: true}
	}
	return b, nil
}

// emit puts one packet into the current batch. c.mu is held.
func (c *Conn) emit(payload []byte) {
	c.hook.packet(c.role.Sends(), payload)
	if err := c.p.Append(payload); err != nil {
		panic("internal error: " + err.Error()) // encode has checked the length
	}
	c.rekeyIfDue()
}

// Send waits for room and queues m. It returns when m is in the output
// buffer, which keeps the order of calls. It waits during a key exchange. An
// error means that m was not queued: ctx's cause, or that of [Conn.Err]. m may
// be used again afterwards; the bytes it aliases are copied.
//
// The reader must not call it.
func (c *Conn) Send(ctx context.Context, m wire.Message) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if err := c.acquire(ctx.Done(), smallMessage); err != nil {
		if err == ErrCanceled { //nolint:errorlint // made just there, never wrapped
			return context.Cause(ctx)
		}
		return err
	}
	b, err := c.encode(m)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.emit(b)
	c.unlockAndFlush()
	return nil
}

// smallMessage is the room that Send waits for; messages are rarely longer, and
// a longer one merely exceeds the soft limit.
const smallMessage = 1 << 10

// A Source builds packets in place. Fill puts the payload of one packet, its
// number first, at the beginning of room and returns its length, or 0 for no
// packet; more says that it has another one ready. Fill runs under the output
// lock: it copies bytes that it has, may take a lock under which nobody calls
// this connection (but for Wake), and does nothing else.
type Source interface {
	Fill(room []byte) (n int, more bool)
}

// SendData waits for room and lets s build packets in the output buffer until
// s has no more; each gets a room of exactly size bytes, at most
// [Conn.MaxPayload]. Packets built in a row travel in one batch. It waits as
// Send does. When cancel (nil: never) is closed while it waits, it returns
// [ErrCanceled]; s knows what it has built by then. It allocates nothing.
//
// The reader must not call it.
func (c *Conn) SendData(cancel <-chan struct{}, size int, s Source) error {
	size = min(size, c.maxPayload)
	for {
		if err := c.acquire(cancel, size); err != nil {
			return err
		}
		more := true
		for more && !c.out.gate && (c.p.Pending() == 0 || c.p.Pending()+size <= softLimit) {
			var n int
			room := c.p.Room(size)
			if n, more = s.Fill(room); n == 0 {
				more = false
				break
			}
			c.hook.packet(c.role.Sends(), room[:n])
			c.p.Commit(n)
			c.rekeyIfDue()
		}
		if !more {
			c.unlockAndFlush()
			return nil
		}
		c.unlockAndFlush() // the buffer is full, or a key exchange begins
	}
}

// Queue queues m without ever waiting, for the reader's own answers. During a
// key exchange m is held back, in order with other messages of Queue and
// before later ones of Send. When the bounded room for answers is full, the
// connection ends with [ErrFlood], because the peer does not read what it asked
// for.
func (c *Conn) Queue(m wire.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	b, err := c.encode(m)
	if err != nil {
		return err
	}
	if c.out.gate && !passesGate(b[0]) {
		if len(c.out.held)+len(b) > reserve {
			c.end(ErrFlood, &ssh.Disconnect{Reason: ssh.ProtocolError, Description: ErrFlood.Error()})
			return c.err
		}
		c.out.held = appendHeld(c.out.held, b)
		return nil
	}
	if c.p.Pending()+len(b) > softLimit+reserve {
		c.end(ErrFlood, &ssh.Disconnect{Reason: ssh.ProtocolError, Description: ErrFlood.Error()})
		return c.err
	}
	c.emit(b)
	c.wakeFlusher()
	return nil
}

// passesGate reports whether a message may be sent between our KEXINIT and our
// NEWKEYS: the generic ones and those of key exchange (RFC 4253 §7.1).
func passesGate(number byte) bool {
	return number >= 1 && number <= 4 || number >= 20 && number <= 49
}

// heldPacket is a packet among those that the gate holds back.
type heldPacket struct{ payload []byte }

func (h *heldPacket) Fields(c *wire.Coder) { c.Bytes("payload", &h.payload) }

func appendHeld(held, payload []byte) []byte {
	b, err := wire.Append(held, &heldPacket{payload}, wire.Dialect{})
	if err != nil {
		panic("internal error: " + err.Error()) // a short string has one form
	}
	return b
}

// openGate lets out what was held back. c.mu is held.
func (c *Conn) openGate() {
	c.out.gate = false
	held := c.out.held
	c.out.held = nil
	for len(held) > 0 {
		var h heldPacket
		n, err := wire.ParsePrefix(held, &h, wire.Dialect{})
		if err != nil {
			panic("internal error: " + err.Error())
		}
		c.emit(h.payload)
		held = held[n:]
	}
	c.wakeAll()
	c.wakeFlusher() // for the packets, and for credit
}
