package format

import "unicode/utf8"

// markdown is a table of Markdown, numbers to the right.
type markdown struct {
	output
	opt   Options
	bytes []bool
}

func (w *markdown) Begin(cols []Column) error {
	w.bytes = w.bytes[:0]
	for _, c := range cols {
		w.bytes = append(w.bytes, c.Kind.bytes())
		w.b = append(w.b, "| "...)
		w.b = w.cell(w.b, []byte(c.Name))
		w.b = append(w.b, ' ')
	}
	w.b = append(w.b, "|\n"...)
	for _, c := range cols {
		if c.Kind.number() {
			w.b = append(w.b, "|---:"...)
		} else {
			w.b = append(w.b, "|---"...)
		}
	}
	w.b = append(w.b, "|\n"...)
	return nil
}

func (w *markdown) Row(cells [][]byte) error {
	for i, c := range cells {
		w.b = append(w.b, "| "...)
		switch {
		case c == nil:
			w.b = append(w.b, "NULL"...)
		case w.bytes[i]:
			w.b = appendHex(w.b, c)
		default:
			w.b = w.cell(w.b, c)
		}
		w.b = append(w.b, ' ')
	}
	w.b = append(w.b, "|\n"...)
	return w.full()
}

// cell keeps what Markdown would take for its own as text.
func (w *markdown) cell(to, c []byte) []byte {
	for len(c) > 0 {
		r, n := utf8.DecodeRune(c)
		switch {
		case r == '\n':
			to = append(to, "<br>"...)
		case r == '\r':
		case r == '&':
			to = append(to, "&amp;"...)
		case r == '<':
			to = append(to, "&lt;"...)
		case r == '|', r == '\\', r == '*', r == '_', r == '`', r == '[', r == ']':
			to = append(to, '\\', byte(r))
		case w.opt.Terminal:
			to = AppendHarmless(to, c[:n], false)
		default:
			to = append(to, c[:n]...)
		}
		c = c[n:]
	}
	return to
}

func (w *markdown) End() error { return w.flush() }
