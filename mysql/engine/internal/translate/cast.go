package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// dateAdd compiles date ± INTERVAL x unit.
func (e *Env) dateAdd(s *scope, x ast.Expr, iv *ast.Interval, minus bool) val {
	v, n := e.single(s, x), e.single(s, iv.X)
	sign := "1"
	if minus {
		sign = "-1"
	}
	clock := strings.Contains(iv.Unit, "SECOND") || strings.Contains(iv.Unit, "MINUTE") || strings.Contains(iv.Unit, "HOUR")
	fraction := 0
	if strings.Contains(iv.Unit, "MICROSECOND") {
		fraction = 6
	} else if iv.Unit == "SECOND" {
		fraction = min(6, n.t.Decimals)
		if n.rep() == catalog.RepReal || n.rep() == catalog.RepText {
			fraction = 0
		}
	}
	var t Type
	digits := 0
	switch v.rep() {
	case catalog.RepDate:
		t, digits = dateType(), -1
		if clock {
			t, digits = datetimeType(fraction), fraction
		}
	case catalog.RepDatetime:
		digits = max(v.t.Decimals, fraction)
		t = datetimeType(digits)
	case catalog.RepTime:
		d := max(v.t.Decimals, fraction)
		t, digits = timeType(d), -10-d
	default:
		t, digits = textType(19, e.Collation), -2
		if fraction > 0 {
			t = textType(26, e.Collation)
		}
		t.Kind = mysql.TypeString
	}
	amount := e.asText(n)
	if n.t.Numeric() {
		amount = n.sql
	}
	return val{sql: "wl_date_add(" + e.asText(v) + ", " + amount + ", '" + iv.Unit + "', " + sign + ", " + itoa(digits) + ")", t: t}
}

// cast compiles CAST.
func (e *Env) cast(s *scope, c *ast.Cast) val {
	v := e.single(s, c.X)
	switch c.Type.Name {
	case "SIGNED", "UNSIGNED":
		un := "0"
		n := min(21, max(1, e.chars(v)))
		if v.t.Numeric() && v.rep() == catalog.RepInt {
			n = v.t.Length
		} else {
			n++
		}
		t := intType(n)
		t.Precision = min(n, 20)
		if n-1 > 9 || v.rep() != catalog.RepInt && n > 9 {
			t.Kind = bigType(1).Kind
		}
		if c.Type.Name == "UNSIGNED" {
			un = "1"
			if v.t.Numeric() && !v.t.Unsigned {
				t = bigType(20)
			}
			t.Unsigned = true
			if t.Length < 10 && v.rep() != catalog.RepInt {
				t.Length = n
			}
		}
		t.NotNull = v.t.NotNull
		switch v.rep() {
		case catalog.RepInt:
			if un == "0" && !big(v.t) {
				return val{sql: v.sql, t: t}
			}
			return val{sql: "wl_castint(" + v.sql + ", " + un + ", 1)", t: t}
		case catalog.RepDec, catalog.RepReal:
			return val{sql: "wl_castint(" + v.sql + ", " + un + ", 1)", t: t}
		case catalog.RepText, catalog.RepBytes:
			if len(v.t.Values) == 0 && !(v.lit != nil && v.rep() == catalog.RepBytes) {
				return val{sql: "wl_castint(CAST(" + v.sql + " AS TEXT), " + un + ", 0)", t: t}
			}
		}
		return val{sql: "wl_castint(" + e.asInt(v) + ", " + un + ", 1)", t: t}
	}
	t, err := catalog.FromName(castName(c.Type, v), e.Collation)
	if err != nil {
		panic(abort{err})
	}
	t.Expr = true
	out := e.convert(v, t)
	switch {
	case t.Rep() == catalog.RepDec:
		out.sql = "wl_castdec(" + e.asDec(v) + ", " + itoa(t.Precision) + ", " + itoa(t.Decimals) + ")"
		out.t.NotNull = v.t.NotNull
	case t.Rep() == catalog.RepText || t.Rep() == catalog.RepBytes:
		if t.Rep() == catalog.RepText && t.Collation == "" {
			t.Collation = e.Collation
		}
		out.t = textType(t.Length, t.Collation)
		out.t.JSON = t.JSON
		out.t.NotNull = v.t.NotNull
		if len(c.Type.Args) > 0 {
			out.sql = "wl_left(" + out.sql + ", " + itoa(c.Type.Args[0]) + ")"
		}
	case t.Rep() == catalog.RepReal:
		out.t.NotNull = v.t.NotNull
	}
	out.text, out.lit, out.col = "", nil, nil
	return out
}

// castName gives CHAR and BINARY without a length that of the value.
func castName(n ast.TypeName, v val) ast.TypeName {
	switch n.Name {
	case "CHAR", "BINARY", "VARCHAR", "VARBINARY":
		n.Name = map[string]string{"CHAR": "VARCHAR", "BINARY": "VARBINARY", "VARCHAR": "VARCHAR", "VARBINARY": "VARBINARY"}[n.Name]
		if len(n.Args) == 0 {
			n.Args = []int{v.t.Length}
		}
	case "DECIMAL":
		if len(n.Args) == 0 {
			n.Args = []int{10, 0}
		}
	}
	return n
}
