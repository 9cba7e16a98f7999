package mysql

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// Type is the type of a column, of a parameter, or of an attribute.
type Type uint8

// The types that travel. TypeEnum and TypeSet arrive as TypeString with
// [FlagEnum] and [FlagSet].
const (
	TypeDecimal    Type = 0
	TypeTiny       Type = 1
	TypeShort      Type = 2
	TypeLong       Type = 3
	TypeFloat      Type = 4
	TypeDouble     Type = 5
	TypeNull       Type = 6
	TypeTimestamp  Type = 7
	TypeLonglong   Type = 8
	TypeInt24      Type = 9
	TypeDate       Type = 10
	TypeTime       Type = 11
	TypeDatetime   Type = 12
	TypeYear       Type = 13
	TypeNewDate    Type = 14
	TypeVarchar    Type = 15
	TypeBit        Type = 16
	TypeTimestamp2 Type = 17
	TypeDatetime2  Type = 18
	TypeTime2      Type = 19
	TypeTypedArray Type = 20
	TypeVector     Type = 242
	TypeInvalid    Type = 243
	TypeBool       Type = 244
	TypeJSON       Type = 245
	TypeNewDecimal Type = 246
	TypeEnum       Type = 247
	TypeSet        Type = 248
	TypeTinyBlob   Type = 249
	TypeMediumBlob Type = 250
	TypeLongBlob   Type = 251
	TypeBlob       Type = 252
	TypeVarString  Type = 253
	TypeString     Type = 254
	TypeGeometry   Type = 255
)

var (
	lowTypeNames = [...]string{
		"MYSQL_TYPE_DECIMAL", "MYSQL_TYPE_TINY", "MYSQL_TYPE_SHORT", "MYSQL_TYPE_LONG", "MYSQL_TYPE_FLOAT", "MYSQL_TYPE_DOUBLE", "MYSQL_TYPE_NULL",
		"MYSQL_TYPE_TIMESTAMP", "MYSQL_TYPE_LONGLONG", "MYSQL_TYPE_INT24", "MYSQL_TYPE_DATE", "MYSQL_TYPE_TIME", "MYSQL_TYPE_DATETIME", "MYSQL_TYPE_YEAR",
		"MYSQL_TYPE_NEWDATE", "MYSQL_TYPE_VARCHAR", "MYSQL_TYPE_BIT", "MYSQL_TYPE_TIMESTAMP2", "MYSQL_TYPE_DATETIME2", "MYSQL_TYPE_TIME2", "MYSQL_TYPE_TYPED_ARRAY",
	}
	highTypeNames = [...]string{
		"MYSQL_TYPE_VECTOR", "MYSQL_TYPE_INVALID", "MYSQL_TYPE_BOOL", "MYSQL_TYPE_JSON", "MYSQL_TYPE_NEWDECIMAL", "MYSQL_TYPE_ENUM", "MYSQL_TYPE_SET",
		"MYSQL_TYPE_TINY_BLOB", "MYSQL_TYPE_MEDIUM_BLOB", "MYSQL_TYPE_LONG_BLOB", "MYSQL_TYPE_BLOB", "MYSQL_TYPE_VAR_STRING", "MYSQL_TYPE_STRING", "MYSQL_TYPE_GEOMETRY",
	}
)

// String returns the servers' name, as "MYSQL_TYPE_LONG", or "type 99".
func (v Type) String() string {
	switch {
	case int(v) < len(lowTypeNames):
		return lowTypeNames[v]
	case v >= TypeVector:
		return highTypeNames[v-TypeVector]
	}
	return fmt.Sprintf("type %d", uint8(v))
}

// ColumnFlags say more about a column than its type.
type ColumnFlags uint16

// The column flags.
const (
	FlagNotNull        ColumnFlags = 1 << 0
	FlagPrimaryKey     ColumnFlags = 1 << 1
	FlagUniqueKey      ColumnFlags = 1 << 2
	FlagMultipleKey    ColumnFlags = 1 << 3
	FlagBlob           ColumnFlags = 1 << 4
	FlagUnsigned       ColumnFlags = 1 << 5
	FlagZerofill       ColumnFlags = 1 << 6
	FlagBinary         ColumnFlags = 1 << 7
	FlagEnum           ColumnFlags = 1 << 8
	FlagAutoIncrement  ColumnFlags = 1 << 9
	FlagTimestamp      ColumnFlags = 1 << 10
	FlagSet            ColumnFlags = 1 << 11
	FlagNoDefaultValue ColumnFlags = 1 << 12
	FlagOnUpdateNow    ColumnFlags = 1 << 13
	FlagPartKey        ColumnFlags = 1 << 14
	FlagNum            ColumnFlags = 1 << 15
)

