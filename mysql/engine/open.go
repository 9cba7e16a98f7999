package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// Config says where an [Engine] keeps its data.
type Config struct {
	// File is the SQLite file; it is made if there is none. Empty: a temporary
	// directory that Close removes.
	File string

	// Databases are made if they are not there.
	Databases []string

	// Now, if set, is the clock of NOW() and the like.
	Now func() time.Time

	// TimeZone is the zone of the sessions until they set time_zone; nil: the
	// machine's.
	TimeZone *time.Location
}

// Engine is an open database. It is safe for concurrent use.
type Engine struct{ e *session.Engine }

var _ mysqlserver.Handler = (*Engine)(nil)

// ErrNotDatabase says that [Config.File] holds something else than an SQLite
// database.
var ErrNotDatabase = session.ErrNotDatabase

// Open opens the database. An error of the file system is an [fs.PathError];
// see also [ErrNotDatabase].
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	e, err := session.Open(ctx, session.Config{File: cfg.File, Now: cfg.Now, TimeZone: cfg.TimeZone}, facade{})
	if err != nil {
		return nil, err
	}
	for _, name := range cfg.Databases {
		if e.Cat.Load().Database(name) != nil {
			continue
		}
		if err := createDatabase(ctx, e.Keeper(), name, session.DefaultCollation); err != nil {
			return nil, errors.Join(fmt.Errorf("engine: make database %s: %w", name, err), e.Close())
		}
	}
	return &Engine{e: e}, nil
}

// NewSession makes the session of a connection.
func (e *Engine) NewSession(ctx context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
	return e.e.NewSession(ctx, c)
}

// Close closes the database. Sessions should have ended: stop the server
// first. It may be called again.
func (e *Engine) Close() error { return e.e.Close() }

// facade is what the sessions ask.
type facade struct{}

// Statement answers definitions and SHOW.
func (facade) Statement(ctx context.Context, s *session.Session, w *mysqlserver.Writer, st ast.Stmt, params []scope.Value) error {
	switch st := st.(type) {
	case *ast.Show:
		return show(ctx, s, w, st)
	case *ast.Explain:
		return explain(ctx, s, w, st, params)
	case *ast.Maintain:
		return maintain(ctx, s, w, st)
	}
	return definition(ctx, s, w, st, params)
}

// SystemTable returns a table of information_schema, or nil.
func (facade) SystemTable(name string) *catalog.Table { return systemTable(name) }

// SystemRows returns the rows of one.
func (facade) SystemRows(s *session.Session, t *catalog.Table) (string, error) {
	return systemRows(s, t)
}

var _ session.Above = facade{}
