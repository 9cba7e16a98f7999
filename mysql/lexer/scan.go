package lexer

import (
	"iter"
	"strings"
)

// Scanner yields the tokens of a text one after the other. Together they are
// the text.
type Scanner struct {
	src  string
	pos  int
	cfg  Config
	code int  // version comments that are open
	name bool // the last token that counts was a name: a dot after it is no number's
	dot  bool // the last token that counts was a dot: a name may begin with digits
}

// NewScanner returns a Scanner of src.
func NewScanner(src string, cfg Config) *Scanner { return &Scanner{src: src, cfg: cfg} }

// Tokens yields every token of src but the End.
func Tokens(src string, cfg Config) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		s := NewScanner(src, cfg)
		for t := s.Next(); t.Kind != End; t = s.Next() {
			if !yield(t) {
				return
			}
		}
	}
}

// Code returns the tokens of src that count when it is run, see [Token.Code].
func Code(src string, cfg Config) []Token {
	var list []Token
	for t := range Tokens(src, cfg) {
		if t.Code() {
			list = append(list, t)
		}
	}
	return list
}

// Placeholders returns the offsets of the question marks that stand for
// parameters: not those in strings, names and comments.
func Placeholders(src string, cfg Config) []int {
	var list []int
	for t := range Tokens(src, cfg) {
		if t.Kind == Placeholder {
			list = append(list, t.Pos)
		}
	}
	return list
}

// Next returns the next token, and one of kind End when there is none.
func (s *Scanner) Next() Token {
	if s.pos >= len(s.src) {
		return Token{Kind: End, Pos: s.pos}
	}
	kind, n := s.scan(s.src[s.pos:])
	t := Token{Kind: kind, Pos: s.pos, Text: s.src[s.pos : s.pos+n]}
	s.pos += n
	if t.Code() {
		s.name = kind == Word || kind == QuotedName
		s.dot = kind == Operator && t.Text == "."
	}
	return t
}

// scan says what stands at the beginning of b, which is not empty, and how
// long it is.
func (s *Scanner) scan(b string) (Kind, int) {
	c := b[0]
	switch {
	case isSpace(c):
		return Space, spanFunc(b, isSpace)
	case c == '#', c == '-' && isDashComment(b):
		return Comment, lineEnd(b)
	case c == '/' && strings.HasPrefix(b, "/*"):
		return s.comment(b)
	case c == '*' && s.code > 0 && strings.HasPrefix(b, "*/"):
		s.code--
		return CodeClose, 2
	case c == '\'':
		return s.quoted(b, String)
	case c == '"' && s.cfg.Mode&ANSIQuotes == 0:
		return s.quoted(b, String)
	case c == '"', c == '`':
		return s.quoted(b, QuotedName)
	case c == '?':
		return Placeholder, 1
	case c == '@':
		return s.variable(b)
	case isDigit(c), c == '.' && !s.name && !s.dot && len(b) > 1 && isDigit(b[1]):
		return s.number(b)
	case isName(c):
		return s.word(b)
	}
	return operator(b)
}

// comment scans what begins with "/*".
func (s *Scanner) comment(b string) (Kind, int) {
	mark := 3
	isCode := strings.HasPrefix(b, "/*!")
	if strings.HasPrefix(b, "/*M!") {
		mark, isCode = 4, s.cfg.MariaDB
	}
	if isCode {
		n, version := mark, 0
		for n < len(b) && n < mark+6 && isDigit(b[n]) {
			version = version*10 + int(b[n]-'0')
			n++
		}
		if digits := n - mark; digits < 5 {
			n, version = mark, 0 // the digits are the beginning of the code
		}
		if s.runs(version, mark == 4) {
			s.code++
			return CodeOpen, n
		}
	}
	n := commentEnd(b, isCode)
	if n < 0 {
		return Bad, len(b)
	}
	return Comment, n
}

// runs says whether the code for version is for this server.
func (s *Scanner) runs(version int, mariaMark bool) bool {
	if s.cfg.MariaDB && !mariaMark && version >= 50700 && version <= 99999 {
		return false // MariaDB leaves to MySQL what MySQL made after the two parted
	}
	return s.cfg.Version == 0 || version <= s.cfg.Version
}

// commentEnd returns the length of the comment that b begins with, or -1 when
// it does not end. Within code that is for another server comments nest.
func commentEnd(b string, nested bool) int {
	for n := 2; ; {
		i := strings.Index(b[n:], "*/")
		if i < 0 {
			return -1
		}
		open := strings.Index(b[n:n+i], "/*")
		if !nested || open < 0 {
			return n + i + 2
		}
		n += i + 2 // the end of the inner comment
	}
}

