package mysqlclient

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"strconv"
	"unicode/utf8"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// chunk is some rows, with memory of their own.
type chunk struct {
	width  int
	rows   int
	bytes  int // of the values, about
	values []mysql.Value
	arena  []byte // behind the values
}

func (k *chunk) clear() {
	k.rows, k.bytes, k.values, k.arena = 0, 0, k.values[:0], k.arena[:0]
}

// slice returns the rows from lo to hi, which share the chunk's memory.
func (k *chunk) slice(lo, hi int) chunk {
	return chunk{width: k.width, rows: hi - lo, values: k.values[lo*k.width : hi*k.width : hi*k.width]}
}

// row returns the values of a row.
func (k *chunk) row(i int) []mysql.Value { return k.values[i*k.width : (i+1)*k.width] }

// add copies a row.
func (k *chunk) add(c *Conn, row []any) error {
	if len(row) != k.width {
		return &ArgError{Index: -1, What: "the row has " + strconv.Itoa(len(row)) + " values for " + strconv.Itoa(k.width) + " columns"}
	}
	n := len(k.values)
	for i, arg := range row {
		v, err := c.value(arg)
		if err != nil {
			k.values = k.values[:n]
			return &ArgError{Index: i, What: err.Error()}
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
func (in *inserter) multi(ctx context.Context, k *chunk) (Result, error) {
	sql := append(make([]byte, 0, len(in.head)+2*k.bytes), in.head...)
	mode := in.c.reads().Mode
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
			if sql, err = AppendLiteral(append(sql, sep), v, mode); err != nil {
				return Result{}, &RowError{Row: in.read - int64(k.rows-r), Count: 1, Err: &ArgError{Index: i, What: err.Error()}}
			}
		}
		sql = append(sql, ')')
	}
	return in.c.Exec(ctx, string(sql))
}

// bulk inserts rows with one execution of a prepared INSERT.
func (in *inserter) bulk(ctx context.Context, k *chunk) (Result, error) {
	if in.stmt == nil {
		sql := in.head + "(?"
		for range k.width - 1 {
			sql += ",?"
		}
		stmt, err := in.c.Prepare(ctx, sql+")")
		if err != nil {
			return Result{}, err
		}
		in.stmt = stmt
	}
	m := &mysql.StmtBulkExecute{Flags: mysql.BulkSendTypes, Types: k.types(), Values: make([]mysql.BulkValue, len(k.values))}
	for i, v := range k.values {
		m.Values[i] = mysql.BulkOf(as(v, m.Types[i%k.width]))
	}
	if err := in.c.fits(ctx, k.bytes+10*len(k.values)); err != nil {
		return Result{}, err
	}
	r, err := in.c.bulkExecute(ctx, in.stmt, m)
	return r, in.back(ctx, err)
}

// chunkSavepoint is where a chunk that was executed in part goes back to.
const chunkSavepoint = "wirelark_insert_chunk"

// bulkExecute executes a statement for many rows, behind a savepoint that is set
// in the same write.
func (c *Conn) bulkExecute(ctx context.Context, stmt *Stmt, m *mysql.StmtBulkExecute) (Result, error) {
	if err := c.begin(ctx, "a bulk of", stmt.p.sql); err != nil {
		return Result{}, err
	}
	m.ID = stmt.p.id
	c.pc.Apart(true)
	defer c.pc.Apart(false)
	var numbers [2]uint8
	for i, command := range []wire.Message{&mysql.Query{SQL: []byte("SAVEPOINT " + chunkSavepoint)}, m} {
		if err := c.put(command); err != nil {
			return Result{}, c.fail(err) // half of it may be in the output
		}
		numbers[i] = c.pc.Sequence()
	}
	if err := c.flush(); err != nil {
		return Result{}, c.fail(err)
	}
	c.pc.Expect(numbers[0])
	first := c.ack()
	if first != nil && !isServer(first) {
		return Result{}, c.fail(first)
	}
	c.pc.Expect(numbers[1])
	r := &Rows{c: c, sql: stmt.p.sql}
	r.head()
	result, err := r.all()
	if first != nil {
		return result, first
	}
	return result, err
}

// back undoes what a chunk did before err.
func (in *inserter) back(ctx context.Context, err error) error {
	if err == nil || in.c.Err() != nil {
		return err
	}
	_, undone := in.c.Exec(ctx, "ROLLBACK TO SAVEPOINT "+chunkSavepoint)
	if undone != nil && !isCode(undone, errNoSavepoint) {
		return errors.Join(err, undone)
	}
	return err
}

// singles inserts rows with an INSERT for each, in one flight. The first row
// that fails is known.
func (in *inserter) singles(ctx context.Context, k *chunk) (Result, error) {
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
		return Result{}, err
	}
	var total Result
	var failed error
	for answers.Next() {
		result, err := answers.Result()
		if err != nil && failed == nil {
			failed = err
			if row := answers.Index() - 1; row >= 0 && isServer(err) {
				failed = &RowError{Row: in.read - int64(k.rows-row), Count: 1, Err: err}
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
		if b, err := appendFloat(nil, v); err == nil {
			return b
		}
	}
	return v.AppendText(nil)
}

// load inserts all rows with one LOAD DATA LOCAL. A column whose first values
// have bytes travels in hexadecimal: servers read the data as text.
func (in *inserter) load(ctx context.Context, rows iter.Seq[[]any]) error {
	next, stop := iter.Pull(rows)
	defer stop()
	r := &rowReader{in: in, next: next}
	r.fill()
	if in.chunk.rows == 0 {
		return r.err
	}
	r.hex = make([]bool, in.chunk.width)
	for i := range in.chunk.values {
		if k := in.chunk.values[i].Kind(); k == mysql.KindBytes || k == mysql.KindBit {
			r.hex[i%in.chunk.width] = true
		}
	}
	result, err := in.c.execInfile(ctx, in.loadSQL(r.hex), func(string) (io.Reader, error) { return r, nil })
	if r.err != nil {
		return r.err
	}
	if err != nil {
		return err
	}
	in.took(result)
	return nil
}

// loadSQL returns the statement. Its delimiters are in hexadecimal, so that
// sql_mode does not change them.
func (in *inserter) loadSQL(asHex []bool) string {
	sql := "LOAD DATA LOCAL INFILE 'rows' "
	if in.o.Ignore {
		sql += "IGNORE "
	}
	sql += "INTO TABLE " + in.table + " CHARACTER SET utf8mb4 FIELDS TERMINATED BY 0x09 ESCAPED BY 0x5C LINES TERMINATED BY 0x0A ("
	set := ""
	for i, name := range in.columns {
		if i > 0 {
			sql += ", "
		}
		if !asHex[i] {
			sql += quoteAll([]string{name})
			continue
		}
		v := "@wirelark_" + strconv.Itoa(i)
		sql += v
		if set != "" {
			set += ", "
		}
		set += quoteAll([]string{name}) + " = UNHEX(" + v + ")"
	}
	if sql += ")"; set != "" {
		sql += " SET " + set
	}
	return sql
}

// rowReader reads rows as the text that LOAD DATA takes.
type rowReader struct {
	in   *inserter
	next func() ([]any, bool)
	hex  []bool
	buf  []byte
	off  int
	done bool
	err  error
}

// fill reads the next chunk of rows.
func (r *rowReader) fill() {
	k := &r.in.chunk
	k.clear()
	for !r.done && k.rows < r.in.o.ChunkRows && k.bytes < r.in.limit {
		row, ok := r.next()
		if !ok {
			r.done = true
			return
		}
		if r.err = r.in.add(row); r.err != nil {
			r.done = true
			return
		}
	}
}

// fail ends the reading because of row n of the chunk.
func (r *rowReader) fail(n int, err error) {
	r.buf, r.done = r.buf[:0], true
	r.err = &RowError{Row: r.in.read - int64(r.in.chunk.rows-n), Count: 1, Err: err}
	r.in.chunk.clear()
}

// Read implements io.Reader. An error of a row ends the reading, which ends the
// statement.
func (r *rowReader) Read(p []byte) (int, error) {
	for r.off == len(r.buf) {
		if r.err != nil {
			return 0, r.err
		}
		if r.in.chunk.rows == 0 {
			return 0, io.EOF
		}
		if r.encode(); r.err == nil {
			r.fill()
		}
	}
	n := copy(p, r.buf[r.off:])
	r.off += n
	return n, nil
}

// encode writes the chunk into buf.
func (r *rowReader) encode() {
	r.buf, r.off = r.buf[:0], 0
	k := &r.in.chunk
	for n := range k.rows {
		for i, v := range k.row(n) {
			if i > 0 {
				r.buf = append(r.buf, '\t')
			}
			if r.hex[i] && !v.IsNull() {
				r.buf = hex.AppendEncode(r.buf, asText(v))
				continue
			}
			if !utf8.Valid(v.Bytes()) {
				r.fail(n, &ArgError{Index: i, What: "bytes that are no text, in a column that began with texts"})
				return
			}
			r.buf = AppendTSV(r.buf, v)
		}
		r.buf = append(r.buf, '\n')
	}
}
