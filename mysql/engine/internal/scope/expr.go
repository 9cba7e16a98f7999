package scope

import (
	"database/sql/driver"
	"math"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// maxExpr bounds the text of an expression: some operators write an operand
// twice, and that may nest.
const maxExpr = 4 << 20

// Expr compiles an expression.
func (e *Env) Expr(s *Scope, x ast.Expr) Val {
	v := e.compile(s, x)
	if len(v.SQL) > maxExpr {
		if _, ok := x.(*ast.Lit); !ok {
			Unsupported("an expression as large as this one")
		}
	}
	return v
}

func (e *Env) compile(s *Scope, x ast.Expr) Val {
	switch x := x.(type) {
	case *ast.Lit:
		return e.literal(x)
	case *ast.Col:
		return e.Resolve(s, x)
	case *ast.Param:
		if e.Params == nil {
			return Val{SQL: "NULL", T: TextType(0, e.Collation)}
		}
		return e.Constant(e.Params[x.N])
	case *ast.UserVar:
		v := e.userVar(x.Name)
		if e.assigned != nil {
			if v.Value == nil && e.assigned[x.Name] {
				v.Type.Collation = e.Collation
			}
			return Val{SQL: "wl_getvar(" + e.Bind(x.Name) + ")", T: v.Type}
		}
		return e.Constant(v)
	case *ast.SysVar:
		v, err := e.SysVar(x.Scope, x.Name)
		if err != nil {
			panic(Abort{err})
		}
		return e.Constant(v)
	case *ast.SetVar:
		if e.assigned == nil {
			e.assigned = map[string]bool{}
		}
		e.assigned[x.Name] = true
		v := e.Expr(s, x.X)
		return Val{SQL: "wl_setvar(" + e.Bind(x.Name) + ", " + v.SQL + ", " + Itoa(int(v.Rep())) + ")", T: v.T}
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
		t := BoolType()
		t.NotNull = true
		return Val{SQL: "EXISTS (" + q.SQL + ")", T: t}
	case *ast.Subquery:
		return e.scalar(s, x.Sub)
	case *ast.Quantified:
		return e.quantified(s, x)
	case *ast.Row:
		var list []Val
		for _, y := range x.List {
			list = append(list, e.Expr(s, y))
		}
		return Val{List: list, SQL: "NULL", T: nullType()}
	case *ast.Cast:
		return e.cast(s, x)
	case *ast.Using:
		v := e.Expr(s, x.X)
		c, err := catalog.Collation(x.Charset, "", e.Collation)
		if err != nil {
			panic(Abort{err})
		}
		if c == "binary" {
			return Val{SQL: e.AsBytes(v), T: TextType(v.T.Length, "binary")}
		}
		return Val{SQL: "CAST(" + e.AsText(v) + " AS TEXT)", T: TextType(e.Chars(v), c)}
	case *ast.Collate:
		v := e.Expr(s, x.X)
		c, err := catalog.Collation("", x.Name, e.Collation)
		if err != nil {
			panic(Abort{err})
		}
		t := TextType(e.Chars(v), c)
		t.NotNull = v.T.NotNull
		return Val{SQL: e.AsText(v), T: t}
	case *ast.Interval:
		Fail(1064, "You have an error in your SQL syntax; INTERVAL stands alone")
	case *ast.Default:
		return e.defaultOf(s, x)
	case *ast.Values:
		if !s.Excluded {
			Fail(1054, "Unknown column '%s' in 'field list'", x.Name)
		}
		v := e.Resolve(&Scope{Sources: s.Sources}, &ast.Col{Name: x.Name})
		v.SQL = "excluded." + catalog.QuoteName(v.Col.OrgName)
		v.Col = nil
		return v
	}
	Unsupported("expression")
	return Val{}
}

func (e *Env) userVar(name string) Value {
	v, ok := e.State.Vars[name]
	if !ok {
		return Value{Type: value.VarType(catalog.RepNull)}
	}
	return Value{v.Type, v.Value}
}

// Constant compiles a value that is known.
func (e *Env) Constant(v Value) Val {
	if v.Value == nil {
		t := v.Type
		return Val{SQL: "NULL", T: t}
	}
	out := Val{T: v.Type}
	switch x := v.Value.(type) {
	case int64:
		out.SQL = strconv.FormatInt(x, 10)
		if x == math.MinInt64 {
			out.SQL = "(-9223372036854775807-1)"
		}
	case float64:
		out.SQL = e.Bind(x)
	case string:
		out.SQL, out.Text = e.Bind(x), x
	default:
		out.SQL = e.Bind(x)
	}
	out.Lit = &ast.Lit{Kind: ast.LitString, Text: out.Text}
	return out
}

func (e *Env) literal(l *ast.Lit) Val {
	v := Val{Lit: l}
	switch l.Kind {
	case ast.LitNull:
		return Val{SQL: "NULL", T: nullType(), Lit: l}
	case ast.LitBool:
		v.SQL, v.T = l.Text, IntType(5)
		v.T.Kind = BoolType().Kind
	case ast.LitInt:
		digits := strings.TrimPrefix(l.Text, "-")
		v.T = IntType(len(l.Text))
		v.T.Precision = len(digits)
		if len(digits) > 9 {
			v.T = BigType(len(l.Text))
			v.T.Precision = len(digits)
		}
		v.SQL = l.Text
		if _, err := strconv.ParseInt(l.Text, 10, 64); err != nil {
			u, err := strconv.ParseUint(l.Text, 10, 64)
			if err != nil {
				return e.literal(&ast.Lit{Kind: ast.LitDecimal, Text: l.Text})
			}
			v.T.Unsigned = true
			v.SQL = e.Bind(value.Unsigned(u))
		} else if l.Text == "-9223372036854775808" {
			v.SQL = "(-9223372036854775807-1)"
		}
	case ast.LitDecimal:
		text := l.Text
		whole, frac, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
		whole = strings.TrimLeft(whole, "0")
		if frac == "" {
			text = strings.TrimSuffix(text, ".")
		}
		v.T = DecType(max(1, len(whole)+len(frac)), len(frac))
		v.SQL = e.Bind(text)
		v.Text = text
	case ast.LitReal:
		f, err := strconv.ParseFloat(l.Text, 64)
		if err != nil {
			Fail(1367, "Illegal double '%s' value found during parsing", l.Text)
		}
		v.T = RealType()
		v.T.Length = len(l.Text)
		v.SQL = e.Bind(f)
	case ast.LitString:
		c, err := catalog.Collation(l.Charset, "", e.Collation)
		if err != nil {
			panic(Abort{err})
		}
		v.T = TextType(len([]rune(l.Text)), c)
		v.SQL, v.Text = e.Bind(l.Text), l.Text
		if c == "binary" {
			v.SQL = e.Bind([]byte(l.Text))
		}
	case ast.LitHex:
		v.T = TextType(len(l.Text), "binary")
		v.T.Expr = false
		v.T.Unsigned = true
		v.SQL = e.Bind([]byte(l.Text))
		v.Text = l.Text
	default:
		return e.temporalLiteral(l)
	}
	v.T.NotNull = true
	return v
}

// temporalLiteral compiles DATE '…' and the like.
func (e *Env) temporalLiteral(l *ast.Lit) Val {
	digits := 0
	if i := strings.LastIndexByte(l.Text, '.'); i >= 0 {
		digits = min(6, len(l.Text)-i-1)
	}
	t, name := DateType(), "DATE"
	switch l.Kind {
	case ast.LitTime:
		t, name = TimeType(digits), "TIME"
	case ast.LitTimestamp:
		t, name = DatetimeType(digits), "DATETIME"
	}
	text, ok := e.temporalText(l.Text, t)
	if !ok {
		Fail(1525, "Incorrect %s value: '%s'", name, l.Text)
	}
	t.NotNull = true
	return Val{SQL: e.Bind(text), T: t, Lit: l, Text: text}
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

func (e *Env) unary(s *Scope, x *ast.Unary) Val {
	v := e.Single(s, x.X)
	switch x.Op {
	case "NOT":
		t := BoolType()
		t.NotNull = v.T.NotNull
		return Val{SQL: "NOT (" + e.AsBool(v) + ")", T: t}
	case "~":
		t := BigType(21)
		t.Unsigned, t.NotNull = true, v.T.NotNull
		return Val{SQL: "wl_bits('~', " + e.AsInt(v) + ", 0)", T: t}
	case "BINARY":
		t := TextType(e.Chars(v), "binary")
		t.Length = v.T.Length
		return Val{SQL: e.AsBytes(v), T: t}
	}
	t := v.T
	t.Expr, t.Unsigned, t.Values = true, false, nil
	switch e.Numeric(v).Rep() {
	case catalog.RepInt:
		prec := v.T.Precision
		t = IntType(prec + 1)
		t.Precision = prec
		t.NotNull = v.T.NotNull
		return Val{SQL: "wl_int('-', 0, " + e.AsInt(v) + ", 0, '-')", T: t}
	case catalog.RepDec:
		t.NotNull = v.T.NotNull
		return Val{SQL: "wl_neg_dec(" + e.AsDec(v) + ")", T: t}
	}
	t = RealType()
	t.NotNull = v.T.NotNull
	return Val{SQL: "-(" + e.AsReal(v) + ")", T: t}
}

// Single compiles an expression that may not be a row.
func (e *Env) Single(s *Scope, x ast.Expr) Val {
	v := e.Expr(s, x)
	if v.List != nil {
		Fail(1241, "Operand should contain 1 column(s)")
	}
	return v
}

func (e *Env) caseOf(s *Scope, c *ast.Case) Val {
	var results []Val
	var conds []string
	var operand Val
	if c.X != nil {
		operand = e.Single(s, c.X)
	}
	for _, w := range c.Whens {
		cond := e.Single(s, w.Cond)
		if c.X != nil {
			conds = append(conds, e.Compare("=", operand, cond).SQL)
		} else {
			conds = append(conds, e.AsBool(cond))
		}
		results = append(results, e.Single(s, w.Then))
	}
	otherwise := Val{SQL: "NULL", T: nullType()}
	if c.Else != nil {
		otherwise = e.Single(s, c.Else)
	}
	results = append(results, otherwise)
	t := e.Merge(results)
	var b strings.Builder
	b.WriteString("CASE")
	for i, cond := range conds {
		b.WriteString(" WHEN " + cond + " THEN " + e.Convert(results[i], t).SQL)
	}
	b.WriteString(" ELSE " + e.Convert(otherwise, t).SQL + " END")
	return Val{SQL: b.String(), T: t}
}

func (e *Env) is(s *Scope, x *ast.Is) Val {
	v := e.Single(s, x.X)
	t := BoolType()
	t.NotNull = true
	not := ""
	if x.Not {
		not = "NOT "
	}
	switch x.What {
	case "NULL", "UNKNOWN":
		return Val{SQL: "(" + v.SQL + ") IS " + not + "NULL", T: t}
	}
	return Val{SQL: "((" + e.AsBool(v) + ") IS " + not + x.What + ")", T: t}
}

// scalar compiles a query that stands for a value.
func (e *Env) scalar(s *Scope, sub *ast.Select) Val {
	q := e.Query(e, s, sub, nil)
	if len(q.Cols) != 1 {
		var list []Val
		for range q.Cols {
			list = append(list, Val{})
		}
		return Val{SQL: "(" + q.SQL + ")", List: list, T: nullType()}
	}
	t := Materialized(q.Cols[0].Type)
	t.NotNull, t.Expr = false, true
	if q.One {
		return Val{SQL: "(" + q.SQL + ")", T: t}
	}
	// One more row than is allowed is enough to know that there are too many.
	return Val{SQL: "(SELECT CASE WHEN wl_one_row(count(*)) THEN max(" + OutName(0) + ") END FROM (SELECT * FROM (" + q.SQL + ") LIMIT 2))", T: t}
}

func (e *Env) quantified(s *Scope, x *ast.Quantified) Val {
	if x.Op == "=" && !x.All {
		return e.inList(s, &ast.In{X: x.X, Sub: x.Sub})
	}
	if x.Op == "<>" && x.All {
		return e.inList(s, &ast.In{X: x.X, Sub: x.Sub, Not: true})
	}
	v := e.Single(s, x.X)
	q := e.Query(e, s, x.Sub, nil)
	if len(q.Cols) != 1 {
		Fail(1241, "Operand should contain 1 column(s)")
	}
	c := e.Compare(x.Op, v, Val{SQL: OutName(0), T: Materialized(q.Cols[0].Type)})
	// ANY is true if one is, ALL false if one is not; NULL otherwise if one is.
	agg, empty := "max", "0"
	if x.All {
		agg, empty = "min", "1"
	}
	sql := "(SELECT CASE WHEN count(*) = 0 THEN " + empty + " WHEN " + agg + "(w) = " + map[bool]string{false: "1", true: "0"}[x.All] +
		" THEN " + map[bool]string{false: "1", true: "0"}[x.All] + " WHEN count(w) < count(*) THEN NULL ELSE " + empty + " END FROM (SELECT " + c.SQL + " AS w FROM (" + q.SQL + ")))"
	return Val{SQL: sql, T: BoolType()}
}

func (e *Env) defaultOf(s *Scope, x *ast.Default) Val {
	if x.Name == "" {
		Fail(1064, "You have an error in your SQL syntax; DEFAULT stands alone")
	}
	v := e.Resolve(s, &ast.Col{Name: x.Name})
	for _, src := range s.Sources {
		if src.Table == nil {
			continue
		}
		if c := src.Table.Column(x.Name); c != nil {
			return e.ColumnDefault(c, v.T)
		}
	}
	return v
}

// ColumnDefault is the default of a column as a value.
func (e *Env) ColumnDefault(c *catalog.Column, t Type) Val {
	switch {
	case strings.HasPrefix(c.DefExpr, "current_timestamp"):
		return Val{SQL: e.Bind(e.NowText(t.Decimals)), T: DatetimeType(t.Decimals)}
	case !c.HasDef && c.NotNull && !c.Auto:
		Fail(1364, "Field '%s' doesn't have a default value", c.Name)
	case c.Default == nil:
		return Val{SQL: "NULL", T: nullType()}
	}
	var v driver.Value = *c.Default
	if t.Rep() == catalog.RepInt && t.Kind != 16 {
		if n, err := strconv.ParseInt(*c.Default, 10, 64); err == nil {
			v = n
			return Val{SQL: e.Bind(v), T: t}
		}
	}
	return Val{SQL: e.Bind(v), T: TextType(len(*c.Default), e.Collation)}
}

// NowText is the time of the statement with so many digits of a second.
func (e *Env) NowText(digits int) string {
	const layout = "2006-01-02 15:04:05.000000"
	n := 19
	if digits > 0 {
		n = 20 + digits
	}
	return e.Now.Format(layout)[:n]
}
