package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
)

var aggregateNames = map[string]bool{
	"COUNT": true, "SUM": true, "AVG": true, "MIN": true, "MAX": true, "GROUP_CONCAT": true, "STD": true, "STDDEV": true, "STDDEV_POP": true,
	"STDDEV_SAMP": true, "VARIANCE": true, "VAR_POP": true, "VAR_SAMP": true, "BIT_AND": true, "BIT_OR": true, "BIT_XOR": true,
	"JSON_ARRAYAGG": true, "JSON_OBJECTAGG": true, "ANY_VALUE": true,
}

func isAggregate(name string) bool { return aggregateNames[name] }

func hasAggregate(items []ast.Item) bool {
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
func aggregate(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	if s.NoAgg && f.Over == nil {
		scope.Fail(1111, "Invalid use of group function")
	}
	inner := *s
	inner.NoAgg = f.Over == nil
	inner.UseItem = false
	if f.Star {
		t := scope.BigType(21)
		t.NotNull = true
		return scope.Val{SQL: "count(*)" + compileOver(e, s, f), T: t}
	}
	args := make([]scope.Val, len(f.Args))
	for i, x := range f.Args {
		args[i] = e.Single(&inner, x)
	}
	if isWindow(f.Name) {
		return window(e, s, f, args)
	}
	if len(args) == 0 {
		scope.Fail(1064, "You have an error in your SQL syntax; %s takes an argument", f.Name)
	}
	v := args[0]
	distinct := ""
	if f.Distinct {
		distinct = "DISTINCT "
	}
	over := compileOver(e, s, f)
	switch f.Name {
	case "COUNT":
		t := scope.BigType(21)
		t.NotNull = true
		arg := e.Collated(v)
		if v.Lit != nil && !f.Distinct {
			arg = v.SQL
		}
		if len(args) > 1 {
			list := make([]string, len(args))
			for i, a := range args {
				list[i] = foldKey(e, a)
			}
			arg = "wl_row(" + strings.Join(list, ", ") + ")"
		}
		return scope.Val{SQL: "count(" + distinct + arg + ")" + over, T: t}
	case "MIN", "MAX":
		t := v.T
		t.Expr, t.NotNull = true, false
		arg := v.SQL
		if cmp := t.Compare(); cmp != "" {
			arg = "(" + arg + ") COLLATE " + cmp
		}
		if t.Kind == mysql.TypeEnum || t.Kind == mysql.TypeSet {
			t.Values = nil
			t = scope.TextType(t.Length, t.Collation)
		}
		return scope.Val{SQL: strings.ToLower(f.Name) + "(" + arg + ")" + over, T: t}
	case "ANY_VALUE":
		t := v.T
		t.Expr = true
		return scope.Val{SQL: v.SQL, T: t}
	case "SUM", "AVG":
		return sum(e, f.Name, distinct, v, over)
	case "GROUP_CONCAT":
		return groupConcat(e, &inner, f, args)
	case "BIT_AND", "BIT_OR", "BIT_XOR":
		t := unsignedBig()
		t.NotNull = true
		return scope.Val{SQL: "wl_" + strings.ToLower(f.Name) + "(" + e.AsInt(v) + ")" + over, T: t}
	case "JSON_ARRAYAGG":
		t := scope.TextType(1<<20, e.Collation)
		t.JSON = true
		return scope.Val{SQL: "wl_json_spaces(json_group_array(json(" + json(e, v) + ")))", T: t}
	case "JSON_OBJECTAGG":
		if len(args) != 2 {
			scope.Fail(1582, "Incorrect parameter count in the call to native function 'JSON_OBJECTAGG'")
		}
		t := scope.TextType(1<<20, e.Collation)
		t.JSON = true
		return scope.Val{SQL: "wl_json_spaces(json_group_object(" + e.AsText(v) + ", json(" + json(e, args[1]) + ")))", T: t}
	}
	kind := map[string]string{
		"VARIANCE": "0", "VAR_POP": "0", "VAR_SAMP": "1", "STD": "2", "STDDEV": "2", "STDDEV_POP": "2", "STDDEV_SAMP": "3",
	}[f.Name]
	t := scope.RealType()
	if n := e.Numeric(v); n.Rep() != catalog.RepReal {
		t.Decimals = n.Decimals + 4
	}
	return scope.Val{SQL: "wl_var(" + e.AsReal(v) + ", " + kind + ")" + over, T: t}
}

// foldKey is v so that values that are equal are the same.
func foldKey(e *scope.Env, v scope.Val) string {
	if strings.HasPrefix(v.T.Compare(), "wl_ci") {
		return "wl_fold(" + v.SQL + ")"
	}
	return e.AsText(v)
}

func sum(e *scope.Env, name, distinct string, v scope.Val, over string) scope.Val {
	t := e.Numeric(v)
	if t.Rep() == catalog.RepReal {
		fn := map[string]string{"SUM": "sum", "AVG": "avg"}[name]
		return scope.Val{SQL: fn + "(" + distinct + e.AsReal(v) + ")" + over, T: scope.RealType()}
	}
	arg := e.AsDec(v)
	if t.Rep() == catalog.RepInt {
		arg = e.AsInt(v)
	}
	if cmp := v.T.Compare(); cmp != "" && distinct != "" {
		arg = "(" + arg + ") COLLATE " + cmp
	}
	sum := "wl_sum(" + distinct + arg + ")" + over
	if name == "SUM" {
		return scope.Val{SQL: sum, T: scope.DecType(t.Precision+22, t.Decimals)}
	}
	scale := min(t.Decimals+4, 38)
	sql := "wl_dec('/', " + sum + ", count(" + distinct + arg + ")" + over + ", " + scope.Itoa(scale) + ")"
	return scope.Val{SQL: sql, T: scope.DecType(t.Precision+4, scale)}
}

func groupConcat(e *scope.Env, s *scope.Scope, f *ast.Func, args []scope.Val) scope.Val {
	list := make([]string, len(args))
	binary := false
	for i, a := range args {
		list[i] = e.AsText(a)
		binary = binary || a.Rep() == catalog.RepBytes
	}
	arg := list[0]
	if len(list) > 1 {
		arg = "wl_concat(" + strings.Join(list, ", ") + ")"
	}
	if c := args[0].T.Compare(); f.Distinct && c != "" {
		arg = "(" + arg + ") COLLATE " + c
	}
	order := ""
	if len(f.OrderBy) > 0 {
		order = e.OrderBy(s, f.OrderBy)
	}
	t := scope.Type{Kind: mysql.TypeBlob, Length: 1 << 18, Collation: e.Collation, Expr: true}
	for _, a := range args {
		if a.Rep() == catalog.RepText && a.Lit == nil {
			t.Collation = a.T.Collation
			break
		}
	}
	if binary {
		t.Collation = "binary"
	}
	if f.Distinct {
		return scope.Val{SQL: "wl_separate(wl_group_concat(DISTINCT " + arg + order + "), " + e.Bind(f.Separator) + ")", T: t}
	}
	return scope.Val{SQL: "wl_group_concat(" + arg + ", " + e.Bind(f.Separator) + order + ")", T: t}
}

var windowNames = map[string]bool{
	"ROW_NUMBER": true, "RANK": true, "DENSE_RANK": true, "PERCENT_RANK": true, "CUME_DIST": true, "NTILE": true, "LAG": true, "LEAD": true,
	"FIRST_VALUE": true, "LAST_VALUE": true, "NTH_VALUE": true,
}

func isWindow(name string) bool { return windowNames[name] }

func window(e *scope.Env, s *scope.Scope, f *ast.Func, args []scope.Val) scope.Val {
	list := make([]string, len(args))
	for i, a := range args {
		list[i] = a.SQL
	}
	t := scope.BigType(21)
	switch f.Name {
	case "PERCENT_RANK", "CUME_DIST":
		t = scope.RealType()
		t.Decimals = 10
	case "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE":
		t = args[0].T
		t.Expr = true
		if len(args) == 3 {
			t = e.Merge([]scope.Val{args[0], args[2]})
			list[0], list[2] = e.Convert(args[0], t).SQL, e.Convert(args[2], t).SQL
		}
		t.NotNull = false
	default:
		t.NotNull = true
	}
	return scope.Val{SQL: strings.ToLower(f.Name) + "(" + strings.Join(list, ", ") + ")" + compileOver(e, s, f), T: t}
}

// compileOver compiles OVER.
func compileOver(e *scope.Env, s *scope.Scope, f *ast.Func) string {
	if f.Over == nil {
		if isWindow(f.Name) {
			scope.Fail(4019, "Window function is missing OVER clause")
		}
		return ""
	}
	w := f.Over
	if w.Name != "" {
		named, ok := s.Windows[strings.ToLower(w.Name)]
		if !ok {
			scope.Fail(4016, "Window specification with name '%s' is not defined", w.Name)
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
	inner.UseItem = false
	var parts []string
	if len(w.PartitionBy) > 0 {
		list := make([]string, len(w.PartitionBy))
		for i, x := range w.PartitionBy {
			list[i] = e.Collated(e.Single(&inner, x))
		}
		parts = append(parts, "PARTITION BY "+strings.Join(list, ", "))
	}
	if len(w.OrderBy) > 0 {
		list := make([]string, len(w.OrderBy))
		for i, o := range w.OrderBy {
			list[i] = e.Collated(e.Single(&inner, o.X))
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
