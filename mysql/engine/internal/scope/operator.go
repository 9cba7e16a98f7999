package scope

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// binary compiles an operator between two operands.
func (e *Env) binary(s *Scope, x *ast.Binary) Val {
	if iv, ok := x.R.(*ast.Interval); ok {
		return e.DateAdd(s, x.L, iv, x.Op == "-")
	}
	switch x.Op {
	case "AND", "OR":
		a, b := e.Single(s, x.L), e.Single(s, x.R)
		t := BoolType()
		t.NotNull = a.T.NotNull && b.T.NotNull
		return Val{SQL: "((" + e.AsBool(a) + ") " + x.Op + " (" + e.AsBool(b) + "))", T: t}
	case "XOR":
		a, b := e.AsBool(e.Single(s, x.L)), e.AsBool(e.Single(s, x.R))
		return Val{SQL: "((NOT (" + a + ")) <> (NOT (" + b + ")))", T: BoolType()}
	case "=", "<=>", "<>", "<", "<=", ">", ">=":
		return e.Compare(x.Op, e.Expr(s, x.L), e.Expr(s, x.R))
	case "REGEXP":
		a, b := e.Single(s, x.L), e.Single(s, x.R)
		return Val{SQL: "wl_regexp(" + e.AsText(a) + ", " + e.AsText(b) + ", '" + e.CmpOf(a, b) + "')", T: BoolType()}
	case "|", "&", "^", "<<", ">>":
		a, b := e.Single(s, x.L), e.Single(s, x.R)
		t := BigType(21)
		t.Unsigned, t.NotNull = true, a.T.NotNull && b.T.NotNull
		return Val{SQL: "wl_bits('" + x.Op + "', " + e.AsInt(a) + ", " + e.AsInt(b) + ")", T: t}
	}
	a, b := e.Single(s, x.L), e.Single(s, x.R)
	return e.Arith(x.Op, a, b)
}

// fitsNative is how many digits a result may have to be computed by SQLite's
// own integers, which turn into real numbers when they are too large.
const fitsNative = 18

// Arith compiles + - * / % DIV.
func (e *Env) Arith(op string, a, b Val) Val {
	ta, tb := e.Numeric(a), e.Numeric(b)
	notNull := a.T.NotNull && b.T.NotNull
	if ta.Rep() == catalog.RepReal || tb.Rep() == catalog.RepReal {
		return e.realArith(op, a, b, notNull)
	}
	if op == "DIV" {
		return e.intDiv(a, b, ta)
	}
	if op == "/" || ta.Rep() == catalog.RepDec || tb.Rep() == catalog.RepDec {
		t := decResult(op, ta, tb)
		t.NotNull = notNull && op != "/" && op != "%"
		call := "wl_dec('" + op + "', " + e.AsDec(a) + ", " + e.AsDec(b) + ", " + Itoa(t.Decimals) + ")"
		return Val{SQL: e.divisor(op, call, b), T: t}
	}
	t := intResult(op, ta, tb)
	t.NotNull = notNull && op != "%"
	if op == "%" {
		if !Big(*ta) && !Big(*tb) {
			return Val{SQL: e.divisor(op, "("+e.AsInt(a)+" % "+e.AsInt(b)+")", b), T: t}
		}
	} else if digits := intDigits(op, ta, tb); digits <= fitsNative && (!t.Unsigned || op != "-") {
		return Val{SQL: "(" + e.AsInt(a) + " " + op + " " + e.AsInt(b) + ")", T: t}
	}
	un := "0"
	if t.Unsigned {
		un = "1"
	}
	call := "wl_int('" + op + "', " + e.AsInt(a) + ", " + e.AsInt(b) + ", " + un + ", '" + op + "')"
	return Val{SQL: e.divisor(op, call, b), T: t}
}

// divisor adds the warning about a division by zero.
func (e *Env) divisor(op, call string, b Val) string {
	if op != "/" && op != "%" && op != "DIV" || !e.DivError {
		return call
	}
	if b.Lit != nil && b.Lit.Kind == ast.LitInt && b.Lit.Text != "0" {
		return call
	}
	return "CASE WHEN " + e.AsReal(b) + " = 0.0 THEN wl_warn_div() ELSE " + call + " END"
}

