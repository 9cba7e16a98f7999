package interop

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	gsd "github.com/go-sql-driver/mysql"
)

// The tests of this file let other people's clients work with our server and
// its embedded engine: list, create, insert, select with parameters, and get the
// right types back.

// reach are the arguments with which MariaDB's and MySQL's command lines get to
// a server.
func (d *database) reach() []string {
	host, port, _ := net.SplitHostPort(d.client.Address)
	return []string{"--no-defaults", "--protocol=TCP", "-h", host, "-P", port, "-u", "app", "-p" + mysqlPassword}
}

const shopSchema = `CREATE DATABASE IF NOT EXISTS shop;
USE shop;
CREATE TABLE IF NOT EXISTS item (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(40) NOT NULL UNIQUE, price DECIMAL(10,2), made DATETIME(6), data BLOB, weight DOUBLE, big BIGINT UNSIGNED, note TEXT);
INSERT INTO item (name, price, made, data, weight, big, note) VALUES
  ('one', 1.50, '2026-11-22 01:02:03.456789', x'00ff', 0.25, 18446744073709551615, NULL),
  ('zwei', -2, '1999-12-31 23:59:59', '', -1e300, 0, 'tab	and
line');`

// TestMySQLServerMariaDB uses MariaDB's own client.
func TestMySQLServerMariaDB(t *testing.T) {
	d, words := startEngine(t), program(t, "WIRELARK_MARIADB", "mariadb")
	run := func(stdin string, args ...string) (string, int) {
		t.Helper()
		cmd := command(t, words, append(d.reach(), args...)...)
		cmd.Stdin = strings.NewReader(stdin)
		out, status := output(t, cmd)
		return string(out), status
	}
	if out, status := run(shopSchema); out != "" || status != 0 {
		t.Fatalf("the schema: %q, status %d", out, status)
	}
	for _, tt := range []struct{ name, stdin, want string }{
		{"databases", "SHOW DATABASES LIKE 's%';", "Database (s%)\nshop\n"},
		{"tables", "SHOW TABLES FROM shop;", "Tables_in_shop\nitem\n"},
		{"rows", "SELECT * FROM shop.item ORDER BY id;", "id\tname\tprice\tmade\tdata\tweight\tbig\tnote\n" +
			"1\tone\t1.50\t2026-11-22 01:02:03.456789\t\\0\xff\t0.25\t18446744073709551615\tNULL\n" +
			"2\tzwei\t-2.00\t1999-12-31 23:59:59.000000\t\t-1e300\t0\ttab\\tand\\nline\n"},
		{"describe", "DESCRIBE shop.item;", "Field\tType\tNull\tKey\tDefault\tExtra\n" +
			"id\tint(10) unsigned\tNO\tPRI\tNULL\tauto_increment\nname\tvarchar(40)\tNO\tUNI\tNULL\t\nprice\tdecimal(10,2)\tYES\t\tNULL\t\n" +
			"made\tdatetime(6)\tYES\t\tNULL\t\ndata\tblob\tYES\t\tNULL\t\nweight\tdouble\tYES\t\tNULL\t\nbig\tbigint(20) unsigned\tYES\t\tNULL\t\nnote\ttext\tYES\t\tNULL\t\n"},
		{"variables and functions", "SET @a = 40; SELECT @a + 2 AS x, CONCAT('a', NULL) AS n, IF(1 < 2, 'yes', 'no') AS i;", "x\tn\ti\n42\tNULL\tyes\n"},
		{"several results", "SELECT 1; SELECT 2;", "1\n1\n2\n2\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out, status := run(tt.stdin, "-B"); out != tt.want || status != 0 {
				t.Errorf("mariadb says (status %d)\n%q, want\n%q", status, out, tt.want)
			}
		})
	}
	t.Run("an error", func(t *testing.T) {
		cmd := command(t, words, append(d.reach(), "-e", "SELECT * FROM shop.nothing")...)
		if out := said(cmd); !strings.Contains(out, "ERROR 1146 (42S02)") || !strings.Contains(out, "shop.nothing") {
			t.Errorf("mariadb says %q", out)
		}
	})
	t.Run("table", func(t *testing.T) {
		if out, _ := run("", "-t", "-D", "shop", "-e", "SELECT id, name FROM item ORDER BY id"); out != "+----+------+\n| id | name |\n+----+------+\n|  1 | one  |\n|  2 | zwei |\n+----+------+\n" {
			t.Errorf("mariadb says\n%s", out)
		}
	})
	t.Run("compressed", func(t *testing.T) {
		out, status := run("", "-C", "-B", "-N", "-e", "SELECT REPEAT('x', 100000)")
		if len(out) != 100001 || status != 0 {
			t.Errorf("mariadb says %d bytes with status %d", len(out), status)
		}
	})
}

