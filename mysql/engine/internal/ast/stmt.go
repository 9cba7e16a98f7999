package ast

// Stmt is a statement.
type Stmt interface{ stmt() }

// Queries.
type (
	// Select is a query: one core, or several that are combined.
	Select struct {
		With      []CTE
		Recursive bool
		Core      *Core   // nil if Left and Right are set
		SetOp     string  // UNION, UNION ALL, EXCEPT, INTERSECT
		Left      *Select // of SetOp
		Right     *Select
		OrderBy   []Order
		Limit     Expr
		Offset    Expr
		Lock      bool     // FOR UPDATE, FOR SHARE, LOCK IN SHARE MODE
		IntoVars  []string // INTO @a, @b
	}
	// CTE is a named query of WITH.
	CTE struct {
		Name  string
		Cols  []string
		Query *Select
	}
	// Core is one SELECT.
	Core struct {
		Distinct  bool
		FoundRows bool // SQL_CALC_FOUND_ROWS
		Items     []Item
		From      TableRef // nil: none, or DUAL
		Where     Expr
		GroupBy   []Order
		Rollup    bool
		Having    Expr
		Windows   []NamedWindow
		Rows      [][]Expr // of VALUES (…), (…)
	}
	// NamedWindow is a window of the WINDOW clause.
	NamedWindow struct {
		Name string
		Spec *Window
	}
	// Item is a column of a query.
	Item struct {
		X     Expr
		Alias string
		Text  string // as written
	}
	// Order is an expression to sort by.
	Order struct {
		X    Expr
		Desc bool
	}
	// TableRef is what stands in FROM.
	TableRef interface{ tableRef() }
	// TableName is a table.
	TableName struct{ DB, Name, Alias string }
	// Derived is a query in FROM.
	Derived struct {
		Query *Select
		Alias string
		Cols  []string
	}
	// Join is a join of two.
	Join struct {
		Kind    string // INNER, LEFT, RIGHT, CROSS
		L, R    TableRef
		On      Expr
		Using   []string
		Natural bool
	}
)

func (*TableName) tableRef() {}
func (*Derived) tableRef()   {}
func (*Join) tableRef()      {}

// Changes of data.
type (
	// Assign is column = x.
	Assign struct {
		Col Col
		X   Expr
	}
	// Insert is INSERT or REPLACE.
	Insert struct {
		Replace, Ignore bool
		Table           TableName
		Cols            []string
		Rows            [][]Expr
		Query           *Select
		OnDup           []Assign
		Returning       []Item
	}
	// Update is UPDATE.
	Update struct {
		With    []CTE
		Ignore  bool
		From    TableRef
		Set     []Assign
		Where   Expr
		OrderBy []Order
		Limit   Expr
	}
	// Delete is DELETE; Targets is empty for a single table.
	Delete struct {
		With    []CTE
		Ignore  bool
		Targets []TableName
		From    TableRef
		Where   Expr
		OrderBy []Order
		Limit   Expr
	}
	// Truncate is TRUNCATE.
	Truncate struct{ Table TableName }
)

// Definitions.
type (
	// ColumnDef defines a column.
	ColumnDef struct {
		Name     string
		Type     TypeName
		NotNull  bool
		Null     bool // said so
		Default  Expr // nil: none
		OnUpdate bool // CURRENT_TIMESTAMP
		Auto     bool
		Primary  bool
		Unique   bool
		Comment  string
		Check    string // as written
		Refs     *ForeignKey
		Gen      string // of a generated column, as written
		Stored   bool
		First    bool   // of ALTER
		After    string // of ALTER
	}
	// IndexDef defines a key.
	IndexDef struct {
		Name    string
		Kind    string // PRIMARY, UNIQUE, KEY, FULLTEXT, SPATIAL
		Cols    []IndexCol
		Comment string
	}
	// IndexCol is a column of a key.
	IndexCol struct {
		Name   string
		Length int
		Desc   bool
	}
	// ForeignKey is a reference.
	ForeignKey struct {
		Name               string
		Cols               []string
		Table              TableName
		RefCols            []string
		OnDelete, OnUpdate string
	}
	// CheckDef is a CHECK of a table.
	CheckDef struct{ Name, Text string }
	// TableOptions are ENGINE, CHARSET and the like.
	TableOptions struct {
		Engine, Charset, Collate, Comment string
		Auto                              uint64
	}
	// CreateTable is CREATE TABLE.
	CreateTable struct {
		Table       TableName
		Temporary   bool
		IfNotExists bool
		OrReplace   bool
		Cols        []ColumnDef
		Indexes     []IndexDef
		Foreign     []ForeignKey
		Checks      []CheckDef
		Options     TableOptions
		Like        *TableName
		Query       *Select
		Ignore      bool
	}
	// AlterTable is ALTER TABLE; CREATE INDEX and DROP INDEX are too.
	AlterTable struct {
		Table TableName
		Specs []AlterSpec
	}
	// AlterSpec is one change.
	AlterSpec struct {
		// What is ADD COLUMN, DROP COLUMN, MODIFY, CHANGE, RENAME COLUMN,
		// ADD INDEX, DROP INDEX, RENAME INDEX, DROP PRIMARY, ADD FOREIGN,
		// DROP FOREIGN, ADD CHECK, DROP CHECK, RENAME, OPTIONS, SET DEFAULT,
		// DROP DEFAULT, or NOTHING.
		What    string
		Name    string // what is changed
		NewName string
		Exists  bool // IF EXISTS or IF NOT EXISTS
		Col     ColumnDef
		Index   IndexDef
		Foreign ForeignKey
		Check   CheckDef
		Options TableOptions
		To      TableName
	}
	// DropTable is DROP TABLE and DROP VIEW.
	DropTable struct {
		Tables    []TableName
		View      bool
		Temporary bool
		IfExists  bool
	}
	// RenameTable is RENAME TABLE.
	RenameTable struct{ From, To []TableName }
	// CreateView is CREATE VIEW.
	CreateView struct {
		Name      TableName
		Cols      []string
		Query     *Select
		Text      string // of Query
		OrReplace bool
	}
	// CreateDatabase is CREATE DATABASE.
	CreateDatabase struct {
		Name                   string
		IfNotExists, OrReplace bool
		Charset, Collate       string
		Alter                  bool
	}
	// DropDatabase is DROP DATABASE.
	DropDatabase struct {
		Name     string
		IfExists bool
	}
)

