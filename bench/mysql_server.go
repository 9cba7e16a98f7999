package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	mysqlbulk "github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/options"
)

// A database is a server that the MySQL figures are about.
type database struct {
	name   string
	client mysqlclient.Config
	dsn    string // for go-sql-driver
}

// The table that is read, as in the project's reference measurements.
const (
	benchTable   = "wirelark_bench"
	benchColumns = "id BIGINT PRIMARY KEY, a INT, b INT UNSIGNED, price DECIMAL(12,2), ratio DOUBLE, name VARCHAR(64), at DATETIME(6), note VARCHAR(20)"
)

// openDatabases returns the servers: a MariaDB of our own, where it is
// installed, and those of the command line.
func openDatabases(ctx context.Context, e *env) ([]*database, error) {
	var all []*database
	d, err := e.startMariaDB(ctx)
	switch {
	case err == nil:
		all = append(all, d)
	case errors.Is(err, exec.ErrNotFound):
		e.mention("MariaDB's server is not installed: %v.", err)
	default:
		return nil, err
	}
	for _, word := range strings.Fields(e.mysql) {
		name, dsn, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("-mysql: %q is not NAME=DSN", word)
		}
		o, err := options.ParseDSN(dsn)
		if err != nil {
			return nil, err
		}
		cfg, err := mysqlclient.FromOptions(o)
		if err != nil {
			return nil, err
		}
		cfg.TLSMode, cfg.AllowKeyRetrieval = mysqlclient.TLSDisabled, true
		all = append(all, &database{name: name, client: *cfg, dsn: dsn})
	}
	if len(all) == 0 {
		e.mention("Nothing is measured: no MySQL and no MariaDB is here, and none was named with -mysql.")
	}
	return all, nil
}

// installed returns where a program is.
func installed(name string) (string, error) {
	for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
}

// startMariaDB starts a MariaDB on the loopback interface, with its data in
// the directory of e. It ends with the section.
func (e *env) startMariaDB(ctx context.Context) (*database, error) {
	server, err := installed("mariadbd")
	if err != nil {
		return nil, err
	}
	install, err := installed("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(e.dir, "db")
	data, socket, log := filepath.Join(dir, "data"), filepath.Join(dir, "s"), filepath.Join(dir, "log")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	e.later(func() { os.RemoveAll(dir) })
	out, err := exec.CommandContext(ctx, install, "--no-defaults", "--user="+me.Username, "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(server, "--no-defaults", "--user="+me.Username, "--datadir="+data, "--port="+port, "--bind-address=127.0.0.1",
		"--socket="+socket, "--pid-file="+filepath.Join(dir, "pid"), "--log-error="+log, "--innodb-flush-log-at-trx-commit=0",
		"--innodb-buffer-pool-size=512M", "--max-allowed-packet=64M", "--local-infile=1", "--skip-name-resolve", "--character-set-server=utf8mb4")
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	e.later(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	root := &mysqlclient.Config{Address: socket, User: "root"}
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		c, err := mysqlclient.Connect(ctx, root)
		if err == nil {
			defer c.Close()
			return &database{
				name: "MariaDB", dsn: "bench:bench@tcp(" + addr + ")/bench",
				client: mysqlclient.Config{Address: addr, User: "bench", Passwords: []string{"bench"}, Database: "bench", TLSMode: mysqlclient.TLSDisabled},
			}, setUp(ctx, c, "CREATE DATABASE bench", "CREATE USER bench@'%' IDENTIFIED BY 'bench'", "GRANT ALL ON *.* TO bench@'%'")
		}
		if time.Since(begin) > time.Minute {
			return nil, fmt.Errorf("mariadbd does not answer: %w: %s", err, read(log))
		}
	}
}

func setUp(ctx context.Context, c *mysqlclient.Conn, statements ...string) error {
	for _, sql := range statements {
		if _, err := c.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%.100s: %w", sql, err)
		}
	}
	return nil
}

// fill makes the table with n rows. It is dropped at the end of the section.
func (d *database) fill(ctx context.Context, e *env, n int64) error {
	c, err := mysqlclient.Connect(ctx, &d.client)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := setUp(ctx, c, "DROP TABLE IF EXISTS "+benchTable, "CREATE TABLE "+benchTable+" ("+benchColumns+") ENGINE=InnoDB CHARACTER SET utf8mb4"); err != nil {
		return err
	}
	e.later(func() { d.drop(benchTable) })
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	row := make([]any, 8)
	rows := func(yield func([]any) bool) {
		for i := range n {
			row[0], row[1], row[2], row[4] = i, i*7919%1000003-500000, i*104729%4000000007, float64(i*31)/7
			row[3] = fmt.Sprintf("%d.%02d", i*37%99999999, i%100)
			row[5] = fmt.Sprintf("name of the row with number %d", i)
			row[6] = start.Add(time.Duration(i) * 1234567 * time.Microsecond)
			if row[7] = fmt.Sprintf("note %d", i%1000); i%10 == 0 {
				row[7] = nil
			}
			if !yield(row) {
				return
			}
		}
	}
	_, err = mysqlbulk.InsertRows(ctx, c, benchTable, []string{"id", "a", "b", "price", "ratio", "name", "at", "note"}, rows, nil)
	return err
}

// drop drops a table of a server that is perhaps not ours.
func (d *database) drop(table string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if c, err := mysqlclient.Connect(ctx, &d.client); err == nil {
		_, _ = c.Exec(ctx, "DROP TABLE IF EXISTS "+table)
		c.Close()
	}
}

// at returns the configuration and the DSN for the same server behind another
// address.
func (d *database) at(addr string) *database {
	far := *d
	far.client.Address = addr
	far.dsn = strings.Replace(d.dsn, d.client.Address, addr, 1)
	return &far
}
