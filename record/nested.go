package record

import (
	"time"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// nested is the hook of a session that another recorded one carries. What it
// says is decoded from its carrier; that needs its secrets, which nobody else
// has, and needs them before what they open. So from the beginning of a key
// exchange to its end everything about the carrier is held back, within the
// bounds of [Options].
type nested struct {
	root  *conn // the outermost session
	proto string
}

var _ trace.Conn = (*nested)(nil)

// openNested returns the hook of a session inside a recorded one, nil when it
// has no secrets; ok is false when it is not inside of one.
func (r *Recorder) openNested(info trace.Info) (c trace.Conn, ok bool) {
	var root *conn
	switch p := info.Parent.(type) {
	case *conn:
		root = p
	case *nested:
		root = p.root
	}
	if root == nil || root.recorder != r {
		return nil, false
	}
	if info.Proto == "sftp" {
		return nil, true
	}
	return &nested{root, info.Proto}, true
}

func (n *nested) Wire(wire.Dir, []byte)   {}
func (n *nested) Packet(wire.Dir, []byte) {}

func (n *nested) Secret(line string) {
	n.put(nestedSecret, trace.Event{Detail: n.proto}, []byte(line))
}

func (n *nested) Event(e trace.Event) {
	if e.Kind == trace.KexStart || e.Kind == trace.KexEnd {
		n.put(nestedKex, e, nil)
	}
}

func (n *nested) Close(error) { n.Event(trace.Event{Kind: trace.KexEnd}) }

func (n *nested) put(k kind, e trace.Event, b []byte) {
	n.root.recorder.queue.put(item{conn: n.root, kind: k, event: e}, b)
}

// holds is what is held back, by the outermost session. The renderer's
// goroutine alone uses it.
type holds map[*conn]*backlog

// backlog is what was said about a session since a key exchange inside of it
// began.
type backlog struct {
	items []item
	bytes []byte
	since time.Time
}

// deliver hands an item to the sink, now or later.
func (r *Recorder) deliver(it *item, b []byte) {
	held := r.holds[it.conn]
	switch it.kind {
	case opened:
		r.sink.open(it.conn)
	case nestedSecret:
		r.sink.take(it.conn, it, b)
	case nestedKex:
		if it.event.Kind == trace.KexEnd {
			r.letGo(it.conn)
		} else if held == nil {
			r.holds[it.conn] = &backlog{since: it.time}
		}
	default:
		if held == nil {
			r.sink.take(it.conn, it, b)
			return
		}
		own := *it
		own.from = len(held.bytes)
		held.bytes = append(held.bytes, b...)
		own.to = len(held.bytes)
		held.items = append(held.items, own)
		if len(held.bytes)+itemBytes*len(held.items) > r.options.HoldBytes {
			r.letGo(it.conn)
		}
	}
}

// letGo hands over what is held back about a session.
func (r *Recorder) letGo(c *conn) {
	held := r.holds[c]
	if held == nil {
		return
	}
	delete(r.holds, c)
	for i := range held.items {
		it := &held.items[i]
		r.sink.take(c, it, held.bytes[it.from:it.to])
	}
}

// letGoOld hands over what is held back for too long; the zero time: all.
func (r *Recorder) letGoOld(now time.Time) {
	for c, held := range r.holds {
		if now.IsZero() || now.Sub(held.since) > r.options.HoldTime {
			r.letGo(c)
		}
	}
}
