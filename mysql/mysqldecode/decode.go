package mysqldecode

import (
	"fmt"
	"slices"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// decoder is one connection. Chunks may be packets or pieces of streams.
type decoder struct {
	options trace.Options
	flow    flow.Flow
	dirs    [2]direction
	begun   bool
	packets bool          // what hides packets on the wire is undone already
	tls     trace.Decoder // opens TLS; nil: there is none
	dark    bool          // nothing more can be read
	told    bool          // and it was said
	packed  bool          // the streams are compressed
	held    int64         // of the budget

	asked  map[uint64]asked // by the Flow's ordinal
	rows   int64            // of the result set so far
	bytes  int64            // that they take
	status mysql.Status     // newest
}

// direction is what one side sends.
type direction struct {
	split   packet.Splitter
	time    time.Time
	head    int // of the client's first packet: bytes of it that were fed
	left    int // and those that were not, once its header is there
	size    [packet.HeaderSize]byte
	gap     bool  // there was a hole since the last message
	missing int64 // bytes missing since the last message; -1: an unknown number
	stray   int   // packets since the last message that nobody could name
}

// asked is a command that is not answered.
type asked struct {
	n    int64 // of its message
	time time.Time
}

var _ trace.Blind = (*decoder)(nil)

// message emits one payload.
func (d *decoder) message(dir wire.Dir, p packet.Payload) {
	s := &d.dirs[dir]
	if p.Err != nil && len(p.Data) == 0 {
		s.stray++
		d.flow.Gap()
		return
	}
	m, _, rule := d.flow.Next(dir, p.Data)
	dialect := d.flow.Dialect()
	if _, ok := m.(*flow.Opaque); ok && rule == nil && mysql.Messages.Entry(m).Bare {
		s.stray++
		_, _ = d.flow.Saw(dir, m)
		return
	}
	fields, err := mysql.Messages.Describe(p.Data, m, dialect)
	fields = placed(fields, d.derived(m, fields, len(p.Data)))
	seen, more := d.flow.Saw(dir, m)
	if p.Err != nil && err != nil && !carries(m) {
		d.flow.Gap() // who knows what it said
	}
	out := trace.Message{
		Time: s.time, Path: d.options.Path, Dir: dir, Proto: mysql.Messages.Proto(), Name: mysql.Messages.Name(m),
		Raw: p.Data, Fields: fields, Spans: joined(p.Spans), Notes: s.notes(p.Lost),
	}
	for _, e := range []error{p.Err, err, rule, more} {
		if e != nil {
			out.Err = e
			break
		}
	}
	_, out.Hide = m.(*mysql.AuthResponse)
	out.Fields = d.count(seen, m, out.Fields, len(p.Data))
	if a, ok := d.asked[seen.Answers]; ok && seen.Last {
		delete(d.asked, seen.Answers)
		out.ReplyTo = a.n
		if !s.time.IsZero() && !a.time.IsZero() {
			out.Latency = s.time.Sub(a.time)
		}
	}
	if _, ok := m.(*mysql.SSLRequest); ok && !d.packets {
		out.Notes = append(out.Notes, d.beginTLS()...)
	}
	d.options.Emit(&out)
	if seen.Asks {
		if len(d.asked) >= flow.MaxPending {
			clear(d.asked) // only after holes
		}
		d.asked[seen.Ordinal] = asked{out.N, s.time}
	}
}

// placed puts derived fields in front of the others but the number, for they
// say what those are about.
func placed(fields, derived []wire.Field) []wire.Field {
	if len(derived) == 0 || len(fields) == 0 {
		return append(fields, derived...)
	}
	return slices.Insert(fields, 1, derived...)
}

// carries reports whether a message is data that nothing depends on.
func carries(m wire.Message) bool {
	switch m.(type) {
	case *mysql.TextRow, *mysql.BinaryRow, *mysql.LocalInfileData:
		return true
	}
	return false
}

// count counts rows, and adds their number where they end.
func (d *decoder) count(seen flow.Seen, m wire.Message, fields []wire.Field, size int) []wire.Field {
	switch m := m.(type) {
	case *mysql.ColumnCount, *mysql.StmtFetch:
		d.rows, d.bytes = 0, 0
	case *mysql.TextRow, *mysql.BinaryRow:
		d.rows++
		d.bytes += int64(size)
	case *mysql.OK:
		d.status = m.Status
	case *mysql.EOF:
		d.status = m.Status
	}
	if !seen.Rows {
		return fields
	}
	fields = append(fields, derive("rows", d.rows, size), derive("row_bytes", d.bytes, size))
	d.rows, d.bytes = 0, 0
	return fields
}

// derive returns a derived field behind a payload of size bytes.
func derive(name string, value any, size int) wire.Field {
	return wire.Field{Name: name, Value: value, Off: size * 8, Flags: wire.Derived}
}

// notes tells what happened in front of the next message, once.
func (s *direction) notes(lost int64) (list []string) {
	switch {
	case s.gap && s.missing < 0:
		list = append(list, "an unknown number of bytes is missing before this message")
	case s.gap:
		list = append(list, fmt.Sprintf("%d bytes are missing before this message", s.missing))
	}
	if lost > 0 {
		list = append(list, fmt.Sprintf("%d bytes before this message could not be read", lost))
	}
	if s.stray > 0 {
		list = append(list, fmt.Sprintf("%d packets before this message belong to what was not seen", s.stray))
	}
	s.gap, s.missing, s.stray = false, 0, 0
	return list
}

// joined returns spans with those that follow each other made one.
func joined(spans []trace.Span) []trace.Span {
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].Frame == s.Frame && out[n-1].Off+out[n-1].Len == s.Off {
			out[n-1].Len += s.Len
			continue
		}
		out = append(out, s)
	}
	return out
}
