package translate

import (
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
)

// hookUp lets expressions compile the queries and calls in them.
func hookUp(e *scope.Env) {
	e.Query = func(e *scope.Env, s *scope.Scope, q *ast.Select, want []scope.Type) *scope.Compiled {
		return compileQuery(e, s, q, want)
	}
	e.Call = func(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val { return compileCall(e, s, f) }
}

// Select translates a query.
func Select(e *scope.Env, q *ast.Select) (r *scope.Result, err error) {
	defer scope.Catch(&err)
	hookUp(e)
	c := compileQuery(e, nil, q, nil)
	return &scope.Result{SQL: c.SQL, Args: e.Args, Columns: c.Cols}, nil
}

// Values translates expressions without a table, as those of SET and DO.
func Values(e *scope.Env, list []ast.Expr) (r *scope.Result, err error) {
	defer scope.Catch(&err)
	hookUp(e)
	q := &ast.Select{Core: &ast.Core{}}
	for _, x := range list {
		q.Core.Items = append(q.Core.Items, ast.Item{X: x, Text: "x"})
	}
	return Select(e, q)
}

// compileQuery compiles a query. want, if it is not nil, is what its columns are
// converted to.
func compileQuery(e *scope.Env, outer *scope.Scope, q *ast.Select, want []scope.Type) *scope.Compiled {
	if e.Depth++; e.Depth > 100 {
		scope.Fail(1064, "You have an error in your SQL syntax; queries are nested too deeply")
	}
	defer func() { e.Depth-- }()
	with := ""
	if len(q.With) > 0 {
		n := len(e.CTEs)
		with = compileWith(e, outer, q)
		defer func() { e.CTEs = e.CTEs[:n] }()
	}
	var c *scope.Compiled
	if q.Core != nil {
		c = compileCore(e, outer, q, want)
	} else {
		c = setOp(e, outer, q, want)
	}
	c.SQL = with + c.SQL + compileLimit(e, outer, q)
	if l, ok := q.Limit.(*ast.Lit); ok && l.Text == "1" {
		c.One = true
	}
	return c
}

// compileWith compiles common table expressions.
func compileWith(e *scope.Env, outer *scope.Scope, q *ast.Select) string {
	var parts []string
	for _, w := range q.With {
		c := &scope.CTE{Name: w.Name, SQL: e.Alias()}
		var body *scope.Compiled
		if q.Recursive && w.Query.SetOp != "" && strings.HasPrefix(w.Query.SetOp, "UNION") {
			first := compileQuery(e, outer, w.Query.Left, nil)
			c.Cols = cteCols(&w, first.Cols)
			e.CTEs = append(e.CTEs, c)
			types := make([]scope.Type, len(first.Cols))
			for i, col := range first.Cols {
				types[i] = col.Type
				types[i].NotNull = false
			}
			second := compileQuery(e, outer, w.Query.Right, types)
			if len(second.Cols) != len(first.Cols) {
				scope.Fail(1222, "The used SELECT statements have a different number of columns")
			}
			body = &scope.Compiled{SQL: first.SQL + " " + w.Query.SetOp + " " + second.SQL, Cols: first.Cols}
			body.SQL += compileLimit(e, outer, w.Query)
		} else {
			body = compileQuery(e, outer, w.Query, nil)
			c.Cols = cteCols(&w, body.Cols)
			e.CTEs = append(e.CTEs, c)
		}
		names := make([]string, len(body.Cols))
		for i := range names {
			names[i] = scope.OutName(i)
		}
		parts = append(parts, c.SQL+"("+strings.Join(names, ", ")+") AS ("+body.SQL+")")
	}
	head := "WITH "
	if q.Recursive {
		head = "WITH RECURSIVE "
	}
	return head + strings.Join(parts, ", ") + " "
}

func cteCols(w *ast.CTE, cols []scope.Column) []scope.SrcCol {
	if len(w.Cols) > 0 && len(w.Cols) != len(cols) {
		scope.Fail(4002, "WITH column list and SELECT field list have different column counts")
	}
	var list []scope.SrcCol
	for i, c := range cols {
		if len(w.Cols) > 0 {
			c.Name = w.Cols[i]
		}
		c.Type = scope.Materialized(c.Type)
		c.Type.NotNull = false
		c.OrgTable, c.OrgName, c.DB, c.Flags = "", c.Name, "", 0
		list = append(list, scope.SrcCol{Column: c, SQL: scope.OutName(i)})
	}
	return list
}

func compileLimit(e *scope.Env, outer *scope.Scope, q *ast.Select) string {
	if q.Limit == nil {
		return ""
	}
	s := " LIMIT " + count(e, outer, q.Limit)
	if q.Offset != nil {
		s += " OFFSET " + count(e, outer, q.Offset)
	}
	return s
}

// count compiles the operand of LIMIT.
func count(e *scope.Env, outer *scope.Scope, x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Lit:
		if x.Kind == ast.LitInt {
			if n, err := strconv.ParseInt(x.Text, 10, 64); err == nil && n >= 0 {
				return x.Text
			}
			if !strings.HasPrefix(x.Text, "-") {
				return "9223372036854775807"
			}
		}
	case *ast.Param:
		if e.Params == nil {
			return "0"
		}
		return "CAST(" + e.Expr(outer, x).SQL + " AS INTEGER)"
	}
	scope.Fail(1064, "You have an error in your SQL syntax; LIMIT takes a number")
	return ""
}

