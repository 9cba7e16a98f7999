package translate

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
func (e *Env) enumNumber(v val) string {
	f := "wl_enum_index"
	if v.t.Kind == mysql.TypeSet {
		f = "wl_set_bits"
	}
	return f + "(" + v.sql + ", " + quoteList(v.t.Values) + ")"
}

// big reports whether values of t may be beyond SQLite's integers.
func big(t Type) bool {
	return t.Unsigned && (t.Kind == mysql.TypeLonglong || t.Kind == mysql.TypeBit && t.Length == 64)
}

func (e *Env) asReal(v val) string {
	switch v.rep() {
	case catalog.RepReal:
		return v.sql
	case catalog.RepInt:
		if big(v.t) {
			return "wl_real(" + v.sql + ")"
		}
		return "CAST(" + v.sql + " AS REAL)"
	case catalog.RepDate, catalog.RepDatetime, catalog.RepTime:
		return "CAST(wl_temporal_num(" + v.sql + ") AS REAL)"
	case catalog.RepBytes:
		if v.isHex() { // x'1F' is a number where one is wanted
			return "CAST(" + e.hexNumber(v) + " AS REAL)"
		}
	case catalog.RepText:
		if len(v.t.Values) > 0 {
			return "CAST(" + e.enumNumber(v) + " AS REAL)"
		}
	}
	return "CAST(" + v.sql + " AS REAL)"
}

// hexNumber is the number that a hexadecimal literal stands for.
func (e *Env) hexNumber(v val) string {
	var u uint64
	for _, c := range []byte(v.text) {
		u = u<<8 | uint64(c)
	}
	if u>>63 != 0 {
		return e.bind([]byte(v.text))
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

func (e *Env) asInt(v val) string {
	switch v.rep() {
	case catalog.RepInt:
		return v.sql
	case catalog.RepDec:
		return "wl_castint(" + v.sql + ", 0, 1)"
	case catalog.RepBytes:
		if v.isHex() {
			return e.hexNumber(v)
		}
	case catalog.RepText:
		if len(v.t.Values) > 0 {
			return e.enumNumber(v)
		}
	case catalog.RepDate, catalog.RepDatetime, catalog.RepTime:
		return "wl_castint(wl_temporal_num(" + v.sql + "), 0, 1)"
	}
	return "wl_castint(" + e.asReal(v) + ", 0, 1)"
}

func (e *Env) asDec(v val) string {
	switch v.rep() {
	case catalog.RepDec:
		return v.sql
	case catalog.RepInt:
		if big(v.t) {
			return "wl_text(" + v.sql + ", 1)"
		}
		return "CAST(" + v.sql + " AS TEXT)"
	case catalog.RepDate, catalog.RepDatetime, catalog.RepTime:
		return "wl_todec(wl_temporal_num(" + v.sql + "))"
	case catalog.RepReal:
		return "wl_todec(" + v.sql + ")"
	}
	if len(v.t.Values) > 0 {
		return "wl_todec(" + e.enumNumber(v) + ")"
	}
	return "wl_todec(" + v.sql + ")"
}

// asText is v as a text; bytes stay bytes.
func (e *Env) asText(v val) string {
	switch v.rep() {
	case catalog.RepInt:
		if v.t.Kind == mysql.TypeBit {
			return "wl_bit_bytes(" + v.sql + ", " + itoa(v.t.Length) + ")"
		}
		if v.t.Zerofill {
			return "printf('%0" + itoa(v.t.Length) + "d', " + v.sql + ")"
		}
		if big(v.t) {
			return "wl_text(" + v.sql + ", 1)"
		}
		return "CAST(" + v.sql + " AS TEXT)"
	case catalog.RepReal:
		switch {
		case v.t.Decimals < 31:
			return "wl_text(" + v.sql + ", 2, " + itoa(v.t.Decimals) + ")"
		case v.t.Kind == mysql.TypeFloat:
			return "wl_text(" + v.sql + ", 2, -1)"
		}
		return "wl_text(" + v.sql + ", 2)"
	}
	return v.sql
}

func (e *Env) asBytes(v val) string {
	if v.rep() == catalog.RepBytes {
		return v.sql
	}
	return "CAST(" + e.asText(v) + " AS BLOB)"
}

// asBool is v as SQLite's condition.
func (e *Env) asBool(v val) string {
	if v.list != nil {
		fail(1241, "Operand should contain 1 column(s)")
	}
	switch v.rep() {
	case catalog.RepInt:
		if big(v.t) {
			return "(" + v.sql + ") <> 0"
		}
		return v.sql
	case catalog.RepReal, catalog.RepNull:
		return v.sql
	}
	return "(" + e.asReal(v) + ") <> 0.0"
}

func (e *Env) asDate(v val) string {
	if v.rep() == catalog.RepDate {
		return v.sql
	}
	if v.rep() == catalog.RepTime {
		return e.bind(e.now(0)[:10])
	}
	return "wl_date(" + e.asText(v) + ")"
}

func (e *Env) asDatetime(v val, digits int) string {
	switch {
	case v.rep() == catalog.RepDatetime && v.t.Decimals == digits:
		return v.sql
	case v.rep() == catalog.RepTime:
		return "wl_addtime(" + e.bind(e.now(0)[:10]+" 00:00:00") + ", " + v.sql + ", 1, " + itoa(digits) + ")"
	}
	return "wl_datetime(" + e.asText(v) + ", " + itoa(digits) + ")"
}

func (e *Env) asTime(v val, digits int) string {
	if v.rep() == catalog.RepTime && v.t.Decimals == digits {
		return v.sql
	}
	if v.rep() == catalog.RepDate {
		return "'00:00:00'"
	}
	return "wl_time(" + e.asText(v) + ", " + itoa(digits) + ")"
}

// numeric is the type that v has as an operand of arithmetic.
func (e *Env) numeric(v val) *Type {
	t := v.t
	switch v.rep() {
	case catalog.RepDate:
		t = bigType(8)
	case catalog.RepDatetime:
		t = bigType(14)
		if v.t.Decimals > 0 {
			t = decType(14+v.t.Decimals, v.t.Decimals)
		}
	case catalog.RepTime:
		t = bigType(7)
		if v.t.Decimals > 0 {
			t = decType(7+v.t.Decimals, v.t.Decimals)
		}
	case catalog.RepBytes:
		if v.isHex() {
			t = intType(3 * len(v.text))
			t.Unsigned = true
			break
		}
		t = realType()
	case catalog.RepText:
		t = realType()
		if len(v.t.Values) > 0 {
			t = longType(6)
			if v.t.Kind == mysql.TypeSet && len(v.t.Values) > 24 {
				t = bigType(21)
			}
		}
	case catalog.RepNull:
		t = intType(0)
	}
	return &t
}
