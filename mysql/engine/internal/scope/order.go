package scope

import (
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
)

// Position compiles an expression of GROUP BY or ORDER BY, in which a number
// is a column of the SELECT.
func (e *Env) Position(s *Scope, x ast.Expr) Val {
	if l, ok := x.(*ast.Lit); ok && l.Kind == ast.LitInt {
		n, err := strconv.Atoi(l.Text)
		if err != nil || n < 1 || n > len(s.Items) {
			Fail(1054, "Unknown column '%s' in '%s'", l.Text, e.clauseName())
		}
		v := s.Items[n-1].V
		if s.ItemRef {
			v.SQL = OutName(n - 1)
		}
		return v
	}
	return e.Expr(s, x)
}

// Collated is v as it is grouped and sorted.
func (e *Env) Collated(v Val) string {
	if cmp := v.T.Compare(); cmp != "" {
		return "(" + v.SQL + ") COLLATE " + cmp
	}
	if v.Lit != nil {
		return "(" + v.SQL + "+0)" // a number would be a position
	}
	return v.SQL
}

// OrderBy compiles ORDER BY.
func (e *Env) OrderBy(s *Scope, orders []ast.Order) string {
	defer e.In("order clause")()
	list := make([]string, len(orders))
	for i, o := range orders {
		v := e.Position(s, o.X)
		key := e.Collated(v)
		if len(v.T.Values) > 0 {
			key = e.enumNumber(v)
		}
		if o.Desc {
			key += " DESC"
		}
		list[i] = key
	}
	return " ORDER BY " + strings.Join(list, ", ")
}
