package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
)

// tableSource makes the source of a table.
func tableSource(e *scope.Env, n *ast.TableName) (*scope.Source, string) {
	alias := n.Alias
	if alias == "" {
		alias = n.Name
	}
	if n.DB == "" {
		for i := len(e.CTEs) - 1; i >= 0; i-- {
			if c := e.CTEs[i]; strings.EqualFold(c.Name, n.Name) {
				ref := e.Alias()
				src := &scope.Source{Alias: alias, Ref: ref}
				for _, col := range c.Cols {
					col.SQL = ref + "." + col.SQL
					col.Table = alias
					src.Cols = append(src.Cols, col)
				}
				return src, c.SQL + " AS " + ref
			}
		}
	}
	t := e.Lookup(n)
	if t.View != "" {
		return viewSource(e, t, alias)
	}
	ref := e.Alias()
	src := &scope.Source{Db: t.DB, Alias: alias, Table: t, Ref: ref}
	from := catalog.QuoteName(t.Physical()) + " AS " + ref
	if t.Temporary {
		from = "temp." + from
	}
	if t.System {
		rows, err := e.Rows(t)
		if err != nil {
			panic(scope.Abort{Err: err})
		}
		from = systemSource(t, e.Bind(rows)) + " AS " + ref
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		ct := c.Type
		ct.NotNull = c.NotNull
		src.Cols = append(src.Cols, scope.SrcCol{
			Column: scope.Column{Name: c.Name, Type: ct, DB: t.DB, Table: alias, OrgTable: t.Name, OrgName: c.Name, Flags: t.Flags(c)},
			SQL:    ref + "." + catalog.QuoteName(c.Name),
		})
	}
	return src, from
}

// systemSource is a query that makes rows of a JSON text.
func systemSource(t *catalog.Table, arg string) string {
	var b strings.Builder
	b.WriteString("(SELECT ")
	for i := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("value ->> '$[" + scope.Itoa(i) + "]' AS " + catalog.QuoteName(t.Columns[i].Name))
	}
	b.WriteString(" FROM json_each(" + arg + "))")
	return b.String()
}

// maxViews bounds how deep views may refer to views.
const maxViews = 16

// viewSource makes the source of a view.
func viewSource(e *scope.Env, t *catalog.Table, alias string) (*scope.Source, string) {
	q, err := e.Expand(t)
	if err != nil {
		panic(scope.Abort{Err: err})
	}
	if e.Views++; e.Views > maxViews {
		scope.Fail(1462, "`%s`.`%s` contains view recursion", t.DB, t.Name)
	}
	defer func() { e.Views-- }()
	oldDB, oldCTEs := e.DB, e.CTEs
	e.DB, e.CTEs = t.ViewDB, nil
	defer func() { e.DB, e.CTEs = oldDB, oldCTEs }()
	src, from := derived(e, nil, &ast.Derived{Query: q, Alias: alias, Cols: t.ViewCols})
	src.Db = t.DB
	return src, from
}

// derived makes the source of a query in FROM.
func derived(e *scope.Env, outer *scope.Scope, d *ast.Derived) (*scope.Source, string) {
	q := e.Query(e, outer, d.Query, nil)
	ref := e.Alias()
	src := &scope.Source{Alias: d.Alias, Ref: ref}
	if len(d.Cols) > 0 && len(d.Cols) != len(q.Cols) {
		scope.Fail(1353, "In definition of view, derived table or common table expression, SELECT list and column names list have different column counts")
	}
	seen := map[string]bool{}
	for i, c := range q.Cols {
		if len(d.Cols) > 0 {
			c.Name = d.Cols[i]
		}
		if k := strings.ToLower(c.Name); seen[k] && d.Alias != "\x01" {
			scope.Fail(1060, "Duplicate column name '%s'", c.Name)
		} else {
			seen[k] = true
		}
		c.Type = scope.Materialized(c.Type)
		c.Table, c.OrgTable, c.OrgName, c.DB = d.Alias, "", c.Name, ""
		c.Flags &= mysql.FlagNotNull
		src.Cols = append(src.Cols, scope.SrcCol{Column: c, SQL: ref + "." + scope.OutName(i)})
	}
	return src, "(" + q.SQL + ") AS " + ref
}

// compileFrom compiles FROM.
func compileFrom(e *scope.Env, s *scope.Scope, r ast.TableRef) string {
	switch r := r.(type) {
	case *ast.TableName:
		src, sql := tableSource(e, r)
		add(s, src)
		return sql
	case *ast.Derived:
		src, sql := derived(e, s.Parent, r)
		add(s, src)
		return sql
	case *ast.Join:
		return compileJoin(e, s, r)
	}
	scope.Unsupported("table reference")
	return ""
}

func add(s *scope.Scope, src *scope.Source) {
	for _, o := range s.Sources {
		if strings.EqualFold(o.Alias, src.Alias) && strings.EqualFold(o.Db, src.Db) {
			scope.Fail(1066, "Not unique table/alias: '%s'", src.Alias)
		}
	}
	s.Sources = append(s.Sources, src)
}

func compileJoin(e *scope.Env, s *scope.Scope, j *ast.Join) string {
	first := len(s.Sources)
	l := compileFrom(e, s, j.L)
	mid := len(s.Sources)
	r := compileFrom(e, s, j.R)
	left, right := s.Sources[first:mid], s.Sources[mid:]
	if _, nested := j.R.(*ast.Join); nested {
		r = "(" + r + ")"
	}
	kind := map[string]string{"INNER": " JOIN ", "CROSS": " JOIN ", "LEFT": " LEFT JOIN ", "RIGHT": " RIGHT JOIN "}[j.Kind]
	sql := l + kind + r
	names := j.Using
	if j.Natural {
		for _, src := range left {
			for _, c := range src.Cols {
				if hasCol(right, c.Name) && !c.Merged {
					names = append(names, c.Name)
				}
			}
		}
	}
	if len(names) > 0 {
		return sql + " ON " + using(e, left, right, names, j.Kind == "RIGHT")
	}
	if j.On != nil {
		defer e.In("on clause")()
		sql += " ON " + e.AsBool(e.Expr(&scope.Scope{Parent: s.Parent, Sources: s.Sources, NoAgg: true}, j.On))
	}
	return sql
}

func hasCol(list []*scope.Source, name string) bool {
	for _, src := range list {
		for _, c := range src.Cols {
			if strings.EqualFold(c.Name, name) {
				return true
			}
		}
	}
	return false
}

// using compares the columns of both sides that have the same name, and lets
// the name alone mean one of them.
func using(e *scope.Env, left, right []*scope.Source, names []string, keepRight bool) string {
	var conds []string
	for _, n := range names {
		c := &ast.Col{Name: n}
		defer e.In("from clause")()
		a, ok := e.Column(&scope.Scope{Sources: left}, c)
		b, ok2 := e.Column(&scope.Scope{Sources: right}, c)
		if !ok || !ok2 {
			scope.Fail(1054, "Unknown column '%s' in 'from clause'", n)
		}
		conds = append(conds, e.Compare("=", a, b).SQL)
		hide := right
		if keepRight {
			hide = left
		}
		for _, src := range hide {
			for i := range src.Cols {
				if strings.EqualFold(src.Cols[i].Name, n) {
					src.Cols[i].Merged = true
				}
			}
		}
	}
	return strings.Join(conds, " AND ")
}
