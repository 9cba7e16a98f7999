package trace

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/wirelark/wirelark/wire"
)

// JSON renders a message as one JSON object, which is a line of the jsonl
// format, with the keys in this order:
//
//	n         number of the message, from 1
//	time      RFC 3339, UTC, nine digits of the second
//	conn      number of the connection, from 1
//	dir       "c2s" or "s2c"
//	proto     protocol
//	message   the specification's name
//	fields    the fields by name; a group is an object, a list an array
//	latency   seconds since the message that this one answers; only in answers
//	reply_to  n of that message; only in answers
//	error     why fields are incomplete or the rule that the message breaks; rare
//	notes     remarks; rare
//
// A number is a number, or a string of digits when it is beyond 2^53. A
// number that has a name is followed by NAME_name. Bytes are lower-case hex,
// cut at 256 bytes, and followed by NAME_len. A text that is not UTF-8 has
// U+FFFD for what is not, and is followed by NAME_hex. A masked value is null.
type JSON struct {
	Reveal bool // show secrets
}

const jsonBytes = 256

// Append appends the object for m, without a line end, to dst.
func (j JSON) Append(dst []byte, m *Message) []byte {
	dst = fmt.Appendf(dst, `{"n":%d,"time":"`, m.N)
	dst = m.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000Z")
	dst = fmt.Appendf(dst, `","conn":%d,"dir":"%s","proto":`, m.Conn, m.Dir)
	dst = appendJSONText(dst, m.Proto)
	dst = appendJSONText(append(dst, `,"message":`...), m.Name)
	dst = j.appendObject(append(dst, `,"fields":`...), m, m.Fields)
	if m.ReplyTo != 0 {
		dst = append(dst, `,"latency":`...)
		dst = strconv.AppendFloat(dst, m.Latency.Seconds(), 'f', -1, 64)
		dst = fmt.Appendf(dst, `,"reply_to":%d`, m.ReplyTo)
	}
	if m.Err != nil {
		dst = appendJSONText(append(dst, `,"error":`...), m.Err.Error())
	}
	if len(m.Notes) > 0 {
		dst = appendJSONTexts(append(dst, `,"notes":`...), m.Notes)
	}
	return append(dst, '}')
}

func (j JSON) appendObject(dst []byte, m *Message, fields []wire.Field) []byte {
	dst = append(dst, '{')
	for i := range fields {
		f := &fields[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendJSONText(dst, f.Name), ':')
		switch {
		case f.Is(wire.Many):
			dst = j.appendArray(dst, m, f.Kids)
		case f.Is(wire.Node) || len(f.Kids) > 0:
			dst = j.appendObject(dst, m, f.Kids)
		case hides(m, f, j.Reveal):
			dst = append(dst, "null"...)
		default:
			dst = appendJSONValue(dst, f.Name, f.Value)
		}
	}
	return append(dst, '}')
}

func (j JSON) appendArray(dst []byte, m *Message, kids []wire.Field) []byte {
	dst = append(dst, '[')
	first := true
	for i := range kids {
		if !kids[i].Is(wire.Element) {
			continue // the count
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = j.appendObject(dst, m, kids[i].Kids)
	}
	return append(dst, ']')
}

// appendJSONValue appends a value and the members that stand beside it.
func appendJSONValue(dst []byte, name string, v any) []byte {
	beside := func(suffix string) { dst = append(appendJSONText(append(dst, ','), name+suffix), ':') }
	switch v := v.(type) {
	case nil, wire.Null:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		dst = appendJSONText(dst, v)
		if !utf8.ValidString(v) {
			beside("_hex")
			dst = append(hex.AppendEncode(append(dst, '"'), []byte(v[:min(len(v), jsonBytes)])), '"')
		}
		return dst
	case []string:
		return appendJSONTexts(dst, v)
	case []byte:
		dst = append(hex.AppendEncode(append(dst, '"'), v[:min(len(v), jsonBytes)]), '"')
		beside("_len")
		return strconv.AppendInt(dst, int64(len(v)), 10)
	case time.Time:
		return append(v.UTC().AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
	}
	if n, negative, ok := numeric(v); ok {
		dst = appendJSONNumber(dst, n, negative)
		if s, ok := v.(fmt.Stringer); ok {
			beside("_name")
			dst = appendJSONText(dst, s.String())
		}
		return dst
	}
	return appendJSONText(dst, fmt.Sprint(v))
}

func appendJSONNumber(dst []byte, n uint64, negative bool) []byte {
	quote := n > 1<<53
	if quote {
		dst = append(dst, '"')
	}
	if negative {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, n, 10)
	if quote {
		dst = append(dst, '"')
	}
	return dst
}

func appendJSONTexts(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONText(dst, s)
	}
	return append(dst, ']')
}

// appendJSONText appends s as a JSON string in which nothing but printable
// characters stands, so that a terminal that shows it is safe.
func appendJSONText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == utf8.RuneError || strconv.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r == '\n':
			dst = append(dst, `\n`...)
		case r >= 0x10000:
			r -= 0x10000
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
	}
	return append(dst, '"')
}
