package mysql

import "github.com/wirelark/wirelark/wire"

// ColumnCount begins a result set: the definitions of the columns follow.
// Manual: Protocol::Text Resultset.
type ColumnCount struct {
	Count    uint64
	Metadata uint8 // if definitions are optional: 1, they follow; 0, they do not
}

func (m *ColumnCount) Fields(c *wire.Coder) {
	c.LenInt("column_count", &m.Count)
	if caps(c).MetadataFlag() {
		c.U8("metadata_follows", &m.Metadata)
	}
}

// TextRow is a row of an answer to [Query]. Manual: Text Resultset Row.
//
// To decode it one must know the number of columns: see [NewTextRow]. A
// TextRow that was not told leaves the cells in Unparsed.
type TextRow struct {
	Cells    [][]byte // nil: NULL; they alias the packet
	Unparsed []byte   // aliases the packet

	columns int // 0: not known
}

// NewTextRow returns an empty row of n columns. Decoding one packet after
// another into it allocates nothing after the first.
func NewTextRow(n int) *TextRow { return &TextRow{columns: n} }

func (m *TextRow) Fields(c *wire.Coder) {
	if c.Decoding() && m.columns == 0 || !c.Decoding() && m.Unparsed != nil {
		c.Rest("cells", &m.Unparsed)
		return
	}
	if c.Decoding() {
		if !c.Fits(uint64(m.columns)) { // a cell takes a byte at least
			c.Fail("cells", wire.ErrShort)
			return
		}
		if cap(m.Cells) < m.columns {
			m.Cells = make([][]byte, m.columns)
		}
		m.Cells = m.Cells[:m.columns]
	}
	wire.Each(c, "cells", m.Cells, cellFields)
}

func cellFields(_ int, b *[]byte, c *wire.Coder) { c.LenNullBytes("value", b) }

// BinaryRow is a row of an answer to [StmtExecute]. Manual: Binary Resultset
// Row.
//
// To encode and decode it one must know the columns: see [NewBinaryRow]. A
// BinaryRow that was not told leaves the values in Unparsed.
type BinaryRow struct {
	Values   []Value // they alias the packet
	Unparsed []byte  // aliases the packet

	types []cellType
}

// RowShape is what of columns decides about the layout of their rows. It may
// be shared by many rows.
type RowShape struct{ types []cellType }

// NewRowShape returns the shape of rows of the columns.
func NewRowShape(columns []Column) RowShape {
	types := make([]cellType, len(columns))
	for i := range columns {
		types[i] = cellTypeOf(&columns[i])
	}
	return RowShape{types}
}

// Columns returns the number of columns; 0 for the zero RowShape, which knows
// none.
func (s RowShape) Columns() int { return len(s.types) }

// Row returns an empty row. Decoding one packet after another into it
// allocates nothing after the first.
func (s RowShape) Row() *BinaryRow { return &BinaryRow{types: s.types} }

// NewBinaryRow returns an empty row of the columns, as [RowShape.Row] does.
func NewBinaryRow(columns []Column) *BinaryRow { return NewRowShape(columns).Row() }

func (m *BinaryRow) Fields(c *wire.Coder) {
	if len(m.types) == 0 || !c.Decoding() && m.Unparsed != nil {
		c.Rest("values", &m.Unparsed)
		return
	}
	n := len(m.types)
	var store [64]byte
	nulls := bitmap(store[:], n+2) // the first two bits are not used
	switch {
	case c.Decoding() && cap(m.Values) < n:
		m.Values = make([]Value, n)
	case c.Decoding():
		m.Values = m.Values[:n]
	case len(m.Values) != n:
		c.Fail("values", wire.ErrRange)
		return
	default:
		for i := range m.Values {
			if m.Values[i].IsNull() {
				setBit(nulls, i+2)
			}
		}
	}
	c.Raw("null_bitmap", len(nulls), &nulls)
	if c.Failed() {
		return
	}
	wire.Each(c, "values", m.Values, func(i int, v *Value, c *wire.Coder) {
		switch {
		case !hasBit(nulls, i+2):
			m.types[i].fields(c, v)
		case c.Decoding():
			*v = Value{}
		}
	})
}
