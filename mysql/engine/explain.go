package engine

import (
	"context"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// explain answers EXPLAIN with SQLite's plan in MySQL's columns.
func explain(ctx context.Context, s *session.Session, w *mysqlserver.Writer, st *ast.Explain, params []scope.Value) error {
	if st.Format != "" && st.Format != "traditional" {
		return mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support 'EXPLAIN FORMAT=%s'", st.Format)
	}
	var r *scope.Result
	var err error
	env := s.Env(params)
	kind := "SIMPLE"
	switch st := st.Stmt.(type) {
	case *ast.Select:
		r, err = translate.Select(env, st)
	case *ast.Insert:
		r, _, err = translate.Insert(env, st)
		kind = "INSERT"
	case *ast.Update:
		r, _, err = translate.Update(env, st)
		kind = "UPDATE"
	case *ast.Delete:
		var list []*scope.Result
		if list, _, err = translate.Delete(env, st); err == nil {
			r = list[len(list)-1]
		}
		kind = "DELETE"
	}
	if err != nil {
		return err
	}
	plan, err := s.Rows(ctx, "EXPLAIN QUERY PLAN "+r.SQL, r.Args...)
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
	return sendListing(ctx, s, w, t)
}
