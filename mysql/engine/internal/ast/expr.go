package ast

// Expr is an expression.
type Expr interface{ expr() }

// LitKind says what a literal is.
type LitKind uint8

// The kinds of literals.
const (
	LitNull LitKind = iota
	LitInt
	LitDecimal
	LitReal
	LitString
	LitHex  // Text holds the bytes
	LitBool // Text is "1" or "0"
	LitDate // DATE '…', TIME '…', TIMESTAMP '…': see Type
	LitTime
	LitTimestamp
)

// The kinds of expressions.
type (
	// Lit is a literal.
	Lit struct {
		Kind    LitKind
		Text    string
		Charset string // of an introducer, without its underscore
	}
	// Col is the name of a column.
	Col struct{ DB, Table, Name string }
	// Star is "*" or "t.*" in a list of columns.
	Star struct{ DB, Table string }
	// Param is a placeholder, counted from 0.
	Param struct{ N int }
	// UserVar is @name.
	UserVar struct{ Name string }
	// SysVar is @@name; Scope is "", "global" or "session".
	SysVar struct{ Scope, Name string }
	// SetVar is @name := x.
	SetVar struct {
		Name string
		X    Expr
	}
	// Unary is one of - ~ ! NOT BINARY.
	Unary struct {
		Op string
		X  Expr
	}
	// Binary is an operator between two operands, in capitals.
	Binary struct {
		Op   string
		L, R Expr
	}
	// Func is a call of a function, its name in capitals.
	Func struct {
		Name      string
		Args      []Expr
		Distinct  bool
		Star      bool // COUNT(*)
		OrderBy   []Order
		Separator string
		Unit      string // of EXTRACT, TIMESTAMPADD, TIMESTAMPDIFF; BOTH, LEADING, TRAILING of TRIM
		Over      *Window
	}
	// Window is what stands behind OVER.
	Window struct {
		Name        string
		PartitionBy []Expr
		OrderBy     []Order
		Frame       string // as written
	}
	// Case is CASE x WHEN … END; X may be nil.
	Case struct {
		X     Expr
		Whens []When
		Else  Expr
	}
	// When is a branch of a Case.
	When struct{ Cond, Then Expr }
	// In is x [NOT] IN (list) or (query).
	In struct {
		X    Expr
		List []Expr
		Sub  *Select
		Not  bool
	}
	// Between is x [NOT] BETWEEN lo AND hi.
	Between struct {
		X, Lo, Hi Expr
		Not       bool
	}
	// Like is x [NOT] LIKE pattern [ESCAPE e].
	Like struct {
		X, Pattern, Escape Expr
		Not                bool
	}
	// Is is x IS [NOT] NULL, TRUE, FALSE or UNKNOWN.
	Is struct {
		X    Expr
		What string
		Not  bool
	}
	// Exists is EXISTS (query).
	Exists struct{ Sub *Select }
	// Subquery is a query as a value.
	Subquery struct{ Sub *Select }
	// Quantified is x op ANY (query) or ALL.
	Quantified struct {
		X   Expr
		Op  string
		All bool
		Sub *Select
	}
	// Row is (a, b, …).
	Row struct{ List []Expr }
	// Interval is INTERVAL x unit, the second operand of + and of DATE_ADD.
	Interval struct {
		X    Expr
		Unit string
	}
	// Cast is CAST(x AS type).
	Cast struct {
		X    Expr
		Type TypeName
	}
	// Using is CONVERT(x USING charset).
	Using struct {
		X       Expr
		Charset string
	}
	// Collate is x COLLATE name.
	Collate struct {
		X    Expr
		Name string
	}
	// Default is DEFAULT, or DEFAULT(column).
	Default struct{ Name string }
	// Values is VALUES(column), in ON DUPLICATE KEY UPDATE.
	Values struct{ Name string }
	// Match is MATCH (columns) AGAINST (x), which is refused by whoever gets it.
	Match struct{}
)

func (*Lit) expr()        {}
func (*Col) expr()        {}
func (*Star) expr()       {}
func (*Param) expr()      {}
func (*UserVar) expr()    {}
func (*SysVar) expr()     {}
func (*SetVar) expr()     {}
func (*Unary) expr()      {}
func (*Binary) expr()     {}
func (*Func) expr()       {}
func (*Case) expr()       {}
func (*In) expr()         {}
func (*Between) expr()    {}
func (*Like) expr()       {}
func (*Is) expr()         {}
func (*Exists) expr()     {}
func (*Subquery) expr()   {}
func (*Quantified) expr() {}
func (*Row) expr()        {}
func (*Interval) expr()   {}
func (*Cast) expr()       {}
func (*Using) expr()      {}
func (*Collate) expr()    {}
func (*Default) expr()    {}
func (*Values) expr()     {}

// TypeName is a type as it is written.
type TypeName struct {
	Name     string // in capitals, synonyms replaced: INT, VARCHAR, DECIMAL …
	Args     []int  // (10,2)
	Values   []string
	Unsigned bool
	Zerofill bool
	Binary   bool
	Charset  string
	Collate  string
}
