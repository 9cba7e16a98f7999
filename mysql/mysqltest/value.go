package mysqltest

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
)

// Columns returns columns from texts such as "id", "id BIGINT UNSIGNED",
// "at DATETIME(6)", "price DECIMAL(10,2)". Without a type a column is a
// VARCHAR. It panics for a type that it does not know.
func Columns(list ...string) []mysql.Column {
	columns := make([]mysql.Column, len(list))
	for i, text := range list {
		name, kind, _ := strings.Cut(text, " ")
		columns[i] = mysql.Column{Name: name, OrgName: name, Type: mysql.TypeVarString}
		if kind = strings.ToUpper(strings.TrimSpace(kind)); kind != "" {
			setType(&columns[i], kind)
		}
	}
	return columns
}

func setType(c *mysql.Column, kind string) {
	if rest, ok := strings.CutSuffix(kind, " UNSIGNED"); ok {
		kind = rest
		c.Flags |= mysql.FlagUnsigned
	}
	kind, size, _ := strings.Cut(strings.TrimSuffix(kind, ")"), "(")
	var first, second int
	n, _ := fmt.Sscanf(size, "%d,%d", &first, &second)
	switch kind = strings.TrimSpace(kind); kind {
	case "BOOL", "BOOLEAN", "TINYINT":
		c.Type = mysql.TypeTiny
	case "SMALLINT":
		c.Type = mysql.TypeShort
	case "MEDIUMINT":
		c.Type = mysql.TypeInt24
	case "INT", "INTEGER":
		c.Type = mysql.TypeLong
	case "BIGINT":
		c.Type = mysql.TypeLonglong
	case "YEAR":
		c.Type = mysql.TypeYear
	case "FLOAT":
		c.Type = mysql.TypeFloat
	case "DOUBLE", "REAL":
		c.Type = mysql.TypeDouble
	case "DECIMAL", "NUMERIC":
		c.Type = mysql.TypeNewDecimal
		if n == 2 {
			c.Decimals = uint8(second)
		}
	case "DATE":
		c.Type = mysql.TypeDate
	case "TIME":
		c.Type, c.Decimals = mysql.TypeTime, uint8(first)
	case "DATETIME":
		c.Type, c.Decimals = mysql.TypeDatetime, uint8(first)
	case "TIMESTAMP":
		c.Type, c.Decimals = mysql.TypeTimestamp, uint8(first)
	case "CHAR":
		c.Type = mysql.TypeString
	case "VARCHAR", "TEXT":
		c.Type = mysql.TypeVarString
	case "BINARY", "VARBINARY":
		c.Type, c.Collation = mysql.TypeVarString, mysql.CollationBinary
	case "BLOB":
		c.Type, c.Collation = mysql.TypeBlob, mysql.CollationBinary
	case "LONGTEXT":
		c.Type, c.Collation = mysql.TypeBlob, 45
	case "BIT":
		c.Type, c.Length = mysql.TypeBit, uint32(first)
	case "JSON":
		c.Type = mysql.TypeJSON
	default:
		panic(fmt.Sprintf("mysqltest: unknown type %q of column %q", kind, c.Name))
	}
}

// values returns values as the server sends and receives them.
func values(list []any) []mysql.Value {
	out := make([]mysql.Value, len(list))
	for i, v := range list {
		out[i] = value(v)
	}
	return out
}

func value(v any) mysql.Value {
	switch v := v.(type) {
	case nil:
		return mysql.Null()
	case mysql.Value:
		return v
	case mysql.DateTime:
		return mysql.DateAndTime(v)
	case mysql.Duration:
		return mysql.Time(v)
	case time.Time:
		return mysql.DateAndTime(mysql.DateTimeOf(v))
	case time.Duration:
		return mysql.Time(mysql.DurationOf(v))
	case []byte:
		if v == nil {
			return mysql.Null()
		}
		return mysql.Bytes(v)
	case float32:
		return mysql.Float(v)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Bool:
		return mysql.Bool(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return mysql.Int(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return mysql.Uint(r.Uint())
	case reflect.Float64:
		return mysql.Double(r.Float())
	case reflect.String:
		return mysql.String(r.String())
	}
	return mysql.String(fmt.Sprint(v))
}

// show returns values for people, in parentheses.
func show(list []mysql.Value) string {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = fmt.Sprintf("%q", list[i].String())
		if list[i].IsNull() {
			texts[i] = "NULL"
		}
	}
	return "(" + strings.Join(texts, ", ") + ")"
}
