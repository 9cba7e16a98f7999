package session

import (
	"context"
	"database/sql/driver"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/parse"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	values "github.com/wirelark/wirelark/mysql/engine/internal/value"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// statement is a prepared statement. It is translated anew with each
// execution, since what it means depends on the types of its parameters.
type statement struct {
	s      *Session
	sql    string
	params int
	cols   []mysql.Column
}

// Prepare makes a prepared statement.
func (s *Session) Prepare(ctx context.Context, sql string) (mysqlserver.Statement, error) {
	st, n, err := parse.Statement(sql, s.options())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	if n > math.MaxUint16 {
		return nil, mysqlserver.Errorf(1390, "Prepared statement contains too many placeholders")
	}
	out := &statement{s: s, sql: sql, params: n}
	s.St.Warnings = nil
	s.St.Begin(s.now())
	env := s.Env(nil)
	if n == 0 {
		env.Params = []scope.Value{}
	}
	switch st := st.(type) {
	case *ast.Select:
		if st.IntoVars != nil {
			break
		}
		r, err := translate.Select(env, st)
		if err != nil {
			return nil, s.fail(ctx, err)
		}
		for i := range r.Columns {
			out.cols = append(out.cols, r.Columns[i].Def())
		}
	case *ast.Insert:
		_, _, err = translate.Insert(env, st)
	case *ast.Update:
		_, _, err = translate.Update(env, st)
	case *ast.Delete:
		_, _, err = translate.Delete(env, st)
	}
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	return out, nil
}

// NumParams returns the number of placeholders.
func (t *statement) NumParams() int { return t.params }

// Columns describes the result of a query.
func (t *statement) Columns() []mysql.Column { return t.cols }

// Close does nothing: the statement holds nothing.
func (t *statement) Close() {}

// Execute runs the statement.
func (t *statement) Execute(ctx context.Context, w *mysqlserver.Writer, x *mysqlserver.Execution) error {
	params := make([]scope.Value, len(x.Args))
	for i := range x.Args {
		params[i] = constantOf(&x.Args[i], t.s.Vars.text("collation_connection"))
	}
	return t.s.run(ctx, w, t.sql, params)
}

func unsigned(u uint64) driver.Value { return values.Unsigned(u) }

// textOrBytes is the collation of a parameter: bytes that are no text are
// bytes, whatever the client calls them.
func textOrBytes(b, collation string) string {
	if utf8.ValidString(b) {
		return collation
	}
	return "binary"
}

func textValue(b string) driver.Value {
	if utf8.ValidString(b) {
		return b
	}
	return []byte(b)
}

// maxExecute bounds EXECUTE of statements that execute.
const maxExecute = 4

// textPrepared answers PREPARE, EXECUTE and DEALLOCATE PREPARE.
func (s *Session) textPrepared(ctx context.Context, w *mysqlserver.Writer, st ast.Stmt) error {
	switch st := st.(type) {
	case *ast.Prepare:
		r, err := translate.Values(s.Env([]scope.Value{}), []ast.Expr{st.From})
		if err != nil {
			return err
		}
		rows, err := s.Rows(ctx, r.SQL, r.Args...)
		if err != nil {
			return err
		}
		sql, _ := rows[0][0].(string)
		p, err := s.Prepare(ctx, sql)
		if err != nil {
			return err
		}
		s.named[strings.ToLower(st.Name)] = &namedStatement{sql: sql, params: p.NumParams()}
		return s.Ok(w, mysqlserver.Result{})
	case *ast.Execute:
		p := s.named[strings.ToLower(st.Name)]
		if p == nil {
			return mysqlserver.Errorf(1243, "Unknown prepared statement handler (%s) given to EXECUTE", st.Name)
		}
		if len(st.Using) != p.params {
			return mysqlserver.Errorf(1210, "Incorrect arguments to EXECUTE")
		}
		params := make([]scope.Value, len(st.Using))
		for i, n := range st.Using {
			v := s.St.Vars[n]
			if v.Value == nil {
				v.Type = catalog.Type{Kind: mysql.TypeNull, Collation: "binary"}
			}
			params[i] = scope.Value{Type: v.Type, Value: v.Value}
		}
		if s.depth++; s.depth > maxExecute {
			s.depth = 0
			return mysqlserver.Errorf(1444, "The prepared statement contains a stored routine call that refers to that same statement")
		}
		defer func() { s.depth = max(0, s.depth-1) }()
		return s.run(ctx, w, p.sql, params)
	case *ast.Deallocate:
		if s.named[strings.ToLower(st.Name)] == nil {
			return mysqlserver.Errorf(1243, "Unknown prepared statement handler (%s) given to DEALLOCATE PREPARE", st.Name)
		}
		delete(s.named, strings.ToLower(st.Name))
	}
	return s.Ok(w, mysqlserver.Result{})
}