// TestMySQLServerPyMySQL uses Python's client.
func TestMySQLServerPyMySQL(t *testing.T) {
	d, python := startEngine(t), pythonWith(t, "pymysql")
	host, port, _ := net.SplitHostPort(d.client.Address)
	script := fmt.Sprintf(`import pymysql, json
c = pymysql.connect(host=%q, port=%s, user="app", password=%q, charset="utf8mb4", client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
k = c.cursor()
for s in %q.split(";\n"):
    k.execute(s.rstrip(";"))
c.commit()
out = []
k.execute("SELECT * FROM item WHERE id = %%s AND name = %%s", (1, "one"))
out.append([type(v).__name__ + " " + str(v) for v in k.fetchone()])
k.executemany("INSERT INTO item (name, price) VALUES (%%s, %%s)", [("n%%d" %% i, i) for i in range(100)])
out.append([k.rowcount])
k.execute("INSERT INTO item (name) VALUES ('last')")
out.append([k.lastrowid])
try:
    k.execute("INSERT INTO item (name) VALUES ('last')")
except pymysql.err.IntegrityError as e:
    out.append([e.args[0]])
c.rollback()
k.execute("SELECT COUNT(*) FROM item")
out.append(list(k.fetchone()))
k.execute("SELECT 1; SELECT 2")
more = [k.fetchall()[0][0]]
while k.nextset():
    more.append(k.fetchall()[0][0])
out.append(more)
k.execute("SHOW DATABASES")
out.append([r[0] for r in k.fetchall() if r[0] == "shop"])
c.ping()
print(json.dumps(out))
`, host, port, mysqlPassword, strings.ReplaceAll(shopSchema, "%", "%%"))
	cmd := command(t, python, "-c", script)
	out, status := output(t, cmd)
	if status != 0 {
		t.Fatalf("python ends with status %d", status)
	}
	var got, want [][]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := json.Unmarshal([]byte(`[
		["int 1", "str one", "Decimal 1.50", "datetime 2026-11-22 01:02:03.456789", "bytes b'\\x00\\xff'", "float 0.25", "int 18446744073709551615", "NoneType None"],
		[100], [103], [1062], [2], [1, 2], ["shop"]]`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Python got %v\nwant       %v", got, want)
	}
}

// TestMySQLServerGoSQLDriver uses the usual driver of Go, with prepared
// statements and without.
func TestMySQLServerGoSQLDriver(t *testing.T) {
	d := startEngine(t)
	for _, interpolate := range []bool{false, true} {
		cfg := gsd.NewConfig()
		cfg.Net, cfg.Addr, cfg.User, cfg.Passwd = "tcp", d.client.Address, "app", mysqlPassword
		cfg.TLSConfig, cfg.ParseTime, cfg.InterpolateParams, cfg.MultiStatements = "skip-verify", true, interpolate, true
		db, err := sql.Open("mysql", cfg.FormatDSN())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		exec := func(query string, args ...any) sql.Result {
			t.Helper()
			r, err := db.ExecContext(t.Context(), query, args...)
			if err != nil {
				t.Fatalf("interpolated %v: %.80s: %v", interpolate, query, err)
			}
			return r
		}
		exec("DROP DATABASE IF EXISTS shop")
		exec(shopSchema)
		var (
			id     int64
			name   string
			price  string
			made   time.Time
			data   []byte
			weight float64
			big    uint64
			note   sql.NullString
		)
		err = db.QueryRowContext(t.Context(), "SELECT * FROM item WHERE name = ? AND price < ?", "zwei", 0).Scan(&id, &name, &price, &made, &data, &weight, &big, &note)
		if err != nil || id != 2 || price != "-2.00" || !made.Equal(time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)) || len(data) != 0 || weight != -1e300 || note.String != "tab\tand\nline" {
			t.Errorf("interpolated %v: %v: %d %q %q %v %x %v %d %+v", interpolate, err, id, name, price, made, data, weight, big, note)
		}
		r := exec("INSERT INTO item (name, price, made, data) VALUES (?, ?, ?, ?)", "drei", 3.25, made, []byte{0, 1, 255})
		if last, _ := r.LastInsertId(); last != 3 {
			t.Errorf("interpolated %v: LastInsertId() = %d", interpolate, last)
		}
		_, err = db.ExecContext(t.Context(), "INSERT INTO item (name) VALUES (?)", "drei")
		var refused *gsd.MySQLError
		if !errors.As(err, &refused) || refused.Number != 1062 {
			t.Errorf("interpolated %v: a second one: %v", interpolate, err)
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("DELETE FROM item"); err != nil {
			t.Error(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		rows, err := db.QueryContext(t.Context(), "SELECT id, price, made, data FROM item WHERE id >= ?", 3)
		if err != nil {
			t.Fatal(err)
		}
		types, err := rows.ColumnTypes()
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, c := range types {
			kinds = append(kinds, c.DatabaseTypeName())
		}
		if got := strings.Join(kinds, " "); got != "UNSIGNED INT DECIMAL DATETIME BLOB" {
			t.Errorf("interpolated %v: types %s", interpolate, got)
		}
		count := 0
		for rows.Next() {
			if err := rows.Scan(&id, &price, &made, &data); err != nil || price != "3.25" || string(data) != "\x00\x01\xff" {
				t.Errorf("interpolated %v: %v: %d %s %v %x", interpolate, err, id, price, made, data)
			}
			count++
		}
		if err := rows.Close(); err != nil || count != 1 {
			t.Errorf("interpolated %v: %d rows, %v", interpolate, count, err)
		}
	}
}

// TestMySQLServerMycli uses mycli, which looks around in information_schema.
func TestMySQLServerMycli(t *testing.T) {
	d, words := startEngine(t), program(t, "WIRELARK_MYCLI", "mycli")
	mysqlExec(t, d.connect(t), "CREATE TABLE birds (id INT PRIMARY KEY, name VARCHAR(20))", "INSERT INTO birds VALUES (1, 'lark')")
	host, port, _ := net.SplitHostPort(d.client.Address)
	cmd := command(t, words, "-h", host, "-P", port, "-u", "app", "-p", mysqlPassword, "-D", mysqlDatabase, "--csv", "-e", "SELECT id, name FROM birds")
	out, status := output(t, cmd)
	if strings.ReplaceAll(string(out), "\r", "") != "\"id\",\"name\"\n\"1\",\"lark\"\n" || status != 0 {
		t.Errorf("mycli says %q with status %d", out, status)
	}
}
