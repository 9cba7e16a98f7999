package engine

import (
	"context"
	"database/sql/driver"
	"io"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	values "github.com/wirelark/wirelark/mysql/engine/internal/value"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// selectQuery answers SELECT.
func (s *session) selectQuery(ctx context.Context, w *mysqlserver.Writer, q *ast.Select, params []translate.Value) error {
	env := s.env(params)
	if calc := q.Core; calc != nil && calc.FoundRows && q.Limit != nil {
		return s.calcFound(ctx, w, q, params)
	}
	r, err := env.Select(q)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, q.Lock); err != nil {
		return err
	}
	if q.IntoVars != nil {
		return s.selectInto(ctx, w, q, r)
	}
	return s.send(ctx, w, r)
}

// calcFound answers SELECT SQL_CALC_FOUND_ROWS … LIMIT.
func (s *session) calcFound(ctx context.Context, w *mysqlserver.Writer, q *ast.Select, params []translate.Value) error {
	all := *q
	all.Limit, all.Offset = nil, nil
	r, err := s.env(params).Select(&all)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, false); err != nil {
		return err
	}
	n, err := s.rows(ctx, "SELECT count(*) FROM ("+r.SQL+")", r.Args...)
	if err != nil {
		return err
	}
	if r, err = s.env(params).Select(q); err != nil {
		return err
	}
	if err := s.send(ctx, w, r); err != nil {
		return err
	}
	s.found, _ = n[0][0].(int64)
	return nil
}

// send runs a query and sends its rows.
func (s *session) send(ctx context.Context, w *mysqlserver.Writer, r *translate.Result) error {
	rows, err := s.conn.QueryContext(ctx, r.SQL, named(r.Args))
	if err != nil {
		return err
	}
	defer rows.Close()
	row := make([]driver.Value, len(r.Columns))
	// The first row is awaited before the columns are sent, since most errors
	// come with it.
	err = rows.Next(row)
	if err != nil && err != io.EOF {
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
			values[i] = value(&r.Columns[i].Type, v)
		}
		if err := w.Row(values); err != nil {
			return err
		}
		n++
	}
	if err != io.EOF {
		return err
	}
	s.found, s.count = n, -1
	w.SetWarnings(uint16(len(s.st.Warnings)))
	return nil
}

// value returns what SQLite has returned for a column of type t.
func value(t *catalog.Type, v driver.Value) mysql.Value {
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
func (s *session) selectInto(ctx context.Context, w *mysqlserver.Writer, q *ast.Select, r *translate.Result) error {
	if len(q.IntoVars) != len(r.Columns) {
		return mysqlserver.Errorf(1222, "The used SELECT statements have a different number of columns")
	}
	rows, err := s.rows(ctx, "SELECT * FROM ("+r.SQL+") LIMIT 2", r.Args...)
	if err != nil {
		return err
	}
	switch len(rows) {
	case 0:
		s.st.Warn(1329, "No data - zero rows fetched, selected, or processed")
		return s.ok(w, mysqlserver.Result{})
	case 2:
		return mysqlserver.Errorf(1172, "Result consisted of more than one row")
	}
	for i, name := range q.IntoVars {
		s.setUserVar(strings.ToLower(name), r.Columns[i].Type, rows[0][i])
	}
	return s.ok(w, mysqlserver.Result{AffectedRows: 1})
}

// do answers DO.
func (s *session) do(ctx context.Context, w *mysqlserver.Writer, st *ast.Do, params []translate.Value) error {
	r, err := s.env(params).Values(st.List)
	if err != nil {
		return err
	}
	if _, err := s.rows(ctx, r.SQL, r.Args...); err != nil {
		return err
	}
	return s.ok(w, mysqlserver.Result{})
}

// explain answers EXPLAIN with SQLite's plan in MySQL's columns.
func (s *session) explain(ctx context.Context, w *mysqlserver.Writer, st *ast.Explain, params []translate.Value) error {
	if st.Format != "" && st.Format != "traditional" {
		return mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support 'EXPLAIN FORMAT=%s'", st.Format)
	}
	var r *translate.Result
	var err error
	env := s.env(params)
	kind := "SIMPLE"
	switch st := st.Stmt.(type) {
	case *ast.Select:
		r, err = env.Select(st)
	case *ast.Insert:
		r, _, err = env.Insert(st)
		kind = "INSERT"
	case *ast.Update:
		r, _, err = env.Update(st)
		kind = "UPDATE"
	case *ast.Delete:
		var list []*translate.Result
		if list, _, err = env.Delete(st); err == nil {
			r = list[len(list)-1]
		}
		kind = "DELETE"
	}
	if err != nil {
		return err
	}
	plan, err := s.rows(ctx, "EXPLAIN QUERY PLAN "+r.SQL, r.Args...)
	if err != nil {
		return err
	}
	t := newListing("id:bigint", "select_type:text", "table:text", "type:text", "possible_keys:text", "key:text", "key_len:text", "ref:text", "rows:bigint", "Extra:text")
	for _, p := range plan {
		detail, _ := p[3].(string)
		access := "ALL"
		if strings.HasPrefix(detail, "SEARCH") {
			access = "ref"
		}
		t.add(int64(1), kind, nil, access, nil, nil, nil, nil, nil, detail)
	}
	if len(plan) == 0 {
		t.add(int64(1), kind, nil, nil, nil, nil, nil, nil, nil, "No tables used")
	}
	return s.sendListing(ctx, w, t)
}
