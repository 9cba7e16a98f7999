package mux

import "time"

// A receive window bounds what a peer may send ahead, and with it how fast a
// stream can be: one window in each round trip. It begins small, and doubles
// while the application takes about half of it or more within two round trips
// and leaves hardly anything lying: then the window is what slows the stream,
// and not the reader. SSH has no message that takes window back, so it grows
// late, and never for a reader that has not asked for it with its own speed.
//
// Growth is a loan. A reader that has never kept up holds the first window and
// no more. One that stops after it has kept up holds at most the grown window,
// once, because the peer may already have sent all that; what it takes from then
// on is not granted again until the first window is reached, from where it may
// earn the rest anew.

const (
	maxWindow = 128 << 20 // well below what the transport takes during a key exchange

	// patience is how long bytes may wait in a grown window, at least, before
	// their reader counts as one that has stopped; patienceTrips is that in
	// round trips.
	patience      = time.Second
	patienceTrips = 8
)

// pace is the window of a channel, and what is known about how fast its reader
// takes what comes. The channel's mutex guards it.
type pace struct {
	window  uint32    // what waits here and what may come, together, after an adjust
	charged uint32    // part of the connection's budget; above window while a loan is called in
	began   time.Time // of the time that taken is about
	taken   uint64    // bytes
}

// threshold is how many bytes are taken before the peer is told: often enough
// to keep it sending, seldom enough to cost nothing.
func (p *pace) threshold() uint32 {
	return min(max(96<<10, p.window/8), p.window/2)
}

// grant notes that n bytes have been taken, and gives window to the peer when
// enough has come together; it reports whether to wake the transport. Credit
// counts as given from here on: the peer may use it as soon as the adjust has
// left, and the sum of what waits here and what may come never passes the
// window. ch.mu is held.
func (ch *Channel) grant(n int) bool {
	ch.consumed += uint32(n)
	if ch.consumed < ch.threshold() || ch.eofRecv || ch.closRecv || ch.closWant {
		return false
	}
	ch.taken += uint64(ch.consumed)
	ch.consumed = 0
	ch.adapt(time.Now())
	held := ch.recvLeft + ch.waiting()
	if held <= ch.window && ch.charged > ch.window {
		ch.m.charged.Add(int64(ch.window) - int64(ch.charged))
		ch.charged = ch.window
	}
	if held >= ch.window {
		return false
	}
	ch.credit += ch.window - held
	ch.recvLeft += ch.window - held
	ch.m.mark(ch)
	return true
}

// waiting returns how many bytes have come and have not been taken.
func (ch *Channel) waiting() uint32 { return uint32(ch.in[0].size + ch.in[1].size) }

// adapt makes the window fit the reader.
func (ch *Channel) adapt(now time.Time) {
	first, most := uint32(ch.m.limits.Window), uint32(ch.m.limits.MaxWindow)
	trip := ch.m.probe.roundTrip()
	if ch.window > first && ch.late(now, trip) {
		ch.window = first
	}
	if ch.window >= most {
		return
	}
	ch.m.probe.wanted.Store(true)
	if now.Sub(ch.began) >= 2*trip {
		ch.began, ch.taken = now, uint64(ch.threshold()) // that much came just before
	}
	if trip == 0 || ch.waiting() > ch.window/4 {
		return
	}
	for ch.window < most && ch.taken+uint64(ch.threshold()) >= uint64(ch.window/2) {
		more := ch.borrow(min(ch.window, most-ch.window))
		if more == 0 {
			return
		}
		ch.window += more
	}
}

// late reports whether more waits than the first window holds, and has waited
// for so long that its reader cannot be said to keep up.
func (ch *Channel) late(now time.Time, trip time.Duration) bool {
	if ch.waiting() <= uint32(ch.m.limits.Window) {
		return false
	}
	limit := max(patience, patienceTrips*trip)
	return ch.in[0].age(now) > limit || ch.in[1].age(now) > limit
}

// borrow takes up to n bytes for this channel's window from the connection's
// budget, what is already charged to it first, and returns how many there were.
func (ch *Channel) borrow(n uint32) uint32 {
	if free := ch.charged - ch.window; free > 0 {
		return min(n, free)
	}
	total := &ch.m.charged
	for {
		old := total.Load()
		n = uint32(max(0, min(int64(n), int64(ch.m.limits.Budget)-old)))
		if n == 0 || total.CompareAndSwap(old, old+int64(n)) {
			ch.charged += n
			return n
		}
	}
}
