package interop

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	mysqlbulk "github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// mysqlColumns are the types of a table and values for them, as SQL. Each
// column is NULL in the last row.
var mysqlColumns = []struct{ name, kind, values string }{
	{"a_tiny", "TINYINT", "-128, 0, 127"},
	{"a_utiny", "TINYINT UNSIGNED", "0, 1, 255"},
	{"a_small", "SMALLINT", "-32768, 0, 32767"},
	{"a_medium", "MEDIUMINT", "-8388608, 1, 8388607"},
	{"an_umedium", "MEDIUMINT UNSIGNED", "0, 1, 16777215"},
	{"an_int", "INT", "-2147483648, 0, 2147483647"},
	{"an_uint", "INT UNSIGNED", "0, 1, 4294967295"},
	{"a_big", "BIGINT", "-9223372036854775808, 0, 9223372036854775807"},
	{"an_ubig", "BIGINT UNSIGNED", "0, 1, 18446744073709551615"},
	{"a_year", "YEAR", "1901, 2026, 2155"},
	{"a_float", "FLOAT", "0, 1.5, -0.25"},
	{"a_double", "DOUBLE", "0, 0.1, -1.7976931348623157e308"},
	{"a_decimal", "DECIMAL(30,10)", "0, -12345678901234567890.0123456789, 1.5"},
	{"a_bit", "BIT(12)", "b'0', b'101010101010', b'111111111111'"},
	{"a_date", "DATE", "'1000-01-01', '2026-11-22', '9999-12-31'"},
	{"a_datetime", "DATETIME", "'1000-01-01 00:00:00', '2026-11-22 01:02:03', '9999-12-31 23:59:59'"},
	{"a_datetime6", "DATETIME(6)", "'1000-01-01 00:00:00.000001', '2026-11-22 01:02:03', '9999-12-31 23:59:59.999999'"},
	{"a_timestamp", "TIMESTAMP(3) NULL", "'1999-01-01 00:00:00.5', '2026-11-22 01:02:03', '2037-12-31 23:59:59.999'"},
	{"a_time", "TIME", "'-838:59:59', '00:00:00', '838:59:59'"},
	{"a_time6", "TIME(6)", "'-00:00:00.000001', '12:34:56.789', '838:59:58.999999'"},
	{"a_char", "CHAR(10)", "'', 'abc', 'äöü€'"},
	{"a_varchar", "VARCHAR(500)", "'', 'tab\\tnewline\\n', '日本語 🐦'"},
	{"a_binary", "BINARY(4)", "x'00000000', x'ff00fe01', 'abcd'"},
	{"a_varbinary", "VARBINARY(300)", "'', x'00ff', REPEAT(x'80', 300)"},
	{"a_text", "TEXT", "'', 'text', REPEAT('x', 60000)"},
	{"a_blob", "LONGBLOB", "'', x'00', REPEAT(x'ff', 100000)"},
	{"an_enum", "ENUM('one','two','drei')", "'one', 'two', 'drei'"},
	{"a_set", "SET('a','b','c')", "'', 'a', 'a,c'"},
	{"a_json", "JSON", `'{"a": [1, null, "x"]}', '[]', '"text"'`},
	{"a_point", "GEOMETRY", "ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('LINESTRING(0 0, 1 1)'), ST_GeomFromText('POINT(-1.5 1e300)')"},
}

// mysqlTypesTable makes the table of all types that the server has and returns
// its name and columns.
func mysqlTypesTable(t testing.TB, d *database, c *mysqlclient.Conn) (table string, columns []string) {
	t.Helper()
	table = "interop_types"
	create, rows := []string{"id INT PRIMARY KEY"}, [4][]string{{"1"}, {"2"}, {"3"}, {"4"}}
	columns = []string{"id"}
	for _, col := range mysqlColumns {
		if col.kind == "GEOMETRY" && d.embedded {
			continue
		}
		columns = append(columns, col.name)
		create = append(create, col.name+" "+col.kind)
		for i, v := range mysqlSplit(col.values) {
			rows[i] = append(rows[i], v)
		}
		rows[3] = append(rows[3], "NULL")
	}
	mysqlExec(t, c, "DROP TABLE IF EXISTS "+table, "SET time_zone = '+00:00'",
		"CREATE TABLE "+table+" ("+strings.Join(create, ", ")+") CHARACTER SET utf8mb4")
	for _, r := range rows {
		mysqlExec(t, c, "INSERT INTO "+table+" VALUES ("+strings.Join(r, ", ")+")")
	}
	t.Cleanup(func() { _, _ = c.Exec(context.Background(), "DROP TABLE IF EXISTS "+table) })
	return table, columns
}

