package trace

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wirelark/wirelark/wire"
)

// masked stands where a value is not shown.
const masked = "‹masked›"

// hides reports whether the leaf f of m is not to be shown.
func hides(m *Message, f *wire.Field, reveal bool) bool {
	return !reveal && (f.Is(wire.Secret) || m.Hide && f.Name != "number")
}

// printable reports whether b is text that can stand in a line for people.
func printable(b []byte) bool {
	if len(b) == 0 || !utf8.Valid(b) {
		return false
	}
	for _, r := range string(b) {
		if !strconv.IsPrint(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
	}
	return true
}

// appendText appends s so that it is one word and does nothing to a terminal:
// bare when it is plain, quoted with Go's escapes otherwise.
func appendText(dst []byte, s string) []byte {
	plain := s != ""
	for _, r := range s {
		if r <= ' ' || r == '"' || r == '\\' || r == '`' || r == '[' || r == ']' || r == utf8.RuneError || !strconv.IsPrint(r) {
			plain = false
			break
		}
	}
	if plain {
		return append(dst, s...)
	}
	return strconv.AppendQuote(dst, s)
}

// clean returns s with everything in it escaped that is no printable text.
func clean(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// cutText returns at most max bytes of s, whole characters of it, and whether
// something was left out.
func cutText(s string, max int) (string, bool) {
	if len(s) <= max {
		return s, false
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max], true
}

// appendValue appends a leaf's value for people, as one word; a text or bytes
// of more than limit bytes are cut, and then their length is appended as well.
func appendValue(dst []byte, name string, v any, limit int) []byte {
	length := func(n int) { dst = fmt.Appendf(dst, " %s_len=%d", name, n) }
	switch v := v.(type) {
	case string:
		s, more := cutText(v, limit)
		if more {
			dst = appendText(dst, s+"…")
			length(len(v))
			return dst
		}
		return appendText(dst, s)
	case []string:
		s, more := cutText(strings.Join(v, ","), limit)
		if more {
			s += "…"
		}
		return appendText(dst, s)
	case []byte:
		if len(v) == 0 {
			return append(dst, `""`...)
		}
		b, more := v[:min(len(v), limit)], len(v) > limit
		if more { // end with a whole character
			for i := range utf8.UTFMax - 1 {
				if utf8.Valid(b[:len(b)-i]) {
					b = b[:len(b)-i]
					break
				}
			}
		}
		switch {
		case printable(b) && more:
			dst = strconv.AppendQuote(dst, string(b)+"…")
		case printable(b):
			dst = strconv.AppendQuote(dst, string(b))
		default:
			dst = hex.AppendEncode(dst, v[:min(len(v), limit/2)])
			if more = len(v) > limit/2; more {
				dst = append(dst, "…"...)
			}
		}
		if more {
			length(len(v))
		}
		return dst
	case fmt.Stringer:
		return appendText(dst, v.String())
	}
	return appendText(dst, fmt.Sprint(v))
}

// numeric returns the number behind a value of a named integer type.
func numeric(v any) (n uint64, negative, ok bool) {
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
	case r.CanUint():
		return r.Uint(), false, true
	case r.CanInt():
		if i := r.Int(); i < 0 {
			return -uint64(i), true, true
		}
		return uint64(r.Int()), false, true
	}
	return 0, false, false
}
