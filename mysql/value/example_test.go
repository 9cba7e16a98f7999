package value_test

import (
	"fmt"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/value"
	"github.com/wirelark/wirelark/wire"
)

func ExampleInterpolate() {
	at := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	sql, err := value.Interpolate("INSERT INTO t VALUES (?, ?, '?')", []any{"it's", at}, lexer.Config{}, time.UTC)
	fmt.Println(sql, err)
	// Output: INSERT INTO t VALUES ('it\'s', '2024-02-29 12:00:00', '?') <nil>
}

func ExampleRow() {
	columns := []mysql.Column{{Name: "id", Type: mysql.TypeLonglong}, {Name: "name", Type: mysql.TypeVarString}}
	var row value.Row
	value.Describe(&row, columns, nil, time.UTC)
	if err := value.Decode(&row, new(wire.Coder), []byte("\x0242\x04lark"), wire.Dialect{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(row.Int64(0), row.String(1), row.Uint64(1), value.Fault(&row))
	// Output: 42 lark 0 mysql: column "name" has "lark", which is not a uint64
}
