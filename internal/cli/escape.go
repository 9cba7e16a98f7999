package cli

import (
	"fmt"
	"io"
)

// escapeReader passes the user's keystrokes on and acts on what follows a
// tilde, or another escape character, at the beginning of a line, as ssh(1)
// does: ~. ends the session, ~~ sends a tilde, ~? lists the escapes. It is used
// by one goroutine.
type escapeReader struct {
	r       io.Reader
	out     io.Writer // for ~?
	char    byte      // the tilde, unless EscapeChar says something else
	hangup  func()    // for ~.
	newline bool      // the next character begins a line
	tilde   bool      // a tilde at the beginning of a line was held back
	pending []byte
}

func newEscapeReader(r io.Reader, out io.Writer, char byte, hangup func()) *escapeReader {
	return &escapeReader{r: r, out: out, char: char, hangup: hangup, newline: true}
}

func (e *escapeReader) Read(p []byte) (int, error) {
	for {
		if len(e.pending) > 0 {
			n := copy(p, e.pending)
			e.pending = e.pending[n:]
			return n, nil
		}
		buf := make([]byte, min(len(p), 4096))
		n, err := e.r.Read(buf)
		for _, c := range buf[:n] {
			if e.key(c) {
				return 0, io.EOF
			}
		}
		if err != nil && len(e.pending) == 0 {
			return 0, err
		}
	}
}

// key takes one character and reports whether it ends the session.
func (e *escapeReader) key(c byte) (end bool) {
	if e.tilde {
		e.tilde = false
		switch c {
		case '.':
			e.hangup()
			return true
		case '?':
			fmt.Fprintf(e.out, "%[1]s?\r\n  %[1]s.  end the session\r\n  %[1]s%[1]s  send the escape character\r\n  %[1]s?  this list\r\n(only at the beginning of a line)\r\n", e.name())
			e.newline = true
			return false
		case e.char:
			e.pending = append(e.pending, c)
			e.newline = false
			return false
		}
		e.pending = append(e.pending, e.char)
	} else if e.newline && c == e.char {
		e.tilde = true
		return false
	}
	e.pending = append(e.pending, c)
	e.newline = c == '\r' || c == '\n'
	return false
}

// name shows the escape character.
func (e *escapeReader) name() string {
	if e.char < ' ' {
		return "^" + string(rune(e.char+'@'))
	}
	return string(rune(e.char))
}