// What sessions say about themselves.
type (
	// Use is USE.
	Use struct{ Name string }
	// Set is SET.
	Set struct{ Items []SetItem }
	// SetItem is one assignment of SET.
	SetItem struct {
		Scope string // "", "global", "session", "user", or "names", "charset", "transaction", "password"
		Name  string
		X     Expr // nil: DEFAULT
		Bare  string
	}
	// Begin is BEGIN and START TRANSACTION.
	Begin struct{ ReadOnly, ReadWrite, Snapshot bool }
	// End is COMMIT, and ROLLBACK without TO.
	End struct{ Rollback, Chain, Release bool }
	// Savepoint is SAVEPOINT, ROLLBACK TO and RELEASE SAVEPOINT.
	Savepoint struct{ Verb, Name string } // Verb is SAVEPOINT, ROLLBACK or RELEASE
	// Kill is KILL.
	Kill struct {
		Query bool
		ID    Expr
	}
	// Show is SHOW.
	Show struct {
		What   string // TABLES, COLUMNS, CREATE TABLE …
		Full   bool
		Global bool
		DB     string
		Table  TableName
		Like   *string
		Where  Expr
		Limit  *Select // only its Limit and Offset
		Count  bool    // SHOW COUNT(*) WARNINGS
	}
	// Explain is EXPLAIN of a statement.
	Explain struct {
		Stmt   Stmt
		Format string
	}
	// Do is DO.
	Do struct{ List []Expr }
	// Prepare is PREPARE name FROM x.
	Prepare struct {
		Name string
		From Expr
	}
	// Execute is EXECUTE name USING @a, @b.
	Execute struct {
		Name  string
		Using []string
	}
	// Deallocate is DEALLOCATE PREPARE.
	Deallocate struct{ Name string }
	// Maintain is ANALYZE, CHECK, OPTIMIZE and REPAIR TABLE.
	Maintain struct {
		Verb   string
		Tables []TableName
	}
	// Nothing is a statement that has nothing to do here: LOCK TABLES, FLUSH,
	// and an empty one.
	Nothing struct{ Verb string }
	// Load is LOAD DATA.
	Load struct {
		Local, Replace, Ignore      bool
		File                        string
		Table                       TableName
		FieldsBy, Enclosed, Escaped string
		Optionally                  bool
		LinesBy, LinesStart         string
		Skip                        int
		Cols                        []Expr // Col or UserVar
		Set                         []Assign
		CharsetSet                  string
	}
)

func (*Select) stmt()         {}
func (*Insert) stmt()         {}
func (*Update) stmt()         {}
func (*Delete) stmt()         {}
func (*Truncate) stmt()       {}
func (*CreateTable) stmt()    {}
func (*AlterTable) stmt()     {}
func (*DropTable) stmt()      {}
func (*RenameTable) stmt()    {}
func (*CreateView) stmt()     {}
func (*CreateDatabase) stmt() {}
func (*DropDatabase) stmt()   {}
func (*Use) stmt()            {}
func (*Set) stmt()            {}
func (*Begin) stmt()          {}
func (*End) stmt()            {}
func (*Savepoint) stmt()      {}
func (*Kill) stmt()           {}
func (*Show) stmt()           {}
func (*Explain) stmt()        {}
func (*Do) stmt()             {}
func (*Prepare) stmt()        {}
func (*Execute) stmt()        {}
func (*Deallocate) stmt()     {}
func (*Maintain) stmt()       {}
func (*Nothing) stmt()        {}
func (*Load) stmt()           {}
