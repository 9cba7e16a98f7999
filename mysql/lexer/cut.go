package lexer

import (
	"bytes"
	"errors"
	"strings"
)

// ErrTooLong is returned for a statement longer than [CutConfig.MaxBytes].
var ErrTooLong = errors.New("statement is too long")

// MaxStatement is the default of [CutConfig.MaxBytes]: the largest packet that
// a server can be told to take.
const MaxStatement = 1 << 30

// CutConfig says how a script is cut into statements.
type CutConfig struct {
	Mode Mode
	// Delimiter ends a statement; empty means ";". The script can change it
	// with the command DELIMITER.
	Delimiter string
	// Commands makes \g, \G and \c outside of strings end a statement, as the
	// mysql command line does.
	Commands bool
	// KeepDelimiter takes the word DELIMITER for SQL.
	KeepDelimiter bool
	// MaxBytes bounds a statement; 0 means MaxStatement.
	MaxBytes int
}

// Statement is a piece of a script.
type Statement struct {
	// SQL is the statement without its delimiter and without space around it;
	// comments in front of it belong to it. It is the caller's to keep.
	SQL string
	// End is what ended the statement: the delimiter, `\g`, `\G`, `\c` (the
	// statement was given up), or nothing at the end of the script.
	End string
	// Line is the number of the line that the statement begins in, from 1.
	Line int
	// Pos is the offset of the statement's first byte in the script.
	Pos int64
}

// Cutter cuts a script that arrives in pieces into statements. Between BEGIN
// and END of a stored program no delimiter counts, so that programs may be
// written without changing it. The zero value is no Cutter: see [NewCutter].
type Cutter struct {
	cfg   CutConfig
	delim string
	buf   []byte // begins with the statement that is not finished
	pos   int    // how far buf has been scanned
	base  int64  // offset of buf[0] in the script
	line  int    // line of buf[0]
	final bool   // nothing follows buf
	state cutState
}

// cutState is what the scan knows about the statement so far.
type cutState struct {
	quote   byte // ' " or `: inside; '#': in a comment to the end of the line; '*': in a block comment
	begun   bool // something that is no space and no comment was seen
	code    int  // version comments that are open
	words   int  // words seen so far
	program bool // it makes a stored program: BEGIN and END count
	creates bool // the first word was CREATE
	body    bool // a first BEGIN was seen
	depth   int  // of BEGIN and CASE
	end     bool // the last word was END
}

// NewCutter returns a Cutter.
func NewCutter(cfg CutConfig) *Cutter {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = MaxStatement
	}
	c := &Cutter{cfg: cfg, delim: cfg.Delimiter, line: 1}
	if c.delim == "" {
		c.delim = ";"
	}
	return c
}

// Delimiter returns the delimiter that counts now.
func (c *Cutter) Delimiter() string { return c.delim }

// Pending tells what an unfinished statement waits for: nothing (0, there is
// none), its delimiter (';'), the end of a quote (`'` or '"' or '`'), or the
// end of a comment ('*'). A shell shows it in its prompt.
func (c *Cutter) Pending() byte {
	switch q := c.state.quote; {
	case q != 0 && q != '#':
		return q
	case c.state.begun:
		return ';'
	}
	return 0
}

// Feed adds the next bytes of the script. They are copied.
func (c *Cutter) Feed(p []byte) { c.buf = append(c.buf, p...) }

// Reset drops what is unfinished, but keeps the delimiter.
func (c *Cutter) Reset() {
	c.drop(len(c.buf))
	c.state = cutState{}
}

// Finish says that nothing follows: [Cutter.Next] will return what is left as
// the last statement.
func (c *Cutter) Finish() { c.final = true }

// Next returns the next complete statement. It returns false when it needs
// more of the script. The error is ErrTooLong, after which the Cutter should
// not be used.
func (c *Cutter) Next() (Statement, bool, error) {
	for c.pos < len(c.buf) {
		end, n, ok := c.step()
		if !ok {
			break // what stands here depends on what follows
		}
		if n < 0 {
			continue
		}
		st := c.take(c.pos, end)
		c.drop(c.pos + n)
		c.state = cutState{}
		if st.SQL != "" || end == `\c` {
			return st, true, nil
		}
	}
	if len(c.buf) > c.cfg.MaxBytes {
		return Statement{}, false, ErrTooLong
	}
	if !c.final || !c.state.begun {
		return Statement{}, false, nil
	}
	st := c.take(len(c.buf), "")
	c.Reset()
	return st, st.SQL != "", nil
}

// take makes the statement of the first n bytes.
func (c *Cutter) take(n int, end string) Statement {
	body := c.buf[:n]
	text := bytes.TrimLeft(body, " \t\r\n\v\f")
	lead := len(body) - len(text)
	return Statement{
		SQL:  string(bytes.TrimRight(text, " \t\r\n\v\f")),
		End:  end,
		Line: c.line + bytes.Count(body[:lead], []byte("\n")),
		Pos:  c.base + int64(lead),
	}
}

// drop forgets the first n bytes.
func (c *Cutter) drop(n int) {
	c.line += bytes.Count(c.buf[:n], []byte("\n"))
	c.base += int64(n)
	rest := len(c.buf) - n
	if n > 1<<20 && rest < n/4 {
		c.buf = append([]byte(nil), c.buf[n:]...) // give back what a long statement took
	} else {
		c.buf = c.buf[n:]
	}
	c.pos = 0
}

