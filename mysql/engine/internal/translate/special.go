package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
)

// special are the functions whose type or whose words in SQLite depend on
// their arguments. It is filled in by init since what it holds refers to it.
var special map[string]func(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val

func init() { special = specialFunctions() }

func specialFunctions() map[string]func(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	return map[string]func(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val{
		"IF": ifOf, "IFNULL": coalesce, "NVL": coalesce, "COALESCE": coalesce, "NULLIF": nullIf, "ISNULL": isNull,
		"GREATEST": greatest, "LEAST": greatest, "ABS": abs, "CEIL": ceil, "CEILING": ceil, "FLOOR": ceil,
		"ROUND": round, "TRUNCATE": round, "MOD": mod, "LOG": logOf, "PI": pi, "ATAN": atan,
		"TRIM": trim, "CONCAT_WS": concatWS, "LOCATE": locate, "INSTR": instr, "FIELD": field, "ELT": elt, "CHAR": char,
		"DATE": dateOf, "TIME": timeOf, "TIMESTAMP": timestamp, "DATE_FORMAT": dateFormat, "TIME_FORMAT": dateFormat,
		"STR_TO_DATE": strToDate, "DATE_ADD": addDate, "DATE_SUB": addDate, "ADDDATE": addDate, "SUBDATE": addDate,
		"TIMESTAMPADD": addDate, "TIMESTAMPDIFF": timestampDiff, "TIMEDIFF": timeDiff, "ADDTIME": addTime, "SUBTIME": addTime,
		"EXTRACT": extract, "WEEK": week, "WEEKOFYEAR": week, "YEARWEEK": week, "UNIX_TIMESTAMP": unixTimestamp,
		"FROM_UNIXTIME": fromUnixtime, "SEC_TO_TIME": secToTime, "LAST_INSERT_ID": lastInsertID, "JSON_EXTRACT": jsonExtract,
		"JSON_VALUE": jsonExtract, "JSON_OBJECT": jsonMake, "JSON_ARRAY": jsonMake, "JSON_SET": jsonChange, "JSON_INSERT": jsonChange,
		"JSON_REPLACE": jsonChange, "JSON_REMOVE": jsonChange, "CHARSET": charset, "COLLATION": charset, "REGEXP_LIKE": regexpLike,
	}
}

func ifOf(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 3, 3)
	t := e.Merge(a[1:])
	return scope.Val{SQL: "CASE WHEN " + e.AsBool(a[0]) + " THEN " + e.Convert(a[1], t).SQL + " ELSE " + e.Convert(a[2], t).SQL + " END", T: t}
}

func coalesce(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	least, most := 1, -1
	if f.Name != "COALESCE" {
		least, most = 2, 2
	}
	a := args1(e, s, f, least, most)
	t := e.Merge(a)
	list := make([]string, len(a))
	notNull := false
	for i, v := range a {
		list[i] = e.Convert(v, t).SQL
		notNull = notNull || v.T.NotNull
	}
	t.NotNull = notNull
	if len(list) == 1 {
		return scope.Val{SQL: list[0], T: t}
	}
	return scope.Val{SQL: "coalesce(" + strings.Join(list, ", ") + ")", T: t}
}

func nullIf(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	t := a[0].T
	t.NotNull, t.Expr = false, true
	return scope.Val{SQL: "CASE WHEN " + e.Compare("=", a[0], a[1]).SQL + " THEN NULL ELSE " + a[0].SQL + " END", T: t}
}

func isNull(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	t := scope.BoolType()
	t.NotNull = true
	return scope.Val{SQL: "((" + a[0].SQL + ") IS NULL)", T: t}
}

func greatest(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, -1)
	t := e.Merge(a)
	notNull := true
	list := make([]string, len(a))
	for i, v := range a {
		list[i] = e.Convert(v, t).SQL
		notNull = notNull && v.T.NotNull
		if cmp := t.Compare(); cmp != "" && i == 0 {
			list[i] = "(" + list[i] + ") COLLATE " + cmp
		}
	}
	t.NotNull = notNull
	name := map[string]string{"GREATEST": "max", "LEAST": "min"}[f.Name]
	return scope.Val{SQL: name + "(" + strings.Join(list, ", ") + ")", T: t}
}

func abs(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	t := *e.Numeric(a[0])
	t.Expr, t.NotNull = true, a[0].T.NotNull
	switch t.Rep() {
	case catalog.RepInt:
		if scope.Big(t) {
			return scope.Val{SQL: e.AsInt(a[0]), T: t}
		}
		return scope.Val{SQL: "abs(" + e.AsInt(a[0]) + ")", T: t}
	case catalog.RepDec:
		return scope.Val{SQL: "wl_abs_dec(" + e.AsDec(a[0]) + ")", T: t}
	}
	return scope.Val{SQL: "abs(" + e.AsReal(a[0]) + ")", T: t}
}

