package trace

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wirelark/wirelark/wire"
)

// Level is how much of a message [Text] shows.
type Level uint8

const (
	Summary Level = iota // one line
	Tree                 // the line and below it a line for each field
	Hex                  // the same and the bytes
)

// ParseLevel returns the level of a name: "summary", "fields" or "hex".
func ParseLevel(name string) (Level, error) {
	switch name {
	case "summary":
		return Summary, nil
	case "fields":
		return Tree, nil
	case "hex":
		return Hex, nil
	}
	return 0, fmt.Errorf("unknown trace level %q: use summary, fields or hex", clean(name))
}

// Text renders messages for people and grep. A message is one line:
//
//	TIME  DIR  LAYER  MESSAGE  key=value…  [latency]
//
// as in
//
//	0.012345 → sftp SSH_FXP_OPEN in=ssh/0 id=1 filename=/etc/motd pflags=READ
//	0.013345 ← sftp SSH_FXP_HANDLE in=ssh/0 id=1 handle=00000000 [1 ms]
//
// TIME is seconds since the first message, DIR is → for client to server and ←
// for server to client, LAYER is the protocol, MESSAGE the specification's
// name. The keys: conn when it is not connection 1, in for what travels inside
// another protocol, then the fields as they come, those of groups with dots.
// Empty values are left out, long ones cut and followed by NAME_len; error and
// note stand last.
// Values never hold a raw control character or terminal escape: what is not
// plain is quoted as in Go. Secrets, and whatever a decoder hides, show as
// ‹masked›.
//
// The zero value is ready. It remembers the time of the first message, so use
// one Text for one output, by one goroutine at a time.
type Text struct {
	Level  Level
	Reveal bool // show secrets

	start time.Time
}

const (
	summaryKeys  = 16   // fields in a line
	summaryLimit = 64   // bytes of one value in a line
	treeLimit    = 256  // bytes of one value in a tree
	hexLimit     = 1024 // bytes of one message in a dump
)

// Append appends the rendering of m, with its last line end, to dst.
func (t *Text) Append(dst []byte, m *Message) []byte {
	if t.start.IsZero() {
		t.start = m.Time
	}
	arrow := "→"
	if m.Dir == wire.S2C {
		arrow = "←"
	}
	dst = strconv.AppendFloat(dst, max(0, m.Time.Sub(t.start).Seconds()), 'f', 6, 64)
	dst = fmt.Appendf(dst, " %s %s %s", arrow, clean(m.Proto), clean(m.Name))
	if m.Conn > 1 {
		dst = fmt.Appendf(dst, " conn=%d", m.Conn)
	}
	if m.Path != "" {
		dst = appendText(append(dst, " in="...), m.Path)
	}
	if t.Level == Summary {
		left := summaryKeys
		dst = t.appendPairs(dst, m, "", m.Fields, &left)
		if left < 0 {
			dst = append(dst, " …"...)
		}
	}
	if m.Err != nil {
		dst = appendText(append(dst, " error="...), m.Err.Error())
	}
	for _, note := range m.Notes {
		dst = appendText(append(dst, " note="...), note)
	}
	if m.ReplyTo != 0 {
		dst = append(dst, " ["...)
		dst = append(appendDuration(dst, m.Latency), ']')
	}
	dst = append(dst, '\n')
	if t.Level == Summary {
		return dst
	}
	dst = t.appendTree(dst, m, m.Fields, 1)
	if t.Level == Hex {
		dst = t.appendHex(dst, m)
	}
	return dst
}

// appendDuration appends d with three digits: "1.25 ms".
func appendDuration(dst []byte, d time.Duration) []byte {
	unit, name := time.Nanosecond, "ns"
	switch {
	case d >= time.Second:
		unit, name = time.Second, "s"
	case d >= time.Millisecond:
		unit, name = time.Millisecond, "ms"
	case d >= time.Microsecond:
		unit, name = time.Microsecond, "µs"
	}
	v := float64(d) / float64(unit)
	if v < 1000 {
		dst = strconv.AppendFloat(dst, v, 'g', 3, 64)
	} else {
		dst = strconv.AppendFloat(dst, v, 'f', 0, 64)
	}
	return append(append(dst, ' '), name...)
}

