package sqldriver

import (
	"database/sql"
	"database/sql/driver"
	"io"
	"math"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// rows are an answer as database/sql reads it: result sets alone; results
// without rows are passed over.
type rows struct {
	c     *Conn
	r     *mysqlclient.Rows
	outs  []*sql.Out
	names []string
	text  []byte // of values of the present row that are times
	// first is a row that was read to see whether the OUT parameters are in it,
	// and second says that r has the one behind it already.
	first  []driver.Value
	second bool
}

var (
	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
)

// rows goes on to the first result set, if there is one.
func (c *Conn) rows(r *mysqlclient.Rows, outs []*sql.Out) (driver.Rows, error) {
	rs := &rows{c: c, r: r, outs: outs}
	if err := rs.settle(); err != nil && err != io.EOF { //nolint:errorlint // settle returns it as it is
		_ = r.Close() // the first error is the one that counts
		return nil, err
	}
	return rs, nil
}

// settle passes over results that database/sql does not see: those without rows,
// and the OUT parameters. It returns io.EOF when nothing else is left.
func (rs *rows) settle() error {
	for {
		if rs.r.Columns() != nil {
			outs, err := rs.ahead()
			if err != nil {
				return rs.c.fail(err)
			}
			if !outs {
				rs.names = nil
				return nil
			}
		}
		if !rs.r.NextResult() {
			if err := rs.r.Err(); err != nil {
				return rs.c.fail(err)
			}
			return io.EOF
		}
	}
}

// ahead looks whether the present result set is the OUT parameters, and stores
// them. The server says so only behind their row, so that a row which turns out
// to be another one is kept.
func (rs *rows) ahead() (outs bool, err error) {
	rs.first, rs.second = nil, false
	if rs.outs == nil || len(rs.r.Columns()) != len(rs.outs) || !rs.r.Next() {
		return false, rs.r.Err()
	}
	row := rowOf(rs.r)
	first := make([]driver.Value, len(row))
	if err := rs.read(first); err != nil {
		return false, err
	}
	for i, v := range first {
		if b, ok := v.([]byte); ok {
			first[i] = append([]byte{}, b...)
		}
	}
	rs.second = rs.r.Next()
	if err := rs.r.Err(); err != nil {
		return false, err
	}
	if rs.second || !rs.r.OutParams() {
		rs.first = first
		return false, nil
	}
	outs = true
	err = assignOuts(row, rs.outs)
	rs.outs = nil
	return outs, err
}

// Columns implements [driver.Rows].
func (rs *rows) Columns() []string {
	columns := rs.r.Columns()
	if rs.names == nil {
		rs.names = make([]string, len(columns))
		for i := range columns {
			rs.names[i] = columns[i].Name
			if rs.c.cfg.TableNames && columns[i].Table != "" {
				rs.names[i] = columns[i].Table + "." + columns[i].Name
			}
		}
	}
	return rs.names
}

// Next implements [driver.Rows]. Bytes in dest are valid until the next call.
func (rs *rows) Next(dest []driver.Value) error {
	switch {
	case rs.first != nil:
		copy(dest, rs.first)
		rs.first = nil
		return nil
	case rs.second:
		rs.second = false
	case !rs.r.Next():
		if err := rs.r.Err(); err != nil {
			return rs.c.fail(err)
		}
		return io.EOF
	}
	return rs.read(dest)
}

// read stores the present row.
func (rs *rows) read(dest []driver.Value) error {
	rs.text = rs.text[:0]
	for i := range dest {
		v := rs.r.Cell(i)
		if err := rs.value(&dest[i], i, &v); err != nil {
			return err
		}
	}
	if err := rs.r.Err(); err != nil {
		return rs.c.fail(err)
	}
	return nil
}

// value stores column i of the present row, which is v.
func (rs *rows) value(dest *driver.Value, i int, v *mysql.Value) error {
	switch v.Kind() {
	case mysql.KindNull:
		*dest = nil
	case mysql.KindInt:
		*dest = v.Int64()
	case mysql.KindUint:
		if n := v.Uint64(); n <= math.MaxInt64 {
			*dest = int64(n)
		} else {
			*dest = n
		}
	case mysql.KindFloat:
		*dest = float32(v.Float64())
	case mysql.KindDouble:
		*dest = v.Float64()
	case mysql.KindDate, mysql.KindDateTime:
		if rs.c.cfg.ParseTime {
			t, err := rs.time(i, v.DateTime())
			*dest = t
			return err
		}
		*dest = rs.written(i)
	case mysql.KindTime:
		*dest = rs.written(i)
	default:
		b := v.Bytes()
		if b == nil {
			b = []byte{} // nil would be NULL
		}
		*dest = b
	}
	return nil
}

// written returns the text of a time, as the server writes it.
func (rs *rows) written(i int) []byte {
	start := len(rs.text)
	rs.text = rs.r.AppendText(rs.text, i)
	return rs.text[start:len(rs.text):len(rs.text)]
}

// time returns a date as a time. The zero date is the zero time.
func (rs *rows) time(i int, d mysql.DateTime) (time.Time, error) {
	if d.IsZero() {
		return time.Time{}, nil
	}
	t, ok := d.Time(rs.c.cfg.Location)
	if !ok {
		return t, rs.c.cfg.mapError(&mysqlclient.ValueError{Column: rs.r.Columns()[i].Name, Value: d.String(), Want: "a time.Time"})
	}
	return t, nil
}

// Close implements [driver.Rows].
func (rs *rows) Close() error {
	for rs.outs != nil && rs.NextResultSet() == nil {
		continue // the OUT parameters come last
	}
	return rs.c.fail(rs.r.Close())
}

// HasNextResultSet implements [driver.RowsNextResultSet]. What follows may turn
// out to have no rows.
func (rs *rows) HasNextResultSet() bool {
	return rs.r.Err() == nil && rs.r.Result().Status.Has(mysql.StatusMoreResults)
}

// NextResultSet implements [driver.RowsNextResultSet].
func (rs *rows) NextResultSet() error {
	if !rs.r.NextResult() {
		if err := rs.r.Err(); err != nil {
			return rs.c.fail(err)
		}
		return io.EOF
	}
	return rs.settle()
}

// column returns the description of a column; one without type behind the last
// result set.
func (rs *rows) column(i int) *mysql.Column {
	if columns := rs.r.Columns(); i < len(columns) {
		return &columns[i]
	}
	return &mysql.Column{}
}
