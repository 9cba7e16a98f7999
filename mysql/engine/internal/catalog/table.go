package catalog

import (
	"fmt"
	"sort"
	"strings"

	"github.com/wirelark/wirelark/mysql"
)

// Column is a column of a table.
type Column struct {
	Name     string  `json:"n"`
	Type     Type    `json:"t"`
	NotNull  bool    `json:"nn,omitempty"`
	Default  *string `json:"df,omitempty"` // a text; nil: NULL, if HasDefault
	HasDef   bool    `json:"hd,omitempty"`
	DefExpr  string  `json:"de,omitempty"` // an expression, as current_timestamp()
	OnUpdate bool    `json:"ou,omitempty"`
	Auto     bool    `json:"ai,omitempty"`
	Comment  string  `json:"co,omitempty"`
	Gen      string  `json:"g,omitempty"` // of a generated column
	Stored   bool    `json:"gs,omitempty"`
	Check    string  `json:"ck,omitempty"`
}

// Index is a key of a table.
type Index struct {
	Name    string     `json:"n"` // "PRIMARY" for the primary key
	Unique  bool       `json:"u,omitempty"`
	Kind    string     `json:"k,omitempty"` // FULLTEXT
	Cols    []IndexCol `json:"c"`
	Comment string     `json:"co,omitempty"`
}

// IndexCol is a column of a key.
type IndexCol struct {
	Name   string `json:"n"`
	Length int    `json:"l,omitempty"`
	Desc   bool   `json:"d,omitempty"`
}

// Foreign is a reference to another table.
type Foreign struct {
	Name     string   `json:"n"`
	Cols     []string `json:"c"`
	DB       string   `json:"db"`
	Table    string   `json:"t"`
	RefCols  []string `json:"r"`
	OnDelete string   `json:"od,omitempty"`
	OnUpdate string   `json:"ou,omitempty"`
}

// Check is a condition of a table.
type Check struct {
	Name string `json:"n"`
	Text string `json:"t"`
}

// Table is a table or a view.
type Table struct {
	DB        string    `json:"-"`
	Name      string    `json:"-"`
	Columns   []Column  `json:"columns,omitempty"`
	Indexes   []Index   `json:"indexes,omitempty"`
	Foreign   []Foreign `json:"foreign,omitempty"`
	Checks    []Check   `json:"checks,omitempty"`
	Collation string    `json:"collation,omitempty"`
	Comment   string    `json:"comment,omitempty"`
	AutoStart uint64    `json:"auto,omitempty"`
	View      string    `json:"view,omitempty"` // the query of a view
	ViewCols  []string  `json:"view_cols,omitempty"`
	ViewDB    string    `json:"view_db,omitempty"` // the default database of View
	Created   string    `json:"created,omitempty"`
	Temporary bool      `json:"-"`
	System    bool      `json:"-"` // of information_schema
}

// Physical returns the name that the table has in SQLite.
func (t *Table) Physical() string { return Physical(t.DB, t.Name) }

// Physical returns the name in SQLite of a table.
func Physical(db, name string) string { return strings.ToLower(db) + "." + name }

// Column returns a column by its name, or nil.
func (t *Table) Column(name string) *Column {
	if i := t.Position(name); i >= 0 {
		return &t.Columns[i]
	}
	return nil
}

// Position returns the place of a column, or -1.
func (t *Table) Position(name string) int {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return i
		}
	}
	return -1
}

// Index returns a key by its name, or nil.
func (t *Table) Index(name string) *Index {
	for i := range t.Indexes {
		if strings.EqualFold(t.Indexes[i].Name, name) {
			return &t.Indexes[i]
		}
	}
	return nil
}

// Auto returns the AUTO_INCREMENT column, or nil.
func (t *Table) Auto() *Column {
	for i := range t.Columns {
		if t.Columns[i].Auto {
			return &t.Columns[i]
		}
	}
	return nil
}

