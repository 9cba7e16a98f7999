package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// tableSource makes the source of a table.
func (e *Env) tableSource(n *ast.TableName) (*source, string) {
	alias := n.Alias
	if alias == "" {
		alias = n.Name
	}
	if n.DB == "" {
		for i := len(e.ctes) - 1; i >= 0; i-- {
			if c := e.ctes[i]; strings.EqualFold(c.name, n.Name) {
				ref := e.alias()
				src := &source{alias: alias, ref: ref}
				for _, col := range c.cols {
					col.sql = ref + "." + col.sql
					col.Table = alias
					src.cols = append(src.cols, col)
				}
				return src, c.sql + " AS " + ref
			}
		}
	}
	t := e.Lookup(n)
	if t.View != "" {
		return e.viewSource(t, alias)
	}
	ref := e.alias()
	src := &source{db: t.DB, alias: alias, table: t, ref: ref}
	from := catalog.QuoteName(t.Physical()) + " AS " + ref
	if t.Temporary {
		from = "temp." + from
	}
	if t.System {
		rows, err := e.Rows(t)
		if err != nil {
			panic(abort{err})
		}
		from = systemSource(t, e.bind(rows)) + " AS " + ref
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		ct := c.Type
		ct.NotNull = c.NotNull
		src.cols = append(src.cols, srcCol{
			Column: Column{Name: c.Name, Type: ct, DB: t.DB, Table: alias, OrgTable: t.Name, OrgName: c.Name, Flags: t.Flags(c)},
			sql:    ref + "." + catalog.QuoteName(c.Name),
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
		b.WriteString("value ->> '$[" + itoa(i) + "]' AS " + catalog.QuoteName(t.Columns[i].Name))
	}
	b.WriteString(" FROM json_each(" + arg + "))")
	return b.String()
}

// maxViews bounds how deep views may refer to views.
const maxViews = 16

// viewSource makes the source of a view.
func (e *Env) viewSource(t *catalog.Table, alias string) (*source, string) {
	q, err := e.Expand(t)
	if err != nil {
		panic(abort{err})
	}
	if e.views++; e.views > maxViews {
		fail(1462, "`%s`.`%s` contains view recursion", t.DB, t.Name)
	}
	defer func() { e.views-- }()
	oldDB, oldCTEs := e.DB, e.ctes
	e.DB, e.ctes = t.ViewDB, nil
	defer func() { e.DB, e.ctes = oldDB, oldCTEs }()
	src, from := e.derived(nil, &ast.Derived{Query: q, Alias: alias, Cols: t.ViewCols})
	src.db = t.DB
	return src, from
}

// derived makes the source of a query in FROM.
func (e *Env) derived(outer *scope, d *ast.Derived) (*source, string) {
	q := e.Query(e, outer, d.Query, nil)
	ref := e.alias()
	src := &source{alias: d.Alias, ref: ref}
	if len(d.Cols) > 0 && len(d.Cols) != len(q.cols) {
		fail(1353, "In definition of view, derived table or common table expression, SELECT list and column names list have different column counts")
	}
	seen := map[string]bool{}
	for i, c := range q.cols {
		if len(d.Cols) > 0 {
			c.Name = d.Cols[i]
		}
		if k := strings.ToLower(c.Name); seen[k] && d.Alias != "\x01" {
			fail(1060, "Duplicate column name '%s'", c.Name)
		} else {
			seen[k] = true
		}
		c.Type = materialized(c.Type)
		c.Table, c.OrgTable, c.OrgName, c.DB = d.Alias, "", c.Name, ""
		c.Flags &= mysql.FlagNotNull
		src.cols = append(src.cols, srcCol{Column: c, sql: ref + "." + outName(i)})
	}
	return src, "(" + q.sql + ") AS " + ref
}

// from compiles FROM.
func (e *Env) from(s *scope, r ast.TableRef) string {
	switch r := r.(type) {
	case *ast.TableName:
		src, sql := e.tableSource(r)
		e.add(s, src)
		return sql
	case *ast.Derived:
		src, sql := e.derived(s.parent, r)
		e.add(s, src)
		return sql
	case *ast.Join:
		return e.join(s, r)
	}
	unsupported("table reference")
	return ""
}

func (e *Env) add(s *scope, src *source) {
	for _, o := range s.sources {
		if strings.EqualFold(o.alias, src.alias) && strings.EqualFold(o.db, src.db) {
			fail(1066, "Not unique table/alias: '%s'", src.alias)
		}
	}
	s.sources = append(s.sources, src)
}

func (e *Env) join(s *scope, j *ast.Join) string {
	first := len(s.sources)
	l := e.from(s, j.L)
	mid := len(s.sources)
	r := e.from(s, j.R)
	left, right := s.sources[first:mid], s.sources[mid:]
	if _, nested := j.R.(*ast.Join); nested {
		r = "(" + r + ")"
	}
	kind := map[string]string{"INNER": " JOIN ", "CROSS": " CROSS JOIN ", "LEFT": " LEFT JOIN ", "RIGHT": " RIGHT JOIN "}[j.Kind]
	if j.Kind == "CROSS" && j.On != nil || j.Kind == "CROSS" && len(j.Using) > 0 || j.Kind == "CROSS" {
		kind = " JOIN " // without SQLite's meaning of a fixed order
	}
	sql := l + kind + r
	names := j.Using
	if j.Natural {
		for _, src := range left {
			for _, c := range src.cols {
				if hasCol(right, c.Name) && !c.merged {
					names = append(names, c.Name)
				}
			}
		}
	}
	if len(names) > 0 {
		return sql + " ON " + e.using(s, left, right, names, j.Kind == "RIGHT")
	}
	if j.On != nil {
		defer e.in("on clause")()
		sql += " ON " + e.asBool(e.expr(&scope{parent: s.parent, sources: s.sources, noAgg: true}, j.On))
	}
	return sql
}

func hasCol(list []*source, name string) bool {
	for _, src := range list {
		for _, c := range src.cols {
			if strings.EqualFold(c.Name, name) {
				return true
			}
		}
	}
	return false
}

// using compares the columns of both sides that have the same name, and lets
// the name alone mean one of them.
func (e *Env) using(s *scope, left, right []*source, names []string, keepRight bool) string {
	var conds []string
	for _, n := range names {
		c := &ast.Col{Name: n}
		defer e.in("from clause")()
		a, ok := e.column(&scope{sources: left}, c)
		b, ok2 := e.column(&scope{sources: right}, c)
		if !ok || !ok2 {
			fail(1054, "Unknown column '%s' in 'from clause'", n)
		}
		conds = append(conds, e.compare("=", a, b).sql)
		hide := right
		if keepRight {
			hide = left
		}
		for _, src := range hide {
			for i := range src.cols {
				if strings.EqualFold(src.cols[i].Name, n) {
					src.cols[i].merged = true
				}
			}
		}
	}
	return strings.Join(conds, " AND ")
}
