package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// binary compiles an operator between two operands.
func (e *Env) binary(s *scope, x *ast.Binary) val {
	if iv, ok := x.R.(*ast.Interval); ok {
		return e.dateAdd(s, x.L, iv, x.Op == "-")
	}
	switch x.Op {
	case "AND", "OR":
		a, b := e.single(s, x.L), e.single(s, x.R)
		t := boolType()
		t.NotNull = a.t.NotNull && b.t.NotNull
		return val{sql: "((" + e.asBool(a) + ") " + x.Op + " (" + e.asBool(b) + "))", t: t}
	case "XOR":
		a, b := e.asBool(e.single(s, x.L)), e.asBool(e.single(s, x.R))
		return val{sql: "((NOT (" + a + ")) <> (NOT (" + b + ")))", t: boolType()}
	case "=", "<=>", "<>", "<", "<=", ">", ">=":
		return e.compare(x.Op, e.expr(s, x.L), e.expr(s, x.R))
	case "REGEXP":
		a, b := e.single(s, x.L), e.single(s, x.R)
		return val{sql: "wl_regexp(" + e.asText(a) + ", " + e.asText(b) + ", '" + e.cmpOf(a, b) + "')", t: boolType()}
	case "|", "&", "^", "<<", ">>":
		a, b := e.single(s, x.L), e.single(s, x.R)
		t := bigType(21)
		t.Unsigned, t.NotNull = true, a.t.NotNull && b.t.NotNull
		return val{sql: "wl_bits('" + x.Op + "', " + e.asInt(a) + ", " + e.asInt(b) + ")", t: t}
	}
	a, b := e.single(s, x.L), e.single(s, x.R)
	return e.arith(x.Op, a, b)
}

// fitsNative is how many digits a result may have to be computed by SQLite's
// own integers, which turn into real numbers when they are too large.
const fitsNative = 18

// arith compiles + - * / % DIV.
func (e *Env) arith(op string, a, b val) val {
	ta, tb := e.numeric(a), e.numeric(b)
	notNull := a.t.NotNull && b.t.NotNull
	if ta.Rep() == catalog.RepReal || tb.Rep() == catalog.RepReal {
		return e.realArith(op, a, b, notNull)
	}
	if op == "DIV" {
		return e.intDiv(a, b, ta)
	}
	if op == "/" || ta.Rep() == catalog.RepDec || tb.Rep() == catalog.RepDec {
		t := decResult(op, ta, tb)
		t.NotNull = notNull && op != "/" && op != "%"
		call := "wl_dec('" + op + "', " + e.asDec(a) + ", " + e.asDec(b) + ", " + itoa(t.Decimals) + ")"
		return val{sql: e.divisor(op, call, b), t: t}
	}
	t := intResult(op, ta, tb)
	t.NotNull = notNull && op != "%"
	if op == "%" {
		if !big(*ta) && !big(*tb) {
			return val{sql: e.divisor(op, "("+e.asInt(a)+" % "+e.asInt(b)+")", b), t: t}
		}
	} else if digits := intDigits(op, ta, tb); digits <= fitsNative && (!t.Unsigned || op != "-") {
		return val{sql: "(" + e.asInt(a) + " " + op + " " + e.asInt(b) + ")", t: t}
	}
	un := "0"
	if t.Unsigned {
		un = "1"
	}
	call := "wl_int('" + op + "', " + e.asInt(a) + ", " + e.asInt(b) + ", " + un + ", '" + op + "')"
	return val{sql: e.divisor(op, call, b), t: t}
}

// divisor adds the warning about a division by zero.
func (e *Env) divisor(op, call string, b val) string {
	if op != "/" && op != "%" && op != "DIV" || !e.DivError {
		return call
	}
	if b.lit != nil && b.lit.Kind == ast.LitInt && b.lit.Text != "0" {
		return call
	}
	return "CASE WHEN " + e.asReal(b) + " = 0.0 THEN wl_warn_div() ELSE " + call + " END"
}

