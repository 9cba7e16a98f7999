package shell

import (
	"errors"
	"strings"
)

// word is one argument of a command line. Text is what it means literally;
// Pattern is the same as a path.Match pattern, in which characters that were
// quoted or escaped stand for themselves.
type word struct {
	Text    string
	Pattern string
}

// magic reports whether the word asks to be matched against names.
func (w word) magic() bool { return w.Text != "" && strings.ContainsAny(unescaped(w.Pattern), "*?[") }

// unescaped drops what a backslash makes literal.
func unescaped(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' {
			i++
			continue
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// Words cuts a line into words, as the lines of the shell are cut.
func Words(line string) ([]string, error) {
	list, err := split(line)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(list))
	for i, w := range list {
		texts[i] = w.Text
	}
	return texts, nil
}

// split cuts a line into words as sftp(1) does: white space separates; single
// and double quotes group; a backslash takes the next character as it is; an
// unquoted # begins a comment.
func split(line string) ([]word, error) {
	var words []word
	var text, pattern strings.Builder
	open := false
	quote := byte(0)
	add := func(c byte, literal bool) {
		open = true
		text.WriteByte(c)
		if literal && strings.IndexByte(`*?[]\~`, c) >= 0 {
			pattern.WriteByte('\\')
		}
		pattern.WriteByte(c)
	}
	end := func() {
		if open {
			words = append(words, word{text.String(), pattern.String()})
		}
		text.Reset()
		pattern.Reset()
		open = false
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && quote != '\'':
			i++
			if i == len(line) {
				return nil, errors.New("the line ends in a backslash")
			}
			add(line[i], true)
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			add(c, true)
		case c == '"' || c == '\'':
			quote, open = c, true
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			end()
		case c == '#' && !open:
			return words, nil
		default:
			add(c, false)
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	end()
	return words, nil
}
