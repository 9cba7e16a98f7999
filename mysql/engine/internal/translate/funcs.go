package translate

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// simple is a function whose arguments are brought to one form each and handed
// to a function of SQLite's.
type simple struct {
	min, max int    // number of arguments; max -1: any
	args     string // of each the form: s text, i integer, r real, d decimal, a as it is, b bytes, c texts' comparison appended; the last repeats
	sql      string // the function
	tail     string // further arguments
	t        func(e *Env, a []val) Type
}

func fixed(t Type) func(*Env, []val) Type { return func(*Env, []val) Type { return t } }

// sameText is a text as long as the first argument.
func sameText(e *Env, a []val) Type {
	c := a[0].t.Collation
	if a[0].rep() != catalog.RepText && a[0].rep() != catalog.RepBytes {
		c = e.Collation
	}
	return textType(e.chars(a[0]), c)
}

func textOf(n int) func(*Env, []val) Type {
	return func(e *Env, _ []val) Type { return textType(n, e.Collation) }
}

func sumText(e *Env, a []val) Type {
	n, c := 0, ""
	for _, v := range a {
		n += e.chars(v)
		if v.rep() == catalog.RepBytes {
			c = "binary"
		}
		if c == "" && v.rep() == catalog.RepText && v.lit == nil {
			c = v.t.Collation
		}
	}
	if c == "" {
		c = e.Collation
	}
	return textType(n, c)
}

func unsignedBig() Type {
	t := bigType(21)
	t.Unsigned = true
	return t
}

