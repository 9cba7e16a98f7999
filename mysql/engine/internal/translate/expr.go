package translate

import (
	"database/sql/driver"
	"math"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/value"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// expr compiles an expression.
func (e *Env) expr(s *scope, x ast.Expr) val {
	switch x := x.(type) {
	case *ast.Lit:
		return e.literal(x)
	case *ast.Col:
		return e.resolve(s, x)
	case *ast.Param:
		if e.Params == nil {
			return val{sql: "NULL", t: textType(0, e.Collation)}
		}
		return e.constant(e.Params[x.N])
	case *ast.UserVar:
		v := e.userVar(x.Name)
		if e.assigned != nil {
			if v.Value == nil && e.assigned[x.Name] {
				v.Type.Collation = e.Collation
			}
			return val{sql: "wl_getvar(" + e.bind(x.Name) + ")", t: v.Type}
		}
		return e.constant(v)
	case *ast.SysVar:
		v, err := e.SysVar(x.Scope, x.Name)
		if err != nil {
			panic(abort{err})
		}
		return e.constant(v)
	case *ast.SetVar:
		if e.assigned == nil {
			e.assigned = map[string]bool{}
		}
		e.assigned[x.Name] = true
		v := e.expr(s, x.X)
		return val{sql: "wl_setvar(" + e.bind(x.Name) + ", " + v.sql + ", " + itoa(int(v.rep())) + ")", t: v.t}
	case *ast.Unary:
		return e.unary(s, x)
	case *ast.Binary:
		return e.binary(s, x)
	case *ast.Func:
		return e.Call(e, s, x)
	case *ast.Case:
		return e.caseOf(s, x)
	case *ast.In:
		return e.inList(s, x)
	case *ast.Between:
		return e.between(s, x)
	case *ast.Like:
		return e.like(s, x)
	case *ast.Is:
		return e.is(s, x)
	case *ast.Exists:
		q := e.Query(e, s, x.Sub, nil)
		t := boolType()
		t.NotNull = true
		return val{sql: "EXISTS (" + q.sql + ")", t: t}
	case *ast.Subquery:
		return e.scalar(s, x.Sub)
	case *ast.Quantified:
		return e.quantified(s, x)
	case *ast.Row:
		var list []val
		for _, y := range x.List {
			list = append(list, e.expr(s, y))
		}
		return val{list: list, sql: "NULL", t: nullType()}
	case *ast.Cast:
		return e.cast(s, x)
	case *ast.Using:
		v := e.expr(s, x.X)
		c, err := catalog.Collation(x.Charset, "", e.Collation)
		if err != nil {
			panic(abort{err})
		}
		if c == "binary" {
			return val{sql: e.asBytes(v), t: textType(v.t.Length, "binary")}
		}
		return val{sql: "CAST(" + e.asText(v) + " AS TEXT)", t: textType(e.chars(v), c)}
	case *ast.Collate:
		v := e.expr(s, x.X)
		c, err := catalog.Collation("", x.Name, e.Collation)
		if err != nil {
			panic(abort{err})
		}
		t := textType(e.chars(v), c)
		t.NotNull = v.t.NotNull
		return val{sql: e.asText(v), t: t}
	case *ast.Interval:
		fail(1064, "You have an error in your SQL syntax; INTERVAL stands alone")
	case *ast.Default:
		return e.defaultOf(s, x)
	case *ast.Values:
		if !s.excluded {
			fail(1054, "Unknown column '%s' in 'field list'", x.Name)
		}
		v := e.resolve(&scope{sources: s.sources}, &ast.Col{Name: x.Name})
		v.sql = "excluded." + catalog.QuoteName(v.col.OrgName)
		v.col = nil
		return v
	}
	unsupported("expression")
	return val{}
}

func (e *Env) userVar(name string) Value {
	v, ok := e.State.Vars[name]
	if !ok {
		return Value{Type: value.VarType(catalog.RepNull)}
	}
	return Value{v.Type, v.Value}
}

// constant compiles a value that is known.
func (e *Env) constant(v Value) val {
	if v.Value == nil {
		t := v.Type
		return val{sql: "NULL", t: t}
	}
	out := val{t: v.Type}
	switch x := v.Value.(type) {
	case int64:
		out.sql = strconv.FormatInt(x, 10)
		if x == math.MinInt64 {
			out.sql = "(-9223372036854775807-1)"
		}
	case float64:
		out.sql = e.bind(x)
	case string:
		out.sql, out.text = e.bind(x), x
	default:
		out.sql = e.bind(x)
	}
	out.lit = &ast.Lit{Kind: ast.LitString, Text: out.text}
	return out
}

func (e *Env) literal(l *ast.Lit) val {
	v := val{lit: l}
	switch l.Kind {
	case ast.LitNull:
		return val{sql: "NULL", t: nullType(), lit: l}
	case ast.LitBool:
		v.sql, v.t = l.Text, intType(5)
		v.t.Kind = boolType().Kind
	case ast.LitInt:
		digits := strings.TrimPrefix(l.Text, "-")
		v.t = intType(len(l.Text))
		v.t.Precision = len(digits)
		if len(digits) > 9 {
			v.t = bigType(len(l.Text))
			v.t.Precision = len(digits)
		}
		v.sql = l.Text
		if _, err := strconv.ParseInt(l.Text, 10, 64); err != nil {
			u, err := strconv.ParseUint(l.Text, 10, 64)
			if err != nil {
				return e.literal(&ast.Lit{Kind: ast.LitDecimal, Text: l.Text})
			}
			v.t.Unsigned = true
			v.sql = e.bind(value.Unsigned(u))
		} else if l.Text == "-9223372036854775808" {
			v.sql = "(-9223372036854775807-1)"
		}
	case ast.LitDecimal:
		text := l.Text
		whole, frac, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
		whole = strings.TrimLeft(whole, "0")
		if frac == "" {
			text = strings.TrimSuffix(text, ".")
		}
		v.t = decType(max(1, len(whole)+len(frac)), len(frac))
		v.sql = e.bind(text)
		v.text = text
	case ast.LitReal:
		f, err := strconv.ParseFloat(l.Text, 64)
		if err != nil {
			fail(1367, "Illegal double '%s' value found during parsing", l.Text)
		}
		v.t = realType()
		v.t.Length = len(l.Text)
		v.sql = e.bind(f)
	case ast.LitString:
		c, err := catalog.Collation(l.Charset, "", e.Collation)
		if err != nil {
			panic(abort{err})
		}
		v.t = textType(len([]rune(l.Text)), c)
		v.sql, v.text = e.bind(l.Text), l.Text
		if c == "binary" {
			v.sql = e.bind([]byte(l.Text))
		}
	case ast.LitHex:
		v.t = textType(len(l.Text), "binary")
		v.t.Expr = false
		v.t.Unsigned = true
		v.sql = e.bind([]byte(l.Text))
		v.text = l.Text
	default:
		return e.temporalLiteral(l)
	}
	v.t.NotNull = true
	return v
}

// temporalLiteral compiles DATE '…' and the like.
func (e *Env) temporalLiteral(l *ast.Lit) val {
	digits := 0
	if i := strings.LastIndexByte(l.Text, '.'); i >= 0 {
		digits = min(6, len(l.Text)-i-1)
	}
	t, name := dateType(), "DATE"
	switch l.Kind {
	case ast.LitTime:
		t, name = timeType(digits), "TIME"
	case ast.LitTimestamp:
		t, name = datetimeType(digits), "DATETIME"
	}
	text, ok := e.temporalText(l.Text, t)
	if !ok {
		fail(1525, "Incorrect %s value: '%s'", name, l.Text)
	}
	t.NotNull = true
	return val{sql: e.bind(text), t: t, lit: l, text: text}
}

// temporalText converts a text to the form in which t is held.
func (e *Env) temporalText(s string, t Type) (string, bool) {
	st := store.Store{Type: t, From: catalog.RepText}
	v, err := (&store.State{Now: e.Now}).Convert(&st, s)
	if err != nil {
		return "", false
	}
	text, ok := v.(string)
	return text, ok
}

func (e *Env) unary(s *scope, x *ast.Unary) val {
	v := e.single(s, x.X)
	switch x.Op {
	case "NOT":
		t := boolType()
		t.NotNull = v.t.NotNull
		return val{sql: "NOT (" + e.asBool(v) + ")", t: t}
	case "~":
		t := bigType(21)
		t.Unsigned, t.NotNull = true, v.t.NotNull
		return val{sql: "wl_bits('~', " + e.asInt(v) + ", 0)", t: t}
	case "BINARY":
		t := textType(e.chars(v), "binary")
		t.Length = v.t.Length
		return val{sql: e.asBytes(v), t: t}
	}
	t := v.t
	t.Expr, t.Unsigned, t.Values = true, false, nil
	switch e.numeric(v).Rep() {
	case catalog.RepInt:
		prec := v.t.Precision
		t = intType(prec + 1)
		t.Precision = prec
		t.NotNull = v.t.NotNull
		return val{sql: "wl_int('-', 0, " + e.asInt(v) + ", 0, '-')", t: t}
	case catalog.RepDec:
		t.NotNull = v.t.NotNull
		return val{sql: "wl_neg_dec(" + e.asDec(v) + ")", t: t}
	}
	t = realType()
	t.NotNull = v.t.NotNull
	return val{sql: "-(" + e.asReal(v) + ")", t: t}
}

// single compiles an expression that may not be a row.
func (e *Env) single(s *scope, x ast.Expr) val {
	v := e.expr(s, x)
	if v.list != nil {
		fail(1241, "Operand should contain 1 column(s)")
	}
	return v
}

func (e *Env) caseOf(s *scope, c *ast.Case) val {
	var results []val
	var conds []string
	var operand val
	if c.X != nil {
		operand = e.single(s, c.X)
	}
	for _, w := range c.Whens {
		cond := e.single(s, w.Cond)
		if c.X != nil {
			conds = append(conds, e.compare("=", operand, cond).sql)
		} else {
			conds = append(conds, e.asBool(cond))
		}
		results = append(results, e.single(s, w.Then))
	}
	otherwise := val{sql: "NULL", t: nullType()}
	if c.Else != nil {
		otherwise = e.single(s, c.Else)
	}
	results = append(results, otherwise)
	t := e.merge(results)
	var b strings.Builder
	b.WriteString("CASE")
	for i, cond := range conds {
		b.WriteString(" WHEN " + cond + " THEN " + e.convert(results[i], t).sql)
	}
	b.WriteString(" ELSE " + e.convert(otherwise, t).sql + " END")
	return val{sql: b.String(), t: t}
}

// merge returns the type that holds the values of all of list: of CASE, IF,
// COALESCE and UNION.
func (e *Env) merge(list []val) Type {
	var t Type
	first, notNull := true, true
	for _, v := range list {
		if v.rep() == catalog.RepNull {
			notNull = false
			continue
		}
		notNull = notNull && v.t.NotNull
		if first {
			t, first = v.t, false
			continue
		}
		t = e.merge2(t, v.t)
	}
	if first {
		return nullType()
	}
	t.NotNull, t.Expr = notNull, true
	return t
}

func (e *Env) merge2(a, b Type) Type {
	ra, rb := a.Rep(), b.Rep()
	switch {
	case a.Kind == b.Kind && ra == rb && len(a.Values) == 0:
		t := a
		t.Length, t.Decimals = max(a.Length, b.Length), max(a.Decimals, b.Decimals)
		t.Precision = max(a.Precision-a.Decimals, b.Precision-b.Decimals) + t.Decimals
		t.Unsigned = a.Unsigned && b.Unsigned
		if ra == catalog.RepDec {
			t.Length = decType(t.Precision, t.Decimals).Length
		}
		t.Collation = e.mergeCollation(a, b)
		return t
	case a.Numeric() && b.Numeric():
		if ra == catalog.RepReal || rb == catalog.RepReal {
			return realType()
		}
		if ra == catalog.RepDec || rb == catalog.RepDec {
			scale := max(a.Decimals, b.Decimals)
			return decType(max(a.Precision-a.Decimals, b.Precision-b.Decimals)+scale, scale)
		}
		t := a
		if b.Length > a.Length {
			t = b
		}
		if intRank(b) > intRank(a) {
			t.Kind = b.Kind
		} else {
			t.Kind = a.Kind
		}
		t.Precision, t.Length, t.Unsigned = max(a.Precision, b.Precision), max(a.Length, b.Length), a.Unsigned && b.Unsigned
		if a.Unsigned != b.Unsigned && max(a.Precision, b.Precision) >= 19 {
			return decType(20, 0)
		}
		return t
	case a.Temporal() && b.Temporal():
		if ra == catalog.RepTime && rb == catalog.RepTime {
			return timeType(max(a.Decimals, b.Decimals))
		}
		return datetimeType(max(a.Decimals, b.Decimals))
	case ra == catalog.RepBytes || rb == catalog.RepBytes:
		return textType(max(a.Length, b.Length), "binary")
	}
	t := textType(max(typeChars(a), typeChars(b)), e.mergeCollation(a, b))
	if a.Blob() && a.Rep() == catalog.RepText && t.Length == a.Length {
		t.Kind = a.Kind
	}
	return t
}

// intRank orders the integer types by size.
func intRank(t Type) int {
	switch t.Precision {
	case 0:
		return 0
	}
	return map[string]int{"MYSQL_TYPE_TINY": 1, "MYSQL_TYPE_SHORT": 2, "MYSQL_TYPE_YEAR": 2, "MYSQL_TYPE_INT24": 3, "MYSQL_TYPE_LONG": 4, "MYSQL_TYPE_LONGLONG": 5}[t.Kind.String()]
}

func (e *Env) mergeCollation(a, b Type) string {
	ca, cb := a.Collation, b.Collation
	switch {
	case a.Rep() != catalog.RepText:
		if b.Rep() != catalog.RepText {
			if ca == "binary" && cb == "binary" {
				return ca
			}
			return e.Collation
		}
		return cb
	case b.Rep() != catalog.RepText:
		return ca
	case strings.HasSuffix(cb, "_bin"):
		return cb
	}
	return ca
}

// typeChars is how many characters values of t have as a text.
func typeChars(t Type) int { return t.Length }

func (e *Env) chars(v val) int { return typeChars(v.t) }

// convert brings v to the form in which t is held.
func (e *Env) convert(v val, t Type) val {
	from, to := v.rep(), t.Rep()
	if from == catalog.RepNull {
		return val{sql: "NULL", t: t}
	}
	if v.sql == "NULL" {
		return val{sql: "NULL", t: t}
	}
	out := val{sql: v.sql, t: t, text: v.text}
	switch to {
	case catalog.RepInt:
		if from != to {
			out.sql = e.asInt(v)
		}
	case catalog.RepReal:
		out.sql = e.asReal(v)
	case catalog.RepDec:
		if from != to || v.t.Decimals != t.Decimals {
			out.sql = "wl_todec(" + e.asDec(v) + ", " + itoa(t.Decimals) + ")"
		}
	case catalog.RepText:
		out.sql = e.asText(v)
		if from == catalog.RepBytes {
			out.sql = "CAST(" + v.sql + " AS TEXT)"
		}
	case catalog.RepBytes:
		out.sql = e.asBytes(v)
	case catalog.RepDate:
		out.sql = e.asDate(v)
	case catalog.RepDatetime:
		out.sql = e.asDatetime(v, t.Decimals)
	case catalog.RepTime:
		out.sql = e.asTime(v, t.Decimals)
	}
	return out
}

func (e *Env) is(s *scope, x *ast.Is) val {
	v := e.single(s, x.X)
	t := boolType()
	t.NotNull = true
	not := ""
	if x.Not {
		not = "NOT "
	}
	switch x.What {
	case "NULL", "UNKNOWN":
		return val{sql: "(" + v.sql + ") IS " + not + "NULL", t: t}
	}
	return val{sql: "((" + e.asBool(v) + ") IS " + not + x.What + ")", t: t}
}

// scalar compiles a query that stands for a value.
func (e *Env) scalar(s *scope, sub *ast.Select) val {
	q := e.Query(e, s, sub, nil)
	if len(q.cols) != 1 {
		var list []val
		for range q.cols {
			list = append(list, val{})
		}
		return val{sql: "(" + q.sql + ")", list: list, t: nullType()}
	}
	t := materialized(q.cols[0].Type)
	t.NotNull, t.Expr = false, true
	if q.one {
		return val{sql: "(" + q.sql + ")", t: t}
	}
	// One more row than is allowed is enough to know that there are too many.
	return val{sql: "(SELECT CASE WHEN wl_one_row(count(*)) THEN max(" + outName(0) + ") END FROM (SELECT * FROM (" + q.sql + ") LIMIT 2))", t: t}
}

func (e *Env) quantified(s *scope, x *ast.Quantified) val {
	if x.Op == "=" && !x.All {
		return e.inList(s, &ast.In{X: x.X, Sub: x.Sub})
	}
	if x.Op == "<>" && x.All {
		return e.inList(s, &ast.In{X: x.X, Sub: x.Sub, Not: true})
	}
	v := e.single(s, x.X)
	q := e.Query(e, s, x.Sub, nil)
	if len(q.cols) != 1 {
		fail(1241, "Operand should contain 1 column(s)")
	}
	c := e.compare(x.Op, v, val{sql: outName(0), t: materialized(q.cols[0].Type)})
	// ANY is true if one is, ALL false if one is not; NULL otherwise if one is.
	agg, empty := "max", "0"
	if x.All {
		agg, empty = "min", "1"
	}
	sql := "(SELECT CASE WHEN count(*) = 0 THEN " + empty + " WHEN " + agg + "(w) = " + map[bool]string{false: "1", true: "0"}[x.All] +
		" THEN " + map[bool]string{false: "1", true: "0"}[x.All] + " WHEN count(w) < count(*) THEN NULL ELSE " + empty + " END FROM (SELECT " + c.sql + " AS w FROM (" + q.sql + ")))"
	return val{sql: sql, t: boolType()}
}

func (e *Env) defaultOf(s *scope, x *ast.Default) val {
	if x.Name == "" {
		fail(1064, "You have an error in your SQL syntax; DEFAULT stands alone")
	}
	v := e.resolve(s, &ast.Col{Name: x.Name})
	for _, src := range s.sources {
		if src.table == nil {
			continue
		}
		if c := src.table.Column(x.Name); c != nil {
			return e.columnDefault(c, v.t)
		}
	}
	return v
}

// columnDefault is the default of a column as a value.
func (e *Env) columnDefault(c *catalog.Column, t Type) val {
	switch {
	case strings.HasPrefix(c.DefExpr, "current_timestamp"):
		return val{sql: e.bind(e.now(t.Decimals)), t: datetimeType(t.Decimals)}
	case !c.HasDef && c.NotNull && !c.Auto:
		fail(1364, "Field '%s' doesn't have a default value", c.Name)
	case c.Default == nil:
		return val{sql: "NULL", t: nullType()}
	}
	var v driver.Value = *c.Default
	if t.Rep() == catalog.RepInt && t.Kind != 16 {
		if n, err := strconv.ParseInt(*c.Default, 10, 64); err == nil {
			v = n
			return val{sql: e.bind(v), t: t}
		}
	}
	return val{sql: e.bind(v), t: textType(len(*c.Default), e.Collation)}
}

// now is the time of the statement with so many digits of a second.
func (e *Env) now(digits int) string {
	const layout = "2006-01-02 15:04:05.000000"
	n := 19
	if digits > 0 {
		n = 20 + digits
	}
	return e.Now.Format(layout)[:n]
}
