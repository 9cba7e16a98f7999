package scope

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// Val is an expression of SQLite with the type that MySQL gives it.
type Val struct {
	SQL  string
	T    Type
	Lit  *ast.Lit // of a constant that was written
	Col  *Column  // of a plain column
	List []Val    // of a row
	Text string   // value of a text constant
}

// Rep returns how the value is held.
func (v Val) Rep() catalog.Rep { return v.T.Rep() }

// isHex reports whether v is a literal such as 0x1F, which is a number where
// one is wanted, as x'1F' is not.
func (v Val) isHex() bool { return v.Lit != nil && v.Lit.Kind == ast.LitHex && v.Lit.Charset == "" }

// SrcCol is a column of a source.
type SrcCol struct {
	Column
	SQL    string
	Merged bool // stands for one of another source: USING
}

// Source is something in FROM.
type Source struct {
	Db, Alias string
	Table     *catalog.Table
	Cols      []SrcCol
	Ref       string // alias in SQLite
}

// Scope is what names mean in a part of a statement.
type Scope struct {
	Parent    *Scope
	Sources   []*Source
	Items     []Item // the columns of the SELECT, for HAVING, GROUP BY and ORDER BY
	UseItem   bool   // names may mean items
	ItemRef   bool   // an item is called by its name in SQLite
	ColsFirst bool
	Windows   map[string]*ast.Window
	NoAgg     bool           // aggregates are not allowed here
	Excluded  bool           // VALUES(x) means the row that could not be inserted
	Subst     map[string]Val // what columns have become in an UPDATE
}

// Item is a column of a SELECT.
type Item struct {
	Name string
	V    Val
}

// Resolve finds a column.
func (e *Env) Resolve(s *Scope, c *ast.Col) Val {
	for at := s; at != nil; at = at.Parent {
		if at.UseItem && c.Table == "" && !at.ColsFirst {
			if v, ok := at.item(c.Name); ok {
				return v
			}
		}
		if v, ok := e.Column(at, c); ok {
			return v
		}
		if at.UseItem && c.Table == "" && at.ColsFirst {
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
	Fail(1054, "Unknown column '%s' in '%s'", name, e.clauseName())
	return Val{}
}

func (e *Env) clauseName() string {
	if e.clause == "" {
		return "field list"
	}
	return e.clause
}

// In sets the clause that messages name, and returns what restores it.
func (e *Env) In(clause string) func() {
	old := e.clause
	e.clause = clause
	return func() { e.clause = old }
}

func (s *Scope) item(name string) (Val, bool) {
	for i, it := range s.Items {
		if strings.EqualFold(it.Name, name) {
			v := it.V
			if s.ItemRef {
				v.SQL = OutName(i)
			}
			return v, true
		}
	}
	return Val{}, false
}

// Column looks for a column in the sources of one scope.
func (e *Env) Column(s *Scope, c *ast.Col) (Val, bool) {
	var found *SrcCol
	for _, src := range s.Sources {
		if c.Table != "" && !strings.EqualFold(src.Alias, c.Table) || c.DB != "" && !strings.EqualFold(src.Db, c.DB) {
			continue
		}
		for i := range src.Cols {
			sc := &src.Cols[i]
			if !strings.EqualFold(sc.Name, c.Name) || sc.Merged && c.Table == "" {
				continue
			}
			if found != nil {
				Fail(1052, "Column '%s' in %s is ambiguous", c.Name, e.clauseName())
			}
			found = sc
		}
	}
	if found == nil {
		return Val{}, false
	}
	if v, ok := s.Subst[strings.ToLower(found.SQL)]; ok {
		return v, true
	}
	return found.Val(), true
}

// Val is the column as an expression.
func (c *SrcCol) Val() Val {
	col := c.Column
	return Val{SQL: c.SQL, T: c.Type, Col: &col}
}

// Lookup finds a table or fails with MySQL's error.
func (e *Env) Lookup(n *ast.TableName) *catalog.Table {
	db := n.DB
	if db == "" {
		db = e.DB
	}
	if db == "" {
		Fail(1046, "No database selected")
	}
	t := e.Table(db, n.Name)
	if t == nil {
		Fail(1146, "Table '%s.%s' doesn't exist", db, n.Name)
	}
	return t
}

// Materialized is the type that a column of a query has in the query around
// it.
func Materialized(t Type) Type {
	t.Expr = false
	return t
}
