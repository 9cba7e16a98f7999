package transfer

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/big"
	"os"
	"path/filepath"
	"strings"

	"github.com/wirelark/wirelark/mysql/bulk"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Import loads exports and runs scripts.
type Import struct {
	Connect  Connect // with LocalInfile, to be fast
	Database string  // empty: the one that was exported
	Parallel int     // connections; 0: 4
	Resume   bool    // go on where an earlier import ended
	Existing bool    // add to tables that are there
	Force    bool    // of scripts: go on after an error
	Report   func(Event)
}

// ErrExists says that a table is there already.
var ErrExists = errors.New("the table is there already")

// ErrBegun says that an earlier import of the same was not finished.
var ErrBegun = errors.New("an import of this was begun and not finished")

// source names a range in the journal.
func source(m *Manifest, c Chunk) string { return m.ID + "/" + c.File }

// Dir loads the directory of an export.
func (i *Import) Dir(ctx context.Context, dir string) (Summary, error) {
	manifests, err := i.manifests(dir)
	if err != nil {
		return Summary{}, err
	}
	conn, err := i.Connect(ctx)
	if err != nil {
		return Summary{}, err
	}
	defer conn.Close()
	j := &journal{database: i.Database}
	if j.database == "" {
		j.database = manifests[0].Database
	}
	if err := j.open(ctx, conn); err != nil {
		return Summary{}, err
	}
	var sum Summary
	var jobs []chunkJob
	var sources []string
	total := 0
	for _, m := range manifests {
		m.Database = j.database
		if err := i.create(ctx, conn, j, dir, m); err != nil {
			return sum, &TableError{m.Table, err}
		}
		sum.Tables++
		sources = append(sources, m.ID)
		for _, c := range m.Chunks {
			total++
			_, known, err := j.place(ctx, conn, source(m, c))
			if err != nil {
				return sum, err
			}
			if known {
				sum.Skipped++
				continue
			}
			jobs = append(jobs, chunkJob{m, c})
		}
	}
	r := newReporter(i.Report, int64(sum.Skipped), int64(total))
	err = work(ctx, i.Connect, orDefault(i.Parallel, defaultParallel), jobs, func(ctx context.Context, c *mysqlclient.Conn, job chunkJob) error {
		rows, bytes, err := i.load(ctx, c, j, dir, job)
		if err != nil {
			return &TableError{job.c.File, err}
		}
		r.chunk(job.m.Table, rows, bytes)
		return nil
	})
	r.into(&sum)
	if err != nil {
		return sum, err
	}
	return sum, j.drop(ctx, conn, sources)
}

