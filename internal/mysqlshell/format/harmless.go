package format

import (
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// AppendHarmless appends s so that it cannot control a terminal: what could is
// shown as \n, \t, \x1b or \u202e. A line end stays one when lines is set.
func AppendHarmless(to, s []byte, lines bool) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r == '\n' && lines:
			to = append(to, '\n')
		case r == '\n':
			to = append(to, `\n`...)
		case r == '\t':
			to = append(to, `\t`...)
		case r == '\r':
			to = append(to, `\r`...)
		case r == utf8.RuneError && n == 1:
			to = appendEscape(to, s[0])
		case r < ' ', r >= 0x7f && r < 0xa0:
			to = appendEscape(to, byte(r))
		case invisible(r):
			to = append(to, '\\', 'u')
			for shift := 12; shift >= 0; shift -= 4 {
				to = append(to, "0123456789abcdef"[r>>shift&15])
			}
		default:
			to = append(to, s[:n]...)
		}
		s = s[n:]
	}
	return to
}

// Harmless is AppendHarmless for a string, with its lines kept.
func Harmless(s string) string { return string(AppendHarmless(nil, []byte(s), true)) }

func appendEscape(to []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	return append(to, '\\', 'x', digits[c>>4], digits[c&15])
}

// invisible reports marks that change the order of the text around them, end
// lines, or hide.
func invisible(r rune) bool {
	switch {
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // embeddings, overrides, isolates
		return true
	case r == 0x200e, r == 0x200f, r == 0x061c: // direction marks
		return true
	case r == 0x2028, r == 0x2029, r == 0xfeff: // line and paragraph separator, byte order mark
		return true
	}
	return false
}

// width is how many cells of a terminal s takes: two for wide characters, none
// for combining marks.
func width(s []byte) int {
	for i, c := range s {
		if c >= utf8.RuneSelf {
			return i + wideWidth(s[i:])
		}
	}
	return len(s)
}

// wideWidth counts by rune; joined emoji are counted as their parts, as most
// terminals show them.
func wideWidth(s []byte) int {
	n := 0
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		n += narrow.RuneWidth(r)
		s = s[size:]
	}
	return n
}

// narrow counts characters of ambiguous width as narrow, whatever the locale:
// the same data gives the same table everywhere.
var narrow = &runewidth.Condition{StrictEmojiNeutral: true}
