package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql" // registers itself as "mysql"

	mysqlbulk "github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/sqldriver"
)

// The third column of the MySQL section is the servers' own command line.
const commandLine = openSSH

var databaseParties = parties{
	full:  [columns]string{"ours", "go-sql-driver", "mysql, mariadb"},
	short: [columns]string{ours: "ours", theirs: "go", commandLine: "cli"},
}

// How far away a database is, and how much it is asked there.
const (
	databaseTrip = 2500 * time.Microsecond // a round trip
	pointSelects = 500
	singleRows   = 500
)

// databases measures what a client does with MySQL servers.
func databases(ctx context.Context, e *env) ([]figure, error) {
	all, err := openDatabases(ctx, e)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	program, err := e.buildOurs(ctx)
	if err != nil {
		return nil, err
	}
	cli := e.databaseClient()
	if cli != nil {
		version, _ := exec.CommandContext(ctx, cli[0], append(cli[1:len(cli):len(cli)], "--version")...).Output()
		e.mention("The command line of the third column: %s.", strings.TrimSpace(string(version)))
	}
	rows, inserted := e.amount(1_000_000), e.amount(100_000)
	e.mention("Reading: %d rows of 8 columns (BIGINT, INT, INT UNSIGNED, DECIMAL, DOUBLE, VARCHAR of 30 letters, DATETIME(6), VARCHAR with NULLs), every value taken by a getter or Scan. Ours is in binary form, go-sql-driver's a query without arguments, which is text. No TLS.", rows)
	e.mention("Distance: a delay line with a round trip of %v. %d point selects, ours in a pipeline, go-sql-driver's with one kept statement; rows inserted in one transaction, ours %d with InsertRows, go-sql-driver's %d with one kept statement and an Exec for each.", databaseTrip, pointSelects, inserted, singleRows)
	e.mention("Start-up: from the start of the program to the first byte that its server gets, which it sends when it has read the greeting.")
	var figures []figure
	for _, d := range all {
		if err := d.fill(ctx, e, rows); err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		line, err := newDelayLine(d.client.Address, databaseTrip)
		if err != nil {
			return nil, err
		}
		e.later(line.close)
		figures = append(figures, d.reading(rows)...)
		figures = append(figures, d.export(rows, program, cli))
		figures = append(figures, d.far(d.at(line.addr), inserted)...)
	}
	start := figure{name: "shell, to the first byte", unit: "ms", lower: true, goals: []goal{{ours, 20}}}
	start.run[ours] = func(ctx context.Context) (float64, error) { return firstByte(ctx, program, "mysql") }
	if cli != nil {
		start.run[commandLine] = func(ctx context.Context) (float64, error) { return firstByte(ctx, cli[0], cli[1:]...) }
	}
	return append(figures, start), nil
}

// buildOurs builds the program.
func (e *env) buildOurs(ctx context.Context) (string, error) {
	name := filepath.Join(e.dir, "wirelark")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", name, "github.com/wirelark/wirelark/cmd/wirelark")
	cmd.Dir = ".."
	if _, err := os.Stat("go.mod"); err != nil {
		cmd.Dir = "."
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return name, nil
}

// databaseClient returns the words that start the servers' own command line;
// nil: it is not installed.
func (e *env) databaseClient() []string {
	if words := strings.Fields(e.mysqlClient); len(words) > 0 {
		return words
	}
	for _, name := range []string{"mariadb", "mysql"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}
		}
	}
	return nil
}

const readAll = "SELECT id, a, b, price, ratio, name, at, note FROM " + benchTable

// reading is the figures about reading the table.
func (d *database) reading(n int64) []figure {
	perRow := func(f func(context.Context) error) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			a, _, err := allocated(1, func(times int64) error {
				for range times {
					if err := f(ctx); err != nil {
						return err
					}
				}
				return nil
			})
			if a /= float64(n); a < 0.01 { // connecting and asking, not rows
				a = 0
			}
			return a, err
		}
	}
	rate := func(f func(context.Context) error) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			begin := time.Now()
			err := f(ctx)
			return float64(n) / 1e6 / time.Since(begin).Seconds(), err
		}
	}
	million := func(goals ...goal) cpu {
		return cpu{whose: "client", unit: "ms/M rows", amount: float64(n) / 1e6, goals: goals}
	}
	native := func(ctx context.Context) error { return d.readNative(ctx, n) }
	theirText := func(ctx context.Context) error { return d.readTheirs(ctx, n, readAll) }
	prepared := []any{-1}
	theirBinary := func(ctx context.Context) error { return d.readTheirs(ctx, n, readAll+" WHERE id > ?", prepared...) }
	ourSQL := func(ctx context.Context) error { return d.readSQL(ctx, n, readAll+" WHERE id > ?", prepared...) }
	read := figure{name: d.name + ": reading rows", unit: "M rows/s", goals: []goal{{theirs, 1.5}}, cpu: million(goal{theirs, 3})}
	read.run = [columns]func(context.Context) (float64, error){ours: rate(native), theirs: rate(theirText)}
	columnar := figure{name: d.name + ": reading columns", unit: "M rows/s", cpu: million()}
	columnar.run = [columns]func(context.Context) (float64, error){ours: rate(func(ctx context.Context) error { return d.readBatches(ctx, n) }), theirs: rate(theirText)}
	both := figure{name: d.name + ": reading rows, database/sql, prepared", unit: "M rows/s", cpu: million()}
	both.run = [columns]func(context.Context) (float64, error){ours: rate(ourSQL), theirs: rate(theirBinary)}
	allocs := figure{name: d.name + ": reading rows", unit: "allocs/row", lower: true, goals: []goal{{ours, 0}}}
	allocs.run = [columns]func(context.Context) (float64, error){ours: perRow(native), theirs: perRow(theirText)}
	return []figure{read, columnar, both, allocs}
}

