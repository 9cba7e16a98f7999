package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
)

// addDate compiles DATE_ADD and its relatives.
func addDate(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	minus := f.Name == "DATE_SUB" || f.Name == "SUBDATE"
	if f.Name == "TIMESTAMPADD" {
		return e.DateAdd(s, f.Args[1], &ast.Interval{X: f.Args[0], Unit: f.Unit}, false)
	}
	if len(f.Args) != 2 {
		scope.Fail(1064, "You have an error in your SQL syntax; %s takes a date and an interval", f.Name)
	}
	iv, ok := f.Args[1].(*ast.Interval)
	if !ok {
		if !strings.HasSuffix(f.Name, "DATE") {
			scope.Fail(1064, "You have an error in your SQL syntax; %s takes an interval", f.Name)
		}
		iv = &ast.Interval{X: f.Args[1], Unit: "DAY"}
	}
	return e.DateAdd(s, f.Args[0], iv, minus)
}

func dateOf(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	return scope.Val{SQL: e.AsDate(a[0]), T: scope.DateType()}
}

func timeOf(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	digits := 0
	if a[0].T.Temporal() {
		digits = a[0].T.Decimals
	} else if i := strings.LastIndexByte(a[0].Text, '.'); i >= 0 {
		digits = min(6, len(a[0].Text)-i-1)
	}
	return scope.Val{SQL: e.AsTime(a[0], digits), T: scope.TimeType(digits)}
}

func timestamp(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 2)
	digits := 0
	if a[0].T.Temporal() {
		digits = a[0].T.Decimals
	} else if i := strings.LastIndexByte(a[0].Text, '.'); i >= 0 {
		digits = min(6, len(a[0].Text)-i-1)
	}
	sql := e.AsDatetime(a[0], digits)
	if len(a) == 2 {
		sql = "wl_addtime(" + sql + ", " + e.AsText(a[1]) + ", 1, " + scope.Itoa(digits) + ")"
	}
	return scope.Val{SQL: sql, T: scope.DatetimeType(digits)}
}

func dateFormat(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	n := 0
	if a[1].Lit != nil {
		for i := 0; i < len(a[1].Text); i++ {
			if a[1].Text[i] != '%' || i+1 == len(a[1].Text) {
				n++
				continue
			}
			i++
			n += formatWidth(a[1].Text[i])
		}
	} else {
		n = e.Chars(a[1]) * 10
	}
	t := scope.TextType(n, e.Collation)
	sql := e.AsText(a[0])
	if f.Name == "TIME_FORMAT" {
		sql = "('2000-01-01 ' || " + e.AsTime(a[0], 6) + ")"
	}
	return scope.Val{SQL: "wl_date_format(" + sql + ", " + e.AsText(a[1]) + ")", T: t}
}

// formatWidth is how many characters %x may make.
func formatWidth(x byte) int {
	switch x {
	case 'M', 'W':
		return 9
	case 'D', 'Y', 'x', 'X':
		return 4
	case 'a', 'b', 'j':
		return 3
	case 'u', 'U', 'v', 'V', 'y', 'm', 'd', 'h', 'i', 'I', 'l', 'p', 'S', 's', 'c', 'e':
		return 2
	case 'k', 'H':
		return 7
	case 'r':
		return 11
	case 'T':
		return 8
	case 'f':
		return 6
	case 'w', '%':
		return 1
	}
	return 1
}

func strToDate(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	hasDate := strings.Contains(a[1].Text, "%Y") || strings.Contains(a[1].Text, "%y") || strings.Contains(a[1].Text, "%d") || strings.Contains(a[1].Text, "%m") ||
		strings.Contains(a[1].Text, "%M") || strings.Contains(a[1].Text, "%b") || strings.Contains(a[1].Text, "%e") || strings.Contains(a[1].Text, "%c")
	hasTime := timeFormat(a[1].Text)
	kind, t := "2", scope.DatetimeType(0)
	switch {
	case strings.Contains(a[1].Text, "%f") || a[1].Lit == nil:
		kind, t = "3", scope.DatetimeType(6)
	case hasDate && !hasTime:
		kind, t = "0", scope.DateType()
	case hasTime && !hasDate:
		kind, t = "1", scope.TimeType(0)
	}
	return scope.Val{SQL: "wl_str_to_date(" + e.AsText(a[0]) + ", " + e.AsText(a[1]) + ", " + kind + ")", T: t}
}

// timeFormat reports whether a format has a part of the clock.
func timeFormat(f string) bool {
	for i := 0; i+1 < len(f); i++ {
		if f[i] == '%' {
			if strings.IndexByte("HhIiksSTrlfp", f[i+1]) >= 0 {
				return true
			}
			i++
		}
	}
	return false
}

func timestampDiff(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	return scope.Val{SQL: "wl_tsdiff('" + f.Unit + "', " + e.AsText(a[0]) + ", " + e.AsText(a[1]) + ")", T: scope.BigType(21)}
}

// fractionOf is how many digits of a second a value may have.
func fractionOf(v scope.Val) int {
	if v.T.Temporal() {
		return v.T.Decimals
	}
	if i := strings.LastIndexByte(v.Text, '.'); i >= 0 {
		return min(6, len(v.Text)-i-1)
	}
	return 0
}

