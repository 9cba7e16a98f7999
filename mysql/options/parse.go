package options

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// parse reads the text of an option file. A line is empty, a comment (# or ;), a
// group in brackets, !include or !includedir, or an option.
func (r *reader) parse(name string, data []byte, depth int) error {
	group, number := "", 0
	for line := range bytes.Lines(data) {
		number++
		if len(line) > maxLine {
			return &FileError{File: name, Line: number, Err: fmt.Errorf("the line is longer than %d bytes", maxLine)}
		}
		s := strings.TrimLeft(strings.TrimRight(string(line), "\r\n"), spaces)
		var err error
		switch {
		case s == "" || s[0] == '#' || s[0] == ';':
		case s[0] == '[':
			group, err = parseGroup(s)
		case s[0] == '!':
			err = r.directive(name, strings.TrimLeft(s[1:], spaces), depth)
		case group == "":
			err = errors.New("an option stands before the first group")
		case slices.Contains(r.groups, group):
			o := parseOption(s)
			o.Group, o.File, o.Line = group, name, number
			r.options = append(r.options, o)
		}
		if inner := (*FileError)(nil); errors.As(err, &inner) {
			return inner // of an included file
		}
		if err != nil {
			return &FileError{File: name, Line: number, Err: err}
		}
	}
	return nil
}

const spaces = " \t\r\n\v\f"

func parseGroup(s string) (string, error) {
	name, _, found := strings.Cut(s[1:], "]")
	if !found {
		return "", errors.New("the name of the group has no closing bracket")
	}
	return strings.TrimRight(name, spaces), nil
}

// directive follows !include FILE and !includedir DIR.
func (r *reader) directive(file, s string, depth int) error {
	word, path := s, ""
	if i := strings.IndexAny(s, spaces); i >= 0 {
		word, path = s[:i], strings.Trim(s[i:], spaces)
	}
	if path == "" || word != "include" && word != "includedir" {
		return errors.New("behind ! there is neither include FILE nor includedir DIR")
	}
	if depth >= maxDepth {
		r.warn("%s: includes nest deeper than %d: %s was left out", file, maxDepth, path)
		return nil
	}
	if rest, ok := strings.CutPrefix(path, "~/"); ok && r.Home != "" {
		path = filepath.Join(r.Home, rest)
	}
	if word == "include" {
		return r.file(path, depth+1, false)
	}
	return r.dir(path, depth+1)
}

// parseOption reads name or name=value.
func parseOption(s string) Option {
	s = strings.TrimRight(withoutComment(s), spaces)
	name, value, given := strings.Cut(s, "=")
	o := Option{Given: given}
	o.Name, o.Loose = normalName(strings.TrimRight(name, spaces))
	if given {
		o.Value = Secret(unquote(strings.TrimLeft(value, spaces)))
	}
	return o
}

// normalName writes a name with dashes and without loose-.
func normalName(s string) (name string, loose bool) {
	s = strings.ToLower(strings.ReplaceAll(strings.TrimLeft(s, "-"), "_", "-"))
	return strings.CutPrefix(s, "loose-")
}

// withoutComment cuts off what follows a # that is not in quotes.
func withoutComment(s string) string {
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quote != 0:
			i++
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == quote:
			quote = 0
		case quote == 0 && c == '#':
			return s[:i]
		}
	}
	return s
}

// unquote takes the quotes around a value off and resolves its escapes, which
// work without quotes too.
func unquote(s string) string {
	if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		s = s[1 : n-1]
	}
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b = append(b, '\n')
		case 't':
			b = append(b, '\t')
		case 'r':
			b = append(b, '\r')
		case 'b':
			b = append(b, '\b')
		case 's':
			b = append(b, ' ')
		case '"', '\'', '\\':
			b = append(b, s[i])
		default:
			b = append(b, '\\', s[i])
		}
	}
	return string(b)
}
