package config

import (
	"strings"
)

// A line is one line of a configuration, cut into its parts.
type line struct {
	file   string
	number int
	key    string   // lower case
	rest   string   // what follows it, as it was written
	args   []string // rest as words, without quotes and comment
	more   []string // args that have not been taken
}

const blanks = " \t"

// cutLine cuts a text into keyword and the rest. Keyword and rest stand apart
// by blanks or by one = with or without blanks around it. ok is false for empty
// lines and comments.
func cutLine(text string) (key, rest string, ok bool) {
	text = strings.TrimRight(text, " \t\r\n\f")
	text = strings.TrimLeft(text, blanks+"\r")
	if text == "" || text[0] == '#' {
		return "", "", false
	}
	if quoted, is := strings.CutPrefix(text, `"`); is {
		key, rest, _ = strings.Cut(quoted, `"`)
	} else if i := strings.IndexAny(text, blanks+`="`); i >= 0 {
		key, rest = text[:i], text[i:]
	} else {
		key = text
	}
	rest = strings.TrimLeft(rest, blanks)
	if after, is := strings.CutPrefix(rest, "="); is {
		rest = strings.TrimLeft(after, blanks)
	}
	return strings.ToLower(key), rest, true
}

// words cuts the value of a keyword into words: blanks separate them, single or
// double quotes join, a backslash takes the meaning from a quote or another
// backslash, and from a blank outside of quotes. A # that begins a word begins
// a comment. ok is false when a quote is not closed.
func words(s string) (list []string, ok bool) {
	for i := 0; i < len(s); {
		if strings.IndexByte(blanks, s[i]) >= 0 {
			i++
			continue
		}
		if s[i] == '#' {
			break
		}
		word, end, closed := oneWord(s[i:])
		if !closed {
			return nil, false
		}
		list = append(list, word)
		i += end
	}
	return list, true
}

// oneWord returns the word at the beginning of s, and where it ends.
func oneWord(s string) (word string, end int, closed bool) {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && (strings.IndexByte(`'"\`, s[i+1]) >= 0 || quote == 0 && s[i+1] == ' '):
			i++
			b.WriteByte(s[i])
		case quote == 0 && strings.IndexByte(blanks, c) >= 0:
			return b.String(), i, true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), len(s), quote == 0
}

// raw is the value of a keyword that takes the rest of its line as it is.
func (l *line) raw() string { return strings.TrimLeft(l.rest, blanks+"=") }

// next takes the next word.
func (l *line) next() (word string, ok bool) {
	if len(l.more) == 0 {
		return "", false
	}
	word, l.more = l.more[0], l.more[1:]
	return word, true
}
