package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wirelark/wirelark/internal/shell"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// sftpRun is what sftp was asked to do.
type sftpRun struct {
	sshFlags
	batch    string
	direct   string
	preserve bool
}

func (a *app) sftpCommand() *cobra.Command {
	var r sftpRun
	cmd := &cobra.Command{
		Use:   "sftp [flags] [USER@]HOST[:PATH] | -D COMMAND",
		Short: "Move files and look around on a host, interactively or in a batch",
		Long: `Start an SFTP session, as sftp(1) does and with its letters. With PATH, begin in
that directory, or fetch that file and end. Type help for the commands.

A batch (-b FILE, - for standard input) stops at the first command that fails;
a dash in front of a command lets it fail, an @ keeps it from being printed.
With -D, the session runs over the standard input and output of COMMAND, such as
a local SFTP server.`,
		Example: `  wirelark sftp ann@example.org
  wirelark sftp ann@example.org:reports/2026.pdf
  echo 'put *.log /var/inbox/' | wirelark sftp -b - example.org
  wirelark sftp -D 'wirelark serve sftp --stdio .'`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (r.direct == "") == (len(args) == 0) {
				return usagef(cmd, "sftp needs either a host or -D COMMAND")
			}
			return a.runSFTP(cmd, args, &r)
		},
	}
	r.register(cmd, "P")
	flags := cmd.Flags()
	flags.StringVarP(&r.batch, "batch", "b", "", "read commands from `FILE`, - for standard input")
	flags.StringVarP(&r.direct, "direct", "D", "", "talk to a local `COMMAND` instead of a host")
	flags.BoolVarP(&r.preserve, "preserve", "p", false, "keep modes and times of the files that are moved")
	return cmd
}

func (a *app) runSFTP(cmd *cobra.Command, args []string, r *sftpRun) (err error) {
	r.session, r.command = "subsystem", join.Subsystem
	s, err := a.openSeeing(cmd, &r.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	ctx := cmd.Context()
	var d dest
	var client *sftpclient.Client
	if r.direct != "" {
		end, c, err := startDirect(ctx, a, r.direct, s)
		if err != nil {
			return err
		}
		defer end()
		client = c
	} else {
		if d, _, err = parseFile(args[0]); err != nil {
			return usagef(cmd, "%v", err)
		}
		if d.host == "" { // a host alone looks like a local file to parseFile
			if d, err = parseDest(args[0]); err != nil {
				return usagef(cmd, "%v", err)
			}
		}
		conn, err := a.connect(ctx, cmd, d, &r.sshFlags, s)
		if err != nil {
			return err
		}
		defer conn.Close()
		if client, err = join.SFTP(ctx, conn, &sftpclient.Config{Trace: s.tracer}); err != nil {
			return err
		}
	}
	defer client.Close()
	sh, err := a.newShell(ctx, client, r)
	if err != nil {
		return err
	}
	if d.path != "" {
		info, err := client.Stat(ctx, d.path)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return sh.Run(ctx, "get "+quoteWord(d.path))
		}
		if err := sh.Run(ctx, "cd "+quoteWord(d.path)); err != nil {
			return err
		}
	}
	return a.sftpLoop(ctx, sh, r)
}

// quoteWord makes s one word of a command line.
func quoteWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" }

// startDirect runs a command and speaks SFTP with it.
func startDirect(ctx context.Context, a *app, command string, s *seeing) (end func(), c *sftpclient.Client, err error) {
	words, err := shell.Words(command)
	if err != nil || len(words) == 0 {
		return nil, nil, &Error{Code: exitUsage, What: fmt.Sprintf("-D %q is no command", command), Err: err, Next: []string{"name a program and its arguments"}}
	}
	child := exec.CommandContext(ctx, words[0], words[1:]...)
	child.Stderr = a.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := child.Start(); err != nil {
		return nil, nil, &Error{Code: exitUsage, What: fmt.Sprintf("cannot run %q", words[0]), How: []string{err.Error()}, Err: err, Next: []string{"check the name of the program"}}
	}
	end = func() {
		if err := child.Wait(); err != nil {
			a.debugf("%s: %v", words[0], err)
		}
	}
	c, err = sftpclient.NewPipe(ctx, pipe{out, in}, &sftpclient.Config{Trace: s.tracer})
	if err == nil {
		return end, c, nil
	}
	closeErr := errors.Join(in.Close(), out.Close())
	how := []string{err.Error()}
	if exit := child.Wait(); exit != nil {
		how = append(how, fmt.Sprintf("%s ended: %v", words[0], exit))
	}
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return nil, nil, &Error{
		Code: exitProtocol, What: fmt.Sprintf("%q does not speak SFTP", words[0]), How: how, Err: errors.Join(err, closeErr),
		Next: []string{"name an SFTP server, such as: wirelark serve sftp --stdio DIR"},
	}
}

