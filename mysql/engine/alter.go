package engine

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// alteration is a change of a table in progress.
type alteration struct {
	b      *tableBuilder
	source map[string]string // column of the new table, in lower case → of the old one
	copy   bool              // the rows have to be copied
	counts bool              // MySQL would copy them too
	rename *ast.TableName
}

// alterTable answers ALTER TABLE: it makes a new table and copies the rows,
// unless keys alone change.
func alterTable(ctx context.Context, s *session.Session, st *ast.AlterTable) (uint64, error) {
	old, err := s.Lookup(&st.Table)
	if err != nil {
		return 0, err
	}
	if old.View != "" || old.System {
		return 0, mysqlserver.Errorf(1347, "'%s.%s' is not of type 'BASE TABLE'", old.DB, old.Name)
	}
	if old.Temporary {
		return 0, mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support 'ALTER TABLE of a temporary table'")
	}
	t := *old
	t.Columns, t.Indexes, t.Foreign, t.Checks = slices.Clone(old.Columns), cloneIndexes(old.Indexes), slices.Clone(old.Foreign), slices.Clone(old.Checks)
	a := &alteration{b: &tableBuilder{s: s, t: &t}, source: map[string]string{}}
	for _, c := range old.Columns {
		a.source[strings.ToLower(c.Name)] = c.Name
	}
	for i := range st.Specs {
		if err := a.apply(&st.Specs[i]); err != nil {
			return 0, err
		}
	}
	if err := a.b.finish(); err != nil {
		return 0, err
	}
	n := uint64(0)
	if a.copy {
		if n, err = rebuild(ctx, s, old, &t, a.source); err != nil {
			return 0, err
		}
	} else if err := alterKeys(ctx, s, old, &t); err != nil {
		return 0, err
	}
	if !a.counts {
		n = 0
	}
	if a.rename != nil {
		return n, rename(ctx, s, &ast.TableName{DB: t.DB, Name: t.Name}, a.rename)
	}
	return n, nil
}

func cloneIndexes(list []catalog.Index) []catalog.Index {
	list = slices.Clone(list)
	for i := range list {
		list[i].Cols = slices.Clone(list[i].Cols)
	}
	return list
}

// apply makes one change.
func (a *alteration) apply(sp *ast.AlterSpec) error {
	t := a.b.t
	switch sp.What {
	case "NOTHING":
	case "RENAME":
		a.rename = &sp.To
	case "OPTIONS":
		if sp.Options.Comment != "" {
			t.Comment = sp.Options.Comment
		}
		if sp.Options.Auto > 0 {
			t.AutoStart = sp.Options.Auto
			a.b.s.ForgetAuto(t)
		}
		c, err := catalog.Collation(sp.Options.Charset, sp.Options.Collate, t.Collation)
		t.Collation = c
		return err
	case "ADD COLUMN", "DROP COLUMN", "MODIFY", "CHANGE", "RENAME COLUMN", "SET DEFAULT", "DROP DEFAULT":
		return a.column(sp)
	case "ADD INDEX":
		if sp.Exists && sp.Index.Name != "" && t.Index(sp.Index.Name) != nil {
			a.b.s.St.Note(1061, "Duplicate key name '%s'", sp.Index.Name)
			return nil
		}
		if sp.Index.Kind == "PRIMARY" {
			a.copy, a.counts = true, true
		}
		return a.b.index(&sp.Index)
	case "DROP PRIMARY":
		sp.Name, a.copy, a.counts = "PRIMARY", true, true
		return a.dropIndex(sp)
	case "DROP INDEX":
		return a.dropIndex(sp)
	case "RENAME INDEX":
		ix := t.Index(sp.Name)
		if ix == nil {
			return mysqlserver.Errorf(1176, "Key '%s' doesn't exist in table '%s'", sp.Name, t.Name)
		}
		ix.Name = sp.NewName
	case "ADD FOREIGN":
		a.copy, a.counts = true, true
		return a.b.foreign(&sp.Foreign)
	case "ADD CHECK":
		a.copy = true
		a.b.check(sp.Check)
	case "DROP FOREIGN", "DROP CHECK":
		return a.dropConstraint(sp)
	}
	return nil
}

