package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql/engine/internal/store"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/function"
	"github.com/wirelark/wirelark/mysql/engine/internal/parse"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// session answers the statements of one connection.
type session struct {
	e        *Engine
	client   *mysqlserver.Conn
	id       uint32
	user     string
	conn     connection
	st       *store.State
	db       string
	vars     variables
	temp     map[string]*catalog.Table // temporary tables by physical name
	txn      transaction
	named    map[string]*namedStatement // PREPARE
	found    int64                      // FOUND_ROWS()
	count    int64                      // ROW_COUNT()
	query    string                     // that is running, for SHOW PROCESSLIST
	fixed    time.Time                  // of SET timestamp
	depth    int                        // of EXECUTE
	written  *catalog.Table             // that the statement changes
	deleting bool                       // the statement deletes
}

// namedStatement is one of PREPARE.
type namedStatement struct {
	sql    string
	params int
}

var _ mysqlserver.Session = (*session)(nil)

func newSession(e *Engine) *session {
	return &session{
		e: e, vars: defaultVariables(), temp: map[string]*catalog.Table{}, named: map[string]*namedStatement{}, txn: transaction{auto: true},
		st: &store.State{Zone: e.cfg.TimeZone, Ctx: func() error { return nil }},
	}
}

// options says how the session's texts are read.
func (s *session) options() parse.Options {
	mode := s.vars.text("sql_mode")
	return parse.Options{
		Config:        lexer.Config{Mode: lexer.ParseMode(mode), Version: 101100, MariaDB: true},
		PipesAsConcat: strings.Contains(mode, "PIPES_AS_CONCAT") || strings.Contains(mode, "ANSI,") || mode == "ANSI",
	}
}

// Query answers one statement.
func (s *session) Query(ctx context.Context, w *mysqlserver.Writer, q *mysqlserver.Query) error {
	return s.run(ctx, w, q.SQL, nil)
}

// run answers a statement with the values of its placeholders.
func (s *session) run(ctx context.Context, w *mysqlserver.Writer, sql string, params []translate.Value) error {
	s.e.queries.Add(1)
	s.query = sql
	defer func() { s.query = "" }()
	st, n, err := parse.Statement(sql, s.options())
	if err == nil && n != len(params) {
		err = &parse.Error{Near: "?", Line: 1}
	}
	if err == nil {
		if !keepsWarnings(st) {
			s.st.Warnings = nil
		}
		s.st.Begin(s.now())
		s.st.Ctx = func() error { return context.Cause(ctx) }
		err = s.statement(ctx, w, st, params)
	} else {
		s.st.Warnings = nil
	}
	return s.fail(ctx, err)
}

// now is the time of a statement that begins: of the clock, or what SET
// timestamp has said.
func (s *session) now() time.Time {
	if s.fixed.IsZero() {
		return s.e.cfg.Now().In(s.st.Zone)
	}
	return s.fixed.In(s.st.Zone)
}

