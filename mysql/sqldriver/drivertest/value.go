package drivertest

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

var valueTests = []test{
	{"types", []Feature{TypesInPlace, Fractions}, testTypes},
	{"any", nil, testAny},
	{"null", nil, testNull},
	{"integers", nil, testIntegers},
	{"texts", nil, testTexts},
	{"zero bytes", []Feature{ZeroBytes}, testZeroBytes},
	{"bytes", nil, testBytes},
	{"large", []Feature{ManyPackets}, testLarge},
	{"times", nil, testTimes},
	{"fractions", []Feature{Fractions}, testFractions},
	{"zero date", nil, testZeroDate},
	{"time zone", []Feature{TimeZones}, testTimeZone},
	{"arguments", nil, testArguments},
	{"JSON", []Feature{JSON}, testJSON},
	{"column types", []Feature{TypesInPlace}, testColumnTypes},
}

// testTypes reads a row of each type twice, as text and in binary form, into
// any: the Go values must be the same.
func testTypes(t *testing.T, s *suite) {
	db := s.db(t, "parseTime=true")
	rows := []struct {
		column string
		value  string // as SQL
		want   any
	}{
		{"TINYINT", "-128", int64(-128)},
		{"TINYINT UNSIGNED", "255", int64(255)},
		{"SMALLINT", "-32768", int64(-32768)},
		{"MEDIUMINT", "-8388608", int64(-8388608)},
		{"INT", "-2147483648", int64(-2147483648)},
		{"INT UNSIGNED", "4294967295", int64(4294967295)},
		{"BIGINT", "-9223372036854775808", int64(math.MinInt64)},
		{"BIGINT UNSIGNED", "9223372036854775807", int64(math.MaxInt64)},
		{"BIGINT UNSIGNED", "18446744073709551615", uint64(math.MaxUint64)},
		{"FLOAT", "1.5", float32(1.5)},
		{"DOUBLE", "0.1", 0.1},
		{"DECIMAL(20,3)", "12345678901234567.125", []byte("12345678901234567.125")},
		{"YEAR", "2024", int64(2024)},
		{"DATE", "'2024-02-29'", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"DATETIME", "'2024-02-29 23:59:58'", time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC)},
		{"DATETIME(6)", "'2024-02-29 23:59:58.000001'", time.Date(2024, 2, 29, 23, 59, 58, 1000, time.UTC)},
		{"TIME", "'-838:59:59'", []byte("-838:59:59")},
		{"TIME(3)", "'01:02:03.5'", []byte("01:02:03.500")},
		{"CHAR(5)", "'ab'", []byte("ab")},
		{"VARCHAR(5)", "''", []byte("")},
		{"TEXT", "'text'", []byte("text")},
		{"BLOB", "x'00ff'", []byte{0, 0xff}},
		{"VARBINARY(3)", "x'00ff'", []byte{0, 0xff}},
		{"ENUM('a','b')", "'b'", []byte("b")},
		{"SET('a','b')", "'a,b'", []byte("a,b")},
		{"BIT(10)", "b'1000000001'", []byte{2, 1}},
		{"INT", "NULL", nil},
	}
	var columns, values []string
	for i, row := range rows {
		columns = append(columns, fmt.Sprintf("c%d %s", i, row.column))
		values = append(values, row.value)
	}
	table := s.table(t, db, "types", strings.Join(columns, ", "))
	exec(t, db, "INSERT INTO "+table+" VALUES ("+strings.Join(values, ", ")+")")
	for _, form := range []struct {
		name, where string
		args        []any
	}{{"text", "1 = 1", nil}, {"binary", "1 = ?", []any{1}}} {
		got := make([]any, len(rows))
		into := make([]any, len(rows))
		for i := range got {
			into[i] = &got[i]
		}
		if err := db.QueryRow("SELECT * FROM "+table+" WHERE "+form.where, form.args...).Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if !reflect.DeepEqual(got[i], row.want) {
				t.Errorf("%s %s, %s: got %T %v, want %T %v", row.column, row.value, form.name, got[i], got[i], row.want, row.want)
			}
		}
	}
}