func (e *Env) realArith(op string, a, b Val, notNull bool) Val {
	t := RealType()
	t.NotNull = notNull
	x, y := e.AsReal(a), e.AsReal(b)
	switch op {
	case "/":
		t.NotNull = false
		return Val{SQL: e.divisor(op, "wl_div_real("+x+", "+y+")", b), T: t}
	case "%":
		t.NotNull = false
		return Val{SQL: e.divisor(op, "wl_mod_real("+x+", "+y+")", b), T: t}
	case "DIV":
		t = BigType(21)
		return Val{SQL: e.divisor(op, "wl_int('DIV', wl_todec("+x+"), wl_todec("+y+"), 0, 'DIV')", b), T: t}
	}
	return Val{SQL: "(" + x + " " + op + " " + y + ")", T: t}
}

func (e *Env) intDiv(a, b Val, ta *Type) Val {
	n := max(1, ta.Precision-ta.Decimals)
	t := IntType(n)
	if n > 9 {
		t = BigType(n + 1)
	}
	un := "0"
	if ta.Unsigned {
		t.Unsigned, un = true, "1"
	}
	return Val{SQL: e.divisor("DIV", "wl_int('DIV', "+e.AsDec(a)+", "+e.AsDec(b)+", "+un+", 'DIV')", b), T: t}
}

// decResult is the type of arithmetic on exact numbers.
func decResult(op string, a, b *Type) Type {
	ia, ib := a.Precision-a.Decimals, b.Precision-b.Decimals
	switch op {
	case "*":
		return DecType(a.Precision+b.Precision, a.Decimals+b.Decimals)
	case "/":
		scale := min(a.Decimals+4, 38)
		return DecType(a.Precision+b.Decimals+4, scale)
	case "%":
		scale := max(a.Decimals, b.Decimals)
		return DecType(max(ia, ib)+scale, scale)
	}
	scale := max(a.Decimals, b.Decimals)
	return DecType(max(ia, ib)+1+scale, scale)
}

// intDigits is how many digits a result may have.
func intDigits(op string, a, b *Type) int {
	if op == "*" {
		return a.Precision + b.Precision
	}
	return max(a.Precision, b.Precision) + 1
}

// intResult is the type of arithmetic on integers.
func intResult(op string, a, b *Type) Type {
	n := intDigits(op, a, b)
	if op == "%" {
		n = max(a.Precision, b.Precision)
	}
	n = min(n, 20)
	unsigned := a.Unsigned || b.Unsigned
	if op == "%" {
		unsigned = a.Unsigned
	}
	length := n
	if !unsigned || op != "%" {
		length++
	}
	if unsigned && op != "%" {
		length = n
	}
	t := IntType(length)
	t.Precision, t.Unsigned = n, unsigned
	if t.Length > 9 {
		t.Kind = mysql.TypeLonglong
	}
	return t
}

// CmpOf returns the collation in SQLite by which two texts are compared.
func (e *Env) CmpOf(a, b Val) string {
	return catalog.CompareName(e.collationOf(a, b))
}

// collationOf returns the collation of a comparison: a column's before a
// constant's, bytes before texts.
func (e *Env) collationOf(a, b Val) string {
	if a.Rep() == catalog.RepBytes || b.Rep() == catalog.RepBytes {
		return "binary"
	}
	ca, cb := a.T.Collation, b.T.Collation
	switch {
	case a.Rep() != catalog.RepText && b.Rep() != catalog.RepText:
		return e.Collation
	case a.Rep() != catalog.RepText:
		return cb
	case b.Rep() != catalog.RepText:
		return ca
	case a.Lit != nil && b.Lit == nil:
		return cb
	case b.Lit != nil:
		if strings.HasSuffix(cb, "_bin") && cb != e.Collation {
			return cb
		}
		return ca
	case strings.HasSuffix(cb, "_bin"):
		return cb
	}
	return ca
}

// Compare compiles a comparison: both sides are brought to one form.
func (e *Env) Compare(op string, a, b Val) Val {
	if a.List != nil || b.List != nil {
		return e.compareRows(op, a, b)
	}
	t := BoolType()
	t.NotNull = a.T.NotNull && b.T.NotNull
	sqlOp := op
	if op == "<=>" {
		sqlOp, t.NotNull = "IS", true
	}
	x, y, collate := e.comparable(a, b)
	if collate != "" {
		y += " COLLATE " + collate
	}
	return Val{SQL: "(" + x + " " + sqlOp + " " + y + ")", T: t}
}

