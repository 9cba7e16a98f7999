package translate

import (
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// hook lets expressions compile the queries and calls in them.
func (e *Env) hook() {
	e.Query = func(e *Env, s *scope, q *ast.Select, want []Type) *compiled { return e.query(s, q, want) }
	e.Call = func(e *Env, s *scope, f *ast.Func) val { return e.call(s, f) }
}

// Select translates a query.
func (e *Env) Select(q *ast.Select) (r *Result, err error) {
	defer catch(&err)
	e.hook()
	c := e.query(nil, q, nil)
	return &Result{SQL: c.sql, Args: e.args, Columns: c.cols}, nil
}

// Values translates expressions without a table, as those of SET and DO.
func (e *Env) Values(list []ast.Expr) (r *Result, err error) {
	defer catch(&err)
	e.hook()
	q := &ast.Select{Core: &ast.Core{}}
	for _, x := range list {
		q.Core.Items = append(q.Core.Items, ast.Item{X: x, Text: "x"})
	}
	return e.Select(q)
}

// query compiles a query. want, if it is not nil, is what its columns are
// converted to.
func (e *Env) query(outer *scope, q *ast.Select, want []Type) *compiled {
	if e.depth++; e.depth > 100 {
		fail(1064, "You have an error in your SQL syntax; queries are nested too deeply")
	}
	defer func() { e.depth-- }()
	with := ""
	if len(q.With) > 0 {
		n := len(e.ctes)
		with = e.with(outer, q)
		defer func() { e.ctes = e.ctes[:n] }()
	}
	var c *compiled
	if q.Core != nil {
		c = e.core(outer, q, want)
	} else {
		c = e.setOp(outer, q, want)
	}
	c.sql = with + c.sql + e.limit(outer, q)
	if l, ok := q.Limit.(*ast.Lit); ok && l.Text == "1" {
		c.one = true
	}
	return c
}

// with compiles common table expressions.
func (e *Env) with(outer *scope, q *ast.Select) string {
	var parts []string
	for _, w := range q.With {
		c := &cte{name: w.Name, sql: e.alias()}
		var body *compiled
		if q.Recursive && w.Query.SetOp != "" && strings.HasPrefix(w.Query.SetOp, "UNION") {
			first := e.query(outer, w.Query.Left, nil)
			c.cols = cteCols(&w, first.cols)
			e.ctes = append(e.ctes, c)
			types := make([]Type, len(first.cols))
			for i, col := range first.cols {
				types[i] = col.Type
				types[i].NotNull = false
			}
			second := e.query(outer, w.Query.Right, types)
			if len(second.cols) != len(first.cols) {
				fail(1222, "The used SELECT statements have a different number of columns")
			}
			body = &compiled{sql: first.sql + " " + w.Query.SetOp + " " + second.sql, cols: first.cols}
			body.sql += e.limit(outer, w.Query)
		} else {
			body = e.query(outer, w.Query, nil)
			c.cols = cteCols(&w, body.cols)
			e.ctes = append(e.ctes, c)
		}
		names := make([]string, len(body.cols))
		for i := range names {
			names[i] = outName(i)
		}
		parts = append(parts, c.sql+"("+strings.Join(names, ", ")+") AS ("+body.sql+")")
	}
	head := "WITH "
	if q.Recursive {
		head = "WITH RECURSIVE "
	}
	return head + strings.Join(parts, ", ") + " "
}

func cteCols(w *ast.CTE, cols []Column) []srcCol {
	if len(w.Cols) > 0 && len(w.Cols) != len(cols) {
		fail(4002, "WITH column list and SELECT field list have different column counts")
	}
	var list []srcCol
	for i, c := range cols {
		if len(w.Cols) > 0 {
			c.Name = w.Cols[i]
		}
		c.Type = materialized(c.Type)
		c.Type.NotNull = false
		c.OrgTable, c.OrgName, c.DB, c.Flags = "", c.Name, "", 0
		list = append(list, srcCol{Column: c, sql: outName(i)})
	}
	return list
}

func (e *Env) limit(outer *scope, q *ast.Select) string {
	if q.Limit == nil {
		return ""
	}
	s := " LIMIT " + e.count(outer, q.Limit)
	if q.Offset != nil {
		s += " OFFSET " + e.count(outer, q.Offset)
	}
	return s
}

// count compiles the operand of LIMIT.
func (e *Env) count(outer *scope, x ast.Expr) string {
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
		return "CAST(" + e.expr(outer, x).sql + " AS INTEGER)"
	}
	fail(1064, "You have an error in your SQL syntax; LIMIT takes a number")
	return ""
}

