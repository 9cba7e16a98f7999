package session

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// loadBatch is how many rows of LOAD DATA are stored by one statement.
const loadBatch = 200

// maxField bounds a field of LOAD DATA.
const maxField = 64 << 20

// loadData answers LOAD DATA LOCAL. Files of the server are none of a client's
// business: without LOCAL it is refused.
func (s *Session) loadData(ctx context.Context, w *mysqlserver.Writer, st *ast.Load) error {
	if !st.Local {
		return mysqlserver.Errorf(1290, "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement")
	}
	if len(st.Set) > 0 || len(st.LinesBy) == 0 || len(st.FieldsBy) == 0 || st.LinesStart != "" {
		return mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support 'LOAD DATA with SET, STARTING BY or a fixed width'")
	}
	t, err := s.Lookup(&st.Table)
	if err != nil {
		return err
	}
	in := &ast.Insert{Table: st.Table, Replace: st.Replace, Ignore: !st.Replace}
	var keep []int
	if st.Cols == nil {
		for i := range t.Columns {
			in.Cols = append(in.Cols, t.Columns[i].Name)
			keep = append(keep, i)
		}
	}
	for i, c := range st.Cols {
		if col, ok := c.(*ast.Col); ok {
			in.Cols = append(in.Cols, col.Name)
			keep = append(keep, i)
		}
	}
	body, err := w.LocalInfile(ctx, st.File)
	if err != nil {
		return err
	}
	defer body.Close()
	own := !s.txn.active()
	if err := s.writes(ctx, t, false); err != nil {
		return err
	}
	if err := s.Numbering(ctx, t); err != nil {
		return err
	}
	if own {
		if _, err := s.Exec(ctx, "BEGIN IMMEDIATE"); err != nil {
			return err
		}
	}
	records, stored, err := s.loadRows(ctx, body, st, in, keep)
	if own {
		verb := "COMMIT"
		if err != nil {
			verb = "ROLLBACK"
		}
		if _, end := s.Exec(context.WithoutCancel(ctx), verb); err == nil {
			err = end
		}
	}
	if err != nil {
		return err
	}
	info := fmt.Sprintf("Records: %d  Deleted: 0  Skipped: %d  Warnings: %d", records, records-stored, len(s.St.Warnings))
	return s.Ok(w, mysqlserver.Result{AffectedRows: uint64(stored), Info: info})
}

// loadRows stores the rows of a text, and counts them.
func (s *Session) loadRows(ctx context.Context, body io.Reader, st *ast.Load, in *ast.Insert, keep []int) (records, stored int64, err error) {
	r := &fieldReader{r: bufio.NewReaderSize(body, 64<<10), st: st}
	for range st.Skip {
		if _, err := r.row(); errors.Is(err, io.EOF) {
			return 0, 0, nil
		} else if err != nil {
			return 0, 0, err
		}
	}
	flush := func() error {
		if len(in.Rows) == 0 {
			return nil
		}
		s.St.Stores = nil
		res, _, err := translate.Insert(s.Env([]scope.Value{}), in)
		if err != nil {
			return err
		}
		n, err := s.Exec(ctx, res.SQL, res.Args...)
		if err != nil {
			return err
		}
		records += int64(len(in.Rows))
		stored += n
		in.Rows = in.Rows[:0]
		return nil
	}
	for {
		fields, err := r.row()
		if errors.Is(err, io.EOF) {
			return records, stored, flush()
		}
		if err != nil {
			return records, stored, err
		}
		row := make([]ast.Expr, len(keep))
		for i, k := range keep {
			row[i] = &ast.Default{}
			if k < len(fields) {
				row[i] = fields[k]
			}
		}
		in.Rows = append(in.Rows, row)
		if len(in.Rows) == loadBatch {
			if err := flush(); err != nil {
				return records, stored, err
			}
		}
	}
}

// fieldReader divides a text into rows and fields as LOAD DATA says.
type fieldReader struct {
	r  *bufio.Reader
	st *ast.Load
}

// row returns the fields of the next row as literals, or io.EOF.
func (f *fieldReader) row() ([]ast.Expr, error) {
	var fields []ast.Expr
	var b []byte
	quoted, was, escaped, any := false, false, false, false
	quote := byte(0)
	if f.st.Enclosed != "" {
		quote = f.st.Enclosed[0]
	}
	esc := byte(0)
	if f.st.Escaped != "" {
		esc = f.st.Escaped[0]
	}
	null := false
	end := func() {
		lit := &ast.Lit{Kind: ast.LitString, Text: string(b)}
		if null && len(b) == 1 || !was && quote != 0 && string(b) == "NULL" {
			lit = &ast.Lit{Kind: ast.LitNull}
		}
		fields = append(fields, lit)
		b, was, null = nil, false, false
	}
	for {
		c, err := f.r.ReadByte()
		if errors.Is(err, io.EOF) {
			if !any {
				return nil, io.EOF
			}
			end()
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		any = true
		if len(b) > maxField {
			return nil, mysqlserver.Errorf(1153, "Got a packet bigger than 'max_allowed_packet' bytes")
		}
		switch {
		case escaped:
			escaped = false
			null = c == 'N' && len(b) == 0
			b = append(b, unescape(c))
		case esc != 0 && c == esc && !(c == quote && quoted):
			escaped = true
		case quoted && c == quote:
			if next, err := f.r.Peek(1); err == nil && next[0] == quote {
				_, _ = f.r.Discard(1)
				b = append(b, c)
				continue
			}
			quoted = false
		case quoted:
			b = append(b, c)
		case quote != 0 && c == quote && len(b) == 0:
			quoted, was = true, true
		default:
			b = append(b, c)
			if bytes.HasSuffix(b, []byte(f.st.LinesBy)) {
				b = b[:len(b)-len(f.st.LinesBy)]
				end()
				return fields, nil
			}
			if bytes.HasSuffix(b, []byte(f.st.FieldsBy)) {
				b = b[:len(b)-len(f.st.FieldsBy)]
				end()
			}
		}
	}
}

// unescape returns what an escape character and c stand for.
func unescape(c byte) byte {
	if i := strings.IndexByte("0bnrtZ", c); i >= 0 {
		return "\x00\b\n\r\t\x1a"[i]
	}
	return c
}
