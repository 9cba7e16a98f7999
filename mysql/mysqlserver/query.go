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
	list, e := c.divide(m.SQL)
	if e != nil {
		return c.fail(e)
	}
	for i, sql := range list {
		c.s.serving.questions.Add(1)
		c.executes(sql)
		w := Writer{c: c, ctx: ctx, more: i < len(list)-1}
		err := c.guard("Query", func() error {
			return c.session.Query(ctx, &w, &Query{SQL: sql, Attributes: m.Attributes})
		})
		if over, err := w.end(ctx, err); over || err != nil {
			return err
		}
	}
	return nil
}

// divide returns the statements of a text, at least one.
func (c *Conn) divide(text []byte) ([]string, *Error) {
	if c.s.RawQueries {
		return []string{string(text)}, nil
	}
	if bytes.IndexByte(text, ';') < 0 {
		if len(bytes.TrimSpace(text)) == 0 {
			return nil, errEmptyQuery
		}
		return []string{string(text)}, nil
	}
	cut := lexer.NewCutter(lexer.CutConfig{Mode: c.mode(), KeepDelimiter: true, MaxBytes: max(len(text), 1)})
	cut.Feed(text)
	cut.Finish()
	var list []string
	for {
		s, ok, err := cut.Next()
		if err != nil {
			return nil, errTooLarge
		}
		if !ok {
			break
		}
		if s.SQL == "" {
			continue
		}
		if len(list) == 1 && !c.multi {
			return nil, c.syntaxError(s.SQL, s.Line)
		}
		list = append(list, s.SQL)
	}
	if len(list) == 0 {
		return nil, errEmptyQuery
	}
	return list, nil
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
