package drivertest

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
)

var statementTests = []test{
	{"results", nil, testResults},
	{"prepared", nil, testPrepared},
	{"errors", nil, testErrors},
	{"transactions", nil, testTransactions},
	{"isolation", []Feature{Isolation}, testIsolation},
	{"several statements", nil, testSeveral},
	{"error behind a result set", nil, testLaterError},
	{"columns", nil, testColumns},
	{"rows left behind", nil, testRowsLeft},
	{"out parameters", []Feature{Procedures}, testOut},
	{"result sets of a procedure", []Feature{Procedures}, testProcedure},
	{"placeholders", nil, testPlaceholders},
}

func testResults(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "results", "id INT AUTO_INCREMENT PRIMARY KEY, v INT")
	r := exec(t, db, "INSERT INTO "+table+" (v) VALUES (?), (?)", 1, 1)
	id, _ := r.LastInsertId()
	n, _ := r.RowsAffected()
	equal(t, "first id", id, 1)
	equal(t, "inserted", n, 2)
	n, _ = exec(t, db, "UPDATE "+table+" SET v = 1").RowsAffected()
	equal(t, "changed", n, 0)
	n, _ = exec(t, s.db(t, "clientFoundRows=true"), "UPDATE "+table+" SET v = 1").RowsAffected()
	equal(t, "found", n, 2)
	n, _ = exec(t, db, "DELETE FROM "+table).RowsAffected()
	equal(t, "deleted", n, 2)
	if err := db.QueryRow("SELECT v FROM " + table).Scan(&n); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("no rows: got %v", err)
	}
	if got := texts(t, db, "DELETE FROM "+table); got != nil {
		t.Errorf("the rows of a DELETE: %q", got)
	}
}