// setOp compiles a union or the like.
func setOp(e *scope.Env, outer *scope.Scope, q *ast.Select, want []scope.Type) *scope.Compiled {
	l, r := compileQuery(e, outer, q.Left, want), compileQuery(e, outer, q.Right, want)
	if len(l.Cols) != len(r.Cols) {
		scope.Fail(1222, "The used SELECT statements have a different number of columns")
	}
	if want == nil {
		types, differ := make([]scope.Type, len(l.Cols)), false
		for i := range l.Cols {
			a, b := l.Cols[i].Type, r.Cols[i].Type
			types[i] = e.Merge([]scope.Val{{T: a, Col: &l.Cols[i]}, {T: b, Col: &r.Cols[i]}})
			types[i].NotNull = a.NotNull && b.NotNull
			types[i].Expr = false
			differ = differ || needsConv(a, types[i]) || needsConv(b, types[i])
		}
		if differ {
			l, r = compileQuery(e, outer, q.Left, types), compileQuery(e, outer, q.Right, types)
		}
		for i := range types {
			l.Cols[i].Type = types[i]
		}
	}
	side := func(c *scope.Compiled, s *ast.Select) string {
		if s.SetOp != "" || s.Limit != nil || len(s.OrderBy) > 0 || len(s.With) > 0 {
			return "SELECT * FROM (" + c.SQL + ")"
		}
		return c.SQL
	}
	op := q.SetOp
	sql := side(l, q.Left) + " " + op + " " + side(r, q.Right)
	cols := l.Cols
	for i := range cols {
		cols[i].DB, cols[i].Table, cols[i].OrgTable, cols[i].OrgName, cols[i].Flags = "", "", "", "", 0
	}
	out := &scope.Compiled{SQL: sql, Cols: cols}
	if len(q.OrderBy) > 0 || q.Limit != nil {
		out.SQL = "SELECT * FROM (" + sql + ")"
	}
	if len(q.OrderBy) > 0 {
		s := &scope.Scope{Parent: outer, UseItem: true, ItemRef: true}
		for i, c := range cols {
			s.Items = append(s.Items, scope.Item{Name: c.Name, V: scope.Val{SQL: scope.OutName(i), T: c.Type}})
		}
		out.SQL += e.OrderBy(s, q.OrderBy)
	}
	return out
}