// setOp compiles a union or the like.
func (e *Env) setOp(outer *scope, q *ast.Select, want []Type) *compiled {
	l, r := e.query(outer, q.Left, want), e.query(outer, q.Right, want)
	if len(l.cols) != len(r.cols) {
		fail(1222, "The used SELECT statements have a different number of columns")
	}
	if want == nil {
		types, differ := make([]Type, len(l.cols)), false
		for i := range l.cols {
			a, b := l.cols[i].Type, r.cols[i].Type
			types[i] = e.merge([]val{{t: a, col: &l.cols[i]}, {t: b, col: &r.cols[i]}})
			types[i].NotNull = a.NotNull && b.NotNull
			types[i].Expr = false
			differ = differ || needsConv(a, types[i]) || needsConv(b, types[i])
		}
		if differ {
			l, r = e.query(outer, q.Left, types), e.query(outer, q.Right, types)
		}
		for i := range types {
			l.cols[i].Type = types[i]
		}
	}
	side := func(c *compiled, s *ast.Select) string {
		if s.SetOp != "" || s.Limit != nil || len(s.OrderBy) > 0 || len(s.With) > 0 {
			return "SELECT * FROM (" + c.sql + ")"
		}
		return c.sql
	}
	op := q.SetOp
	sql := side(l, q.Left) + " " + op + " " + side(r, q.Right)
	cols := l.cols
	for i := range cols {
		cols[i].DB, cols[i].Table, cols[i].OrgTable, cols[i].OrgName, cols[i].Flags = "", "", "", "", 0
	}
	out := &compiled{sql: sql, cols: cols}
	if len(q.OrderBy) > 0 || q.Limit != nil {
		out.sql = "SELECT * FROM (" + sql + ")"
	}
	if len(q.OrderBy) > 0 {
		s := &scope{parent: outer, useItem: true, itemRef: true}
		for i, c := range cols {
			s.items = append(s.items, item{c.Name, val{sql: outName(i), t: c.Type}})
		}
		out.sql += e.orderBy(s, q.OrderBy)
	}
	return out
}

// needsConv reports whether values of type a have to be converted to be held
// as b.
func needsConv(a, b Type) bool {
	if a.Rep() == catalog.RepNull {
		return false
	}
	return a.Rep() != b.Rep() || a.Rep() == catalog.RepDec && a.Decimals != b.Decimals ||
		a.Rep() == catalog.RepDatetime && a.Decimals != b.Decimals || a.Rep() == catalog.RepTime && a.Decimals != b.Decimals
}

// core compiles one SELECT with its ORDER BY.
func (e *Env) core(outer *scope, q *ast.Select, want []Type) *compiled {
	c := q.Core
	if c.Rows != nil {
		return e.valueRows(outer, c.Rows, want)
	}
	s := &scope{parent: outer}
	from := ""
	if c.From != nil {
		from = " FROM " + e.from(s, c.From)
	}
	s.windows = map[string]*ast.Window{}
	for _, w := range c.Windows {
		s.windows[strings.ToLower(w.Name)] = w.Spec
	}
	items := e.items(s, c.Items)
	if want != nil && len(want) != len(items) {
		fail(1222, "The used SELECT statements have a different number of columns")
	}
	cols := make([]Column, len(items))
	list := make([]string, len(items))
	for i := range items {
		it := &items[i]
		if want != nil {
			it.v = e.convert(it.v, want[i])
		}
		cols[i] = Column{Name: it.name, Type: it.v.t}
		if it.v.col != nil {
			cols[i] = *it.v.col
			cols[i].Name = it.name
		}
		list[i] = e.output(it.v, c.Distinct) + " AS " + outName(i)
	}
	sql := "SELECT "
	if c.Distinct {
		sql += "DISTINCT "
	}
	sql += strings.Join(list, ", ") + from
	where, having := c.Where, c.Having
	agg := len(c.GroupBy) > 0 || e.hasAggregate(c.Items) || having != nil && hasAgg(having)
	cond := ""
	if where != nil {
		restore := e.in("where clause")
		cond = e.asBool(e.expr(&scope{parent: outer, sources: s.sources, noAgg: true}, where))
		restore()
	}
	s.items, s.useItem = items, true
	if having != nil && !agg {
		restore := e.in("having clause")
		h := e.asBool(e.expr(s, having))
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
		sql += e.groupBy(s, c)
	}
	if having != nil {
		if len(c.GroupBy) == 0 && !e.hasAggregate(c.Items) {
			sql += " GROUP BY NULL" // SQLite wants it; all rows are one group
		}
		restore := e.in("having clause")
		sql += " HAVING " + e.asBool(e.expr(s, having))
		restore()
	}
	if len(q.OrderBy) > 0 {
		s.itemRef = true
		sql += e.orderBy(s, q.OrderBy)
	}
	return &compiled{sql: sql, cols: cols, one: agg && len(c.GroupBy) == 0 || c.From == nil}
}

