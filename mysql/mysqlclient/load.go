package mysqlclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// LoadOptions are what [Conn.LoadData] may be told. Its zero value, and nil, are
// good for everybody.
type LoadOptions struct {
	// Progress is told how many bytes have been read from the reader, each time
	// there are more, by the goroutine that called LoadData.
	Progress func(bytes int64)
}

// Errors of [Conn.LoadData], before anything is sent.
var (
	// ErrNoLoad says that the statement is no LOAD DATA LOCAL or LOAD XML LOCAL.
	ErrNoLoad = errors.New("mysql: the statement is no LOAD DATA LOCAL INFILE")
	// ErrLocalInfile says that the connection cannot load local data, because
	// Config.LocalInfile is not set or the server does not have it.
	ErrLocalInfile = errors.New("mysql: the connection was made without LOAD DATA LOCAL (Config.LocalInfile)")
)

// LoadData executes a LOAD DATA LOCAL INFILE (or LOAD XML LOCAL) whose data is
// what r has, up to io.EOF. The file that sql names is not looked at, and nothing
// but this call can read r. r is closed if it is an [io.Closer].
//
//	result, err := c.LoadData(ctx, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", r, nil)
//
// An error of r ends the connection, so that the server does not take the part
// for the whole. The server must allow it: MySQL has local_infile switched off
// unless told otherwise, and answers with error 3948 then.
//
// With LOCAL a server takes rows that violate a key, or values that do not fit,
// for warnings: compare Result.Info and Result.Warnings with what was expected.
// A [TSVWriter] writes what such a statement reads by default.
func (c *Conn) LoadData(ctx context.Context, sql string, r io.Reader, o *LoadOptions) (Result, error) {
	if o != nil && o.Progress != nil {
		r = &progressReader{r: r, tell: o.Progress}
	}
	return c.ExecInfile(ctx, sql, func(string) (io.Reader, error) { return r, nil })
}

// ExecInfile executes a LOAD DATA LOCAL INFILE for whose data the server's
// request decides: open is given the name that the server asks for, which a
// hostile one chooses. See [Conn.LoadData].
func (c *Conn) ExecInfile(ctx context.Context, sql string, open InfileFunc) (Result, error) {
	switch {
	case !lexer.AsksLocalFile(sql, c.reads()):
		return Result{}, ErrNoLoad
	case !c.server.Capabilities.Has(mysql.ClientLocalFiles):
		return Result{}, ErrLocalInfile
	}
	return c.execInfile(ctx, sql, open)
}

// progressReader counts what is read. It closes what it reads.
type progressReader struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 {
		p.n += int64(n)
		p.tell(p.n)
	}
	return n, err
}

// Close closes what is read.
func (p *progressReader) Close() error { return closeReader(p.r) }

// A TSVWriter writes rows as LOAD DATA reads them when it has neither FIELDS nor
// LINES, and as SELECT INTO OUTFILE writes them: tabs between the values, a line
// for each row, \N for NULL, a backslash before what would mean something else.
// Texts are UTF-8: the statement needs CHARACTER SET utf8mb4 where the
// database has another one.
//
// Bytes that are no text come out as they are. A server reads them back only
// with CHARACTER SET binary, or into a column of such a kind.
type TSVWriter struct {
	w   *bufio.Writer
	c   *Conn // for the conversion of values; it has no stream
	row []byte
}

// NewTSVWriter returns a writer to w. Times are written in loc; nil: UTC.
func NewTSVWriter(w io.Writer, loc *time.Location) *TSVWriter {
	return &TSVWriter{w: bufio.NewWriterSize(w, 64<<10), c: &Conn{cfg: &Config{Location: loc}}}
}

// Write writes one row. Values are those that arguments of statements may be, but
// for readers. An [*ArgError] says which one is not, and then nothing of the
// row is written.
func (t *TSVWriter) Write(row ...any) error {
	t.row = t.row[:0]
	for i, arg := range row {
		v, err := t.c.value(arg)
		if err != nil {
			return &ArgError{Index: i, What: err.Error()}
		}
		if i > 0 {
			t.row = append(t.row, '\t')
		}
		t.row = AppendTSV(t.row, v)
	}
	t.row = append(t.row, '\n')
	_, err := t.w.Write(t.row)
	return err
}

// Flush writes what is held back. It must be called behind the last row.
func (t *TSVWriter) Flush() error { return t.w.Flush() }

// AppendTSV appends a value as a field of a [TSVWriter], without a tab.
func AppendTSV(dst []byte, v mysql.Value) []byte {
	switch v.Kind() {
	case mysql.KindNull:
		return append(dst, `\N`...)
	case mysql.KindText, mysql.KindBytes, mysql.KindBit:
		return appendEscaped(dst, v.Bytes())
	case mysql.KindFloat, mysql.KindDouble:
		if b, err := appendFloat(dst, v); err == nil {
			return b
		}
		return append(dst, `\N`...) // as SQL has no infinity
	}
	return v.AppendText(dst)
}

// appendEscaped puts a backslash before what ends fields and lines, and before
// itself.
func appendEscaped(dst, b []byte) []byte {
	last := 0
	for i, x := range b {
		var letter byte
		switch x {
		case '\\':
			letter = '\\'
		case '\t':
			letter = 't'
		case '\n':
			letter = 'n'
		case '\r':
			letter = 'r'
		case 0:
			letter = '0'
		default:
			continue
		}
		dst = append(append(dst, b[last:i]...), '\\', letter)
		last = i + 1
	}
	return append(dst, b[last:]...)
}
