package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// addDate compiles DATE_ADD and its relatives.
func (e *Env) addDate(s *scope, f *ast.Func) val {
	minus := f.Name == "DATE_SUB" || f.Name == "SUBDATE"
	if f.Name == "TIMESTAMPADD" {
		return e.dateAdd(s, f.Args[1], &ast.Interval{X: f.Args[0], Unit: f.Unit}, false)
	}
	if len(f.Args) != 2 {
		fail(1064, "You have an error in your SQL syntax; %s takes a date and an interval", f.Name)
	}
	iv, ok := f.Args[1].(*ast.Interval)
	if !ok {
		if !strings.HasSuffix(f.Name, "DATE") {
			fail(1064, "You have an error in your SQL syntax; %s takes an interval", f.Name)
		}
		iv = &ast.Interval{X: f.Args[1], Unit: "DAY"}
	}
	return e.dateAdd(s, f.Args[0], iv, minus)
}

func (e *Env) date(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	return val{sql: e.asDate(a[0]), t: dateType()}
}

func (e *Env) time(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	digits := 0
	if a[0].t.Temporal() {
		digits = a[0].t.Decimals
	} else if i := strings.LastIndexByte(a[0].text, '.'); i >= 0 {
		digits = min(6, len(a[0].text)-i-1)
	}
	return val{sql: e.asTime(a[0], digits), t: timeType(digits)}
}

func (e *Env) timestamp(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 2)
	digits := 0
	if a[0].t.Temporal() {
		digits = a[0].t.Decimals
	} else if i := strings.LastIndexByte(a[0].text, '.'); i >= 0 {
		digits = min(6, len(a[0].text)-i-1)
	}
	sql := e.asDatetime(a[0], digits)
	if len(a) == 2 {
		sql = "wl_addtime(" + sql + ", " + e.asText(a[1]) + ", 1, " + itoa(digits) + ")"
	}
	return val{sql: sql, t: datetimeType(digits)}
}