func (e *Env) realArith(op string, a, b val, notNull bool) val {
	t := realType()
	t.NotNull = notNull
	x, y := e.asReal(a), e.asReal(b)
	switch op {
	case "/":
		t.NotNull = false
		return val{sql: e.divisor(op, "wl_div_real("+x+", "+y+")", b), t: t}
	case "%":
		t.NotNull = false
		return val{sql: e.divisor(op, "wl_mod_real("+x+", "+y+")", b), t: t}
	case "DIV":
		t = bigType(21)
		return val{sql: e.divisor(op, "wl_int('DIV', wl_todec("+x+"), wl_todec("+y+"), 0, 'DIV')", b), t: t}
	}
	return val{sql: "(" + x + " " + op + " " + y + ")", t: t}
}

func (e *Env) intDiv(a, b val, ta *Type) val {
	n := max(1, ta.Precision-ta.Decimals)
	t := intType(n)
	if n > 9 {
		t = bigType(n + 1)
	}
	un := "0"
	if ta.Unsigned {
		t.Unsigned, un = true, "1"
	}
	return val{sql: e.divisor("DIV", "wl_int('DIV', "+e.asDec(a)+", "+e.asDec(b)+", "+un+", 'DIV')", b), t: t}
}

// decResult is the type of arithmetic on exact numbers.
func decResult(op string, a, b *Type) Type {
	ia, ib := a.Precision-a.Decimals, b.Precision-b.Decimals
	switch op {
	case "*":
		return decType(a.Precision+b.Precision, a.Decimals+b.Decimals)
	case "/":
		scale := min(a.Decimals+4, 38)
		return decType(a.Precision+b.Decimals+4, scale)
	case "%":
		scale := max(a.Decimals, b.Decimals)
		return decType(max(ia, ib)+scale, scale)
	}
	scale := max(a.Decimals, b.Decimals)
	return decType(max(ia, ib)+1+scale, scale)
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
	t := intType(length)
	t.Precision, t.Unsigned = n, unsigned
	if t.Length > 9 {
		t.Kind = mysql.TypeLonglong
	}
	return t
}

// cmpOf returns the collation in SQLite by which two texts are compared.
func (e *Env) cmpOf(a, b val) string {
	return catalog.CompareName(e.collationOf(a, b))
}

// collationOf returns the collation of a comparison: a column's before a
// constant's, bytes before texts.
func (e *Env) collationOf(a, b val) string {
	if a.rep() == catalog.RepBytes || b.rep() == catalog.RepBytes {
		return "binary"
	}
	ca, cb := a.t.Collation, b.t.Collation
	switch {
	case a.rep() != catalog.RepText && b.rep() != catalog.RepText:
		return e.Collation
	case a.rep() != catalog.RepText:
		return cb
	case b.rep() != catalog.RepText:
		return ca
	case a.lit != nil && b.lit == nil:
		return cb
	case b.lit != nil:
		if strings.HasSuffix(cb, "_bin") && cb != e.Collation {
			return cb
		}
		return ca
	case strings.HasSuffix(cb, "_bin"):
		return cb
	}
	return ca
}

// compare compiles a comparison: both sides are brought to one form.
func (e *Env) compare(op string, a, b val) val {
	if a.list != nil || b.list != nil {
		return e.compareRows(op, a, b)
	}
	t := boolType()
	t.NotNull = a.t.NotNull && b.t.NotNull
	sqlOp := op
	if op == "<=>" {
		sqlOp, t.NotNull = "IS", true
	}
	x, y, collate := e.comparable(a, b)
	if collate != "" {
		y += " COLLATE " + collate
	}
	return val{sql: "(" + x + " " + sqlOp + " " + y + ")", t: t}
}

