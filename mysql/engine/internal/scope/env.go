package scope

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
)

// Type is short for catalog.Type.
type Type = catalog.Type

// Value is a constant with its type: a parameter or a variable.
type Value struct {
	Type  Type
	Value driver.Value
}

// Env is what a statement is translated in. One Env is for one statement.
type Env struct {
	DB        string // default database; "": none
	Table     func(db, name string) *catalog.Table
	HasDB     func(db string) bool
	Rows      func(t *catalog.Table) (string, error) // a system table's rows, as JSON
	Expand    func(t *catalog.Table) (*ast.Select, error)
	Params    []Value // nil while a statement is prepared
	SysVar    func(scope, name string) (Value, error)
	Now       time.Time
	Collation string // of the connection
	Strict    bool
	KeepZero  bool // NO_AUTO_VALUE_ON_ZERO
	DivError  bool // ERROR_FOR_DIVISION_BY_ZERO
	State     *store.State
	Info      map[string]Value                   // DATABASE(), USER() and the like
	Parse     func(sql string) (ast.Expr, error) // an expression that is kept as text

	// Query compiles a query, and Call the call of a function: the packages
	// above are asked through them.
	Query func(e *Env, s *Scope, q *ast.Select, want []Type) *Compiled
	Call  func(e *Env, s *Scope, f *ast.Func) Val

	Args     []driver.Value
	argText  map[string]int
	CTEs     []*CTE
	aliases  int
	assigned map[string]bool // user variables that the statement assigns
	Depth    int
	clause   string
	Views    int
}

// CTE is a common table expression in scope.
type CTE struct {
	Name string
	SQL  string // its name in SQLite
	Cols []SrcCol
}

// Column is a column of a result.
type Column struct {
	Name     string
	Type     Type
	DB       string
	Table    string // alias
	OrgTable string
	OrgName  string
	Flags    mysql.ColumnFlags
}

// Def returns the definition of the column for clients.
func (c *Column) Def() mysql.Column {
	d := c.Type.Column(c.Name, c.Flags)
	d.Schema, d.Table, d.OrgTable, d.OrgName = c.DB, c.Table, c.OrgTable, c.OrgName
	return d
}

// Result is a translated statement.
type Result struct {
	SQL     string
	Args    []driver.Value
	Columns []Column
}

func errorf(code uint16, format string, args ...any) *catalog.Error {
	return catalog.Errorf(code, format, args...)
}

// Abort carries an error out of the recursion.
type Abort struct{ Err error }

// Fail ends a translation with an error of MySQL's; [Catch] returns it.
func Fail(code uint16, format string, args ...any) {
	panic(Abort{errorf(code, format, args...)})
}

// Unsupported ends a translation with error 1235.
func Unsupported(what string) {
	Fail(1235, "This version of Wirelark doesn't yet support '%s'", what)
}

// Catch turns what fail has thrown into an error.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case Abort:
		*err = r.Err
	default:
		panic(r)
	}
}

// Bind adds an argument and returns its placeholder; equal ones share it.
func (e *Env) Bind(v driver.Value) string {
	key := fmt.Sprintf("%T:%v", v, v)
	if n, ok := e.argText[key]; ok {
		return "?" + strconv.Itoa(n)
	}
	if len(e.Args) >= maxArgs {
		return Inline(v)
	}
	e.Args = append(e.Args, v)
	if e.argText == nil {
		e.argText = map[string]int{}
	}
	e.argText[key] = len(e.Args)
	return "?" + strconv.Itoa(len(e.Args))
}

// maxArgs is how many arguments a statement is given; further values are
// written into it. SQLite takes 32,766.
const maxArgs = 30000

// Inline writes a value into a statement.
func Inline(v driver.Value) string {
	switch v := v.(type) {
	case string:
		if strings.IndexByte(v, 0) < 0 {
			return catalog.QuoteText(v)
		}
		return fmt.Sprintf("CAST(X'%x' AS TEXT)", v)
	case []byte:
		return fmt.Sprintf("X'%x'", v)
	case float64:
		return strconv.FormatFloat(v, 'e', -1, 64)
	case nil:
		return "NULL"
	}
	return fmt.Sprint(v)
}

// Alias returns a name that no one else has.
func (e *Env) Alias() string {
	e.aliases++
	return fmt.Sprintf(`"~%d"`, e.aliases)
}

// OutName is the name of the n-th column of a query, from 0.
func OutName(n int) string { return fmt.Sprintf(`"=%d"`, n+1) }

// IntType is INT, or BIGINT where it is wider than nine characters.
func IntType(length int) Type {
	t := Type{Kind: mysql.TypeLong, Length: length, Precision: length, Collation: "binary", Expr: true}
	if length > 9 {
		t.Kind = mysql.TypeLonglong
	}
	return t
}

// LongType is INT, however wide.
func LongType(length int) Type {
	t := IntType(length)
	t.Kind = mysql.TypeLong
	return t
}

// BigType is BIGINT.
func BigType(length int) Type {
	t := IntType(length)
	t.Kind = mysql.TypeLonglong
	return t
}

// BoolType is what comparisons yield: 0 and 1.
func BoolType() Type { return IntType(1) }

// RealType is DOUBLE.
func RealType() Type {
	return Type{Kind: mysql.TypeDouble, Length: 23, Decimals: 31, Collation: "binary", Expr: true}
}

// DecType is DECIMAL.
func DecType(precision, scale int) Type {
	scale = min(scale, 38)
	t := Type{Kind: mysql.TypeNewDecimal, Precision: min(max(precision, scale), 65), Decimals: scale, Collation: "binary", Expr: true}
	t.Length = t.Precision + 1
	if scale > 0 {
		t.Length++
	}
	return t
}

// DateType is DATE.
func DateType() Type { return Type{Kind: mysql.TypeDate, Length: 10, Collation: "binary", Expr: true} }

// DatetimeType is DATETIME with so many digits of a second.
func DatetimeType(digits int) Type {
	t := Type{Kind: mysql.TypeDatetime, Length: 19, Decimals: digits, Collation: "binary", Expr: true}
	if digits > 0 {
		t.Length += digits + 1
	}
	return t
}

// TimeType is TIME with so many digits of a second.
func TimeType(digits int) Type {
	t := Type{Kind: mysql.TypeTime, Length: 10, Decimals: digits, Collation: "binary", Expr: true}
	if digits > 0 {
		t.Length += digits + 1
	}
	return t
}

func nullType() Type { return Type{Kind: mysql.TypeNull, Collation: "binary", Expr: true} }

// TextType is a text of so many characters.
func TextType(length int, collation string) Type {
	t := Type{Kind: mysql.TypeVarString, Length: max(length, 0), Collation: collation, Expr: true}
	bytes := length
	if collation != "binary" {
		bytes = length * 4
	}
	switch {
	case bytes >= 1<<24:
		t.Kind = mysql.TypeLongBlob
		t.Length = min(t.Length, 1<<24)
	case bytes >= 1<<16:
		t.Kind = mysql.TypeMediumBlob
	}
	return t
}

// Itoa writes a number.
func Itoa(n int) string { return strconv.Itoa(n) }

// Compiled is a query in SQLite's words.
type Compiled struct {
	SQL  string
	Cols []Column
	One  bool // it has one row at most
}
