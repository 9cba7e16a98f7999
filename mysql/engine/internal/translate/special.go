package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// special are the functions whose type or whose words in SQLite depend on
// their arguments. It is filled in by init since what it holds refers to it.
var special map[string]func(e *Env, s *scope, f *ast.Func) val

func init() { special = specialFunctions() }

func specialFunctions() map[string]func(e *Env, s *scope, f *ast.Func) val {
	return map[string]func(e *Env, s *scope, f *ast.Func) val{
		"IF": (*Env).ifOf, "IFNULL": (*Env).coalesce, "NVL": (*Env).coalesce, "COALESCE": (*Env).coalesce, "NULLIF": (*Env).nullIf, "ISNULL": (*Env).isNull,
		"GREATEST": (*Env).greatest, "LEAST": (*Env).greatest, "ABS": (*Env).abs, "CEIL": (*Env).ceil, "CEILING": (*Env).ceil, "FLOOR": (*Env).ceil,
		"ROUND": (*Env).round, "TRUNCATE": (*Env).round, "MOD": (*Env).mod, "LOG": (*Env).log, "PI": (*Env).pi, "ATAN": (*Env).atan,
		"TRIM": (*Env).trim, "CONCAT_WS": (*Env).concatWS, "LOCATE": (*Env).locate, "INSTR": (*Env).instr, "FIELD": (*Env).field, "ELT": (*Env).elt, "CHAR": (*Env).char,
		"DATE": (*Env).date, "TIME": (*Env).time, "TIMESTAMP": (*Env).timestamp, "DATE_FORMAT": (*Env).dateFormat, "TIME_FORMAT": (*Env).dateFormat,
		"STR_TO_DATE": (*Env).strToDate, "DATE_ADD": (*Env).addDate, "DATE_SUB": (*Env).addDate, "ADDDATE": (*Env).addDate, "SUBDATE": (*Env).addDate,
		"TIMESTAMPADD": (*Env).addDate, "TIMESTAMPDIFF": (*Env).timestampDiff, "TIMEDIFF": (*Env).timeDiff, "ADDTIME": (*Env).addTime, "SUBTIME": (*Env).addTime,
		"EXTRACT": (*Env).extract, "WEEK": (*Env).week, "WEEKOFYEAR": (*Env).week, "YEARWEEK": (*Env).week, "UNIX_TIMESTAMP": (*Env).unixTimestamp,
		"FROM_UNIXTIME": (*Env).fromUnixtime, "SEC_TO_TIME": (*Env).secToTime, "LAST_INSERT_ID": (*Env).lastInsertID, "JSON_EXTRACT": (*Env).jsonExtract,
		"JSON_VALUE": (*Env).jsonExtract, "JSON_OBJECT": (*Env).jsonMake, "JSON_ARRAY": (*Env).jsonMake, "JSON_SET": (*Env).jsonChange, "JSON_INSERT": (*Env).jsonChange,
		"JSON_REPLACE": (*Env).jsonChange, "JSON_REMOVE": (*Env).jsonChange, "CHARSET": (*Env).charset, "COLLATION": (*Env).charset, "GET_LOCK": (*Env).one, "RELEASE_LOCK": (*Env).one,
		"BENCHMARK": (*Env).zero, "COERCIBILITY": (*Env).zero, "REGEXP_LIKE": (*Env).regexpLike,
	}
}

func (e *Env) ifOf(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 3, 3)
	t := e.merge(a[1:])
	return val{sql: "CASE WHEN " + e.asBool(a[0]) + " THEN " + e.convert(a[1], t).sql + " ELSE " + e.convert(a[2], t).sql + " END", t: t}
}

func (e *Env) coalesce(s *scope, f *ast.Func) val {
	least, most := 1, -1
	if f.Name != "COALESCE" {
		least, most = 2, 2
	}
	a := e.args1(s, f, least, most)
	t := e.merge(a)
	list := make([]string, len(a))
	notNull := false
	for i, v := range a {
		list[i] = e.convert(v, t).sql
		notNull = notNull || v.t.NotNull
	}
	t.NotNull = notNull
	if len(list) == 1 {
		return val{sql: list[0], t: t}
	}
	return val{sql: "coalesce(" + strings.Join(list, ", ") + ")", t: t}
}