// mysqlSplit cuts three SQL expressions apart at commas that stand neither in
// quotes nor in brackets.
func mysqlSplit(s string) (list []string) {
	depth, quoted, from := 0, false, 0
	for i, r := range s {
		switch {
		case r == '\'':
			quoted = !quoted
		case quoted:
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			list = append(list, s[from:i])
			from = i + 1
		}
	}
	return append(list, s[from:])
}

// TestMySQLTextIsBinary reads every type in both protocols: the same Go values,
// and texts that are those of the server.
func TestMySQLTextIsBinary(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		c := d.connect(t)
		table, columns := mysqlTypesTable(t, d, c)
		text := mysqlAll(t, c, "SELECT * FROM "+table+" ORDER BY id")
		binary := mysqlAll(t, c, "SELECT * FROM "+table+" WHERE id > ? ORDER BY id", 0)
		stmt, err := c.Prepare(t.Context(), "SELECT * FROM "+table+" ORDER BY id")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := stmt.Cursor(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		fetched := mysqlRead(t, rows)
		if len(text) != 4 || len(binary) != 4 || len(fetched) != 4 {
			t.Fatalf("%d rows as text, %d binary, %d fetched", len(text), len(binary), len(fetched))
		}
		for i := range text {
			for k, col := range columns {
				a, b, f := text[i][k], binary[i][k], fetched[i][k]
				if !reflect.DeepEqual(a.value, b.value) || !reflect.DeepEqual(a.value, f.value) {
					t.Errorf("row %d, %s: %T %.100v as text, %T %.100v binary, %.100v fetched", i, col, a.value, a.value, b.value, b.value, f.value)
				}
				if a.text != b.text {
					t.Errorf("row %d, %s: text %.100q as text, %.100q binary", i, col, a.text, b.text)
				}
				if isNull := i == 3 && k > 0; (a.value == nil) != isNull {
					t.Errorf("row %d, %s: %.100v", i, col, a.value)
				}
			}
		}
	})
}

type mysqlCell struct {
	value any
	text  string
}

func mysqlAll(t testing.TB, c *mysqlclient.Conn, sql string, args ...any) [][]mysqlCell {
	t.Helper()
	rows, err := c.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	return mysqlRead(t, rows)
}

func mysqlRead(t testing.TB, rows *mysqlclient.Rows) (all [][]mysqlCell) {
	t.Helper()
	for rows.Next() {
		var cells []mysqlCell
		for i := range rows.Columns() {
			cells = append(cells, mysqlCell{rows.Value(i), rows.String(i)})
		}
		all = append(all, cells)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestMySQLParameters sends Go values there and back.
func TestMySQLParameters(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		cfg := d.config("app")
		cfg.TimeZone = time.UTC
		c := mysqlConnect(t, cfg)
		text := "ä ' \\ \" \x00 🐦"
		if d.embedded {
			text = "ä ' \\ \" 🐦" // its functions take a NUL for the end
		}
		moment := time.Date(2026, 11, 22, 1, 2, 3, 456789000, time.UTC)
		for _, tt := range []struct {
			as   string // what the parameter is cast to
			arg  any
			want any
		}{
			{"SIGNED", int64(math.MinInt64), int64(math.MinInt64)},
			{"UNSIGNED", uint64(math.MaxUint64), uint64(math.MaxUint64)},
			{"SIGNED", true, int64(1)},
			{"CHAR(100)", text, text},
			{"BINARY(4)", []byte{0, 255, 39, 92}, []byte{0, 255, 39, 92}},
			{"DECIMAL(20,5)", "12345.678", "12345.67800"},
			{"DATETIME(6)", moment, "2026-11-22 01:02:03.456789"},
			{"TIME(6)", -838*time.Hour - 59*time.Minute - 59*time.Second, "-838:59:59.000000"},
			{"CHAR(10)", nil, nil},
		} {
			for _, sql := range []string{"SELECT CAST(? AS " + tt.as + ")"} {
				got := mysqlAll(t, c, sql, tt.arg)[0][0]
				literal, err := c.Interpolate(sql, tt.arg)
				if err != nil {
					t.Errorf("%s with %v: %v", sql, tt.arg, err)
					continue
				}
				again := mysqlAll(t, c, literal)[0][0]
				want := tt.want
				value := got.value
				if _, isText := want.(string); isText {
					value = got.text
				}
				if !reflect.DeepEqual(value, want) || got.text != again.text || !reflect.DeepEqual(got.value, again.value) {
					t.Errorf("%s with %T %v: %T %v (%q), as a literal %v (%q)", sql, tt.arg, tt.arg, value, value, got.text, again.value, again.text)
				}
			}
		}
	})
}

