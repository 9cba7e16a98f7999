package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/function"
	"github.com/wirelark/wirelark/mysql/engine/internal/parse"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// Session answers the statements of one connection.
type Session struct {
	E        *Engine
	Client   *mysqlserver.Conn
	id       uint32
	User     string
	conn     connection
	St       *store.State
	Db       string
	Vars     variables
	Temp     map[string]*catalog.Table // temporary tables by physical name
	txn      transaction
	named    map[string]*namedStatement // PREPARE
	found    int64                      // FOUND_ROWS()
	count    int64                      // ROW_COUNT()
	Running  string                     // that is running, for SHOW PROCESSLIST
	fixed    time.Time                  // of SET timestamp
	depth    int                        // of EXECUTE
	Written  *catalog.Table             // that the statement changes
	deleting bool                       // the statement deletes
}

// InformationSchema is the name of the database that tells about the others.
const InformationSchema = "information_schema"

// namedStatement is one of PREPARE.
type namedStatement struct {
	sql    string
	params int
}

var _ mysqlserver.Session = (*Session)(nil)

func newSession(e *Engine) *Session {
	return &Session{
		E: e, Vars: e.globals(), Temp: map[string]*catalog.Table{}, named: map[string]*namedStatement{}, txn: transaction{auto: true},
		St: &store.State{Zone: e.cfg.TimeZone, Ctx: func() error { return nil }},
	}
}

// options says how the session's texts are read: version comments are for the
// version that the server claims to be.
func (s *Session) options() parse.Options {
	mode := s.Vars.text("sql_mode")
	cfg := lexer.Config{Mode: lexer.ParseMode(mode), Version: versionNumber(s.version()), MariaDB: strings.Contains(s.version(), "MariaDB")}
	return parse.Options{Config: cfg, PipesAsConcat: strings.Contains(mode, "PIPES_AS_CONCAT")}
}

// versionNumber returns 80400 for "8.4.0-wirelark".
func versionNumber(version string) int {
	var major, minor, patch int
	// What cannot be read is 0: every version comment is code then.
	_, _ = fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch)
	return major*10000 + minor*100 + patch
}

// Query answers one statement.
func (s *Session) Query(ctx context.Context, w *mysqlserver.Writer, q *mysqlserver.Query) error {
	return s.run(ctx, w, q.SQL, nil)
}

// run answers a statement with the values of its placeholders.
func (s *Session) run(ctx context.Context, w *mysqlserver.Writer, sql string, params []scope.Value) error {
	s.E.Queries.Add(1)
	s.Running = sql
	defer func() { s.Running = "" }()
	st, n, err := parse.Statement(sql, s.options())
	if err == nil && n != len(params) {
		err = &parse.Error{Near: "?", Line: 1}
	}
	if err == nil {
		if !keepsWarnings(st) {
			s.St.Warnings = nil
		}
		s.St.Begin(s.now())
		s.St.Ctx = func() error { return context.Cause(ctx) }
		err = s.statement(ctx, w, st, params)
	} else {
		s.St.Warnings = nil
	}
	return s.fail(ctx, err)
}

// now is the time of a statement that begins: of the clock, or what SET
// timestamp has said.
func (s *Session) now() time.Time {
	if s.fixed.IsZero() {
		return s.E.cfg.Now().In(s.St.Zone)
	}
	return s.fixed.In(s.St.Zone)
}

// fail makes an error the client's, and a line of SHOW WARNINGS.
func (s *Session) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	s.count = -1
	e := s.errorOf(ctx, err)
	if e != nil {
		s.St.Warnings = append(s.St.Warnings, store.Warning{Level: "Error", Code: e.Code, Message: e.Message})
		return e
	}
	return err
}

// keepsWarnings reports whether a statement leaves the list of warnings.
func keepsWarnings(st ast.Stmt) bool {
	sh, ok := st.(*ast.Show)
	return ok && (sh.What == "WARNINGS" || sh.What == "ERRORS")
}

