package format

import "strconv"

// vertical writes a line per cell, under a line of stars per row, as \G does.
type vertical struct {
	output
	opt   Options
	names [][]byte // right-aligned, with the colon
	bytes []bool
	row   int
}

func (w *vertical) Begin(cols []Column) error {
	w.names, w.bytes, w.row = w.names[:0], w.bytes[:0], 0
	widest := 0
	for _, c := range cols {
		name := []byte(c.Name)
		if w.opt.Terminal {
			name = AppendHarmless(nil, name, false)
		}
		w.names = append(w.names, name)
		w.bytes = append(w.bytes, w.opt.Hex && c.Kind.bytes())
		widest = max(widest, width(name))
	}
	for i, name := range w.names {
		line := pad(nil, widest-width(name))
		line = append(line, name...)
		w.names[i] = append(line, ": "...)
	}
	return nil
}

func (w *vertical) Row(cells [][]byte) error {
	w.row++
	const stars = "***************************"
	w.b = append(w.b, stars...)
	w.b = append(w.b, ' ')
	w.b = strconv.AppendInt(w.b, int64(w.row), 10)
	w.b = append(w.b, ". row "...)
	w.b = append(w.b, stars...)
	w.b = append(w.b, '\n')
	for i, c := range cells {
		if !w.opt.NoNames {
			w.b = append(w.b, w.names[i]...)
		}
		switch {
		case c == nil:
			w.b = append(w.b, "NULL"...)
		case w.bytes[i]:
			w.b = appendHex(w.b, c)
		case w.opt.Terminal:
			w.b = AppendHarmless(w.b, c, true)
		default:
			w.b = appendShown(w.b, c)
		}
		w.b = append(w.b, '\n')
	}
	return w.full()
}

func (w *vertical) End() error { return w.flush() }

func pad(to []byte, n int) []byte {
	for range n {
		to = append(to, ' ')
	}
	return to
}

// appendShown appends c with its zero bytes as spaces, as mysql does where
// people look.
func appendShown(to, c []byte) []byte {
	start := len(to)
	to = append(to, c...)
	for i, b := range to[start:] {
		if b == 0 {
			to[start+i] = ' '
		}
	}
	return to
}