var columnFlagNames = [...]string{
	"NOT_NULL", "PRI_KEY", "UNIQUE_KEY", "MULTIPLE_KEY", "BLOB", "UNSIGNED", "ZEROFILL", "BINARY",
	"ENUM", "AUTO_INCREMENT", "TIMESTAMP", "SET", "NO_DEFAULT_VALUE", "ON_UPDATE_NOW", "PART_KEY", "NUM",
}

// Has reports whether all of flags are set.
func (v ColumnFlags) Has(flags ColumnFlags) bool { return v&flags == flags }

// String returns the names of the flags joined by "|", "0" for none.
func (v ColumnFlags) String() string { return wire.FlagNames(uint64(v), columnFlagNames[:]) }

// CollationBinary is the collation of columns that hold bytes and not text.
const CollationBinary = 63

// MetadataKind says what an entry of [Column.Extended] tells.
type MetadataKind uint8

// The kinds of MariaDB's extended metadata.
const (
	MetadataType   MetadataKind = 0 // name of a data type, as "uuid"
	MetadataFormat MetadataKind = 1 // format of a text, as "json"
)

// String returns "type", "format" or "kind 7".
func (v MetadataKind) String() string {
	switch v {
	case MetadataType:
		return "type"
	case MetadataFormat:
		return "format"
	}
	return fmt.Sprintf("kind %d", uint8(v))
}

// Metadata is an entry of [Column.Extended].
type Metadata struct {
	Kind  MetadataKind
	Value string
}

func (m *Metadata) fields(c *wire.Coder) {
	wire.Enum8(c, "kind", &m.Kind)
	c.LenText("value", &m.Value)
}

// Column describes a column of a result set or a parameter of a statement:
// ColumnDefinition41. In the answer to [FieldList], HasDefault and Default
// follow.
type Column struct {
	Catalog    string     // "def"
	Schema     string     // of the table
	Table      string     // its alias
	OrgTable   string     // its name
	Name       string     // alias of the column
	OrgName    string     // its name; empty for an expression
	Extended   []Metadata // MariaDB only
	Collation  uint16     // CollationBinary: bytes
	Length     uint32     // the greatest number of bytes in text form
	Type       Type
	Flags      ColumnFlags
	Decimals   uint8 // digits behind the point; 31: any number of them
	HasDefault bool
	Default    []byte // nil: NULL; aliases the packet
}

func (m *Column) Fields(c *wire.Coder) {
	c.LenText("catalog", &m.Catalog)
	c.LenText("schema", &m.Schema)
	c.LenText("table", &m.Table)
	c.LenText("org_table", &m.OrgTable)
	c.LenText("name", &m.Name)
	c.LenText("org_name", &m.OrgName)
	if caps(c).Has(MariaDBExtendedMetadata) {
		c.LenSized("extended_metadata", func() { wire.ListRest(c, "entries", &m.Extended, (*Metadata).fields) })
	}
	fixed, filler := uint8(fixedFields), uint16(0)
	c.Suggest(8, fixedFields, fixedFields)
	c.U8("length_of_fixed_fields", &fixed)
	if fixed != fixedFields {
		c.Fail("length_of_fixed_fields", wire.ErrValue)
		return
	}
	wire.UintLE(c, "character_set", 2, &m.Collation)
	wire.UintLE(c, "column_length", 4, &m.Length)
	wire.Enum8(c, "type", &m.Type)
	wire.UintLE(c, "flags", 2, &m.Flags)
	c.U8("decimals", &m.Decimals)
	wire.UintLE(c, "filler", 2, &filler)
	if c.Tail(&m.HasDefault) {
		c.LenNullBytes("default", &m.Default)
	}
}

// fixedFields is how many bytes stand behind the names in a column definition.
const fixedFields = 12

// Unsigned reports whether the column holds integers that are never negative.
func (m *Column) Unsigned() bool { return m.Flags&FlagUnsigned != 0 }

// extended returns the extended metadata of a kind, or "".
func (m *Column) extended(kind MetadataKind) string {
	for _, e := range m.Extended {
		if e.Kind == kind {
			return e.Value
		}
	}
	return ""
}

// TypeName returns the name of MariaDB's data type where the type does not
// tell it, as "uuid" or "point", or "". MariaDBExtendedMetadata is needed.
func (m *Column) TypeName() string { return m.extended(MetadataType) }

// JSON reports whether the column holds JSON texts, by type or by MariaDB's
// extended metadata.
func (m *Column) JSON() bool { return m.Type == TypeJSON || m.extended(MetadataFormat) == "json" }
