package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/internal/mysqlshell/transfer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// mysqlExport is what mysql export was asked to do.
type mysqlExport struct {
	mysqlRun
	dir, format, where string
	parallel           int
	rows               int64
	resume             bool
}

func (a *app) mysqlExportCommand() *cobra.Command {
	x := &mysqlExport{}
	cmd := &cobra.Command{
		Use:   "export [flags] DB | URL [TABLE...]",
		Short: "Write tables into a directory, in ranges of their keys, in parallel",
		Long: `Write the tables of a database, or those that are named, into a directory: for
each the statement that makes it, and a file for each range of its key. Several
connections work at the same time. What was interrupted is continued by the same
command with --resume.

Ranges are read one after another: for a picture of one moment nobody may write
meanwhile, or --parallel is 1 and the tables have transactions. In its own format (load) an export can be imported again.`,
		Example: `  wirelark mysql export -u ann -p shop --out shop.dump
  wirelark mysql export -J ops@bastion -h db1 shop orders --out orders --format csv --where 'year = 2026'`,
		Args: rangeArgs(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.exportMySQL(cmd, args, x) },
	}
	x.register(a, cmd, connectionFlags)
	flags := cmd.Flags()
	flags.StringVar(&x.dir, "out", "", "`DIR` to write into; it is made")
	flags.StringVar(&x.format, "format", transfer.FormatLoad, "`NAME` of "+strings.Join(format.Names(), ", "))
	flags.StringVar(&x.where, "where", "", "export only rows for which this `CONDITION` holds")
	flags.IntVar(&x.parallel, "parallel", 4, "connections at the same time")
	flags.Int64Var(&x.rows, "rows", 100_000, "about how many rows a file has")
	flags.BoolVar(&x.resume, "resume", false, "continue an export that was interrupted")
	return cmd
}

