package engine

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// definition answers the statements that change what there is. They end the
// transaction.
func (s *session) definition(ctx context.Context, w *mysqlserver.Writer, st ast.Stmt, params []translate.Value) error {
	if ct, ok := st.(*ast.CreateTable); !ok || !ct.Temporary {
		if err := s.commit(ctx); err != nil {
			return err
		}
	}
	s.written = nil
	var err error
	affected := uint64(0)
	switch st := st.(type) {
	case *ast.CreateDatabase:
		affected, err = 1, s.createDatabaseStmt(ctx, st)
	case *ast.DropDatabase:
		affected, err = s.dropDatabase(ctx, st)
	case *ast.CreateTable:
		affected, err = s.createTable(ctx, st, params)
	case *ast.CreateView:
		err = s.createView(ctx, st)
	case *ast.DropTable:
		err = s.dropTables(ctx, st)
	case *ast.RenameTable:
		err = s.renameTables(ctx, st)
	case *ast.AlterTable:
		affected, err = s.alterTable(ctx, st)
	case *ast.Truncate:
		return s.truncate(ctx, w, st)
	default:
		err = mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support this statement")
	}
	if err != nil {
		return err
	}
	return s.ok(w, mysqlserver.Result{AffectedRows: affected})
}

// change runs steps in one transaction of SQLite, stores what next says
// differently from the catalogue, and makes next the catalogue. A session that
// is no one's changes nothing else meanwhile.
func (s *session) change(ctx context.Context, f func(c *catalog.Catalog) ([]string, error)) error {
	s.e.define.Lock()
	defer s.e.define.Unlock()
	old := s.e.cat.Load()
	next := old.Clone()
	steps, err := f(next)
	if err != nil {
		return err
	}
	return s.perform(ctx, old, next, steps)
}

