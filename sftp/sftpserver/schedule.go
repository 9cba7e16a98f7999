package sftpserver

import (
	"math"
	"sync"

	"github.com/wirelark/wirelark/sftp"
)

// A task is a request in hand, from its arrival until its reply is written.
type task struct {
	number  uint8
	id      uint32
	in      *buffer // the request's packet
	out     *buffer // the reply, with its length in front
	charged int     // bytes reserved for it

	handle *handle // READ, WRITE, copy-data: what it is about, or writes to
	read   sftp.Read
	write  sftp.Write
	lo, hi uint64 // READ, WRITE, copy-data: from, up to and not including
	copy   *copying

	status sftp.Status // a reply without allocation
	op     Operation
	done   chan struct{} // receives once, when out is complete
}

// conflicts reports whether t and u, about the same file, must keep their
// order. Two writes must where they overlap. A read and a write must even when
// the write is behind the read: it may make the file longer, and what was the
// end of the file for the read is a hole then.
func (t *task) conflicts(u *task) bool {
	switch {
	case t.number == sftp.NumRead && u.number == sftp.NumRead:
		return false
	case t.number == sftp.NumRead:
		return t.lo < u.hi
	case u.number == sftp.NumRead:
		return u.lo < t.hi
	}
	return t.lo < u.hi && u.lo < t.hi
}

// span notes which bytes of its file t touches.
func (t *task) span(offset uint64, n int) {
	t.lo, t.hi = offset, offset+uint64(n)
	if t.hi < offset || t.handle.flags&sftp.OpenAppend != 0 {
		t.lo, t.hi = 0, math.MaxUint64
	}
}

// A schedule decides what may run now. Only the goroutine that reads requests
// waits on it, so requests keep their order where it matters and none starves.
type schedule struct {
	mu      sync.Mutex
	changed sync.Cond // signalled when something ended

	tasks, maxTasks int
	bytes, maxBytes int
	busy            int // reads, writes and copies handed to workers
	free            []*task
}

func (s *schedule) init(maxTasks, maxBytes int) {
	s.changed.L = &s.mu
	s.maxTasks, s.maxBytes = maxTasks, maxBytes
}

// admit waits until another request of n bytes may be taken in hand, and
// returns a task for it.
func (s *schedule) admit(n int) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.tasks >= s.maxTasks || s.bytes+n > s.maxBytes {
		s.changed.Wait()
	}
	s.tasks++
	s.bytes += n
	var t *task
	if last := len(s.free) - 1; last >= 0 {
		t, s.free = s.free[last], s.free[:last]
	} else {
		t = &task{done: make(chan struct{}, 1)}
	}
	t.charged = n
	return t
}

// charge waits for n further bytes for t. Config.defaults makes sure that one
// request and its reply always fit.
func (s *schedule) charge(t *task, n int) {
	s.mu.Lock()
	for s.bytes+n > s.maxBytes {
		s.changed.Wait()
	}
	s.bytes += n
	s.mu.Unlock()
	t.charged += n
}

// retire says that the reply to a request has left; t is used again.
func (s *schedule) retire(t *task) {
	t.in.free()
	t.out.free()
	n := t.charged
	*t = task{done: t.done}
	s.mu.Lock()
	s.tasks--
	s.bytes -= n
	s.free = append(s.free, t)
	s.changed.Signal()
	s.mu.Unlock()
}

// start waits until t, a READ, WRITE or copy-data, conflicts with nothing that
// runs, and counts it as running.
func (s *schedule) start(t *task) {
	f := t.handle.state
	s.mu.Lock()
	for f.conflicts(t) || t.copy != nil && t.copy.from().conflicts(&t.copy.reads) {
		s.changed.Wait()
	}
	f.busy = append(f.busy, t)
	if t.copy != nil {
		t.copy.from().busy = append(t.copy.from().busy, &t.copy.reads)
	}
	s.busy++
	s.mu.Unlock()
}

// finish says that t has run.
func (s *schedule) finish(t *task) {
	s.mu.Lock()
	t.handle.state.ended(t)
	if t.copy != nil {
		t.copy.from().ended(&t.copy.reads)
	}
	s.busy--
	s.changed.Signal()
	s.mu.Unlock()
}

// quiet waits until nothing runs.
func (s *schedule) quiet() {
	s.mu.Lock()
	for s.busy > 0 {
		s.changed.Wait()
	}
	s.mu.Unlock()
}

// quietFile waits until nothing runs on a file.
func (s *schedule) quietFile(f *fileState) {
	s.mu.Lock()
	for len(f.busy) > 0 {
		s.changed.Wait()
	}
	s.mu.Unlock()
}

// fileState is what handles of the same file share.
type fileState struct {
	key  any
	refs int     // handles; used by the reading goroutine only
	busy []*task // guarded by schedule.mu
}

// ended takes t off the running ones.
func (f *fileState) ended(t *task) {
	for i, u := range f.busy {
		if u == t {
			last := len(f.busy) - 1
			f.busy[i], f.busy[last] = f.busy[last], nil
			f.busy = f.busy[:last]
			return
		}
	}
}

func (f *fileState) conflicts(t *task) bool {
	for _, u := range f.busy {
		if t.conflicts(u) {
			return true
		}
	}
	return false
}
