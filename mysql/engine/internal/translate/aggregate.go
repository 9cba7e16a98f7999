package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

var aggregateNames = map[string]bool{
	"COUNT": true, "SUM": true, "AVG": true, "MIN": true, "MAX": true, "GROUP_CONCAT": true, "STD": true, "STDDEV": true, "STDDEV_POP": true,
	"STDDEV_SAMP": true, "VARIANCE": true, "VAR_POP": true, "VAR_SAMP": true, "BIT_AND": true, "BIT_OR": true, "BIT_XOR": true,
	"JSON_ARRAYAGG": true, "JSON_OBJECTAGG": true, "ANY_VALUE": true,
}

func isAggregate(name string) bool { return aggregateNames[name] }

func (e *Env) hasAggregate(items []ast.Item) bool {
	for _, it := range items {
		if hasAgg(it.X) {
			return true
		}
	}
	return false
}

// hasAgg reports whether x has an aggregate that is not in a query of its own.
func hasAgg(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Func:
		if isAggregate(x.Name) && x.Over == nil {
			return true
		}
		return anyAgg(x.Args...)
	case *ast.Unary:
		return hasAgg(x.X)
	case *ast.Binary:
		return anyAgg(x.L, x.R)
	case *ast.Case:
		for _, w := range x.Whens {
			if anyAgg(w.Cond, w.Then) {
				return true
			}
		}
		return anyAgg(x.X, x.Else)
	case *ast.In:
		return hasAgg(x.X) || anyAgg(x.List...)
	case *ast.Between:
		return anyAgg(x.X, x.Lo, x.Hi)
	case *ast.Like:
		return anyAgg(x.X, x.Pattern)
	case *ast.Is:
		return hasAgg(x.X)
	case *ast.Cast:
		return hasAgg(x.X)
	case *ast.Using:
		return hasAgg(x.X)
	case *ast.Collate:
		return hasAgg(x.X)
	case *ast.SetVar:
		return hasAgg(x.X)
	case *ast.Row:
		return anyAgg(x.List...)
	}
	return false
}

func anyAgg(list ...ast.Expr) bool {
	for _, x := range list {
		if x != nil && hasAgg(x) {
			return true
		}
	}
	return false
}

// aggregate compiles an aggregate or a window function.
func (e *Env) aggregate(s *scope, f *ast.Func) val {
	if s.noAgg && f.Over == nil {
		fail(1111, "Invalid use of group function")
	}
	inner := *s
	inner.noAgg = f.Over == nil
	inner.useItem = false
	if f.Star {
		t := bigType(21)
		t.NotNull = true
		return val{sql: "count(*)" + e.over(s, f), t: t}
	}
	args := make([]val, len(f.Args))
	for i, x := range f.Args {
		args[i] = e.single(&inner, x)
	}
	if isWindow(f.Name) {
		return e.window(s, f, args)
	}
	if len(args) == 0 {
		fail(1064, "You have an error in your SQL syntax; %s takes an argument", f.Name)
	}
	v := args[0]
	distinct := ""
	if f.Distinct {
		distinct = "DISTINCT "
	}
	over := e.over(s, f)
	switch f.Name {
	case "COUNT":
		t := bigType(21)
		t.NotNull = true
		arg := e.collated(v)
		if v.lit != nil && !f.Distinct {
			arg = v.sql
		}
		if len(args) > 1 {
			list := make([]string, len(args))
			for i, a := range args {
				list[i] = e.foldKey(a)
			}
			arg = "wl_row(" + strings.Join(list, ", ") + ")"
		}
		return val{sql: "count(" + distinct + arg + ")" + over, t: t}
	case "MIN", "MAX":
		t := v.t
		t.Expr, t.NotNull = true, false
		arg := v.sql
		if cmp := t.Compare(); cmp != "" {
			arg = "(" + arg + ") COLLATE " + cmp
		}
		if t.Kind == mysql.TypeEnum || t.Kind == mysql.TypeSet {
			t.Values = nil
			t = textType(t.Length, t.Collation)
		}
		return val{sql: strings.ToLower(f.Name) + "(" + arg + ")" + over, t: t}
	case "ANY_VALUE":
		t := v.t
		t.Expr = true
		return val{sql: v.sql, t: t}
	case "SUM", "AVG":
		return e.sum(f.Name, distinct, v, over)
	case "GROUP_CONCAT":
		return e.groupConcat(&inner, f, args)
	case "BIT_AND", "BIT_OR", "BIT_XOR":
		t := unsignedBig()
		t.NotNull = true
		return val{sql: "wl_" + strings.ToLower(f.Name) + "(" + e.asInt(v) + ")" + over, t: t}
	case "JSON_ARRAYAGG":
		t := textType(1<<20, e.Collation)
		t.JSON = true
		return val{sql: "wl_json_spaces(json_group_array(json(" + e.json(v) + ")))", t: t}
	case "JSON_OBJECTAGG":
		if len(args) != 2 {
			fail(1582, "Incorrect parameter count in the call to native function 'JSON_OBJECTAGG'")
		}
		t := textType(1<<20, e.Collation)
		t.JSON = true
		return val{sql: "wl_json_spaces(json_group_object(" + e.asText(v) + ", json(" + e.json(args[1]) + ")))", t: t}
	}
	kind := map[string]string{
		"VARIANCE": "0", "VAR_POP": "0", "VAR_SAMP": "1", "STD": "2", "STDDEV": "2", "STDDEV_POP": "2", "STDDEV_SAMP": "3",
	}[f.Name]
	t := realType()
	if n := e.numeric(v); n.Rep() != catalog.RepReal {
		t.Decimals = n.Decimals + 4
	}
	return val{sql: "wl_var(" + e.asReal(v) + ", " + kind + ")" + over, t: t}
}