// statement answers a statement of any kind.
func (s *Session) statement(ctx context.Context, w *mysqlserver.Writer, st ast.Stmt, params []scope.Value) error {
	if params == nil {
		params = []scope.Value{}
	}
	switch st := st.(type) {
	case *ast.Select:
		return s.selectQuery(ctx, w, st, params)
	case *ast.Insert:
		return s.insert(ctx, w, st, params)
	case *ast.Update:
		return s.update(ctx, w, st, params)
	case *ast.Delete:
		return s.delete(ctx, w, st, params)
	case *ast.Load:
		return s.loadData(ctx, w, st)
	case *ast.Set:
		return s.set(ctx, w, st, params)
	case *ast.Do:
		return s.do(ctx, w, st, params)
	case *ast.Use:
		if err := s.UseDatabase(ctx, st.Name); err != nil {
			return err
		}
		s.Client.SetDatabase(s.Db)
		return s.Ok(w, mysqlserver.Result{})
	case *ast.Kill:
		return s.kill(ctx, w, st, params)
	case *ast.Prepare, *ast.Execute, *ast.Deallocate:
		return s.textPrepared(ctx, w, st)
	case *ast.Begin, *ast.End, *ast.Savepoint:
		return s.transaction(ctx, w, st)
	case *ast.Nothing:
		if st.Verb == "" {
			return mysqlserver.Errorf(1065, "Query was empty")
		}
		return s.Ok(w, mysqlserver.Result{})
	}
	return s.E.above.Statement(ctx, s, w, st, params)
}

// Ok answers with a success.
func (s *Session) Ok(w *mysqlserver.Writer, r mysqlserver.Result) error {
	r.Warnings = uint16(len(s.St.Warnings))
	s.count = int64(r.AffectedRows)
	return w.OK(r)
}

// UseDatabase makes name the default database.
func (s *Session) UseDatabase(_ context.Context, name string) error {
	db := s.Database(name)
	if db == "" {
		return mysqlserver.Errorf(1049, "Unknown database '%s'", name)
	}
	s.Db = db
	return nil
}

// Database returns the name of a database as it was made, or "".
func (s *Session) Database(name string) string {
	if strings.EqualFold(name, InformationSchema) {
		return InformationSchema
	}
	if db := s.E.Cat.Load().Database(name); db != nil {
		return db.Name
	}
	return ""
}

// Table finds a table: a temporary one first.
func (s *Session) Table(db, name string) *catalog.Table {
	if t := s.Temp[catalog.Physical(db, name)]; t != nil {
		return t
	}
	if strings.EqualFold(db, InformationSchema) {
		return s.E.above.SystemTable(name)
	}
	return s.E.Cat.Load().Table(db, name)
}

// Env makes the environment of a statement.
func (s *Session) Env(params []scope.Value) *scope.Env {
	mode := s.Vars.text("sql_mode")
	return &scope.Env{
		DB:    s.Db,
		Table: s.Table,
		HasDB: func(db string) bool { return s.Database(db) != "" },
		Rows:  func(t *catalog.Table) (string, error) { return s.E.above.SystemRows(s, t) },
		Expand: func(t *catalog.Table) (*ast.Select, error) {
			st, _, err := parse.Statement(t.View, parse.Options{})
			if err != nil {
				return nil, err
			}
			return st.(*ast.Select), nil
		},
		Parse:  func(sql string) (ast.Expr, error) { return parse.Expression(sql, parse.Options{}) },
		Params: params, SysVar: s.sysVar, Now: s.St.Now, Collation: s.Vars.text("collation_connection"),
		Strict:   strings.Contains(mode, "STRICT_") || strings.Contains(mode, "TRADITIONAL"),
		KeepZero: strings.Contains(mode, "NO_AUTO_VALUE_ON_ZERO"),
		DivError: strings.Contains(mode, "ERROR_FOR_DIVISION_BY_ZERO") || strings.Contains(mode, "TRADITIONAL"),
		State:    s.St,
		Info:     s.info(),
	}
}

// info are the functions that tell about the session.
func (s *Session) info() map[string]scope.Value {
	text := func(v string, length int) scope.Value {
		return scope.Value{Type: catalog.Type{Kind: mysql.TypeVarString, Length: length, Collation: "utf8mb3_general_ci", Expr: true, NotNull: true}, Value: v}
	}
	number := func(n int64, kind mysql.Type, length int, unsigned bool) scope.Value {
		return scope.Value{Type: catalog.Type{Kind: kind, Length: length, Precision: length, Unsigned: unsigned, Collation: "binary", Expr: true, NotNull: true}, Value: n}
	}
	db := text(s.Db, 64)
	db.Type.NotNull = false
	if s.Db == "" {
		db.Value = nil
	}
	host := "localhost"
	return map[string]scope.Value{
		"DATABASE":      db,
		"VERSION":       text(s.version(), len(s.version())),
		"USER":          text(s.User+"@"+host, 384),
		"CURRENT_USER":  text(s.User+"@%", 384),
		"CURRENT_ROLE":  {Type: db.Type},
		"CONNECTION_ID": number(int64(s.id), mysql.TypeLong, 10, true),
		"FOUND_ROWS":    number(s.found, mysql.TypeLonglong, 21, false),
		"ROW_COUNT":     number(s.count, mysql.TypeLonglong, 21, false),
	}
}

