package scope

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// Merge returns the type that holds the values of all of list: of CASE, IF,
// COALESCE and UNION.
func (e *Env) Merge(list []Val) Type {
	var t Type
	first, notNull := true, true
	for _, v := range list {
		if v.Rep() == catalog.RepNull {
			notNull = false
			continue
		}
		notNull = notNull && v.T.NotNull
		if first {
			t, first = v.T, false
			continue
		}
		t = e.merge2(t, v.T)
	}
	if first {
		return nullType()
	}
	t.NotNull, t.Expr = notNull, true
	return t
}

func (e *Env) merge2(a, b Type) Type {
	ra, rb := a.Rep(), b.Rep()
	switch {
	case a.Kind == b.Kind && ra == rb && len(a.Values) == 0:
		t := a
		t.Length, t.Decimals = max(a.Length, b.Length), max(a.Decimals, b.Decimals)
		t.Precision = max(a.Precision-a.Decimals, b.Precision-b.Decimals) + t.Decimals
		t.Unsigned = a.Unsigned && b.Unsigned
		if ra == catalog.RepDec {
			t.Length = DecType(t.Precision, t.Decimals).Length
		}
		t.Collation = e.mergeCollation(a, b)
		return t
	case a.Numeric() && b.Numeric():
		if ra == catalog.RepReal || rb == catalog.RepReal {
			return RealType()
		}
		if ra == catalog.RepDec || rb == catalog.RepDec {
			scale := max(a.Decimals, b.Decimals)
			return DecType(max(a.Precision-a.Decimals, b.Precision-b.Decimals)+scale, scale)
		}
		t := a
		if b.Length > a.Length {
			t = b
		}
		if intRank(b) > intRank(a) {
			t.Kind = b.Kind
		} else {
			t.Kind = a.Kind
		}
		t.Precision, t.Length, t.Unsigned = max(a.Precision, b.Precision), max(a.Length, b.Length), a.Unsigned && b.Unsigned
		if a.Unsigned != b.Unsigned && max(a.Precision, b.Precision) >= 19 {
			return DecType(20, 0)
		}
		return t
	case a.Temporal() && b.Temporal():
		if ra == catalog.RepTime && rb == catalog.RepTime {
			return TimeType(max(a.Decimals, b.Decimals))
		}
		return DatetimeType(max(a.Decimals, b.Decimals))
	case ra == catalog.RepBytes || rb == catalog.RepBytes:
		return TextType(max(a.Length, b.Length), "binary")
	}
	t := TextType(max(typeChars(a), typeChars(b)), e.mergeCollation(a, b))
	if a.Blob() && a.Rep() == catalog.RepText && t.Length == a.Length {
		t.Kind = a.Kind
	}
	return t
}

// intRank orders the integer types by size.
func intRank(t Type) int {
	switch t.Precision {
	case 0:
		return 0
	}
	return map[string]int{"MYSQL_TYPE_TINY": 1, "MYSQL_TYPE_SHORT": 2, "MYSQL_TYPE_YEAR": 2, "MYSQL_TYPE_INT24": 3, "MYSQL_TYPE_LONG": 4, "MYSQL_TYPE_LONGLONG": 5}[t.Kind.String()]
}

func (e *Env) mergeCollation(a, b Type) string {
	ca, cb := a.Collation, b.Collation
	switch {
	case a.Rep() != catalog.RepText:
		if b.Rep() != catalog.RepText {
			if ca == "binary" && cb == "binary" {
				return ca
			}
			return e.Collation
		}
		return cb
	case b.Rep() != catalog.RepText:
		return ca
	case strings.HasSuffix(cb, "_bin"):
		return cb
	}
	return ca
}

// typeChars is how many characters values of t have as a text.
func typeChars(t Type) int { return t.Length }

// Chars is how many characters v has as a text.
func (e *Env) Chars(v Val) int { return typeChars(v.T) }

// Convert brings v to the form in which t is held.
func (e *Env) Convert(v Val, t Type) Val {
	from, to := v.Rep(), t.Rep()
	if from == catalog.RepNull {
		return Val{SQL: "NULL", T: t}
	}
	if v.SQL == "NULL" {
		return Val{SQL: "NULL", T: t}
	}
	out := Val{SQL: v.SQL, T: t, Text: v.Text}
	switch to {
	case catalog.RepInt:
		if from != to {
			out.SQL = e.AsInt(v)
		}
	case catalog.RepReal:
		out.SQL = e.AsReal(v)
	case catalog.RepDec:
		if from != to || v.T.Decimals != t.Decimals {
			out.SQL = "wl_todec(" + e.AsDec(v) + ", " + Itoa(t.Decimals) + ")"
		}
	case catalog.RepText:
		out.SQL = e.AsText(v)
		if from == catalog.RepBytes {
			out.SQL = "CAST(" + v.SQL + " AS TEXT)"
		}
	case catalog.RepBytes:
		out.SQL = e.AsBytes(v)
	case catalog.RepDate:
		out.SQL = e.AsDate(v)
	case catalog.RepDatetime:
		out.SQL = e.AsDatetime(v, t.Decimals)
	case catalog.RepTime:
		out.SQL = e.AsTime(v, t.Decimals)
	}
	return out
}
