package format

import "bytes"

// csv is RFC 4180: lines end in CR LF, and a cell with a comma, a quote or a
// line end stands in quotes. NULL is nothing, an empty string is "".
type csv struct {
	output
	opt   Options
	bytes []bool
}

func (w *csv) Begin(cols []Column) error {
	w.bytes = w.bytes[:0]
	for i, c := range cols {
		w.bytes = append(w.bytes, c.Kind.bytes())
		if w.opt.NoNames {
			continue
		}
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = w.cell(w.b, []byte(c.Name))
	}
	if !w.opt.NoNames {
		w.b = append(w.b, "\r\n"...)
	}
	return nil
}

func (w *csv) Row(cells [][]byte) error {
	b := w.b
	for i, c := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case c == nil:
		case w.bytes[i]:
			b = appendHex(b, c)
		default:
			b = w.cell(b, c)
		}
	}
	w.b = append(b, "\r\n"...)
	return w.full()
}

func (w *csv) cell(to, c []byte) []byte {
	start := len(to)
	if w.opt.Terminal {
		to = AppendHarmless(to, c, true)
		c = to[start:]
	} else {
		to = append(to, c...)
	}
	if len(c) > 0 && bytes.IndexByte(c, ',') < 0 && bytes.IndexByte(c, '"') < 0 &&
		bytes.IndexByte(c, '\n') < 0 && bytes.IndexByte(c, '\r') < 0 {
		return to
	}
	quotes := bytes.Count(to[start:], []byte{'"'})
	end := len(to)
	for range quotes + 2 {
		to = append(to, '"')
	}
	// Shift from the end, so that no second buffer is needed.
	at := len(to) - 1
	for i := end - 1; i >= start; i-- {
		at--
		to[at] = to[i]
		if to[i] == '"' {
			at--
			to[at] = '"'
		}
	}
	to[start], to[len(to)-1] = '"', '"'
	return to
}

func (w *csv) End() error { return w.flush() }
