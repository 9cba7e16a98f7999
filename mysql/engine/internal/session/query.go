package session

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	values "github.com/wirelark/wirelark/mysql/engine/internal/value"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// selectQuery answers SELECT.
func (s *Session) selectQuery(ctx context.Context, w *mysqlserver.Writer, q *ast.Select, params []scope.Value) error {
	env := s.Env(params)
	if calc := q.Core; calc != nil && calc.FoundRows && q.Limit != nil {
		return s.calcFound(ctx, w, q, params)
	}
	r, err := translate.Select(env, q)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, q.Lock); err != nil {
		return err
	}
	if q.IntoVars != nil {
		return s.selectInto(ctx, w, q, r)
	}
	return s.Send(ctx, w, r)
}

// calcFound answers SELECT SQL_CALC_FOUND_ROWS … LIMIT.
func (s *Session) calcFound(ctx context.Context, w *mysqlserver.Writer, q *ast.Select, params []scope.Value) error {
	all := *q
	all.Limit, all.Offset = nil, nil
	r, err := translate.Select(s.Env(params), &all)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, false); err != nil {
		return err
	}
	n, err := s.Rows(ctx, "SELECT count(*) FROM ("+r.SQL+")", r.Args...)
	if err != nil {
		return err
	}
	if r, err = translate.Select(s.Env(params), q); err != nil {
		return err
	}
	if err := s.Send(ctx, w, r); err != nil {
		return err
	}
	s.found, _ = n[0][0].(int64)
	return nil
}

// Send runs a query and sends its rows.
func (s *Session) Send(ctx context.Context, w *mysqlserver.Writer, r *scope.Result) error {
	rows, err := s.conn.QueryContext(ctx, r.SQL, named(r.Args))
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, len(r.Columns))
	// The first row is awaited before the columns are sent, since most errors
	// come with it.
	err = rows.Next(row)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	cols := make([]mysql.Column, len(r.Columns))
	for i := range cols {
		cols[i] = r.Columns[i].Def()
	}
	if err := w.Columns(cols); err != nil {
		return err
	}
	values := make([]mysql.Value, len(cols))
	n := int64(0)
	for ; err == nil; err = rows.Next(row) {
		for i, v := range row {
			values[i] = Value(&r.Columns[i].Type, v)
		}
		if err := w.Row(values); err != nil {
			return err
		}
		n++
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	s.found, s.count = n, -1
	w.SetWarnings(uint16(len(s.St.Warnings)))
	return nil
}

// Value returns what SQLite has returned for a column of type t.
func Value(t *catalog.Type, v driver.Value) mysql.Value {
	switch x := v.(type) {
	case nil:
		return mysql.Null()
	case int64:
		switch {
		case t.Kind == mysql.TypeBit:
			return mysql.Bit(store.BitBytes(x, t.Length))
		case t.Rep() == catalog.RepText || t.Rep() == catalog.RepBytes || t.Rep() == catalog.RepDec:
			return mysql.String(strconv.FormatInt(x, 10))
		case t.Rep() == catalog.RepReal:
			return mysql.Double(float64(x))
		case t.Unsigned:
			return mysql.Uint(uint64(x))
		}
		return mysql.Int(x)
	case float64:
		switch {
		case t.Rep() == catalog.RepInt:
			return mysql.Int(int64(x))
		case t.Rep() != catalog.RepReal:
			return mysql.String(values.FormatDouble(x))
		case t.Kind == mysql.TypeFloat:
			return mysql.Float(float32(x)).WithDecimals(uint8(t.Decimals))
		}
		return mysql.Double(x).WithDecimals(uint8(t.Decimals))
	case []byte:
		if t.Rep() == catalog.RepInt {
			if u, ok := values.BigUnsigned(x); ok {
				if t.Kind == mysql.TypeBit {
					return mysql.Bit(store.BitBytes(x, t.Length))
				}
				return mysql.Uint(u)
			}
		}
		if t.Rep() == catalog.RepText {
			return mysql.Text(x)
		}
		return mysql.Bytes(x)
	case string:
		return stringValue(t, x)
	}
	return mysql.Null()
}

// stringValue returns a value that SQLite holds as a text.
func stringValue(t *catalog.Type, x string) mysql.Value {
	b := []byte(x)
	switch t.Rep() {
	case catalog.RepDec:
		return mysql.Decimal(b)
	case catalog.RepDate, catalog.RepDatetime:
		d, ok := mysql.ParseDateTime(b)
		if !ok {
			return mysql.Text(b)
		}
		if t.Rep() == catalog.RepDate {
			return mysql.Date(d)
		}
		return mysql.DateAndTime(d)
	case catalog.RepTime:
		d, ok := mysql.ParseDuration(b)
		if !ok {
			return mysql.Text(b)
		}
		return mysql.Time(d)
	case catalog.RepInt:
		if n, err := strconv.ParseInt(x, 10, 64); err == nil {
			return mysql.Int(n)
		}
	case catalog.RepReal:
		if f, err := strconv.ParseFloat(x, 64); err == nil {
			return mysql.Double(f)
		}
	case catalog.RepBytes:
		return mysql.Bytes(b)
	}
	return mysql.Text(b)
}

// selectInto answers SELECT … INTO @variables.
func (s *Session) selectInto(ctx context.Context, w *mysqlserver.Writer, q *ast.Select, r *scope.Result) error {
	if len(q.IntoVars) != len(r.Columns) {
		return mysqlserver.Errorf(1222, "The used SELECT statements have a different number of columns")
	}
	rows, err := s.Rows(ctx, "SELECT * FROM ("+r.SQL+") LIMIT 2", r.Args...)
	if err != nil {
		return err
	}
	switch len(rows) {
	case 0:
		s.St.Warn(1329, "No data - zero rows fetched, selected, or processed")
		return s.Ok(w, mysqlserver.Result{})
	case 2:
		return mysqlserver.Errorf(1172, "Result consisted of more than one row")
	}
	for i, name := range q.IntoVars {
		s.setUserVar(strings.ToLower(name), r.Columns[i].Type, rows[0][i])
	}
	return s.Ok(w, mysqlserver.Result{AffectedRows: 1})
}

// do answers DO.
func (s *Session) do(ctx context.Context, w *mysqlserver.Writer, st *ast.Do, params []scope.Value) error {
	r, err := translate.Values(s.Env(params), st.List)
	if err != nil {
		return err
	}
	if _, err := s.Rows(ctx, r.SQL, r.Args...); err != nil {
		return err
	}
	return s.Ok(w, mysqlserver.Result{})
}
