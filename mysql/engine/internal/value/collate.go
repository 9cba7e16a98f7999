package value

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// Collations are the orders in which texts and what is held as text are
// compared. All but the one of MySQL 8's collations take no notice of spaces
// at the end.
var Collations = map[string]func(a, b string) int{
	"wl_ci":       func(a, b string) int { return CompareFold(strings.TrimRight(a, " "), strings.TrimRight(b, " ")) },
	"wl_ci_nopad": CompareFold,
	"wl_bin":      comparePadded,
	"wl_cs":       comparePadded,
	"wl_decimal": func(a, b string) int {
		if a == b {
			return 0
		}
		return CmpDec(parseDec(a), parseDec(b))
	},
	"wl_time": func(a, b string) int {
		x, _ := ParseTime(a)
		y, _ := ParseTime(b)
		return cmp.Compare(x, y)
	},
}

// comparePadded compares code points as if the shorter text had spaces at its
// end.
func comparePadded(a, b string) int {
	n := min(len(a), len(b))
	if c := strings.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	for _, c := range []byte(a[n:]) {
		if c != ' ' {
			return cmp.Compare(c, ' ')
		}
	}
	for _, c := range []byte(b[n:]) {
		if c != ' ' {
			return cmp.Compare(' ', c)
		}
	}
	return 0
}

// CompareFold compares the weights of utf8mb4_general_ci, character by
// character.
func CompareFold(a, b string) int {
	for a != "" && b != "" {
		var x, y rune
		var n, m int
		if a[0] < utf8.RuneSelf {
			x, n = rune(a[0]), 1
		} else {
			x, n = utf8.DecodeRuneInString(a)
		}
		if b[0] < utf8.RuneSelf {
			y, m = rune(b[0]), 1
		} else {
			y, m = utf8.DecodeRuneInString(b)
		}
		a, b = a[n:], b[m:]
		if x == y {
			continue
		}
		if c := cmp.Compare(weight(x), weight(y)); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// Fold returns s with every character replaced by the one that stands for its
// weight: texts that are equal in utf8mb4_general_ci become the same.
func Fold(s string) string {
	return strings.Map(weight, s)
}