func timeDiff(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	digits := max(fractionOf(a[0]), fractionOf(a[1]))
	return scope.Val{SQL: "wl_timediff(" + e.AsText(a[0]) + ", " + e.AsText(a[1]) + ", " + scope.Itoa(digits) + ")", T: scope.TimeType(digits)}
}

func addTime(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 2, 2)
	sign := "1"
	if f.Name == "SUBTIME" {
		sign = "-1"
	}
	d := max(fractionOf(a[0]), fractionOf(a[1]))
	t, digits := scope.TextType(26, e.Collation), -10
	t.Kind = mysql.TypeString
	switch a[0].Rep() {
	case catalog.RepDatetime, catalog.RepDate:
		t, digits = scope.DatetimeType(d), d
	case catalog.RepTime:
		t, digits = scope.TimeType(d), -10-d
	}
	return scope.Val{SQL: "wl_addtime(" + e.AsText(a[0]) + ", " + e.AsText(a[1]) + ", " + sign + ", " + scope.Itoa(digits) + ")", T: t}
}

func extract(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	v := e.AsText(a[0])
	parts := map[string]string{
		"YEAR": "wl_year", "MONTH": "wl_month", "DAY": "wl_day", "QUARTER": "wl_quarter", "HOUR": "wl_hour", "MINUTE": "wl_minute", "SECOND": "wl_second",
		"MICROSECOND": "wl_microsecond",
	}
	if fn := parts[f.Unit]; fn != "" {
		n := map[string]int{"YEAR": 5, "MONTH": 3, "DAY": 3, "QUARTER": 2, "HOUR": 4, "MINUTE": 3, "SECOND": 3, "MICROSECOND": 7}[f.Unit]
		return scope.Val{SQL: fn + "(" + v + ")", T: scope.LongType(n)}
	}
	if f.Unit == "WEEK" {
		return scope.Val{SQL: "wl_week(" + v + ", 0)", T: scope.LongType(3)}
	}
	// YEAR_MONTH and the like: the parts side by side, two digits each.
	names := strings.Split(f.Unit, "_")
	order := []string{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MICROSECOND"}
	sql, on := "", false
	for _, p := range order {
		if p == names[0] {
			on = true
			sql = parts[p] + "(" + v + ")"
			continue
		}
		if !on {
			continue
		}
		scale := "100"
		if p == "MICROSECOND" {
			scale = "1000000"
		}
		sql = "((" + sql + ") * " + scale + " + " + parts[p] + "(" + v + "))"
		if p == names[1] {
			break
		}
	}
	t := scope.LongType(9)
	if names[0] == "DAY" || names[1] == "MICROSECOND" {
		t = scope.BigType(11)
	}
	return scope.Val{SQL: sql, T: t}
}

func week(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	mode := "0"
	least := 1
	a := args1(e, s, f, least, 2)
	if len(a) == 2 {
		mode = e.AsInt(a[1])
	}
	if f.Name == "WEEKOFYEAR" {
		mode = "3"
	}
	v := e.AsText(a[0])
	if f.Name == "YEARWEEK" {
		return scope.Val{SQL: "wl_yearweek(" + v + ", " + mode + ")", T: scope.LongType(7)}
	}
	return scope.Val{SQL: "wl_week(" + v + ", " + mode + ")", T: scope.LongType(3)}
}

func unixTimestamp(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 0, 1)
	if len(a) == 0 {
		t := scope.BigType(17)
		t.NotNull = true
		return scope.Val{SQL: scope.Itoa(int(e.Now.Unix())), T: t}
	}
	digits := fractionOf(a[0])
	t := scope.BigType(17)
	if digits > 0 {
		t = scope.DecType(10+digits+1, digits)
	} else if !a[0].T.Temporal() && a[0].Lit == nil {
		digits = 6
		t = scope.DecType(17, 6)
	}
	return scope.Val{SQL: "wl_to_unix(" + e.AsText(a[0]) + ", " + scope.Itoa(digits) + ")", T: t}
}

func fromUnixtime(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 2)
	digits := 0
	switch a[0].Rep() {
	case catalog.RepDec:
		digits = min(6, a[0].T.Decimals)
	case catalog.RepReal, catalog.RepText:
		digits = 6
	}
	sql := "wl_from_unix(" + form(e, a[0], 'd') + ", " + scope.Itoa(digits) + ")"
	if len(a) == 2 {
		return scope.Val{SQL: "wl_date_format(" + sql + ", " + e.AsText(a[1]) + ")", T: scope.TextType(e.Chars(a[1])*10, e.Collation)}
	}
	return scope.Val{SQL: sql, T: scope.DatetimeType(digits)}
}

func secToTime(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	a := args1(e, s, f, 1, 1)
	digits := 0
	switch a[0].Rep() {
	case catalog.RepDec:
		digits = min(6, a[0].T.Decimals)
	case catalog.RepReal, catalog.RepText:
		digits = 6
	}
	return scope.Val{SQL: "wl_sec_to_time(" + form(e, a[0], 'd') + ", " + scope.Itoa(digits) + ")", T: scope.TimeType(digits)}
}
