package scope

import (
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// quoteList writes the values of an ENUM as arguments.
func quoteList(list []string) string {
	q := make([]string, len(list))
	for i, v := range list {
		q[i] = catalog.QuoteText(v)
	}
	return strings.Join(q, ", ")
}

// enumNumber is the number of a value of ENUM, or the bits of one of SET.
func (e *Env) enumNumber(v Val) string {
	f := "wl_enum_index"
	if v.T.Kind == mysql.TypeSet {
		f = "wl_set_bits"
	}
	return f + "(" + v.SQL + ", " + quoteList(v.T.Values) + ")"
}

// Big reports whether values of t may be beyond SQLite's integers.
func Big(t Type) bool {
	return t.Unsigned && (t.Kind == mysql.TypeLonglong || t.Kind == mysql.TypeBit && t.Length == 64)
}

// AsReal is v as a real number.
func (e *Env) AsReal(v Val) string {
	switch v.Rep() {
	case catalog.RepReal:
		return v.SQL
	case catalog.RepInt:
		if Big(v.T) {
			return "wl_real(" + v.SQL + ")"
		}
		return "CAST(" + v.SQL + " AS REAL)"
	case catalog.RepDate, catalog.RepDatetime, catalog.RepTime:
		return "CAST(wl_temporal_num(" + v.SQL + ") AS REAL)"
	case catalog.RepBytes:
		if v.isHex() { // x'1F' is a number where one is wanted
			return "CAST(" + e.hexNumber(v) + " AS REAL)"
		}
	case catalog.RepText:
		if len(v.T.Values) > 0 {
			return "CAST(" + e.enumNumber(v) + " AS REAL)"
		}
	}
	return "CAST(" + v.SQL + " AS REAL)"
}

// hexNumber is the number that a hexadecimal literal stands for.
func (e *Env) hexNumber(v Val) string {
	var u uint64
	for _, c := range []byte(v.Text) {
		u = u<<8 | uint64(c)
	}
	if u>>63 != 0 {
		return e.Bind([]byte(v.Text))
	}
	return utoa(u)
}

func utoa(u uint64) string {
	if u == 0 {
		return "0"
	}
	var b []byte
	for ; u > 0; u /= 10 {
		b = append([]byte{byte('0' + u%10)}, b...)
	}
	return string(b)
}

// AsInt is v as an integer, rounded.
func (e *Env) AsInt(v Val) string {
	switch v.Rep() {
	case catalog.RepInt:
		return v.SQL
	case catalog.RepDec:
		return "wl_castint(" + v.SQL + ", 0, 1)"
	case catalog.RepBytes:
		if v.isHex() {
			return e.hexNumber(v)
		}
	case catalog.RepText:
		if len(v.T.Values) > 0 {
			return e.enumNumber(v)
		}
	case catalog.RepDate, catalog.RepDatetime, catalog.RepTime:
		return "wl_castint(wl_temporal_num(" + v.SQL + "), 0, 1)"
	}
	return "wl_castint(" + e.AsReal(v) + ", 0, 1)"
}

// AsDec is v as an exact number.
func (e *Env) AsDec(v Val) string {
	switch v.Rep() {
	case catalog.RepDec:
		return v.SQL
	case catalog.RepInt:
		if Big(v.T) {
			return "wl_text(" + v.SQL + ", 1)"
		}
		return "CAST(" + v.SQL + " AS TEXT)"
	case catalog.RepDate, catalog.RepDatetime, catalog.RepTime:
		return "wl_todec(wl_temporal_num(" + v.SQL + "))"
	case catalog.RepReal:
		return "wl_todec(" + v.SQL + ")"
	}
	if len(v.T.Values) > 0 {
		return "wl_todec(" + e.enumNumber(v) + ")"
	}
	return "wl_todec(" + v.SQL + ")"
}

// AsText is v as a text; bytes stay bytes.
func (e *Env) AsText(v Val) string {
	switch v.Rep() {
	case catalog.RepInt:
		if v.T.Kind == mysql.TypeBit {
			return "wl_bit_bytes(" + v.SQL + ", " + Itoa(v.T.Length) + ")"
		}
		if v.T.Zerofill {
			return "printf('%0" + Itoa(v.T.Length) + "d', " + v.SQL + ")"
		}
		if Big(v.T) {
			return "wl_text(" + v.SQL + ", 1)"
		}
		return "CAST(" + v.SQL + " AS TEXT)"
	case catalog.RepReal:
		switch {
		case v.T.Decimals < 31:
			return "wl_text(" + v.SQL + ", 2, " + Itoa(v.T.Decimals) + ")"
		case v.T.Kind == mysql.TypeFloat:
			return "wl_text(" + v.SQL + ", 2, -1)"
		}
		return "wl_text(" + v.SQL + ", 2)"
	}
	return v.SQL
}

// AsBytes is v as bytes.
func (e *Env) AsBytes(v Val) string {
	if v.Rep() == catalog.RepBytes {
		return v.SQL
	}
	return "CAST(" + e.AsText(v) + " AS BLOB)"
}

// AsBool is v as SQLite's condition.
func (e *Env) AsBool(v Val) string {
	if v.List != nil {
		Fail(1241, "Operand should contain 1 column(s)")
	}
	switch v.Rep() {
	case catalog.RepInt:
		if Big(v.T) {
			return "(" + v.SQL + ") <> 0"
		}
		return v.SQL
	case catalog.RepReal, catalog.RepNull:
		return v.SQL
	}
	return "(" + e.AsReal(v) + ") <> 0.0"
}

// AsDate is v as a date; NULL if it is none.
func (e *Env) AsDate(v Val) string {
	if v.Rep() == catalog.RepDate {
		return v.SQL
	}
	if v.Rep() == catalog.RepTime {
		return e.Bind(e.NowText(0)[:10])
	}
	return "wl_date(" + e.AsText(v) + ")"
}

// AsDatetime is v as a date with a clock of so many digits of a second.
func (e *Env) AsDatetime(v Val, digits int) string {
	switch {
	case v.Rep() == catalog.RepDatetime && v.T.Decimals == digits:
		return v.SQL
	case v.Rep() == catalog.RepTime:
		return "wl_addtime(" + e.Bind(e.NowText(0)[:10]+" 00:00:00") + ", " + v.SQL + ", 1, " + Itoa(digits) + ")"
	}
	return "wl_datetime(" + e.AsText(v) + ", " + Itoa(digits) + ")"
}

// AsTime is v as a TIME of so many digits of a second.
func (e *Env) AsTime(v Val, digits int) string {
	if v.Rep() == catalog.RepTime && v.T.Decimals == digits {
		return v.SQL
	}
	if v.Rep() == catalog.RepDate {
		return "'00:00:00'"
	}
	return "wl_time(" + e.AsText(v) + ", " + Itoa(digits) + ")"
}

// Numeric is the type that v has as an operand of arithmetic.
func (e *Env) Numeric(v Val) *Type {
	t := v.T
	switch v.Rep() {
	case catalog.RepDate:
		t = BigType(8)
	case catalog.RepDatetime:
		t = BigType(14)
		if v.T.Decimals > 0 {
			t = DecType(14+v.T.Decimals, v.T.Decimals)
		}
	case catalog.RepTime:
		t = BigType(7)
		if v.T.Decimals > 0 {
			t = DecType(7+v.T.Decimals, v.T.Decimals)
		}
	case catalog.RepBytes:
		if v.isHex() {
			t = IntType(3 * len(v.Text))
			t.Unsigned = true
			break
		}
		t = RealType()
	case catalog.RepText:
		t = RealType()
		if len(v.T.Values) > 0 {
			t = LongType(6)
			if v.T.Kind == mysql.TypeSet && len(v.T.Values) > 24 {
				t = BigType(21)
			}
		}
	case catalog.RepNull:
		t = IntType(0)
	}
	return &t
}
