package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/forward"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// sshRun is what ssh was asked to do.
type sshRun struct {
	sshFlags
	forceTTY  int
	noTTY     bool
	noCommand bool
	forwards  []string
}

func (a *app) sshCommand() *cobra.Command {
	var r sshRun
	cmd := &cobra.Command{
		Use:   "ssh [flags] [USER@]HOST [COMMAND...]",
		Short: "Log in to a host or run a command on it",
		Long: `Log in to HOST, or run COMMAND there, as ssh(1) does and with its letters. The
exit status is the command's, 255 for failures of our own, and 2 for a wrong
command line. In a terminal session, ~. at the beginning of a line hangs up.`,
		Example: `  wirelark ssh ann@example.org
  wirelark ssh -p 2222 example.org uname -s
  wirelark ssh --trace example.org true`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(cmd, "ssh needs a host")
			}
			// As with ssh(1), options may also stand between host and command.
			host, rest := args[0], args[1:]
			if len(rest) > 0 && strings.HasPrefix(rest[0], "-") && cmd.ArgsLenAtDash() < 0 {
				if err := cmd.ParseFlags(rest); err != nil {
					return usagef(cmd, "%v", err)
				}
				rest = cmd.Flags().Args()
			}
			d, err := parseDest(host)
			if err != nil {
				return usagef(cmd, "%v", err)
			}
			return a.runSSH(cmd, d, strings.Join(rest, " "), &r)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	r.register(cmd, "p")
	flags.StringVarP(&r.user, "login", "l", "", "user name on the host")
	flags.CountVarP(&r.forceTTY, "tty", "t", "ask for a terminal even for a command; twice: even without one here")
	flags.BoolVarP(&r.noTTY, "no-tty", "T", false, "do not ask for a terminal")
	flags.BoolVarP(&r.noCommand, "no-command", "N", false, "run nothing: only forward")
	flags.StringArrayVarP(&r.forwards, "local-forward", "L", nil, "`[BIND:]PORT:HOST:PORT` or with socket paths: forward what connects here; may be repeated")
	return cmd
}

func (a *app) runSSH(cmd *cobra.Command, d dest, command string, r *sshRun) (err error) {
	if r.noCommand && command != "" {
		return usagef(cmd, "-N runs no command, but there is one: %q", command)
	}
	specs := make([]forward.Spec, len(r.forwards))
	for i, f := range r.forwards {
		if specs[i], err = forward.ParseLocal(f); err != nil {
			return usagef(cmd, "-L: %v", err)
		}
	}
	s, err := a.openSeeing(cmd, &r.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	if s.recorder != nil {
		signal.Ignore(syscall.SIGPIPE) // the recording is to be complete when nobody reads the output any more
	}
	ctx := cmd.Context()
	client, err := a.connect(ctx, cmd, d, &r.sshFlags, s)
	if err != nil {
		return err
	}
	defer client.Close()

	for _, spec := range specs {
		l, err := forward.Listen(ctx, spec, client, &forward.Config{OnError: func(err error) { a.infof("wirelark: %s", harmless(err.Error())) }})
		if err != nil {
			return err
		}
		defer l.Close()
		a.infof("forwarding %s to %s", l.Addr(), spec.DialAddr)
	}
	if r.noCommand {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-client.Done():
			return client.Err()
		}
	}
	return a.runRemote(ctx, client, command, r)
}

// runRemote runs a command or the login shell with our streams.
func (a *app) runRemote(ctx context.Context, client *sshclient.Client, command string, r *sshRun) error {
	c := client.Shell()
	if command != "" {
		c = client.Command(command)
	}
	c.Stdout, c.Stderr = a.Stdout, a.Stderr
	c.Stdin = a.Stdin
	fd, tty := terminal(a.Stdin)
	if !r.noTTY && (r.forceTTY > 1 || tty && (r.forceTTY > 0 || command == "")) {
		size := terminalSize(a.Stdout)
		c.PTY = &ssh.PTY{Term: orDefault(a.Getenv("TERM"), "dumb"), Size: size}
	}
	if c.PTY == nil || !tty {
		return remoteStatus(c.Run(ctx))
	}
	state, err := term.MakeRaw(fd)
	if err != nil {
		return fmt.Errorf("switching the terminal to raw mode: %w", err)
	}
	defer func() {
		if err := term.Restore(fd, state); err != nil {
			fmt.Fprintf(a.Stderr, "wirelark: the terminal could not be restored: %v; type: reset\n", err)
		}
	}()
	ctx, hangup := context.WithCancelCause(ctx)
	defer hangup(nil)
	c.Stdin = newEscapeReader(a.Stdin, a.Stderr, func() { hangup(errHangup) })
	if err := c.Start(ctx); err != nil {
		return err
	}
	stop := watchSize(ctx, a.Stdout, c)
	defer stop()
	err = c.Wait()
	if errors.Is(context.Cause(ctx), errHangup) {
		return errHangup
	}
	return remoteStatus(err)
}

var errHangup error = &Error{Code: exitInterrupted, What: "hung up", How: []string{"~. was typed"}}

// remoteStatus turns how a remote command ended into our own exit status.
func remoteStatus(err error) error {
	var exit *sshclient.ExitError
	switch {
	case !errors.As(err, &exit):
		return err
	case exit.Signal == "" && exit.Status >= 0:
		return statusError(exit.Status & 0xff)
	}
	how := []string{"the server reported the signal"}
	if exit.Message != "" {
		how = append(how, "server: "+exit.Message)
	}
	return &Error{Code: exitRemote, What: exit.Error(), How: how, Err: err}
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func terminalSize(w io.Writer) ssh.WindowSize {
	size := ssh.WindowSize{Columns: 80, Rows: 24}
	if f, ok := w.(*os.File); ok {
		if cols, rows, err := term.GetSize(int(f.Fd())); err == nil {
			size.Columns, size.Rows = uint32(cols), uint32(rows)
		}
	}
	return size
}
