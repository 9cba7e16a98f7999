package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
)

// simple is a function whose arguments are brought to one form each and handed
// to a function of SQLite's.
type simple struct {
	min, max int    // number of arguments; max -1: any
	args     string // of each the form: s text, i integer, r real, d decimal, a as it is, b bytes, c texts' comparison appended; the last repeats
	sql      string // the function
	tail     string // further arguments
	t        func(e *scope.Env, a []scope.Val) scope.Type
}

func fixed(t scope.Type) func(*scope.Env, []scope.Val) scope.Type {
	return func(*scope.Env, []scope.Val) scope.Type { return t }
}

// sameText is a text as long as the first argument.
func sameText(e *scope.Env, a []scope.Val) scope.Type {
	c := a[0].T.Collation
	if a[0].Rep() != catalog.RepText && a[0].Rep() != catalog.RepBytes {
		c = e.Collation
	}
	return scope.TextType(e.Chars(a[0]), c)
}

func textOf(n int) func(*scope.Env, []scope.Val) scope.Type {
	return func(e *scope.Env, _ []scope.Val) scope.Type { return scope.TextType(n, e.Collation) }
}

func sumText(e *scope.Env, a []scope.Val) scope.Type {
	n, c := 0, ""
	for _, v := range a {
		n += e.Chars(v)
		if v.Rep() == catalog.RepBytes {
			c = "binary"
		}
		if c == "" && v.Rep() == catalog.RepText && v.Lit == nil {
			c = v.T.Collation
		}
	}
	if c == "" {
		c = e.Collation
	}
	return scope.TextType(n, c)
}

func unsignedBig() scope.Type {
	t := scope.BigType(21)
	t.Unsigned = true
	return t
}

