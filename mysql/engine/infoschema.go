package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
)

// systemColumns are the tables of information_schema. Those without a function
// in systemRows are empty.
var systemColumns = map[string][]string{
	"SCHEMATA": {"CATALOG_NAME:text", "SCHEMA_NAME:text", "DEFAULT_CHARACTER_SET_NAME:text", "DEFAULT_COLLATION_NAME:text", "SQL_PATH:text", "SCHEMA_COMMENT:wide"},
	"TABLES": {
		"TABLE_CATALOG:text", "TABLE_SCHEMA:text", "TABLE_NAME:text", "TABLE_TYPE:text", "ENGINE:text", "VERSION:bigint", "ROW_FORMAT:text", "TABLE_ROWS:bigint",
		"AVG_ROW_LENGTH:bigint", "DATA_LENGTH:bigint", "MAX_DATA_LENGTH:bigint", "INDEX_LENGTH:bigint", "DATA_FREE:bigint", "AUTO_INCREMENT:bigint",
		"CREATE_TIME:datetime", "UPDATE_TIME:datetime", "CHECK_TIME:datetime", "TABLE_COLLATION:text", "CHECKSUM:bigint", "CREATE_OPTIONS:wide", "TABLE_COMMENT:wide",
	},
	"COLUMNS": {
		"TABLE_CATALOG:text", "TABLE_SCHEMA:text", "TABLE_NAME:text", "COLUMN_NAME:text", "ORDINAL_POSITION:bigint", "COLUMN_DEFAULT:long", "IS_NULLABLE:text",
		"DATA_TYPE:text", "CHARACTER_MAXIMUM_LENGTH:bigint", "CHARACTER_OCTET_LENGTH:bigint", "NUMERIC_PRECISION:bigint", "NUMERIC_SCALE:bigint",
		"DATETIME_PRECISION:bigint", "CHARACTER_SET_NAME:text", "COLLATION_NAME:text", "COLUMN_TYPE:long", "COLUMN_KEY:text", "EXTRA:text", "PRIVILEGES:text",
		"COLUMN_COMMENT:wide", "IS_GENERATED:text", "GENERATION_EXPRESSION:long",
	},
	"STATISTICS": {
		"TABLE_CATALOG:text", "TABLE_SCHEMA:text", "TABLE_NAME:text", "NON_UNIQUE:number", "INDEX_SCHEMA:text", "INDEX_NAME:text", "SEQ_IN_INDEX:uint",
		"COLUMN_NAME:text", "COLLATION:text", "CARDINALITY:number", "SUB_PART:number", "PACKED:text", "NULLABLE:text", "INDEX_TYPE:text", "COMMENT:text",
		"INDEX_COMMENT:wide",
	},
	"KEY_COLUMN_USAGE": {
		"CONSTRAINT_CATALOG:text", "CONSTRAINT_SCHEMA:text", "CONSTRAINT_NAME:text", "TABLE_CATALOG:text", "TABLE_SCHEMA:text", "TABLE_NAME:text",
		"COLUMN_NAME:text", "ORDINAL_POSITION:bigint", "POSITION_IN_UNIQUE_CONSTRAINT:bigint", "REFERENCED_TABLE_SCHEMA:text", "REFERENCED_TABLE_NAME:text",
		"REFERENCED_COLUMN_NAME:text",
	},
	"TABLE_CONSTRAINTS": {"CONSTRAINT_CATALOG:text", "CONSTRAINT_SCHEMA:text", "CONSTRAINT_NAME:text", "TABLE_SCHEMA:text", "TABLE_NAME:text", "CONSTRAINT_TYPE:text"},
	"REFERENTIAL_CONSTRAINTS": {
		"CONSTRAINT_CATALOG:text", "CONSTRAINT_SCHEMA:text", "CONSTRAINT_NAME:text", "UNIQUE_CONSTRAINT_CATALOG:text", "UNIQUE_CONSTRAINT_SCHEMA:text",
		"UNIQUE_CONSTRAINT_NAME:text", "MATCH_OPTION:text", "UPDATE_RULE:text", "DELETE_RULE:text", "TABLE_NAME:text", "REFERENCED_TABLE_NAME:text",
	},
	"VIEWS": {
		"TABLE_CATALOG:text", "TABLE_SCHEMA:text", "TABLE_NAME:text", "VIEW_DEFINITION:long", "CHECK_OPTION:text", "IS_UPDATABLE:text", "DEFINER:text",
		"SECURITY_TYPE:text", "CHARACTER_SET_CLIENT:text", "COLLATION_CONNECTION:text",
	},
	"CHARACTER_SETS": {"CHARACTER_SET_NAME:text", "DEFAULT_COLLATE_NAME:text", "DESCRIPTION:text", "MAXLEN:bigint"},
	"COLLATIONS":     {"COLLATION_NAME:text", "CHARACTER_SET_NAME:text", "ID:bigint", "IS_DEFAULT:text", "IS_COMPILED:text", "SORTLEN:bigint"},
	"ENGINES":        {"ENGINE:text", "SUPPORT:text", "COMMENT:wide", "TRANSACTIONS:text", "XA:text", "SAVEPOINTS:text"},
	"PROCESSLIST": {
		"ID:bigint", "USER:text", "HOST:text", "DB:text", "COMMAND:text", "TIME:int", "STATE:text", "INFO:long", "PROGRESS:text",
	},
	"GLOBAL_VARIABLES":  {"VARIABLE_NAME:text", "VARIABLE_VALUE:wide"},
	"SESSION_VARIABLES": {"VARIABLE_NAME:text", "VARIABLE_VALUE:wide"},
	"GLOBAL_STATUS":     {"VARIABLE_NAME:text", "VARIABLE_VALUE:wide"},
	"SESSION_STATUS":    {"VARIABLE_NAME:text", "VARIABLE_VALUE:wide"},
	"ROUTINES": {
		"SPECIFIC_NAME:text", "ROUTINE_CATALOG:text", "ROUTINE_SCHEMA:text", "ROUTINE_NAME:text", "ROUTINE_TYPE:text", "DATA_TYPE:text", "ROUTINE_DEFINITION:long",
		"ROUTINE_COMMENT:long", "CREATED:datetime", "LAST_ALTERED:datetime", "DEFINER:text",
	},
	"PARAMETERS": {"SPECIFIC_SCHEMA:text", "SPECIFIC_NAME:text", "ORDINAL_POSITION:int", "PARAMETER_MODE:text", "PARAMETER_NAME:text", "DATA_TYPE:text", "DTD_IDENTIFIER:long"},
	"TRIGGERS": {
		"TRIGGER_CATALOG:text", "TRIGGER_SCHEMA:text", "TRIGGER_NAME:text", "EVENT_MANIPULATION:text", "EVENT_OBJECT_SCHEMA:text", "EVENT_OBJECT_TABLE:text",
		"ACTION_STATEMENT:long", "ACTION_TIMING:text", "DEFINER:text",
	},
	"EVENTS":            {"EVENT_CATALOG:text", "EVENT_SCHEMA:text", "EVENT_NAME:text", "DEFINER:text", "STATUS:text"},
	"PARTITIONS":        {"TABLE_CATALOG:text", "TABLE_SCHEMA:text", "TABLE_NAME:text", "PARTITION_NAME:text", "PARTITION_METHOD:text", "PARTITION_EXPRESSION:long"},
	"FILES":             {"FILE_ID:bigint", "FILE_NAME:text", "FILE_TYPE:text", "TABLESPACE_NAME:text", "LOGFILE_GROUP_NAME:text", "ENGINE:text", "EXTRA:text", "INITIAL_SIZE:bigint", "TOTAL_EXTENTS:bigint", "EXTENT_SIZE:bigint"},
	"PLUGINS":           {"PLUGIN_NAME:text", "PLUGIN_VERSION:text", "PLUGIN_STATUS:text", "PLUGIN_TYPE:text"},
	"USER_PRIVILEGES":   {"GRANTEE:text", "TABLE_CATALOG:text", "PRIVILEGE_TYPE:text", "IS_GRANTABLE:text"},
	"SCHEMA_PRIVILEGES": {"GRANTEE:text", "TABLE_CATALOG:text", "TABLE_SCHEMA:text", "PRIVILEGE_TYPE:text", "IS_GRANTABLE:text"},
	"TABLE_PRIVILEGES":  {"GRANTEE:text", "TABLE_CATALOG:text", "TABLE_SCHEMA:text", "TABLE_NAME:text", "PRIVILEGE_TYPE:text", "IS_GRANTABLE:text"},
	"COLUMN_STATISTICS": {"SCHEMA_NAME:text", "TABLE_NAME:text", "COLUMN_NAME:text", "HISTOGRAM:long"},
	"CHECK_CONSTRAINTS": {"CONSTRAINT_CATALOG:text", "CONSTRAINT_SCHEMA:text", "TABLE_NAME:text", "CONSTRAINT_NAME:text", "LEVEL:text", "CHECK_CLAUSE:long"},
}