// comparable brings two values to a form in which SQLite compares them as
// MySQL does, by a collation if it is not empty.
func (e *Env) comparable(a, b val) (x, y, collate string) {
	ra, rb := a.rep(), b.rep()
	switch {
	case ra == catalog.RepNull || rb == catalog.RepNull:
		return a.sql, b.sql, ""
	case len(a.t.Values) > 0 && b.t.Numeric():
		return e.enumNumber(a), e.asReal(b), ""
	case len(b.t.Values) > 0 && a.t.Numeric():
		return e.asReal(a), e.enumNumber(b), ""
	case a.t.Temporal() || b.t.Temporal():
		return e.comparableTimes(a, b)
	case ra == catalog.RepInt && rb == catalog.RepInt:
		return a.sql, b.sql, ""
	case a.t.Numeric() && b.t.Numeric():
		if ra == catalog.RepReal || rb == catalog.RepReal {
			return e.asReal(a), e.asReal(b), ""
		}
		return e.asDec(a), e.asDec(b), "wl_decimal"
	case a.t.Numeric() || b.t.Numeric():
		// A hexadecimal literal beside a number is a number.
		if ra == catalog.RepInt && b.isHex() {
			return a.sql, e.hexNumber(b), ""
		}
		// A text that is an integer is compared as one, which an index can help.
		if ra == catalog.RepInt && b.lit != nil && isInteger(b.text) && !big(a.t) {
			return a.sql, b.text, ""
		}
		if rb == catalog.RepInt && a.lit != nil && isInteger(a.text) && !big(b.t) {
			return a.text, b.sql, ""
		}
		if ra == catalog.RepDec && b.lit != nil || rb == catalog.RepDec && a.lit != nil {
			return e.asDec(a), e.asDec(b), "wl_decimal"
		}
		return e.asReal(a), e.asReal(b), ""
	case ra == catalog.RepBytes || rb == catalog.RepBytes:
		return e.asBytes(a), e.asBytes(b), ""
	}
	return a.sql, b.sql, e.cmpOf(a, b)
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
func (e *Env) comparableTimes(a, b val) (x, y, collate string) {
	if !a.t.Temporal() {
		y, x, collate = e.comparableTimes(b, a)
		return x, y, collate
	}
	switch {
	case b.t.Numeric():
		return e.asReal(a), e.asReal(b), ""
	case b.rep() == catalog.RepText || b.rep() == catalog.RepBytes:
		if b.lit != nil {
			t := a.t
			if a.rep() == catalog.RepDate && len(b.text) > 10 {
				t = datetimeType(0)
			}
			if t.Rep() != catalog.RepDate {
				if i := strings.LastIndexByte(b.text, '.'); i >= 0 {
					t.Decimals = max(t.Decimals, min(6, len(b.text)-i-1))
				}
			}
			if text, ok := e.temporalText(b.text, t); ok {
				return e.comparableTimes(a, val{sql: e.bind(text), t: t})
			}
			e.State.Warn(1292, "Truncated incorrect %s value: '%s'", strings.ToLower(strings.TrimPrefix(a.t.Kind.String(), "MYSQL_TYPE_")), b.text)
			return a.sql, b.sql, ""
		}
		switch a.rep() {
		case catalog.RepTime:
			return a.sql, e.asTime(b, a.t.Decimals), "wl_time"
		case catalog.RepDate:
			return e.asDatetime(a, 6), e.asDatetime(b, 6), ""
		}
		return e.asDatetime(a, 6), e.asDatetime(b, 6), ""
	}
	ra, rb := a.rep(), b.rep()
	switch {
	case ra == catalog.RepTime && rb == catalog.RepTime:
		return a.sql, b.sql, "wl_time"
	case ra == catalog.RepDate && rb == catalog.RepDate:
		return a.sql, b.sql, ""
	}
	digits := max(a.t.Decimals, b.t.Decimals)
	return e.asDatetime(a, digits), e.asDatetime(b, digits), ""
}

func (e *Env) compareRows(op string, a, b val) val {
	if len(a.list) != len(b.list) {
		fail(1241, "Operand should contain %d column(s)", max(1, len(a.list)))
	}
	if a.list[0].sql == "" || b.list[0].sql == "" { // one of them is a query
		return val{sql: "(" + e.rowSQL(a) + " " + op + " " + e.rowSQL(b) + ")", t: boolType()}
	}
	var parts []string
	switch op {
	case "=", "<=>":
		for i := range a.list {
			parts = append(parts, e.compare(op, a.list[i], b.list[i]).sql)
		}
		return val{sql: "(" + strings.Join(parts, " AND ") + ")", t: boolType()}
	case "<>":
		for i := range a.list {
			parts = append(parts, e.compare(op, a.list[i], b.list[i]).sql)
		}
		return val{sql: "(" + strings.Join(parts, " OR ") + ")", t: boolType()}
	}
	// a < b: the first parts that differ decide.
	strictOp := op[:1]
	for i := range a.list {
		var all []string
		for j := range i {
			all = append(all, e.compare("=", a.list[j], b.list[j]).sql)
		}
		o := strictOp
		if i == len(a.list)-1 {
			o = op
		}
		parts = append(parts, "("+strings.Join(append(all, e.compare(o, a.list[i], b.list[i]).sql), " AND ")+")")
	}
	return val{sql: "(" + strings.Join(parts, " OR ") + ")", t: boolType()}
}

// rowSQL is a row as SQLite writes it.
func (e *Env) rowSQL(v val) string {
	if v.list[0].sql == "" {
		return v.sql
	}
	parts := make([]string, len(v.list))
	for i, x := range v.list {
		parts[i] = x.sql
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (e *Env) between(s *scope, x *ast.Between) val {
	v, lo, hi := e.single(s, x.X), e.single(s, x.Lo), e.single(s, x.Hi)
	c := "(" + e.compare(">=", v, lo).sql + " AND " + e.compare("<=", v, hi).sql + ")"
	if x.Not {
		c = "NOT " + c
	}
	t := boolType()
	t.NotNull = v.t.NotNull && lo.t.NotNull && hi.t.NotNull
	return val{sql: c, t: t}
}

func (e *Env) like(s *scope, x *ast.Like) val {
	v, p := e.single(s, x.X), e.single(s, x.Pattern)
	esc := `\`
	if x.Escape != nil {
		l, ok := x.Escape.(*ast.Lit)
		if !ok || len([]rune(l.Text)) > 1 {
			fail(1210, "Incorrect arguments to ESCAPE")
		}
		esc = l.Text
	}
	c := "wl_like(" + e.asText(v) + ", " + e.asText(p) + ", " + e.bind(esc) + ", '" + e.cmpOf(v, p) + "')"
	if x.Not {
		c = "NOT " + c
	}
	t := boolType()
	t.NotNull = v.t.NotNull && p.t.NotNull
	return val{sql: c, t: t}
}

func (e *Env) inList(s *scope, x *ast.In) val {
	v := e.expr(s, x.X)
	not := ""
	if x.Not {
		not = "NOT "
	}
	t := boolType()
	if x.Sub != nil {
		return e.inQuery(s, v, x, not)
	}
	t.NotNull = v.t.NotNull
	parts := make([]string, len(x.List))
	plain := v.list == nil
	collate := ""
	for i, y := range x.List {
		w := e.expr(s, y)
		t.NotNull = t.NotNull && w.t.NotNull
		if v.list != nil || w.list != nil {
			parts[i] = e.compare("=", v, w).sql
			plain = false
			continue
		}
		left, right, c := e.comparable(v, w)
		parts[i] = e.compare("=", v, w).sql
		if left != v.sql || i > 0 && c != collate {
			plain = false
		}
		collate = c
		if plain {
			parts[i] = right
		}
	}
	if plain {
		left := v.sql
		if collate != "" {
			left = "(" + left + ") COLLATE " + collate
		}
		return val{sql: "(" + left + " " + not + "IN (" + strings.Join(parts, ", ") + "))", t: t}
	}
	// A part that was written as a plain value before one was not: write all
	// as comparisons.
	for i, y := range x.List {
		parts[i] = e.compare("=", v, e.expr(s, y)).sql
	}
	return val{sql: not + "(" + strings.Join(parts, " OR ") + ")", t: t}
}

// inQuery compiles x IN (query).
func (e *Env) inQuery(s *scope, v val, x *ast.In, not string) val {
	q := e.Query(e, s, x.Sub, nil)
	n := max(1, len(v.list))
	if len(q.cols) != n {
		fail(1241, "Operand should contain %d column(s)", n)
	}
	if v.list != nil {
		return val{sql: "(" + e.rowSQL(v) + " " + not + "IN (" + q.sql + "))", t: boolType()}
	}
	left, right, collate := e.comparable(v, val{sql: outName(0), t: materialized(q.cols[0].Type)})
	if collate != "" {
		left = "(" + left + ") COLLATE " + collate
	}
	sub := q.sql
	if right != outName(0) {
		sub = "SELECT " + right + " FROM (" + q.sql + ")"
	}
	return val{sql: "(" + left + " " + not + "IN (" + sub + "))", t: boolType()}
}