// Key returns PRI, UNI, MUL or "" as SHOW COLUMNS says it.
func (t *Table) Key(col string) string {
	key := ""
	for _, ix := range t.Indexes {
		for i, c := range ix.Cols {
			if !strings.EqualFold(c.Name, col) {
				continue
			}
			switch {
			case ix.Name == "PRIMARY":
				return "PRI"
			case i > 0:
			case ix.Unique && len(ix.Cols) == 1 && t.Column(col).NotNull && t.Index("PRIMARY") == nil && key == "" && t.promoted() == ix.Name:
				return "PRI"
			case ix.Unique && len(ix.Cols) == 1:
				key = "UNI"
			case key == "":
				key = "MUL"
			}
		}
	}
	return key
}

// promoted returns the first unique key without NULLs, which stands for the
// primary key where there is none.
func (t *Table) promoted() string {
	for _, ix := range t.Indexes {
		if !ix.Unique {
			continue
		}
		ok := true
		for _, c := range ix.Cols {
			ok = ok && t.Column(c.Name).NotNull
		}
		if ok {
			return ix.Name
		}
	}
	return ""
}

// Flags returns the flags of a column that its type does not tell.
func (t *Table) Flags(c *Column) mysql.ColumnFlags {
	var f mysql.ColumnFlags
	if c.NotNull {
		f |= mysql.FlagNotNull
		if !c.HasDef && !c.Auto && c.DefExpr == "" {
			f |= mysql.FlagNoDefaultValue
		}
	}
	if c.Auto {
		f |= mysql.FlagAutoIncrement
	}
	if c.OnUpdate {
		f |= mysql.FlagOnUpdateNow
	}
	for _, ix := range t.Indexes {
		for i, k := range ix.Cols {
			if !strings.EqualFold(k.Name, c.Name) {
				continue
			}
			f |= mysql.FlagPartKey
			switch {
			case ix.Name == "PRIMARY":
				f |= mysql.FlagPrimaryKey
			case i > 0:
			case ix.Unique && len(ix.Cols) == 1:
				f |= mysql.FlagUniqueKey
			default:
				f |= mysql.FlagMultipleKey
			}
		}
	}
	return f
}

// DefaultText returns the default as SHOW COLUMNS shows it.
func (c *Column) DefaultText() *string {
	if c.DefExpr != "" {
		return &c.DefExpr
	}
	return c.Default
}

// Create returns the CREATE TABLE statement of the table.
func (t *Table) Create() string {
	var b strings.Builder
	tmp := ""
	if t.Temporary {
		tmp = "TEMPORARY "
	}
	fmt.Fprintf(&b, "CREATE %sTABLE %s (\n", tmp, quoteIdent(t.Name))
	var lines []string
	for i := range t.Columns {
		lines = append(lines, "  "+t.columnText(&t.Columns[i]))
	}
	for _, ix := range t.Indexes {
		lines = append(lines, "  "+ix.text())
	}
	for _, f := range t.Foreign {
		lines = append(lines, "  "+f.Text(t.DB))
	}
	for _, c := range t.Checks {
		lines = append(lines, fmt.Sprintf("  CONSTRAINT %s CHECK (%s)", quoteIdent(c.Name), c.Text))
	}
	b.WriteString(strings.Join(lines, ",\n"))
	fmt.Fprintf(&b, "\n) ENGINE=InnoDB DEFAULT CHARSET=%s COLLATE=%s", CharsetOf(t.Collation), t.Collation)
	if t.Comment != "" {
		fmt.Fprintf(&b, " COMMENT=%s", quoteText(t.Comment))
	}
	return b.String()
}