func ceil(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	t := *e.Numeric(a[0])
	t.Expr, t.NotNull = true, a[0].T.NotNull
	name := "wl_ceil"
	if f.Name == "FLOOR" {
		name = "wl_floor"
	}
	switch t.Rep() {
	case catalog.RepInt:
		return scope.Val{SQL: e.AsInt(a[0]), T: t}
	case catalog.RepDec:
		n := t.Precision - t.Decimals + 1
		if n < 18 {
			r := scope.IntType(n + 1)
			r.NotNull = t.NotNull
			r.Precision = n
			if n+1 > 9 {
				r.Kind = mysql.TypeLonglong
			}
			return scope.Val{SQL: "wl_castint(" + name + "(" + e.AsDec(a[0]) + "), 0, 1)", T: r}
		}
		r := scope.DecType(n, 0)
		r.NotNull = t.NotNull
		return scope.Val{SQL: name + "(" + e.AsDec(a[0]) + ")", T: r}
	}
	t = scope.RealType()
	t.NotNull, t.Decimals = a[0].T.NotNull, 0
	return scope.Val{SQL: name + "_real(" + e.AsReal(a[0]) + ")", T: t}
}

func round(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	least := 1
	if f.Name == "TRUNCATE" {
		least = 2
	}
	a := args1(e, s, f, least, 2)
	digits := scope.Val{SQL: "0", T: scope.IntType(1), Lit: &ast.Lit{Kind: ast.LitInt, Text: "0"}}
	digits.T.NotNull = true
	if len(a) == 2 {
		digits = a[1]
	}
	name := "wl_" + strings.ToLower(f.Name)
	in := e.Numeric(a[0])
	t := *in
	t.Expr, t.NotNull = true, a[0].T.NotNull && digits.T.NotNull
	n := number(digits, 38)
	switch t.Rep() {
	case catalog.RepInt:
		un := "0"
		if scope.Big(t) {
			un = "1"
		}
		if f.Name == "ROUND" && n < 0 {
			t.Length++
		}
		return scope.Val{SQL: name + "_int(" + e.AsInt(a[0]) + ", " + e.AsInt(digits) + ", " + un + ")", T: t}
	case catalog.RepDec:
		scale := max(0, min(n, in.Decimals))
		prec := in.Precision - in.Decimals + scale
		if f.Name == "ROUND" && scale < in.Decimals {
			prec++
		}
		r := scope.DecType(prec, scale)
		r.NotNull = t.NotNull
		return scope.Val{SQL: name + "(" + e.AsDec(a[0]) + ", " + e.AsInt(digits) + ", " + scope.Itoa(scale) + ")", T: r}
	}
	t = scope.RealType()
	t.NotNull = a[0].T.NotNull && digits.T.NotNull
	if n >= 0 && n < 31 && (digits.Lit != nil || len(a) == 1) {
		t.Decimals = n
	}
	return scope.Val{SQL: name + "_real(" + e.AsReal(a[0]) + ", " + e.AsInt(digits) + ")", T: t}
}

func mod(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	return e.Arith("%", a[0], a[1])
}

func logOf(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 2)
	if len(a) == 1 {
		return scope.Val{SQL: "wl_ln(" + e.AsReal(a[0]) + ")", T: scope.RealType()}
	}
	return scope.Val{SQL: "wl_log(" + e.AsReal(a[0]) + ", " + e.AsReal(a[1]) + ")", T: scope.RealType()}
}

func pi(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	args1(e, s, f, 0, 0)
	t := scope.RealType()
	t.NotNull, t.Decimals, t.Length = true, 6, 8
	return scope.Val{SQL: "3.141592653589793", T: t}
}

func atan(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 2)
	t := scope.RealType()
	t.NotNull = a[0].T.NotNull
	if len(a) == 1 {
		return scope.Val{SQL: "wl_atan(" + e.AsReal(a[0]) + ")", T: t}
	}
	return scope.Val{SQL: "wl_atan2(" + e.AsReal(a[0]) + ", " + e.AsReal(a[1]) + ")", T: t}
}

func trim(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	mode := f.Unit
	f2 := *f
	a := args1(e, s, &f2, 1, 2)
	what := "' '"
	if len(a) == 2 {
		what = e.AsText(a[1])
	}
	if mode == "" {
		mode = "BOTH"
	}
	t := sameText(e, a)
	t.NotNull = a[0].T.NotNull
	return scope.Val{SQL: "wl_trim(" + e.AsText(a[0]) + ", " + what + ", '" + mode + "')", T: t}
}

func concatWS(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, -1)
	t := sumText(e, a[1:])
	t = scope.TextType(t.Length+e.Chars(a[0])*(len(a)-2), t.Collation)
	t.NotNull = a[0].T.NotNull
	list := make([]string, len(a))
	for i, v := range a {
		list[i] = e.AsText(v)
	}
	return scope.Val{SQL: "wl_concat_ws(" + strings.Join(list, ", ") + ")", T: t}
}

func locate(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 3)
	from := "1"
	if len(a) == 3 {
		from = e.AsInt(a[2])
	}
	t := scope.LongType(11)
	t.NotNull = a[0].T.NotNull && a[1].T.NotNull
	return scope.Val{SQL: "wl_locate(" + e.AsText(a[0]) + ", " + e.AsText(a[1]) + ", " + from + ", '" + e.CmpOf(a[0], a[1]) + "')", T: t}
}

