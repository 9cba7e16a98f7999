package mysqlshell

import (
	"context"
	"crypto/tls"
	"sync/atomic"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// formatColumns says what the writers of package format need of the columns.
func formatColumns(columns []mysql.Column) []format.Column {
	all := make([]format.Column, len(columns))
	for i := range columns {
		c := &columns[i]
		all[i] = format.Column{Name: c.Name, Table: c.OrgTable, Kind: kindOf(c)}
	}
	return all
}

func kindOf(c *mysql.Column) format.Kind {
	switch c.Type {
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeLong, mysql.TypeLonglong, mysql.TypeInt24, mysql.TypeYear:
		return format.Integer
	case mysql.TypeDecimal, mysql.TypeNewDecimal:
		return format.Decimal
	case mysql.TypeFloat, mysql.TypeDouble:
		return format.Float
	case mysql.TypeDate, mysql.TypeNewDate, mysql.TypeTime, mysql.TypeDatetime, mysql.TypeTimestamp:
		return format.Time
	case mysql.TypeBit:
		return format.Bit
	case mysql.TypeGeometry, mysql.TypeVector:
		return format.Binary
	case mysql.TypeNull:
		return format.Text
	}
	switch {
	case c.JSON():
		return format.JSON
	case c.Collation == mysql.CollationBinary:
		return format.Binary
	}
	return format.Text
}

// WriteRows writes what is left of the present result set as a set of w, and
// returns how many rows that were. When skip becomes true the rest is read and
// not written; nil: nothing is skipped. What ended the rows early is in
// rows.Err; the rows before it are written.
func WriteRows(w format.Writer, rows *mysqlclient.Rows, skip *atomic.Bool) (n uint64, err error) {
	columns := rows.Columns()
	if err := w.Begin(formatColumns(columns)); err != nil {
		return 0, err
	}
	c := newCells(columns)
	for rows.Next() {
		if skip != nil && skip.Load() {
			continue
		}
		if err := w.Row(c.read(rows)); err != nil {
			return n, err
		}
		n++
	}
	return n, w.End()
}

// cells turns rows into the text of their cells, without allocating for each.
type cells struct {
	row  [][]byte
	fill []int // width to which a column is filled with zeros; 0: none
	text []byte
	ends []int
}

// yearDigits is the width of a YEAR.
const yearDigits = 4

func newCells(columns []mysql.Column) *cells {
	c := &cells{text: make([]byte, 0, 1024), row: make([][]byte, len(columns)), fill: make([]int, len(columns)), ends: make([]int, len(columns))}
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
func (c *cells) read(rows *mysqlclient.Rows) [][]byte {
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
func (c *cells) zeros(start, n int) {
	end := len(c.text)
	for range n {
		c.text = append(c.text, '0')
	}
	copy(c.text[start+n:], c.text[start:end])
	for i := range n {
		c.text[start+i] = '0'
	}
}

// column asks for the first column of an answer, up to a number of rows.
func column(ctx context.Context, conn *mysqlclient.Conn, sql string, most int) ([]string, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	var all []string
	for rows.Next() && len(rows.Columns()) > 0 {
		if len(all) < most {
			all = append(all, rows.String(0))
		}
	}
	return all, rows.Close()
}

func tlsVersion(v uint16) string { return tls.VersionName(v) }

func cipherName(id uint16) string { return tls.CipherSuiteName(id) }
