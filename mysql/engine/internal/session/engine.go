package session

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/function"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// Config says where an [Engine] keeps its data.
type Config struct {
	// File is the SQLite file; it is made if there is none. Empty: a temporary
	// directory that Close removes.
	File string

	// Now, if set, is the clock of NOW() and the like.
	Now func() time.Time

	// TimeZone is the zone of the sessions until they set time_zone; nil: the
	// machine's.
	TimeZone *time.Location
}

// Above answers what needs more than a session: definitions and SHOW.
type Above interface {
	// Statement answers a statement that the session does not know.
	Statement(ctx context.Context, s *Session, w *mysqlserver.Writer, st ast.Stmt, params []scope.Value) error

	// SystemTable returns a table of information_schema, or nil, and SystemRows
	// its rows as a JSON text.
	SystemTable(name string) *catalog.Table
	SystemRows(s *Session, t *catalog.Table) (string, error)
}

// Engine is an open database. It is safe for concurrent use.
type Engine struct {
	above   Above
	cfg     Config
	file    string
	temp    string // directory to be removed
	Started time.Time
	Cat     atomic.Pointer[catalog.Catalog]
	Define  sync.Mutex // held while definitions change
	keeper  *Session   // keeps the files open, and loads and stores the catalogue

	Mu       sync.Mutex
	global   variables // of SET GLOBAL
	closed   bool
	Sessions map[uint32]*Session
	Auto     map[string]uint64 // next AUTO_INCREMENT by physical table
	Queries  atomic.Uint64
}

// Open opens the database.
func Open(ctx context.Context, cfg Config, above Above) (*Engine, error) {
	e := &Engine{above: above, global: variables{}, cfg: cfg, file: cfg.File, Started: time.Now(), Sessions: map[uint32]*Session{}, Auto: map[string]uint64{}}
	if e.cfg.Now == nil {
		e.cfg.Now = time.Now
	}
	if e.cfg.TimeZone == nil {
		e.cfg.TimeZone = time.Local
	}
	if e.file == "" {
		dir, err := os.MkdirTemp("", "wirelark-engine-")
		if err != nil {
			return nil, fmt.Errorf("engine: %w", err)
		}
		e.temp, e.file = dir, filepath.Join(dir, "data")
	} else if err := reach(e.file); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if err := e.load(ctx); err != nil {
		e.Close()
		if se, ok := errors.AsType[*sqlite.Error](err); ok && se.Code()&0xff == sqliteNotADB {
			err = ErrNotDatabase
		}
		return nil, fmt.Errorf("engine: open %s: %w", e.file, err)
	}
	return e, nil
}

// ErrNotDatabase says that a file holds something else.
var ErrNotDatabase = errors.New("not an SQLite database")

// reach makes the file if there is none. SQLite does so too, but does not say
// why when it cannot.
func reach(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// Close closes the database. Sessions should have ended: stop the server
// first.
func (e *Engine) Close() error {
	e.Mu.Lock()
	if e.closed {
		e.Mu.Unlock()
		return nil
	}
	e.closed = true
	e.Mu.Unlock()
	var err error
	if e.keeper != nil {
		err = e.keeper.conn.Close()
	}
	if e.temp != "" {
		err = errors.Join(err, os.RemoveAll(e.temp))
	}
	return err
}

// Keeper returns the session that is no client's, which keeps the files open.
func (e *Engine) Keeper() *Session { return e.keeper }

// connection is what we use of a connection of the driver.
type connection interface {
	driver.Conn
	driver.ExecerContext
	driver.QueryerContext
}

// dial opens a connection whose functions work on st.
func (e *Engine) dial(st *store.State) (connection, error) {
	d := &sqlite.Driver{}
	if err := function.Register(d, st); err != nil {
		return nil, err
	}
	sync := "NORMAL"
	if e.temp != "" {
		sync = "OFF"
	}
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(e.file)}).EscapedPath() +
		"?_pragma=busy_timeout(50000)&_journal_mode=WAL&_sync=" + sync + "&_foreign_keys=1&_dqs=0&_pragma=legacy_alter_table(1)"
	c, err := d.Open(dsn)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(connection)
	if !ok {
		c.Close()
		return nil, errors.New("the driver's connections have no contexts")
	}
	return conn, nil
}

// The tables of the catalogue.
const catalogTables = `CREATE TABLE IF NOT EXISTS "wirelark.databases" (name TEXT PRIMARY KEY, collation TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS "wirelark.tables" (db TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (db, name))`

// load opens the keeper's connection and reads the catalogue.
func (e *Engine) load(ctx context.Context) error {
	keeper := newSession(e)
	conn, err := e.dial(keeper.St)
	if err != nil {
		return err
	}
	keeper.conn = conn
	e.keeper = keeper
	if _, err := conn.ExecContext(ctx, catalogTables, nil); err != nil {
		return err
	}
	c := &catalog.Catalog{Databases: map[string]*catalog.Database{}}
	rows, err := e.keeper.Rows(ctx, `SELECT name, collation FROM "wirelark.databases"`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		name := r[0].(string)
		c.Databases[strings.ToLower(name)] = &catalog.Database{Name: name, Collation: r[1].(string), Tables: map[string]*catalog.Table{}}
	}
	rows, err = e.keeper.Rows(ctx, `SELECT db, name, definition FROM "wirelark.tables"`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		t := &catalog.Table{DB: r[0].(string), Name: r[1].(string)}
		if err := json.Unmarshal([]byte(r[2].(string)), t); err != nil {
			return fmt.Errorf("definition of %s.%s: %w", t.DB, t.Name, err)
		}
		if db := c.Database(t.DB); db != nil {
			db.Tables[t.Name] = t
		}
	}
	e.Cat.Store(c)
	return nil
}

// DefaultCollation is that of databases that name none.
const DefaultCollation = "utf8mb4_general_ci"

// NewSession makes the session of a connection.
func (e *Engine) NewSession(ctx context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
	s := newSession(e)
	s.Client = c
	s.id = c.ID()
	s.User = c.User()
	conn, err := e.dial(s.St)
	if err != nil {
		return nil, mysqlserver.Errorf(1105, "%v", err)
	}
	s.conn = conn
	if db := c.Database(); db != "" {
		if err := s.UseDatabase(ctx, db); err != nil {
			s.conn.Close()
			return nil, err
		}
	}
	e.Mu.Lock()
	defer e.Mu.Unlock()
	if e.closed {
		s.conn.Close()
		return nil, mysqlserver.Errorf(1053, "Server shutdown in progress")
	}
	e.Sessions[s.id] = s
	return s, nil
}

// Rows runs a query and returns what it yields.
func (s *Session) Rows(ctx context.Context, sql string, args ...driver.Value) ([][]driver.Value, error) {
	r, err := s.conn.QueryContext(ctx, sql, named(args))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var list [][]driver.Value
	for {
		row := make([]driver.Value, len(r.Columns()))
		if err := r.Next(row); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
}

// Exec runs a statement of SQLite's and returns how many rows it has changed.
func (s *Session) Exec(ctx context.Context, sql string, args ...driver.Value) (int64, error) {
	r, err := s.conn.ExecContext(ctx, sql, named(args))
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func named(args []driver.Value) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, a := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return list
}