// comparable brings two values to a form in which SQLite compares them as
// MySQL does, by a collation if it is not empty.
func (e *Env) comparable(a, b Val) (x, y, collate string) {
	ra, rb := a.Rep(), b.Rep()
	switch {
	case ra == catalog.RepNull || rb == catalog.RepNull:
		return a.SQL, b.SQL, ""
	case len(a.T.Values) > 0 && b.T.Numeric():
		return e.enumNumber(a), e.AsReal(b), ""
	case len(b.T.Values) > 0 && a.T.Numeric():
		return e.AsReal(a), e.enumNumber(b), ""
	case a.T.Temporal() || b.T.Temporal():
		return e.comparableTimes(a, b)
	case ra == catalog.RepInt && rb == catalog.RepInt:
		return a.SQL, b.SQL, ""
	case a.T.Numeric() && b.T.Numeric():
		if ra == catalog.RepReal || rb == catalog.RepReal {
			return e.AsReal(a), e.AsReal(b), ""
		}
		return e.AsDec(a), e.AsDec(b), "wl_decimal"
	case a.T.Numeric() || b.T.Numeric():
		// A hexadecimal literal beside a number is a number.
		if ra == catalog.RepInt && b.isHex() {
			return a.SQL, e.hexNumber(b), ""
		}
		// A text that is an integer is compared as one, which an index can help.
		if ra == catalog.RepInt && b.Lit != nil && isInteger(b.Text) && !Big(a.T) {
			return a.SQL, b.Text, ""
		}
		if rb == catalog.RepInt && a.Lit != nil && isInteger(a.Text) && !Big(b.T) {
			return a.Text, b.SQL, ""
		}
		if ra == catalog.RepDec && b.Lit != nil || rb == catalog.RepDec && a.Lit != nil {
			return e.AsDec(a), e.AsDec(b), "wl_decimal"
		}
		return e.AsReal(a), e.AsReal(b), ""
	case ra == catalog.RepBytes || rb == catalog.RepBytes:
		return e.AsBytes(a), e.AsBytes(b), ""
	}
	return a.SQL, b.SQL, e.CmpOf(a, b)
}