// needsConv reports whether values of type a have to be converted to be held
// as b.
func needsConv(a, b scope.Type) bool {
	if a.Rep() == catalog.RepNull {
		return false
	}
	return a.Rep() != b.Rep() || a.Rep() == catalog.RepDec && a.Decimals != b.Decimals ||
		a.Rep() == catalog.RepDatetime && a.Decimals != b.Decimals || a.Rep() == catalog.RepTime && a.Decimals != b.Decimals
}

// compileCore compiles one SELECT with its ORDER BY.
func compileCore(e *scope.Env, outer *scope.Scope, q *ast.Select, want []scope.Type) *scope.Compiled {
	c := q.Core
	if c.Rows != nil {
		return valueRows(e, outer, c.Rows, want)
	}
	s := &scope.Scope{Parent: outer}
	from := ""
	if c.From != nil {
		from = " FROM " + compileFrom(e, s, c.From)
	}
	s.Windows = map[string]*ast.Window{}
	for _, w := range c.Windows {
		s.Windows[strings.ToLower(w.Name)] = w.Spec
	}
	items := compileItems(e, s, c.Items)
	if want != nil && len(want) != len(items) {
		scope.Fail(1222, "The used SELECT statements have a different number of columns")
	}
	cols := make([]scope.Column, len(items))
	list := make([]string, len(items))
	for i := range items {
		it := &items[i]
		if want != nil {
			it.V = e.Convert(it.V, want[i])
		}
		cols[i] = scope.Column{Name: it.Name, Type: it.V.T}
		if it.V.Col != nil {
			cols[i] = *it.V.Col
			cols[i].Name = it.Name
		}
		list[i] = outputOf(it.V, c.Distinct) + " AS " + scope.OutName(i)
	}
	sql := "SELECT "
	if c.Distinct {
		sql += "DISTINCT "
	}
	sql += strings.Join(list, ", ") + from
	where, having := c.Where, c.Having
	agg := len(c.GroupBy) > 0 || hasAggregate(c.Items) || having != nil && hasAgg(having)
	cond := ""
	if where != nil {
		restore := e.In("where clause")
		cond = e.AsBool(e.Expr(&scope.Scope{Parent: outer, Sources: s.Sources, NoAgg: true}, where))
		restore()
	}
	s.Items, s.UseItem = items, true
	if having != nil && !agg {
		restore := e.In("having clause")
		h := e.AsBool(e.Expr(s, having))
		restore()
		if cond != "" {
			cond = "(" + cond + ") AND "
		}
		cond, having = cond+"("+h+")", nil
	}
	if cond != "" {
		sql += " WHERE " + cond
	}
	if len(c.GroupBy) > 0 {
		sql += groupBy(e, s, c)
	}
	if having != nil {
		if len(c.GroupBy) == 0 && !hasAggregate(c.Items) {
			sql += " GROUP BY NULL" // SQLite wants it; all rows are one group
		}
		restore := e.In("having clause")
		sql += " HAVING " + e.AsBool(e.Expr(s, having))
		restore()
	}
	if len(q.OrderBy) > 0 {
		s.ItemRef = true
		sql += e.OrderBy(s, q.OrderBy)
	}
	return &scope.Compiled{SQL: sql, Cols: cols, One: agg && len(c.GroupBy) == 0 || c.From == nil}
}

// outputOf is how a column of a SELECT is written: with DISTINCT its collation
// decides what is the same.
func outputOf(v scope.Val, distinct bool) string {
	if distinct {
		if cmp := v.T.Compare(); cmp != "" {
			return "(" + v.SQL + ") COLLATE " + cmp
		}
	}
	return v.SQL
}

