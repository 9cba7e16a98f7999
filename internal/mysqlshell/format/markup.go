package format

import "unicode/utf8"

// html is the output of mysql -H, xml that of mysql -X, byte for byte.
type html struct {
	output
	opt  Options
	head []byte // until it is written
}

func (w *html) Begin(cols []Column) error {
	w.head = append(w.head[:0], "<TABLE BORDER=1><TR>"...) // with -N too: mysql leaves it open
	if !w.opt.NoNames {
		for _, c := range cols {
			w.head = append(w.head, "<TH>"...)
			w.head = appendMarkup(w.head, []byte(c.Name), w.opt.Terminal)
			w.head = append(w.head, "</TH>"...)
		}
		w.head = append(w.head, "</TR>"...)
	}
	if w.opt.Quick {
		w.begin()
	}
	return nil
}

// begin writes the head when there is something to write below it.
func (w *html) begin() {
	w.b = append(w.b, w.head...)
	w.head = w.head[:0]
}

func (w *html) Row(cells [][]byte) error {
	w.begin()
	w.b = append(w.b, "<TR>"...)
	for _, c := range cells {
		w.b = append(w.b, "<TD>"...)
		if c == nil {
			w.b = append(w.b, "NULL"...)
		} else {
			w.b = appendMarkup(w.b, c, w.opt.Terminal)
		}
		w.b = append(w.b, "</TD>"...)
	}
	w.b = append(w.b, "</TR>"...)
	return w.full()
}

func (w *html) End() error {
	if len(w.head) == 0 {
		w.b = append(w.b, "</TABLE>"...)
	}
	return w.flush()
}

type xml struct {
	output
	opt   Options
	names [][]byte
	rows  int
}

func (w *xml) Begin(cols []Column) error {
	w.names, w.rows = w.names[:0], 0
	for _, c := range cols {
		w.names = append(w.names, appendMarkup(nil, []byte(c.Name), w.opt.Terminal))
	}
	w.b = append(w.b, "<?xml version=\"1.0\"?>\n\n<resultset statement=\""...)
	w.b = appendMarkup(w.b, []byte(w.opt.Statement), w.opt.Terminal)
	w.b = append(w.b, "\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"...)
	return nil
}

func (w *xml) Row(cells [][]byte) error {
	w.rows++
	if w.rows > 1 {
		w.b = append(w.b, '\n')
	}
	w.b = append(w.b, "\n  <row>\n"...)
	for i, c := range cells {
		w.b = append(w.b, "\t<field name=\""...)
		w.b = append(w.b, w.names[i]...)
		if c == nil {
			w.b = append(w.b, "\" xsi:nil=\"true\" />\n"...)
			continue
		}
		w.b = append(w.b, "\">"...)
		w.b = appendMarkup(w.b, c, w.opt.Terminal)
		w.b = append(w.b, "</field>\n"...)
	}
	w.b = append(w.b, "  </row>"...)
	return w.full()
}

func (w *xml) End() error {
	if w.rows > 0 {
		w.b = append(w.b, '\n')
	}
	w.b = append(w.b, "</resultset>\n"...)
	return w.flush()
}

// appendMarkup writes text between tags, a zero byte as a space as mysql does;
// on a terminal it is harmless.
func appendMarkup(to, c []byte, terminal bool) []byte {
	for i := 0; i < len(c); {
		switch b := c[i]; {
		case b == '&':
			to = append(to, "&amp;"...)
		case b == '<':
			to = append(to, "&lt;"...)
		case b == '>':
			to = append(to, "&gt;"...)
		case b == '"':
			to = append(to, "&quot;"...)
		case b == 0:
			to = append(to, ' ')
		case terminal && (b < ' ' && b != '\n' && b != '\t' || b >= 0x7f):
			_, n := utf8.DecodeRune(c[i:])
			to = AppendHarmless(to, c[i:i+n], true)
			i += n
			continue
		default:
			to = append(to, b)
		}
		i++
	}
	return to
}