func (e *Env) nullIf(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	t := a[0].t
	t.NotNull, t.Expr = false, true
	return val{sql: "CASE WHEN " + e.compare("=", a[0], a[1]).sql + " THEN NULL ELSE " + a[0].sql + " END", t: t}
}

func (e *Env) isNull(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	t := boolType()
	t.NotNull = true
	return val{sql: "((" + a[0].sql + ") IS NULL)", t: t}
}

func (e *Env) greatest(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, -1)
	t := e.merge(a)
	notNull := true
	list := make([]string, len(a))
	for i, v := range a {
		list[i] = e.convert(v, t).sql
		notNull = notNull && v.t.NotNull
		if cmp := t.Compare(); cmp != "" && i == 0 {
			list[i] = "(" + list[i] + ") COLLATE " + cmp
		}
	}
	t.NotNull = notNull
	name := map[string]string{"GREATEST": "max", "LEAST": "min"}[f.Name]
	return val{sql: name + "(" + strings.Join(list, ", ") + ")", t: t}
}

func (e *Env) abs(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	t := *e.numeric(a[0])
	t.Expr, t.NotNull = true, a[0].t.NotNull
	switch t.Rep() {
	case catalog.RepInt:
		if big(t) {
			return val{sql: e.asInt(a[0]), t: t}
		}
		return val{sql: "abs(" + e.asInt(a[0]) + ")", t: t}
	case catalog.RepDec:
		return val{sql: "wl_abs_dec(" + e.asDec(a[0]) + ")", t: t}
	}
	return val{sql: "abs(" + e.asReal(a[0]) + ")", t: t}
}

func (e *Env) ceil(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	t := *e.numeric(a[0])
	t.Expr, t.NotNull = true, a[0].t.NotNull
	name := "wl_ceil"
	if f.Name == "FLOOR" {
		name = "wl_floor"
	}
	switch t.Rep() {
	case catalog.RepInt:
		return val{sql: e.asInt(a[0]), t: t}
	case catalog.RepDec:
		n := t.Precision - t.Decimals + 1
		if n < 18 {
			r := intType(n + 1)
			r.NotNull = t.NotNull
			r.Precision = n
			if n+1 > 9 {
				r.Kind = mysql.TypeLonglong
			}
			return val{sql: "wl_castint(" + name + "(" + e.asDec(a[0]) + "), 0, 1)", t: r}
		}
		r := decType(n, 0)
		r.NotNull = t.NotNull
		return val{sql: name + "(" + e.asDec(a[0]) + ")", t: r}
	}
	t = realType()
	t.NotNull, t.Decimals = a[0].t.NotNull, 0
	return val{sql: name + "_real(" + e.asReal(a[0]) + ")", t: t}
}

func (e *Env) round(s *scope, f *ast.Func) val {
	least := 1
	if f.Name == "TRUNCATE" {
		least = 2
	}
	a := e.args1(s, f, least, 2)
	digits := val{sql: "0", t: intType(1), lit: &ast.Lit{Kind: ast.LitInt, Text: "0"}}
	digits.t.NotNull = true
	if len(a) == 2 {
		digits = a[1]
	}
	name := "wl_" + strings.ToLower(f.Name)
	in := e.numeric(a[0])
	t := *in
	t.Expr, t.NotNull = true, a[0].t.NotNull && digits.t.NotNull
	n := number(digits, 38)
	switch t.Rep() {
	case catalog.RepInt:
		un := "0"
		if big(t) {
			un = "1"
		}
		if f.Name == "ROUND" && n < 0 {
			t.Length++
		}
		return val{sql: name + "_int(" + e.asInt(a[0]) + ", " + e.asInt(digits) + ", " + un + ")", t: t}
	case catalog.RepDec:
		scale := max(0, min(n, in.Decimals))
		prec := in.Precision - in.Decimals + scale
		if f.Name == "ROUND" && scale < in.Decimals {
			prec++
		}
		r := decType(prec, scale)
		r.NotNull = t.NotNull
		return val{sql: name + "(" + e.asDec(a[0]) + ", " + e.asInt(digits) + ", " + itoa(scale) + ")", t: r}
	}
	t = realType()
	t.NotNull = a[0].t.NotNull && digits.t.NotNull
	if n >= 0 && n < 31 && (digits.lit != nil || len(a) == 1) {
		t.Decimals = n
	}
	return val{sql: name + "_real(" + e.asReal(a[0]) + ", " + e.asInt(digits) + ")", t: t}
}

