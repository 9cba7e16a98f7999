package sqldriver

import (
	"testing"

	"github.com/wirelark/wirelark/mysql"
)

func TestTypeNames(t *testing.T) {
	for _, row := range []struct {
		column mysql.Column
		name   string
		scan   string
	}{
		{mysql.Column{Type: mysql.TypeTiny}, "TINYINT", "sql.NullInt64"},
		{mysql.Column{Type: mysql.TypeTiny, Flags: mysql.FlagUnsigned | mysql.FlagNotNull}, "UNSIGNED TINYINT", "uint8"},
		{mysql.Column{Type: mysql.TypeShort, Flags: mysql.FlagNotNull}, "SMALLINT", "int16"},
		{mysql.Column{Type: mysql.TypeInt24, Flags: mysql.FlagUnsigned | mysql.FlagNotNull}, "UNSIGNED MEDIUMINT", "uint32"},
		{mysql.Column{Type: mysql.TypeLong, Flags: mysql.FlagNotNull}, "INT", "int32"},
		{mysql.Column{Type: mysql.TypeLonglong, Flags: mysql.FlagUnsigned | mysql.FlagNotNull}, "UNSIGNED BIGINT", "uint64"},
		{mysql.Column{Type: mysql.TypeYear, Flags: mysql.FlagUnsigned | mysql.FlagNotNull}, "YEAR", "uint16"},
		{mysql.Column{Type: mysql.TypeFloat, Flags: mysql.FlagNotNull}, "FLOAT", "float32"},
		{mysql.Column{Type: mysql.TypeDouble, Flags: mysql.FlagNotNull}, "DOUBLE", "float64"},
		{mysql.Column{Type: mysql.TypeNewDecimal, Flags: mysql.FlagNotNull}, "DECIMAL", "string"},
		{mysql.Column{Type: mysql.TypeNull}, "NULL", "*interface {}"},
		{mysql.Column{Type: mysql.TypeTimestamp, Flags: mysql.FlagNotNull}, "TIMESTAMP", "sql.NullTime"},
		{mysql.Column{Type: mysql.TypeTime, Flags: mysql.FlagNotNull}, "TIME", "string"},
		{mysql.Column{Type: mysql.TypeBit}, "BIT", "[]uint8"},
		{mysql.Column{Type: mysql.TypeVector, Collation: mysql.CollationBinary}, "VECTOR", "[]uint8"},
		{mysql.Column{Type: mysql.TypeGeometry, Collation: mysql.CollationBinary}, "GEOMETRY", "[]uint8"},
		{mysql.Column{Type: mysql.TypeJSON, Collation: mysql.CollationBinary}, "JSON", "sql.NullString"},
		{mysql.Column{Type: mysql.TypeBlob, Collation: mysql.CollationBinary}, "BLOB", "[]uint8"},
		{mysql.Column{Type: mysql.TypeBlob, Collation: 45}, "TEXT", "sql.NullString"},
		{mysql.Column{Type: mysql.TypeLongBlob, Collation: 45, Extended: []mysql.Metadata{{Kind: mysql.MetadataFormat, Value: "json"}}}, "JSON", "sql.NullString"},
		{mysql.Column{Type: mysql.TypeString, Collation: 45, Extended: []mysql.Metadata{{Kind: mysql.MetadataType, Value: "uuid"}}}, "UUID", "sql.NullString"},
		{mysql.Column{Type: mysql.TypeString, Collation: 45, Flags: mysql.FlagEnum}, "ENUM", "sql.NullString"},
		{mysql.Column{Type: mysql.TypeString, Collation: 45, Flags: mysql.FlagSet}, "SET", "sql.NullString"},
		{mysql.Column{Type: mysql.TypeString, Collation: mysql.CollationBinary}, "BINARY", "[]uint8"},
		{mysql.Column{Type: mysql.TypeVarString, Collation: mysql.CollationBinary}, "VARBINARY", "[]uint8"},
		{mysql.Column{Type: mysql.TypeVarString, Collation: 45}, "VARCHAR", "sql.NullString"},
		{mysql.Column{Type: 200}, "", "sql.NullString"},
	} {
		if got := typeName(&row.column); got != row.name {
			t.Errorf("%+v: got the name %q, want %q", row.column, got, row.name)
		}
		if got := scanType(&row.column).String(); got != row.scan {
			t.Errorf("%s: got the type %s, want %s", row.name, got, row.scan)
		}
	}
}