func simpleFunctions() map[string]simple {
	r1 := func(sql string) simple { return simple{1, 1, "r", sql, "", fixed(realType())} }
	m := map[string]simple{
		"LENGTH": {1, 1, "s", "wl_length", "", fixed(longType(10))}, "OCTET_LENGTH": {1, 1, "s", "wl_length", "", fixed(longType(10))},
		"CHAR_LENGTH": {1, 1, "s", "wl_char_length", "", fixed(longType(10))}, "CHARACTER_LENGTH": {1, 1, "s", "wl_char_length", "", fixed(longType(10))},
		"BIT_LENGTH": {1, 1, "s", "8 * wl_length", "", fixed(longType(11))},
		"UPPER":      {1, 1, "s", "wl_upper", "", sameText}, "UCASE": {1, 1, "s", "wl_upper", "", sameText},
		"LOWER": {1, 1, "s", "wl_lower", "", sameText}, "LCASE": {1, 1, "s", "wl_lower", "", sameText},
		"REVERSE":         {1, 1, "s", "wl_reverse", "", sameText},
		"LEFT":            {2, 2, "si", "wl_left", "", cutText},
		"RIGHT":           {2, 2, "si", "wl_right", "", cutText},
		"SUBSTRING":       {2, 3, "sii", "wl_substring", "", cutText3},
		"SUBSTRING_INDEX": {3, 3, "ssi", "wl_substring_index", "", sameText},
		"LTRIM":           {1, 1, "s", "wl_trim", ", ' ', 'LEADING'", sameText}, "RTRIM": {1, 1, "s", "wl_trim", ", ' ', 'TRAILING'", sameText},
		"REPEAT":      {2, 2, "si", "wl_repeat", "", timesText},
		"SPACE":       {1, 1, "i", "wl_space", "", func(e *Env, a []val) Type { return textType(number(a[0], 1<<24), e.Collation) }},
		"REPLACE":     {3, 3, "sss", "wl_replace", "", sameText},
		"INSERT":      {4, 4, "siis", "wl_insert", "", func(e *Env, a []val) Type { return textType(e.chars(a[0])+e.chars(a[3]), sameText(e, a).Collation) }},
		"CONCAT":      {1, -1, "s", "wl_concat", "", sumText},
		"LPAD":        {2, 3, "sis", "wl_lpad", "", padText},
		"RPAD":        {2, 3, "sis", "wl_rpad", "", padText},
		"ASCII":       {1, 1, "s", "wl_ascii", "", fixed(longType(3))},
		"ORD":         {1, 1, "s", "wl_ord", "", fixed(longType(7))},
		"HEX":         {1, 1, "h", "wl_hex", "", func(e *Env, a []val) Type { return textType(hexLength(e, a[0]), e.Collation) }},
		"UNHEX":       {1, 1, "s", "wl_unhex", "", func(e *Env, a []val) Type { return textType((e.chars(a[0])+1)/2, "binary") }},
		"MD5":         {1, 1, "s", "wl_md5", "", textOf(32)},
		"SHA":         {1, 1, "s", "wl_sha1", "", textOf(40)},
		"SHA1":        {1, 1, "s", "wl_sha1", "", textOf(40)},
		"SHA2":        {2, 2, "si", "wl_sha2", "", textOf(128)},
		"CRC32":       {1, 1, "s", "wl_crc32", "", func(*Env, []val) Type { t := longType(10); t.Unsigned = true; return t }},
		"TO_BASE64":   {1, 1, "s", "wl_base64", "", func(e *Env, a []val) Type { return textType((4*e.chars(a[0])+2)/3*4/3+4, e.Collation) }},
		"FROM_BASE64": {1, 1, "s", "wl_unbase64", "", func(e *Env, a []val) Type { return textType(e.chars(a[0])*3/4, "binary") }},
		"QUOTE":       {1, 1, "s", "wl_quote", "", func(e *Env, a []val) Type { return textType(2*e.chars(a[0])+2, e.Collation) }},
		"SOUNDEX":     {1, 1, "s", "wl_soundex", "", sameText},
		"FIND_IN_SET": {2, 2, "ssc", "wl_find_in_set", "", fixed(longType(3))},
		"STRCMP":      {2, 2, "ssc", "wl_strcmp", "", fixed(longType(2))},
		"BIN":         {1, 1, "i", "wl_base", ", 10, 2", textOf(64)}, "OCT": {1, 1, "i", "wl_base", ", 10, 8", textOf(64)},
		"CONV":      {3, 3, "sii", "wl_base", "", textOf(64)},
		"FORMAT":    {2, 2, "di", "wl_format", "", func(e *Env, a []val) Type { return textType(e.chars(a[0])*4/3+33, e.Collation) }},
		"BIT_COUNT": {1, 1, "i", "wl_bit_count", "", fixed(longType(2))},
		"SQRT":      r1("wl_sqrt"), "EXP": r1("wl_exp"), "LN": r1("wl_ln"), "LOG2": r1("wl_log2"), "LOG10": r1("wl_log10"), "SIN": r1("wl_sin"), "COS": r1("wl_cos"),
		"TAN": r1("wl_tan"), "COT": r1("wl_cot"), "ASIN": r1("wl_asin"), "ACOS": r1("wl_acos"), "DEGREES": r1("wl_degrees"), "RADIANS": r1("wl_radians"),
		"POW": {2, 2, "rr", "wl_pow", "", fixed(realType())}, "POWER": {2, 2, "rr", "wl_pow", "", fixed(realType())},
		"ATAN2": {2, 2, "rr", "wl_atan2", "", fixed(realType())},
		"SIGN":  {1, 1, "d", "wl_sign", "", fixed(longType(2))},
		"YEAR":  {1, 1, "s", "wl_year", "", fixed(longType(5))},
		"MONTH": {1, 1, "s", "wl_month", "", fixed(longType(3))}, "DAY": {1, 1, "s", "wl_day", "", fixed(longType(3))}, "DAYOFMONTH": {1, 1, "s", "wl_day", "", fixed(longType(3))},
		"QUARTER": {1, 1, "s", "wl_quarter", "", fixed(longType(2))}, "HOUR": {1, 1, "s", "wl_hour", "", fixed(longType(4))},
		"MINUTE": {1, 1, "s", "wl_minute", "", fixed(longType(3))}, "SECOND": {1, 1, "s", "wl_second", "", fixed(longType(3))},
		"MICROSECOND": {1, 1, "s", "wl_microsecond", "", fixed(longType(7))}, "DAYOFWEEK": {1, 1, "s", "wl_dayofweek", "", fixed(longType(2))},
		"WEEKDAY": {1, 1, "s", "wl_weekday", "", fixed(longType(2))}, "DAYOFYEAR": {1, 1, "s", "wl_dayofyear", "", fixed(longType(4))},
		"TO_DAYS": {1, 1, "s", "wl_to_days", "", fixed(longType(7))}, "TO_SECONDS": {1, 1, "s", "wl_to_seconds", "", fixed(bigType(13))},
		"DAYNAME": {1, 1, "s", "wl_dayname", "", textOf(9)}, "MONTHNAME": {1, 1, "s", "wl_monthname", "", textOf(9)},
		"LAST_DAY": {1, 1, "s", "wl_last_day", "", fixed(dateType())}, "DATEDIFF": {2, 2, "ss", "wl_datediff", "", fixed(longType(8))},
		"TIME_TO_SEC": {1, 1, "s", "wl_time_to_sec", "", fixed(bigType(18))}, "MAKEDATE": {2, 2, "ii", "wl_makedate", "", fixed(dateType())},
		"MAKETIME": {3, 3, "iii", "wl_maketime", "", fixed(timeType(0))}, "FROM_DAYS": {1, 1, "i", "wl_from_days", "", fixed(dateType())},
		"PERIOD_ADD":   {2, 2, "ii", "wl_period_add", "", fixed(longType(6))},
		"JSON_VALID":   {1, 1, "s", "json_valid", "", fixed(longType(1))},
		"JSON_LENGTH":  {1, 1, "s", "wl_json_length", "", fixed(longType(10))},
		"JSON_UNQUOTE": {1, 1, "s", "wl_json_unquote", "", sameText},
		"JSON_QUOTE":   {1, 1, "s", "wl_json_quote", "", func(e *Env, a []val) Type { return textType(e.chars(a[0])*6+2, e.Collation) }},
		"JSON_TYPE":    {1, 1, "s", "wl_json_type", "", textOf(12)},
		"JSON_KEYS":    {1, 1, "s", "wl_json_keys", "", sameText},
		"SLEEP":        {1, 1, "r", "wl_sleep", "", fixed(longType(1))},
		"UUID":         {0, 0, "", "wl_uuid", "", textOf(36)},
		"RAND":         {0, 1, "i", "wl_rand", "", fixed(realType())},
	}
	return m
}