func simpleFunctions() map[string]simple {
	r1 := func(sql string) simple { return simple{1, 1, "r", sql, "", fixed(scope.RealType())} }
	m := map[string]simple{
		"LENGTH": {1, 1, "s", "wl_length", "", fixed(scope.LongType(10))}, "OCTET_LENGTH": {1, 1, "s", "wl_length", "", fixed(scope.LongType(10))},
		"CHAR_LENGTH": {1, 1, "s", "wl_char_length", "", fixed(scope.LongType(10))}, "CHARACTER_LENGTH": {1, 1, "s", "wl_char_length", "", fixed(scope.LongType(10))},
		"BIT_LENGTH": {1, 1, "s", "8 * wl_length", "", fixed(scope.LongType(11))},
		"UPPER":      {1, 1, "s", "wl_upper", "", sameText}, "UCASE": {1, 1, "s", "wl_upper", "", sameText},
		"LOWER": {1, 1, "s", "wl_lower", "", sameText}, "LCASE": {1, 1, "s", "wl_lower", "", sameText},
		"REVERSE":         {1, 1, "s", "wl_reverse", "", sameText},
		"LEFT":            {2, 2, "si", "wl_left", "", cutText},
		"RIGHT":           {2, 2, "si", "wl_right", "", cutText},
		"SUBSTRING":       {2, 3, "sii", "wl_substring", "", cutText3},
		"SUBSTRING_INDEX": {3, 3, "ssi", "wl_substring_index", "", sameText},
		"LTRIM":           {1, 1, "s", "wl_trim", ", ' ', 'LEADING'", sameText}, "RTRIM": {1, 1, "s", "wl_trim", ", ' ', 'TRAILING'", sameText},
		"REPEAT":  {2, 2, "si", "wl_repeat", "", timesText},
		"SPACE":   {1, 1, "i", "wl_space", "", func(e *scope.Env, a []scope.Val) scope.Type { return scope.TextType(number(a[0], 1<<24), e.Collation) }},
		"REPLACE": {3, 3, "sss", "wl_replace", "", sameText},
		"INSERT": {4, 4, "siis", "wl_insert", "", func(e *scope.Env, a []scope.Val) scope.Type {
			return scope.TextType(e.Chars(a[0])+e.Chars(a[3]), sameText(e, a).Collation)
		}},
		"CONCAT": {1, -1, "s", "wl_concat", "", sumText},
		"LPAD":   {2, 3, "sis", "wl_lpad", "", padText},
		"RPAD":   {2, 3, "sis", "wl_rpad", "", padText},
		"ASCII":  {1, 1, "s", "wl_ascii", "", fixed(scope.LongType(3))},
		"ORD":    {1, 1, "s", "wl_ord", "", fixed(scope.LongType(7))},
		"HEX":    {1, 1, "h", "wl_hex", "", func(e *scope.Env, a []scope.Val) scope.Type { return scope.TextType(hexLength(e, a[0]), e.Collation) }},
		"UNHEX":  {1, 1, "s", "wl_unhex", "", func(e *scope.Env, a []scope.Val) scope.Type { return scope.TextType((e.Chars(a[0])+1)/2, "binary") }},
		"MD5":    {1, 1, "s", "wl_md5", "", textOf(32)},
		"SHA":    {1, 1, "s", "wl_sha1", "", textOf(40)},
		"SHA1":   {1, 1, "s", "wl_sha1", "", textOf(40)},
		"SHA2":   {2, 2, "si", "wl_sha2", "", textOf(128)},
		"CRC32":  {1, 1, "s", "wl_crc32", "", func(*scope.Env, []scope.Val) scope.Type { t := scope.LongType(10); t.Unsigned = true; return t }},
		"TO_BASE64": {1, 1, "s", "wl_base64", "", func(e *scope.Env, a []scope.Val) scope.Type {
			return scope.TextType((4*e.Chars(a[0])+2)/3*4/3+4, e.Collation)
		}},
		"FROM_BASE64": {1, 1, "s", "wl_unbase64", "", func(e *scope.Env, a []scope.Val) scope.Type { return scope.TextType(e.Chars(a[0])*3/4, "binary") }},
		"QUOTE":       {1, 1, "s", "wl_quote", "", func(e *scope.Env, a []scope.Val) scope.Type { return scope.TextType(2*e.Chars(a[0])+2, e.Collation) }},
		"SOUNDEX":     {1, 1, "s", "wl_soundex", "", sameText},
		"FIND_IN_SET": {2, 2, "ssc", "wl_find_in_set", "", fixed(scope.LongType(3))},
		"STRCMP":      {2, 2, "ssc", "wl_strcmp", "", fixed(scope.LongType(2))},
		"BIN":         {1, 1, "i", "wl_base", ", 10, 2", textOf(64)}, "OCT": {1, 1, "i", "wl_base", ", 10, 8", textOf(64)},
		"CONV":      {3, 3, "sii", "wl_base", "", textOf(64)},
		"FORMAT":    {2, 2, "di", "wl_format", "", func(e *scope.Env, a []scope.Val) scope.Type { return scope.TextType(e.Chars(a[0])*4/3+33, e.Collation) }},
		"BIT_COUNT": {1, 1, "i", "wl_bit_count", "", fixed(scope.LongType(2))},
		"SQRT":      r1("wl_sqrt"), "EXP": r1("wl_exp"), "LN": r1("wl_ln"), "LOG2": r1("wl_log2"), "LOG10": r1("wl_log10"), "SIN": r1("wl_sin"), "COS": r1("wl_cos"),
		"TAN": r1("wl_tan"), "COT": r1("wl_cot"), "ASIN": r1("wl_asin"), "ACOS": r1("wl_acos"), "DEGREES": r1("wl_degrees"), "RADIANS": r1("wl_radians"),
		"POW": {2, 2, "rr", "wl_pow", "", fixed(scope.RealType())}, "POWER": {2, 2, "rr", "wl_pow", "", fixed(scope.RealType())},
		"ATAN2": {2, 2, "rr", "wl_atan2", "", fixed(scope.RealType())},
		"SIGN":  {1, 1, "d", "wl_sign", "", fixed(scope.LongType(2))},
		"YEAR":  {1, 1, "s", "wl_year", "", fixed(scope.LongType(5))},
		"MONTH": {1, 1, "s", "wl_month", "", fixed(scope.LongType(3))}, "DAY": {1, 1, "s", "wl_day", "", fixed(scope.LongType(3))}, "DAYOFMONTH": {1, 1, "s", "wl_day", "", fixed(scope.LongType(3))},
		"QUARTER": {1, 1, "s", "wl_quarter", "", fixed(scope.LongType(2))}, "HOUR": {1, 1, "s", "wl_hour", "", fixed(scope.LongType(4))},
		"MINUTE": {1, 1, "s", "wl_minute", "", fixed(scope.LongType(3))}, "SECOND": {1, 1, "s", "wl_second", "", fixed(scope.LongType(3))},
		"MICROSECOND": {1, 1, "s", "wl_microsecond", "", fixed(scope.LongType(7))}, "DAYOFWEEK": {1, 1, "s", "wl_dayofweek", "", fixed(scope.LongType(2))},
		"WEEKDAY": {1, 1, "s", "wl_weekday", "", fixed(scope.LongType(2))}, "DAYOFYEAR": {1, 1, "s", "wl_dayofyear", "", fixed(scope.LongType(4))},
		"TO_DAYS": {1, 1, "s", "wl_to_days", "", fixed(scope.LongType(7))}, "TO_SECONDS": {1, 1, "s", "wl_to_seconds", "", fixed(scope.BigType(13))},
		"DAYNAME": {1, 1, "s", "wl_dayname", "", textOf(9)}, "MONTHNAME": {1, 1, "s", "wl_monthname", "", textOf(9)},
		"LAST_DAY": {1, 1, "s", "wl_last_day", "", fixed(scope.DateType())}, "DATEDIFF": {2, 2, "ss", "wl_datediff", "", fixed(scope.LongType(8))},
		"TIME_TO_SEC": {1, 1, "s", "wl_time_to_sec", "", fixed(scope.BigType(18))}, "MAKEDATE": {2, 2, "ii", "wl_makedate", "", fixed(scope.DateType())},
		"MAKETIME": {3, 3, "iii", "wl_maketime", "", fixed(scope.TimeType(0))}, "FROM_DAYS": {1, 1, "i", "wl_from_days", "", fixed(scope.DateType())},
		"PERIOD_ADD":   {2, 2, "ii", "wl_period_add", "", fixed(scope.LongType(6))},
		"JSON_VALID":   {1, 1, "s", "json_valid", "", fixed(scope.LongType(1))},
		"JSON_LENGTH":  {1, 1, "s", "wl_json_length", "", fixed(scope.LongType(10))},
		"JSON_UNQUOTE": {1, 1, "s", "wl_json_unquote", "", sameText},
		"JSON_QUOTE":   {1, 1, "s", "wl_json_quote", "", func(e *scope.Env, a []scope.Val) scope.Type { return scope.TextType(e.Chars(a[0])*6+2, e.Collation) }},
		"JSON_TYPE":    {1, 1, "s", "wl_json_type", "", textOf(12)},
		"JSON_KEYS":    {1, 1, "s", "wl_json_keys", "", sameText},
		"SLEEP":        {1, 1, "r", "wl_sleep", "", fixed(scope.LongType(1))},
		"UUID":         {0, 0, "", "wl_uuid", "", textOf(36)},
		"RAND":         {0, 1, "i", "wl_rand", "", fixed(scope.RealType())},
	}
	return m
}

