package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	mysqlbulk "github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// far is the figures about a distant server.
func (d *database) far(far *database, rows int64) []figure {
	selects := figure{name: d.name + ": 500 point selects, 2.5 ms away", unit: "ms", lower: true, goals: []goal{{theirs, 20}}}
	selects.run = [columns]func(context.Context) (float64, error){ours: far.selectOurs, theirs: far.selectTheirs}
	inserts := figure{name: d.name + ": inserting rows, 2.5 ms away", unit: "rows/s", goals: []goal{{theirs, 50}}}
	inserts.run = [columns]func(context.Context) (float64, error){
		ours:   func(ctx context.Context) (float64, error) { return far.insertOurs(ctx, rows) },
		theirs: far.insertTheirs,
	}
	return []figure{selects, inserts}
}

const (
	pointSelect = "SELECT id, name, price FROM " + benchTable + " WHERE id = ?"
	insertTable = "wirelark_bench_insert"
	insertInto  = "INSERT INTO " + insertTable + " (id, name, price, at) VALUES (?, ?, ?, ?)"
	insertMake  = "CREATE TABLE " + insertTable + " (id BIGINT PRIMARY KEY, name VARCHAR(64), price DECIMAL(12,2), at DATETIME(6)) ENGINE=InnoDB CHARACTER SET utf8mb4"
)

func (d *database) selectOurs(ctx context.Context) (float64, error) {
	c, err := mysqlclient.Connect(ctx, &d.client)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	begin := time.Now()
	p := c.Pipeline()
	for i := range pointSelects {
		p.Add(pointSelect, i*97)
	}
	answers, err := p.Flush(ctx)
	if err != nil {
		return 0, err
	}
	found := 0
	for answers.Next() {
		rows := answers.Rows()
		for rows.Next() {
			if rows.Int64(0) == int64(answers.Index()*97) && len(rows.Bytes(1)) > 0 && len(rows.Bytes(2)) > 0 {
				found++
			}
		}
	}
	if err := answers.Close(); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if found != pointSelects {
		return 0, fmt.Errorf("%d rows of %d were found", found, pointSelects)
	}
	return float64(took.Microseconds()) / 1000, nil
}

func (d *database) selectTheirs(ctx context.Context) (float64, error) {
	db, err := sql.Open("mysql", d.dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	begin := time.Now()
	stmt, err := conn.PrepareContext(ctx, pointSelect)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	for i := range pointSelects {
		var id int64
		var name, price string
		if err := stmt.QueryRowContext(ctx, i*97).Scan(&id, &name, &price); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(begin).Microseconds()) / 1000, nil
}

func (d *database) insertOurs(ctx context.Context, n int64) (float64, error) {
	c, err := mysqlclient.Connect(ctx, &d.client)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := setUp(ctx, c, "DROP TABLE IF EXISTS "+insertTable, insertMake); err != nil {
		return 0, err
	}
	defer d.drop(insertTable)
	row := make([]any, 4)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	begin := time.Now()
	_, err = mysqlbulk.InsertRows(ctx, c, insertTable, []string{"id", "name", "price", "at"}, func(yield func([]any) bool) {
		for i := range n {
			row[0], row[1], row[2], row[3] = i, "a name of thirty letters or so", "1234.56", now
			if !yield(row) {
				return
			}
		}
	}, nil)
	return float64(n) / time.Since(begin).Seconds(), err
}

func (d *database) insertTheirs(ctx context.Context) (float64, error) {
	db, err := sql.Open("mysql", d.dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	for _, s := range []string{"DROP TABLE IF EXISTS " + insertTable, insertMake} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return 0, err
		}
	}
	defer d.drop(insertTable)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	begin := time.Now()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }() // nothing to do after Commit
	stmt, err := tx.PrepareContext(ctx, insertInto)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	for i := range singleRows {
		if _, err := stmt.ExecContext(ctx, i, "a name of thirty letters or so", "1234.56", now); err != nil {
			return 0, err
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	return singleRows / time.Since(begin).Seconds(), nil
}
