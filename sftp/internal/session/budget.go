package session

import (
	"context"
	"sync"
	"time"
)

// firstBudget is how many bytes of file data may be in flight on a channel
// before anything is known about it: enough to fill 20 MiB/s at 50 ms.
const firstBudget = 1 << 20

// growth is how much faster a larger budget has to be to be kept growing.
const growth = 1.1

// leastWindow is what a read may have in flight however many there are.
const leastWindow = 64 << 10

// Budget bounds the bytes of file data that are asked for or sent and not yet
// answered, over all files of a channel. It begins with [firstBudget] and
// doubles per round trip while it is what limits the transfer and doubling
// makes it faster, so it settles near twice the bandwidth-delay product. Rounds
// without gain end nothing: what slowed them, such as the window of the stream
// below, may be gone in a later one.
type Budget struct {
	mu      sync.Mutex
	limit   int64 // bytes that may be in flight now
	most    int64 // limit never grows beyond
	used    int64
	sharers int64         // reads going on, each of which keeps answers that it has not delivered
	waiting []*budgetWait // oldest first

	// The current round: until as many bytes as limit were answered.
	began   time.Time
	done    int64
	limited bool    // a request had to wait in this round
	best    float64 // bytes per second of the fastest round so far
}

type budgetWait struct {
	n     int64
	ready chan struct{} // closed when n was granted; under budget.mu
}

func newBudget(most int64) *Budget {
	return &Budget{limit: min(firstBudget, most), most: most}
}

// Try takes n bytes if they are to be had without waiting.
func (b *Budget) Try(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 || !b.fits(int64(n)) {
		b.limited = true
		return false
	}
	b.take(int64(n))
	return true
}

// wait takes n bytes as soon as those who asked before have theirs. A request
// larger than the whole budget is granted when nothing else is in flight.
func (b *Budget) wait(ctx context.Context, dead <-chan struct{}, n int) error {
	b.mu.Lock()
	if len(b.waiting) == 0 && b.fits(int64(n)) {
		b.take(int64(n))
		b.mu.Unlock()
		return nil
	}
	b.limited = true
	w := &budgetWait{n: int64(n), ready: make(chan struct{})}
	b.waiting = append(b.waiting, w)
	b.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-dead:
		b.leave(w)
		return errDead
	case <-ctx.Done():
		b.leave(w)
		return context.Cause(ctx)
	}
}

// leave takes w out of the queue, or gives back what it got meanwhile.
func (b *Budget) leave(w *budgetWait) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, x := range b.waiting {
		if x == w {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			b.grant()
			return
		}
	}
	b.used -= w.n
	b.grant()
}

// Release gives back n bytes that were answered. It never waits.
func (b *Budget) Release(n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= int64(n)
	b.done += int64(n)
	if b.done >= b.limit {
		b.round()
	}
	b.grant()
}

// Share adds n, 1 or -1, to the number of reads going on.
func (b *Budget) Share(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sharers += n
}

// Window returns how many bytes one read may have asked for and not delivered.
// Answers that wait for a slow consumer are not in flight any more, so the
// budget alone would not bound them.
func (b *Budget) Window() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.limit/max(b.sharers, 1), leastWindow)
}

// Full takes note that a read has used up its window.
func (b *Budget) Full() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limited = true
}

// Limit returns the limit of now.
func (b *Budget) Limit() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit
}

func (b *Budget) fits(n int64) bool { return b.used == 0 || b.used+n <= b.limit }

func (b *Budget) take(n int64) {
	if b.used == 0 {
		b.began, b.done, b.limited = time.Now(), 0, false
	}
	b.used += n
}

func (b *Budget) grant() {
	for len(b.waiting) > 0 && b.fits(b.waiting[0].n) {
		b.take(b.waiting[0].n)
		close(b.waiting[0].ready)
		b.waiting = b.waiting[1:]
	}
}

// round ends a round and decides about growth.
func (b *Budget) round() {
	now := time.Now()
	elapsed := now.Sub(b.began)
	if b.limited && elapsed > 0 {
		if rate := float64(b.done) / elapsed.Seconds(); rate > b.best*growth {
			b.best = rate
			b.limit = min(2*b.limit, b.most)
		}
	}
	b.began, b.done, b.limited = now, 0, false
}
