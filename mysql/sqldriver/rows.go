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
	text  []byte // of values of the present row that are kept in binary form
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
	for rs.r.Columns() == nil || rs.outs != nil && rs.r.OutParams() {
		if rs.r.Columns() != nil {
			if err := assignOuts(rs.r, rs.outs); err != nil {
				return rs.c.fail(err)
			}
			rs.outs = nil
		}
		if !rs.r.NextResult() {
			if err := rs.r.Err(); err != nil {
				return rs.c.fail(err)
			}
			return io.EOF
		}
	}
	rs.names = nil
	return nil
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
	if !rs.r.Next() {
		if err := rs.r.Err(); err != nil {
			return rs.c.fail(err)
		}
		return io.EOF
	}
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
		*dest = rs.written(v)
	case mysql.KindTime:
		*dest = rs.written(v)
	default:
		b := v.Bytes()
		if b == nil {
			b = []byte{} // nil would be NULL
		}
		*dest = b
	}
	return nil
}

// written returns the text of a value that is kept in binary form.
func (rs *rows) written(v *mysql.Value) []byte {
	start := len(rs.text)
	rs.text = v.AppendText(rs.text)
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
	for rs.outs != nil && rs.NextResultSet() == nil { //nolint:revive // the OUT parameters come last
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