func valueRows(e *scope.Env, outer *scope.Scope, rows [][]ast.Expr, want []scope.Type) *scope.Compiled {
	s := &scope.Scope{Parent: outer}
	var parts []string
	var cols []scope.Column
	for i, row := range rows {
		list := make([]string, len(row))
		for j, x := range row {
			v := e.Expr(s, x)
			if want != nil {
				v = e.Convert(v, want[j])
			}
			if i == 0 {
				name := v.Text
				if name == "" {
					name = strings.Trim(v.SQL, "'")
				}
				cols = append(cols, scope.Column{Name: name, Type: v.T})
			}
			list[j] = v.SQL + " AS " + scope.OutName(j)
		}
		if len(list) != len(cols) {
			scope.Fail(1136, "Column count doesn't match value count at row %d", i+1)
		}
		parts = append(parts, "SELECT "+strings.Join(list, ", "))
	}
	return &scope.Compiled{SQL: strings.Join(parts, " UNION ALL "), Cols: cols}
}

// compileItems compiles the list of a SELECT.
func compileItems(e *scope.Env, s *scope.Scope, list []ast.Item) []scope.Item {
	var out []scope.Item
	for _, it := range list {
		if star, ok := it.X.(*ast.Star); ok {
			out = append(out, expandStar(s, star)...)
			continue
		}
		restore := e.In("field list")
		v := e.Expr(s, it.X)
		restore()
		if v.List != nil {
			scope.Fail(1241, "Operand should contain 1 column(s)")
		}
		name := it.Alias
		if name == "" {
			name = itemName(&it)
		}
		out = append(out, scope.Item{Name: name, V: v})
	}
	return out
}

// itemName is the name of a column that was given none: the text, but of a
// column its name and of a string what it stands for.
func itemName(it *ast.Item) string {
	switch x := it.X.(type) {
	case *ast.Col:
		return x.Name
	case *ast.Lit:
		switch x.Kind {
		case ast.LitString:
			return strings.TrimLeft(x.Text, " ")
		case ast.LitNull:
			return "NULL"
		case ast.LitBool:
			return map[string]string{"1": "TRUE", "0": "FALSE"}[x.Text]
		}
	}
	return strings.TrimLeft(it.Text, "+ ")
}

// expandStar expands * and t.*.
func expandStar(s *scope.Scope, star *ast.Star) []scope.Item {
	if len(s.Sources) == 0 {
		scope.Fail(1096, "No tables used")
	}
	var out []scope.Item
	found := false
	for pass := range 2 { // what USING has merged comes first
		for _, src := range s.Sources {
			if star.Table != "" && (!strings.EqualFold(src.Alias, star.Table) || star.DB != "" && !strings.EqualFold(src.Db, star.DB)) {
				continue
			}
			found = true
			for i := range src.Cols {
				c := &src.Cols[i]
				if star.Table != "" {
					if pass == 0 {
						out = append(out, scope.Item{Name: c.Name, V: c.Val()})
					}
					continue
				}
				if !c.Merged && isMerged(s, c) == (pass == 0) {
					out = append(out, scope.Item{Name: c.Name, V: c.Val()})
				}
			}
		}
	}
	if !found {
		scope.Fail(1051, "Unknown table '%s'", star.Table)
	}
	return out
}

// isMerged reports whether c stands for a column of another source too.
func isMerged(s *scope.Scope, c *scope.SrcCol) bool {
	for _, src := range s.Sources {
		for i := range src.Cols {
			if src.Cols[i].Merged && strings.EqualFold(src.Cols[i].Name, c.Name) {
				return true
			}
		}
	}
	return false
}

func groupBy(e *scope.Env, s *scope.Scope, c *ast.Core) string {
	if c.Rollup {
		scope.Unsupported("WITH ROLLUP")
	}
	defer e.In("group statement")()
	g := *s
	g.ColsFirst, g.NoAgg = true, true
	list := make([]string, len(c.GroupBy))
	for i, o := range c.GroupBy {
		list[i] = e.Collated(e.Position(&g, o.X))
	}
	return " GROUP BY " + strings.Join(list, ", ")
}