// step scans one item at pos. It returns ok false if it has to see more of the
// script first, and n >= 0 when a statement ends before pos, with n bytes of
// delimiter.
func (c *Cutter) step() (end string, n int, ok bool) {
	b := c.buf[c.pos:]
	if c.state.quote != 0 {
		return "", -1, c.inside(b)
	}
	ch := b[0]
	if len(b) < c.need(ch) && !c.final {
		return "", 0, false
	}
	switch {
	case c.state.depth == 0 && bytes.HasPrefix(b, []byte(c.delim)):
		return c.delim, len(c.delim), true
	case ch == '\n' || isSpace(ch):
		c.pos++
	case ch == '\'' || ch == '"' || ch == '`':
		c.state.quote, c.state.begun = ch, true
		c.pos++
	case ch == '#', isDashComment(string(b[:min(len(b), 3)])):
		c.state.quote = '#'
	case bytes.HasPrefix(b, []byte("/*!")), bytes.HasPrefix(b, []byte("/*M!")):
		c.state.code++
		c.state.begun = true
		c.pos += 3
	case bytes.HasPrefix(b, []byte("/*")):
		c.state.quote = '*'
		c.pos += 2
	case c.state.code > 0 && bytes.HasPrefix(b, []byte("*/")):
		c.state.code--
		c.pos += 2
	case ch == '\\' && c.cfg.Commands && len(b) > 1 && strings.IndexByte("gGc", b[1]) >= 0:
		return string(b[:2]), 2, true
	case isName(ch):
		return c.word(b)
	default:
		c.state.begun, c.state.end = true, false
		c.pos++
	}
	return "", -1, true
}

// need is how many bytes have to be there to tell what begins with ch.
func (c *Cutter) need(ch byte) int {
	n := 1
	if ch == c.delim[0] {
		n = len(c.delim)
	}
	switch ch {
	case '/':
		n = max(n, 4)
	case '-':
		n = max(n, 3)
	case '*', '\\':
		n = max(n, 2)
	}
	return n
}

// inside goes on in a quote or comment. It reports false when it has to see
// more of the script.
func (c *Cutter) inside(b []byte) bool {
	q := c.state.quote
	switch q {
	case '#':
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			c.pos = len(c.buf)
			return true
		}
		c.pos += i
		c.state.quote = 0
		return true
	case '*':
		i := bytes.Index(b, []byte("*/"))
		if i >= 0 {
			c.pos += i + 2
			c.state.quote = 0
			return true
		}
		keep := 0
		if b[len(b)-1] == '*' && !c.final {
			keep = 1
		}
		c.pos = len(c.buf) - keep
		return keep == 0
	}
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && q != '`' && c.cfg.Mode&NoBackslashEscapes == 0:
			if i+1 == len(b) {
				c.pos += i
				if c.final {
					c.pos++
				}
				return c.final
			}
			i++
		case b[i] == q: // a doubled quote ends one string and begins another: the same to us
			c.pos += i + 1
			c.state.quote = 0
			return true
		}
	}
	c.pos = len(c.buf)
	return true
}

// word scans a word, which may be the command DELIMITER, or contain a
// delimiter that is made of letters.
func (c *Cutter) word(b []byte) (end string, n int, ok bool) {
	size := spanFunc(b[:min(len(b), 1024)], isName)
	if i := bytes.Index(b[:min(len(b), size+len(c.delim)-1)], []byte(c.delim)); i > 0 && c.state.depth == 0 && isName(c.delim[0]) {
		size = i
	}
	if size == len(b) && !c.final {
		return "", 0, false
	}
	word := string(b[:size])
	if !c.state.begun && !c.cfg.KeepDelimiter && strings.EqualFold(word, "delimiter") {
		return c.command(b, size)
	}
	c.state.begun = true
	c.state.keyword(strings.ToUpper(word), c.previous() == '.')
	c.pos += size
	return "", -1, true
}

// previous returns the byte before pos.
func (c *Cutter) previous() byte {
	if c.pos == 0 {
		return 0
	}
	return c.buf[c.pos-1]
}

// command carries out DELIMITER, which takes the rest of its line.
func (c *Cutter) command(b []byte, size int) (end string, n int, ok bool) {
	eol := bytes.IndexByte(b, '\n')
	if eol < 0 {
		if !c.final {
			return "", 0, false
		}
		eol = len(b)
	}
	if f := strings.Fields(string(b[size:eol])); len(f) > 0 {
		c.delim = f[0]
	}
	c.drop(c.pos + eol)
	c.state = cutState{}
	return "", -1, true
}

// keyword keeps count of the blocks of a stored program.
func (s *cutState) keyword(word string, qualified bool) {
	s.words++
	if qualified {
		s.end = false
		return
	}
	switch word {
	case "CREATE":
		s.creates = s.creates || s.words == 1
	case "TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "USER", "ROLE", "SERVER":
		s.creates = false // a column may be called event
	case "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE":
		s.program = s.program || s.creates && !s.body && s.words < 16
	case "NOT":
		// BEGIN NOT ATOMIC is MariaDB's block outside of a program.
		if s.words == 2 && s.body && !s.program {
			s.program, s.depth = true, 1
		}
	case "BEGIN":
		s.body = true
		if s.program {
			s.depth++
		}
	case "CASE":
		if s.program && s.body && !s.end {
			s.depth++
		}
	case "IF", "LOOP", "WHILE", "REPEAT":
		// "END IF" ends no block that is counted: END has taken one too many.
		if s.end && s.program && s.body {
			s.depth++
		}
	case "END":
		if s.depth > 0 {
			s.depth--
			s.end = true
			return
		}
	}
	s.end = false
}
