package bulk

import (
	"iter"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// A Batch is some rows of a result set, column by column, as analytical programs
// and file formats want them. It is valid until the next one: its memory is used
// again, so that reading a result set of any length allocates nothing once the
// batches have grown to their size.
//
// What a column holds is decided by its type. [Batch.Kind] says which getter has
// it; the others return nil. In each of them the elements of NULLs are zero.
type Batch struct {
	columns []mysql.Column
	vectors []vector
	rows    int
	bytes   int
}

// A batch ends at one of these, whichever comes first.
const (
	batchRows  = 1024
	batchBytes = 1 << 20
)

// vector is one column.
type vector struct {
	kind      mysql.Kind
	nulls     []uint64 // a bit for each row, set for NULL
	any       bool     // there is a NULL
	ints      []int64
	uints     []uint64
	floats    []float64
	dates     []mysql.DateTime
	durations []mysql.Duration
	data      []byte // of all rows, one behind the other
	ends      []int  // where each row ends in data
}

// kindOf returns in which form the values of a column are kept.
func kindOf(c *mysql.Column) mysql.Kind {
	switch c.Type {
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeLong, mysql.TypeInt24, mysql.TypeLonglong:
		if c.Unsigned() {
			return mysql.KindUint
		}
		return mysql.KindInt
	case mysql.TypeYear, mysql.TypeBit:
		return mysql.KindUint
	case mysql.TypeFloat, mysql.TypeDouble:
		return mysql.KindDouble
	case mysql.TypeDate, mysql.TypeNewDate, mysql.TypeDatetime, mysql.TypeTimestamp:
		return mysql.KindDateTime
	case mysql.TypeTime:
		return mysql.KindTime
	}
	return mysql.KindBytes
}

// Batches yields what is left of the present result set in batches of about a
// thousand rows, fewer when they are long. The error, if there is one, is in
// [mysqlclient.Rows.Err] behind the loop; the rows before it have been yielded.
//
//	for b := range bulk.Batches(rows) {
//		for i, id := range b.Int64s(0) {
//			sum[string(b.Bytes(1, i))] += id
//		}
//	}
func Batches(r *mysqlclient.Rows) iter.Seq[*Batch] {
	return func(yield func(*Batch) bool) {
		columns := r.Columns()
		b := &Batch{columns: columns, vectors: make([]vector, len(columns))}
		for i := range b.vectors {
			b.vectors[i].kind = kindOf(&columns[i])
		}
		for r.Next() {
			b.add(r)
			if b.rows == batchRows || b.bytes >= batchBytes {
				if !yield(b) {
					return
				}
				b.clear()
			}
		}
		if b.rows > 0 {
			yield(b)
		}
	}
}

func (b *Batch) clear() {
	b.rows, b.bytes = 0, 0
	for i := range b.vectors {
		v := &b.vectors[i]
		v.any = false
		v.nulls, v.ints, v.uints, v.floats = v.nulls[:0], v.ints[:0], v.uints[:0], v.floats[:0]
		v.dates, v.durations, v.data, v.ends = v.dates[:0], v.durations[:0], v.data[:0], v.ends[:0]
	}
}

// add appends the present row. A value that its column cannot have ends the
// rows with a *ValueError, and is zero here.
func (b *Batch) add(r *mysqlclient.Rows) {
	for i := range b.vectors {
		v := &b.vectors[i]
		cell := r.Cell(i)
		if b.rows%64 == 0 {
			v.nulls = append(v.nulls, 0)
		}
		if cell.IsNull() {
			v.any = true
			v.nulls[b.rows/64] |= 1 << (b.rows % 64)
		}
		switch v.kind {
		case mysql.KindInt:
			v.ints = append(v.ints, cell.Int64())
		case mysql.KindUint:
			v.uints = append(v.uints, cell.Uint64())
		case mysql.KindDouble:
			v.floats = append(v.floats, cell.Float64())
		case mysql.KindDateTime:
			v.dates = append(v.dates, cell.DateTime())
		case mysql.KindTime:
			v.durations = append(v.durations, cell.Time())
		default:
			v.data = append(v.data, cell.Bytes()...)
			v.ends = append(v.ends, len(v.data))
			b.bytes += len(cell.Bytes())
		}
	}
	b.bytes += 8 * len(b.vectors)
	b.rows++
}

// Len returns the number of rows.
func (b *Batch) Len() int { return b.rows }

// Columns describes the columns. The slice is shared and is not to be written
// to.
func (b *Batch) Columns() []mysql.Column { return b.columns }

// Kind returns the form in which column i is kept: KindInt ([Batch.Int64s]),
// KindUint ([Batch.Uint64s]: also YEAR and BIT up to 64), KindDouble
// ([Batch.Float64s]), KindDateTime ([Batch.DateTimes]), KindTime
// ([Batch.Durations]) or KindBytes ([Batch.Bytes]: all else, DECIMAL as digits).
func (b *Batch) Kind(i int) mysql.Kind { return b.vectors[i].kind }

// HasNull reports whether column i has a NULL in this batch.
func (b *Batch) HasNull(i int) bool { return b.vectors[i].any }

// IsNull reports whether column i is NULL in a row.
func (b *Batch) IsNull(i, row int) bool { return b.vectors[i].nulls[row/64]&(1<<(row%64)) != 0 }

// Nulls returns a bit for each row of column i, lowest first, that is set for
// NULL.
func (b *Batch) Nulls(i int) []uint64 { return b.vectors[i].nulls }

// Int64s returns a column of signed integers.
func (b *Batch) Int64s(i int) []int64 { return b.vectors[i].ints }

// Uint64s returns a column of unsigned integers, years or bits.
func (b *Batch) Uint64s(i int) []uint64 { return b.vectors[i].uints }

// Float64s returns a column of FLOAT or DOUBLE.
func (b *Batch) Float64s(i int) []float64 { return b.vectors[i].floats }

// DateTimes returns a column of DATE, DATETIME or TIMESTAMP.
func (b *Batch) DateTimes(i int) []mysql.DateTime { return b.vectors[i].dates }

// Durations returns a column of TIME.
func (b *Batch) Durations(i int) []mysql.Duration { return b.vectors[i].durations }

// Bytes returns column i of a row, of a column of KindBytes. It is empty for
// NULL.
func (b *Batch) Bytes(i, row int) []byte {
	v := &b.vectors[i]
	start := 0
	if row > 0 {
		start = v.ends[row-1]
	}
	return v.data[start:v.ends[row]:v.ends[row]]
}

// Data returns a column of KindBytes as it is kept: the bytes of all rows, one
// behind the other, and where each of them ends.
func (b *Batch) Data(i int) (data []byte, ends []int) { return b.vectors[i].data, b.vectors[i].ends }
