package catalog

import (
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// Type is the type of a column or of an expression.
type Type struct {
	Kind     mysql.Type `json:"k"`           // TypeVarString for VARCHAR, TypeString for CHAR, TypeEnum, TypeSet …
	Unsigned bool       `json:"u,omitempty"` //
	Zerofill bool       `json:"z,omitempty"` //
	// Length is in characters for texts, bytes for bytes, bits for BIT, and
	// for numbers the width of their longest text.
	Length    int      `json:"l,omitempty"`
	Precision int      `json:"p,omitempty"` // digits of a number
	Decimals  int      `json:"d,omitempty"` // behind the point; 31: any number; of a second: 0 to 6
	Collation string   `json:"c,omitempty"` // "binary" for what is no text
	Values    []string `json:"v,omitempty"` // of ENUM and SET
	JSON      bool     `json:"j,omitempty"`
	NotNull   bool     `json:"-"` // of an expression
	Expr      bool     `json:"-"` // no column: texts announce 39 decimals
}

// Rep says how values of a type are held in SQLite.
type Rep uint8

// The representations.
const (
	RepNull     Rep = iota
	RepInt          // INTEGER; unsigned ones from 1<<63 on are blobs of 8 bytes, which sort behind
	RepReal         // REAL
	RepDec          // TEXT in full scale, compared by the collation wl_decimal
	RepText         // TEXT
	RepBytes        // BLOB
	RepDate         // TEXT 2006-01-02
	RepDatetime     // TEXT 2006-01-02 15:04:05.000000, as many digits as declared
	RepTime         // TEXT -838:59:59.000000, compared by wl_time
)

// Rep returns how values of t are held.
func (t *Type) Rep() Rep {
	switch t.Kind {
	case mysql.TypeNull:
		return RepNull
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeInt24, mysql.TypeLong, mysql.TypeLonglong, mysql.TypeYear, mysql.TypeBit:
		return RepInt
	case mysql.TypeFloat, mysql.TypeDouble:
		return RepReal
	case mysql.TypeNewDecimal:
		return RepDec
	case mysql.TypeDate:
		return RepDate
	case mysql.TypeDatetime, mysql.TypeTimestamp:
		return RepDatetime
	case mysql.TypeTime:
		return RepTime
	}
	if t.Collation == "binary" {
		return RepBytes
	}
	return RepText
}

// Temporal reports whether t is a date or time.
func (t *Type) Temporal() bool { r := t.Rep(); return r == RepDate || r == RepDatetime || r == RepTime }

// Numeric reports whether t is a number.
func (t *Type) Numeric() bool { r := t.Rep(); return r == RepInt || r == RepReal || r == RepDec }

// Blob reports whether t is one of the BLOB or TEXT types.
func (t *Type) Blob() bool { return t.Kind >= mysql.TypeTinyBlob && t.Kind <= mysql.TypeBlob }

// Affinity returns the type that the column has in SQLite, with its collation.
func (t *Type) Affinity() string {
	switch t.Rep() {
	case RepInt:
		return "INTEGER"
	case RepReal:
		return "REAL"
	case RepBytes:
		return "BLOB"
	}
	if c := t.Compare(); c != "" {
		return "TEXT COLLATE " + c
	}
	return "TEXT"
}

// Compare returns the name of the collation in SQLite that compares values of
// t, or "" where bytes are compared.
func (t *Type) Compare() string {
	switch t.Rep() {
	case RepDec:
		return "wl_decimal"
	case RepTime:
		return "wl_time"
	case RepText:
		return CompareName(t.Collation)
	}
	return ""
}

// CompareName returns the collation in SQLite that stands for MySQL's.
func CompareName(collation string) string {
	switch {
	case collation == "binary":
		return ""
	case strings.HasSuffix(collation, "_bin"):
		return "wl_bin"
	case strings.HasSuffix(collation, "_cs"):
		return "wl_cs"
	case strings.Contains(collation, "0900") || strings.Contains(collation, "nopad"):
		return "wl_ci_nopad"
	}
	return "wl_ci"
}

// intTypes are the integers: bytes, width, width if unsigned.
var intTypes = map[string]struct {
	kind       mysql.Type
	width, uns int
}{
	"TINYINT": {mysql.TypeTiny, 4, 3}, "SMALLINT": {mysql.TypeShort, 6, 5}, "MEDIUMINT": {mysql.TypeInt24, 9, 8},
	"INT": {mysql.TypeLong, 11, 10}, "BIGINT": {mysql.TypeLonglong, 20, 20},
}

// blobTypes are the long texts and bytes, with how many bytes they hold.
var blobTypes = map[string]struct {
	kind mysql.Type
	max  int
}{
	"TINYTEXT": {mysql.TypeTinyBlob, 255}, "TEXT": {mysql.TypeBlob, 65535}, "MEDIUMTEXT": {mysql.TypeMediumBlob, 1<<24 - 1},
	"LONGTEXT": {mysql.TypeLongBlob, 1<<32 - 1}, "TINYBLOB": {mysql.TypeTinyBlob, 255}, "BLOB": {mysql.TypeBlob, 65535},
	"MEDIUMBLOB": {mysql.TypeMediumBlob, 1<<24 - 1}, "LONGBLOB": {mysql.TypeLongBlob, 1<<32 - 1}, "JSON": {mysql.TypeLongBlob, 1<<32 - 1},
}

// FromName makes the type that n writes. Texts that name no collation have
// that of their table.
func FromName(n ast.TypeName, table string) (Type, error) {
	arg := func(i, def int) int {
		if i < len(n.Args) {
			return n.Args[i]
		}
		return def
	}
	t := Type{Unsigned: n.Unsigned, Zerofill: n.Zerofill, Collation: "binary"}
	if it, ok := intTypes[n.Name]; ok {
		t.Kind, t.Precision = it.kind, it.width-1
		def := it.width
		if n.Unsigned {
			def, t.Precision = it.uns, it.uns
		}
		if n.Name == "BIGINT" && !n.Unsigned {
			t.Precision = 19
		}
		t.Length = arg(0, def)
		return t, nil
	}
	if b, ok := blobTypes[n.Name]; ok {
		t.Kind, t.Length, t.JSON = b.kind, b.max, n.Name == "JSON"
		switch {
		case t.JSON:
			t.Collation = "utf8mb4_bin"
		case strings.HasSuffix(n.Name, "TEXT"):
			return t, t.collate(n, table)
		}
		return t, nil
	}
	switch n.Name {
	case "DECIMAL":
		t.Kind, t.Precision, t.Decimals = mysql.TypeNewDecimal, arg(0, 10), arg(1, 0)
		if t.Precision == 0 {
			t.Precision = 10
		}
		if t.Precision > 65 {
			return t, Errorf(1426, "Too big precision specified for '%s'. Maximum is 65", "")
		}
		if t.Decimals > 38 || t.Decimals > t.Precision {
			return t, Errorf(1427, "For float(M,D), double(M,D) or decimal(M,D), M must be >= D (column '%s')", "")
		}
		t.Length = t.DecimalLength()
	case "FLOAT", "DOUBLE":
		t.Kind, t.Length, t.Decimals = mysql.TypeFloat, arg(0, 12), arg(1, 31)
		if n.Name == "DOUBLE" || len(n.Args) == 1 && n.Args[0] > 24 {
			t.Kind, t.Length = mysql.TypeDouble, arg(0, 22)
		}
		if len(n.Args) == 1 {
			t.Length = map[mysql.Type]int{mysql.TypeFloat: 12, mysql.TypeDouble: 22}[t.Kind]
		}
	case "BIT":
		t.Kind, t.Length, t.Unsigned = mysql.TypeBit, arg(0, 1), true
	case "YEAR":
		t.Kind, t.Length, t.Unsigned, t.Zerofill, t.Precision = mysql.TypeYear, 4, true, true, 4
	case "DATE":
		t.Kind, t.Length = mysql.TypeDate, 10
	case "TIME", "DATETIME", "TIMESTAMP":
		t.Decimals = arg(0, 0)
		if t.Decimals > 6 {
			return t, Errorf(1426, "Too big precision specified for '%s'. Maximum is 6", "")
		}
		t.Kind = map[string]mysql.Type{"TIME": mysql.TypeTime, "DATETIME": mysql.TypeDatetime, "TIMESTAMP": mysql.TypeTimestamp}[n.Name]
		t.Length = 19
		if n.Name == "TIME" {
			t.Length = 10
		}
		if t.Decimals > 0 {
			t.Length += 1 + t.Decimals
		}
	case "CHAR", "VARCHAR", "BINARY", "VARBINARY":
		t.Kind, t.Length = mysql.TypeString, arg(0, 1)
		if strings.HasPrefix(n.Name, "VAR") {
			t.Kind = mysql.TypeVarString
			if len(n.Args) == 0 {
				return t, Errorf(1064, "You have an error in your SQL syntax; %s needs a length", n.Name)
			}
		} else if t.Length > 255 {
			return t, Errorf(1074, "Column length too big for column '%s' (max = 255); use BLOB or TEXT instead", "")
		}
		if strings.HasSuffix(n.Name, "CHAR") {
			return t, t.collate(n, table)
		}
	case "ENUM", "SET":
		t.Kind, t.Values = mysql.TypeEnum, n.Values
		if n.Name == "SET" {
			t.Kind = mysql.TypeSet
		}
		for _, v := range n.Values {
			if n.Name == "SET" {
				t.Length += len([]rune(v)) + 1
			} else {
				t.Length = max(t.Length, len([]rune(v)))
			}
		}
		if n.Name == "SET" && t.Length > 0 {
			t.Length--
		}
		return t, t.collate(n, table)
	default:
		return t, Errorf(1235, "This version of Wirelark doesn't yet support 'type %s'", n.Name)
	}
	return t, nil
}

// collate sets the collation of a text.
func (t *Type) collate(n ast.TypeName, table string) error {
	c, err := Collation(n.Charset, n.Collate, table)
	if n.Binary && err == nil && n.Collate == "" {
		c = CharsetOf(c) + "_bin"
	}
	t.Collation = c
	return err
}

// DecimalLength returns the width of a DECIMAL.
func (t *Type) DecimalLength() int {
	n := t.Precision
	if t.Decimals > 0 {
		n++
		if t.Precision == t.Decimals {
			n++
		}
	}
	if !t.Unsigned {
		n++
	}
	return n
}

// String returns the type as MariaDB's SHOW COLUMNS writes it.
func (t *Type) String() string {
	s := t.name()
	if t.Unsigned && t.Kind != mysql.TypeBit && t.Kind != mysql.TypeYear {
		s += " unsigned"
	}
	if t.Zerofill && t.Kind != mysql.TypeYear {
		s += " zerofill"
	}
	return s
}

func (t *Type) name() string {
	for n, it := range intTypes {
		if it.kind == t.Kind {
			return fmt.Sprintf("%s(%d)", strings.ToLower(n), t.Length)
		}
	}
	switch t.Kind {
	case mysql.TypeNewDecimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Decimals)
	case mysql.TypeFloat, mysql.TypeDouble:
		n := map[mysql.Type]string{mysql.TypeFloat: "float", mysql.TypeDouble: "double"}[t.Kind]
		if t.Decimals < 31 {
			return fmt.Sprintf("%s(%d,%d)", n, t.Length, t.Decimals)
		}
		return n
	case mysql.TypeBit:
		return fmt.Sprintf("bit(%d)", t.Length)
	case mysql.TypeYear:
		return "year(4)"
	case mysql.TypeDate:
		return "date"
	case mysql.TypeTime, mysql.TypeDatetime, mysql.TypeTimestamp:
		n := map[mysql.Type]string{mysql.TypeTime: "time", mysql.TypeDatetime: "datetime", mysql.TypeTimestamp: "timestamp"}[t.Kind]
		if t.Decimals > 0 {
			n += fmt.Sprintf("(%d)", t.Decimals)
		}
		return n
	case mysql.TypeEnum, mysql.TypeSet:
		list := make([]string, len(t.Values))
		for i, v := range t.Values {
			list[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
		return map[mysql.Type]string{mysql.TypeEnum: "enum", mysql.TypeSet: "set"}[t.Kind] + "(" + strings.Join(list, ",") + ")"
	case mysql.TypeString, mysql.TypeVarString, mysql.TypeVarchar:
		n := "char"
		if t.Collation == "binary" {
			n = "binary"
		}
		if t.Kind != mysql.TypeString {
			n = "var" + n
		}
		return fmt.Sprintf("%s(%d)", n, t.Length)
	}
	n := map[mysql.Type]string{mysql.TypeTinyBlob: "tiny", mysql.TypeMediumBlob: "medium", mysql.TypeLongBlob: "long"}[t.Kind]
	if t.Collation == "binary" {
		return n + "blob"
	}
	return n + "text"
}

// Charsets with the collation that each has by default.
var charsets = map[string]string{
	"utf8mb4": "utf8mb4_general_ci", "utf8mb3": "utf8mb3_general_ci", "latin1": "latin1_swedish_ci", "ascii": "ascii_general_ci",
	"binary": "binary",
}

// CharsetOf returns the character set of a collation.
func CharsetOf(collation string) string {
	c, _, _ := strings.Cut(collation, "_")
	return c
}

// Collation returns the collation that charset and collate, which may be
// empty, mean, or def. Texts are held in UTF-8 whatever they say; a character
// set that has letters beyond it is refused.
func Collation(charset, collate, def string) (string, error) {
	alias := func(s string) string {
		if s == "utf8" || strings.HasPrefix(s, "utf8_") {
			return "utf8mb3" + s[4:]
		}
		return s
	}
	charset, collate = alias(strings.ToLower(charset)), alias(strings.ToLower(collate))
	if collate != "" && collate != "default" {
		if cs := CharsetOf(collate); charsets[cs] == "" || CollationID(collate) == 0 {
			return "", Errorf(1273, "Unknown collation: '%s'", collate)
		} else if charset != "" && cs != charset {
			return "", Errorf(1253, "COLLATION '%s' is not valid for CHARACTER SET '%s'", collate, charset)
		}
		return collate, nil
	}
	if charset != "" && charset != "default" {
		c, ok := charsets[charset]
		if !ok {
			return "", Errorf(1115, "Unknown character set: '%s'", charset)
		}
		return c, nil
	}
	return def, nil
}

// collationIDs are the collations that the engine tells apart.
var collationIDs = map[string]uint16{
	"latin1_swedish_ci": 8, "ascii_general_ci": 11, "utf8mb3_general_ci": 33, "utf8mb4_general_ci": 45, "utf8mb4_bin": 46,
	"latin1_bin": 47, "latin1_general_ci": 48, "latin1_general_cs": 49, "binary": 63, "ascii_bin": 65, "utf8mb3_bin": 83,
	"utf8mb3_unicode_ci": 192, "utf8mb4_unicode_ci": 224, "utf8mb4_unicode_520_ci": 246, "utf8mb4_0900_ai_ci": 255,
	"utf8mb4_0900_bin": 309, "utf8mb4_general_nopad_ci": 1069, "utf8mb4_uca1400_ai_ci": 2304, "utf8mb4_0900_as_cs": 278,
}

// CollationID returns the number of a collation, or 0.
func CollationID(name string) uint16 { return collationIDs[name] }

// CollationName returns the collation of a number, or the default one.
func CollationName(id uint16) string {
	for n, i := range collationIDs {
		if i == id {
			return n
		}
	}
	return "utf8mb4_general_ci"
}

// Collations returns all collations with their numbers.
func Collations() map[string]uint16 { return collationIDs }

// Column returns the definition of a column of type t for clients.
func (t *Type) Column(name string, flags mysql.ColumnFlags) mysql.Column {
	c := mysql.Column{Catalog: "def", Name: name, Type: t.Kind, Flags: flags, Collation: mysql.CollationBinary, Decimals: uint8(t.Decimals)}
	if t.NotNull {
		c.Flags |= mysql.FlagNotNull
	}
	if t.Unsigned {
		c.Flags |= mysql.FlagUnsigned
	}
	if t.Zerofill {
		c.Flags |= mysql.FlagZerofill
	}
	length := t.Length
	switch t.Rep() {
	case RepInt, RepReal, RepDec, RepNull:
		if t.Kind != mysql.TypeBit {
			c.Flags |= mysql.FlagNum
		}
		if t.Expr {
			c.Flags |= mysql.FlagBinary
		}
	case RepDate, RepDatetime, RepTime:
		c.Flags |= mysql.FlagBinary
	case RepBytes:
		c.Flags |= mysql.FlagBinary
	case RepText:
		c.Collation = 45
		if t.Expr {
			c.Decimals = 39
		}
		if !t.Blob() || t.Kind == mysql.TypeBlob || t.Kind == mysql.TypeTinyBlob || t.Kind == mysql.TypeMediumBlob {
			length = 4 * t.Length
		}
		if strings.HasSuffix(t.Collation, "_bin") {
			c.Flags |= mysql.FlagBinary
		}
	}
	switch t.Kind {
	case mysql.TypeEnum:
		c.Type, c.Flags = mysql.TypeString, c.Flags|mysql.FlagEnum
	case mysql.TypeSet:
		c.Type, c.Flags = mysql.TypeString, c.Flags|mysql.FlagSet
	case mysql.TypeTimestamp:
		c.Flags |= mysql.FlagUnsigned
	case mysql.TypeTinyBlob, mysql.TypeMediumBlob, mysql.TypeLongBlob:
		if !t.Expr {
			c.Type = mysql.TypeBlob
		}
	}
	if t.Blob() && !t.Expr {
		c.Flags |= mysql.FlagBlob
	}
	c.Length = uint32(min(length, 1<<32-1))
	if t.JSON {
		c.Extended = []mysql.Metadata{{Kind: mysql.MetadataFormat, Value: "json"}}
	}
	return c
}

// QuoteText returns s as SQLite writes a string.
func QuoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// QuoteName returns s as SQLite writes a name.
func QuoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// quoteIdent returns s as MySQL writes a name.
func quoteIdent(s string) string { return lexer.QuoteIdent(s) }