func systemNames() []string { return slices.Sorted(maps.Keys(systemColumns)) }

// systemTable returns a table of information_schema, or nil.
func systemTable(name string) *catalog.Table {
	name = strings.ToUpper(name)
	cols, ok := systemColumns[name]
	if !ok {
		return nil
	}
	return &catalog.Table{DB: session.InformationSchema, Name: name, Columns: listingColumns(cols), System: true}
}

// systemRows returns the rows of a table of information_schema as JSON.
func systemRows(s *session.Session, t *catalog.Table) (string, error) {
	l := &listing{}
	switch t.Name {
	case "SCHEMATA":
		for _, n := range s.E.Cat.Load().Names() {
			c := s.E.Cat.Load().Database(n).Collation
			l.add("def", n, catalog.CharsetOf(c), c, nil, "")
		}
		l.add("def", session.InformationSchema, "utf8mb3", "utf8mb3_general_ci", nil, "")
	case "CHARACTER_SETS":
		for _, r := range showFixed(&ast.Show{What: "CHARACTER SET"}, "").rows {
			l.add(r[0], r[2], r[1], r[3])
		}
	case "COLLATIONS":
		l.rows = showFixed(&ast.Show{What: "COLLATION"}, "").rows
	case "ENGINES":
		l.rows = showFixed(&ast.Show{What: "ENGINES"}, "").rows
	case "PROCESSLIST":
		l.rows = showProcesses(s, nil).rows
	case "GLOBAL_VARIABLES", "SESSION_VARIABLES":
		for _, v := range s.VariableRows(t.Name == "GLOBAL_VARIABLES") {
			l.add(strings.ToUpper(v[0]), v[1])
		}
	case "GLOBAL_STATUS", "SESSION_STATUS":
		for _, r := range showServerStatus(s).rows {
			l.add(strings.ToUpper(r[0].(string)), r[1])
		}
	default:
		for _, db := range append(s.E.Cat.Load().Names(), session.InformationSchema) {
			for _, tab := range tablesOf(s, db) {
				tableRows(s, l, t.Name, db, tab)
			}
		}
	}
	return l.json()
}