// manifests reads all of a directory, and checks that the export is complete.
func (i *Import) manifests(dir string) ([]*Manifest, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &TableError{dir, fmt.Errorf("there is no export in it: %w", fs.ErrNotExist)}
	}
	var all []*Manifest
	for _, path := range found {
		m, err := readManifest(path)
		if err != nil {
			return nil, err
		}
		if m.Format != FormatLoad {
			return nil, &TableError{path, fmt.Errorf("it was exported as %s, and only %s can be imported", m.Format, FormatLoad)}
		}
		for _, c := range m.Chunks {
			if _, err := os.Stat(filepath.Join(dir, c.File)); err != nil {
				return nil, &TableError{path, fmt.Errorf("the export is not complete: %w", err)}
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// create makes a table. It is noted first that it will be made, so that an
// import that is taken up again knows the table as its own.
func (i *Import) create(ctx context.Context, conn *mysqlclient.Conn, j *journal, dir string, m *Manifest) error {
	_, begun, err := j.place(ctx, conn, m.ID)
	switch {
	case err != nil:
		return err
	case begun && !i.Resume:
		return ErrBegun
	case !begun:
		if err := j.note(ctx, conn, m.ID, 0); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, fileName(m.Table)+".sql"))
	if err != nil {
		return err
	}
	if j.database != "" {
		if err := conn.Use(ctx, j.database); err != nil {
			return err
		}
	}
	if _, err := conn.Exec(ctx, "SET FOREIGN_KEY_CHECKS=0"); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, strings.TrimSuffix(strings.TrimSpace(string(text)), ";"))
	if errors.Is(err, fs.ErrExist) {
		if begun || i.Existing {
			return nil
		}
		return errors.Join(ErrExists, j.drop(ctx, conn, []string{m.ID}))
	}
	return err
}

// load loads the file of a range.
func (i *Import) load(ctx context.Context, conn *mysqlclient.Conn, j *journal, dir string, job chunkJob) (rows, bytes int64, err error) {
	path := filepath.Join(dir, job.c.File)
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	if _, err := conn.Exec(ctx, "SET FOREIGN_KEY_CHECKS=0, UNIQUE_CHECKS=0"); err != nil {
		return 0, 0, err
	}
	noted := false
	err = j.together(ctx, conn, func() error {
		err := j.note(ctx, conn, source(job.m, job.c), info.Size())
		noted = err == nil
		return err
	}, func() (err error) {
		rows, err = loadFile(ctx, conn, path, job.m)
		return err
	})
	if errors.Is(err, fs.ErrExist) && !noted {
		return 0, 0, nil // it was done by an import that was cut off as it committed
	}
	return rows, info.Size(), err
}

// loadFile uses LOAD DATA, and where the server does not allow or know it,
// INSERT.
func loadFile(ctx context.Context, conn *mysqlclient.Conn, path string, m *Manifest) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := conn.LoadData(ctx, loadStatement(m), f, nil)
	if err == nil {
		return int64(r.AffectedRows), nil
	}
	if !noLoad(err) {
		return 0, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	var bad error
	columns := make([]string, len(m.Columns))
	for i, c := range m.Columns {
		columns[i] = c.Name
	}
	done, err := bulk.InsertRows(ctx, conn, m.Table, columns, fileRows(f, m, &bad), &bulk.InsertOptions{Schema: m.Database})
	if bad != nil {
		return 0, bad
	}
	return done.Inserted, err
}

// noLoad reports that the server does not take LOAD DATA LOCAL.
func noLoad(err error) bool {
	e, ok := errors.AsType[*mysqlclient.ServerError](err)
	if !ok {
		return false
	}
	switch e.Code {
	case 1047, 1064, 1148, 1235, 3948, 4166: // unknown, not parsed, not allowed, not supported, disabled
		return true
	}
	return false
}

// loadStatement turns hexadecimal digits back into bytes.
func loadStatement(m *Manifest) string {
	var into, set []string
	for i, c := range m.Columns {
		name := ident(c.Name)
		if c.Kind == "text" {
			into = append(into, name)
			continue
		}
		v := fmt.Sprintf("@v%d", i)
		into = append(into, v)
		if c.Kind == "bit" {
			set = append(set, fmt.Sprintf("%s = CAST(CONV(%s, 16, 10) AS UNSIGNED)", name, v))
		} else {
			set = append(set, fmt.Sprintf("%s = UNHEX(%s)", name, v))
		}
	}
	sql := "LOAD DATA LOCAL INFILE 'rows' INTO TABLE " + ident(m.Database, m.Table) + " CHARACTER SET utf8mb4 (" + strings.Join(into, ", ") + ")"
	if len(set) > 0 {
		sql += " SET " + strings.Join(set, ", ")
	}
	return sql
}

// fileRows yields the rows of a file in FormatLoad; what is wrong with it is
// in bad behind the loop.
func fileRows(r io.Reader, m *Manifest, bad *error) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		in := bufio.NewReaderSize(r, 256<<10)
		row := make([]any, len(m.Columns))
		for n := 1; ; n++ {
			line, err := in.ReadString('\n')
			if errors.Is(err, io.EOF) && line == "" {
				return
			}
			if err == nil || errors.Is(err, io.EOF) {
				err = parseRow(strings.TrimSuffix(line, "\n"), m.Columns, row)
			}
			if err != nil {
				*bad = fmt.Errorf("line %d: %w", n, err)
				return
			}
			if !yield(row) {
				return
			}
		}
	}
}

// parseRow reads a line of FormatLoad.
func parseRow(line string, columns []Column, row []any) error {
	fields := strings.Split(line, "\t")
	if len(fields) != len(columns) {
		return fmt.Errorf("%d fields for %d columns", len(fields), len(columns))
	}
	for i, f := range fields {
		if f == `\N` {
			row[i] = nil
			continue
		}
		text := unescape(f)
		row[i] = text
		if columns[i].Kind == "text" {
			continue
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
		row[i] = b
		if columns[i].Kind == "bit" {
			row[i] = new(big.Int).SetBytes(b).Uint64()
		}
	}
	return nil
}

// unescape takes back what the format escapes.
func unescape(f string) string {
	if strings.IndexByte(f, '\\') < 0 {
		return f
	}
	b := make([]byte, 0, len(f))
	for i := 0; i < len(f); i++ {
		if f[i] != '\\' || i+1 == len(f) {
			b = append(b, f[i])
			continue
		}
		i++
		switch f[i] {
		case '0':
			b = append(b, 0)
		case 't':
			b = append(b, '\t')
		case 'n':
			b = append(b, '\n')
		default:
			b = append(b, f[i])
		}
	}
	return string(b)
}