// functions are the simple ones.
var functions = simpleFunctions()

func hexLength(e *Env, v val) int {
	if v.t.Numeric() {
		return 16
	}
	if v.rep() == catalog.RepBytes {
		return 2 * e.chars(v)
	}
	return 8 * e.chars(v)
}

// number returns the value of a constant integer, or def.
func number(v val, def int) int {
	if v.lit == nil {
		return def
	}
	n, digits := 0, strings.TrimPrefix(v.lit.Text, "-")
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' || n > 1<<24 {
			return def
		}
		n = n*10 + int(c-'0')
	}
	if strings.HasPrefix(v.lit.Text, "-") {
		n = -n
	}
	return n
}

func cutText(e *Env, a []val) Type {
	t := sameText(e, a)
	return textType(max(0, min(t.Length, number(a[1], t.Length))), t.Collation)
}

func cutText3(e *Env, a []val) Type {
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
	return textType(max(0, n), t.Collation)
}

func timesText(e *Env, a []val) Type {
	t := sameText(e, a)
	n := number(a[1], 1<<24)
	if n > 1<<24/max(1, t.Length) {
		return textType(1<<24, t.Collation)
	}
	return textType(t.Length*max(n, 0), t.Collation)
}

func padText(e *Env, a []val) Type {
	return textType(number(a[1], 1<<24), sameText(e, a).Collation)
}

