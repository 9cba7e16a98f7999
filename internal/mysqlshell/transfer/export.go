package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Export writes tables into a directory.
type Export struct {
	Connect  Connect
	Dir      string   // is made; files of an earlier export are kept with Resume
	Database string   // is required
	Tables   []string // none: all of the database
	Where    string   // a condition for all tables
	Format   string   // of package format; empty: FormatLoad
	Parallel int      // connections; 0: 4. With 1 the export is a picture of one moment
	Rows     int64    // about how many a range has; 0: 100,000
	Resume   bool     // go on with what is there
	Report   func(Event)
}

// The defaults.
const (
	defaultParallel = 4
	defaultRows     = 100_000
)

// ErrThere says that the directory has an export already.
var ErrThere = errors.New("there is an export already")

// chunkJob is a range that is to be written.
type chunkJob struct {
	m *Manifest
	c Chunk
}

// Run exports. What was finished before an error stays, for Resume.
func (e *Export) Run(ctx context.Context) (Summary, error) {
	if e.Format == "" {
		e.Format = FormatLoad
	}
	e.Rows = orDefault(e.Rows, defaultRows)
	if err := os.MkdirAll(e.Dir, 0o700); err != nil {
		return Summary{}, err
	}
	conn, err := e.Connect(ctx)
	if err != nil {
		return Summary{}, err
	}
	manifests, err := e.plan(ctx, conn)
	if err = errors.Join(err, conn.Close()); err != nil {
		return Summary{}, err
	}
	var sum Summary
	var jobs []chunkJob
	total := 0
	for _, m := range manifests {
		sum.Tables++
		for _, c := range m.Chunks {
			total++
			if _, err := os.Stat(filepath.Join(e.Dir, c.File)); err == nil {
				sum.Skipped++
				continue
			}
			jobs = append(jobs, chunkJob{m, c})
		}
	}
	r := newReporter(e.Report, int64(sum.Skipped), int64(total))
	err = work(ctx, e.connect(), orDefault(e.Parallel, defaultParallel), jobs, func(ctx context.Context, c *mysqlclient.Conn, j chunkJob) error {
		rows, bytes, err := e.chunk(ctx, c, j)
		if err != nil {
			return &TableError{j.m.Table, err}
		}
		r.chunk(j.m.Table, rows, bytes)
		return nil
	})
	r.into(&sum)
	return sum, err
}

// connect makes the connections of the workers. A single one sees all tables as
// they are when it begins, where tables have transactions.
func (e *Export) connect() Connect {
	if e.Parallel != 1 {
		return e.Connect
	}
	return func(ctx context.Context) (*mysqlclient.Conn, error) {
		conn, err := e.Connect(ctx)
		if err != nil {
			return nil, err
		}
		_, err = conn.Exec(ctx, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
		if _, refused := errors.AsType[*mysqlclient.ServerError](err); err != nil && !refused {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}
}

// plan makes the manifests, or reads those that are there.
func (e *Export) plan(ctx context.Context, conn *mysqlclient.Conn) ([]*Manifest, error) {
	tables := e.Tables
	if len(tables) == 0 {
		var err error
		tables, err = names(ctx, conn, "SELECT table_name FROM information_schema.tables WHERE table_schema = "+quote(e.Database)+" AND table_type = 'BASE TABLE' ORDER BY table_name")
		if err != nil {
			return nil, err
		}
		tables = slices.DeleteFunc(tables, func(t string) bool { return t == JournalTable })
	}
	var all []*Manifest
	for _, table := range tables {
		m, err := e.table(ctx, conn, table)
		if err != nil {
			return nil, &TableError{table, err}
		}
		all = append(all, m)
	}
	return all, nil
}

func (e *Export) table(ctx context.Context, conn *mysqlclient.Conn, table string) (*Manifest, error) {
	base := filepath.Join(e.Dir, fileName(table))
	if old, err := readManifest(base + ".json"); err == nil {
		switch {
		case !e.Resume:
			return nil, fmt.Errorf("%s: %w", e.Dir, ErrThere)
		case old.Database != e.Database || old.Format != e.Format || old.Where != e.Where:
			return nil, fmt.Errorf("%s.json is of another export: of database %s, in the format %s, where %q", base, old.Database, old.Format, old.Where)
		}
		return old, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	m, err := describe(ctx, conn, e.Database, table, e.Rows)
	if err != nil {
		return nil, err
	}
	m.Format, m.Where = e.Format, e.Where
	extension := extensions[e.Format]
	if extension == "" {
		extension = e.Format
	}
	for i := range m.Chunks {
		m.Chunks[i].File += "." + extension
	}
	if err := e.definition(ctx, conn, table, base+".sql"); err != nil {
		return nil, err
	}
	return m, m.write(base + ".json")
}

// definition writes what makes the table.
func (e *Export) definition(ctx context.Context, conn *mysqlclient.Conn, table, path string) error {
	rows, err := conn.Query(ctx, "SHOW CREATE TABLE "+ident(e.Database, table))
	if err != nil {
		return err
	}
	text := ""
	for rows.Next() {
		text = rows.String(1)
	}
	if err := rows.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text+";\n"), 0o600)
}

// chunk writes the file of a range.
func (e *Export) chunk(ctx context.Context, conn *mysqlclient.Conn, j chunkJob) (rows, bytes int64, err error) {
	path := filepath.Join(e.Dir, j.c.File)
	f, err := os.OpenFile(path+partSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	counted := &counter{w: bufio.NewWriterSize(f, 256<<10)}
	w, err := format.New(j.m.Format, counted, &format.Options{Table: j.m.Table, Quick: true})
	if err != nil {
		return 0, 0, err
	}
	stmt, err := conn.Prepare(ctx, j.m.query(j.c))
	if err != nil {
		return 0, 0, err
	}
	defer stmt.Close() // it is told with the next statement
	found, err := stmt.Query(ctx)
	if err != nil {
		return 0, 0, err
	}
	n, err := format.WriteRows(w, found, nil)
	if err != nil {
		return 0, 0, errors.Join(err, found.Close())
	}
	if err := found.Close(); err != nil {
		return 0, 0, err
	}
	if err := errors.Join(counted.w.Flush(), f.Close()); err != nil {
		return 0, 0, err
	}
	return int64(n), counted.n, os.Rename(path+partSuffix, path)
}

type counter struct {
	w *bufio.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.w.Write(b)
}

func orDefault[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}