func (e *Env) dateFormat(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	n := 0
	if a[1].lit != nil {
		for i := 0; i < len(a[1].text); i++ {
			if a[1].text[i] != '%' || i+1 == len(a[1].text) {
				n++
				continue
			}
			i++
			n += formatWidth(a[1].text[i])
		}
	} else {
		n = e.chars(a[1]) * 10
	}
	t := textType(n, e.Collation)
	sql := e.asText(a[0])
	if f.Name == "TIME_FORMAT" {
		sql = "('2000-01-01 ' || " + e.asTime(a[0], 6) + ")"
	}
	return val{sql: "wl_date_format(" + sql + ", " + e.asText(a[1]) + ")", t: t}
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

func (e *Env) strToDate(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	hasDate := strings.Contains(a[1].text, "%Y") || strings.Contains(a[1].text, "%y") || strings.Contains(a[1].text, "%d") || strings.Contains(a[1].text, "%m") ||
		strings.Contains(a[1].text, "%M") || strings.Contains(a[1].text, "%b") || strings.Contains(a[1].text, "%e") || strings.Contains(a[1].text, "%c")
	hasTime := strings.ContainsAny(strings.Join(strings.SplitAfter(a[1].text, "%"), " "), "HhIiksSTrlf") && timeFormat(a[1].text)
	kind, t := "2", datetimeType(0)
	switch {
	case strings.Contains(a[1].text, "%f") || a[1].lit == nil:
		kind, t = "3", datetimeType(6)
	case hasDate && !hasTime:
		kind, t = "0", dateType()
	case hasTime && !hasDate:
		kind, t = "1", timeType(0)
	}
	return val{sql: "wl_str_to_date(" + e.asText(a[0]) + ", " + e.asText(a[1]) + ", " + kind + ")", t: t}
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

func (e *Env) timestampDiff(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	return val{sql: "wl_tsdiff('" + f.Unit + "', " + e.asText(a[0]) + ", " + e.asText(a[1]) + ")", t: bigType(21)}
}

// fractionOf is how many digits of a second a value may have.
func fractionOf(v val) int {
	if v.t.Temporal() {
		return v.t.Decimals
	}
	if i := strings.LastIndexByte(v.text, '.'); i >= 0 {
		return min(6, len(v.text)-i-1)
	}
	return 0
}

func (e *Env) timeDiff(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	digits := max(fractionOf(a[0]), fractionOf(a[1]))
	return val{sql: "wl_timediff(" + e.asText(a[0]) + ", " + e.asText(a[1]) + ", " + itoa(digits) + ")", t: timeType(digits)}
}

func (e *Env) addTime(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 2, 2)
	sign := "1"
	if f.Name == "SUBTIME" {
		sign = "-1"
	}
	d := max(fractionOf(a[0]), fractionOf(a[1]))
	t, digits := textType(26, e.Collation), -10
	t.Kind = mysql.TypeString
	switch a[0].rep() {
	case catalog.RepDatetime, catalog.RepDate:
		t, digits = datetimeType(d), d
	case catalog.RepTime:
		t, digits = timeType(d), -10-d
	}
	return val{sql: "wl_addtime(" + e.asText(a[0]) + ", " + e.asText(a[1]) + ", " + sign + ", " + itoa(digits) + ")", t: t}
}

func (e *Env) extract(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	v := e.asText(a[0])
	parts := map[string]string{
		"YEAR": "wl_year", "MONTH": "wl_month", "DAY": "wl_day", "QUARTER": "wl_quarter", "HOUR": "wl_hour", "MINUTE": "wl_minute", "SECOND": "wl_second",
		"MICROSECOND": "wl_microsecond",
	}
	if fn := parts[f.Unit]; fn != "" {
		n := map[string]int{"YEAR": 5, "MONTH": 3, "DAY": 3, "QUARTER": 2, "HOUR": 4, "MINUTE": 3, "SECOND": 3, "MICROSECOND": 7}[f.Unit]
		return val{sql: fn + "(" + v + ")", t: longType(n)}
	}
	if f.Unit == "WEEK" {
		return val{sql: "wl_week(" + v + ", 0)", t: longType(3)}
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
	t := longType(9)
	if names[0] == "DAY" || names[1] == "MICROSECOND" {
		t = bigType(11)
	}
	return val{sql: sql, t: t}
}

func (e *Env) week(s *scope, f *ast.Func) val {
	mode := "0"
	least := 1
	a := e.args1(s, f, least, 2)
	if len(a) == 2 {
		mode = e.asInt(a[1])
	}
	if f.Name == "WEEKOFYEAR" {
		mode = "3"
	}
	v := e.asText(a[0])
	if f.Name == "YEARWEEK" {
		return val{sql: "wl_yearweek(" + v + ", " + mode + ")", t: longType(7)}
	}
	return val{sql: "wl_week(" + v + ", " + mode + ")", t: longType(3)}
}

func (e *Env) unixTimestamp(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 0, 1)
	if len(a) == 0 {
		t := bigType(17)
		t.NotNull = true
		return val{sql: itoa(int(e.Now.Unix())), t: t}
	}
	digits := fractionOf(a[0])
	t := bigType(17)
	if digits > 0 {
		t = decType(10+digits+1, digits)
	} else if !a[0].t.Temporal() && a[0].lit == nil {
		digits = 6
		t = decType(17, 6)
	}
	return val{sql: "wl_to_unix(" + e.asText(a[0]) + ", " + itoa(digits) + ")", t: t}
}

func (e *Env) fromUnixtime(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 2)
	digits := 0
	switch a[0].rep() {
	case catalog.RepDec:
		digits = min(6, a[0].t.Decimals)
	case catalog.RepReal, catalog.RepText:
		digits = 6
	}
	sql := "wl_from_unix(" + e.form(a[0], 'd') + ", " + itoa(digits) + ")"
	if len(a) == 2 {
		return val{sql: "wl_date_format(" + sql + ", " + e.asText(a[1]) + ")", t: textType(e.chars(a[1])*10, e.Collation)}
	}
	return val{sql: sql, t: datetimeType(digits)}
}

func (e *Env) secToTime(s *scope, f *ast.Func) val {
	a := e.args1(s, f, 1, 1)
	digits := 0
	switch a[0].rep() {
	case catalog.RepDec:
		digits = min(6, a[0].t.Decimals)
	case catalog.RepReal, catalog.RepText:
		digits = 6
	}
	return val{sql: "wl_sec_to_time(" + e.form(a[0], 'd') + ", " + itoa(digits) + ")", t: timeType(digits)}
}