// functions are the simple ones.
var functions = simpleFunctions()

func hexLength(e *scope.Env, v scope.Val) int {
	if v.T.Numeric() {
		return 16
	}
	if v.Rep() == catalog.RepBytes {
		return 2 * e.Chars(v)
	}
	return 8 * e.Chars(v)
}

// number returns the value of a constant integer, or def.
func number(v scope.Val, def int) int {
	if v.Lit == nil {
		return def
	}
	n, digits := 0, strings.TrimPrefix(v.Lit.Text, "-")
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' || n > 1<<24 {
			return def
		}
		n = n*10 + int(c-'0')
	}
	if strings.HasPrefix(v.Lit.Text, "-") {
		n = -n
	}
	return n
}

func cutText(e *scope.Env, a []scope.Val) scope.Type {
	t := sameText(e, a)
	return scope.TextType(max(0, min(t.Length, number(a[1], t.Length))), t.Collation)
}

func cutText3(e *scope.Env, a []scope.Val) scope.Type {
	t := sameText(e, a)
	n := t.Length
	if p := number(a[1], 0); p > 0 {
		n -= p - 1
	} else if p < 0 {
		n = min(n, -p)
	}
	if len(a) > 2 {
		n = min(n, number(a[2], n))
	}
	return scope.TextType(max(0, n), t.Collation)
}

func timesText(e *scope.Env, a []scope.Val) scope.Type {
	t := sameText(e, a)
	n := number(a[1], 1<<24)
	if n > 1<<24/max(1, t.Length) {
		return scope.TextType(1<<24, t.Collation)
	}
	return scope.TextType(t.Length*max(n, 0), t.Collation)
}

func padText(e *scope.Env, a []scope.Val) scope.Type {
	return scope.TextType(number(a[1], 1<<24), sameText(e, a).Collation)
}

// compileCall compiles a call of a function.
func compileCall(e *scope.Env, s *scope.Scope, f *ast.Func) scope.Val {
	if f.Over != nil || isAggregate(f.Name) {
		return aggregate(e, s, f)
	}
	if v, ok := info(e, f); ok {
		return v
	}
	if d, ok := functions[f.Name]; ok {
		args := args1(e, s, f, d.min, d.max)
		return simpleCall(e, f.Name, &d, args)
	}
	if c, ok := special[f.Name]; ok {
		return c(e, s, f)
	}
	scope.Fail(1305, "FUNCTION %s does not exist", functionName(e, f.Name))
	return scope.Val{}
}

