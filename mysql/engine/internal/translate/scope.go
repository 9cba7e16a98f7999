package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// val is an expression of SQLite with the type that MySQL gives it.
type val struct {
	sql  string
	t    Type
	lit  *ast.Lit // of a constant that was written
	col  *Column  // of a plain column
	list []val    // of a row
	text string   // value of a text constant
}

func (v val) rep() catalog.Rep { return v.t.Rep() }

// isHex reports whether v is a literal such as 0x1F, which is a number where
// one is wanted, as x'1F' is not.
func (v val) isHex() bool { return v.lit != nil && v.lit.Kind == ast.LitHex && v.lit.Charset == "" }

// srcCol is a column of a source.
type srcCol struct {
	Column
	sql    string
	merged bool // stands for one of another source: USING
}

// source is something in FROM.
type source struct {
	db, alias string
	table     *catalog.Table
	cols      []srcCol
	ref       string // alias in SQLite
}

// scope is what names mean in a part of a statement.
type scope struct {
	parent         *scope
	sources        []*source
	items          []item // the columns of the SELECT, for HAVING, GROUP BY and ORDER BY
	useItem        bool   // names may mean items
	itemRef        bool   // an item is called by its name in SQLite
	colsFirst      bool
	windows        map[string]*ast.Window
	noAgg          bool           // aggregates are not allowed here
	excluded       bool           // VALUES(x) means the row that could not be inserted
	subst          map[string]val // what columns have become in an UPDATE
	insertDefaults *catalog.Table
}

// item is a column of a SELECT.
type item struct {
	name string
	v    val
}

// resolve finds a column.
func (e *Env) resolve(s *scope, c *ast.Col) val {
	for at := s; at != nil; at = at.parent {
		if at.useItem && c.Table == "" && !at.colsFirst {
			if v, ok := at.item(c.Name); ok {
				return v
			}
		}
		if v, ok := e.column(at, c); ok {
			return v
		}
		if at.useItem && c.Table == "" && at.colsFirst {
			if v, ok := at.item(c.Name); ok {
				return v
			}
		}
	}
	name := c.Name
	if c.Table != "" {
		name = c.Table + "." + name
		if c.DB != "" {
			name = c.DB + "." + name
		}
	}
	fail(1054, "Unknown column '%s' in '%s'", name, e.clauseName())
	return val{}
}

func (e *Env) clauseName() string {
	if e.clause == "" {
		return "field list"
	}
	return e.clause
}

// in sets the clause that messages name, and returns what restores it.
func (e *Env) in(clause string) func() {
	old := e.clause
	e.clause = clause
	return func() { e.clause = old }
}

func (s *scope) item(name string) (val, bool) {
	for i, it := range s.items {
		if strings.EqualFold(it.name, name) {
			v := it.v
			if s.itemRef {
				v.sql = outName(i)
			}
			return v, true
		}
	}
	return val{}, false
}

// column looks for a column in the sources of one scope.
func (e *Env) column(s *scope, c *ast.Col) (val, bool) {
	var found *srcCol
	for _, src := range s.sources {
		if c.Table != "" && !strings.EqualFold(src.alias, c.Table) || c.DB != "" && !strings.EqualFold(src.db, c.DB) {
			continue
		}
		for i := range src.cols {
			sc := &src.cols[i]
			if !strings.EqualFold(sc.Name, c.Name) || sc.merged && c.Table == "" {
				continue
			}
			if found != nil {
				fail(1052, "Column '%s' in %s is ambiguous", c.Name, e.clauseName())
			}
			found = sc
		}
	}
	if found == nil {
		return val{}, false
	}
	if v, ok := s.subst[strings.ToLower(found.sql)]; ok {
		return v, true
	}
	return found.val(), true
}

func (c *srcCol) val() val {
	col := c.Column
	return val{sql: c.sql, t: c.Type, col: &col}
}

// Lookup finds a table or fails with MySQL's error.
func (e *Env) Lookup(n *ast.TableName) *catalog.Table {
	db := n.DB
	if db == "" {
		db = e.DB
	}
	if db == "" {
		fail(1046, "No database selected")
	}
	t := e.Table(db, n.Name)
	if t == nil {
		fail(1146, "Table '%s.%s' doesn't exist", db, n.Name)
	}
	return t
}

// materialized is the type that a column of a query has in the query around
// it.
func materialized(t Type) Type {
	t.Expr = false
	return t
}