func isInteger(s string) bool {
	if s == "" || len(s) > 15 || len(s) > 1 && s[0] == '0' {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// comparableTimes does so where one side is a date or time.
func (e *Env) comparableTimes(a, b Val) (x, y, collate string) {
	if !a.T.Temporal() {
		y, x, collate = e.comparableTimes(b, a)
		return x, y, collate
	}
	switch {
	case b.T.Numeric():
		return e.AsReal(a), e.AsReal(b), ""
	case b.Rep() == catalog.RepText || b.Rep() == catalog.RepBytes:
		if b.Lit != nil {
			t := a.T
			if a.Rep() == catalog.RepDate && len(b.Text) > 10 {
				t = DatetimeType(0)
			}
			if t.Rep() != catalog.RepDate {
				if i := strings.LastIndexByte(b.Text, '.'); i >= 0 {
					t.Decimals = max(t.Decimals, min(6, len(b.Text)-i-1))
				}
			}
			if text, ok := e.temporalText(b.Text, t); ok {
				return e.comparableTimes(a, Val{SQL: e.Bind(text), T: t})
			}
			e.State.Warn(1292, "Truncated incorrect %s value: '%s'", strings.ToLower(strings.TrimPrefix(a.T.Kind.String(), "MYSQL_TYPE_")), b.Text)
			return a.SQL, b.SQL, ""
		}
		switch a.Rep() {
		case catalog.RepTime:
			return a.SQL, e.AsTime(b, a.T.Decimals), "wl_time"
		case catalog.RepDate:
			return e.AsDatetime(a, 6), e.AsDatetime(b, 6), ""
		}
		return e.AsDatetime(a, 6), e.AsDatetime(b, 6), ""
	}
	ra, rb := a.Rep(), b.Rep()
	switch {
	case ra == catalog.RepTime && rb == catalog.RepTime:
		return a.SQL, b.SQL, "wl_time"
	case ra == catalog.RepDate && rb == catalog.RepDate:
		return a.SQL, b.SQL, ""
	}
	digits := max(a.T.Decimals, b.T.Decimals)
	return e.AsDatetime(a, digits), e.AsDatetime(b, digits), ""
}

func (e *Env) compareRows(op string, a, b Val) Val {
	if len(a.List) != len(b.List) {
		Fail(1241, "Operand should contain %d column(s)", max(1, len(a.List)))
	}
	if a.List[0].SQL == "" || b.List[0].SQL == "" { // one of them is a query
		return Val{SQL: "(" + e.rowSQL(a) + " " + op + " " + e.rowSQL(b) + ")", T: BoolType()}
	}
	var parts []string
	switch op {
	case "=", "<=>":
		for i := range a.List {
			parts = append(parts, e.Compare(op, a.List[i], b.List[i]).SQL)
		}
		return Val{SQL: "(" + strings.Join(parts, " AND ") + ")", T: BoolType()}
	case "<>":
		for i := range a.List {
			parts = append(parts, e.Compare(op, a.List[i], b.List[i]).SQL)
		}
		return Val{SQL: "(" + strings.Join(parts, " OR ") + ")", T: BoolType()}
	}
	// a < b: the first parts that differ decide.
	strictOp := op[:1]
	for i := range a.List {
		var all []string
		for j := range i {
			all = append(all, e.Compare("=", a.List[j], b.List[j]).SQL)
		}
		o := strictOp
		if i == len(a.List)-1 {
			o = op
		}
		parts = append(parts, "("+strings.Join(append(all, e.Compare(o, a.List[i], b.List[i]).SQL), " AND ")+")")
	}
	return Val{SQL: "(" + strings.Join(parts, " OR ") + ")", T: BoolType()}
}

// rowSQL is a row as SQLite writes it.
func (e *Env) rowSQL(v Val) string {
	if v.List[0].SQL == "" {
		return v.SQL
	}
	parts := make([]string, len(v.List))
	for i, x := range v.List {
		parts[i] = x.SQL
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (e *Env) between(s *Scope, x *ast.Between) Val {
	v, lo, hi := e.Single(s, x.X), e.Single(s, x.Lo), e.Single(s, x.Hi)
	c := "(" + e.Compare(">=", v, lo).SQL + " AND " + e.Compare("<=", v, hi).SQL + ")"
	if x.Not {
		c = "NOT " + c
	}
	t := BoolType()
	t.NotNull = v.T.NotNull && lo.T.NotNull && hi.T.NotNull
	return Val{SQL: c, T: t}
}

func (e *Env) like(s *Scope, x *ast.Like) Val {
	v, p := e.Single(s, x.X), e.Single(s, x.Pattern)
	esc := `\`
	if x.Escape != nil {
		l, ok := x.Escape.(*ast.Lit)
		if !ok || len([]rune(l.Text)) > 1 {
			Fail(1210, "Incorrect arguments to ESCAPE")
		}
		esc = l.Text
	}
	c := "wl_like(" + e.AsText(v) + ", " + e.AsText(p) + ", " + e.Bind(esc) + ", '" + e.CmpOf(v, p) + "')"
	if x.Not {
		c = "NOT " + c
	}
	t := BoolType()
	t.NotNull = v.T.NotNull && p.T.NotNull
	return Val{SQL: c, T: t}
}

func (e *Env) inList(s *Scope, x *ast.In) Val {
	v := e.Expr(s, x.X)
	not := ""
	if x.Not {
		not = "NOT "
	}
	t := BoolType()
	if x.Sub != nil {
		return e.inQuery(s, v, x, not)
	}
	t.NotNull = v.T.NotNull
	parts := make([]string, len(x.List))
	values := make([]Val, len(x.List))
	plain, collate := v.List == nil, ""
	for i, y := range x.List {
		w := e.Expr(s, y)
		values[i] = w
		t.NotNull = t.NotNull && w.T.NotNull
		if !plain || w.List != nil {
			plain = false
			continue
		}
		left, right, c := e.comparable(v, w)
		plain = left == v.SQL && (i == 0 || c == collate)
		parts[i], collate = right, c
	}
	if plain {
		left := v.SQL
		if collate != "" {
			left = "(" + left + ") COLLATE " + collate
		}
		return Val{SQL: "(" + left + " " + not + "IN (" + strings.Join(parts, ", ") + "))", T: t}
	}
	for i, w := range values {
		parts[i] = e.Compare("=", v, w).SQL
	}
	return Val{SQL: not + "(" + strings.Join(parts, " OR ") + ")", T: t}
}

// inQuery compiles x IN (query).
func (e *Env) inQuery(s *Scope, v Val, x *ast.In, not string) Val {
	q := e.Query(e, s, x.Sub, nil)
	n := max(1, len(v.List))
	if len(q.Cols) != n {
		Fail(1241, "Operand should contain %d column(s)", n)
	}
	if v.List != nil {
		return Val{SQL: "(" + e.rowSQL(v) + " " + not + "IN (" + q.SQL + "))", T: BoolType()}
	}
	left, right, collate := e.comparable(v, Val{SQL: OutName(0), T: Materialized(q.Cols[0].Type)})
	if collate != "" {
		left = "(" + left + ") COLLATE " + collate
	}
	sub := q.SQL
	if right != OutName(0) {
		sub = "SELECT " + right + " FROM (" + q.SQL + ")"
	}
	return Val{SQL: "(" + left + " " + not + "IN (" + sub + "))", T: BoolType()}
}
