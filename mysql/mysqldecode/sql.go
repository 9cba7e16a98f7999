package mysqldecode

import (
	"encoding/hex"
	"unicode/utf8"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/names"
	"github.com/wirelark/wirelark/wire"
)

// Bounds of what is made for people.
const (
	maxLiteral = 256      // bytes of one parameter
	maxBound   = 16 << 10 // bytes of a statement with its parameters
	maxLooked  = 1 << 20  // bytes of a statement in which passwords are looked for
)

// verb returns the verb of a statement.
func verb(sql []byte) string {
	return lexer.Verb(string(sql[:min(len(sql), maxBound)]), lexer.Config{})
}

func (d *decoder) lexer() lexer.Config {
	cfg := lexer.Config{MariaDB: mysql.Caps(d.flow.Dialect()).MariaDB()}
	if d.status.Has(mysql.StatusNoBackslashEscapes) {
		cfg.Mode |= lexer.NoBackslashEscapes
	}
	if d.status.Has(mysql.StatusANSIQuotes) {
		cfg.Mode |= lexer.ANSIQuotes
	}
	return cfg
}

// derived returns the fields to be added to those of m, in which texts are made
// texts and secrets secret.
func (d *decoder) derived(m wire.Message, fields []wire.Field, size int) []wire.Field {
	switch m := m.(type) {
	case *mysql.Query:
		texts(fields)
		return d.masked(m.SQL, fields, size)
	case *mysql.StmtPrepare:
		texts(fields)
		return d.masked(m.SQL, fields, size)
	case *mysql.StmtExecute:
		texts(fields)
		return d.executed(m, fields, size)
	case *mysql.StmtBulkExecute:
		texts(fields)
		out := d.statement(m.ID, size)
		if n := len(m.Types); n > 0 {
			out = append(out, derive("rows", int64(len(m.Values)/n), size))
		}
		return out
	case *mysql.StmtSendLongData:
		return d.statement(m.ID, size)
	case *mysql.StmtClose:
		return d.statement(m.ID, size)
	case *mysql.StmtReset:
		return d.statement(m.ID, size)
	case *mysql.StmtFetch:
		return d.statement(m.ID, size)
	case *mysql.ERR:
		texts(fields)
		name := names.Error
		if both := mysql.Caps(d.flow.Dialect()); both != 0 && both.MariaDB() {
			name = names.MariaDBError
		}
		if text := name(m.Code); text != "" {
			return []wire.Field{derive("error_name", text, size)}
		}
	case *mysql.TextRow:
		d.cells(fields)
	case *mysql.BinaryRow:
		d.cells(fields)
	}
	return nil
}

// masked hides the statement in fields if it has passwords in it, and returns
// it without them.
func (d *decoder) masked(sql []byte, fields []wire.Field, size int) []wire.Field {
	text := string(sql[:min(len(sql), maxLooked)])
	shown := lexer.MaskSecrets(text, d.lexer())
	if shown == text {
		return nil
	}
	if f := wire.Find(fields, "query"); f != nil {
		f.Flags |= wire.Secret
	}
	return []wire.Field{derive("query_masked", shown, size)}
}

// statement returns the SQL of a prepared statement as a derived field.
func (d *decoder) statement(id uint32, size int) []wire.Field {
	s := d.flow.Statement(id)
	if s == nil || s.SQL == "" {
		return nil
	}
	sql := s.SQL[:min(len(s.SQL), maxBound)]
	return []wire.Field{derive("query", lexer.MaskSecrets(sql, d.lexer()), size)}
}

// executed returns the SQL of an execution with its parameters. If one of them
// is a password, all are hidden.
func (d *decoder) executed(m *mysql.StmtExecute, fields []wire.Field, size int) []wire.Field {
	s := d.flow.Statement(m.ID)
	if s == nil || s.SQL == "" {
		return nil
	}
	cfg := d.lexer()
	bound := bind(s.SQL, m.Params, cfg)
	shown := lexer.MaskSecrets(bound, cfg)
	if shown != bound {
		if f := wire.Find(fields, "values"); f != nil {
			hide(f.Kids)
		}
	}
	return []wire.Field{derive("query", shown, size)}
}

// bind returns sql with parameters in the place of question marks.
func bind(sql string, params []mysql.Param, cfg lexer.Config) string {
	sql = sql[:min(len(sql), maxBound)]
	out, from := make([]byte, 0, len(sql)+16*len(params)), 0
	for i, at := range lexer.Placeholders(sql, cfg) {
		if i >= len(params) || len(out) > maxBound {
			break
		}
		out = append(out, sql[from:at]...)
		out = literal(out, &params[i], cfg)
		from = at + 1
	}
	return string(append(out, sql[from:]...))
}

// literal appends a parameter as it would stand in SQL.
func literal(b []byte, p *mysql.Param, cfg lexer.Config) []byte {
	v := &p.Value
	switch {
	case p.Long:
		return append(b, "/* sent before */?"...)
	case v.IsNull():
		return append(b, "NULL"...)
	}
	switch v.Kind() {
	case mysql.KindText, mysql.KindBytes, mysql.KindBit:
		text, more := v.Bytes(), ""
		if len(text) > maxLiteral {
			text, more = text[:maxLiteral], "…"
			for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) && v.Kind() == mysql.KindText {
				text = text[:len(text)-1]
			}
			if v.Kind() == mysql.KindText && len(text) > 0 && text[len(text)-1] >= utf8.RuneSelf {
				text = text[:len(text)-1]
			}
		}
		if utf8.Valid(text) {
			return lexer.AppendQuote(b, string(text)+more, cfg.Mode)
		}
		return append(append(hex.AppendEncode(append(b, "x'"...), text), more...), '\'')
	case mysql.KindDate, mysql.KindDateTime, mysql.KindTime:
		return append(v.AppendText(append(b, '\'')), '\'')
	}
	return v.AppendText(b)
}

// cells makes the values of a row texts, where their columns are.
func (d *decoder) cells(fields []wire.Field) {
	columns := d.flow.Columns()
	for _, name := range []string{"cells", "values"} {
		f := wire.Find(fields, name)
		if f == nil {
			continue
		}
		for i := range f.Kids {
			if i < len(columns) && columns[i].Collation == mysql.CollationBinary && stringy(columns[i].Type) && !columns[i].JSON() {
				continue
			}
			texts(f.Kids[i].Kids)
		}
	}
}

// stringy reports whether a column of that type holds bytes if its collation
// says so. Numbers and times say it too, and are texts all the same.
func stringy(t mysql.Type) bool {
	return t == mysql.TypeVarchar || t == mysql.TypeBit || t == mysql.TypeVector || t >= mysql.TypeTinyBlob
}

// texts makes bytes texts, where they are UTF-8.
func texts(fields []wire.Field) {
	for i := range fields {
		f := &fields[i]
		if b, ok := f.Value.([]byte); ok && (f.Name == "query" || f.Name == "value" || f.Name == "sql_state") && utf8.Valid(b) {
			f.Value = string(b)
		}
		texts(f.Kids)
	}
}

// hide makes all leaves secrets.
func hide(fields []wire.Field) {
	for i := range fields {
		fields[i].Flags |= wire.Secret
		hide(fields[i].Kids)
	}
}
