package record

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// A Recorder is a [trace.Tracer] that makes something of what it is told.
// Close it after the sessions that it was given to.
type Recorder struct {
	subs []*Recorder // of Multi; then nothing else is set

	options Options
	sink    sink
	wire    bool // the sink wants wire bytes
	queue   *queue
	holds   holds
	start   sync.Once
	done    chan struct{} // the renderer has ended
	closer  io.Closer     // of the file, may be nil
	close   sync.Once
	err     error // first one; the renderer's until done is closed
}

// sink is what renders. The renderer's goroutine alone calls it.
type sink interface {
	open(c *conn)
	take(c *conn, it *item, b []byte)
	// idle is called when the queue is empty, and from time to time as long
	// as busy reports that something is held back.
	idle(now time.Time)
	busy() bool
	finish()
	// err returns the first error of the writer.
	err() error
}

var _ trace.Tracer = (*Recorder)(nil)

func newRecorder(o Options, s sink) *Recorder {
	return &Recorder{options: o, sink: s, queue: newQueue(o.QueueBytes / 2), holds: holds{}, done: make(chan struct{})}
}

// Multi returns a Recorder that tells several others everything. Its Close
// closes them all.
func Multi(recorders ...*Recorder) *Recorder { return &Recorder{subs: recorders} }

// Open implements [trace.Tracer]. What runs inside a connection that is
// recorded already is asked for its secrets only; where it has none, Open
// returns nil.
func (r *Recorder) Open(info trace.Info) trace.Conn {
	if r.subs != nil {
		return r.openAll(info)
	}
	if c, ok := r.openNested(info); ok {
		return c
	}
	r.begin()
	c := &conn{recorder: r, info: info}
	r.queue.put(item{conn: c, kind: opened}, nil)
	return c
}

// Close renders what is left, flushes, closes the file when [Create] made it,
// and returns the first error of the writer.
func (r *Recorder) Close() error {
	if r.subs != nil {
		errs := make([]error, len(r.subs))
		for i, s := range r.subs {
			errs[i] = s.Close()
		}
		return errors.Join(errs...)
	}
	r.close.Do(func() {
		r.queue.close()
		r.begin() // an empty file is still a file
		<-r.done
		if r.closer != nil {
			if err := r.closer.Close(); r.err == nil {
				r.err = err
			}
		}
	})
	return r.err
}

func (r *Recorder) begin() {
	r.start.Do(func() { go r.run() }) // stops when Close is called
}

// idleTick is how long after the last item a recorder is idle, and how often it
// then looks at connections that are held.
const idleTick = time.Second

func (r *Recorder) run() {
	defer close(r.done)
	var b *batch
	for end := false; !end; {
		if b, end = r.queue.take(b); b == nil {
			r.letGoOld(time.Now())
			r.sink.idle(time.Now())
			r.check()
			if !end {
				r.wait()
			}
			continue
		}
		for i := range b.items {
			it := &b.items[i]
			r.deliver(it, b.arena[it.from:it.to])
		}
		r.check()
	}
	r.letGoOld(time.Time{})
	r.sink.finish()
	r.check()
}

// wait waits until there is something to do, or it is time to look at what is
// held.
func (r *Recorder) wait() {
	t := time.NewTimer(idleTick)
	defer t.Stop()
	select {
	case <-r.queue.ready:
		return
	case <-t.C:
	}
	r.queue.shrink()
	if !r.sink.busy() && len(r.holds) == 0 {
		<-r.queue.ready
	}
}

// check tells of the first error.
func (r *Recorder) check() {
	if r.err != nil {
		return
	}
	if r.err = r.sink.err(); r.err != nil && r.options.OnError != nil {
		r.options.OnError(r.err)
	}
}

// conn is the hook of one session.
type conn struct {
	recorder *Recorder
	info     trace.Info
}

var _ trace.Conn = (*conn)(nil)

func (c *conn) Wire(dir wire.Dir, b []byte) {
	if len(b) > 0 && c.recorder.wire {
		c.recorder.queue.put(item{conn: c, kind: wireBytes, dir: dir}, b)
	}
}

func (c *conn) Packet(dir wire.Dir, b []byte) {
	c.recorder.queue.put(item{conn: c, kind: packetBytes, dir: dir}, b)
}

func (c *conn) Secret(line string) {
	c.recorder.queue.put(item{conn: c, kind: secretLine}, []byte(line))
}

func (c *conn) Event(e trace.Event) {
	c.recorder.queue.put(item{conn: c, kind: event, event: e}, nil)
}

func (c *conn) Close(err error) {
	c.recorder.queue.put(item{conn: c, kind: closed}, nil)
}

// multiConn tells several hooks the same.
type multiConn struct{ conns []trace.Conn }

func (r *Recorder) openAll(info trace.Info) trace.Conn {
	m := &multiConn{conns: make([]trace.Conn, len(r.subs))}
	parents, _ := info.Parent.(*multiConn)
	some := false
	for i, s := range r.subs {
		if parents != nil && i < len(parents.conns) {
			info.Parent = parents.conns[i]
		}
		m.conns[i] = s.Open(info)
		some = some || m.conns[i] != nil
	}
	if !some {
		return nil
	}
	return m
}

func (m *multiConn) Wire(dir wire.Dir, b []byte) {
	for _, c := range m.conns {
		if c != nil {
			c.Wire(dir, b)
		}
	}
}

func (m *multiConn) Packet(dir wire.Dir, b []byte) {
	for _, c := range m.conns {
		if c != nil {
			c.Packet(dir, b)
		}
	}
}

func (m *multiConn) Secret(line string) {
	for _, c := range m.conns {
		if c != nil {
			c.Secret(line)
		}
	}
}

func (m *multiConn) Event(e trace.Event) {
	for _, c := range m.conns {
		if c != nil {
			c.Event(e)
		}
	}
}

func (m *multiConn) Close(err error) {
	for _, c := range m.conns {
		if c != nil {
			c.Close(err)
		}
	}
}