// testAny is testTypes for what every server has.
func testAny(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "anything", "id INT PRIMARY KEY, s VARCHAR(20), d DOUBLE, n VARCHAR(5)")
	exec(t, db, "INSERT INTO "+table+" VALUES (?, ?, ?, ?)", 7, "seven", 7.25, nil)
	want := []any{int64(7), []byte("seven"), 7.25, nil}
	for name, args := range map[string][]any{"text": nil, "binary": {7}} {
		query := "SELECT id, s, d, n FROM " + table + " WHERE id = 7"
		if args != nil {
			query = "SELECT id, s, d, n FROM " + table + " WHERE id = ?"
		}
		got := make([]any, 4)
		if err := db.QueryRow(query, args...).Scan(&got[0], &got[1], &got[2], &got[3]); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", name, got, want)
		}
	}
}

func testNull(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "nulls", "id INT PRIMARY KEY, v VARCHAR(20)")
	var noBytes []byte
	var noString *string
	for i, v := range []any{nil, noBytes, noString, sql.NullString{}, sql.NullInt64{}, driver.Valuer((*nullable)(nil))} {
		exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", i, v)
	}
	equal(t, "NULLs", one[int](t, db, "SELECT COUNT(*) FROM "+table+" WHERE v IS NULL"), 6)
	exec(t, db, "INSERT INTO "+table+" VALUES (?, ?), (?, ?)", 10, "", 11, []byte{})
	equal(t, "empty texts", one[int](t, db, "SELECT COUNT(*) FROM "+table+" WHERE v = ''"), 2)
	equal(t, "read", one[sql.NullString](t, db, "SELECT v FROM "+table+" WHERE id = ?", 0), sql.NullString{})
	equal(t, "read", one[sql.NullString](t, db, "SELECT v FROM "+table+" WHERE id = ?", 10), sql.NullString{Valid: true})
	var text string
	if err := db.QueryRow("SELECT v FROM " + table + " WHERE id = 0").Scan(&text); err == nil {
		t.Error("NULL was read into a string")
	}
}

// nullable has a Value that works without one.
type nullable struct{ v int64 }

// Value implements [driver.Valuer].
func (n *nullable) Value() (driver.Value, error) {
	if n == nil {
		return nil, nil
	}
	return n.v, nil
}

func testIntegers(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "integers", "id INT PRIMARY KEY, v BIGINT")
	numbers := []any{0, -1, int8(-128), int16(-32768), int32(math.MinInt32), int64(math.MinInt64), int64(math.MaxInt64), uint8(255), uint32(math.MaxUint32), true}
	want := []string{"0", "-1", "-128", "-32768", "-2147483648", "-9223372036854775808", "9223372036854775807", "255", "4294967295", "1"}
	for i, n := range numbers {
		exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", i, n)
	}
	same(t, "as text", texts(t, db, "SELECT v FROM "+table+" ORDER BY id"), want)
	same(t, "in binary form", texts(t, db, "SELECT v FROM "+table+" WHERE id >= ? ORDER BY id", 0), want)
	equal(t, "int64", one[int64](t, db, "SELECT v FROM "+table+" WHERE id = ?", 5), int64(math.MinInt64))
	equal(t, "bool", one[bool](t, db, "SELECT v FROM "+table+" WHERE id = ?", 9), true)
	var small int8
	if err := db.QueryRow("SELECT v FROM "+table+" WHERE id = ?", 7).Scan(&small); err == nil {
		t.Errorf("255 was read into an int8 as %d", small)
	}
}

func testTexts(t *testing.T, s *suite) {
	list := []string{"", "a", "ümläut", "日本語", "🐦", `'"\%_`, "a\x1a\r\n\t", "?", "-- x", "/* ? */", strings.Repeat("x", 300), strings.Repeat("é", 40000)}
	for _, params := range []string{"", "interpolateParams=true"} {
		db := s.db(t, params)
		table := s.table(t, db, "texts", "id INT PRIMARY KEY, v LONGTEXT CHARACTER SET utf8mb4")
		for i, text := range list {
			exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", i, text)
		}
		same(t, params+" as text", texts(t, db, "SELECT v FROM "+table+" ORDER BY id"), list)
		same(t, params+" in binary form", texts(t, db, "SELECT v FROM "+table+" WHERE id >= ? ORDER BY id", 0), list)
		for i, text := range list[:8] {
			equal(t, params+" echoed", one[string](t, db, "SELECT v FROM "+table+" WHERE v = ? AND id = ?", text, i), text)
		}
	}
}

