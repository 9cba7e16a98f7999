package drivertest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Feature is something that a server may lack.
type Feature string

// The features.
const (
	Procedures   Feature = "procedures"   // CREATE PROCEDURE and CALL with OUT parameters
	Kill         Feature = "kill"         // KILL, and statements that end when they are killed
	Isolation    Feature = "isolation"    // isolation levels and read-only transactions
	JSON         Feature = "json"         // a type JSON
	Fractions    Feature = "fractions"    // DATETIME(6) and TIME(6)
	UserVars     Feature = "uservars"     // SET @x
	TempTables   Feature = "temptables"   // CREATE TEMPORARY TABLE
	ManyPackets  Feature = "manypackets"  // values of some MiB
	TimeZones    Feature = "timezones"    // a session's time_zone, and TIMESTAMP
	ZeroBytes    Feature = "zerobytes"    // texts with a byte of zero in them
	TypesInPlace Feature = "typesinplace" // exact types of columns: DECIMAL(10,3), UNSIGNED, BIT
)

// suite is one run.
type suite struct {
	open func(params string) *sql.DB
}

// test is one part of the suite and what it needs.
type test struct {
	name  string
	needs []Feature
	run   func(t *testing.T, s *suite)
}

// Run runs the suite. open returns a pool for the server with the parameters of a
// data source name ("parseTime=true&loc=UTC"); the suite closes it. without names
// what the server lacks.
func Run(t *testing.T, open func(params string) *sql.DB, without ...Feature) {
	t.Helper()
	s := &suite{open}
	for _, part := range slices.Concat(valueTests, statementTests, poolTests) {
		if slices.ContainsFunc(part.needs, func(f Feature) bool { return slices.Contains(without, f) }) {
			continue
		}
		t.Run(part.name, func(t *testing.T) { part.run(t, s) })
	}
}

// db opens a pool for the time of a test.
func (s *suite) db(t *testing.T, params string) *sql.DB {
	t.Helper()
	db := s.open(params)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("closing the pool: %v", err)
		}
	})
	return db
}

// table makes a table for the time of a test and returns its name.
func (s *suite) table(t *testing.T, db *sql.DB, name, columns string) string {
	t.Helper()
	name = "drivertest_" + name
	exec(t, db, "DROP TABLE IF EXISTS "+name)
	exec(t, db, "CREATE TABLE "+name+" ("+columns+")")
	t.Cleanup(func() { exec(t, db, "DROP TABLE IF EXISTS "+name) })
	return name
}

// limit is how long a test waits for anything.
const limit = 20 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// querier is a pool, a connection or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func exec(t *testing.T, q querier, query string, args ...any) sql.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return r
}

// one returns the only value of a query.
func one[T any](t *testing.T, q querier, query string, args ...any) T {
	t.Helper()
	var v T
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := q.QueryRowContext(ctx, query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// texts returns the rows of a query, with bars between the values.
func texts(t *testing.T, q querier, query string, args ...any) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	return rowTexts(t, rows)
}

func rowTexts(t *testing.T, rows *sql.Rows) []string {
	t.Helper()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		cells := make([]string, len(columns))
		for i, v := range values {
			cells[i] = v.String
			if !v.Valid {
				cells[i] = "NULL"
			}
		}
		list = append(list, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// number reports whether err is the server's error with a number, whatever type
// the driver gives it.
func number(err error, code int) bool {
	return err != nil && strings.Contains(err.Error(), fmt.Sprintf(" %d", code))
}