// perform runs steps and stores the catalogue.
func (s *session) perform(ctx context.Context, old, next *catalog.Catalog, steps []string) error {
	keys := s.vars["foreign_key_checks"] != "OFF"
	if keys {
		if _, err := s.exec(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
			return err
		}
		defer func() { _, _ = s.exec(context.WithoutCancel(ctx), "PRAGMA foreign_keys = ON") }()
	}
	if _, err := s.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := func() error {
		for _, sql := range steps {
			if _, err := s.exec(ctx, sql); err != nil {
				return err
			}
		}
		return s.storeCatalog(ctx, old, next)
	}()
	if err == nil {
		_, err = s.exec(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = s.exec(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	s.e.cat.Store(next)
	return nil
}

// storeCatalog writes what differs between two catalogues.
func (s *session) storeCatalog(ctx context.Context, old, next *catalog.Catalog) error {
	run := func(sql string, args ...driver.Value) error {
		_, err := s.exec(ctx, sql, args...)
		return err
	}
	for key, db := range old.Databases {
		n := next.Databases[key]
		if n == nil {
			if err := run(`DELETE FROM "wirelark.databases" WHERE name = ?1`, db.Name); err != nil {
				return err
			}
		}
		for name := range db.Tables {
			if n == nil || n.Tables[name] == nil {
				if err := run(`DELETE FROM "wirelark.tables" WHERE db = ?1 AND name = ?2`, db.Name, name); err != nil {
					return err
				}
			}
		}
	}
	for key, db := range next.Databases {
		o := old.Databases[key]
		if o == nil || o.Collation != db.Collation {
			if err := run(`REPLACE INTO "wirelark.databases" (name, collation) VALUES (?1, ?2)`, db.Name, db.Collation); err != nil {
				return err
			}
		}
		for name, t := range db.Tables {
			if o != nil && o.Tables[name] == t {
				continue
			}
			b, err := json.Marshal(t)
			if err != nil {
				return err
			}
			if err := run(`REPLACE INTO "wirelark.tables" (db, name, definition) VALUES (?1, ?2, ?3)`, db.Name, name, string(b)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *session) createDatabase(ctx context.Context, name, collation string) error {
	return s.change(ctx, func(c *catalog.Catalog) ([]string, error) {
		c.Databases[strings.ToLower(name)] = &catalog.Database{Name: name, Collation: collation, Tables: map[string]*catalog.Table{}}
		return nil, nil
	})
}

func (s *session) createDatabaseStmt(ctx context.Context, st *ast.CreateDatabase) error {
	if st.Alter && st.Name == "" {
		st.Name = s.db
	}
	collation, err := catalog.Collation(st.Charset, st.Collate, defaultCollation)
	if err != nil {
		return err
	}
	if strings.EqualFold(st.Name, informationSchema) {
		return mysqlserver.Errorf(1044, "Access denied for user '%s'@'%%' to database '%s'", s.user, st.Name)
	}
	if st.Name == "" || strings.ContainsAny(st.Name, "\x00./\\") || len(st.Name) > 64 {
		return mysqlserver.Errorf(1102, "Incorrect database name '%s'", st.Name)
	}
	exists := s.e.cat.Load().Database(st.Name)
	switch {
	case st.Alter && exists == nil:
		return mysqlserver.Errorf(1049, "Unknown database '%s'", st.Name)
	case st.Alter:
		return s.change(ctx, func(c *catalog.Catalog) ([]string, error) {
			c.Database(st.Name).Collation = collation
			return nil, nil
		})
	case exists != nil && st.IfNotExists:
		s.st.Note(1007, "Can't create database '%s'; database exists", st.Name)
		return nil
	case exists != nil && st.OrReplace:
		if _, err := s.dropDatabase(ctx, &ast.DropDatabase{Name: st.Name}); err != nil {
			return err
		}
	case exists != nil:
		return mysqlserver.Errorf(1007, "Can't create database '%s'; database exists", st.Name)
	}
	return s.createDatabase(ctx, st.Name, collation)
}

func (s *session) dropDatabase(ctx context.Context, st *ast.DropDatabase) (uint64, error) {
	db := s.e.cat.Load().Database(st.Name)
	if db == nil {
		if st.IfExists {
			s.st.Note(1008, "Can't drop database '%s'; database doesn't exist", st.Name)
			return 0, nil
		}
		return 0, mysqlserver.Errorf(1008, "Can't drop database '%s'; database doesn't exist", st.Name)
	}
	n := uint64(0)
	err := s.change(ctx, func(c *catalog.Catalog) ([]string, error) {
		var steps []string
		for _, t := range c.Database(st.Name).Tables {
			n++
			s.forgetAuto(t)
			if t.View == "" {
				steps = append(steps, "DROP TABLE IF EXISTS main."+catalog.QuoteName(t.Physical()))
			}
		}
		delete(c.Databases, strings.ToLower(st.Name))
		return steps, nil
	})
	if err == nil && strings.EqualFold(s.db, st.Name) {
		s.db = ""
		s.client.SetDatabase("")
	}
	return n, err
}

// createTable answers CREATE TABLE.
func (s *session) createTable(ctx context.Context, st *ast.CreateTable, params []translate.Value) (uint64, error) {
	db := st.Table.DB
	if db == "" {
		db = s.db
	}
	if db == "" {
		return 0, mysqlserver.Errorf(1046, "No database selected")
	}
	d := s.e.cat.Load().Database(db)
	if d == nil {
		return 0, mysqlserver.Errorf(1049, "Unknown database '%s'", db)
	}
	if old := s.table(d.Name, st.Table.Name); old != nil && (old.Temporary == st.Temporary) {
		switch {
		case st.IfNotExists:
			s.st.Note(1050, "Table '%s' already exists", st.Table.Name)
			return 0, nil
		case !st.OrReplace:
			return 0, mysqlserver.Errorf(1050, "Table '%s' already exists", st.Table.Name)
		}
		if err := s.dropTables(ctx, &ast.DropTable{Tables: []ast.TableName{st.Table}, Temporary: st.Temporary}); err != nil {
			return 0, err
		}
	}
	t, err := s.describe(d, st, params)
	if err != nil {
		return 0, err
	}
	steps, err := s.createSQL(t)
	if err != nil {
		return 0, err
	}
	if t.Temporary {
		for _, sql := range steps {
			if _, err := s.exec(ctx, sql); err != nil {
				return 0, err
			}
		}
		s.temp[t.Physical()] = t
	} else if err := s.change(ctx, func(c *catalog.Catalog) ([]string, error) {
		if c.Table(d.Name, t.Name) != nil {
			return nil, mysqlserver.Errorf(1050, "Table '%s' already exists", t.Name)
		}
		c.Database(d.Name).Tables[t.Name] = t
		return steps, nil
	}); err != nil {
		return 0, err
	}
	s.forgetAuto(t)
	if st.Query == nil {
		return 0, nil
	}
	return s.fill(ctx, t, st, params)
}

// fill stores the rows of CREATE TABLE … SELECT.
func (s *session) fill(ctx context.Context, t *catalog.Table, st *ast.CreateTable, params []translate.Value) (uint64, error) {
	env := s.env(params)
	r, err := env.Select(st.Query)
	if err != nil {
		return 0, err
	}
	in := &ast.Insert{Table: ast.TableName{DB: t.DB, Name: t.Name}, Query: st.Query, Ignore: st.Ignore}
	for _, c := range r.Columns {
		in.Cols = append(in.Cols, c.Name)
	}
	ins, _, err := s.env(params).Insert(in)
	if err != nil {
		return 0, err
	}
	s.written = t
	if err := s.numbering(ctx, t); err != nil {
		return 0, err
	}
	n, err := s.exec(ctx, ins.SQL, ins.Args...)
	if err != nil {
		if drop := s.dropTables(ctx, &ast.DropTable{Tables: []ast.TableName{in.Table}, Temporary: t.Temporary}); drop != nil {
			return 0, drop
		}
		return 0, err
	}
	return uint64(n), nil
}

// describe makes the catalogue's table of CREATE TABLE.
func (s *session) describe(d *catalog.Database, st *ast.CreateTable, params []translate.Value) (*catalog.Table, error) {
	if st.Like != nil {
		like, err := s.lookup(st.Like)
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
		Created: s.st.Now.Format("2006-01-02 15:04:05"),
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
func (s *session) createSQL(t *catalog.Table) ([]string, error) {
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
			sql, err := s.generated(t, c)
			if err != nil {
				return nil, err
			}
			def += sql
		}
		if c.Check != "" {
			sql, err := s.checkSQL(t, c.Check)
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
		sql, err := s.checkSQL(t, c.Text)
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

func (s *session) generated(t *catalog.Table, c *catalog.Column) (string, error) {
	env := s.env([]translate.Value{})
	x, err := env.Parse(c.Gen)
	if err != nil {
		return "", err
	}
	sql, err := env.Generated(t, c, x)
	if err != nil {
		return "", err
	}
	kind := "VIRTUAL"
	if c.Stored {
		kind = "STORED"
	}
	return " GENERATED ALWAYS AS (" + sql + ") " + kind, nil
}

func (s *session) checkSQL(t *catalog.Table, text string) (string, error) {
	env := s.env([]translate.Value{})
	x, err := env.Parse(text)
	if err != nil {
		return "", err
	}
	return env.Check(t, x)
}

// createView answers CREATE VIEW.
func (s *session) createView(ctx context.Context, st *ast.CreateView) error {
	db, err := s.shownDB(st.Name.DB)
	if err != nil {
		return err
	}
	old := s.table(db, st.Name.Name)
	if old != nil && (old.View == "" || !st.OrReplace) {
		return mysqlserver.Errorf(1050, "Table '%s' already exists", st.Name.Name)
	}
	r, err := s.env([]translate.Value{}).Select(st.Query)
	if err != nil {
		return err
	}
	if len(st.Cols) > 0 && len(st.Cols) != len(r.Columns) {
		return mysqlserver.Errorf(1353, "In definition of view, derived table or common table expression, SELECT list and column names list have different column counts")
	}
	t := &catalog.Table{DB: db, Name: st.Name.Name, View: st.Text, ViewCols: st.Cols, ViewDB: s.db, Created: s.st.Now.Format("2006-01-02 15:04:05")}
	return s.change(ctx, func(c *catalog.Catalog) ([]string, error) {
		c.Database(db).Tables[t.Name] = t
		return nil, nil
	})
}

// dropTables answers DROP TABLE and DROP VIEW.
func (s *session) dropTables(ctx context.Context, st *ast.DropTable) error {
	var drop []*catalog.Table
	var missing []string
	for i := range st.Tables {
		n := &st.Tables[i]
		t, err := s.lookup(n)
		if err != nil && s.db == "" && n.DB == "" {
			return err
		}
		if err == nil && st.View && t.View == "" {
			return mysqlserver.Errorf(1347, "'%s.%s' is not of type 'VIEW'", t.DB, t.Name)
		}
		if err == nil && t.System {
			return mysqlserver.Errorf(1044, "Access denied for user '%s'@'%%' to database '%s'", s.user, t.DB)
		}
		if err != nil || !st.View && t.View != "" || st.Temporary && !t.Temporary {
			db := n.DB
			if db == "" {
				db = s.db
			}
			missing = append(missing, db+"."+n.Name)
			continue
		}
		drop = append(drop, t)
	}
	if err := s.referenced(drop); err != nil {
		return err
	}
	for _, t := range drop {
		if err := s.dropTable(ctx, t); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	code, kind := uint16(1051), "table"
	if st.View {
		code, kind = 4092, "VIEW"
	}
	if st.IfExists {
		for _, m := range missing {
			s.st.Note(code, "Unknown %s '%s'", kind, m)
		}
		return nil
	}
	return mysqlserver.Errorf(code, "Unknown %s '%s'", kind, strings.Join(missing, ","))
}

func (s *session) dropTable(ctx context.Context, t *catalog.Table) error {
	s.forgetAuto(t)
	if t.Temporary {
		_, err := s.exec(ctx, "DROP TABLE temp."+catalog.QuoteName(t.Physical()))
		delete(s.temp, t.Physical())
		return err
	}
	return s.change(ctx, func(c *catalog.Catalog) ([]string, error) {
		delete(c.Database(t.DB).Tables, t.Name)
		if t.View != "" {
			return nil, nil
		}
		return []string{"DROP TABLE main." + catalog.QuoteName(t.Physical())}, nil
	})
}

// referenced refuses to drop tables that others refer to.
func (s *session) referenced(drop []*catalog.Table) error {
	if s.vars["foreign_key_checks"] == "OFF" {
		return nil
	}
	for _, db := range s.e.cat.Load().Databases {
		for _, child := range db.Tables {
			for _, f := range child.Foreign {
				for _, t := range drop {
					if !strings.EqualFold(f.Table, t.Name) || !strings.EqualFold(f.DB, t.DB) || slices.Contains(drop, child) || child == t {
						continue
					}
					return mysqlserver.Errorf(1451, "Cannot delete or update a parent row: a foreign key constraint fails (`%s`.`%s`, %s)", child.DB, child.Name, f.Text(child.DB))
				}
			}
		}
	}
	return nil
}

// renameTables answers RENAME TABLE.
func (s *session) renameTables(ctx context.Context, st *ast.RenameTable) error {
	for i := range st.From {
		if err := s.rename(ctx, &st.From[i], &st.To[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) rename(ctx context.Context, from, to *ast.TableName) error {
	t, err := s.lookup(from)
	if err != nil {
		return err
	}
	db, err := s.shownDB(to.DB)
	if err != nil {
		return err
	}
	if s.table(db, to.Name) != nil {
		return mysqlserver.Errorf(1050, "Table '%s' already exists", to.Name)
	}
	n := *t
	n.DB, n.Name = db, to.Name
	s.forgetAuto(t)
	return s.change(ctx, func(c *catalog.Catalog) ([]string, error) {
		delete(c.Database(t.DB).Tables, t.Name)
		c.Database(db).Tables[n.Name] = &n
		if t.View != "" {
			return nil, nil
		}
		repoint(c, t, &n)
		steps := []string{"ALTER TABLE " + catalog.QuoteName(t.Physical()) + " RENAME TO " + catalog.QuoteName(n.Physical())}
		for i := range t.Indexes {
			if ix := &t.Indexes[i]; ix.Name != "PRIMARY" {
				steps = append(steps, "DROP INDEX "+catalog.QuoteName(t.Physical()+"."+ix.Name), indexSQL(&n, ix, ""))
			}
		}
		return steps, nil
	})
}

// repoint makes references to a table that is renamed follow it, in the
// catalogue; SQLite does so by itself.
func repoint(c *catalog.Catalog, from, to *catalog.Table) {
	for _, db := range c.Databases {
		for name, child := range db.Tables {
			changed := *child
			changed.Foreign = slices.Clone(child.Foreign)
			hit := false
			for i := range changed.Foreign {
				f := &changed.Foreign[i]
				if strings.EqualFold(f.Table, from.Name) && strings.EqualFold(f.DB, from.DB) {
					f.Table, f.DB, hit = to.Name, to.DB, true
				}
			}
			if hit {
				db.Tables[name] = &changed
			}
		}
	}
}
