package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/internal/shell"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/transfer"
)

const progressInterval = 100 * time.Millisecond

// cpRun is what cp was asked to do.
type cpRun struct {
	sshFlags
	recursive, preserve, resume bool
}

func (a *app) cpCommand() *cobra.Command {
	var r cpRun
	cmd := &cobra.Command{
		Use:   "cp [flags] SOURCE... TARGET",
		Short: "Copy files to or from a host over SFTP",
		Long: `Copy files and, with -r, directories, as scp(1) does and with its letters. A
SOURCE or TARGET of the form [USER@]HOST:PATH or sftp://[USER@]HOST[:PORT]/PATH is
on HOST; relative paths begin in the home directory there. All sources are on one
host and the target is local, or the other way round.`,
		Example: `  wirelark cp report.pdf ann@example.org:
  wirelark cp -r -p example.org:/var/log/app ./logs
  wirelark cp --capture upload.pcapng big.iso example.org:/srv/`,
		Args: rangeArgs(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runCP(cmd, args, &r) },
	}
	r.register(cmd, "P")
	flags := cmd.Flags()
	flags.BoolVarP(&r.recursive, "recursive", "r", false, "copy directories with everything in them")
	flags.BoolVarP(&r.preserve, "preserve", "p", false, "keep modes and times")
	flags.BoolVar(&r.resume, "resume", false, "continue files that are there in part")
	return cmd
}

// copyJob is a copy between one host and the local disk.
type copyJob struct {
	host    dest
	sources []string
	target  string
	upload  bool
}

// planCopy sorts the operands.
func planCopy(cmd *cobra.Command, args []string) (*copyJob, error) {
	if slices.Contains(args, "") {
		return nil, usagef(cmd, "an empty name is no file; the current directory is .")
	}
	last := len(args) - 1
	target, remoteTarget, err := parseFile(args[last])
	if err != nil {
		return nil, usagef(cmd, "%v", err)
	}
	job := &copyJob{target: target.path, upload: remoteTarget, host: target}
	for i, arg := range args[:last] {
		d, remote, err := parseFile(arg)
		if err != nil {
			return nil, usagef(cmd, "%v", err)
		}
		if remote == remoteTarget {
			if remote {
				return nil, usagef(cmd, "copying from host to host is not supported: copy to a local directory first")
			}
			return nil, usagef(cmd, "neither %s nor %s is on a host: write HOST:PATH for the one that is", arg, args[last])
		}
		if remote {
			if i > 0 && (d.host != job.host.host || d.user != job.host.user || d.port != job.host.port) {
				return nil, usagef(cmd, "the sources are on more than one host")
			}
			job.host = d
		}
		job.sources = append(job.sources, d.path)
	}
	if job.target == "" {
		job.target = "."
	}
	return job, nil
}

func (a *app) runCP(cmd *cobra.Command, args []string, r *cpRun) (err error) {
	job, err := planCopy(cmd, args)
	if err != nil {
		return err
	}
	if job.upload && len(job.sources) == 1 { // with several, the others are copied nevertheless
		if _, err := os.Stat(job.sources[0]); err != nil {
			return err
		}
	}
	r.session, r.command = "subsystem", join.Subsystem
	s, err := a.openSeeing(cmd, &r.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	ctx := cmd.Context()
	conn, err := a.connect(ctx, cmd, job.host, &r.sshFlags, s)
	if err != nil {
		return err
	}
	defer conn.Close()
	client, err := join.SFTP(ctx, conn, &sftpclient.Config{Trace: s.tracer})
	if err != nil {
		return err
	}
	defer client.Close()
	start := time.Now()
	res, err := a.copyFiles(ctx, client, job, r)
	if err == nil && a.verbose > 0 {
		a.debugf("%s, %s in %v", plural(int(res.Files), "file"), shell.Size(uint64(res.Bytes)), time.Since(start).Round(time.Millisecond))
	}
	return err
}

func (a *app) copyFiles(ctx context.Context, client *sftpclient.Client, job *copyJob, r *cpRun) (transfer.Result, error) {
	report, done := func(transfer.Event) {}, func() {}
	if p := a.progress(); p != nil {
		report, done = p()
	}
	defer done()
	o := &transfer.Options{Recursive: r.recursive, Preserve: r.preserve, Resume: r.resume}
	o.Progress = func(e transfer.Event) {
		if e.Kind == transfer.Note {
			a.infof("wirelark: %s: %s", harmless(e.Path), harmless(e.Text))
			return
		}
		report(e)
	}
	if job.upload {
		return transfer.Put(ctx, client, job.sources, job.target, o)
	}
	var sources []string
	for _, pattern := range job.sources {
		if pattern == "" {
			pattern = "."
		}
		names, err := transfer.Glob(ctx, client, pattern)
		if err != nil {
			return transfer.Result{}, err
		}
		if len(names) == 0 {
			// As with scp, a name may have the characters of a pattern.
			if _, err := client.Lstat(ctx, pattern); err != nil {
				return transfer.Result{}, &Error{
					Code: exitRemote, What: fmt.Sprintf("nothing on the host matches %s", pattern), How: []string{err.Error()},
					Next: []string{"look what is there: wirelark sftp HOST, then ls"},
				}
			}
			names = []string{pattern}
		}
		sources = append(sources, names...)
	}
	return transfer.Get(ctx, client, sources, job.target, o)
}
