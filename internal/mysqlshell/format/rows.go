package format

import (
	"sync/atomic"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// columnsOf says what the writers of package format need of the columns.
func columnsOf(columns []mysql.Column) []Column {
	all := make([]Column, len(columns))
	for i := range columns {
		c := &columns[i]
		all[i] = Column{Name: c.Name, Table: c.OrgTable, Kind: kindOf(c)}
	}
	return all
}

func kindOf(c *mysql.Column) Kind {
	switch c.Type {
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeLong, mysql.TypeLonglong, mysql.TypeInt24, mysql.TypeYear:
		return Integer
	case mysql.TypeDecimal, mysql.TypeNewDecimal:
		return Decimal
	case mysql.TypeFloat, mysql.TypeDouble:
		return Float
	case mysql.TypeDate, mysql.TypeNewDate, mysql.TypeTime, mysql.TypeDatetime, mysql.TypeTimestamp:
		return Time
	case mysql.TypeBit:
		return Bit
	case mysql.TypeGeometry, mysql.TypeVector:
		return Binary
	case mysql.TypeNull:
		return Text
	}
	switch {
	case c.JSON():
		return JSON
	case c.Collation == mysql.CollationBinary:
		return Binary
	}
	return Text
}

// WriteRows writes what is left of the present result set as a set of w, and
// returns how many rows that were. When skip becomes true the rest is read and
// not written, nor what w has collected; nil: nothing is skipped. What ended the
// rows early is in rows.Err; the rows before it are written.
func WriteRows(w Writer, rows *mysqlclient.Rows, skip *atomic.Bool) (n uint64, err error) {
	columns := rows.Columns()
	if err := w.Begin(columnsOf(columns)); err != nil {
		return 0, err
	}
	c := newRowCells(columns)
	for rows.Next() {
		if skip != nil && skip.Load() {
			continue
		}
		if err := w.Row(c.read(rows)); err != nil {
			return n, err
		}
		n++
	}
	if skip != nil && skip.Load() {
		return n, nil
	}
	return n, w.End()
}

// rowCells turns rows into the text of their cells, without allocating for each.
type rowCells struct {
	row  [][]byte
	fill []int // width to which a column is filled with zeros; 0: none
	text []byte
	ends []int
}

// yearDigits is the width of a YEAR.
const yearDigits = 4

func newRowCells(columns []mysql.Column) *rowCells {
	c := &rowCells{text: make([]byte, 0, 1024), row: make([][]byte, len(columns)), fill: make([]int, len(columns)), ends: make([]int, len(columns))}
	for i := range columns {
		switch {
		case columns[i].Type == mysql.TypeYear:
			c.fill[i] = yearDigits
		case columns[i].Flags.Has(mysql.FlagZerofill):
			c.fill[i] = int(min(columns[i].Length, 255))
		}
	}
	return c
}

// read returns the cells of the row that rows is at, valid until the next one.
func (c *rowCells) read(rows *mysqlclient.Rows) [][]byte {
	c.text = c.text[:0]
	for i := range c.row {
		if !rows.IsNull(i) {
			start := len(c.text)
			c.text = rows.AppendText(c.text, i)
			if n := c.fill[i] - (len(c.text) - start); n > 0 && len(c.text) > start {
				c.zeros(start, n)
			}
		}
		c.ends[i] = len(c.text)
	}
	start := 0
	for i, end := range c.ends {
		c.row[i] = c.text[start:end:end]
		if rows.IsNull(i) {
			c.row[i] = nil
		}
		start = end
	}
	return c.row
}

// zeros puts n zeros in front of the digits that begin at start.
func (c *rowCells) zeros(start, n int) {
	end := len(c.text)
	for range n {
		c.text = append(c.text, '0')
	}
	copy(c.text[start+n:], c.text[start:end])
	for i := range n {
		c.text[start+i] = '0'
	}
}