func testZeroBytes(t *testing.T, s *suite) {
	for _, params := range []string{"", "interpolateParams=true"} {
		db := s.db(t, params)
		table := s.table(t, db, "zeros", "id INT PRIMARY KEY, v TEXT, b BLOB")
		exec(t, db, "INSERT INTO "+table+" VALUES (?, ?, ?)", 1, "a\x00b", []byte("a\x00b"))
		same(t, params, texts(t, db, "SELECT v, b FROM "+table), []string{"a\x00b|a\x00b"})
		same(t, params, texts(t, db, "SELECT v, b FROM "+table+" WHERE v = ? AND b = ?", "a\x00b", []byte("a\x00b")), []string{"a\x00b|a\x00b"})
	}
}

func testBytes(t *testing.T, s *suite) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, params := range []string{"", "interpolateParams=true"} {
		db := s.db(t, params)
		table := s.table(t, db, "bytes", "id INT PRIMARY KEY, v BLOB")
		exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", 1, all)
		for name, got := range map[string][]byte{
			"as text":        one[[]byte](t, db, "SELECT v FROM "+table),
			"in binary form": one[[]byte](t, db, "SELECT v FROM "+table+" WHERE id = ?", 1),
		} {
			if !bytes.Equal(got, all) {
				t.Errorf("%s %s: got %x", params, name, got)
			}
		}
	}
}

// testLarge needs several reads, and an argument that is sent ahead.
func testLarge(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "large", "id INT PRIMARY KEY, v LONGBLOB")
	big := bytes.Repeat([]byte("0123456789abcde\n"), 6<<20/16)
	exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", 1, big)
	for i, got := range [][]byte{one[[]byte](t, db, "SELECT v FROM "+table), one[[]byte](t, db, "SELECT v FROM "+table+" WHERE id = ?", 1)} {
		if !bytes.Equal(got, big) {
			t.Errorf("%d: got %d other bytes", i, len(got))
		}
	}
}

func testTimes(t *testing.T, s *suite) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 7, 1, 12, 30, 15, 0, time.UTC)
	for _, row := range []struct {
		params, stored string
		loc            *time.Location
	}{
		{"parseTime=true", "2024-07-01 12:30:15", time.UTC},
		{"parseTime=true&loc=Europe%2FVienna", "2024-07-01 14:30:15", vienna},
		{"parseTime=true&loc=Europe%2FVienna&interpolateParams=true", "2024-07-01 14:30:15", vienna},
		{"parseTime=true&timeTruncate=1h", "2024-07-01 12:00:00", time.UTC},
	} {
		db := s.db(t, row.params)
		table := s.table(t, db, "times", "id INT PRIMARY KEY, v DATETIME, d DATE")
		exec(t, db, "INSERT INTO "+table+" VALUES (?, ?, ?)", 1, at, at)
		plain := s.db(t, "")
		same(t, row.params, texts(t, plain, "SELECT v, d FROM "+table), []string{row.stored + "|2024-07-01"})
		same(t, row.params, texts(t, plain, "SELECT v, d FROM "+table+" WHERE id = ?", 1), []string{row.stored + "|2024-07-01"})
		want, _ := time.ParseInLocation(time.DateTime, row.stored, row.loc)
		for _, got := range []time.Time{one[time.Time](t, db, "SELECT v FROM "+table), one[time.Time](t, db, "SELECT v FROM "+table+" WHERE id = ?", 1)} {
			if !got.Equal(want) || got.Location().String() != row.loc.String() {
				t.Errorf("%s: got %v, want %v", row.params, got, want)
			}
		}
	}
}

// testFractions: more digits than the server has would keep it from using an
// index, so they are cut.
func testFractions(t *testing.T, s *suite) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 123456789, time.UTC)
	for _, params := range []string{"parseTime=true", "parseTime=true&interpolateParams=true"} {
		db := s.db(t, params)
		table := s.table(t, db, "fractions", "id INT PRIMARY KEY, v DATETIME(6)")
		exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", 1, at)
		want := at.Truncate(time.Microsecond)
		equal(t, params, one[time.Time](t, db, "SELECT v FROM "+table), want)
		equal(t, params, one[time.Time](t, db, "SELECT v FROM "+table+" WHERE v = ?", at), want)
	}
}

func testZeroDate(t *testing.T, s *suite) {
	db := s.db(t, "parseTime=true&sql_mode=%27%27")
	table := s.table(t, db, "zero", "id INT PRIMARY KEY, v DATETIME")
	exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", 1, time.Time{})
	for _, got := range []time.Time{one[time.Time](t, db, "SELECT v FROM "+table), one[time.Time](t, db, "SELECT v FROM "+table+" WHERE id = ?", 1)} {
		if !got.IsZero() {
			t.Errorf("got %v", got)
		}
	}
	same(t, "stored", texts(t, s.db(t, ""), "SELECT v FROM "+table), []string{"0000-00-00 00:00:00"})
}

