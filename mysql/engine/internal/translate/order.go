package translate

import (
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
)

// position compiles an expression of GROUP BY or ORDER BY, in which a number
// is a column of the SELECT.
func (e *Env) position(s *scope, x ast.Expr) val {
	if l, ok := x.(*ast.Lit); ok && l.Kind == ast.LitInt {
		n, err := strconv.Atoi(l.Text)
		if err != nil || n < 1 || n > len(s.items) {
			fail(1054, "Unknown column '%s' in '%s'", l.Text, e.clauseName())
		}
		v := s.items[n-1].v
		if s.itemRef {
			v.sql = outName(n - 1)
		}
		return v
	}
	return e.expr(s, x)
}

// collated is v as it is grouped and sorted.
func (e *Env) collated(v val) string {
	if cmp := v.t.Compare(); cmp != "" {
		return "(" + v.sql + ") COLLATE " + cmp
	}
	if v.lit != nil {
		return "(" + v.sql + "+0)" // a number would be a position
	}
	return v.sql
}

func (e *Env) orderBy(s *scope, orders []ast.Order) string {
	defer e.in("order clause")()
	list := make([]string, len(orders))
	for i, o := range orders {
		v := e.position(s, o.X)
		key := e.collated(v)
		if len(v.t.Values) > 0 {
			key = e.enumNumber(v)
		}
		if o.Desc {
			key += " DESC"
		}
		list[i] = key
	}
	return " ORDER BY " + strings.Join(list, ", ")
}
