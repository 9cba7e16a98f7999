package drivertest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

var poolTests = []test{
	{"ping", nil, testPing},
	{"concurrent", nil, testConcurrent},
	{"cancel", []Feature{Kill}, testCancel},
	{"cancelled before", nil, testCancelledBefore},
	{"killed while idle", []Feature{Kill}, testKilled},
	{"clean sessions", []Feature{UserVars, TempTables}, testClean},
	{"kept sessions", []Feature{UserVars}, testKept},
	{"statements outlive a reset", []Feature{UserVars}, testStatementReset},
	{"open transaction", nil, testOpenTransaction},
	{"variables", nil, testVariables},
}

func testPing(t *testing.T, s *suite) {
	if err := s.db(t, "").PingContext(within(t)); err != nil {
		t.Error(err)
	}
}

func testConcurrent(t *testing.T, s *suite) {
	db := s.db(t, "")
	db.SetMaxOpenConns(4)
	table := s.table(t, db, "concurrent", "id INT PRIMARY KEY, v INT")
	const workers, each = 8, 20
	failed := make(chan error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Add(1)
		go func() { // ends when its statements have been executed
			defer group.Done()
			for i := range each {
				id := w*each + i
				_, err := db.Exec("INSERT INTO "+table+" VALUES (?, ?)", id, w)
				got := 0
				if err == nil {
					err = db.QueryRow("SELECT v FROM "+table+" WHERE id = ?", id).Scan(&got)
				}
				if err == nil && got != w {
					err = fmt.Errorf("row %d has %d, want %d", id, got, w)
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	group.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	equal(t, "rows", one[int](t, db, "SELECT COUNT(*) FROM "+table), workers*each)
}

// testCancel: the query returns at once, and the statement ends on the server.
func testCancel(t *testing.T, s *suite) {
	db := s.db(t, "")
	for _, args := range [][]any{nil, {20}} {
		query := "SELECT SLEEP(20) AS drivertest_sleep"
		if args != nil {
			query = "SELECT SLEEP(?) AS drivertest_sleep"
		}
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		start := time.Now()
		var n int
		err := db.QueryRowContext(ctx, query, args...).Scan(&n)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	const running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(%drivertest\\_sleep%' AND id <> CONNECTION_ID()"
	for start := time.Now(); one[int](t, db, running) > 0; {
		if time.Since(start) > 5*time.Second {
			t.Fatal("the statement still runs")
		}
	}
}

func testCancelledBefore(t *testing.T, s *suite) {
	db := s.db(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := db.ExecContext(ctx, "SELECT 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	equal(t, "afterwards", one[int](t, db, "SELECT 1"), 1)
}

// testKilled: a connection that the server ended while it was idle is noticed
// before anything is sent on it.
func testKilled(t *testing.T, s *suite) {
	db, other := s.db(t, ""), s.db(t, "")
	db.SetMaxOpenConns(1)
	for range 3 {
		id := one[int](t, db, "SELECT CONNECTION_ID()")
		exec(t, other, fmt.Sprintf("KILL %d", id))
		gone := fmt.Sprintf("SELECT COUNT(*) FROM information_schema.processlist WHERE id = %d", id)
		for start := time.Now(); one[int](t, other, gone) > 0; {
			if time.Since(start) > 5*time.Second {
				t.Fatal("the connection is still there")
			}
		}
		if next := one[int](t, db, "SELECT CONNECTION_ID()"); next == id {
			t.Errorf("connection %d lives", id)
		}
	}
}

// testClean: what one user of a connection leaves behind, the next does not find.
func testClean(t *testing.T, s *suite) {
	db := s.db(t, "reset-policy=dirty&sql_mode=%27ANSI%27")
	db.SetMaxOpenConns(1)
	id := one[int](t, db, "SELECT CONNECTION_ID()")
	exec(t, db, "SET @drivertest = 1")
	exec(t, db, "CREATE TEMPORARY TABLE drivertest_temporary (id INT)")
	equal(t, "the variable", one[sql.NullInt64](t, db, "SELECT @drivertest"), sql.NullInt64{})
	if _, err := db.Exec("SELECT * FROM drivertest_temporary"); !number(err, 1146) {
		t.Errorf("the temporary table: %v", err)
	}
	exec(t, db, "SET sql_mode = ''")
	if mode := one[string](t, db, "SELECT @@sql_mode"); mode == "" {
		t.Error("the variable of the configuration was not set again")
	}
	equal(t, "the connection", one[int](t, db, "SELECT CONNECTION_ID()"), id)
}

func testKept(t *testing.T, s *suite) {
	db := s.db(t, "reset-policy=never")
	db.SetMaxOpenConns(1)
	exec(t, db, "SET @drivertest = 1")
	equal(t, "never", one[sql.NullInt64](t, db, "SELECT @drivertest"), sql.NullInt64{Int64: 1, Valid: true})

	always := s.db(t, "reset-policy=always")
	always.SetMaxOpenConns(1)
	exec(t, always, "SET @drivertest = 1")
	equal(t, "always", one[sql.NullInt64](t, always, "SELECT @drivertest"), sql.NullInt64{})

	conn, err := s.db(t, "").Conn(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec(t, conn, "SET @drivertest = 1")
	equal(t, "on one connection", one[sql.NullInt64](t, conn, "SELECT @drivertest"), sql.NullInt64{Int64: 1, Valid: true})
}

func testStatementReset(t *testing.T, s *suite) {
	db := s.db(t, "reset-policy=dirty")
	db.SetMaxOpenConns(1)
	stmt, err := db.Prepare("SELECT ? + 1")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for i := range 3 {
		exec(t, db, "SET @drivertest = 1")
		var n int
		if err := stmt.QueryRow(i).Scan(&n); err != nil || n != i+1 {
			t.Errorf("got %d, %v", n, err)
		}
		equal(t, "by itself", one[int](t, db, "SELECT ? + 2", i), i+2)
	}
}

// testOpenTransaction: a transaction that was begun by hand and forgotten does
// not go on.
func testOpenTransaction(t *testing.T, s *suite) {
	db := s.db(t, "reset-policy=dirty")
	db.SetMaxOpenConns(1)
	table := s.table(t, db, "forgotten", "id INT PRIMARY KEY")
	conn, err := db.Conn(within(t))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "START TRANSACTION")
	exec(t, conn, "INSERT INTO "+table+" VALUES (1)")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "rows", one[int](t, db, "SELECT COUNT(*) FROM "+table), 0)
}

func testVariables(t *testing.T, s *suite) {
	db := s.db(t, "sql_mode=%27ANSI_QUOTES%27")
	if mode := one[string](t, db, "SELECT @@sql_mode"); mode != "ANSI_QUOTES" {
		t.Errorf("got %q", mode)
	}
	bad := s.open("drivertest_no_such_variable=1")
	defer bad.Close()
	if err := bad.PingContext(within(t)); !number(err, 1193) {
		t.Errorf("an unknown variable: %v", err)
	}
}