// testTimeZone: one option sets both sides, so that a TIMESTAMP is the same
// moment for everybody.
func testTimeZone(t *testing.T, s *suite) {
	utc := s.db(t, "parseTime=true&timezone=UTC")
	other := s.db(t, "parseTime=true&timezone=Etc%2FGMT-5") // five hours east
	table := s.table(t, utc, "zones", "id INT PRIMARY KEY, v TIMESTAMP NULL, d DATETIME")
	at := time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
	exec(t, utc, "INSERT INTO "+table+" VALUES (?, ?, ?)", 1, at, at)
	exec(t, other, "INSERT INTO "+table+" VALUES (?, ?, ?)", 2, at, at)
	for name, db := range map[string]*sql.DB{"UTC": utc, "five hours east": other} {
		for id := 1; id <= 2; id++ {
			if got := one[time.Time](t, db, "SELECT v FROM "+table+" WHERE id = ?", id); !got.Equal(at) {
				t.Errorf("%s, row %d: got %v", name, id, got)
			}
		}
	}
	same(t, "stored", texts(t, s.db(t, ""), "SELECT d FROM "+table+" ORDER BY id"), []string{"2024-07-01 12:00:00", "2024-07-01 17:00:00"})
	equal(t, "the server's side", one[string](t, other, "SELECT @@time_zone"), "+05:00")
}

func testArguments(t *testing.T, s *suite) {
	db := s.db(t, "")
	if _, err := db.Exec("SELECT ?", sql.Named("x", 1)); err == nil {
		t.Error("a named argument was accepted")
	}
	if _, err := db.Exec("SELECT ?", struct{}{}); err == nil {
		t.Error("a struct was accepted")
	}
	for _, params := range []string{"", "interpolateParams=true"} {
		for _, args := range [][]any{{1}, {1, 2, 3}} {
			if rows, err := s.db(t, params).Query("SELECT ?, ?", args...); err == nil {
				rows.Close()
				t.Errorf("%s: %d arguments for two placeholders were accepted", params, len(args))
			}
		}
	}
	type name string
	n := 5
	got := texts(t, db, "SELECT ?, ?, ?, ?, ?", name("typed"), &n, &nullable{7}, 2.5, time.Microsecond)
	same(t, "values", got, []string{"typed|5|7|2.5|1000"})
}

func testJSON(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "documents", "id INT PRIMARY KEY, v JSON")
	exec(t, db, "INSERT INTO "+table+" VALUES (?, ?)", 1, json.RawMessage(`{"a": [1, "ü"]}`))
	for _, got := range []json.RawMessage{one[json.RawMessage](t, db, "SELECT v FROM "+table), one[json.RawMessage](t, db, "SELECT v FROM "+table+" WHERE id = ?", 1)} {
		var doc struct{ A []any }
		if err := json.Unmarshal(got, &doc); err != nil || len(doc.A) != 2 || doc.A[1] != "ü" {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

func testColumnTypes(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "columns", "a INT NOT NULL, b BIGINT UNSIGNED, c DECIMAL(10,3), d VARCHAR(9) NOT NULL, e BLOB, f DATETIME(3), g DOUBLE, h ENUM('x')")
	want := []string{
		"a INT false int32", "b UNSIGNED BIGINT true sql.Null[uint64]", "c DECIMAL true sql.NullString 10 3", "d VARCHAR false string",
		"e BLOB true []uint8", "f DATETIME true sql.NullTime 3 3", "g DOUBLE true sql.NullFloat64 9223372036854775807 9223372036854775807", "h ENUM true sql.NullString",
	}
	for _, args := range [][]any{nil, {1}} {
		query := "SELECT * FROM " + table
		if args != nil {
			query += " WHERE 1 = ?"
		}
		rows, err := db.Query(query, args...)
		if err != nil {
			t.Fatal(err)
		}
		types, err := rows.ColumnTypes()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range types {
			nullable, _ := c.Nullable()
			line := fmt.Sprint(c.Name(), " ", c.DatabaseTypeName(), " ", nullable, " ", c.ScanType())
			if precision, scale, ok := c.DecimalSize(); ok {
				line += fmt.Sprint(" ", precision, " ", scale)
			}
			got = append(got, line)
		}
		same(t, "columns", got, want)
		rows.Close()
	}
}
