package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// tableBuilder makes a table of the catalogue from what a statement says.
type tableBuilder struct {
	s *session.Session
	t *catalog.Table
}

// column adds a column at a place.
func (b *tableBuilder) column(def *ast.ColumnDef, at int) error {
	if b.t.Column(def.Name) != nil {
		return mysqlserver.Errorf(1060, "Duplicate column name '%s'", def.Name)
	}
	c, err := b.make(def)
	if err != nil {
		return err
	}
	b.t.Columns = slices.Insert(b.t.Columns, at, *c)
	if def.Primary {
		if err := b.index(&ast.IndexDef{Kind: "PRIMARY", Cols: []ast.IndexCol{{Name: def.Name}}}); err != nil {
			return err
		}
	}
	if def.Unique {
		return b.index(&ast.IndexDef{Kind: "UNIQUE", Cols: []ast.IndexCol{{Name: def.Name}}})
	}
	return nil
}

// make makes a column of its definition.
func (b *tableBuilder) make(def *ast.ColumnDef) (*catalog.Column, error) {
	if def.Name == "" || len(def.Name) > 64 || strings.HasSuffix(def.Name, " ") {
		return nil, mysqlserver.Errorf(1166, "Incorrect column name '%s'", def.Name)
	}
	t, err := catalog.FromName(def.Type, b.t.Collation)
	if err != nil {
		if e := catalog.ErrorIn(err.Error()); e != nil {
			return nil, mysqlserver.Errorf(e.Code, "%s", strings.Replace(e.Message, "''", "'"+def.Name+"'", 1))
		}
		return nil, err
	}
	c := &catalog.Column{
		Name: def.Name, Type: t, NotNull: def.NotNull || def.Primary || def.Auto, OnUpdate: def.OnUpdate, Auto: def.Auto, Comment: def.Comment,
		Gen: def.Gen, Stored: def.Stored, Check: def.Check,
	}
	if def.Auto && t.Rep() != catalog.RepInt && t.Rep() != catalog.RepReal {
		return nil, mysqlserver.Errorf(1063, "Incorrect column specifier for column '%s'", def.Name)
	}
	return c, b.setDefault(c, def.Default)
}

// setDefault sets the default of a column; nil means that none was given.
func (b *tableBuilder) setDefault(c *catalog.Column, x ast.Expr) error {
	invalid := mysqlserver.Errorf(1067, "Invalid default value for '%s'", c.Name)
	switch d := x.(type) {
	case nil:
		if !c.NotNull && c.Gen == "" {
			c.HasDef = true
		}
		return nil
	case *ast.Lit:
		c.HasDef = true
		if d.Kind == ast.LitNull {
			if c.NotNull {
				return invalid
			}
			return nil
		}
		if c.Type.Blob() && c.Type.Collation == "binary" && d.Kind == ast.LitHex {
			return invalid
		}
		from, v := catalog.RepText, any(d.Text)
		switch d.Kind {
		case ast.LitInt, ast.LitBool, ast.LitDecimal, ast.LitReal:
			from = catalog.RepDec
		case ast.LitHex:
			from, v = catalog.RepBytes, []byte(d.Text)
		}
		st := store.Store{Type: c.Type, Name: c.Name, From: from}
		out, err := (&store.State{Now: b.s.St.Now}).Convert(&st, v)
		if err != nil {
			return invalid
		}
		mv := session.Value(&c.Type, out)
		text := mv.String()
		c.Default = &text
		if c.Type.Kind == mysql.TypeBit {
			c.DefExpr = fmt.Sprintf("b'%b'", out)
			c.Default = nil
		}
		return nil
	case *ast.Func:
		if d.Name == "CURRENT_TIMESTAMP" {
			if r := c.Type.Rep(); r != catalog.RepDatetime {
				return invalid
			}
			c.DefExpr = "current_timestamp()"
			if c.Type.Decimals > 0 {
				c.DefExpr = fmt.Sprintf("current_timestamp(%d)", c.Type.Decimals)
			}
			return nil
		}
		if len(d.Args) == 0 {
			c.DefExpr = strings.ToLower(d.Name) + "()"
			return nil
		}
	}
	return mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support 'DEFAULT (expression)'")
}

// fromQuery adds the columns of CREATE TABLE … SELECT.
func (b *tableBuilder) fromQuery(q *ast.Select, params []scope.Value) error {
	r, err := translate.Select(b.s.Env(params), q)
	if err != nil {
		return err
	}
	for _, rc := range r.Columns {
		if b.t.Column(rc.Name) != nil {
			continue
		}
		t := rc.Type
		t.Expr, t.NotNull = false, false
		switch {
		case t.Kind == mysql.TypeNull:
			t = catalog.Type{Kind: mysql.TypeString, Length: 0, Collation: "binary"}
		case t.Blob() && rc.OrgTable == "":
			t.Kind, t.Length = mysql.TypeLongBlob, 1<<32-1
		}
		c := catalog.Column{Name: rc.Name, Type: t, NotNull: rc.Type.NotNull}
		if !c.NotNull {
			c.HasDef = true
		} else if rc.Flags.Has(mysql.FlagAutoIncrement) {
			zero := "0"
			c.Default, c.HasDef = &zero, true
		}
		b.t.Columns = append(b.t.Columns, c)
	}
	return nil
}

