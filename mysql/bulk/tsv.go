package bulk

import (
	"bufio"
	"io"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/value"
)

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
	loc *time.Location
	row []byte
}

// NewTSVWriter returns a writer to w. Times are written in loc; nil: UTC.
func NewTSVWriter(w io.Writer, loc *time.Location) *TSVWriter {
	return &TSVWriter{w: bufio.NewWriterSize(w, 64<<10), loc: loc}
}

// Write writes one row. Values are those that arguments of statements may be, but
// for readers. An [*mysqlclient.ArgError] says which one is not, and then nothing of the
// row is written.
func (t *TSVWriter) Write(row ...any) error {
	t.row = t.row[:0]
	for i, arg := range row {
		v, err := value.Of(arg, t.loc)
		if err != nil {
			return &mysqlclient.ArgError{Index: i, What: err.Error()}
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
		if b, err := value.AppendLiteral(dst, v, 0); err == nil {
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
