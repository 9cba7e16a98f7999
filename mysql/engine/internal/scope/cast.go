package scope

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// DateAdd compiles date ± INTERVAL x unit.
func (e *Env) DateAdd(s *Scope, x ast.Expr, iv *ast.Interval, minus bool) Val {
	v, n := e.Single(s, x), e.Single(s, iv.X)
	sign := "1"
	if minus {
		sign = "-1"
	}
	clock := strings.Contains(iv.Unit, "SECOND") || strings.Contains(iv.Unit, "MINUTE") || strings.Contains(iv.Unit, "HOUR")
	fraction := 0
	if strings.Contains(iv.Unit, "MICROSECOND") {
		fraction = 6
	} else if iv.Unit == "SECOND" {
		fraction = min(6, n.T.Decimals)
		if n.Rep() == catalog.RepReal || n.Rep() == catalog.RepText {
			fraction = 0
		}
	}
	var t Type
	var digits int
	switch v.Rep() {
	case catalog.RepDate:
		t, digits = DateType(), -1
		if clock {
			t, digits = DatetimeType(fraction), fraction
		}
	case catalog.RepDatetime:
		digits = max(v.T.Decimals, fraction)
		t = DatetimeType(digits)
	case catalog.RepTime:
		d := max(v.T.Decimals, fraction)
		t, digits = TimeType(d), -10-d
	default:
		t, digits = TextType(19, e.Collation), -2
		if fraction > 0 {
			t = TextType(26, e.Collation)
		}
		t.Kind = mysql.TypeString
	}
	amount := e.AsText(n)
	if n.T.Numeric() {
		amount = n.SQL
	}
	return Val{SQL: "wl_date_add(" + e.AsText(v) + ", " + amount + ", '" + iv.Unit + "', " + sign + ", " + Itoa(digits) + ")", T: t}
}

// cast compiles CAST.
func (e *Env) cast(s *Scope, c *ast.Cast) Val {
	v := e.Single(s, c.X)
	switch c.Type.Name {
	case "SIGNED", "UNSIGNED":
		un := "0"
		n := min(21, max(1, e.Chars(v)))
		if v.T.Numeric() && v.Rep() == catalog.RepInt {
			n = v.T.Length
		} else {
			n++
		}
		t := IntType(n)
		t.Precision = min(n, 20)
		if n-1 > 9 || v.Rep() != catalog.RepInt && n > 9 {
			t.Kind = BigType(1).Kind
		}
		if c.Type.Name == "UNSIGNED" {
			un = "1"
			if !v.T.Unsigned {
				t = BigType(20)
			}
			t.Unsigned = true
			if t.Length < 10 && v.Rep() != catalog.RepInt {
				t.Length = n
			}
		}
		t.NotNull = v.T.NotNull
		switch v.Rep() {
		case catalog.RepInt:
			if un == "0" && !Big(v.T) {
				return Val{SQL: v.SQL, T: t}
			}
			return Val{SQL: "wl_castint(" + v.SQL + ", " + un + ", 1)", T: t}
		case catalog.RepDec, catalog.RepReal:
			return Val{SQL: "wl_castint(" + v.SQL + ", " + un + ", 1)", T: t}
		case catalog.RepText, catalog.RepBytes:
			if len(v.T.Values) == 0 && !(v.Lit != nil && v.Rep() == catalog.RepBytes) {
				return Val{SQL: "wl_castint(CAST(" + v.SQL + " AS TEXT), " + un + ", 0)", T: t}
			}
		}
		return Val{SQL: "wl_castint(" + e.AsInt(v) + ", " + un + ", 1)", T: t}
	}
	t, err := catalog.FromName(castName(c.Type, v), e.Collation)
	if err != nil {
		panic(Abort{err})
	}
	t.Expr = true
	out := e.Convert(v, t)
	switch {
	case t.Rep() == catalog.RepDec:
		out.SQL = "wl_castdec(" + e.AsDec(v) + ", " + Itoa(t.Precision) + ", " + Itoa(t.Decimals) + ")"
		out.T.NotNull = v.T.NotNull
	case t.Rep() == catalog.RepText || t.Rep() == catalog.RepBytes:
		if t.Rep() == catalog.RepText && t.Collation == "" {
			t.Collation = e.Collation
		}
		out.T = TextType(t.Length, t.Collation)
		out.T.JSON = t.JSON
		out.T.NotNull = v.T.NotNull
		if len(c.Type.Args) > 0 {
			out.SQL = "wl_left(" + out.SQL + ", " + Itoa(c.Type.Args[0]) + ")"
		}
	case t.Rep() == catalog.RepReal:
		out.T.NotNull = v.T.NotNull
	}
	out.Text, out.Lit, out.Col = "", nil, nil
	return out
}

// castName gives CHAR and BINARY without a length that of the value.
func castName(n ast.TypeName, v Val) ast.TypeName {
	switch n.Name {
	case "CHAR", "BINARY", "VARCHAR", "VARBINARY":
		n.Name = map[string]string{"CHAR": "VARCHAR", "BINARY": "VARBINARY", "VARCHAR": "VARCHAR", "VARBINARY": "VARBINARY"}[n.Name]
		if len(n.Args) == 0 {
			n.Args = []int{v.T.Length}
		}
	case "DECIMAL":
		if len(n.Args) == 0 {
			n.Args = []int{10, 0}
		}
	}
	return n
}
