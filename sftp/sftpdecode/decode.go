package sftpdecode

import (
	"fmt"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// decoder is one session. Chunks may be packets or pieces of streams.
type decoder struct {
	emit    trace.Emit
	path    string
	flow    sftp.Flow
	streams [2]stream         // by wire.Dir
	pending map[uint64]asked  // by the Flow's ordinal
	handles map[string]string // handle to path
	held    int               // bytes of paths in both tables
}

// asked is an unanswered request.
type asked struct {
	n    int64 // of its message
	time time.Time
	path string // of the file concerned
}

// Bounds of the tables. A path longer than maxPath, or one too many, is not
// remembered; what it belongs to is shown without.
const (
	maxHandles = 4096
	maxPath    = 4096
	maxHeld    = 8 << 20
)

// Feed takes the next chunk.
func (d *decoder) Feed(c trace.Chunk) {
	if !c.Packet {
		d.feedStream(c)
		return
	}
	if c.Gap != 0 {
		d.hole(c.Dir, c.Gap, c.Time)
		d.streams[c.Dir].search = false // packets come whole
	}
	d.message(c.Dir, c.Data, c.Spans, c.Time, nil)
}

// Close emits what is left of incomplete packets.
func (d *decoder) Close() {
	for dir := range d.streams {
		s := &d.streams[dir]
		if len(s.buf) > sftp.LengthSize && !s.search {
			d.message(wire.Dir(dir), s.buf[sftp.LengthSize:], s.spans, time.Time{}, errEnd)
		}
		s.buf, s.spans = nil, nil
	}
}

// message emits one packet. cut, if set, says why it is not whole.
func (d *decoder) message(dir wire.Dir, packet []byte, spans []trace.Span, at time.Time, cut error) {
	if len(packet) == 0 {
		return
	}
	m, _, rule := d.flow.Next(dir, packet)
	fields, err := sftp.Describe(packet, m, d.flow.Dialect())
	seen, more := d.flow.Saw(dir, m)
	out := trace.Message{
		Time: at, Path: d.path, Dir: dir, Proto: "sftp", Name: sftp.Messages.Name(m),
		Raw: packet, Fields: fields, Spans: spans, Notes: d.streams[dir].notes(),
	}
	for _, e := range []error{cut, err, rule, more} {
		if e != nil {
			out.Err = e
			break
		}
	}
	if _, ok := m.(*sftp.Opaque); ok && !d.flow.Known() {
		out.Notes = append(out.Notes, fmt.Sprintf("version %d is not decoded further", sftp.Version(d.flow.Dialect())))
	}
	name, derived := d.subject(m)
	if request, ok := d.pending[seen.Answers]; ok && seen.Answers > 0 {
		delete(d.pending, seen.Answers)
		out.ReplyTo = request.n
		if !at.IsZero() && !request.time.IsZero() {
			out.Latency = at.Sub(request.time)
		}
		name, derived = request.path, request.path != ""
		d.held -= len(request.path)
		if h, ok := m.(*sftp.Handle); ok {
			d.opened(string(h.Handle), request.path)
		}
	}
	out.Fields = derive(out.Fields, "path", name, derived, len(packet))
	if x, ok := m.(*sftp.Extended); ok && x.WriteHandle != nil {
		out.Fields = derive(out.Fields, "write_to_path", d.handles[string(x.WriteHandle)], true, len(packet))
	}
	d.emit(&out)
	if seen.Asks {
		d.asked(seen.Ordinal, asked{n: out.N, time: at, path: name})
	}
	if c, ok := m.(*sftp.Close); ok && dir == wire.C2S {
		d.held -= len(d.handles[string(c.Handle)])
		delete(d.handles, string(c.Handle))
	}
}

// derive adds a path that a handle stands for to the fields of a packet.
func derive(fields []wire.Field, name, path string, derived bool, packet int) []wire.Field {
	if !derived || path == "" {
		return fields
	}
	return append(fields, wire.Field{Name: name, Value: path, Off: packet * 8, Flags: wire.Derived})
}

// asked remembers a request until its reply comes.
func (d *decoder) asked(ordinal uint64, a asked) {
	if len(d.pending) >= sftp.MaxPending {
		// Only after holes: requests whose replies were never seen.
		for _, old := range d.pending {
			d.held -= len(old.path)
		}
		clear(d.pending)
	}
	if d.held+len(a.path) > maxHeld {
		a.path = ""
	}
	d.held += len(a.path)
	d.pending[ordinal] = a
}

// opened remembers what a handle stands for.
func (d *decoder) opened(handle, path string) {
	if len(handle) > sftp.MaxHandle || path == "" || d.held+len(path) > maxHeld {
		return
	}
	if len(d.handles) >= maxHandles {
		for _, old := range d.handles {
			d.held -= len(old)
		}
		clear(d.handles)
	}
	d.held += len(path) - len(d.handles[handle])
	d.handles[handle] = path
}

// subject returns the path that a request is about; derived says that it comes
// from a handle and is not among the fields of m.
func (d *decoder) subject(m wire.Message) (path string, derived bool) {
	var handle []byte
	switch m := m.(type) {
	case *sftp.Open:
		path = m.Filename
	case *sftp.OpenDir:
		path = m.Path
	case *sftp.LStat:
		path = m.Path
	case *sftp.Stat:
		path = m.Path
	case *sftp.SetStat:
		path = m.Path
	case *sftp.Remove:
		path = m.Filename
	case *sftp.Mkdir:
		path = m.Path
	case *sftp.Rmdir:
		path = m.Path
	case *sftp.RealPath:
		path = m.Path
	case *sftp.ReadLink:
		path = m.Path
	case *sftp.Rename:
		path = m.OldPath
	case *sftp.Symlink:
		path, _ = m.Paths(sftp.OrderOpenSSH)
	case *sftp.Extended:
		if path = m.Path; path == "" {
			path = m.OldPath
		}
		if handle = m.Handle; handle == nil {
			handle = m.ReadHandle
		}
	case *sftp.Close:
		handle = m.Handle
	case *sftp.Read:
		handle = m.Handle
	case *sftp.Write:
		handle = m.Handle
	case *sftp.FStat:
		handle = m.Handle
	case *sftp.FSetStat:
		handle = m.Handle
	case *sftp.ReadDir:
		handle = m.Handle
	}
	if handle != nil && path == "" {
		return d.handles[string(handle)], true
	}
	if len(path) > maxPath {
		path = ""
	}
	return path, false
}
