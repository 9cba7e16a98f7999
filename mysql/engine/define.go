package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// definition answers the statements that change what there is. They end the
// transaction.
func definition(ctx context.Context, s *session.Session, w *mysqlserver.Writer, st ast.Stmt, params []scope.Value) error {
	if ct, ok := st.(*ast.CreateTable); !ok || !ct.Temporary {
		if err := s.Commit(ctx); err != nil {
			return err
		}
	}
	s.Written = nil
	var err error
	affected := uint64(0)
	switch st := st.(type) {
	case *ast.CreateDatabase:
		affected, err = 1, createDatabaseStmt(ctx, s, st)
	case *ast.DropDatabase:
		affected, err = dropDatabase(ctx, s, st)
	case *ast.CreateTable:
		affected, err = createTable(ctx, s, st, params)
	case *ast.CreateView:
		err = createView(ctx, s, st)
	case *ast.DropTable:
		err = dropTables(ctx, s, st)
	case *ast.RenameTable:
		err = renameTables(ctx, s, st)
	case *ast.AlterTable:
		affected, err = alterTable(ctx, s, st)
	case *ast.Truncate:
		return s.Truncate(ctx, w, st)
	default:
		err = mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support this statement")
	}
	if err != nil {
		return err
	}
	return s.Ok(w, mysqlserver.Result{AffectedRows: affected})
}

// createTable answers CREATE TABLE.
func createTable(ctx context.Context, s *session.Session, st *ast.CreateTable, params []scope.Value) (uint64, error) {
	db := st.Table.DB
	if db == "" {
		db = s.Db
	}
	if db == "" {
		return 0, mysqlserver.Errorf(1046, "No database selected")
	}
	d := s.E.Cat.Load().Database(db)
	if d == nil {
		return 0, mysqlserver.Errorf(1049, "Unknown database '%s'", db)
	}
	if old := s.Table(d.Name, st.Table.Name); old != nil && (old.Temporary == st.Temporary) {
		switch {
		case st.IfNotExists:
			s.St.Note(1050, "Table '%s' already exists", st.Table.Name)
			return 0, nil
		case !st.OrReplace:
			return 0, mysqlserver.Errorf(1050, "Table '%s' already exists", st.Table.Name)
		}
		if err := dropTables(ctx, s, &ast.DropTable{Tables: []ast.TableName{st.Table}, Temporary: st.Temporary}); err != nil {
			return 0, err
		}
	}
	t, err := describe(s, d, st, params)
	if err != nil {
		return 0, err
	}
	steps, err := createSQL(s, t)
	if err != nil {
		return 0, err
	}
	if t.Temporary {
		for _, sql := range steps {
			if _, err := s.Exec(ctx, sql); err != nil {
				return 0, err
			}
		}
		s.Temp[t.Physical()] = t
	} else if err := change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
		if c.Table(d.Name, t.Name) != nil {
			return nil, mysqlserver.Errorf(1050, "Table '%s' already exists", t.Name)
		}
		c.Database(d.Name).Tables[t.Name] = t
		return steps, nil
	}); err != nil {
		return 0, err
	}
	s.ForgetAuto(t)
	if st.Query == nil {
		return 0, nil
	}
	return fill(ctx, s, t, st, params)
}

// fill stores the rows of CREATE TABLE … SELECT.
func fill(ctx context.Context, s *session.Session, t *catalog.Table, st *ast.CreateTable, params []scope.Value) (uint64, error) {
	env := s.Env(params)
	r, err := translate.Select(env, st.Query)
	if err != nil {
		return 0, err
	}
	in := &ast.Insert{Table: ast.TableName{DB: t.DB, Name: t.Name}, Query: st.Query, Ignore: st.Ignore}
	for _, c := range r.Columns {
		in.Cols = append(in.Cols, c.Name)
	}
	ins, _, err := translate.Insert(s.Env(params), in)
	if err != nil {
		return 0, err
	}
	s.Written = t
	if err := s.Numbering(ctx, t); err != nil {
		return 0, err
	}
	n, err := s.Exec(ctx, ins.SQL, ins.Args...)
	if err != nil {
		if drop := dropTables(ctx, s, &ast.DropTable{Tables: []ast.TableName{in.Table}, Temporary: t.Temporary}); drop != nil {
			return 0, drop
		}
		return 0, err
	}
	return uint64(n), nil
}

// describe makes the catalogue's table of CREATE TABLE.
func describe(s *session.Session, d *catalog.Database, st *ast.CreateTable, params []scope.Value) (*catalog.Table, error) {
	if st.Like != nil {
		like, err := s.Lookup(st.Like)
		if err != nil {
			return nil, err
		}
		t := *like
		t.DB, t.Name, t.Temporary, t.Foreign, t.AutoStart = d.Name, st.Table.Name, st.Temporary, nil, 0
		return &t, nil
	}
	collation, err := catalog.Collation(st.Options.Charset, st.Options.Collate, d.Collation)
	if err != nil {
		return nil, err
	}
	t := &catalog.Table{
		DB: d.Name, Name: st.Table.Name, Temporary: st.Temporary, Collation: collation, Comment: st.Options.Comment, AutoStart: st.Options.Auto,
		Created: s.St.Now.Format("2006-01-02 15:04:05"),
	}
	if t.Name == "" || len(t.Name) > 64 || strings.HasSuffix(t.Name, " ") {
		return nil, mysqlserver.Errorf(1103, "Incorrect table name '%s'", t.Name)
	}
	b := &tableBuilder{s: s, t: t}
	for i := range st.Cols {
		if err := b.column(&st.Cols[i], len(t.Columns)); err != nil {
			return nil, err
		}
	}
	if st.Query != nil {
		if err := b.fromQuery(st.Query, params); err != nil {
			return nil, err
		}
	}
	for i := range st.Indexes {
		if err := b.index(&st.Indexes[i]); err != nil {
			return nil, err
		}
	}
	for i := range st.Foreign {
		if err := b.foreign(&st.Foreign[i]); err != nil {
			return nil, err
		}
	}
	for _, c := range st.Checks {
		b.check(c)
	}
	return t, b.finish()
}

