package engine

import (
	"context"
	"fmt"
	"iter"
	"net"
	"sort"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// show answers SHOW.
func show(ctx context.Context, s *session.Session, w *mysqlserver.Writer, st *ast.Show) error {
	l, like, err := shown(ctx, s, st)
	if err != nil {
		return err
	}
	l.filter(st.Like, like)
	return sendWhere(ctx, s, w, l, st.Where, st.Limit)
}

// shown makes the rows of SHOW, and tells the column that LIKE is about.
func shown(ctx context.Context, s *session.Session, st *ast.Show) (*listing, int, error) {
	switch st.What {
	case "DATABASES":
		name := "Database"
		if st.Like != nil {
			name += " (" + *st.Like + ")"
		}
		l := newListing(name + ":text")
		for _, n := range append(s.E.Cat.Load().Names(), session.InformationSchema) {
			l.add(n)
		}
		sort.Slice(l.rows, func(i, j int) bool { return l.rows[i][0].(string) < l.rows[j][0].(string) })
		return l, 0, nil
	case "TABLES", "OPEN TABLES":
		return showTables(s, st)
	case "TABLE STATUS":
		return showStatus(ctx, s, st)
	case "COLUMNS":
		return showColumns(s, st)
	case "INDEX":
		return showIndex(ctx, s, st)
	case "CREATE TABLE", "CREATE VIEW":
		return showCreate(s, st)
	case "CREATE DATABASE":
		db := s.E.Cat.Load().Database(st.DB)
		if db == nil {
			return nil, 0, mysqlserver.Errorf(1049, "Unknown database '%s'", st.DB)
		}
		l := newListing("Database:text", "Create Database:wide")
		l.add(db.Name, fmt.Sprintf("CREATE DATABASE `%s` /*!40100 DEFAULT CHARACTER SET %s COLLATE %s */", db.Name, catalog.CharsetOf(db.Collation), db.Collation))
		return l, 0, nil
	case "VARIABLES":
		l := newListing("Variable_name:text", "Value:wide")
		l.name = "SESSION_VARIABLES"
		for _, v := range s.VariableRows(st.Global) {
			l.add(v[0], v[1])
		}
		return l, 0, nil
	case "STATUS":
		return showServerStatus(s), 0, nil
	case "WARNINGS", "ERRORS":
		return showWarnings(s, st), 1, nil
	case "PROCESSLIST":
		return showProcesses(s, st), 0, nil
	}
	return showFixed(st, s.User), 0, nil
}

// showFixed makes what is always the same.
func showFixed(st *ast.Show, user string) *listing {
	switch st.What {
	case "ENGINES":
		l := newListing("Engine:text", "Support:text", "Comment:wide", "Transactions:text", "XA:text", "Savepoints:text")
		l.add("InnoDB", "DEFAULT", "SQLite under another name", "YES", "NO", "YES")
		return l
	case "COLLATION":
		l := newListing("Collation:text", "Charset:text", "Id:bigint", "Default:text", "Compiled:text", "Sortlen:bigint")
		names := make([]string, 0)
		for n := range catalog.Collations() {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			l.add(n, catalog.CharsetOf(n), catalog.CollationID(n), isDefaultCollation(n), "Yes", 1)
		}
		return l
	case "CHARACTER SET":
		l := newListing("Charset:text", "Description:text", "Default collation:text", "Maxlen:bigint")
		for _, c := range [][4]any{
			{"ascii", "US ASCII", "ascii_general_ci", 1},
			{"binary", "Binary pseudo charset", "binary", 1},
			{"latin1", "cp1252 West European", "latin1_swedish_ci", 1},
			{"utf8mb3", "UTF-8 Unicode", "utf8mb3_general_ci", 3},
			{"utf8mb4", "UTF-8 Unicode", "utf8mb4_general_ci", 4},
		} {
			l.add(c[:]...)
		}
		return l
	case "GRANTS":
		l := newListing("Grants for " + user + "@%:wide")
		l.add(fmt.Sprintf("GRANT ALL PRIVILEGES ON *.* TO `%s`@`%%` WITH GRANT OPTION", user))
		return l
	case "TRIGGERS":
		return newListing("Trigger:text", "Event:text", "Table:text", "Statement:long", "Timing:text", "Created:datetime", "sql_mode:text", "Definer:text",
			"character_set_client:text", "collation_connection:text", "Database Collation:text")
	case "EVENTS":
		return newListing("Db:text", "Name:text", "Definer:text", "Time zone:text", "Type:text", "Execute at:datetime", "Interval value:text", "Interval field:text",
			"Starts:datetime", "Ends:datetime", "Status:text", "Originator:bigint", "character_set_client:text", "collation_connection:text", "Database Collation:text")
	case "PLUGINS":
		return newListing("Name:text", "Status:text", "Type:text", "Library:text", "License:text")
	case "PRIVILEGES":
		return newListing("Privilege:text", "Context:text", "Comment:text")
	}
	return newListing("Db:text", "Name:text", "Type:text", "Definer:text", "Modified:datetime", "Created:datetime", "Security_type:text", "Comment:long",
		"character_set_client:text", "collation_connection:text", "Database Collation:text")
}

func isDefaultCollation(n string) string {
	if c, err := catalog.Collation(catalog.CharsetOf(n), "", ""); err == nil && c == n {
		return "Yes"
	}
	return ""
}

// shownDB returns the database of a SHOW.
func shownDB(s *session.Session, name string) (string, error) {
	if name == "" {
		name = s.Db
	}
	if name == "" {
		return "", mysqlserver.Errorf(1046, "No database selected")
	}
	db := s.Database(name)
	if db == "" {
		return "", mysqlserver.Errorf(1049, "Unknown database '%s'", name)
	}
	return db, nil
}

// tablesOf returns the tables of a database in order.
func tablesOf(s *session.Session, db string) []*catalog.Table {
	var list []*catalog.Table
	if db == session.InformationSchema {
		for _, n := range systemNames() {
			list = append(list, systemTable(n))
		}
		return list
	}
	d := s.E.Cat.Load().Database(db)
	if d == nil {
		return nil
	}
	for _, n := range d.Names() {
		list = append(list, d.Tables[n])
	}
	return list
}

func tableKind(t *catalog.Table) string {
	switch {
	case t.System:
		return "SYSTEM VIEW"
	case t.View != "":
		return "VIEW"
	}
	return "BASE TABLE"
}

func showTables(s *session.Session, st *ast.Show) (*listing, int, error) {
	db, err := shownDB(s, st.DB)
	if err != nil {
		return nil, 0, err
	}
	if st.What == "OPEN TABLES" {
		return newListing("Database:text", "Table:text", "In_use:bigint", "Name_locked:bigint"), 1, nil
	}
	name := "Tables_in_" + db
	if st.Like != nil {
		name += " (" + *st.Like + ")"
	}
	cols := []string{name + ":text"}
	if st.Full {
		cols = append(cols, "Table_type:text")
	}
	l := newListing(cols...)
	l.name = "TABLE_NAMES"
	for _, t := range tablesOf(s, db) {
		row := []any{t.Name}
		if st.Full {
			row = append(row, tableKind(t))
		}
		l.add(row...)
	}
	return l, 0, nil
}

func showStatus(ctx context.Context, s *session.Session, st *ast.Show) (*listing, int, error) {
	db, err := shownDB(s, st.DB)
	if err != nil {
		return nil, 0, err
	}
	l := newListing("Name:text", "Engine:text", "Version:bigint", "Row_format:text", "Rows:bigint", "Avg_row_length:bigint", "Data_length:bigint",
		"Max_data_length:bigint", "Index_length:bigint", "Data_free:bigint", "Auto_increment:bigint", "Create_time:datetime", "Update_time:datetime",
		"Check_time:datetime", "Collation:text", "Checksum:bigint", "Create_options:wide", "Comment:wide", "Max_index_length:bigint", "Temporary:text")
	for _, t := range tablesOf(s, db) {
		if t.View != "" || t.System {
			l.add(t.Name, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, tableKind(t), nil, nil)
			continue
		}
		n, err := s.Size(ctx, t)
		if err != nil {
			return nil, 0, err
		}
		l.add(t.Name, "InnoDB", 10, "Dynamic", n, 0, 16384, 0, 0, 0, nextAuto(ctx, s, t), nullable(t.Created), nil, nil, t.Collation, nil, "", t.Comment, 0, "N")
	}
	return l, 0, nil
}

// nextAuto returns the next AUTO_INCREMENT of a table, or nil.
func nextAuto(ctx context.Context, s *session.Session, t *catalog.Table) any {
	if t.Auto() == nil || s.Numbering(ctx, t) != nil {
		return nil
	}
	s.E.Mu.Lock()
	defer s.E.Mu.Unlock()
	return s.E.Auto[t.Physical()]
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func columnsOf(s *session.Session, t *catalog.Table) []catalog.Column {
	if t.View == "" {
		return t.Columns
	}
	cols, err := s.ViewColumns(t)
	if err != nil {
		return nil // of a view whose tables are gone
	}
	return cols
}

func showColumns(s *session.Session, st *ast.Show) (*listing, int, error) {
	t, err := s.Lookup(&st.Table)
	if err != nil {
		return nil, 0, err
	}
	cols := []string{"Field:text", "Type:long", "Null:text", "Key:text", "Default:long", "Extra:text"}
	if st.Full {
		cols = []string{"Field:text", "Type:long", "Collation:text", "Null:text", "Key:text", "Default:long", "Extra:text", "Privileges:text", "Comment:wide"}
	}
	l := newListing(cols...)
	l.name = "COLUMNS"
	list := columnsOf(s, t)
	for i := range list {
		c := &list[i]
		null, def := "YES", any(nil)
		if c.NotNull {
			null = "NO"
		}
		if d := c.DefaultText(); d != nil {
			def = *d
		}
		row := []any{c.Name, c.Type.String(), null, t.Key(c.Name), def, extra(c)}
		if st.Full {
			collation := any(nil)
			if c.Type.Rep() == catalog.RepText {
				collation = c.Type.Collation
			}
			row = []any{c.Name, c.Type.String(), collation, null, t.Key(c.Name), def, extra(c), "select,insert,update,references", c.Comment}
		}
		l.add(row...)
	}
	return l, 0, nil
}

// extra is what SHOW COLUMNS says besides.
func extra(c *catalog.Column) string {
	switch {
	case c.Auto:
		return "auto_increment"
	case c.OnUpdate:
		return "on update current_timestamp()"
	case c.Gen != "" && c.Stored:
		return "STORED GENERATED"
	case c.Gen != "":
		return "VIRTUAL GENERATED"
	}
	return ""
}

func showIndex(ctx context.Context, s *session.Session, st *ast.Show) (*listing, int, error) {
	t, err := s.Lookup(&st.Table)
	if err != nil {
		return nil, 0, err
	}
	l := newListing("Table:text", "Non_unique:number", "Key_name:text", "Seq_in_index:uint", "Column_name:text", "Collation:text", "Cardinality:number",
		"Sub_part:number", "Packed:text", "Null:text", "Index_type:text", "Comment:text", "Index_comment:wide", "Ignored:text")
	l.name = "STATISTICS"
	n := int64(0)
	if t.View == "" && !t.System {
		if n, err = s.Size(ctx, t); err != nil {
			return nil, 0, err
		}
	}
	for p := range indexParts(t) {
		l.add(t.Name, p.nonUnique, p.index.Name, p.place, p.column, p.order, n, p.prefix, nil, p.null, "BTREE", "", p.index.Comment, "NO")
	}
	return l, 2, nil
}

// indexPart is what is told of a column of an index.
type indexPart struct {
	index     *catalog.Index
	nonUnique int
	place     int // from 1
	column    string
	order     string // A or D
	prefix    any    // letters of it that count; nil: all
	null      string // YES or nothing
}

// indexParts yields the columns of all indexes of a table.
func indexParts(t *catalog.Table) iter.Seq[indexPart] {
	return func(yield func(indexPart) bool) {
		for i := range t.Indexes {
			ix := &t.Indexes[i]
			for at, c := range ix.Cols {
				p := indexPart{index: ix, place: at + 1, column: c.Name, order: "A"}
				if !ix.Unique {
					p.nonUnique = 1
				}
				if c.Desc {
					p.order = "D"
				}
				if c.Length > 0 {
					p.prefix = c.Length
				}
				if col := t.Column(c.Name); col != nil && !col.NotNull {
					p.null = "YES"
				}
				if !yield(p) {
					return
				}
			}
		}
	}
}

func showCreate(s *session.Session, st *ast.Show) (*listing, int, error) {
	t, err := s.Lookup(&st.Table)
	if err != nil {
		return nil, 0, err
	}
	if t.View != "" {
		l := newListing("View:text", "Create View:long", "character_set_client:text", "collation_connection:text")
		l.add(t.Name, "CREATE VIEW `"+t.Name+"` AS "+t.View, "utf8mb4", "utf8mb4_general_ci")
		return l, 0, nil
	}
	if st.What == "CREATE VIEW" {
		return nil, 0, mysqlserver.Errorf(1347, "'%s.%s' is not of type 'VIEW'", t.DB, t.Name)
	}
	l := newListing("Table:text", "Create Table:wide")
	create := t.Create()
	if n, ok := nextAuto(context.Background(), s, t).(uint64); ok && n > 1 {
		create = strings.Replace(create, ") ENGINE=InnoDB", fmt.Sprintf(") ENGINE=InnoDB AUTO_INCREMENT=%d", n), 1)
	}
	l.add(t.Name, create)
	return l, 0, nil
}

func showServerStatus(s *session.Session) *listing {
	l := newListing("Variable_name:text", "Value:wide")
	s.E.Mu.Lock()
	n := len(s.E.Sessions)
	s.E.Mu.Unlock()
	version, cipher := "", ""
	if s.Client != nil && s.Client.TLS() != nil {
		version, cipher = "TLSv1.3", "TLS"
	}
	for _, r := range [][2]string{
		{"Queries", fmt.Sprint(s.E.Queries.Load())},
		{"Questions", fmt.Sprint(s.E.Queries.Load())},
		{"Ssl_cipher", cipher},
		{"Ssl_version", version},
		{"Threads_connected", fmt.Sprint(n)},
		{"Threads_running", "1"},
		{"Uptime", fmt.Sprint(int(time.Since(s.E.Started).Seconds()))},
	} {
		l.add(r[0], r[1])
	}
	return l
}

func showWarnings(s *session.Session, st *ast.Show) *listing {
	if st.Count {
		name := "@@session.warning_count:bigint"
		if st.What == "ERRORS" {
			name = "@@session.error_count:bigint"
		}
		l := newListing(name)
		n := 0
		for _, w := range s.St.Warnings {
			if st.What == "WARNINGS" || w.Level == "Error" {
				n++
			}
		}
		l.add(n)
		return l
	}
	l := newListing("Level:text", "Code:uint", "Message:wide")
	for _, w := range s.St.Warnings {
		if st.What == "WARNINGS" || w.Level == "Error" {
			l.add(w.Level, w.Code, w.Message)
		}
	}
	return l
}

func showProcesses(s *session.Session, _ *ast.Show) *listing {
	l := newListing("Id:bigint", "User:text", "Host:text", "db:text", "Command:text", "Time:int", "State:text", "Info:long", "Progress:text")
	s.E.Mu.Lock()
	defer s.E.Mu.Unlock()
	for id, o := range s.E.Sessions {
		if o == s {
			l.add(id, s.User, host(s), nullable(s.Db), "Query", 0, "", s.Running, "0.000")
			continue
		}
		// What another session does is its own to know.
		l.add(id, o.User, host(o), nil, "Sleep", 0, "", nil, "0.000")
	}
	sort.Slice(l.rows, func(i, j int) bool { return l.rows[i][0].(uint32) < l.rows[j][0].(uint32) })
	return l
}

// host is where a session's client is: its address and port, by which a client
// knows its own sessions before it kills one.
func host(s *session.Session) string {
	if s.Client == nil {
		return "localhost"
	}
	if addr, ok := s.Client.RemoteAddr().(*net.TCPAddr); ok {
		return addr.String()
	}
	return "localhost"
}

// maintain answers ANALYZE, CHECK, OPTIMIZE and REPAIR TABLE.
func maintain(ctx context.Context, s *session.Session, w *mysqlserver.Writer, st *ast.Maintain) error {
	l := newListing("Table:text", "Op:text", "Msg_type:text", "Msg_text:long")
	for i := range st.Tables {
		n := &st.Tables[i]
		db := n.DB
		if db == "" {
			db = s.Db
		}
		if _, err := s.Lookup(n); err != nil {
			l.add(db+"."+n.Name, st.Verb, "Error", fmt.Sprintf("Table '%s.%s' doesn't exist", db, n.Name))
			l.add(db+"."+n.Name, st.Verb, "status", "Operation failed")
			continue
		}
		l.add(db+"."+n.Name, st.Verb, "status", "OK")
	}
	return sendListing(ctx, s, w, l)
}
