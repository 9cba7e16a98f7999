package record

import (
	"sync"
	"time"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// kind of an item.
type kind uint8

const (
	opened kind = iota
	wireBytes
	packetBytes
	secretLine
	event
	closed
	nestedSecret // of a session inside conn; event.Detail is its protocol
	nestedKex    // a key exchange inside conn begins or ends
)

// item is one call of a trace.Conn. Its bytes are in the arena of its batch.
type item struct {
	conn     *conn
	kind     kind
	dir      wire.Dir
	time     time.Time
	from, to int // of the bytes in the arena
	event    trace.Event
}

// batch is what was reported since the renderer last looked.
type batch struct {
	items []item
	arena []byte
}

// itemBytes is what an item itself counts for.
const itemBytes = 128

func (b *batch) size() int { return len(b.arena) + itemBytes*len(b.items) }

// queue carries items from sessions to the renderer. It is two batches, which
// the renderer swaps.
type queue struct {
	mu     sync.Mutex
	room   sync.Cond // on mu: the batch was taken
	batch  *batch
	spare  *batch
	limit  int // bytes of a batch behind which sessions wait
	closed bool
	ready  chan struct{} // there is something, or the queue was closed
}

func newQueue(limit int) *queue {
	q := &queue{batch: new(batch), limit: limit, ready: make(chan struct{}, 1)}
	q.room.L = &q.mu
	return q
}

// put appends an item with its bytes, and waits for room before it does. An
// item for a closed queue is dropped.
func (q *queue) put(it item, b []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && len(q.batch.items) > 0 && q.batch.size()+itemBytes+len(b) > q.limit {
		q.room.Wait()
	}
	if q.closed {
		return
	}
	it.time = time.Now()
	it.from = len(q.batch.arena)
	q.batch.arena = append(q.batch.arena, b...)
	it.to = len(q.batch.arena)
	q.batch.items = append(q.batch.items, it)
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take returns what there is, nil when there is nothing. It is given back with
// the next call. end is true when nothing more will come.
func (q *queue) take(done *batch) (b *batch, end bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if done != nil {
		q.spare = done.emptied()
	}
	if len(q.batch.items) == 0 {
		return nil, q.closed
	}
	b = q.batch
	q.batch, q.spare = q.spare, nil
	if q.batch == nil {
		q.batch = new(batch)
	}
	q.room.Broadcast()
	return b, false
}

// shrink gives back memory that an idle queue does not need.
func (q *queue) shrink() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.batch.items) == 0 {
		q.batch = new(batch)
	}
	q.spare = nil
}

// emptied returns the batch for further use.
func (b *batch) emptied() *batch {
	clear(b.items)
	b.items, b.arena = b.items[:0], b.arena[:0]
	return b
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.room.Broadcast()
	q.wake()
}