// foldKey is v so that values that are equal are the same.
func (e *Env) foldKey(v val) string {
	if strings.HasPrefix(v.t.Compare(), "wl_ci") {
		return "wl_fold(" + v.sql + ")"
	}
	return e.asText(v)
}

func (e *Env) sum(name, distinct string, v val, over string) val {
	t := e.numeric(v)
	if t.Rep() == catalog.RepReal {
		fn := map[string]string{"SUM": "sum", "AVG": "avg"}[name]
		return val{sql: fn + "(" + distinct + e.asReal(v) + ")" + over, t: realType()}
	}
	arg := e.asDec(v)
	if t.Rep() == catalog.RepInt {
		arg = e.asInt(v)
	}
	if cmp := v.t.Compare(); cmp != "" && distinct != "" {
		arg = "(" + arg + ") COLLATE " + cmp
	}
	sum := "wl_sum(" + distinct + arg + ")" + over
	if name == "SUM" {
		return val{sql: sum, t: decType(t.Precision+22, t.Decimals)}
	}
	scale := min(t.Decimals+4, 38)
	sql := "wl_dec('/', " + sum + ", count(" + distinct + arg + ")" + over + ", " + itoa(scale) + ")"
	return val{sql: sql, t: decType(t.Precision+4, scale)}
}

func (e *Env) groupConcat(s *scope, f *ast.Func, args []val) val {
	list := make([]string, len(args))
	binary := false
	for i, a := range args {
		list[i] = e.asText(a)
		binary = binary || a.rep() == catalog.RepBytes
	}
	arg := list[0]
	if len(list) > 1 {
		arg = "wl_concat(" + strings.Join(list, ", ") + ")"
	}
	if c := args[0].t.Compare(); f.Distinct && c != "" {
		arg = "(" + arg + ") COLLATE " + c
	}
	order := ""
	if len(f.OrderBy) > 0 {
		order = e.orderBy(s, f.OrderBy)
	}
	t := Type{Kind: mysql.TypeBlob, Length: 1 << 18, Collation: e.Collation, Expr: true}
	for _, a := range args {
		if a.rep() == catalog.RepText && a.lit == nil {
			t.Collation = a.t.Collation
			break
		}
	}
	if binary {
		t.Collation = "binary"
	}
	if f.Distinct {
		return val{sql: "wl_separate(wl_group_concat(DISTINCT " + arg + order + "), " + e.bind(f.Separator) + ")", t: t}
	}
	return val{sql: "wl_group_concat(" + arg + ", " + e.bind(f.Separator) + order + ")", t: t}
}

var windowNames = map[string]bool{
	"ROW_NUMBER": true, "RANK": true, "DENSE_RANK": true, "PERCENT_RANK": true, "CUME_DIST": true, "NTILE": true, "LAG": true, "LEAD": true,
	"FIRST_VALUE": true, "LAST_VALUE": true, "NTH_VALUE": true,
}

func isWindow(name string) bool { return windowNames[name] }

func (e *Env) window(s *scope, f *ast.Func, args []val) val {
	list := make([]string, len(args))
	for i, a := range args {
		list[i] = a.sql
	}
	t := bigType(21)
	switch f.Name {
	case "PERCENT_RANK", "CUME_DIST":
		t = realType()
		t.Decimals = 10
	case "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE":
		t = args[0].t
		t.Expr = true
		if len(args) == 3 {
			t = e.merge([]val{args[0], args[2]})
			list[0], list[2] = e.convert(args[0], t).sql, e.convert(args[2], t).sql
		}
		t.NotNull = false
	default:
		t.NotNull = true
	}
	return val{sql: strings.ToLower(f.Name) + "(" + strings.Join(list, ", ") + ")" + e.over(s, f), t: t}
}

// over compiles OVER.
func (e *Env) over(s *scope, f *ast.Func) string {
	if f.Over == nil {
		if isWindow(f.Name) {
			fail(4019, "Window function is missing OVER clause")
		}
		return ""
	}
	w := f.Over
	if w.Name != "" {
		named, ok := s.windows[strings.ToLower(w.Name)]
		if !ok {
			fail(4016, "Window specification with name '%s' is not defined", w.Name)
		}
		merged := *named
		if len(w.OrderBy) > 0 {
			merged.OrderBy = w.OrderBy
		}
		if w.Frame != "" {
			merged.Frame = w.Frame
		}
		w = &merged
	}
	inner := *s
	inner.useItem = false
	var parts []string
	if len(w.PartitionBy) > 0 {
		list := make([]string, len(w.PartitionBy))
		for i, x := range w.PartitionBy {
			list[i] = e.collated(e.single(&inner, x))
		}
		parts = append(parts, "PARTITION BY "+strings.Join(list, ", "))
	}
	if len(w.OrderBy) > 0 {
		list := make([]string, len(w.OrderBy))
		for i, o := range w.OrderBy {
			list[i] = e.collated(e.single(&inner, o.X))
			if o.Desc {
				list[i] += " DESC"
			}
		}
		parts = append(parts, "ORDER BY "+strings.Join(list, ", "))
	}
	if w.Frame != "" {
		parts = append(parts, w.Frame)
	}
	return " OVER (" + strings.Join(parts, " ") + ")"
}
