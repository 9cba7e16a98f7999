// Package format writes result sets: as the aligned table of the mysql shell,
// vertically, as its batch output byte for byte, and as CSV, JSON, NDJSON,
// Markdown, HTML, XML and INSERT statements.
//
// A Writer knows rows of text cells and nothing of where they come from; WriteRows
// gives it those of a package mysqlclient. Everything streams: a row is written when it comes, except that a table first collects
// rows, up to a bound, to know how wide its columns are. No writer allocates
// per row. Where the output is a terminal, what the server sent cannot control
// it: see [Options].
//
// It does not write to a terminal by itself, page, or colour.
package format

import (
	"errors"
	"fmt"
	"io"
)

// Kind is what a writer needs to know of a column's type.
type Kind uint8

// The kinds of columns. Numbers are aligned to the right and stand unquoted in
// JSON and INSERT statements.
const (
	Text    Kind = iota
	Integer      // digits, maybe with a sign, maybe filled with zeros
	Decimal      // exact: digits with a point
	Float        // as the server prints it
	Time         // dates, times of day, both
	JSON         // a JSON document
	Binary       // bytes that are no text
	Bit          // a number in big-endian bytes
)

// number reports whether cells of the kind are aligned to the right.
func (k Kind) number() bool { return k == Integer || k == Decimal || k == Float }

// bytes reports whether cells of the kind are no text.
func (k Kind) bytes() bool { return k == Binary || k == Bit }

// Column describes a column of a result set.
type Column struct {
	Name  string
	Table string // where it comes from, for INSERT; may be empty
	Kind  Kind
}

// A Writer writes result sets, one after another. Its methods return the first
// error of the io.Writer behind it. It is for one goroutine at a time.
type Writer interface {
	// Begin begins a result set of the columns. They are kept until End.
	Begin(cols []Column) error
	// Row writes a row: a cell for each column, nil for NULL. The cells are
	// used during the call only.
	Row(cells [][]byte) error
	// End ends the result set and writes what was held back.
	End() error
}

// Options are how a Writer writes. The zero value is the plain format.
type Options struct {
	NoNames bool // no line of column names
	Raw     bool // batch: no escapes
	Quick   bool // batch, HTML: the names also when no row follows, as mysql -q has it
	Hex     bool // table, vertical, batch: bytes that are no text as 0x…

	// Terminal makes what could control a terminal visible instead: control
	// characters, bytes that are no UTF-8, marks that change the direction of
	// text. Table cells of several lines stay in their column.
	Terminal bool
	// Columns is the width of the terminal. When not 0, a table that is wider
	// is written vertically.
	Columns int
	// TableBytes is how much a table collects before it decides how wide its
	// columns are. 0 is 16 MiB.
	TableBytes int

	Table     string // INSERT: the table; empty is the one the first column comes from
	Statement string // XML: what was asked; see SetStatement
}

// Names are the formats that New knows.
func Names() []string {
	return []string{"table", "vertical", "batch", "load", "csv", "json", "ndjson", "markdown", "insert", "html", "xml"}
}

// ErrName says that there is no such format.
var ErrName = errors.New("no such output format")

// New returns a writer of the format to w; nil options are the defaults.
func New(name string, w io.Writer, o *Options) (Writer, error) {
	if o == nil {
		o = &Options{}
	}
	out := output{w: w}
	opt := *o
	switch name {
	case "table":
		return &table{output: out, opt: opt}, nil
	case "vertical":
		return &vertical{output: out, opt: opt}, nil
	case "batch":
		return &batch{output: out, opt: opt}, nil
	case "load":
		return &batch{output: out, load: true}, nil
	case "csv":
		return &csv{output: out, opt: opt}, nil
	case "json":
		return &jsonRows{output: out}, nil
	case "ndjson":
		return &jsonRows{output: out, lines: true}, nil
	case "markdown":
		return &markdown{output: out, opt: opt}, nil
	case "insert":
		return &insert{output: out, opt: opt}, nil
	case "html":
		return &html{output: out, opt: opt}, nil
	case "xml":
		return &xml{output: out, opt: opt}, nil
	}
	return nil, fmt.Errorf("%q: %w", name, ErrName)
}

// SetStatement tells a writer that names the statement (XML) what was asked.
func SetStatement(w Writer, statement string) {
	if x, ok := w.(*xml); ok {
		x.opt.Statement = statement
	}
}

// flushSize is how much output is collected before it is written.
const flushSize = 64 << 10

// output collects what a writer wrote.
type output struct {
	w io.Writer
	b []byte
}

// full writes out what was collected when it is much.
func (o *output) full() error {
	if len(o.b) < flushSize {
		return nil
	}
	return o.flush()
}

// flush writes out what was collected.
func (o *output) flush() error {
	if len(o.b) == 0 {
		return nil
	}
	_, err := o.w.Write(o.b)
	o.b = o.b[:0]
	return err
}

// appendHex appends b as 0x and upper-case hexadecimal digits, as mysql's
// --binary-as-hex does.
func appendHex(to, b []byte) []byte { return appendDigits(append(to, "0x"...), b) }

func appendDigits(to, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range b {
		to = append(to, digits[c>>4], digits[c&15])
	}
	return to
}