// createSQL returns the statements that make a table in SQLite.
func createSQL(s *session.Session, t *catalog.Table) ([]string, error) {
	var parts []string
	primary := t.Index("PRIMARY")
	rowid := ""
	if primary != nil && len(primary.Cols) == 1 && !t.Temporary {
		if c := t.Column(primary.Cols[0].Name); c.Type.Rep() == catalog.RepInt && c.Type.Kind != mysql.TypeBit && c.Gen == "" {
			rowid = c.Name
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		def := catalog.QuoteName(c.Name) + " " + c.Type.Affinity()
		if c.Name == rowid {
			def = catalog.QuoteName(c.Name) + " INTEGER PRIMARY KEY"
		}
		if c.NotNull {
			def += " NOT NULL"
		}
		if c.Gen != "" {
			sql, err := generated(s, t, c)
			if err != nil {
				return nil, err
			}
			def += sql
		}
		if c.Check != "" {
			sql, err := checkSQL(s, t, c.Check)
			if err != nil {
				return nil, err
			}
			def += " CONSTRAINT " + catalog.QuoteName(t.Name+"."+c.Name) + " CHECK (" + sql + ")"
		}
		parts = append(parts, def)
	}
	if primary != nil && rowid == "" {
		parts = append(parts, "PRIMARY KEY ("+indexColumns(primary)+")")
	}
	for _, f := range t.Foreign {
		parts = append(parts, foreignSQL(&f))
	}
	for _, c := range t.Checks {
		sql, err := checkSQL(s, t, c.Text)
		if err != nil {
			return nil, err
		}
		parts = append(parts, "CONSTRAINT "+catalog.QuoteName(c.Name)+" CHECK ("+sql+")")
	}
	verb, schema := "CREATE TABLE ", ""
	if t.Temporary {
		verb, schema = "CREATE TEMP TABLE ", "temp."
	}
	steps := []string{verb + catalog.QuoteName(t.Physical()) + " (" + strings.Join(parts, ", ") + ")"}
	for i := range t.Indexes {
		ix := &t.Indexes[i]
		if ix.Name != "PRIMARY" {
			steps = append(steps, indexSQL(t, ix, schema))
		}
	}
	return steps, nil
}

func indexSQL(t *catalog.Table, ix *catalog.Index, schema string) string {
	unique := ""
	if ix.Unique {
		unique = "UNIQUE "
	}
	return "CREATE " + unique + "INDEX " + schema + catalog.QuoteName(t.Physical()+"."+ix.Name) + " ON " + catalog.QuoteName(t.Physical()) + " (" + indexColumns(ix) + ")"
}

func indexColumns(ix *catalog.Index) string {
	list := make([]string, len(ix.Cols))
	for i, c := range ix.Cols {
		list[i] = catalog.QuoteName(c.Name)
		if c.Desc {
			list[i] += " DESC"
		}
	}
	return strings.Join(list, ", ")
}

func foreignSQL(f *catalog.Foreign) string {
	quote := func(names []string) string {
		q := make([]string, len(names))
		for i, n := range names {
			q[i] = catalog.QuoteName(n)
		}
		return strings.Join(q, ", ")
	}
	s := fmt.Sprintf("CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)", catalog.QuoteName(f.Name), quote(f.Cols), catalog.QuoteName(catalog.Physical(f.DB, f.Table)), quote(f.RefCols))
	if f.OnDelete != "" {
		s += " ON DELETE " + f.OnDelete
	}
	if f.OnUpdate != "" {
		s += " ON UPDATE " + f.OnUpdate
	}
	return s
}

func generated(s *session.Session, t *catalog.Table, c *catalog.Column) (string, error) {
	env := s.Env([]scope.Value{})
	x, err := env.Parse(c.Gen)
	if err != nil {
		return "", err
	}
	sql, err := translate.Generated(env, t, c, x)
	if err != nil {
		return "", err
	}
	kind := "VIRTUAL"
	if c.Stored {
		kind = "STORED"
	}
	return " GENERATED ALWAYS AS (" + sql + ") " + kind, nil
}

func checkSQL(s *session.Session, t *catalog.Table, text string) (string, error) {
	env := s.Env([]scope.Value{})
	x, err := env.Parse(text)
	if err != nil {
		return "", err
	}
	return translate.Check(env, t, x)
}

// createView answers CREATE VIEW.
func createView(ctx context.Context, s *session.Session, st *ast.CreateView) error {
	db, err := shownDB(s, st.Name.DB)
	if err != nil {
		return err
	}
	old := s.Table(db, st.Name.Name)
	if old != nil && (old.View == "" || !st.OrReplace) {
		return mysqlserver.Errorf(1050, "Table '%s' already exists", st.Name.Name)
	}
	r, err := translate.Select(s.Env([]scope.Value{}), st.Query)
	if err != nil {
		return err
	}
	if len(st.Cols) > 0 && len(st.Cols) != len(r.Columns) {
		return mysqlserver.Errorf(1353, "In definition of view, derived table or common table expression, SELECT list and column names list have different column counts")
	}
	t := &catalog.Table{DB: db, Name: st.Name.Name, View: st.Text, ViewCols: st.Cols, ViewDB: s.Db, Created: s.St.Now.Format("2006-01-02 15:04:05")}
	return change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
		c.Database(db).Tables[t.Name] = t
		return nil, nil
	})
}
