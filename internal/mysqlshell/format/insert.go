package format

import "github.com/wirelark/wirelark/mysql/lexer"

// An INSERT statement takes up to these many rows and bytes, well below what
// any server takes in one packet.
const (
	insertRows  = 1000
	insertBytes = 512 << 10
)

// insert writes INSERT statements of many rows each. Strings are quoted for a
// server in its default sql_mode; bytes and BIT are hexadecimal literals.
type insert struct {
	output
	opt         Options
	kinds       []Kind
	head        []byte
	rows, bytes int // of the statement that is open
	scratch     []byte
}

func (w *insert) Begin(cols []Column) error {
	name := w.opt.Table
	if name == "" && len(cols) > 0 {
		name = cols[0].Table
	}
	if name == "" {
		name = "table"
	}
	w.kinds, w.rows, w.bytes = w.kinds[:0], 0, 0
	w.head = append(w.head[:0], "INSERT INTO "...)
	w.head = append(w.head, lexer.QuoteIdent(name)...)
	w.head = append(w.head, " ("...)
	for i, c := range cols {
		if i > 0 {
			w.head = append(w.head, ',')
		}
		w.head = append(w.head, lexer.QuoteIdent(c.Name)...)
		w.kinds = append(w.kinds, c.Kind)
	}
	w.head = append(w.head, ") VALUES\n"...)
	if w.opt.Terminal {
		w.head = AppendHarmless(nil, w.head, true)
	}
	return nil
}

func (w *insert) Row(cells [][]byte) error {
	start := len(w.b)
	if w.rows == 0 {
		w.b = append(w.b, w.head...)
	} else {
		w.b = append(w.b, ",\n"...)
	}
	w.b = append(w.b, '(')
	for i, c := range cells {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		switch k := w.kinds[i]; {
		case c == nil:
			w.b = append(w.b, "NULL"...)
		case k.number() && plainNumber(c):
			w.b = append(w.b, c...)
		case k.bytes() && len(c) > 0:
			w.b = appendHex(w.b, c)
		default:
			w.b = w.quote(c)
		}
	}
	w.b = append(w.b, ')')
	w.rows++
	w.bytes += len(w.b) - start
	if w.rows == insertRows || w.bytes >= insertBytes {
		w.close()
	}
	return w.full()
}

func (w *insert) close() {
	if w.rows > 0 {
		w.b = append(w.b, ";\n"...)
	}
	w.rows, w.bytes = 0, 0
}

func (w *insert) End() error {
	w.close()
	return w.flush()
}

// plainNumber reports that c is a literal that needs no quotes.
func plainNumber(c []byte) bool {
	for i, b := range c {
		switch {
		case b >= '0' && b <= '9', b == '-' && i == 0, i > 0 && (b == '.' || b == 'e' || b == '-' || b == '+'):
		default:
			return false
		}
	}
	return len(c) > 0
}

// quote appends a string literal. On a terminal it is harmless, which for some
// characters means that it is another string.
func (w *insert) quote(c []byte) []byte {
	if !w.opt.Terminal {
		return lexer.AppendQuote(w.b, c, 0)
	}
	w.scratch = lexer.AppendQuote(w.scratch[:0], c, 0)
	return AppendHarmless(w.b, w.scratch, false)
}
