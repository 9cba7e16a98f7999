package lexer

import "strings"

// Quote returns s as a string literal, in single quotes. Without
// NoBackslashEscapes in mode everything that could end the string, or that a
// terminal or an old client would trip over, is escaped; with it only quotes
// are doubled.
func Quote(s string, mode Mode) string {
	return string(AppendQuote(make([]byte, 0, len(s)+2), s, mode))
}

// AppendQuote appends what [Quote] returns to dst.
func AppendQuote[T ~string | ~[]byte](dst []byte, s T, mode Mode) []byte {
	dst = append(dst, '\'')
	for i := range len(s) {
		c := s[i]
		if mode&NoBackslashEscapes != 0 {
			if c == '\'' {
				dst = append(dst, '\'')
			}
			dst = append(dst, c)
			continue
		}
		switch c {
		case '\'', '\\', '"':
			dst = append(dst, '\\', c)
		case 0:
			dst = append(dst, '\\', '0')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case 0x1a:
			dst = append(dst, '\\', 'Z')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '\'')
}

// QuoteIdent returns name in backticks. Give the parts of a qualified name one
// by one.
func QuoteIdent(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// Unquote returns what the string literal text, in its quotes, stands for. In
// a pattern for LIKE \% and \_ stay as they are, so they do here.
func Unquote(text string, mode Mode) string {
	if len(text) < 2 {
		return text
	}
	quote := text[0]
	body := text[1 : len(text)-1]
	if strings.IndexByte(body, quote) < 0 && (mode&NoBackslashEscapes != 0 || strings.IndexByte(body, '\\') < 0) {
		return body
	}
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c == quote && i+1 < len(body):
			i++
		case c == '\\' && mode&NoBackslashEscapes == 0 && i+1 < len(body):
			i++
			if body[i] == '%' || body[i] == '_' {
				out = append(out, '\\')
			}
			c = unescape(body[i])
		}
		out = append(out, c)
	}
	return string(out)
}

// unescape returns what a backslash and c stand for.
func unescape(c byte) byte {
	switch c {
	case '0':
		return 0
	case 'b':
		return '\b'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'Z':
		return 0x1a
	}
	return c
}

func unquoteName(text string) string {
	if len(text) < 2 {
		return text
	}
	q := text[:1]
	return strings.ReplaceAll(text[1:len(text)-1], q+q, q)
}