func (a *alteration) dropIndex(sp *ast.AlterSpec) error {
	t := a.b.t
	n := len(t.Indexes)
	t.Indexes = slices.DeleteFunc(t.Indexes, func(ix catalog.Index) bool { return strings.EqualFold(ix.Name, sp.Name) })
	if len(t.Indexes) == n {
		if sp.Exists {
			a.b.s.St.Note(1091, "Can't DROP INDEX `%s`; check that it exists", sp.Name)
			return nil
		}
		return mysqlserver.Errorf(1091, "Can't DROP INDEX `%s`; check that it exists", sp.Name)
	}
	return nil
}

func (a *alteration) dropConstraint(sp *ast.AlterSpec) error {
	t := a.b.t
	a.copy = true
	n := len(t.Foreign) + len(t.Checks)
	t.Foreign = slices.DeleteFunc(t.Foreign, func(f catalog.Foreign) bool { return strings.EqualFold(f.Name, sp.Name) })
	if sp.What == "DROP CHECK" {
		t.Checks = slices.DeleteFunc(t.Checks, func(c catalog.Check) bool { return strings.EqualFold(c.Name, sp.Name) })
	}
	if len(t.Foreign)+len(t.Checks) == n && !sp.Exists {
		if sp.What == "DROP CHECK" {
			if t.Index(sp.Name) != nil {
				return a.dropIndex(sp)
			}
			return mysqlserver.Errorf(1091, "Can't DROP CONSTRAINT `%s`; check that it exists", sp.Name)
		}
		return mysqlserver.Errorf(1091, "Can't DROP FOREIGN KEY `%s`; check that it exists", sp.Name)
	}
	return nil
}

// column makes a change of a column.
func (a *alteration) column(sp *ast.AlterSpec) error {
	t := a.b.t
	if sp.What == "ADD COLUMN" {
		if sp.Exists && t.Column(sp.Col.Name) != nil {
			a.b.s.St.Note(1060, "Duplicate column name '%s'", sp.Col.Name)
			return nil
		}
		a.copy = true
		at, err := a.place(sp, len(t.Columns))
		if err != nil {
			return err
		}
		return a.b.column(&sp.Col, at)
	}
	pos := t.Position(sp.Name)
	if pos < 0 {
		if sp.What == "DROP COLUMN" {
			if sp.Exists {
				a.b.s.St.Note(1091, "Can't DROP COLUMN `%s`; check that it exists", sp.Name)
				return nil
			}
			return mysqlserver.Errorf(1091, "Can't DROP COLUMN `%s`; check that it exists", sp.Name)
		}
		return mysqlserver.Errorf(1054, "Unknown column '%s' in '%s'", sp.Name, t.Name)
	}
	c := &t.Columns[pos]
	switch sp.What {
	case "SET DEFAULT":
		c.Default, c.HasDef, c.DefExpr = nil, false, ""
		return a.b.setDefault(c, sp.Col.Default)
	case "DROP DEFAULT":
		c.Default, c.HasDef, c.DefExpr = nil, false, ""
		return nil
	case "DROP COLUMN":
		a.copy = true
		return a.dropColumn(pos)
	case "RENAME COLUMN":
		a.copy = true
		return a.renameColumn(c, sp.NewName)
	}
	a.copy, a.counts = true, true
	return a.modify(sp, pos)
}

// place returns where a column goes.
func (a *alteration) place(sp *ast.AlterSpec, def int) (int, error) {
	if sp.Col.First {
		return 0, nil
	}
	if sp.Col.After == "" {
		return def, nil
	}
	p := a.b.t.Position(sp.Col.After)
	if p < 0 {
		return 0, mysqlserver.Errorf(1054, "Unknown column '%s' in '%s'", sp.Col.After, a.b.t.Name)
	}
	return p + 1, nil
}

