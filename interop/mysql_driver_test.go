package interop

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"

	original "github.com/go-sql-driver/mysql"

	compat "github.com/wirelark/wirelark/mysql/compat"
	mysqloptions "github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/sqldriver"
	"github.com/wirelark/wirelark/mysql/sqldriver/drivertest"
)

// TestDriverSuite runs the suite of the database/sql driver.
func TestDriverSuite(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		var without []drivertest.Feature
		if d.embedded {
			without = append(without, drivertest.Procedures, drivertest.TimeZones)
		}
		drivertest.Run(t, func(params string) *sql.DB {
			o, err := mysqloptions.ParseDSN("/?" + params)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := sqldriver.FromOptions(o)
			if err != nil {
				t.Fatal(err)
			}
			c := cfg.Client
			c.Network, c.Address, c.User, c.Passwords, c.Database = d.client.Network, d.client.Address, d.client.User, d.client.Passwords, d.client.Database
			c.AllowKeyRetrieval = true
			return sql.OpenDB(sqldriver.NewConnector(cfg))
		}, without...)
	})
}

// TestCompatValues reads the same rows through go-sql-driver and through package
// compat: programs that change the import get the same values.
func TestCompatValues(t *testing.T) {
	columns := []struct{ column, value string }{
		{"TINYINT", "-1"},
		{"SMALLINT UNSIGNED", "65535"},
		{"INT", "-5"},
		{"BIGINT", "-9223372036854775808"},
		{"FLOAT", "1.5"},
		{"DOUBLE", "0.1"},
		{"DECIMAL(10,3)", "1.25"},
		{"YEAR", "2024"},
		{"DATE", "'2024-02-29'"},
		{"DATETIME(3)", "'2024-02-29 01:02:03.456'"},
		{"DATETIME", "'2024-02-29 01:02:03'"},
		{"TIME", "'-12:00:01'"},
		{"TIME(2)", "'100:00:01.5'"},
		{"CHAR(3)", "'ab'"},
		{"VARCHAR(5)", "''"},
		{"TEXT", "'text'"},
		{"BLOB", "x'00ff'"},
		{"VARBINARY(4)", "x'01'"},
		{"ENUM('a','b')", "'b'"},
		{"SET('a','b')", "'a,b'"},
		{"BIT(9)", "b'100000001'"},
		{"INT", "NULL"},
		{"TIMESTAMP(6) NULL", "'2024-02-29 01:02:03.000001'"},
	}
	var definitions, values []string
	for i, c := range columns {
		definitions, values = append(definitions, fmt.Sprintf("c%d %s", i, c.column)), append(values, c.value)
	}
	eachDatabase(t, func(t *testing.T, d *database) {
		exec := func(db *sql.DB, text string) {
			t.Helper()
			if _, err := db.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		for _, params := range []string{"", "&parseTime=true&loc=Europe%2FVienna", "&interpolateParams=true"} {
			dsn := fmt.Sprintf("app:%s@tcp(%s)/%s?allowNativePasswords=true%s", mysqlPassword, d.client.Address, d.client.Database, params)
			theirs, ours := originalPool(t, dsn), compatPool(t, dsn)
			exec(ours, "DROP TABLE IF EXISTS compat_values")
			exec(ours, "CREATE TABLE compat_values ("+strings.Join(definitions, ", ")+")")
			exec(ours, "INSERT INTO compat_values VALUES ("+strings.Join(values, ", ")+")")
			for _, args := range [][]any{nil, {1}} {
				want, wantTypes := readAny(t, theirs, args)
				got, gotTypes := readAny(t, ours, args)
				for i := range want {
					if !reflect.DeepEqual(got[i], want[i]) {
						t.Errorf("%s %q, arguments %v: got %T %v, the original has %T %v", columns[i].column, params, args, got[i], got[i], want[i], want[i])
					}
					if gotTypes[i] != wantTypes[i] {
						t.Errorf("%s: got the type %s, the original has %s", columns[i].column, gotTypes[i], wantTypes[i])
					}
				}
			}
			exec(ours, "DROP TABLE compat_values")
		}
	})
}

func originalPool(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	cfg, err := original.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c, err := original.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return db
}

func compatPool(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	cfg, err := compat.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c, err := compat.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return db
}

// readAny returns the only row as it is scanned into any, and what is told of
// the columns.
func readAny(t *testing.T, db *sql.DB, args []any) (row []any, types []string) {
	t.Helper()
	query := "SELECT * FROM compat_values"
	if args != nil {
		query += " WHERE 1 = ?"
	}
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	into := make([]any, len(columns))
	row = make([]any, len(columns))
	for i, c := range columns {
		into[i] = &row[i]
		precision, scale, ok := c.DecimalSize()
		types = append(types, fmt.Sprint(c.DatabaseTypeName(), " ", c.ScanType(), " ", precision, " ", scale, " ", ok))
	}
	if !rows.Next() {
		t.Fatalf("there is no row: %v", rows.Err())
	}
	if err := rows.Scan(into...); err != nil {
		t.Fatal(err)
	}
	return row, types
}