func (t *Table) columnText(c *Column) string {
	s := quoteIdent(c.Name) + " " + c.Type.String()
	if c.Type.JSON {
		s = quoteIdent(c.Name) + " longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
	} else if c.Type.Rep() == RepText && c.Type.Collation != t.Collation {
		s += " CHARACTER SET " + CharsetOf(c.Type.Collation) + " COLLATE " + c.Type.Collation
	}
	if c.Gen != "" {
		kind := "VIRTUAL"
		if c.Stored {
			kind = "STORED"
		}
		return s + " GENERATED ALWAYS AS (" + c.Gen + ") " + kind
	}
	switch {
	case c.NotNull:
		s += " NOT NULL"
	case c.Type.Kind == mysql.TypeTimestamp:
		s += " NULL"
	}
	switch {
	case c.DefExpr != "":
		s += " DEFAULT " + c.DefExpr
	case c.Default != nil && c.Type.Numeric() && c.Type.Kind != mysql.TypeBit:
		s += " DEFAULT " + *c.Default
	case c.Default != nil:
		s += " DEFAULT " + quoteText(*c.Default)
	case !c.NotNull && !c.Auto:
		s += " DEFAULT NULL"
	}
	if c.Auto {
		s += " AUTO_INCREMENT"
	}
	if c.OnUpdate {
		s += " ON UPDATE current_timestamp()"
	}
	if c.Comment != "" {
		s += " COMMENT " + quoteText(c.Comment)
	}
	if c.Type.JSON {
		s += " CHECK (json_valid(" + quoteIdent(c.Name) + "))"
	} else if c.Check != "" {
		s += " CHECK (" + c.Check + ")"
	}
	return s
}

func quoteText(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", "''") + "'"
}

func (ix *Index) text() string {
	s := "KEY " + quoteIdent(ix.Name)
	switch {
	case ix.Name == "PRIMARY":
		s = "PRIMARY KEY"
	case ix.Unique:
		s = "UNIQUE " + s
	case ix.Kind != "":
		s = ix.Kind + " " + s
	}
	var cols []string
	for _, c := range ix.Cols {
		n := quoteIdent(c.Name)
		if c.Length > 0 {
			n += fmt.Sprintf("(%d)", c.Length)
		}
		if c.Desc {
			n += " DESC"
		}
		cols = append(cols, n)
	}
	return s + " (" + strings.Join(cols, ",") + ")"
}

// Text returns the reference as SHOW CREATE TABLE of a table in db writes it.
func (f *Foreign) Text(db string) string {
	list := func(names []string) string {
		q := make([]string, len(names))
		for i, n := range names {
			q[i] = quoteIdent(n)
		}
		return strings.Join(q, ", ")
	}
	table := quoteIdent(f.Table)
	if !strings.EqualFold(db, f.DB) {
		table = quoteIdent(f.DB) + "." + table
	}
	s := fmt.Sprintf("CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)", quoteIdent(f.Name), list(f.Cols), table, list(f.RefCols))
	if f.OnDelete != "" && f.OnDelete != "RESTRICT" {
		s += " ON DELETE " + f.OnDelete
	}
	if f.OnUpdate != "" && f.OnUpdate != "RESTRICT" {
		s += " ON UPDATE " + f.OnUpdate
	}
	return s
}

// Database is a database.
type Database struct {
	Name      string
	Collation string
	Tables    map[string]*Table // by name; names are told apart by case
}

// Catalog is all of them.
type Catalog struct {
	Databases map[string]*Database // by name in lower case
}

// Clone returns a copy in which databases and their lists of tables may be
// changed; the tables are shared.
func (c *Catalog) Clone() *Catalog {
	n := &Catalog{Databases: make(map[string]*Database, len(c.Databases))}
	for k, db := range c.Databases {
		d := &Database{Name: db.Name, Collation: db.Collation, Tables: make(map[string]*Table, len(db.Tables))}
		for name, t := range db.Tables {
			d.Tables[name] = t
		}
		n.Databases[k] = d
	}
	return n
}

// Database returns a database by name, or nil.
func (c *Catalog) Database(name string) *Database { return c.Databases[strings.ToLower(name)] }

// Table returns a table by name, or nil.
func (c *Catalog) Table(db, name string) *Table {
	d := c.Database(db)
	if d == nil {
		return nil
	}
	return d.Tables[name]
}

// Names returns the names of the databases in order.
func (c *Catalog) Names() []string {
	var list []string
	for _, d := range c.Databases {
		list = append(list, d.Name)
	}
	sort.Strings(list)
	return list
}

// Names returns the names of the tables in order.
func (d *Database) Names() []string {
	var list []string
	for n := range d.Tables {
		list = append(list, n)
	}
	sort.Slice(list, func(i, j int) bool { return strings.ToLower(list[i]) < strings.ToLower(list[j]) })
	return list
}
