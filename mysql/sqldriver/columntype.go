package sqldriver

import (
	"database/sql"
	"math"
	"reflect"
	"strings"

	"github.com/wirelark/wirelark/mysql"
)

// ColumnTypeDatabaseTypeName returns the type's name as SQL writes it, but with
// UNSIGNED in front: "UNSIGNED BIGINT". MariaDB's own types have their names where
// the server tells them: "UUID", "INET6".
func (rs *rows) ColumnTypeDatabaseTypeName(i int) string {
	return typeName(rs.column(i))
}

func typeName(c *mysql.Column) string {
	if name := c.TypeName(); name != "" {
		return strings.ToUpper(name)
	}
	if c.JSON() {
		return "JSON"
	}
	switch {
	case c.Flags.Has(mysql.FlagEnum):
		return "ENUM"
	case c.Flags.Has(mysql.FlagSet):
		return "SET"
	}
	binary := c.Collation == mysql.CollationBinary
	var name string
	switch c.Type {
	case mysql.TypeTiny:
		name = "TINYINT"
	case mysql.TypeShort:
		name = "SMALLINT"
	case mysql.TypeInt24:
		name = "MEDIUMINT"
	case mysql.TypeLong:
		name = "INT"
	case mysql.TypeLonglong:
		name = "BIGINT"
	case mysql.TypeTinyBlob, mysql.TypeBlob, mysql.TypeMediumBlob, mysql.TypeLongBlob:
		return blobName(c, binary)
	case mysql.TypeString:
		return either(binary, "BINARY", "CHAR")
	case mysql.TypeVarchar, mysql.TypeVarString:
		return either(binary, "VARBINARY", "VARCHAR")
	default:
		return otherName(c.Type)
	}
	if c.Unsigned() {
		return "UNSIGNED " + name
	}
	return name
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// blobName tells the blobs apart. Servers send all of them as the same type:
// the one that a column was declared with is not known.
func blobName(c *mysql.Column, binary bool) string {
	size := map[mysql.Type]string{mysql.TypeTinyBlob: "TINY", mysql.TypeMediumBlob: "MEDIUM", mysql.TypeLongBlob: "LONG"}[c.Type]
	return size + either(binary, "BLOB", "TEXT")
}

func otherName(t mysql.Type) string {
	switch t {
	case mysql.TypeDecimal, mysql.TypeNewDecimal:
		return "DECIMAL"
	case mysql.TypeFloat:
		return "FLOAT"
	case mysql.TypeDouble:
		return "DOUBLE"
	case mysql.TypeNull:
		return "NULL"
	case mysql.TypeDate, mysql.TypeNewDate:
		return "DATE"
	case mysql.TypeTimestamp:
		return "TIMESTAMP"
	case mysql.TypeDatetime:
		return "DATETIME"
	case mysql.TypeTime:
		return "TIME"
	case mysql.TypeYear:
		return "YEAR"
	case mysql.TypeBit:
		return "BIT"
	case mysql.TypeJSON:
		return "JSON"
	case mysql.TypeEnum:
		return "ENUM"
	case mysql.TypeSet:
		return "SET"
	case mysql.TypeGeometry:
		return "GEOMETRY"
	case mysql.TypeVector:
		return "VECTOR"
	}
	return ""
}

// ColumnTypeNullable implements [driver.RowsColumnTypeNullable].
func (rs *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	return !rs.column(i).Flags.Has(mysql.FlagNotNull), true
}

// anyDecimals is what servers send for numbers without a fixed point.
const anyDecimals = 31

// ColumnTypePrecisionScale implements [driver.RowsColumnTypePrecisionScale]: the
// digits of DECIMAL, and the digits of fractions.
func (rs *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	c := rs.column(i)
	decimals := int64(c.Decimals)
	switch c.Type {
	case mysql.TypeDecimal, mysql.TypeNewDecimal:
		precision = int64(c.Length)
		if !c.Unsigned() {
			precision-- // the sign
		}
		if decimals > 0 {
			precision-- // the point
		}
		return precision, decimals, true
	case mysql.TypeTimestamp, mysql.TypeDatetime, mysql.TypeTime:
		return decimals, decimals, true
	case mysql.TypeFloat, mysql.TypeDouble:
		if decimals == anyDecimals {
			decimals = math.MaxInt64
		}
		return math.MaxInt64, decimals, true
	}
	return 0, 0, false
}

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (rs *rows) ColumnTypeScanType(i int) reflect.Type {
	return scanType(rs.column(i))
}

func scanType(c *mysql.Column) reflect.Type {
	notNull := c.Flags.Has(mysql.FlagNotNull)
	switch c.Type {
	case mysql.TypeTiny, mysql.TypeShort, mysql.TypeYear, mysql.TypeInt24, mysql.TypeLong, mysql.TypeLonglong:
		return integerType(c, notNull)
	case mysql.TypeFloat, mysql.TypeDouble:
		switch {
		case !notNull:
			return reflect.TypeFor[sql.NullFloat64]()
		case c.Type == mysql.TypeFloat:
			return reflect.TypeFor[float32]()
		}
		return reflect.TypeFor[float64]()
	case mysql.TypeDate, mysql.TypeNewDate, mysql.TypeTimestamp, mysql.TypeDatetime:
		return reflect.TypeFor[sql.NullTime]()
	case mysql.TypeBit, mysql.TypeGeometry, mysql.TypeVector:
		return reflect.TypeFor[[]byte]()
	case mysql.TypeTinyBlob, mysql.TypeBlob, mysql.TypeMediumBlob, mysql.TypeLongBlob, mysql.TypeString, mysql.TypeVarString, mysql.TypeVarchar:
		if c.Collation == mysql.CollationBinary && !c.JSON() {
			return reflect.TypeFor[[]byte]()
		}
	case mysql.TypeNull:
		return reflect.TypeFor[*any]()
	}
	if notNull {
		return reflect.TypeFor[string]()
	}
	return reflect.TypeFor[sql.NullString]()
}

func integerType(c *mysql.Column, notNull bool) reflect.Type {
	unsigned := c.Unsigned()
	switch {
	case !notNull && unsigned && c.Type == mysql.TypeLonglong:
		return reflect.TypeFor[sql.Null[uint64]]()
	case !notNull:
		return reflect.TypeFor[sql.NullInt64]()
	}
	signedTypes := map[mysql.Type]reflect.Type{
		mysql.TypeTiny: reflect.TypeFor[int8](), mysql.TypeShort: reflect.TypeFor[int16](), mysql.TypeYear: reflect.TypeFor[int16](),
		mysql.TypeInt24: reflect.TypeFor[int32](), mysql.TypeLong: reflect.TypeFor[int32](), mysql.TypeLonglong: reflect.TypeFor[int64](),
	}
	if !unsigned {
		return signedTypes[c.Type]
	}
	return map[mysql.Type]reflect.Type{
		mysql.TypeTiny: reflect.TypeFor[uint8](), mysql.TypeShort: reflect.TypeFor[uint16](), mysql.TypeYear: reflect.TypeFor[uint16](),
		mysql.TypeInt24: reflect.TypeFor[uint32](), mysql.TypeLong: reflect.TypeFor[uint32](), mysql.TypeLonglong: reflect.TypeFor[uint64](),
	}[c.Type]
}