// quoted scans a string or a quoted name.
func (s *Scanner) quoted(b string, kind Kind) (Kind, int) {
	n := quotedEnd(b, kind == String && s.cfg.Mode&NoBackslashEscapes == 0)
	if n < 0 {
		return Bad, len(b)
	}
	return kind, n
}

// quotedEnd returns the length of what stands in the quotes that b begins
// with, both included, or -1 when it does not end.
func quotedEnd(b string, backslash bool) int {
	quote := b[0]
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '\\' && backslash:
			i++
		case b[i] != quote:
		case i+1 < len(b) && b[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// variable scans what begins with an at sign.
func (s *Scanner) variable(b string) (Kind, int) {
	if strings.HasPrefix(b, "@@") {
		n := 2
		for n < len(b) && (isName(b[n]) || b[n] == '.' || b[n] == '`') {
			if b[n] != '`' {
				n++
				continue
			}
			end := quotedEnd(b[n:], false)
			if end < 0 {
				return Bad, len(b)
			}
			n += end
		}
		return SysVar, n
	}
	if len(b) > 1 && (b[1] == '\'' || b[1] == '"' || b[1] == '`') {
		n := quotedEnd(b[1:], b[1] != '`' && s.cfg.Mode&NoBackslashEscapes == 0)
		if n < 0 {
			return Bad, len(b)
		}
		return UserVar, 1 + n
	}
	return UserVar, 1 + spanFunc(b[1:], func(c byte) bool { return isName(c) || c == '.' })
}

// number scans what begins with a digit or with a dot before one. A name may
// begin with digits too, but not consist of them.
func (s *Scanner) number(b string) (Kind, int) {
	word := spanFunc(b, isName)
	if s.dot {
		return Word, word
	}
	if word > 2 && b[0] == '0' && (b[1] == 'x' || b[1] == 'b') {
		digits, kind := isHex, Hex
		if b[1] == 'b' {
			digits, kind = isBinary, Bit
		}
		if 2+spanFunc(b[2:], digits) == word {
			return kind, word
		}
		return Word, word
	}
	n := spanFunc(b, isDigit)
	if n < len(b) && b[n] == '.' {
		n += 1 + spanFunc(b[n+1:], isDigit)
	} else if word > n && exponent(b[n:]) == 0 {
		return Word, word
	}
	return Number, n + exponent(b[n:])
}

// exponent returns the length of the exponent that b begins with.
func exponent(b string) int {
	if b == "" || b[0] != 'e' && b[0] != 'E' {
		return 0
	}
	n := 1
	if n < len(b) && (b[n] == '+' || b[n] == '-') {
		n++
	}
	digits := spanFunc(b[n:], isDigit)
	if digits == 0 || n+digits < len(b) && n == 1 && isName(b[n+digits]) {
		return 0
	}
	return n + digits
}

// word scans a keyword or name, and the literals x'…' and b'…'.
func (s *Scanner) word(b string) (Kind, int) {
	if len(b) > 1 && b[1] == '\'' && !s.dot {
		var digits func(byte) bool
		kind := Hex
		switch b[0] {
		case 'x', 'X':
			digits = isHex
		case 'b', 'B':
			digits, kind = isBinary, Bit
		}
		if digits != nil {
			n := 2 + spanFunc(b[2:], digits)
			if n < len(b) && b[n] == '\'' {
				return kind, n + 1
			}
		}
	}
	return Word, spanFunc(b, isName)
}

// operators of more than one byte, the longer ones first.
var operators = [...]string{"<=>", "->>", "<<", ">>", "<=", ">=", "<>", "!=", ":=", "&&", "||", "->"}

func operator(b string) (Kind, int) {
	for _, op := range operators {
		if strings.HasPrefix(b, op) {
			return Operator, len(op)
		}
	}
	if strings.IndexByte("+-*/%=<>!~^&|().,;:{}", b[0]) >= 0 {
		return Operator, 1
	}
	return Bad, 1
}

func isDashComment(b string) bool {
	return strings.HasPrefix(b, "--") && (len(b) == 2 || b[2] <= ' ' || b[2] == 0x7f)
}

// lineEnd returns the length of the line that b begins with, without its end.
func lineEnd(b string) int {
	if n := strings.IndexByte(b, '\n'); n >= 0 {
		return n
	}
	return len(b)
}

func spanFunc[T string | []byte](b T, in func(byte) bool) int {
	n := 0
	for n < len(b) && in(b[n]) {
		n++
	}
	return n
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isBinary(c byte) bool {
	return c == '0' || c == '1'
}

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isName(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}
