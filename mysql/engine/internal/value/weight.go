package value

import (
	_ "embed"
	"strings"
	"unicode"
)

// weightsText lists the characters whose weight in utf8mb4_general_ci is not
// simply their capital letter, as the servers have it: lines of a weight and
// the characters that have it.
//
//go:embed weights.txt
var weightsText string

var weights = func() map[rune]rune {
	m := make(map[rune]rune, 1024)
	for line := range strings.SplitSeq(weightsText, "\n") {
		r := []rune(line)
		for _, c := range r[min(1, len(r)):] {
			m[c] = r[0]
		}
	}
	return m
}()

// weight returns the character that c is compared as. Characters beyond
// U+FFFF are all alike in utf8mb4_general_ci.
func weight(c rune) rune {
	switch {
	case c >= 'a' && c <= 'z':
		return c - 'a' + 'A'
	case c < 0x80:
		return c
	case c > 0xffff:
		return 0xfffd
	}
	if w, ok := weights[c]; ok {
		return w
	}
	return unicode.ToUpper(c)
}