// fail makes an error the client's, and a line of SHOW WARNINGS.
func (s *session) fail(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	s.count = -1
	e := s.errorOf(ctx, err)
	if e != nil {
		s.st.Warnings = append(s.st.Warnings, store.Warning{Level: "Error", Code: e.Code, Message: e.Message})
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
func (s *session) statement(ctx context.Context, w *mysqlserver.Writer, st ast.Stmt, params []translate.Value) error {
	if params == nil {
		params = []translate.Value{}
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
	case *ast.Show:
		return s.show(ctx, w, st)
	case *ast.Explain:
		return s.explain(ctx, w, st, params)
	case *ast.Set:
		return s.set(ctx, w, st, params)
	case *ast.Do:
		return s.do(ctx, w, st, params)
	case *ast.Use:
		if err := s.UseDatabase(ctx, st.Name); err != nil {
			return err
		}
		s.client.SetDatabase(s.db)
		return s.ok(w, mysqlserver.Result{})
	case *ast.Kill:
		return s.kill(ctx, w, st, params)
	case *ast.Prepare, *ast.Execute, *ast.Deallocate:
		return s.textPrepared(ctx, w, st)
	case *ast.Maintain:
		return s.maintain(ctx, w, st)
	case *ast.Begin, *ast.End, *ast.Savepoint:
		return s.transaction(ctx, w, st)
	case *ast.Nothing:
		if st.Verb == "" {
			return mysqlserver.Errorf(1065, "Query was empty")
		}
		return s.ok(w, mysqlserver.Result{})
	}
	return s.definition(ctx, w, st, params)
}

// ok answers with a success.
func (s *session) ok(w *mysqlserver.Writer, r mysqlserver.Result) error {
	r.Warnings = uint16(len(s.st.Warnings))
	s.count = int64(r.AffectedRows)
	return w.OK(r)
}

// UseDatabase makes name the default database.
func (s *session) UseDatabase(_ context.Context, name string) error {
	db := s.database(name)
	if db == "" {
		return mysqlserver.Errorf(1049, "Unknown database '%s'", name)
	}
	s.db = db
	return nil
}

// database returns the name of a database as it was made, or "".
func (s *session) database(name string) string {
	if strings.EqualFold(name, informationSchema) {
		return informationSchema
	}
	if db := s.e.cat.Load().Database(name); db != nil {
		return db.Name
	}
	return ""
}

// table finds a table: a temporary one first.
func (s *session) table(db, name string) *catalog.Table {
	if t := s.temp[catalog.Physical(db, name)]; t != nil {
		return t
	}
	if strings.EqualFold(db, informationSchema) {
		return systemTable(name)
	}
	return s.e.cat.Load().Table(db, name)
}

// env makes the environment of a statement.
func (s *session) env(params []translate.Value) *translate.Env {
	mode := s.vars.text("sql_mode")
	return &translate.Env{
		DB:    s.db,
		Table: s.table,
		HasDB: func(db string) bool { return s.database(db) != "" },
		Rows:  s.systemRows,
		Expand: func(t *catalog.Table) (*ast.Select, error) {
			st, _, err := parse.Statement(t.View, parse.Options{})
			if err != nil {
				return nil, err
			}
			return st.(*ast.Select), nil
		},
		Parse:  func(sql string) (ast.Expr, error) { return parse.Expression(sql, parse.Options{}) },
		Params: params, SysVar: s.sysVar, Now: s.st.Now, Collation: s.vars.text("collation_connection"),
		Strict:   strings.Contains(mode, "STRICT_") || strings.Contains(mode, "TRADITIONAL"),
		DivError: strings.Contains(mode, "ERROR_FOR_DIVISION_BY_ZERO") || strings.Contains(mode, "TRADITIONAL"),
		State:    s.st,
		Info:     s.info(),
	}
}

// info are the functions that tell about the session.
func (s *session) info() map[string]translate.Value {
	text := func(v string, length int) translate.Value {
		return translate.Value{Type: catalog.Type{Kind: mysql.TypeVarString, Length: length, Collation: "utf8mb3_general_ci", Expr: true, NotNull: true}, Value: v}
	}
	number := func(n int64, kind mysql.Type, length int, unsigned bool) translate.Value {
		return translate.Value{Type: catalog.Type{Kind: kind, Length: length, Precision: length, Unsigned: unsigned, Collation: "binary", Expr: true, NotNull: true}, Value: n}
	}
	db := text(s.db, 64)
	db.Type.NotNull = false
	if s.db == "" {
		db.Value = nil
	}
	host := "localhost"
	return map[string]translate.Value{
		"DATABASE":      db,
		"VERSION":       text(s.version(), len(s.version())),
		"USER":          text(s.user+"@"+host, 384),
		"CURRENT_USER":  text(s.user+"@%", 384),
		"CURRENT_ROLE":  {Type: db.Type},
		"CONNECTION_ID": number(int64(s.id), mysql.TypeLong, 10, true),
		"FOUND_ROWS":    number(s.found, mysql.TypeLonglong, 21, false),
		"ROW_COUNT":     number(s.count, mysql.TypeLonglong, 21, false),
	}
}

// version is what VERSION() returns: what the server calls itself.
func (s *session) version() string {
	if s.client != nil {
		srv := s.client.Server()
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
func (s *session) Statistics(context.Context) (string, error) {
	s.e.mu.Lock()
	n := len(s.e.sessions)
	s.e.mu.Unlock()
	up := int(time.Since(s.e.started).Seconds())
	q := s.e.queries.Load()
	return fmt.Sprintf("Uptime: %d  Threads: %d  Questions: %d  Slow queries: 0  Opens: 0  Open tables: 0  Queries per second avg: %.3f",
		up, n, q, float64(q)/float64(max(up, 1))), nil
}

// Reset makes the session as it was at first.
func (s *session) Reset(ctx context.Context) error {
	s.rollback(ctx)
	for _, t := range s.temp {
		if _, err := s.exec(ctx, "DROP TABLE IF EXISTS temp."+catalog.QuoteName(t.Physical())); err != nil {
			return err
		}
	}
	zone := s.e.cfg.TimeZone
	*s.st = store.State{Zone: zone, Ctx: func() error { return nil }}
	s.vars, s.temp, s.named, s.found, s.count = defaultVariables(), map[string]*catalog.Table{}, map[string]*namedStatement{}, 0, 0
	s.txn, s.fixed = transaction{auto: true}, time.Time{}
	return nil
}

// Close ends the session.
func (s *session) Close() {
	s.rollback(context.Background())
	s.conn.Close()
	s.e.mu.Lock()
	delete(s.e.sessions, s.id)
	s.e.mu.Unlock()
}

// FieldList answers COM_FIELD_LIST.
func (s *session) FieldList(_ context.Context, table, wildcard string) ([]mysql.Column, error) {
	if s.db == "" {
		return nil, mysqlserver.Errorf(1046, "No database selected")
	}
	t := s.table(s.db, table)
	if t == nil {
		return nil, mysqlserver.Errorf(1146, "Table '%s.%s' doesn't exist", s.db, table)
	}
	var list []mysql.Column
	cols := t.Columns
	if t.View != "" {
		r, err := s.viewColumns(t)
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
