package lexer

import "strings"

// Mode is the part of sql_mode that changes what the bytes of a text mean.
type Mode uint8

const (
	// ANSIQuotes makes "x" a name instead of a string.
	ANSIQuotes Mode = 1 << iota
	// NoBackslashEscapes makes a backslash in a string an ordinary character.
	NoBackslashEscapes
)

// ParseMode reads the value of @@sql_mode, names separated by commas, and
// keeps what matters here. ANSI, which stands for several modes, includes
// ANSI_QUOTES.
func ParseMode(sqlMode string) Mode {
	var m Mode
	for name := range strings.SplitSeq(sqlMode, ",") {
		switch strings.ToUpper(strings.TrimSpace(name)) {
		case "ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL":
			m |= ANSIQuotes
		case "NO_BACKSLASH_ESCAPES":
			m |= NoBackslashEscapes
		}
	}
	return m
}

// Config says how the server that will run a text reads it.
type Config struct {
	Mode Mode
	// Version is the server's version as version comments count it: 80036
	// for 8.0.36, 101106 for 10.11.6. In a version comment for a later one
	// nothing is code. Zero takes every version comment as code.
	Version int
	// MariaDB makes /*M! … */ code, and comments of MySQL 5.7 to 9, which
	// MariaDB does not run, comments.
	MariaDB bool
}

// Kind says what a token is.
type Kind uint8

const (
	End         Kind = iota // after the last byte
	Space                   // white space
	Comment                 // "-- …", "# …", "/* … */", and version comments that are not for this server
	CodeOpen                // "/*!", "/*!80013", "/*M!": what follows is code
	CodeClose               // the "*/" of a CodeOpen
	Word                    // a keyword or a name without quotes
	QuotedName              // `name`, and "name" with ANSIQuotes
	String                  // 'text', and "text" without ANSIQuotes
	Number                  // 1, 1.5, .5, 1e3
	Hex                     // x'1F', 0x1F
	Bit                     // b'101', 0b101
	Placeholder             // ?
	UserVar                 // @name, @'name', @`name`
	SysVar                  // @@name, @@session.name
	Operator                // one of the operators, commas, parentheses, dots
	Bad                     // a quote or comment that never ends, or a byte that SQL has no use for
)

// String returns the name of the kind.
func (k Kind) String() string {
	names := [...]string{
		"end", "space", "comment", "code open", "code close", "word", "quoted name", "string", "number", "hex",
		"bit", "placeholder", "user variable", "system variable", "operator", "bad",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "?"
}

// Token is a piece of a text.
type Token struct {
	Kind Kind
	Pos  int    // byte offset in the text
	Text string // the bytes as they stand there; shares memory with the text
}

// Code reports whether the token counts when the statement is run: it is
// neither space nor a comment nor the mark of a version comment.
func (t Token) Code() bool {
	return t.Kind != Space && t.Kind != Comment && t.Kind != CodeOpen && t.Kind != CodeClose
}

// Is reports whether the token is the keyword or operator s, in any case of
// letters. Quoted names and strings are never keywords.
func (t Token) Is(s string) bool {
	return (t.Kind == Word || t.Kind == Operator) && strings.EqualFold(t.Text, s)
}

// Value returns what a string or a name stands for, without its quotes and
// with its escapes carried out; a variable's name without its at signs; and
// the text itself for every other kind.
func (t Token) Value(mode Mode) string {
	switch t.Kind {
	case String:
		return Unquote(t.Text, mode)
	case QuotedName:
		return unquoteName(t.Text)
	case UserVar:
		name := t.Text[1:]
		if name == "" {
			return ""
		}
		switch name[0] {
		case '\'', '"':
			return Unquote(name, mode)
		case '`':
			return unquoteName(name)
		}
		return name
	case SysVar:
		return strings.ReplaceAll(t.Text[2:], "`", "")
	}
	return t.Text
}
