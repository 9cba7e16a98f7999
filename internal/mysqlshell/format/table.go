package format

import "bytes"

const (
	// defaultTableBytes bounds what a table collects.
	defaultTableBytes = 16 << 20
	// maxWidth bounds the width of a column, so that one long cell does not
	// make every row as long.
	maxWidth = 64 << 10
)

// table is the aligned table of the mysql shell. It collects rows until it has
// all of them, or TableBytes; then the widths are fixed, and what follows is
// written when it comes, its longer cells sticking out.
type table struct {
	output
	opt    Options
	cols   []Column
	right  []bool
	bytes  []bool
	widths []int
	names  [][]byte

	// Cells that were collected, in the form in which they are shown.
	text    []byte
	ends    []int // of each cell in text
	fixed   bool  // the widths are, and the head is written
	instead *vertical
	rest    [][]byte // of the cells of a row, by line
}

func (w *table) Begin(cols []Column) error {
	w.cols = cols
	w.right, w.bytes, w.widths, w.names = w.right[:0], w.bytes[:0], w.widths[:0], w.names[:0]
	w.text, w.ends, w.fixed, w.instead = w.text[:0], w.ends[:0], false, nil
	for _, c := range cols {
		name := []byte(c.Name)
		if w.opt.Terminal {
			name = AppendHarmless(nil, name, false)
		}
		n := 0
		if !w.opt.NoNames {
			n = width(name)
		}
		w.names = append(w.names, name)
		w.right = append(w.right, c.Kind.number())
		w.bytes = append(w.bytes, w.opt.Hex && c.Kind.bytes())
		w.widths = append(w.widths, n)
	}
	return nil
}

func (w *table) Row(cells [][]byte) error {
	switch {
	case w.instead != nil:
		return w.instead.Row(cells)
	case w.fixed:
		w.text, w.ends = w.text[:0], w.ends[:0]
		w.collect(cells)
		w.line(0)
		return w.full()
	}
	w.collect(cells)
	limit := w.opt.TableBytes
	if limit == 0 {
		limit = defaultTableBytes
	}
	if len(w.text)+8*len(w.ends) < limit {
		return nil
	}
	return w.fix()
}

// collect appends the shown form of the cells and widens their columns.
func (w *table) collect(cells [][]byte) {
	for i, c := range cells {
		start := len(w.text)
		switch {
		case c == nil:
			w.text = append(w.text, "NULL"...)
		case w.bytes[i]:
			w.text = appendHex(w.text, c)
		case w.opt.Terminal:
			w.text = AppendHarmless(w.text, c, true)
		default:
			w.text = append(w.text, c...)
		}
		w.ends = append(w.ends, len(w.text))
		if !w.fixed {
			w.widths[i] = max(w.widths[i], min(maxWidth, w.cellWidth(w.text[start:])))
		}
	}
}

// cellWidth is the width of the longest line of a cell, where cells have lines.
func (w *table) cellWidth(c []byte) int {
	if !w.opt.Terminal || bytes.IndexByte(c, '\n') < 0 {
		return width(c)
	}
	widest := 0
	for len(c) > 0 {
		line, rest, _ := bytes.Cut(c, []byte{'\n'})
		widest, c = max(widest, width(line)), rest
	}
	return widest
}

// fix decides on the widths and writes what was collected.
func (w *table) fix() error {
	w.fixed = true
	total := 1
	for _, n := range w.widths {
		total += n + 3
	}
	if w.opt.Columns > 0 && total > w.opt.Columns {
		return w.turn()
	}
	if len(w.ends) == 0 {
		return nil
	}
	w.rule()
	if !w.opt.NoNames {
		for i, name := range w.names {
			w.b = append(w.b, "| "...)
			w.b = append(w.b, name...)
			w.b = pad(w.b, w.widths[i]-width(name)+1)
		}
		w.b = append(w.b, "|\n"...)
		w.rule()
	}
	for at := 0; at < len(w.ends); at += len(w.cols) {
		w.line(at)
		if err := w.full(); err != nil {
			return err
		}
	}
	return nil
}

// turn goes on vertically. What was collected has its shown form already.
func (w *table) turn() error {
	opt := w.opt
	opt.Terminal, opt.Hex = false, false
	cols := make([]Column, len(w.cols))
	for i, c := range w.cols {
		cols[i] = Column{Name: string(w.names[i]), Kind: c.Kind}
	}
	w.instead = &vertical{output: output{w: w.w}, opt: opt}
	if err := w.instead.Begin(cols); err != nil {
		return err
	}
	cells := make([][]byte, len(cols))
	for at := 0; at < len(w.ends); at += len(cols) {
		for i := range cells {
			cells[i] = w.at(at + i)
		}
		if err := w.instead.Row(cells); err != nil {
			return err
		}
	}
	w.instead.opt = w.opt
	for i, c := range w.cols {
		w.instead.bytes[i] = w.opt.Hex && c.Kind.bytes()
	}
	return nil
}

// at is the n-th cell that was collected.
func (w *table) at(n int) []byte {
	start := 0
	if n > 0 {
		start = w.ends[n-1]
	}
	return w.text[start:w.ends[n]]
}

func (w *table) rule() {
	for _, n := range w.widths {
		w.b = append(w.b, '+')
		for range n + 2 {
			w.b = append(w.b, '-')
		}
	}
	w.b = append(w.b, "+\n"...)
}

// line writes the row whose cells begin at the given one.
func (w *table) line(first int) {
	if w.opt.Terminal {
		w.lines(first)
		return
	}
	for i := range w.cols {
		w.padded(i, w.at(first+i))
	}
	w.b = append(w.b, "|\n"...)
}

// lines writes a row of cells of several lines each.
func (w *table) lines(first int) {
	w.rest = w.rest[:0]
	for i := range w.cols {
		w.rest = append(w.rest, w.at(first+i))
	}
	for more := true; more; {
		more = false
		for i, c := range w.rest {
			line, rest, _ := bytes.Cut(c, []byte{'\n'})
			w.padded(i, line)
			w.rest[i] = rest
			more = more || len(rest) > 0
		}
		w.b = append(w.b, "|\n"...)
	}
}

func (w *table) padded(i int, c []byte) {
	gap := w.widths[i] - width(c)
	w.b = append(w.b, "| "...)
	if w.right[i] {
		w.b = pad(w.b, gap)
	}
	w.b = appendShown(w.b, c)
	if !w.right[i] {
		w.b = pad(w.b, gap)
	}
	w.b = append(w.b, ' ')
}

func (w *table) End() error {
	if w.instead == nil && !w.fixed {
		if err := w.fix(); err != nil {
			return err
		}
	}
	if w.instead != nil {
		return w.instead.End()
	}
	if len(w.ends) > 0 {
		w.rule()
	}
	if cap(w.text) > flushSize {
		w.text, w.ends = nil, nil // an idle shell holds no large buffer
	}
	return w.flush()
}
