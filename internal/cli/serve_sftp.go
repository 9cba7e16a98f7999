package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// serveSFTP is what serve sftp was asked to do.
type serveSFTP struct {
	listenFlags
	authorized, user, passwordFile string
	readOnly, writeOnly, stdio     bool
}

func (a *app) serveSFTPCommand() *cobra.Command {
	var f serveSFTP
	cmd := &cobra.Command{
		Use:   "sftp [DIR]",
		Short: "Serve a directory over SFTP",
		Long: `Serve DIR, and nothing outside of it, to whoever logs in: with a key of
--authorized-keys, or as --user with the password in --password-file. With
neither, the user "drop" gets a password for this run, which is printed.

With --stdio the protocol runs on standard input and output, so that any SSH
server can use it as its subsystem; it then serves the files of the invoking
user, beginning in DIR.`,
		Example: `  wirelark serve sftp ./inbox --write-only
  Subsystem sftp /usr/local/bin/wirelark serve sftp --stdio    (in sshd_config)`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.readOnly && f.writeOnly {
				return usagef(cmd, "--read-only and --write-only exclude each other")
			}
			if (f.user == "") != (f.passwordFile == "") {
				return usagef(cmd, "--user and --password-file belong together")
			}
			if f.stdio {
				return a.serveStdio(cmd, args, &f)
			}
			if len(args) == 0 {
				return usagef(cmd, "serve sftp needs a directory")
			}
			return a.serveDir(cmd, args[0], &f)
		},
	}
	f.register(cmd, "127.0.0.1:2022")
	flags := cmd.Flags()
	flags.StringVar(&f.authorized, "authorized-keys", "", "`FILE` of the keys that may log in")
	flags.StringVar(&f.user, "user", "", "`NAME` to log in with a password")
	flags.StringVar(&f.passwordFile, "password-file", "", "`FILE` with the password in its first line")
	flags.BoolVar(&f.readOnly, "read-only", false, "let nobody change anything")
	flags.BoolVar(&f.writeOnly, "write-only", false, "let nobody read or list: a drop")
	flags.BoolVar(&f.stdio, "stdio", false, "speak SFTP on standard input and output")
	return cmd
}

// config is how sessions are served, and logged.
func (f *serveSFTP) config(s *seeing, log *slog.Logger) *sftpserver.Config {
	cfg := &sftpserver.Config{Trace: s.tracer, Logger: log}
	switch {
	case f.readOnly:
		cfg.Access = sftpserver.ReadOnly
	case f.writeOnly:
		cfg.Access = sftpserver.WriteOnly
	}
	return cfg
}

func (a *app) serveDir(cmd *cobra.Command, dir string, f *serveSFTP) (err error) {
	if err := requireDir(dir); err != nil {
		return err
	}
	root, err := backend.Rooted(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	srv := &sshserver.Server{}
	if f.authorized != "" {
		if srv.PublicKey, err = a.newAuthorizedKeys(f.authorized, f.user); err != nil {
			return err
		}
	}
	switch {
	case f.user != "":
		password, err := readPasswordFile(f.passwordFile)
		if err != nil {
			return err
		}
		srv.Password = newPasswordPolicy(f.user, password).check
	case f.authorized == "":
		password := makePassword()
		srv.Password = newPasswordPolicy("drop", password).check
		f.ready = fmt.Sprintf("user drop, password %s (for this run)", password)
	}
	s, err := a.openSeeing(cmd, &f.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	cfg := f.config(s, nil)
	if !a.quiet {
		cfg.Operation = a.logOperation
	}
	srv.Subsystems = map[string]sshserver.Handler{
		"sftp": join.SFTPSubsystem(func(context.Context, *sshserver.Session) (sftpserver.Backend, error) { return root, nil }, cfg),
	}
	return a.serve(cmd.Context(), srv, &f.listenFlags, s)
}

// logOperation writes a line for each file that was read or written and for
// each change.
func (a *app) logOperation(op sftpserver.Operation) {
	switch op.Name {
	case "SSH_FXP_CLOSE":
		broken := op.Err != nil && op.Flags&sftp.OpenWrite != 0 // an upload, also when nothing of it has come
		if op.Read == 0 && op.Written == 0 && !broken {
			return
		}
	case "SSH_FXP_REMOVE", "SSH_FXP_MKDIR", "SSH_FXP_RMDIR", "SSH_FXP_RENAME", "SSH_FXP_SYMLINK",
		"posix-rename@openssh.com", "hardlink@openssh.com":
	default:
		if op.Err == nil || errors.Is(op.Err, io.EOF) || a.verbose == 0 {
			return
		}
	}
	name := strings.ToLower(strings.TrimPrefix(op.Name, "SSH_FXP_"))
	line := fmt.Sprintf("%s %s %q", op.Start.Format(time.TimeOnly), name, op.Path)
	if op.NewPath != "" {
		line += fmt.Sprintf(" to %q", op.NewPath)
	}
	if op.Read > 0 {
		line += fmt.Sprintf(" read %d bytes", op.Read)
	}
	if op.Written > 0 {
		line += fmt.Sprintf(" wrote %d bytes", op.Written)
	}
	if op.Err != nil {
		line += " failed: " + harmless(op.Err.Error())
	}
	fmt.Fprintln(a.Stderr, line)
}

// serveStdio serves one session as a subsystem of somebody's SSH server.
func (a *app) serveStdio(cmd *cobra.Command, args []string, f *serveSFTP) (err error) {
	if cmd.Flags().Changed("listen") || f.authorized != "" || f.user != "" || f.hostKey != "" {
		return usagef(cmd, "--stdio serves who runs it: it goes with no --listen, --host-key, --authorized-keys or --user")
	}
	dir := "" // where sshd starts us: the user's home
	if len(args) > 0 {
		dir = args[0]
		if err := requireDir(dir); err != nil {
			return err
		}
	}
	s, err := a.openSeeing(cmd, &f.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	return sftpserver.Serve(ctx, stdio{a.Stdin, a.Stdout}, backend.Host(dir), f.config(s, nil))
}

// stdio is the process's standard input and output as one stream.
type stdio struct {
	io.Reader
	io.Writer
}

// Close closes both, where they can be, so that a waiting Read ends.
func (s stdio) Close() error {
	var errs []error
	for _, x := range []any{s.Reader, s.Writer} {
		if c, ok := x.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