// pipe is the output and input of a child as one stream.
type pipe struct {
	io.ReadCloser
	in io.WriteCloser
}

func (p pipe) Write(b []byte) (int, error) { return p.in.Write(b) }

// Close ends the child's input, by which it ends, and stops reading from it.
func (p pipe) Close() error { return errors.Join(p.in.Close(), p.ReadCloser.Close()) }

func (a *app) newShell(ctx context.Context, client *sftpclient.Client, r *sftpRun) (*shell.Shell, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	home, err := a.home()
	if err != nil {
		home = dir
	}
	cfg := shell.Config{
		Stdout: a.Stdout, Stderr: a.Stderr, Home: home, Clean: harmless,
		Quiet: a.quiet || r.batch != "", Preserve: r.preserve, Progress: a.progress(),
	}
	if fd, ok := terminal(a.Stdout); ok {
		if cfg.Columns, _, err = term.GetSize(fd); err != nil {
			cfg.Columns = 80
		}
	}
	return shell.New(ctx, client, dir, cfg)
}

// sftpLoop reads commands until there are no more.
func (a *app) sftpLoop(ctx context.Context, sh *shell.Shell, r *sftpRun) error {
	_, tty := terminal(a.Stdin)
	switch {
	case r.batch != "" && r.batch != "-":
		f, err := os.Open(r.batch)
		if err != nil {
			return err
		}
		defer f.Close()
		return a.sftpBatch(ctx, sh, f, true)
	case r.batch == "-":
		return a.sftpBatch(ctx, sh, a.Stdin, true)
	case !tty:
		return a.sftpBatch(ctx, sh, a.Stdin, false)
	}
	return a.sftpInteractive(ctx, sh)
}

// sftpBatch runs the lines of r. When strict, the first failure ends it;
// otherwise all lines run and the first failure is returned at the end.
func (a *app) sftpBatch(ctx context.Context, sh *shell.Shell, r io.Reader, strict bool) error {
	var first error
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		mayFail, silent := false, false
		for strings.HasPrefix(line, "-") || strings.HasPrefix(line, "@") {
			mayFail = mayFail || line[0] == '-'
			silent = silent || line[0] == '@'
			line = strings.TrimSpace(line[1:])
		}
		if strict && !silent && !a.quiet && line != "" && line[0] != '#' {
			fmt.Fprintf(a.Stdout, "sftp> %s\n", harmless(line))
		}
		err := sh.Run(ctx, line)
		switch {
		case errors.Is(err, shell.ErrExit):
			return first
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
		case mayFail:
			a.printFailure(err)
		case strict:
			e := *explain(err)
			e.How = append([]string{fmt.Sprintf("line %d of the batch: %s", n, line)}, e.How...)
			return &e
		default:
			a.printFailure(err)
			if first == nil {
				first = statusError(explain(err).Code)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return first
}

// printFailure prints why a command failed, in as few lines as there are
// reasons; the session goes on.
func (a *app) printFailure(err error) {
	if all := joined(err); len(all) > 1 {
		for _, e := range all {
			a.printFailure(e)
		}
		return
	}
	e := explain(err)
	fmt.Fprintln(a.Stderr, harmless(e.What))
	if e.Code == exitPartly {
		for _, l := range e.How {
			fmt.Fprintln(a.Stderr, "  "+harmless(l))
		}
	}
}