// tableRows adds what a table of information_schema tells about a table.
func tableRows(s *session.Session, l *listing, name, db string, t *catalog.Table) {
	switch name {
	case "TABLES":
		engine, comment, collation, rows, auto := any("InnoDB"), t.Comment, any(t.Collation), any(nil), any(nil)
		switch {
		case t.View != "":
			engine, comment, collation = nil, "VIEW", nil
		case t.System:
			engine, collation = "MEMORY", "utf8mb3_general_ci"
		default:
			if n, err := s.Size(context.Background(), t); err == nil {
				rows = n
			}
			auto = nextAuto(context.Background(), s, t)
		}
		l.add("def", db, t.Name, tableKind(t), engine, 10, "Dynamic", rows, 0, 16384, 0, 0, 0, auto, nullable(t.Created), nil, nil, collation, nil, "", comment)
	case "COLUMNS":
		cols := columnsOf(s, t)
		for i := range cols {
			l.rows = append(l.rows, columnRow(t, i, &cols[i]))
		}
	case "STATISTICS":
		for p := range indexParts(t) {
			l.add("def", db, t.Name, p.nonUnique, db, p.index.Name, p.place, p.column, p.order, 0, p.prefix, nil, p.null, "BTREE", "", p.index.Comment)
		}
	case "KEY_COLUMN_USAGE":
		for _, ix := range t.Indexes {
			for i, c := range ix.Cols {
				if ix.Unique {
					l.add("def", db, ix.Name, "def", db, t.Name, c.Name, i+1, nil, nil, nil, nil)
				}
			}
		}
		for _, f := range t.Foreign {
			for i, c := range f.Cols {
				l.add("def", db, f.Name, "def", db, t.Name, c, i+1, i+1, f.DB, f.Table, f.RefCols[i])
			}
		}
	case "TABLE_CONSTRAINTS":
		for _, ix := range t.Indexes {
			switch {
			case ix.Name == "PRIMARY":
				l.add("def", db, ix.Name, db, t.Name, "PRIMARY KEY")
			case ix.Unique:
				l.add("def", db, ix.Name, db, t.Name, "UNIQUE")
			}
		}
		for _, f := range t.Foreign {
			l.add("def", db, f.Name, db, t.Name, "FOREIGN KEY")
		}
	case "REFERENTIAL_CONSTRAINTS":
		for _, f := range t.Foreign {
			l.add("def", db, f.Name, "def", f.DB, "PRIMARY", "NONE", rule(f.OnUpdate), rule(f.OnDelete), t.Name, f.Table)
		}
	case "VIEWS":
		if t.View != "" {
			l.add("def", db, t.Name, t.View, "NONE", "NO", s.User+"@%", "DEFINER", "utf8mb4", "utf8mb4_general_ci")
		}
	case "CHECK_CONSTRAINTS":
		for _, c := range t.Checks {
			l.add("def", db, t.Name, c.Name, "Table", c.Text)
		}
	}
}