// call compiles a call of a function.
func (e *Env) call(s *scope, f *ast.Func) val {
	if f.Over != nil || isAggregate(f.Name) {
		return e.aggregate(s, f)
	}
	if v, ok := e.info(f); ok {
		return v
	}
	if d, ok := functions[f.Name]; ok {
		args := e.args1(s, f, d.min, d.max)
		return e.simpleCall(f.Name, &d, args)
	}
	if c, ok := special[f.Name]; ok {
		return c(e, s, f)
	}
	fail(1305, "FUNCTION %s does not exist", e.functionName(f.Name))
	return val{}
}

func (e *Env) functionName(name string) string {
	if e.DB == "" {
		return name
	}
	return e.DB + "." + name
}

// args1 compiles the arguments of a function and sees to their number.
func (e *Env) args1(s *scope, f *ast.Func, least, most int) []val {
	if len(f.Args) < least || most >= 0 && len(f.Args) > most || f.Distinct {
		fail(1582, "Incorrect parameter count in the call to native function '%s'", f.Name)
	}
	list := make([]val, len(f.Args))
	for i, x := range f.Args {
		list[i] = e.single(s, x)
	}
	return list
}

func (e *Env) simpleCall(name string, d *simple, args []val) val {
	t := d.t(e, args)
	t.NotNull = len(args) > 0 && !mayBeNull[name]
	list := make([]string, len(args))
	for i, a := range args {
		t.NotNull = t.NotNull && a.t.NotNull
		form := d.args[min(i, len(d.args)-1)]
		if form == 'c' {
			form = 's'
		}
		list[i] = e.form(a, form)
	}
	if strings.HasSuffix(d.args, "c") {
		list = append(list, "'"+e.cmpOf(args[0], args[1])+"'")
	}
	return val{sql: d.sql + "(" + strings.Join(list, ", ") + d.tail + ")", t: t}
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
func (e *Env) form(v val, letter byte) string {
	if v.rep() == catalog.RepNull {
		return v.sql
	}
	switch letter {
	case 's':
		return e.asText(v)
	case 'i':
		return e.asInt(v)
	case 'r':
		return e.asReal(v)
	case 'd':
		if v.rep() == catalog.RepReal {
			return v.sql
		}
		return e.asDec(v)
	case 'b':
		return e.asBytes(v)
	case 'h':
		if v.rep() == catalog.RepDec || v.rep() == catalog.RepReal {
			return e.asInt(v)
		}
		if v.rep() == catalog.RepInt {
			return v.sql
		}
		return e.asText(v)
	}
	return v.sql
}

// info compiles the functions that are constants of the session.
func (e *Env) info(f *ast.Func) (val, bool) {
	name := f.Name
	switch name {
	case "SCHEMA":
		name = "DATABASE"
	case "SESSION_USER", "SYSTEM_USER":
		name = "USER"
	}
	if v, ok := e.Info[name]; ok && len(f.Args) == 0 {
		return e.constant(v), true
	}
	digits := 0
	if len(f.Args) == 1 {
		if l, ok := f.Args[0].(*ast.Lit); ok && l.Kind == ast.LitInt {
			digits = min(6, max(0, number(val{lit: l}, 0)))
		}
	}
	env := e
	if strings.HasPrefix(name, "UTC_") {
		c := *e
		c.Now = e.Now.UTC()
		env = &c
	}
	text, t := "", Type{}
	switch name {
	case "NOW", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE", "UTC_TIMESTAMP":
		text, t = env.now(digits), datetimeType(digits)
	case "CURDATE", "CURRENT_DATE", "UTC_DATE":
		text, t = env.now(0)[:10], dateType()
	case "CURTIME", "CURRENT_TIME", "UTC_TIME":
		text, t = env.now(digits)[11:], timeType(digits)
	default:
		return val{}, false
	}
	t.NotNull = true
	return val{sql: e.bind(text), t: t, text: text}, true
}
