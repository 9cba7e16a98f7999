package format

import "encoding/binary"

// batch is the output of mysql -B, byte for byte: a line per row, tabs between
// the cells, NULL, and \t \n \0 \\ inside them.
//
// As load it is what LOAD DATA reads by default: \N for NULL, no names, and
// bytes that are no text as hexadecimal digits.
type batch struct {
	output
	load  bool
	opt   Options
	bytes []bool // columns that are shown as hexadecimal digits
	head  []byte // the line of names, until it is written
}

func (w *batch) Begin(cols []Column) error {
	w.bytes, w.head = w.bytes[:0], w.head[:0]
	for i, c := range cols {
		w.bytes = append(w.bytes, (w.opt.Hex || w.load) && c.Kind.bytes())
		if w.opt.NoNames || w.load {
			continue
		}
		if i > 0 {
			w.head = append(w.head, '\t')
		}
		if w.opt.Terminal {
			w.head = AppendHarmless(w.head, []byte(c.Name), false)
		} else {
			w.head = append(w.head, c.Name...) // mysql does not escape names
		}
	}
	if !w.opt.NoNames && !w.load {
		w.head = append(w.head, '\n')
	}
	if w.opt.Quick {
		w.begin()
	}
	return nil
}

// begin writes the head when there is something to write below it: mysql -B
// says nothing about a set without rows.
func (w *batch) begin() {
	w.b = append(w.b, w.head...)
	w.head = w.head[:0]
}

func (w *batch) Row(cells [][]byte) error {
	if len(w.head) > 0 {
		w.begin()
	}
	b := w.b
	for i, c := range cells {
		if i > 0 {
			b = append(b, '\t')
		}
		switch {
		case c == nil && w.load:
			b = append(b, '\\', 'N')
		case c == nil:
			b = append(b, "NULL"...)
		case w.bytes[i] && w.load:
			b = appendDigits(b, c)
		case w.bytes[i]:
			b = appendHex(b, c)
		case w.opt.Terminal:
			b = AppendHarmless(b, c, w.opt.Raw)
		case w.opt.Raw, plain(c):
			b = append(b, c...)
		default:
			b = appendBatch(b, c)
		}
	}
	w.b = append(b, '\n')
	return w.full()
}

func (w *batch) End() error { return w.flush() }

// plain reports that c has nothing to escape. It looks at eight bytes at a
// time: a byte of v is 0 only if v-low has its high bit set and v has not.
func plain(c []byte) bool {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for ; len(c) >= 8; c = c[8:] {
		v := binary.LittleEndian.Uint64(c)
		tab, line, slash := v^low*'\t', v^low*'\n', v^low*'\\'
		if ((v-low)&^v|(tab-low)&^tab|(line-low)&^line|(slash-low)&^slash)&high != 0 {
			return false
		}
	}
	for _, b := range c {
		if b == 0 || b == '\t' || b == '\n' || b == '\\' {
			return false
		}
	}
	return true
}

func appendBatch(to, c []byte) []byte {
	for _, b := range c {
		switch b {
		case 0:
			to = append(to, '\\', '0')
		case '\t':
			to = append(to, '\\', 't')
		case '\n':
			to = append(to, '\\', 'n')
		case '\\':
			to = append(to, '\\', '\\')
		default:
			to = append(to, b)
		}
	}
	return to
}