func testPrepared(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "prepared", "id INT PRIMARY KEY, v VARCHAR(20)")
	insert, err := db.Prepare("INSERT INTO " + table + " VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	for i := range 10 {
		if _, err := insert.Exec(i, strings.Repeat("x", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := insert.Exec(1); err == nil {
		t.Error("one argument for two placeholders was accepted")
	}
	query, err := db.Prepare("SELECT v FROM " + table + " WHERE id = ?")
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	for i := range 10 {
		var v string
		if err := query.QueryRow(i).Scan(&v); err != nil || len(v) != i {
			t.Errorf("%d: got %q, %v", i, v, err)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var v string
	if err := tx.Stmt(query).QueryRow(3).Scan(&v); err != nil || v != "xxx" {
		t.Errorf("in a transaction: got %q, %v", v, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if _, err := db.Prepare("SELECT ? FROM drivertest_missing"); !number(err, 1146) {
		t.Errorf("preparing for a missing table: %v", err)
	}
}

func testErrors(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "failing", "id INT PRIMARY KEY, v INT NOT NULL")
	exec(t, db, "INSERT INTO "+table+" VALUES (1, 1)")
	for _, row := range []struct {
		sql  string
		args []any
		code int
	}{
		{"INSERT INTO " + table + " VALUES (1, 2)", nil, 1062},
		{"INSERT INTO " + table + " VALUES (?, 2)", []any{1}, 1062},
		{"SELECT * FROM drivertest_missing", nil, 1146},
		{"SELECT missing FROM " + table, nil, 1054},
		{"SELEKT 1", nil, 1064},
		{"INSERT INTO " + table + " VALUES (2, NULL)", nil, 1048},
	} {
		if _, err := db.Exec(row.sql, row.args...); !number(err, row.code) {
			t.Errorf("%s: got %v, want error %d", row.sql, err, row.code)
		}
	}
	equal(t, "rows", one[int](t, db, "SELECT COUNT(*) FROM "+table), 1)
}

func testTransactions(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "money", "id INT PRIMARY KEY")
	count := func() int { return one[int](t, db, "SELECT COUNT(*) FROM "+table) }
	for i, commit := range []bool{true, false} {
		tx, err := db.BeginTx(within(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		exec(t, tx, "INSERT INTO "+table+" VALUES (?)", i)
		equal(t, "seen inside", one[int](t, tx, "SELECT COUNT(*) FROM "+table), i+1)
		end := tx.Rollback
		if commit {
			end = tx.Commit
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("committing again: %v", err)
		}
	}
	equal(t, "rows", count(), 1)

	ctx, cancel := context.WithCancel(context.Background())
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, tx, "INSERT INTO "+table+" VALUES (?)", 7)
	cancel() // database/sql rolls back
	if err := tx.Commit(); err == nil {
		t.Error("a cancelled transaction was committed")
	}
	equal(t, "rows behind a cancelled transaction", count(), 1)
}

func testIsolation(t *testing.T, s *suite) {
	db := s.db(t, "")
	table := s.table(t, db, "levels", "id INT PRIMARY KEY")
	for _, level := range []sql.IsolationLevel{sql.LevelReadUncommitted, sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSnapshot, sql.LevelSerializable} {
		tx, err := db.BeginTx(within(t), &sql.TxOptions{Isolation: level})
		if err != nil {
			t.Errorf("%s: %v", level, err)
			continue
		}
		equal(t, level.String(), one[int](t, tx, "SELECT COUNT(*) FROM "+table), 0)
		if err := tx.Commit(); err != nil {
			t.Errorf("%s: %v", level, err)
		}
	}
	if _, err := db.BeginTx(within(t), &sql.TxOptions{Isolation: sql.LevelLinearizable}); err == nil {
		t.Error("an isolation level that no server has was accepted")
	}
	tx, err := db.BeginTx(within(t), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO " + table + " VALUES (1)"); !number(err, 1792) {
		t.Errorf("writing in a read-only transaction: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// testSeveral reads several result sets, with results without rows between.
func testSeveral(t *testing.T, s *suite) {
	db := s.db(t, "multiStatements=true")
	table := s.table(t, db, "several", "id INT PRIMARY KEY")
	rows, err := db.Query("INSERT INTO " + table + " VALUES (1), (2); SELECT id FROM " + table + " ORDER BY id; DELETE FROM " + table + " WHERE id = 1; SELECT 'a', 'b'; DELETE FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	same(t, "first", rowTexts(t, rows), []string{"1", "2"})
	if !rows.NextResultSet() {
		t.Fatalf("there is no second result set: %v", rows.Err())
	}
	same(t, "second", rowTexts(t, rows), []string{"a|b"})
	if rows.NextResultSet() || rows.Err() != nil {
		t.Errorf("there is a third result set, or an error: %v", rows.Err())
	}
	equal(t, "rows left", one[int](t, db, "SELECT COUNT(*) FROM "+table), 0)

	conn, err := db.Conn(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec(t, conn, "INSERT INTO "+table+" VALUES (1); INSERT INTO "+table+" VALUES (2), (3)")
	equal(t, "rows", one[int](t, conn, "SELECT COUNT(*) FROM "+table), 3)
	n, _ := exec(t, conn, "DELETE FROM "+table+" WHERE id = 1; DELETE FROM "+table).RowsAffected()
	equal(t, "affected by the last one", n, 2)

	single := s.db(t, "")
	if _, err := single.Exec("DELETE FROM " + table + "; DELETE FROM " + table); !number(err, 1064) {
		t.Errorf("two statements without multiStatements: %v", err)
	}
}

func testLaterError(t *testing.T, s *suite) {
	db := s.db(t, "multiStatements=true")
	rows, err := db.Query("SELECT 1; SELECT * FROM drivertest_missing; SELECT 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	same(t, "first", rowTexts(t, rows), []string{"1"})
	if rows.NextResultSet() {
		t.Error("there is a second result set")
	}
	if err := rows.Err(); !number(err, 1146) {
		t.Errorf("got %v", err)
	}
	rows.Close()
	if _, err := db.Exec("SELECT 1; SELECT * FROM drivertest_missing"); !number(err, 1146) {
		t.Errorf("executed: got %v", err)
	}
	equal(t, "afterwards", one[int](t, db, "SELECT 3"), 3)
}

func testColumns(t *testing.T, s *suite) {
	db := s.db(t, "columnsWithAlias=true")
	table := s.table(t, db, "named", "id INT PRIMARY KEY, v INT")
	for query, want := range map[string][]string{
		"SELECT a.id, a.v AS x FROM " + table + " a": {"a.id", "a.x"},
		"SELECT 1 AS one": {"one"},
	} {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		same(t, query, got, want)
		rows.Close()
	}
	same(t, "plain", columnsOf(t, s.db(t, ""), "SELECT id FROM "+table), []string{"id"})
}

func columnsOf(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// testRowsLeft closes rows before their end: the connection must go on.
func testRowsLeft(t *testing.T, s *suite) {
	db := s.db(t, "")
	db.SetMaxOpenConns(1)
	table := s.table(t, db, "left", "id INT PRIMARY KEY")
	for i := range 50 {
		exec(t, db, "INSERT INTO "+table+" VALUES (?)", i)
	}
	for _, args := range [][]any{nil, {0}} {
		query := "SELECT id FROM " + table
		if args != nil {
			query += " WHERE id >= ?"
		}
		rows, err := db.Query(query, args...)
		if err != nil {
			t.Fatal(err)
		}
		if !rows.Next() {
			t.Error("there are no rows")
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
		equal(t, "afterwards", one[int](t, db, "SELECT COUNT(*) FROM "+table), 50)
	}
}

func testOut(t *testing.T, s *suite) {
	db := s.db(t, "")
	const name = "drivertest_out"
	exec(t, db, "DROP PROCEDURE IF EXISTS "+name)
	exec(t, db, "CREATE PROCEDURE "+name+"(IN a INT, OUT b INT, INOUT c VARCHAR(20)) BEGIN SET b = a * 2; SET c = CONCAT(c, '!'); SELECT a, c; END")
	defer exec(t, db, "DROP PROCEDURE IF EXISTS "+name)
	var twice int
	text := "hello"
	exec(t, db, "CALL "+name+"(?, ?, ?)", 21, sql.Out{Dest: &twice}, sql.Out{Dest: &text, In: true})
	equal(t, "OUT", twice, 42)
	equal(t, "INOUT", text, "hello!")

	rows, err := db.Query("CALL "+name+"(?, ?, ?)", 4, sql.Out{Dest: &twice}, sql.Out{Dest: &text, In: true})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rows", rowTexts(t, rows), []string{"4|hello!!"})
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "OUT behind rows", twice, 8)
	equal(t, "INOUT behind rows", text, "hello!!")
	if _, err := db.Exec("CALL "+name+"(?, ?, @c)", 1, sql.Out{Dest: &twice}); err != nil || twice != 2 {
		t.Errorf("one OUT parameter: %d, %v", twice, err)
	}
	if _, err := db.Exec("SELECT ?", sql.Out{Dest: &twice}); err == nil {
		t.Error("a statement without OUT parameters was given one")
	}
	if _, err := db.Exec("CALL "+name+"(?, ?, ?)", 1, sql.Out{Dest: twice}, sql.Out{Dest: &text}); err == nil {
		t.Error("an OUT parameter without a pointer was accepted")
	}
}

func testProcedure(t *testing.T, s *suite) {
	db := s.db(t, "")
	const name = "drivertest_sets"
	exec(t, db, "DROP PROCEDURE IF EXISTS "+name)
	exec(t, db, "CREATE PROCEDURE "+name+"() BEGIN SELECT 1; SELECT 2, 3; END")
	defer exec(t, db, "DROP PROCEDURE IF EXISTS "+name)
	rows, err := db.Query("CALL " + name + "()")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	same(t, "first", rowTexts(t, rows), []string{"1"})
	if !rows.NextResultSet() {
		t.Fatal("there is no second result set")
	}
	same(t, "second", rowTexts(t, rows), []string{"2|3"})
	if rows.NextResultSet() || rows.Err() != nil {
		t.Errorf("there is a third result set, or an error: %v", rows.Err())
	}
}

// testPlaceholders has question marks that are none.
func testPlaceholders(t *testing.T, s *suite) {
	for _, params := range []string{"", "interpolateParams=true"} {
		db := s.db(t, params)
		got := texts(t, db, "SELECT '?', \"?\", ? /* ? */, 'it''s ?' AS `?`, ? -- ?", "a", "b")
		same(t, params, got, []string{"?|?|a|it's ?|b"})
	}
}
