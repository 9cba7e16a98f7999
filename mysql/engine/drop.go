package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// dropTables answers DROP TABLE and DROP VIEW.
func dropTables(ctx context.Context, s *session.Session, st *ast.DropTable) error {
	var drop []*catalog.Table
	var missing []string
	for i := range st.Tables {
		n := &st.Tables[i]
		t, err := s.Lookup(n)
		if err != nil && s.Db == "" && n.DB == "" {
			return err
		}
		if err == nil && st.View && t.View == "" {
			return mysqlserver.Errorf(1347, "'%s.%s' is not of type 'VIEW'", t.DB, t.Name)
		}
		if err == nil && t.System {
			return mysqlserver.Errorf(1044, "Access denied for user '%s'@'%%' to database '%s'", s.User, t.DB)
		}
		if err != nil || !st.View && t.View != "" || st.Temporary && !t.Temporary {
			db := n.DB
			if db == "" {
				db = s.Db
			}
			missing = append(missing, db+"."+n.Name)
			continue
		}
		drop = append(drop, t)
	}
	if err := referenced(s, drop); err != nil {
		return err
	}
	for _, t := range drop {
		if err := dropTable(ctx, s, t); err != nil {
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
			s.St.Note(code, "Unknown %s '%s'", kind, m)
		}
		return nil
	}
	return mysqlserver.Errorf(code, "Unknown %s '%s'", kind, strings.Join(missing, ","))
}

func dropTable(ctx context.Context, s *session.Session, t *catalog.Table) error {
	s.ForgetAuto(t)
	if t.Temporary {
		_, err := s.Exec(ctx, "DROP TABLE temp."+catalog.QuoteName(t.Physical()))
		delete(s.Temp, t.Physical())
		return err
	}
	return change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
		delete(c.Database(t.DB).Tables, t.Name)
		if t.View != "" {
			return nil, nil
		}
		return []string{"DROP TABLE main." + catalog.QuoteName(t.Physical())}, nil
	})
}

// referenced refuses to drop tables that others refer to.
func referenced(s *session.Session, drop []*catalog.Table) error {
	if s.Vars["foreign_key_checks"] == "OFF" {
		return nil
	}
	for _, db := range s.E.Cat.Load().Databases {
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
func renameTables(ctx context.Context, s *session.Session, st *ast.RenameTable) error {
	for i := range st.From {
		if err := rename(ctx, s, &st.From[i], &st.To[i]); err != nil {
			return err
		}
	}
	return nil
}

func rename(ctx context.Context, s *session.Session, from, to *ast.TableName) error {
	t, err := s.Lookup(from)
	if err != nil {
		return err
	}
	db, err := shownDB(s, to.DB)
	if err != nil {
		return err
	}
	if s.Table(db, to.Name) != nil {
		return mysqlserver.Errorf(1050, "Table '%s' already exists", to.Name)
	}
	n := *t
	n.DB, n.Name = db, to.Name
	s.ForgetAuto(t)
	return change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
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
