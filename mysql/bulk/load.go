package bulk

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"strconv"
	"unicode/utf8"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

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
	result, err := in.c.ExecInfile(ctx, in.loadSQL(r.hex), func(string) (io.Reader, error) { return r, nil })
	if r.err != nil {
		return r.err
	}
	if in.o.Method == MethodAuto && noLocal(err) {
		return in.without(ctx, r)
	}
	if err != nil {
		return err
	}
	in.took(result)
	if in.o.Progress != nil {
		in.o.Progress(in.read)
	}
	return nil
}

// noLocal reports whether a server refused a LOAD DATA LOCAL as such: MySQL's
// ER_CLIENT_LOCAL_FILES_DISABLED, MariaDB's, and that of old servers.
func noLocal(err error) bool {
	e, ok := errors.AsType[*mysqlclient.ServerError](err)
	return ok && (e.Code == 3948 || e.Code == 4166 || e.Code == 1148)
}

// without goes on with INSERTs where a server has LOAD DATA LOCAL switched off:
// it has seen no row yet.
func (in *inserter) without(ctx context.Context, r *rowReader) error {
	in.method = in.inserts()
	for in.chunk.rows > 0 {
		if err := in.send(ctx); err != nil {
			return err
		}
		if r.fill(); r.err != nil {
			return r.err
		}
	}
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
	k.clear(r.in.read)
	for !r.done && k.rows < r.in.o.ChunkRows && k.bytes < r.in.o.ChunkBytes {
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
	r.err = &RowError{Row: r.in.chunk.first + int64(n), Count: 1, Err: err}
	r.in.chunk.clear(r.in.read)
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
				r.fail(n, &mysqlclient.ArgError{Index: i, What: "bytes that are no text, in a column that began with texts"})
				return
			}
			r.buf = AppendTSV(r.buf, v)
		}
		r.buf = append(r.buf, '\n')
	}
}