func instr(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	t := scope.LongType(11)
	t.NotNull = a[0].T.NotNull && a[1].T.NotNull
	return scope.Val{SQL: "wl_instr(" + e.AsText(a[0]) + ", " + e.AsText(a[1]) + ", '" + e.CmpOf(a[0], a[1]) + "')", T: t}
}

func field(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, -1)
	how, numbers := "'"+e.CmpOf(a[0], a[1])+"'", true
	for _, v := range a {
		numbers = numbers && v.T.Numeric()
	}
	if numbers {
		how = "'number'"
	}
	list := []string{how}
	for _, v := range a {
		list = append(list, e.AsText(v))
	}
	t := scope.LongType(3)
	t.NotNull = true
	return scope.Val{SQL: "wl_field(" + strings.Join(list, ", ") + ")", T: t}
}

func elt(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, -1)
	list := []string{e.AsInt(a[0])}
	n := 0
	for _, v := range a[1:] {
		list = append(list, e.AsText(v))
		n = max(n, e.Chars(v))
	}
	return scope.Val{SQL: "wl_elt(" + strings.Join(list, ", ") + ")", T: scope.TextType(n, e.Collation)}
}

func char(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, -1)
	list := make([]string, len(a))
	for i, v := range a {
		list[i] = e.AsInt(v)
	}
	sql := "wl_char(" + strings.Join(list, ", ") + ")"
	if f.Separator != "" {
		return scope.Val{SQL: "CAST(" + sql + " AS TEXT)", T: scope.TextType(4*len(a), e.Collation)}
	}
	return scope.Val{SQL: sql, T: scope.TextType(4*len(a), "binary")}
}

func regexpLike(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	return scope.Val{SQL: "wl_regexp(" + e.AsText(a[0]) + ", " + e.AsText(a[1]) + ", '" + e.CmpOf(a[0], a[1]) + "')", T: scope.BoolType()}
}

func charset(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	c := a[0].T.Collation
	if f.Name == "CHARSET" {
		c = catalog.CharsetOf(c)
	}
	t := scope.TextType(64, "utf8mb3_general_ci")
	t.NotNull = true
	return scope.Val{SQL: e.Bind(c), T: t, Text: c}
}

func lastInsertID(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 0, 1)
	t := unsignedBig()
	t.Length = 21
	if len(a) == 0 {
		v := e.Constant(scope.Value{Type: t, Value: int64(e.State.LastID)})
		v.T.NotNull = true
		return v
	}
	return scope.Val{SQL: "wl_lastid(" + e.AsInt(a[0]) + ")", T: t}
}

func jsonExtract(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	sql := "wl_json_spaces((" + e.AsText(a[0]) + ") -> " + e.AsText(a[1]) + ")"
	if f.Name == "JSON_VALUE" {
		return scope.Val{SQL: "CAST((" + e.AsText(a[0]) + ") ->> " + e.AsText(a[1]) + " AS TEXT)", T: scope.TextType(a[0].T.Length, e.Collation)}
	}
	t := scope.TextType(a[0].T.Length, e.Collation)
	t.JSON = true
	return scope.Val{SQL: sql, T: t}
}

// json is v as JSON.
func json(e *scope.Env, v scope.Val) string {
	switch {
	case v.T.JSON, v.Rep() == catalog.RepNull:
		return v.SQL
	case v.Lit != nil && v.Lit.Kind == ast.LitBool:
		return map[string]string{"1": "'true'", "0": "'false'"}[v.Lit.Text]
	case v.T.Numeric():
		return e.AsText(v)
	}
	return "wl_json_quote(" + e.AsText(v) + ")"
}

func jsonMake(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 0, -1)
	if f.Name == "JSON_OBJECT" && len(a)%2 != 0 {
		scope.Fail(1582, "Incorrect parameter count in the call to native function '%s'", f.Name)
	}
	list := make([]string, len(a))
	n := 2
	for i, v := range a {
		n += e.Chars(v)*6 + 4
		if list[i] = json(e, v); f.Name == "JSON_OBJECT" && i%2 == 0 {
			list[i] = e.AsText(v)
		}
	}
	t := scope.TextType(n, e.Collation)
	t.JSON, t.NotNull = true, true
	return scope.Val{SQL: "wl_" + strings.ToLower(f.Name) + "(" + strings.Join(list, ", ") + ")", T: t}
}

func jsonChange(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, -1)
	list := []string{e.AsText(a[0])}
	for i, v := range a[1:] {
		if f.Name == "JSON_REMOVE" || i%2 == 0 {
			list = append(list, e.AsText(v))
		} else {
			list = append(list, "json("+json(e, v)+")")
		}
	}
	t := scope.TextType(a[0].T.Length+1024, e.Collation)
	t.JSON = true
	return scope.Val{SQL: "wl_json_spaces(" + strings.ToLower(f.Name) + "(" + strings.Join(list, ", ") + "))", T: t}
}