// index adds a key.
func (b *tableBuilder) index(def *ast.IndexDef) error {
	ix := catalog.Index{Name: def.Name, Unique: def.Kind == "UNIQUE" || def.Kind == "PRIMARY", Comment: def.Comment}
	if def.Kind == "FULLTEXT" {
		ix.Kind = def.Kind
	}
	for _, k := range def.Cols {
		c := b.t.Column(k.Name)
		if c == nil {
			return mysqlserver.Errorf(1072, "Key column '%s' doesn't exist in table", k.Name)
		}
		if slices.ContainsFunc(ix.Cols, func(o catalog.IndexCol) bool { return strings.EqualFold(o.Name, k.Name) }) {
			return mysqlserver.Errorf(1060, "Duplicate column name '%s'", k.Name)
		}
		if c.Type.Blob() && k.Length == 0 && ix.Kind == "" && !ix.Unique {
			k.Length = 768 // bytes: what a key may have, as InnoDB cuts it
		}
		if c.Type.Blob() && k.Length == 0 && ix.Kind == "" {
			return mysqlserver.Errorf(1170, "BLOB/TEXT column '%s' used in key specification without a key length", k.Name)
		}
		length := k.Length
		if !c.Type.Blob() && length >= c.Type.Length {
			length = 0
		}
		ix.Cols = append(ix.Cols, catalog.IndexCol{Name: c.Name, Length: length, Desc: k.Desc})
		if def.Kind == "PRIMARY" {
			c.NotNull = true
			if c.Default == nil {
				c.HasDef = false
			}
		}
	}
	if def.Kind == "PRIMARY" {
		if b.t.Index("PRIMARY") != nil {
			return mysqlserver.Errorf(1068, "Multiple primary key defined")
		}
		ix.Name = "PRIMARY"
		b.t.Indexes = slices.Insert(b.t.Indexes, 0, ix)
		return nil
	}
	if ix.Name == "" {
		ix.Name = b.freeName(ix.Cols[0].Name)
	} else if b.t.Index(ix.Name) != nil {
		return mysqlserver.Errorf(1061, "Duplicate key name '%s'", ix.Name)
	}
	at := len(b.t.Indexes)
	if ix.Unique { // unique keys are listed before the others
		for at > 0 && !b.t.Indexes[at-1].Unique {
			at--
		}
	}
	b.t.Indexes = slices.Insert(b.t.Indexes, at, ix)
	return nil
}

// freeName returns a name for a key that has none.
func (b *tableBuilder) freeName(base string) string {
	name := base
	for i := 2; b.t.Index(name) != nil; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	return name
}

// foreign adds a reference, and the key that belongs to it.
func (b *tableBuilder) foreign(def *ast.ForeignKey) error {
	f := catalog.Foreign{
		Name: def.Name, Cols: def.Cols, DB: def.Table.DB, Table: def.Table.Name, RefCols: def.RefCols, OnDelete: def.OnDelete, OnUpdate: def.OnUpdate,
	}
	if f.DB == "" {
		f.DB = b.t.DB
	}
	for i := 1; f.Name == ""; i++ {
		name := fmt.Sprintf("%s_ibfk_%d", b.t.Name, i)
		if !slices.ContainsFunc(b.t.Foreign, func(o catalog.Foreign) bool { return o.Name == name }) {
			f.Name = name
		}
	}
	wrong := mysqlserver.Errorf(1005, "Can't create table `%s`.`%s` (errno: 150 \"Foreign key constraint is incorrectly formed\")", b.t.DB, b.t.Name)
	parent := b.s.Table(f.DB, f.Table)
	if strings.EqualFold(f.DB, b.t.DB) && f.Table == b.t.Name {
		parent = b.t
	}
	for i, n := range f.Cols {
		c := b.t.Column(n)
		if c == nil {
			return mysqlserver.Errorf(1072, "Key column '%s' doesn't exist in table", n)
		}
		f.Cols[i] = c.Name
	}
	if parent == nil {
		if b.s.Vars["foreign_key_checks"] != "OFF" {
			return wrong
		}
	} else {
		for _, n := range f.RefCols {
			if parent.Column(n) == nil {
				return wrong
			}
		}
		if len(f.RefCols) != len(f.Cols) || !hasKey(parent, f.RefCols) {
			return wrong
		}
	}
	if !hasKey(b.t, f.Cols) {
		ix := ast.IndexDef{Kind: "KEY", Name: f.Name}
		for _, c := range f.Cols {
			ix.Cols = append(ix.Cols, ast.IndexCol{Name: c})
		}
		if err := b.index(&ix); err != nil {
			return err
		}
	}
	b.t.Foreign = append(b.t.Foreign, f)
	return nil
}

// hasKey reports whether a key begins with cols.
func hasKey(t *catalog.Table, cols []string) bool {
	for _, ix := range t.Indexes {
		if len(ix.Cols) >= len(cols) && session.SameColumns(ix.Cols[:len(cols)], cols) {
			return true
		}
	}
	return false
}

func (b *tableBuilder) check(c ast.CheckDef) {
	name := c.Name
	for i := 1; name == ""; i++ {
		n := fmt.Sprintf("CONSTRAINT_%d", i)
		if !slices.ContainsFunc(b.t.Checks, func(o catalog.Check) bool { return o.Name == n }) {
			name = n
		}
	}
	b.t.Checks = append(b.t.Checks, catalog.Check{Name: name, Text: c.Text})
}

// finish checks what concerns the table as a whole.
func (b *tableBuilder) finish() error {
	if len(b.t.Columns) == 0 {
		return mysqlserver.Errorf(1113, "A table must have at least 1 column")
	}
	autos := 0
	for i := range b.t.Columns {
		c := &b.t.Columns[i]
		if !c.Auto {
			continue
		}
		autos++
		if !hasKey(b.t, []string{c.Name}) {
			autos = 2
		}
	}
	if autos > 1 {
		return mysqlserver.Errorf(1075, "Incorrect table definition; there can be only one auto column and it must be defined as a key")
	}
	return nil
}
