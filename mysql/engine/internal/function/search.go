package function

import (
	"database/sql/driver"
	"regexp"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// locate is wl_locate(part, text, from, collation).
func locate(a []driver.Value) driver.Value {
	f := foldFor(a[3])
	part, s := []rune(f(value.Text(a[0]))), []rune(f(value.Text(a[1])))
	from := value.ToInt(a[2])
	if from < 1 || from > int64(len(s))+1 {
		return int64(0)
	}
	for i := int(from) - 1; i+len(part) <= len(s); i++ {
		if string(s[i:i+len(part)]) == string(part) {
			return int64(i + 1)
		}
	}
	return int64(0)
}

// like is wl_like(text, pattern, escape, collation).
func like(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	f := foldFor(a[3])
	esc := rune(-1)
	if e := []rune(value.Text(a[2])); len(e) > 0 {
		esc = e[0]
	}
	ok := Like([]rune(f(value.Text(a[0]))), []rune(f(value.Text(a[1]))), esc)
	return boolean(ok), nil
}

// Like reports whether s matches the pattern p, in which % stands for any
// characters and _ for one, unless esc stands before them.
func Like(s, p []rune, esc rune) bool {
	star, mark := -1, 0 // the last %, and where in s it was tried
	i, j := 0, 0
	for i < len(s) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark = j, i
			j++
			continue
		case j < len(p) && p[j] == esc && j+1 < len(p) && p[j+1] == s[i]:
			i, j = i+1, j+2
			continue
		case j < len(p) && (p[j] == '_' || p[j] == s[i]) && (p[j] != esc || j+1 == len(p)):
			i, j = i+1, j+1
			continue
		case star < 0:
			return false
		}
		mark++
		i, j = mark, star+1
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}

// regex is wl_regexp(text, pattern, collation).
func regex(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	flags := ""
	if strings.HasPrefix(value.Text(a[2]), "wl_ci") {
		flags = "(?i)"
	}
	re, err := regexp.Compile(flags + value.Text(a[1]))
	if err != nil {
		return nil, catalog.Errorf(1139, "Got error '%v' from regexp", err)
	}
	return boolean(re.MatchString(value.Text(a[0]))), nil
}

// field is wl_field(collation, x, a, b, …).
func field(a []driver.Value) (driver.Value, error) {
	if a[1] == nil {
		return int64(0), nil
	}
	for i, v := range a[2:] {
		if v == nil {
			continue
		}
		var same bool
		if c := value.Text(a[0]); c == "number" {
			same = value.CmpDec(value.ToDec(a[1]), value.ToDec(v)) == 0
		} else {
			same = value.Collations[collationOf(a[0])](value.Text(a[1]), value.Text(v)) == 0
		}
		if same {
			return int64(i + 1), nil
		}
	}
	return int64(0), nil
}

func findInSet(a []driver.Value) driver.Value {
	if value.Text(a[1]) == "" {
		return int64(0)
	}
	for i, s := range strings.Split(value.Text(a[1]), ",") {
		if value.Collations[collationOf(a[2])](value.Text(a[0]), s) == 0 {
			return int64(i + 1)
		}
	}
	return int64(0)
}