func (a *alteration) dropColumn(pos int) error {
	t := a.b.t
	name := t.Columns[pos].Name
	if len(t.Columns) == 1 {
		return mysqlserver.Errorf(1090, "You can't delete all columns with ALTER TABLE; use DROP TABLE instead")
	}
	for _, f := range t.Foreign {
		if slices.ContainsFunc(f.Cols, func(c string) bool { return strings.EqualFold(c, name) }) {
			return mysqlserver.Errorf(1553, "Cannot drop index '%s': needed in a foreign key constraint", f.Name)
		}
	}
	t.Columns = slices.Delete(t.Columns, pos, pos+1)
	delete(a.source, strings.ToLower(name))
	for i := range t.Indexes {
		t.Indexes[i].Cols = slices.DeleteFunc(t.Indexes[i].Cols, func(c catalog.IndexCol) bool { return strings.EqualFold(c.Name, name) })
	}
	t.Indexes = slices.DeleteFunc(t.Indexes, func(ix catalog.Index) bool { return len(ix.Cols) == 0 })
	return nil
}

func (a *alteration) renameColumn(c *catalog.Column, name string) error {
	t := a.b.t
	old := c.Name
	if !strings.EqualFold(old, name) && t.Column(name) != nil {
		return mysqlserver.Errorf(1060, "Duplicate column name '%s'", name)
	}
	c.Name = name
	src := a.source[strings.ToLower(old)]
	delete(a.source, strings.ToLower(old))
	a.source[strings.ToLower(name)] = src
	for i := range t.Indexes {
		for j := range t.Indexes[i].Cols {
			if k := &t.Indexes[i].Cols[j]; strings.EqualFold(k.Name, old) {
				k.Name = name
			}
		}
	}
	for i := range t.Foreign {
		t.Foreign[i].Cols = slices.Clone(t.Foreign[i].Cols)
		for j, n := range t.Foreign[i].Cols {
			if strings.EqualFold(n, old) {
				t.Foreign[i].Cols[j] = name
			}
		}
	}
	return nil
}

// modify replaces the definition of a column.
func (a *alteration) modify(sp *ast.AlterSpec, pos int) error {
	t := a.b.t
	if err := a.renameColumn(&t.Columns[pos], sp.Col.Name); err != nil {
		return err
	}
	c, err := a.b.make(&sp.Col)
	if err != nil {
		return err
	}
	if ix := t.Index("PRIMARY"); ix != nil && slices.ContainsFunc(ix.Cols, func(k catalog.IndexCol) bool { return strings.EqualFold(k.Name, c.Name) }) {
		c.NotNull = true
		if c.Default == nil {
			c.HasDef = false
		}
	}
	t.Columns[pos] = *c
	if sp.Col.First || sp.Col.After != "" {
		t.Columns = slices.Delete(t.Columns, pos, pos+1)
		at, err := a.place(sp, pos)
		if err != nil {
			return err
		}
		t.Columns = slices.Insert(t.Columns, at, *c)
	}
	if sp.Col.Primary && t.Index("PRIMARY") == nil {
		return a.b.index(&ast.IndexDef{Kind: "PRIMARY", Cols: []ast.IndexCol{{Name: c.Name}}})
	}
	if sp.Col.Unique {
		return a.b.index(&ast.IndexDef{Kind: "UNIQUE", Cols: []ast.IndexCol{{Name: c.Name}}})
	}
	return nil
}

