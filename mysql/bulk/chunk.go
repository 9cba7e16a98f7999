package bulk

import (
	"context"
	"errors"
	"strconv"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/value"
)

// chunk is some rows, with memory of their own.
type chunk struct {
	first  int64 // number of its first row
	width  int
	rows   int
	bytes  int // of the values, about
	values []mysql.Value
	arena  []byte // behind the values
}

// clear empties the chunk, for rows from number first on.
func (k *chunk) clear(first int64) {
	k.first, k.rows, k.bytes, k.values, k.arena = first, 0, 0, k.values[:0], k.arena[:0]
}

// slice returns the rows from lo to hi, which share the chunk's memory.
func (k *chunk) slice(lo, hi int) chunk {
	return chunk{first: k.first + int64(lo), width: k.width, rows: hi - lo, values: k.values[lo*k.width : hi*k.width : hi*k.width]}
}

// row returns the values of a row.
func (k *chunk) row(i int) []mysql.Value { return k.values[i*k.width : (i+1)*k.width] }

// add copies a row.
func (k *chunk) add(c *mysqlclient.Conn, row []any) error {
	if len(row) != k.width {
		return &mysqlclient.ArgError{Index: -1, What: "the row has " + strconv.Itoa(len(row)) + " values for " + strconv.Itoa(k.width) + " columns"}
	}
	n := len(k.values)
	for i, arg := range row {
		v, err := c.ValueOf(arg)
		if err != nil {
			k.values = k.values[:n]
			return &mysqlclient.ArgError{Index: i, What: err.Error()}
		}
		k.values = append(k.values, k.keep(v))
	}
	k.rows++
	return nil
}

// keep returns v with its bytes in the arena. When that grows, values that were
// kept before stay where they are.
func (k *chunk) keep(v mysql.Value) mysql.Value {
	k.bytes += 8
	b := v.Bytes()
	if len(b) == 0 {
		return v
	}
	k.bytes += len(b)
	if cap(k.arena)-len(k.arena) < len(b) {
		k.arena = make([]byte, 0, max(2*cap(k.arena), len(b), 4<<10))
	}
	start := len(k.arena)
	k.arena = append(k.arena, b...)
	return sameKind(v, k.arena[start:len(k.arena):len(k.arena)])
}

// sameKind returns a value of v's kind that aliases b.
func sameKind(v mysql.Value, b []byte) mysql.Value {
	switch v.Kind() {
	case mysql.KindDecimal:
		return mysql.Decimal(b)
	case mysql.KindText:
		return mysql.Text(b)
	case mysql.KindBit:
		return mysql.Bit(b)
	}
	return mysql.Bytes(b)
}

// multi inserts rows with one INSERT.
func (in *inserter) multi(ctx context.Context, k *chunk) (mysqlclient.Result, error) {
	sql := append(make([]byte, 0, len(in.head)+2*k.bytes), in.head...)
	mode := in.c.LexerConfig().Mode
	for r := range k.rows {
		if r > 0 {
			sql = append(sql, ',')
		}
		for i, v := range k.row(r) {
			sep := byte(',')
			if i == 0 {
				sep = '('
			}
			var err error
			if sql, err = value.AppendLiteral(append(sql, sep), v, mode); err != nil {
				return mysqlclient.Result{}, &RowError{Row: k.first + int64(r), Count: 1, Err: &mysqlclient.ArgError{Index: i, What: err.Error()}}
			}
		}
		sql = append(sql, ')')
	}
	return in.c.Exec(ctx, string(sql))
}

// bulk inserts rows with one execution of a prepared INSERT.
func (in *inserter) bulk(ctx context.Context, k *chunk) (mysqlclient.Result, error) {
	if in.stmt == nil {
		sql := in.head + "(?"
		for range k.width - 1 {
			sql += ",?"
		}
		stmt, err := in.c.Prepare(ctx, sql+")")
		if err != nil {
			return mysqlclient.Result{}, err
		}
		in.stmt = stmt
	}
	types, values := k.types(), make([]mysql.BulkValue, len(k.values))
	for i, v := range k.values {
		values[i] = mysql.BulkOf(as(v, types[i%k.width]))
	}
	r, err := in.stmt.ExecBulk(ctx, "SAVEPOINT "+chunkSavepoint, types, values)
	return r, in.back(ctx, err)
}

// chunkSavepoint is where a chunk that was executed in part goes back to.
const chunkSavepoint = "wirelark_insert_chunk"

// back undoes what a chunk did before err.
func (in *inserter) back(ctx context.Context, err error) error {
	if err == nil || in.c.Err() != nil {
		return err
	}
	_, undone := in.c.Exec(ctx, "ROLLBACK TO SAVEPOINT "+chunkSavepoint)
	if undone != nil && !noSavepoint(undone) {
		return errors.Join(err, undone)
	}
	return err
}

// singles inserts rows with an INSERT for each, in one flight. The first row
// that fails is known.
func (in *inserter) singles(ctx context.Context, k *chunk) (mysqlclient.Result, error) {
	sql := in.head + "(?"
	for range k.width - 1 {
		sql += ",?"
	}
	sql += ")"
	p := in.c.Pipeline()
	p.Add("SAVEPOINT " + chunkSavepoint)
	args := make([]any, k.width)
	for r := range k.rows {
		for i, v := range k.row(r) {
			args[i] = v
		}
		p.Add(sql, args...)
	}
	answers, err := p.Flush(ctx)
	if err != nil {
		return mysqlclient.Result{}, err
	}
	var total mysqlclient.Result
	var failed error
	for answers.Next() {
		result, err := answers.Result()
		if err != nil && failed == nil {
			failed = err
			if row := answers.Index() - 1; row >= 0 && isServer(err) {
				failed = &RowError{Row: k.first + int64(row), Count: 1, Err: err}
			}
		}
		total.AffectedRows += result.AffectedRows
		total.Warnings += result.Warnings
	}
	if err := answers.Close(); err != nil && failed == nil {
		failed = err
	}
	return total, in.back(ctx, failed)
}

// types returns a type for each column that all of its values can be sent as:
// their own if it is the same for all, else that of texts.
func (k *chunk) types() []mysql.ParamType {
	types := make([]mysql.ParamType, k.width)
	for i := range types {
		types[i].Type = mysql.TypeNull
	}
	text, blob := mysql.ParamType{Type: mysql.TypeVarString}, mysql.ParamType{Type: mysql.TypeBlob}
	for n := range k.values {
		v := &k.values[n]
		t := &types[n%k.width]
		switch own := v.ParamType(); {
		case v.IsNull() || own == *t:
		case t.Type == mysql.TypeNull:
			*t = own
		case own == blob || *t == blob:
			*t = blob
		default:
			*t = text
		}
	}
	for i := range types {
		if types[i].Type == mysql.TypeNull {
			types[i] = text
		}
	}
	return types
}

// as returns v as a value that can be sent with type t.
func as(v mysql.Value, t mysql.ParamType) mysql.Value {
	switch {
	case v.IsNull() || v.ParamType() == t:
		return v
	case t.Type == mysql.TypeBlob:
		return mysql.Bytes(asText(v))
	}
	return mysql.Text(asText(v))
}

// asText returns the bytes of a text, or what the value is as a text.
func asText(v mysql.Value) []byte {
	switch v.Kind() {
	case mysql.KindText, mysql.KindBytes, mysql.KindBit, mysql.KindDecimal:
		return v.Bytes()
	case mysql.KindFloat, mysql.KindDouble:
		if b, err := value.AppendLiteral(nil, v, 0); err == nil {
			return b
		}
	}
	return v.AppendText(nil)
}
