package mysqlserver

import (
	"bytes"
	"context"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// query answers the statements of a COM_QUERY, one after another. An error is
// the answer to the rest of them.
func (c *Conn) query(ctx context.Context, p []byte) error {
	var m mysql.Query
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	d, e := c.divide(m.SQL)
	if e != nil {
		return c.fail(e)
	}
	for d.more {
		sql := d.take()
		c.s.serving.questions.Add(1)
		c.executes(sql)
		w := Writer{c: c, ctx: ctx, more: d.more}
		err := c.guard("Query", func() error {
			return c.session.Query(ctx, &w, &Query{SQL: sql, Attributes: m.Attributes})
		})
		if over, err := w.end(ctx, err); over || err != nil {
			return err
		}
	}
	return nil
}

// division is a text that is divided into statements as they are asked for: there
// may be half as many of them as bytes.
type division struct {
	cut  *lexer.Cutter // nil: the rest is one statement
	sql  string        // the next one
	line int           // that it begins in
	more bool          // there is one
}

// take returns the next statement and looks for the one behind it.
func (d *division) take() string {
	sql := d.sql
	d.sql, d.more = "", false
	for d.cut != nil && !d.more {
		s, ok, err := d.cut.Next() // no statement is longer than the text
		if !ok || err != nil {
			break
		}
		d.sql, d.line, d.more = s.SQL, s.Line, s.SQL != ""
	}
	return sql
}

// divide returns the statements of a text, at least one.
func (c *Conn) divide(text []byte) (*division, *Error) {
	switch {
	case c.s.RawQueries:
		return &division{sql: string(text), more: true}, nil
	case bytes.IndexByte(text, ';') < 0 && len(bytes.TrimSpace(text)) > 0:
		return &division{sql: string(text), more: true}, nil
	}
	d := &division{cut: lexer.NewCutter(lexer.CutConfig{Mode: c.mode(), KeepDelimiter: true, MaxBytes: max(len(text), 1)})}
	d.cut.Feed(text)
	d.cut.Finish()
	d.take()
	if !d.more {
		return nil, errEmptyQuery
	}
	if !c.multi {
		first := d.take()
		if d.more {
			return nil, c.syntaxError(d.sql, d.line)
		}
		d = &division{sql: first, more: true}
	}
	return d, nil
}

// mode returns how the session reads quotes.
func (c *Conn) mode() lexer.Mode {
	var mode lexer.Mode
	if c.status.Has(mysql.StatusNoBackslashEscapes) {
		mode |= lexer.NoBackslashEscapes
	}
	if c.status.Has(mysql.StatusANSIQuotes) {
		mode |= lexer.ANSIQuotes
	}
	return mode
}

func (c *Conn) syntaxError(near string, line int) *Error {
	const most = 80 // bytes of the text that MySQL quotes
	product := "MySQL"
	if c.s.MariaDB {
		product = "MariaDB"
	}
	if len(near) > most {
		near = strings.ToValidUTF8(near[:most], "")
	}
	return Errorf(1064, "You have an error in your SQL syntax; check the manual that corresponds to your %s server version for the right syntax to use near '%s' at line %d",
		product, near, max(line, 1))
}