// output is how a column of a SELECT is written: with DISTINCT its collation
// decides what is the same.
func (e *Env) output(v val, distinct bool) string {
	if distinct {
		if cmp := v.t.Compare(); cmp != "" {
			return "(" + v.sql + ") COLLATE " + cmp
		}
	}
	return v.sql
}

func (e *Env) valueRows(outer *scope, rows [][]ast.Expr, want []Type) *compiled {
	s := &scope{parent: outer}
	var parts []string
	var cols []Column
	for i, row := range rows {
		list := make([]string, len(row))
		for j, x := range row {
			v := e.expr(s, x)
			if want != nil {
				v = e.convert(v, want[j])
			}
			if i == 0 {
				name := v.text
				if name == "" {
					name = strings.Trim(v.sql, "'")
				}
				cols = append(cols, Column{Name: name, Type: v.t})
			}
			list[j] = v.sql + " AS " + outName(j)
		}
		if len(list) != len(cols) {
			fail(1136, "Column count doesn't match value count at row %d", i+1)
		}
		parts = append(parts, "SELECT "+strings.Join(list, ", "))
	}
	return &compiled{sql: strings.Join(parts, " UNION ALL "), cols: cols}
}

// items compiles the list of a SELECT.
func (e *Env) items(s *scope, list []ast.Item) []item {
	var out []item
	for _, it := range list {
		if star, ok := it.X.(*ast.Star); ok {
			out = append(out, e.star(s, star)...)
			continue
		}
		restore := e.in("field list")
		v := e.expr(s, it.X)
		restore()
		if v.list != nil {
			fail(1241, "Operand should contain 1 column(s)")
		}
		name := it.Alias
		if name == "" {
			name = itemName(&it)
		}
		out = append(out, item{name, v})
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

// star expands * and t.*.
func (e *Env) star(s *scope, star *ast.Star) []item {
	if len(s.sources) == 0 {
		fail(1096, "No tables used")
	}
	var out []item
	found := false
	for pass := range 2 { // what USING has merged comes first
		for _, src := range s.sources {
			if star.Table != "" && (!strings.EqualFold(src.alias, star.Table) || star.DB != "" && !strings.EqualFold(src.db, star.DB)) {
				continue
			}
			found = true
			for i := range src.cols {
				c := &src.cols[i]
				if star.Table != "" {
					if pass == 0 {
						out = append(out, item{c.Name, c.val()})
					}
					continue
				}
				if !c.merged && isMerged(s, c) == (pass == 0) {
					out = append(out, item{c.Name, c.val()})
				}
			}
		}
	}
	if !found {
		fail(1051, "Unknown table '%s'", star.Table)
	}
	return out
}

// isMerged reports whether c stands for a column of another source too.
func isMerged(s *scope, c *srcCol) bool {
	for _, src := range s.sources {
		for i := range src.cols {
			if src.cols[i].merged && strings.EqualFold(src.cols[i].Name, c.Name) {
				return true
			}
		}
	}
	return false
}

func (e *Env) groupBy(s *scope, c *ast.Core) string {
	if c.Rollup {
		unsupported("WITH ROLLUP")
	}
	defer e.in("group statement")()
	g := *s
	g.colsFirst, g.noAgg = true, true
	list := make([]string, len(c.GroupBy))
	for i, o := range c.GroupBy {
		list[i] = e.collated(e.position(&g, o.X))
	}
	return " GROUP BY " + strings.Join(list, ", ")
}