// alterKeys makes and drops keys, and changes what concerns the catalogue
// alone.
func alterKeys(ctx context.Context, s *session.Session, old, t *catalog.Table) error {
	s.Written = t
	return change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
		var steps []string
		for i := range old.Indexes {
			if ix := &old.Indexes[i]; ix.Name != "PRIMARY" && !sameIndex(ix, t.Index(ix.Name)) {
				steps = append(steps, "DROP INDEX "+catalog.QuoteName(t.Physical()+"."+ix.Name))
			}
		}
		for i := range t.Indexes {
			if ix := &t.Indexes[i]; ix.Name != "PRIMARY" && !sameIndex(ix, old.Index(ix.Name)) {
				steps = append(steps, indexSQL(t, ix, ""))
			}
		}
		c.Database(t.DB).Tables[t.Name] = t
		return steps, nil
	})
}

func sameIndex(a, b *catalog.Index) bool {
	return b != nil && a.Name == b.Name && a.Unique == b.Unique && slices.Equal(a.Cols, b.Cols)
}

// building is the name that a table has while it is built.
const building = "\x02"

// rebuild makes the table anew and copies the rows.
func rebuild(ctx context.Context, s *session.Session, old, t *catalog.Table, source map[string]string) (uint64, error) {
	fresh := *t
	fresh.Name = building
	steps, err := createSQL(s, &fresh)
	if err != nil {
		return 0, err
	}
	copySQL, args, err := copySQL(s, old, &fresh, source)
	if err != nil {
		return 0, err
	}
	s.Written = t
	s.St.NextAuto = func(used uint64) uint64 {
		if used == 0 {
			return uint64(s.St.Rows)
		}
		return used
	}
	s.E.Define.Lock()
	defer s.E.Define.Unlock()
	prev := s.E.Cat.Load()
	next := prev.Clone()
	next.Database(t.DB).Tables[t.Name] = t
	all := []string{steps[0]}
	all = append(all, inlineArgs(copySQL, args), "DROP TABLE "+catalog.QuoteName(old.Physical()), "ALTER TABLE "+catalog.QuoteName(fresh.Physical())+" RENAME TO "+catalog.QuoteName(t.Physical()))
	for i := range t.Indexes {
		if ix := &t.Indexes[i]; ix.Name != "PRIMARY" {
			all = append(all, indexSQL(t, ix, ""))
		}
	}
	if err := perform(ctx, s, prev, next, all); err != nil {
		return 0, err
	}
	return uint64(s.St.Rows), nil
}

// copySQL is the statement that copies the rows of one table to another.
func copySQL(s *session.Session, old, fresh *catalog.Table, source map[string]string) (string, []any, error) {
	env := s.Env([]scope.Value{})
	env.Table = func(db, name string) *catalog.Table {
		if name == building {
			return fresh
		}
		return s.Table(db, name)
	}
	in := &ast.Insert{Table: ast.TableName{DB: fresh.DB, Name: building}}
	core := &ast.Core{From: &ast.TableName{DB: old.DB, Name: old.Name}}
	// Columns that are new get their default, and where there is none what
	// stands for nothing.
	for i := range fresh.Columns {
		c := &fresh.Columns[i]
		src, ok := source[strings.ToLower(c.Name)]
		if !ok || c.Gen != "" {
			if c.NotNull && !c.HasDef && c.DefExpr == "" {
				in.Ignore = true
			}
			continue
		}
		in.Cols = append(in.Cols, c.Name)
		core.Items = append(core.Items, ast.Item{X: &ast.Col{Name: src}, Text: src})
	}
	in.Query = &ast.Select{Core: core}
	lenient := in.Ignore
	in.Ignore = false
	if lenient {
		env.Strict = false
	}
	r, _, err := translate.Insert(env, in)
	if err != nil {
		return "", nil, err
	}
	s.St.Warnings = nil
	args := make([]any, len(r.Args))
	for i, a := range r.Args {
		args[i] = a
	}
	return r.SQL, args, nil
}

// inlineArgs writes the arguments of a statement into it.
func inlineArgs(sql string, args []any) string {
	for i := len(args); i > 0; i-- {
		sql = strings.ReplaceAll(sql, placeholder(i), scope.Inline(args[i-1]))
	}
	return sql
}

func placeholder(n int) string { return "?" + strconv.Itoa(n) }