// readNative reads the table with the native client.
func (d *database) readNative(ctx context.Context, n int64) error {
	c, err := mysqlclient.Connect(ctx, &d.client)
	if err != nil {
		return err
	}
	defer c.Close()
	rows, err := c.Query(ctx, readAll+" WHERE id > ?", -1)
	if err != nil {
		return err
	}
	var count, sum int64
	var fsum float64
	var bytes int
	for rows.Next() {
		count++
		sum += rows.Int64(0) + rows.Int64(1) + int64(rows.Uint64(2))
		fsum += rows.Float64(4)
		bytes += len(rows.Bytes(3)) + len(rows.Bytes(5))
		at := rows.DateTime(6)
		sum += int64(at.Year)
		if !rows.IsNull(7) {
			bytes += len(rows.Bytes(7))
		}
	}
	return enough(rows.Close(), count, n, sum, fsum, bytes)
}

// readBatches reads it by column.
func (d *database) readBatches(ctx context.Context, n int64) error {
	c, err := mysqlclient.Connect(ctx, &d.client)
	if err != nil {
		return err
	}
	defer c.Close()
	rows, err := c.Query(ctx, readAll+" WHERE id > ?", -1)
	if err != nil {
		return err
	}
	var count, sum int64
	var fsum float64
	var bytes int
	for b := range mysqlbulk.Batches(rows) {
		count += int64(b.Len())
		for i := range 2 {
			for _, v := range b.Int64s(i) {
				sum += v
			}
		}
		for _, v := range b.Uint64s(2) {
			sum += int64(v)
		}
		for _, v := range b.Float64s(4) {
			fsum += v
		}
		for _, v := range b.DateTimes(6) {
			sum += int64(v.Year)
		}
		for _, i := range []int{3, 5, 7} {
			data, _ := b.Data(i)
			bytes += len(data)
		}
	}
	return enough(rows.Close(), count, n, sum, fsum, bytes)
}

// enough reports whether the whole table was read; the sums are there to be
// used.
func enough(err error, got, want, sum int64, fsum float64, bytes int) error {
	if err == nil && (got != want || sum == 0 || fsum == 0 || bytes == 0) {
		err = fmt.Errorf("%d rows were read, %d are there", got, want)
	}
	return err
}

func (d *database) readTheirs(ctx context.Context, n int64, query string, args ...any) error {
	db, err := sql.Open("mysql", d.dsn)
	if err != nil {
		return err
	}
	return readDB(ctx, db, n, query, args...)
}

func (d *database) readSQL(ctx context.Context, n int64, query string, args ...any) error {
	connector := sqldriver.NewConnector(&sqldriver.Config{Client: &d.client})
	return readDB(ctx, sql.OpenDB(connector), n, query, args...)
}

// readDB reads the table with database/sql and closes db.
func readDB(ctx context.Context, db *sql.DB, n int64, query string, args ...any) error {
	defer db.Close()
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var (
		id, a             int64
		b                 uint64
		ratio             float64
		price, name, note sql.RawBytes
		at                sql.RawBytes
		count, sum        int64
		fsum              float64
		bytes             int
	)
	for rows.Next() {
		if err := rows.Scan(&id, &a, &b, &price, &ratio, &name, &at, &note); err != nil {
			return err
		}
		count++
		sum += id + a + int64(b) + int64(len(at))
		fsum += ratio
		bytes += len(price) + len(name) + len(note)
	}
	return enough(rows.Err(), count, n, sum, fsum, bytes)
}

// export is the figure about writing the table as text, by programs.
func (d *database) export(n int64, program string, cli []string) figure {
	f := figure{
		name: d.name + ": export with -q -B", unit: "M rows/s", goals: []goal{{commandLine, 1.5}},
		cpu: cpu{whose: "client", unit: "ms/M rows", amount: float64(n) / 1e6, children: true},
	}
	host, port, _ := net.SplitHostPort(d.client.Address)
	run := func(words ...string) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			args := append(words[1:len(words):len(words)], "--no-defaults", "-h", host, "-P", port, "-u", d.client.User, "-p"+d.client.Passwords[0],
				"-D", d.client.Database, "-q", "-B", "-e", readAll)
			cmd := exec.CommandContext(ctx, words[0], args...)
			out, err := cmd.StdoutPipe()
			if err != nil {
				return 0, err
			}
			var complaints strings.Builder
			cmd.Stderr = &complaints
			begin := time.Now()
			if err := cmd.Start(); err != nil {
				return 0, err
			}
			lines, err := countLines(out)
			if err2 := cmd.Wait(); err == nil {
				err = err2
			}
			took := time.Since(begin)
			if err == nil && lines != n+1 {
				err = fmt.Errorf("%d lines came out, %d are due", lines, n+1)
			}
			if err != nil {
				err = fmt.Errorf("%w: %s", err, complaints.String())
			}
			return float64(n) / 1e6 / took.Seconds(), err
		}
	}
	f.run[ours] = run(program, "mysql")
	if cli != nil {
		f.run[commandLine] = run(cli...)
	}
	return f
}

// countLines reads to the end. It takes little of the processor.
func countLines(r io.Reader) (n int64, err error) {
	buf := make([]byte, 256<<10)
	for {
		k, err := r.Read(buf)
		for _, c := range buf[:k] {
			if c == '\n' {
				n++
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
