package engine

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// change runs steps in one transaction of SQLite, stores what next says
// differently from the catalogue, and makes next the catalogue. A session that
// is no one's changes nothing else meanwhile.
func change(ctx context.Context, s *session.Session, f func(c *catalog.Catalog) ([]string, error)) error {
	s.E.Define.Lock()
	defer s.E.Define.Unlock()
	old := s.E.Cat.Load()
	next := old.Clone()
	steps, err := f(next)
	if err != nil {
		return err
	}
	return perform(ctx, s, old, next, steps)
}

// perform runs steps and stores the catalogue.
func perform(ctx context.Context, s *session.Session, old, next *catalog.Catalog, steps []string) error {
	keys := s.Vars["foreign_key_checks"] != "OFF"
	if keys {
		if _, err := s.Exec(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
			return err
		}
		defer func() { _, _ = s.Exec(context.WithoutCancel(ctx), "PRAGMA foreign_keys = ON") }()
	}
	if _, err := s.Exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := func() error {
		for _, sql := range steps {
			if _, err := s.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return storeCatalog(ctx, s, old, next)
	}()
	if err == nil {
		_, err = s.Exec(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = s.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	s.E.Cat.Store(next)
	return nil
}

// storeCatalog writes what differs between two catalogues.
func storeCatalog(ctx context.Context, s *session.Session, old, next *catalog.Catalog) error {
	run := func(sql string, args ...driver.Value) error {
		_, err := s.Exec(ctx, sql, args...)
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

func createDatabase(ctx context.Context, s *session.Session, name, collation string) error {
	return change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
		c.Databases[strings.ToLower(name)] = &catalog.Database{Name: name, Collation: collation, Tables: map[string]*catalog.Table{}}
		return nil, nil
	})
}

func createDatabaseStmt(ctx context.Context, s *session.Session, st *ast.CreateDatabase) error {
	if st.Alter && st.Name == "" {
		st.Name = s.Db
	}
	collation, err := catalog.Collation(st.Charset, st.Collate, session.DefaultCollation)
	if err != nil {
		return err
	}
	if strings.EqualFold(st.Name, session.InformationSchema) {
		return mysqlserver.Errorf(1044, "Access denied for user '%s'@'%%' to database '%s'", s.User, st.Name)
	}
	if st.Name == "" || strings.ContainsAny(st.Name, "\x00./\\") || len(st.Name) > 64 {
		return mysqlserver.Errorf(1102, "Incorrect database name '%s'", st.Name)
	}
	exists := s.E.Cat.Load().Database(st.Name)
	switch {
	case st.Alter && exists == nil:
		return mysqlserver.Errorf(1049, "Unknown database '%s'", st.Name)
	case st.Alter:
		return change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
			c.Database(st.Name).Collation = collation
			return nil, nil
		})
	case exists != nil && st.IfNotExists:
		s.St.Note(1007, "Can't create database '%s'; database exists", st.Name)
		return nil
	case exists != nil && st.OrReplace:
		if _, err := dropDatabase(ctx, s, &ast.DropDatabase{Name: st.Name}); err != nil {
			return err
		}
	case exists != nil:
		return mysqlserver.Errorf(1007, "Can't create database '%s'; database exists", st.Name)
	}
	return createDatabase(ctx, s, st.Name, collation)
}

func dropDatabase(ctx context.Context, s *session.Session, st *ast.DropDatabase) (uint64, error) {
	db := s.E.Cat.Load().Database(st.Name)
	if db == nil {
		if st.IfExists {
			s.St.Note(1008, "Can't drop database '%s'; database doesn't exist", st.Name)
			return 0, nil
		}
		return 0, mysqlserver.Errorf(1008, "Can't drop database '%s'; database doesn't exist", st.Name)
	}
	n := uint64(0)
	err := change(ctx, s, func(c *catalog.Catalog) ([]string, error) {
		var steps []string
		for _, t := range c.Database(st.Name).Tables {
			n++
			s.ForgetAuto(t)
			if t.View == "" {
				steps = append(steps, "DROP TABLE IF EXISTS main."+catalog.QuoteName(t.Physical()))
			}
		}
		delete(c.Databases, strings.ToLower(st.Name))
		return steps, nil
	})
	if err == nil && strings.EqualFold(s.Db, st.Name) {
		s.Db = ""
		s.Client.SetDatabase("")
	}
	return n, err
}