func functionName(e *scope.Env, name string) string {
	if e.DB == "" {
		return name
	}
	return e.DB + "." + name
}

// args1 compiles the arguments of a function and sees to their number.
func args1(e *scope.Env, s *scope.Scope, f *ast.Func, least, most int) []scope.Val {
	if len(f.Args) < least || most >= 0 && len(f.Args) > most || f.Distinct {
		scope.Fail(1582, "Incorrect parameter count in the call to native function '%s'", f.Name)
	}
	list := make([]scope.Val, len(f.Args))
	for i, x := range f.Args {
		list[i] = e.Single(s, x)
	}
	return list
}

func simpleCall(e *scope.Env, name string, d *simple, args []scope.Val) scope.Val {
	t := d.t(e, args)
	t.NotNull = len(args) > 0 && !mayBeNull[name]
	list := make([]string, len(args))
	for i, a := range args {
		t.NotNull = t.NotNull && a.T.NotNull
		letter := d.args[min(i, len(d.args)-1)]
		if letter == 'c' {
			letter = 's'
		}
		list[i] = form(e, a, letter)
	}
	if strings.HasSuffix(d.args, "c") {
		list = append(list, "'"+e.CmpOf(args[0], args[1])+"'")
	}
	return scope.Val{SQL: d.sql + "(" + strings.Join(list, ", ") + d.tail + ")", T: t}
}

// mayBeNull are the functions that may be NULL although no argument is.
var mayBeNull = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(`YEAR MONTH DAY DAYOFMONTH QUARTER HOUR MINUTE SECOND MICROSECOND DAYOFWEEK WEEKDAY DAYOFYEAR TO_DAYS
		TO_SECONDS DAYNAME MONTHNAME LAST_DAY DATEDIFF TIME_TO_SEC MAKEDATE MAKETIME FROM_DAYS UNHEX FROM_BASE64 SQRT LN LOG2 LOG10 ASIN
		ACOS POW POWER REPEAT LPAD RPAD SPACE SHA2 CONV BIN OCT JSON_LENGTH JSON_TYPE JSON_KEYS JSON_UNQUOTE CONCAT
		REPLACE INSERT TO_BASE64 SOUNDEX FORMAT EXP COT`) {
		m[n] = true
	}
	return m
}()

// form brings an argument to the form that a letter stands for.
func form(e *scope.Env, v scope.Val, letter byte) string {
	if v.Rep() == catalog.RepNull {
		return v.SQL
	}
	switch letter {
	case 's':
		return e.AsText(v)
	case 'i':
		return e.AsInt(v)
	case 'r':
		return e.AsReal(v)
	case 'd':
		if v.Rep() == catalog.RepReal {
			return v.SQL
		}
		return e.AsDec(v)
	case 'b':
		return e.AsBytes(v)
	case 'h':
		if v.Rep() == catalog.RepDec || v.Rep() == catalog.RepReal {
			return e.AsInt(v)
		}
		if v.Rep() == catalog.RepInt {
			return v.SQL
		}
		return e.AsText(v)
	}
	return v.SQL
}

// info compiles the functions that are constants of the session.
func info(e *scope.Env, f *ast.Func) (scope.Val, bool) {
	name := f.Name
	switch name {
	case "SCHEMA":
		name = "DATABASE"
	case "SESSION_USER", "SYSTEM_USER":
		name = "USER"
	}
	if v, ok := e.Info[name]; ok && len(f.Args) == 0 {
		return e.Constant(v), true
	}
	digits := 0
	if len(f.Args) == 1 {
		if l, ok := f.Args[0].(*ast.Lit); ok && l.Kind == ast.LitInt {
			digits = min(6, max(0, number(scope.Val{Lit: l}, 0)))
		}
	}
	env := e
	if strings.HasPrefix(name, "UTC_") {
		c := *e
		c.Now = e.Now.UTC()
		env = &c
	}
	var text string
	var t scope.Type
	switch name {
	case "NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE", "UTC_TIMESTAMP":
		text, t = env.NowText(digits), scope.DatetimeType(digits)
	case "CURDATE", "CURRENT_DATE", "UTC_DATE":
		text, t = env.NowText(0)[:10], scope.DateType()
	case "CURTIME", "CURRENT_TIME", "UTC_TIME":
		text, t = env.NowText(digits)[11:], scope.TimeType(digits)
	default:
		return scope.Val{}, false
	}
	t.NotNull = true
	return scope.Val{SQL: e.Bind(text), T: t, Text: text}, true
}
