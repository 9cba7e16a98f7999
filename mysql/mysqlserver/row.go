package mysqlserver

import (
	"context"
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/value"
	"github.com/wirelark/wirelark/wire"
)

// rowWriter turns values into rows. It allocates when a result set begins, and
// when a row needs more room than all before it.
type rowWriter struct {
	columns []mysql.Column
	values  []mysql.Value // fitted to the columns
	text    mysql.TextRow
	binary  *mysql.BinaryRow // nil: text rows
	scratch []byte           // texts of values that are not texts
	spans   []span           // of the cells in it
}

// span is a piece of the scratch; from -1: the cell has bytes of its own.
type span struct{ from, to int }

func (r *rowWriter) begin(c *Conn, columns []mysql.Column, binary bool) {
	r.columns = make([]mysql.Column, len(columns))
	for i := range columns {
		r.columns[i] = value.Complete(columns[i], c.s.collation())
	}
	r.values = make([]mysql.Value, len(columns))
	r.binary = nil
	if binary {
		r.binary = mysql.NewBinaryRow(r.columns)
		r.binary.Values = r.values
		return
	}
	r.text.Cells = make([][]byte, len(columns))
	r.spans = make([]span, len(columns))
}

// message returns the row of values. It is valid until the next one.
func (r *rowWriter) message(values []mysql.Value) (wire.Message, error) {
	r.scratch = r.scratch[:0]
	for i := range values {
		fitted, err := value.Fit(&values[i], &r.columns[i])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errMisuse, err)
		}
		r.values[i] = fitted
	}
	if r.binary != nil {
		r.spell()
		return r.binary, nil
	}
	for i := range r.values {
		v := &r.values[i]
		r.spans[i] = span{from: -1}
		switch v.Kind() {
		case mysql.KindNull:
			r.text.Cells[i] = nil
		case mysql.KindText, mysql.KindBytes, mysql.KindDecimal, mysql.KindBit:
			if r.text.Cells[i] = v.Bytes(); r.text.Cells[i] == nil {
				r.text.Cells[i] = noBytes
			}
		default:
			from := len(r.scratch)
			r.scratch = r.columns[i].AppendText(r.scratch, v)
			r.spans[i] = span{from, len(r.scratch)}
		}
	}
	for i, s := range r.spans { // now that the scratch does not move any more
		if s.from >= 0 {
			r.text.Cells[i] = r.scratch[s.from:s.to]
		}
	}
	return &r.text, nil
}

// spell writes the texts of values that are in columns of texts and are none.
func (r *rowWriter) spell() {
	for i := range r.values {
		v := &r.values[i]
		switch {
		case v.IsNull() || !value.IsString(r.columns[i].Type):
		case v.Kind() < mysql.KindDecimal || v.Kind() > mysql.KindBit:
			from := len(r.scratch)
			r.scratch = r.columns[i].AppendText(r.scratch, v)
			*v = mysql.Text(r.scratch[from:]) // a later growth leaves these bytes where they are
		}
	}
}

// noBytes is an empty cell, which is not NULL.
var noBytes = []byte{}

// Row sends one row, in the form that the client wants. Each value is converted
// to the type of its column; len(values) is the number of columns. The values
// and what they refer to are free again when Row has returned. It allocates
// nothing, and waits while the client does not read.
//
// It returns the context's cause when the statement has been interrupted.
func (w *Writer) Row(values []mysql.Value) error {
	switch {
	case w.state != inRows:
		return misuse("a row without columns")
	case len(values) != len(w.rows.columns):
		return misuse("a row of %d values for %d columns", len(values), len(w.rows.columns))
	case w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	}
	m, err := w.rows.message(values)
	if err != nil {
		return err
	}
	if w.gather != nil {
		kept, err := w.gather.add(w, m)
		if kept || err != nil {
			return err
		}
	}
	return w.c.append(m)
}