// appendPairs appends the leaves of fields as key=value. left counts down the
// pairs that there is room for and is negative when some were left out.
func (t *Text) appendPairs(dst []byte, m *Message, prefix string, fields []wire.Field, left *int) []byte {
	for i := range fields {
		f := &fields[i]
		if *left < 0 {
			return dst
		}
		switch {
		case prefix == "" && i == 0 && f.Name == "number" || empty(f.Value):
			continue // the name of the message says it; nothing to say
		case f.Is(wire.Many):
			dst = t.appendList(dst, m, prefix+f.Name, f, left)
			continue
		case f.Is(wire.Node) || len(f.Kids) > 0:
			dst = t.appendPairs(dst, m, prefix+f.Name+".", f.Kids, left)
			continue
		}
		if *left--; *left < 0 {
			return dst
		}
		dst = append(append(append(append(dst, ' '), prefix...), f.Name...), '=')
		if hides(m, f, t.Reveal) {
			dst = append(dst, masked...)
			continue
		}
		dst = appendValue(dst, prefix+f.Name, f.Value, summaryLimit)
	}
	return dst
}

// empty reports whether v is an empty text, list or run of bytes.
func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []byte:
		return len(v) == 0
	case []string:
		return len(v) == 0
	}
	return false
}

// appendList appends how many elements a list has and the first of them.
func (t *Text) appendList(dst []byte, m *Message, name string, f *wire.Field, left *int) []byte {
	n := 0
	for _, k := range f.Kids {
		if k.Is(wire.Element) {
			n++
		}
	}
	if n == 0 {
		return dst
	}
	if *left--; *left < 0 {
		return dst
	}
	dst = fmt.Appendf(dst, " %s=%d", name, n)
	for i := range f.Kids {
		if k := &f.Kids[i]; k.Is(wire.Element) {
			dst = t.appendPairs(dst, m, name+"."+k.Name+".", k.Kids, left)
			if *left < 0 {
				break
			}
		}
	}
	return dst
}

const indent = "    "

func (t *Text) appendTree(dst []byte, m *Message, fields []wire.Field, depth int) []byte {
	for i := range fields {
		f := &fields[i]
		for range depth {
			dst = append(dst, indent...)
		}
		dst = append(append(dst, f.Name...), ':')
		switch {
		case f.Is(wire.Node) || len(f.Kids) > 0:
			dst = append(dst, '\n')
			dst = t.appendTree(dst, m, f.Kids, depth+1)
			continue
		case hides(m, f, t.Reveal):
			dst = append(append(dst, ' '), masked...)
		default:
			dst = appendValue(append(dst, ' '), f.Name, f.Value, treeLimit)
			if n, negative, ok := numeric(f.Value); ok && !negative {
				if _, symbol := f.Value.(fmt.Stringer); symbol {
					dst = fmt.Appendf(dst, " (%d)", n)
				}
			}
		}
		dst = append(dst, '\n')
	}
	return dst
}

// appendHex appends the first bytes of m, sixteen to a line, those of secrets
// as dots.
func (t *Text) appendHex(dst []byte, m *Message) []byte {
	raw := m.Raw[:min(len(m.Raw), hexLimit)]
	hidden := make([]bool, len(raw))
	t.markHidden(m, m.Fields, hidden)
	for at := 0; at < len(raw); at += 16 {
		end := min(at+16, len(raw))
		dst = fmt.Appendf(dst, "%s%04x ", indent, at)
		for i := at; i < at+16; i++ {
			switch {
			case i >= end:
				dst = append(dst, "   "...)
			case hidden[i]:
				dst = append(dst, " ··"...)
			default:
				dst = fmt.Appendf(dst, " %02x", raw[i])
			}
		}
		dst = append(dst, "  "...)
		for i := at; i < end; i++ {
			c := raw[i]
			if hidden[i] || c < ' ' || c > '~' {
				c = '.'
			}
			dst = append(dst, c)
		}
		dst = append(dst, '\n')
	}
	if n := len(m.Raw) - len(raw); n > 0 {
		dst = fmt.Appendf(dst, "%s… %d more bytes\n", indent, n)
	}
	return dst
}

func (t *Text) markHidden(m *Message, fields []wire.Field, hidden []bool) {
	for i := range fields {
		f := &fields[i]
		if f.Is(wire.Node) || len(f.Kids) > 0 {
			t.markHidden(m, f.Kids, hidden)
			continue
		}
		if f.Is(wire.Derived) || !hides(m, f, t.Reveal) {
			continue
		}
		off, n := f.Bytes()
		for i := max(0, off); i < min(off+n, len(hidden)); i++ {
			hidden[i] = true
		}
	}
}