// version is what VERSION() returns: what the server calls itself.
func (s *Session) version() string {
	if s.Client != nil {
		srv := s.Client.Server()
		switch {
		case srv.Version != "":
			return srv.Version
		case !srv.MariaDB:
			return mysqlserver.DefaultVersion
		}
	}
	return mysqlserver.DefaultMariaDBVersion
}

// Statistics returns one line for people.
func (s *Session) Statistics(context.Context) (string, error) {
	s.E.Mu.Lock()
	n := len(s.E.Sessions)
	s.E.Mu.Unlock()
	up := int(time.Since(s.E.Started).Seconds())
	q := s.E.Queries.Load()
	return fmt.Sprintf("Uptime: %d  Threads: %d  Questions: %d  Slow queries: 0  Opens: 0  Open tables: 0  Queries per second avg: %.3f",
		up, n, q, float64(q)/float64(max(up, 1))), nil
}

// Reset makes the session as it was at first.
func (s *Session) Reset(ctx context.Context) error {
	s.rollback(ctx)
	for _, t := range s.Temp {
		if _, err := s.Exec(ctx, "DROP TABLE IF EXISTS temp."+catalog.QuoteName(t.Physical())); err != nil {
			return err
		}
	}
	zone := s.E.cfg.TimeZone
	*s.St = store.State{Zone: zone, Ctx: func() error { return nil }}
	s.Vars, s.Temp, s.named, s.found, s.count = s.E.globals(), map[string]*catalog.Table{}, map[string]*namedStatement{}, 0, 0
	s.txn, s.fixed = transaction{auto: true}, time.Time{}
	return nil
}

// Close ends the session.
func (s *Session) Close() {
	s.rollback(context.Background())
	s.conn.Close()
	s.E.Mu.Lock()
	delete(s.E.Sessions, s.id)
	s.E.Mu.Unlock()
}

// FieldList answers COM_FIELD_LIST.
func (s *Session) FieldList(_ context.Context, table, wildcard string) ([]mysql.Column, error) {
	if s.Db == "" {
		return nil, mysqlserver.Errorf(1046, "No database selected")
	}
	t := s.Table(s.Db, table)
	if t == nil {
		return nil, mysqlserver.Errorf(1146, "Table '%s.%s' doesn't exist", s.Db, table)
	}
	var list []mysql.Column
	cols := t.Columns
	if t.View != "" {
		r, err := s.ViewColumns(t)
		if err != nil {
			return nil, err
		}
		cols = r
	}
	for i := range cols {
		c := &cols[i]
		if wildcard != "" && !function.Like([]rune(strings.ToLower(c.Name)), []rune(strings.ToLower(wildcard)), '\\') {
			continue
		}
		d := c.Type.Column(c.Name, t.Flags(c))
		d.Schema, d.Table, d.OrgTable, d.OrgName = t.DB, t.Name, t.Name, c.Name
		d.HasDefault = true
		if def := c.DefaultText(); def != nil {
			d.Default = []byte(*def)
		}
		list = append(list, d)
	}
	return list, nil
}

// ViewColumns returns the columns of a view.
func (s *Session) ViewColumns(t *catalog.Table) ([]catalog.Column, error) {
	env := s.Env([]scope.Value{})
	q, err := env.Expand(t)
	if err != nil {
		return nil, err
	}
	env.DB = t.ViewDB
	r, err := translate.Select(env, q)
	if err != nil {
		return nil, err
	}
	var list []catalog.Column
	for i, c := range r.Columns {
		name := c.Name
		if len(t.ViewCols) > i {
			name = t.ViewCols[i]
		}
		list = append(list, catalog.Column{Name: name, Type: c.Type, NotNull: c.Type.NotNull})
	}
	return list, nil
}

// kill answers KILL.
func (s *Session) kill(ctx context.Context, w *mysqlserver.Writer, st *ast.Kill, params []scope.Value) error {
	r, err := translate.Values(s.Env(params), []ast.Expr{st.ID})
	if err != nil {
		return err
	}
	rows, err := s.Rows(ctx, r.SQL, r.Args...)
	if err != nil {
		return err
	}
	id, ok := rows[0][0].(int64)
	if !ok || id < 0 || id > 1<<32-1 {
		return mysqlserver.Errorf(1094, "Unknown thread id: %v", rows[0][0])
	}
	if err := s.Client.Kill(uint32(id), st.Query); err != nil {
		return err
	}
	return s.Ok(w, mysqlserver.Result{})
}