func (e *Env) mod(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	return e.arith("%", a[0], a[1])
}

func (e *Env) log(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 2)
	if len(a) == 1 {
		return val{sql: "wl_ln(" + e.asReal(a[0]) + ")", t: realType()}
	}
	return val{sql: "wl_log(" + e.asReal(a[0]) + ", " + e.asReal(a[1]) + ")", t: realType()}
}

func (e *Env) pi(s *scope, f *ast.Func) val {
	e.args1(s, f, 0, 0)
	t := realType()
	t.NotNull, t.Decimals, t.Length = true, 6, 8
	return val{sql: "3.141592653589793", t: t}
}

func (e *Env) atan(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 2)
	t := realType()
	t.NotNull = a[0].t.NotNull
	if len(a) == 1 {
		return val{sql: "wl_atan(" + e.asReal(a[0]) + ")", t: t}
	}
	return val{sql: "wl_atan2(" + e.asReal(a[0]) + ", " + e.asReal(a[1]) + ")", t: t}
}

func (e *Env) trim(s *scope, f *ast.Func) val {
	mode := f.Unit
	f2 := *f
	a := e.args1(s, &f2, 1, 2)
	what := "' '"
	if len(a) == 2 {
		what = e.asText(a[1])
	}
	if mode == "" {
		mode = "BOTH"
	}
	t := sameText(e, a)
	t.NotNull = a[0].t.NotNull
	return val{sql: "wl_trim(" + e.asText(a[0]) + ", " + what + ", '" + mode + "')", t: t}
}

func (e *Env) concatWS(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, -1)
	t := sumText(e, a[1:])
	t = textType(t.Length+e.chars(a[0])*(len(a)-2), t.Collation)
	t.NotNull = a[0].t.NotNull
	list := make([]string, len(a))
	for i, v := range a {
		list[i] = e.asText(v)
	}
	return val{sql: "wl_concat_ws(" + strings.Join(list, ", ") + ")", t: t}
}

func (e *Env) locate(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 3)
	from := "1"
	if len(a) == 3 {
		from = e.asInt(a[2])
	}
	t := longType(11)
	t.NotNull = a[0].t.NotNull && a[1].t.NotNull
	return val{sql: "wl_locate(" + e.asText(a[0]) + ", " + e.asText(a[1]) + ", " + from + ", '" + e.cmpOf(a[0], a[1]) + "')", t: t}
}

func (e *Env) instr(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	t := longType(11)
	t.NotNull = a[0].t.NotNull && a[1].t.NotNull
	return val{sql: "wl_instr(" + e.asText(a[0]) + ", " + e.asText(a[1]) + ", '" + e.cmpOf(a[0], a[1]) + "')", t: t}
}

func (e *Env) field(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, -1)
	how, numbers := "'"+e.cmpOf(a[0], a[1])+"'", true
	for _, v := range a {
		numbers = numbers && v.t.Numeric()
	}
	if numbers {
		how = "'number'"
	}
	list := []string{how}
	for _, v := range a {
		list = append(list, e.asText(v))
	}
	t := longType(3)
	t.NotNull = true
	return val{sql: "wl_field(" + strings.Join(list, ", ") + ")", t: t}
}

func (e *Env) elt(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, -1)
	list := []string{e.asInt(a[0])}
	n := 0
	for _, v := range a[1:] {
		list = append(list, e.asText(v))
		n = max(n, e.chars(v))
	}
	return val{sql: "wl_elt(" + strings.Join(list, ", ") + ")", t: textType(n, e.Collation)}
}

