package format

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// jsonRows writes each row as an object: all of a result set in one array, or,
// as NDJSON, each in a line. NULL is null; JSON columns are embedded; bytes
// that are no text are hexadecimal digits, BIT is a number. A number that
// JavaScript cannot hold exactly (an integer beyond 2^53, a DECIMAL of more
// than 15 digits) is a string.
type jsonRows struct {
	output
	lines   bool
	kinds   []Kind
	names   [][]byte // quoted, with the colon
	rows    int
	compact bytes.Buffer // a document without its line ends
	scratch []byte
}

func (w *jsonRows) Begin(cols []Column) error {
	w.kinds, w.names, w.rows = w.kinds[:0], w.names[:0], 0
	taken := make(map[string]bool, len(cols))
	for _, c := range cols {
		name := c.Name
		for n := 2; taken[name]; n++ { // a select may name two columns alike; an object may not
			name = c.Name + "_" + strconv.Itoa(n)
		}
		taken[name] = true
		w.kinds = append(w.kinds, c.Kind)
		w.names = append(w.names, append(appendJSONString(nil, []byte(name)), ':'))
	}
	if !w.lines {
		w.b = append(w.b, '[')
	}
	return nil
}

func (w *jsonRows) Row(cells [][]byte) error {
	if !w.lines {
		if w.rows > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, '\n')
	}
	w.rows++
	w.b = append(w.b, '{')
	for i, c := range cells {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, w.names[i]...)
		w.cell(w.kinds[i], c)
	}
	w.b = append(w.b, '}')
	if w.lines {
		w.b = append(w.b, '\n')
	}
	return w.full()
}

func (w *jsonRows) cell(k Kind, c []byte) {
	switch {
	case c == nil:
		w.b = append(w.b, "null"...)
	case k.number() && exactNumber(c):
		w.b = append(w.b, c...)
	case k == Float && jsonNumber(c):
		w.b = append(w.b, c...)
	case k == Bit && len(c) <= 8:
		w.scratch = appendBit(w.scratch[:0], c)
		if exactNumber(w.scratch) {
			w.b = append(w.b, w.scratch...)
			return
		}
		w.b = appendJSONString(w.b, w.scratch)
	case k.bytes():
		w.b = append(w.b, '"')
		w.b = appendDigits(w.b, c)
		w.b = append(w.b, '"')
	case k == JSON && json.Valid(c):
		w.document(c)
	default:
		w.b = appendJSONString(w.b, c)
	}
}

// document embeds a JSON value, in one line. What a terminal would act on is
// escaped; it can stand in strings only.
func (w *jsonRows) document(c []byte) {
	if bytes.IndexByte(c, '\n') >= 0 || bytes.IndexByte(c, '\r') >= 0 {
		w.compact.Reset()
		if err := json.Compact(&w.compact, c); err != nil { // it was valid a moment ago
			w.b = appendJSONString(w.b, c)
			return
		}
		c = w.compact.Bytes()
	}
	for len(c) > 0 {
		r, n := utf8.DecodeRune(c)
		if r >= 0x7f {
			w.b = appendJSONRune(w.b, r)
		} else {
			w.b = append(w.b, byte(r))
		}
		c = c[n:]
	}
}

func (w *jsonRows) End() error {
	switch {
	case w.lines:
	case w.rows > 0:
		w.b = append(w.b, "\n]\n"...)
	default:
		w.b = append(w.b, "]\n"...)
	}
	return w.flush()
}

// appendBit appends the number in at most eight big-endian bytes.
func appendBit(to, c []byte) []byte {
	var n uint64
	for _, b := range c {
		n = n<<8 | uint64(b)
	}
	return strconv.AppendUint(to, n, 10)
}

// exactNumber reports that c is a JSON number which a double holds exactly, or
// to all its digits.
func exactNumber(c []byte) bool {
	if !jsonNumber(c) {
		return false
	}
	digits, fraction := 0, false
	for _, b := range c {
		switch {
		case b == '.':
			fraction = true
		case b == 'e' || b == 'E':
			return true // the server's own double
		case b >= '1' || b == '0' && digits > 0:
			digits++
		}
	}
	if digits <= 15 {
		return true
	}
	if fraction || digits > 16 {
		return false
	}
	n, err := strconv.ParseInt(string(c), 10, 64)
	return err == nil && n >= -1<<53 && n <= 1<<53
}

// jsonNumber reports that c is a number of JSON's grammar (RFC 8259 §6).
func jsonNumber(c []byte) bool {
	if len(c) > 0 && c[0] == '-' {
		c = c[1:]
	}
	n := digits(c)
	if n == 0 || n > 1 && c[0] == '0' {
		return false
	}
	c = c[n:]
	if len(c) > 0 && c[0] == '.' {
		n = digits(c[1:])
		if n == 0 {
			return false
		}
		c = c[1+n:]
	}
	if len(c) > 0 && c[0]|0x20 == 'e' {
		c = c[1:]
		if len(c) > 0 && (c[0] == '-' || c[0] == '+') {
			c = c[1:]
		}
		n = digits(c)
		if n == 0 {
			return false
		}
		c = c[n:]
	}
	return len(c) == 0
}

func digits(c []byte) int {
	for i, b := range c {
		if b < '0' || b > '9' {
			return i
		}
	}
	return len(c)
}

// appendJSONString quotes c; bytes that are no UTF-8 become U+FFFD. Control
// characters are escaped, those of C1 too, so that the text is harmless on a
// terminal.
func appendJSONString(to, c []byte) []byte {
	to = append(to, '"')
	for len(c) > 0 {
		b := c[0]
		if b >= ' ' && b < 0x7f {
			if b == '"' || b == '\\' {
				to = append(to, '\\')
			}
			to = append(to, b)
			c = c[1:]
			continue
		}
		r, n := utf8.DecodeRune(c)
		switch b {
		case '\n':
			to = append(to, `\n`...)
		case '\t':
			to = append(to, `\t`...)
		case '\r':
			to = append(to, `\r`...)
		default:
			to = appendJSONRune(to, r)
		}
		c = c[n:]
	}
	return append(to, '"')
}

func appendJSONRune(to []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	if r < ' ' || r >= 0x7f && r < 0xa0 || invisible(r) {
		return append(to, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
	}
	return utf8.AppendRune(to, r)
}