func (a *app) exportMySQL(cmd *cobra.Command, args []string, x *mysqlExport) (err error) {
	switch {
	case x.dir == "":
		return usagef(cmd, "export needs a directory: --out DIR")
	case x.parallel < 1 || x.rows < 1:
		return usagef(cmd, "--parallel and --rows are at least 1")
	}
	if _, err := format.New(x.format, nil, nil); err != nil {
		return usagef(cmd, "--format %s: choose one of %s", x.format, strings.Join(format.Names(), ", "))
	}
	s, err := a.openSeeing(cmd, &x.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	t, err := a.mysqlTarget(cmd.Context(), cmd, &x.mysqlRun, args[0], s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if t.client.Database == "" {
		return usagef(cmd, "export needs the name of a database")
	}
	meter := a.newRowMeter("ranges")
	e := &transfer.Export{
		Connect: t.worker, Dir: x.dir, Database: t.client.Database, Tables: args[1:], Where: x.where,
		Format: x.format, Parallel: x.parallel, Rows: x.rows, Resume: x.resume, Report: meter.report,
	}
	sum, err := e.Run(cmd.Context())
	meter.done()
	if err != nil {
		return transferFailed(err, sum, "the same command with --resume continues")
	}
	a.infof("wirelark: %s, %s in %s, %d bytes%s", plural(sum.Tables, "table"), plural(int(sum.Rows), "row"), plural(sum.Chunks, "file"), sum.Bytes, before(sum.Skipped, "file"))
	return nil
}

// before tells what an earlier run had done.
func before(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s had been done before", plural(n, what))
}

// worker makes a connection for a transfer.
func (t *mysqlTarget) worker(ctx context.Context) (*mysqlclient.Conn, error) {
	cfg := *t.client
	cfg.LocalInfile, cfg.MultiStatements = true, false
	return mysqlclient.Connect(ctx, &cfg)
}

// mysqlImport is what mysql import was asked to do.
type mysqlImport struct {
	mysqlRun
	parallel                int
	resume, existing, force bool
}

func (a *app) mysqlImportCommand() *cobra.Command {
	x := &mysqlImport{}
	cmd := &cobra.Command{
		Use:   "import [flags] DB | URL DIR | FILE...",
		Short: "Load what was exported, or run dumps, fast and resumable",
		Long: `Load a directory that mysql export has written, on several connections, or run SQL
files such as dumps, with many statements in each round trip. A progress line
shows how far it is. What was interrupted is continued by the same command with
--resume: the place is kept in the database, in the table _wirelark_import, in the
same transactions as the rows, so that nothing is loaded twice where tables have
transactions. The table is dropped when everything is done.

A file runs no command that touches this machine.`,
		Example: `  wirelark mysql import -u ann -p copy shop.dump
  wirelark mysql import -u ann -p shop dump.sql`,
		Args: rangeArgs(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.importMySQL(cmd, args, x) },
	}
	x.register(a, cmd, connectionFlags)
	flags := cmd.Flags()
	flags.IntVar(&x.parallel, "parallel", 4, "connections at the same time, for a directory")
	flags.BoolVar(&x.resume, "resume", false, "continue an import that was interrupted")
	flags.BoolVar(&x.existing, "existing", false, "add to tables that are there")
	flags.BoolVarP(&x.force, "force", "f", false, "go on after a statement that failed")
	return cmd
}

func (a *app) importMySQL(cmd *cobra.Command, args []string, x *mysqlImport) (err error) {
	if x.parallel < 1 {
		return usagef(cmd, "--parallel is at least 1")
	}
	dir := make([]bool, len(args))
	for i, name := range args[1:] {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		dir[i+1] = info.IsDir()
	}
	s, err := a.openSeeing(cmd, &x.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	t, err := a.mysqlTarget(cmd.Context(), cmd, &x.mysqlRun, args[0], s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	for i, name := range args[1:] {
		unit := "bytes"
		if dir[i+1] {
			unit = "ranges"
		}
		meter := a.newRowMeter(unit)
		im := &transfer.Import{
			Connect: t.worker, Database: t.client.Database, Parallel: x.parallel, Resume: x.resume,
			Existing: x.existing, Force: x.force, Report: meter.report,
		}
		run, what := im.Script, "statement"
		if dir[i+1] {
			run, what = im.Dir, "file"
		}
		sum, err := run(cmd.Context(), name)
		meter.done()
		if err != nil {
			return transferFailed(err, sum, "the same command with --resume continues")
		}
		done := sum.Chunks
		if !dir[i+1] {
			done = int(sum.Statements)
		}
		a.infof("wirelark: %s: %s, %s%s", name, plural(int(sum.Rows), "row"), plural(done, what), before(sum.Skipped, what))
	}
	return nil
}

// transferFailed says what was done before a failure, and how to go on.
func transferFailed(err error, sum transfer.Summary, resume string) error {
	if errors.Is(err, transfer.ErrThere) {
		return &Error{Code: exitUsage, What: err.Error(), Err: err, Next: []string{"continue it: --resume", "or choose another directory"}}
	}
	if errors.Is(err, transfer.ErrBegun) {
		return &Error{Code: exitUsage, What: err.Error(), Err: err, Next: []string{"continue it: --resume", "or begin anew: drop the table " + transfer.JournalTable + " and what was loaded"}}
	}
	if errors.Is(err, transfer.ErrExists) {
		return &Error{Code: exitRemote, What: err.Error(), Err: err, Next: []string{"import into another database, drop the table, or add to it: --existing"}}
	}
	e := *explain(err)
	e.Err = err
	if te, ok := errors.AsType[*transfer.TableError](err); ok {
		e.How = append([]string{"at: " + te.Table}, e.How...)
	}
	if se, ok := errors.AsType[*transfer.ScriptError](err); ok {
		e.How = append([]string{fmt.Sprintf("line %d: %s", se.Line, firstLine(se.SQL))}, e.How...)
	}
	if sum.Chunks+int(sum.Statements) > 0 {
		e.How = append(e.How, fmt.Sprintf("%s were moved before", plural(int(sum.Rows), "row")))
	}
	e.Next = append([]string{resume}, e.Next...)
	return &e
}

// rowMeter shows how far a transfer has come, on a terminal.
type rowMeter struct {
	out  *os.File // nil: nothing is shown
	unit string

	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	rows int64
}

func (a *app) newRowMeter(unit string) *rowMeter {
	m := &rowMeter{unit: unit}
	if _, ok := terminal(a.Stderr); ok && !a.quiet {
		m.out = a.Stderr.(*os.File)
	}
	return m
}

func (m *rowMeter) report(e transfer.Event) {
	if m.out == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar == nil {
		m.bar = progressbar.NewOptions64(
			e.Total, progressbar.OptionSetWriter(m.out), progressbar.OptionShowCount(), progressbar.OptionSetWidth(20),
			progressbar.OptionShowBytes(m.unit == "bytes"), progressbar.OptionThrottle(progressInterval), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true),
		)
	}
	m.rows += e.Rows
	m.bar.Describe(fmt.Sprintf("%d rows", m.rows))
	_ = m.bar.Set64(e.Done) // a terminal that cannot be written to must not stop the transfer
}

func (m *rowMeter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Finish() // as above
	}
}