func rule(r string) string {
	if r == "" {
		return "RESTRICT"
	}
	return r
}

func columnRow(t *catalog.Table, i int, c *catalog.Column) []any {
	null, def := "YES", any(nil)
	if c.NotNull {
		null = "NO"
	}
	switch d := c.DefaultText(); {
	case d != nil && (c.DefExpr != "" || c.Type.Numeric()):
		def = *d
	case d != nil:
		def = catalog.QuoteText(*d)
	case !c.NotNull:
		def = "NULL"
	}
	var chars, octets, precision, scale, fraction, charset, collation any
	data, _, _ := strings.Cut(c.Type.String(), "(")
	data, _, _ = strings.Cut(data, " ")
	switch c.Type.Rep() {
	case catalog.RepText:
		charset, collation = catalog.CharsetOf(c.Type.Collation), c.Type.Collation
		chars, octets = c.Type.Length, c.Type.Length*4
		if c.Type.Blob() {
			octets = c.Type.Length
		}
	case catalog.RepBytes:
		chars, octets = c.Type.Length, c.Type.Length
	case catalog.RepInt:
		if c.Type.Kind != mysql.TypeYear {
			precision, scale = c.Type.Precision, 0
		}
		if c.Type.Kind == mysql.TypeBit {
			precision, scale = c.Type.Length, nil
		}
	case catalog.RepDec:
		precision, scale = c.Type.Precision, c.Type.Decimals
	case catalog.RepReal:
		precision = c.Type.Length
	case catalog.RepDatetime, catalog.RepTime:
		fraction = c.Type.Decimals
	}
	gen, text := "NEVER", any(nil)
	if c.Gen != "" {
		gen, text = "ALWAYS", c.Gen
	}
	return []any{
		"def", t.DB, t.Name, c.Name, i + 1, def, null, data, chars, octets, precision, scale, fraction, charset, collation, c.Type.String(), t.Key(c.Name), extra(c),
		"select,insert,update,references", c.Comment, gen, text,
	}
}