// TestMySQLBatches reads a million cells by column and compares a sum.
func TestMySQLBatches(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		c := d.connect(t)
		const rows = 50000
		mysqlExec(t, c, "DROP TABLE IF EXISTS interop_batch", "CREATE TABLE interop_batch (id INT PRIMARY KEY, x DOUBLE, s VARCHAR(40))")
		t.Cleanup(func() { _, _ = c.Exec(context.Background(), "DROP TABLE interop_batch") })
		row := []any{nil, nil, nil}
		result, err := mysqlbulk.InsertRows(t.Context(), c, "interop_batch", []string{"id", "x", "s"}, func(yield func([]any) bool) {
			for i := range rows {
				row[0], row[1], row[2] = i, float64(i)/4, fmt.Sprint("row ", i)
				if !yield(row) {
					return
				}
			}
		}, nil)
		if err != nil || result.Inserted != rows {
			t.Fatalf("InsertRows = %+v, %v", result, err)
		}
		t.Logf("inserted by %v", result.Method)
		r, err := c.Query(t.Context(), "SELECT id, x, s FROM interop_batch WHERE id >= ?", 0)
		if err != nil {
			t.Fatal(err)
		}
		var n, sum, length int64
		var xs float64
		for b := range mysqlbulk.Batches(r) {
			n += int64(b.Len())
			for _, v := range b.Int64s(0) {
				sum += v
			}
			for _, v := range b.Float64s(1) {
				xs += v
			}
			data, _ := b.Data(2)
			length += int64(len(data))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(n, " ", sum, " ", xs, " ", length)
		want := mysqlText(t, c, "SELECT COUNT(*), CAST(SUM(id) AS SIGNED), SUM(x), CAST(SUM(LENGTH(s)) AS SIGNED) FROM interop_batch")
		if got != want {
			t.Errorf("the batches add up to %s, the server says %s", got, want)
		}
	})
}

// TestMySQLBigPackets sends and gets values beyond 16 MiB, with and without
// compression.
func TestMySQLBigPackets(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		for _, compression := range [][]string{nil, {"zlib"}, {"zstd", "zlib"}} {
			cfg := d.config("app")
			cfg.Compression = compression
			c := mysqlConnect(t, cfg)
			limit, err := c.MaxAllowedPacket(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1<<24 - 30, 1<<24 - 1, 1 << 24, 1<<24 + 7, 40 << 20} {
				if int64(n) > limit-1000 {
					continue
				}
				value := strings.Repeat("0123456789abcdef", n/16+1)[:n]
				rows, err := c.Query(t.Context(), "SELECT ?", value)
				if err != nil {
					t.Fatalf("%d bytes over %v: %v", n, compression, err)
				}
				if !rows.Next() || string(rows.Bytes(0)) != value {
					t.Errorf("%d bytes over %v: %d came back", n, compression, len(rows.Bytes(0)))
				}
				if err := rows.Close(); err != nil {
					t.Errorf("%d bytes over %v: %v", n, compression, err)
				}
			}
			has := c.Server().Capabilities.Has(mysql.ClientCompress) || c.Server().Capabilities.Has(mysql.ClientZstdCompression)
			if has != (compression != nil) {
				t.Errorf("offered %v: compression %v", compression, has)
			}
		}
	})
}