func (e *Env) char(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, -1)
	list := make([]string, len(a))
	for i, v := range a {
		list[i] = e.asInt(v)
	}
	sql := "wl_char(" + strings.Join(list, ", ") + ")"
	if f.Separator != "" {
		return val{sql: "CAST(" + sql + " AS TEXT)", t: textType(4*len(a), e.Collation)}
	}
	return val{sql: sql, t: textType(4*len(a), "binary")}
}

func (e *Env) regexpLike(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	return val{sql: "wl_regexp(" + e.asText(a[0]) + ", " + e.asText(a[1]) + ", '" + e.cmpOf(a[0], a[1]) + "')", t: boolType()}
}

func (e *Env) one(s *scope, f *ast.Func) val {
	e.args1(s, f, 1, 2)
	return val{sql: "1", t: longType(1)}
}

func (e *Env) zero(s *scope, f *ast.Func) val {
	e.args1(s, f, 1, 2)
	return val{sql: "0", t: longType(1)}
}

func (e *Env) charset(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	c := a[0].t.Collation
	if f.Name == "CHARSET" {
		c = catalog.CharsetOf(c)
	}
	t := textType(64, "utf8mb3_general_ci")
	t.NotNull = true
	return val{sql: e.bind(c), t: t, text: c}
}

func (e *Env) lastInsertID(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 0, 1)
	t := unsignedBig()
	t.Length = 21
	if len(a) == 0 {
		v := e.constant(Value{t, int64(e.State.LastID)})
		v.t.NotNull = true
		return v
	}
	return val{sql: "wl_lastid(" + e.asInt(a[0]) + ")", t: t}
}

func (e *Env) jsonExtract(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	sql := "wl_json_spaces((" + e.asText(a[0]) + ") -> " + e.asText(a[1]) + ")"
	if f.Name == "JSON_VALUE" {
		return val{sql: "CAST((" + e.asText(a[0]) + ") ->> " + e.asText(a[1]) + " AS TEXT)", t: textType(a[0].t.Length, e.Collation)}
	}
	t := textType(a[0].t.Length, e.Collation)
	t.JSON = true
	return val{sql: sql, t: t}
}

// json is v as JSON.
func (e *Env) json(v val) string {
	switch {
	case v.t.JSON, v.rep() == catalog.RepNull:
		return v.sql
	case v.lit != nil && v.lit.Kind == ast.LitBool:
		return map[string]string{"1": "'true'", "0": "'false'"}[v.lit.Text]
	case v.t.Numeric():
		return e.asText(v)
	}
	return "wl_json_quote(" + e.asText(v) + ")"
}

func (e *Env) jsonMake(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 0, -1)
	if f.Name == "JSON_OBJECT" && len(a)%2 != 0 {
		fail(1582, "Incorrect parameter count in the call to native function '%s'", f.Name)
	}
	list := make([]string, len(a))
	n := 2
	for i, v := range a {
		n += e.chars(v)*6 + 4
		if list[i] = e.json(v); f.Name == "JSON_OBJECT" && i%2 == 0 {
			list[i] = e.asText(v)
		}
	}
	t := textType(n, e.Collation)
	t.JSON, t.NotNull = true, true
	return val{sql: "wl_" + strings.ToLower(f.Name) + "(" + strings.Join(list, ", ") + ")", t: t}
}

func (e *Env) jsonChange(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, -1)
	list := []string{e.asText(a[0])}
	for i, v := range a[1:] {
		if f.Name == "JSON_REMOVE" || i%2 == 0 {
			list = append(list, e.asText(v))
		} else {
			list = append(list, "json("+e.json(v)+")")
		}
	}
	t := textType(a[0].t.Length+1024, e.Collation)
	t.JSON = true
	return val{sql: "wl_json_spaces(" + strings.ToLower(f.Name) + "(" + strings.Join(list, ", ") + "))", t: t}
}
