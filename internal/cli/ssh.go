package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/forward"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// sshRun is what ssh was asked to do.
type sshRun struct {
	sshFlags
	forceTTY  int
	noTTY     bool
	noCommand bool
	forwards  []string
	print     bool
	stdio     string
}

func (a *app) sshCommand() *cobra.Command {
	var r sshRun
	cmd := &cobra.Command{
		Use:   "ssh [flags] [USER@]HOST [COMMAND...]",
		Short: "Log in to a host or run a command on it",
		Long: `Log in to HOST, or run COMMAND there, as ssh(1) does and with its letters. The
exit status is the command's, 255 for failures of our own, and 2 for a wrong
command line. In a terminal session, ~. at the beginning of a line hangs up.

~/.ssh/config and /etc/ssh/ssh_config are honoured, with hosts in between
(ProxyJump, or -J) and programs in between (ProxyCommand).`,
		Example: `  wirelark ssh ann@example.org
  wirelark ssh -p 2222 example.org uname -s
  wirelark ssh -J gate.example.org db.internal
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
	flags.StringVarP(&r.stdio, "stdio-forward", "W", "", "carry standard input and output to `HOST:PORT`, as the host reaches it")
	flags.BoolVarP(&r.print, "print-config", "G", false, "print the configuration for the host, and connect to nothing")
	return cmd
}

func (a *app) runSSH(cmd *cobra.Command, d dest, command string, r *sshRun) (err error) {
	if r.noCommand && command != "" {
		return usagef(cmd, "-N runs no command, but there is one: %q", command)
	}
	if r.stdio != "" && command != "" {
		return usagef(cmd, "-W runs no command, but there is one: %q", command)
	}
	r.session, r.command = "shell", command
	switch {
	case r.noCommand || r.stdio != "":
		r.session = "none"
	case command != "":
		r.session = "exec"
	}
	ctx := cmd.Context()
	way, err := a.route(ctx, cmd, d, &r.sshFlags)
	if err != nil {
		return err
	}
	if r.print {
		for _, l := range way.last().Lines() {
			fmt.Fprintln(a.Stdout, harmless(l))
		}
		return nil
	}
	c := way.last()
	if command, err = r.configured(cmd, c, command); err != nil {
		return err
	}
	specs, err := r.forwardings(cmd, c)
	if err != nil {
		return err
	}
	s, err := a.openSeeing(cmd, &r.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	if s.recorder != nil {
		signal.Ignore(syscall.SIGPIPE) // the recording is to be complete when nobody reads the output any more
	}
	client, err := a.dial(ctx, way, &r.sshFlags, s)
	if err != nil {
		return err
	}
	defer client.Close()

	if r.stdio != "" {
		return a.carryStdio(ctx, client, r.stdio)
	}
	for _, spec := range specs {
		l, err := forward.Listen(ctx, spec.Spec, client, &forward.Config{OnError: func(err error) { a.infof("wirelark: %s", harmless(err.Error())) }})
		if err != nil && spec.optional {
			a.infof("wirelark: warning: not forwarding %s: %v", spec, err)
			continue
		}
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
	return a.session(ctx, client, command, c, r)
}

// carryStdio connects standard input and output with addr, as seen from the
// host.
func (a *app) carryStdio(ctx context.Context, client *sshclient.Client, addr string) error {
	nc, err := client.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	go func() { // stops with the input or the connection, at the latest with the process
		_, _ = io.Copy(nc, a.Stdin) // how it ended is seen by who reads
		if half, ok := nc.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}()
	_, err = io.Copy(a.Stdout, nc)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return errors.Join(err, nc.Close())
}

// configured takes what the configuration says about the session where the
// command line says nothing, and returns the command to run.
func (r *sshRun) configured(cmd *cobra.Command, c *config.Config, command string) (string, error) {
	switch c.SessionType {
	case "none":
		r.noCommand = true
	case "subsystem":
		return "", usagef(cmd, "SessionType=subsystem is not supported")
	}
	if c.RemoteCommand != "" && !r.noCommand && r.stdio == "" {
		if command != "" {
			return "", usagef(cmd, "there are two commands: %q, and RemoteCommand of the configuration", command)
		}
		command = c.RemoteCommand
	}
	if r.noTTY || r.forceTTY > 0 {
		return command, nil
	}
	switch c.RequestTTY {
	case "no":
		r.noTTY = true
	case "yes":
		r.forceTTY = 1
	case "force":
		r.forceTTY = 2
	}
	return command, nil
}

// forwarding is one that was asked for; optional: it may fail.
type forwarding struct {
	forward.Spec
	optional bool
}

// forwardings are those of -L and of the configuration.
func (r *sshRun) forwardings(cmd *cobra.Command, c *config.Config) ([]forwarding, error) {
	var specs []forwarding
	for _, f := range r.forwards {
		spec, err := forward.ParseLocal(f)
		if err != nil {
			return nil, usagef(cmd, "-L: %v", err)
		}
		specs = append(specs, forwarding{spec, false})
	}
	for _, f := range c.LocalForwards {
		text := f.Listen + ":" + f.Connect
		if c.GatewayPorts && !strings.ContainsAny(f.Listen, ":/") {
			text = ":" + text // on all addresses
		}
		spec, err := forward.ParseLocal(text)
		if err != nil {
			return nil, usagef(cmd, "LocalForward: %v", err)
		}
		specs = append(specs, forwarding{spec, !c.ExitOnForwardFailure})
	}
	if c.ExitOnForwardFailure && len(c.RemoteForwards)+len(c.DynamicForwards) > 0 {
		return nil, usagef(cmd, "RemoteForward and DynamicForward are not supported, and ExitOnForwardFailure is set")
	}
	return specs, nil
}

// session runs the command or, without one, a shell.
func (a *app) session(ctx context.Context, client *sshclient.Client, command string, conf *config.Config, r *sshRun) error {
	for _, f := range conf.RemoteForwards {
		a.infof("wirelark: warning: RemoteForward %s is not supported, and left out", f.Listen)
	}
	for _, f := range conf.DynamicForwards {
		a.infof("wirelark: warning: DynamicForward %s is not supported, and left out", f)
	}
	c := client.Shell()
	if command != "" {
		c = client.Command(command)
	}
	c.Stdout, c.Stderr, c.Env = a.Stdout, a.Stderr, a.sentEnv(conf)
	if !conf.StdinNull {
		c.Stdin = a.Stdin
	}
	fd, tty := terminal(a.Stdin)
	if !r.noTTY && (r.forceTTY > 1 || tty && (r.forceTTY > 0 || command == "")) {
		size := terminalSize(a.Stdout)
		c.PTY = &ssh.PTY{Term: orDefault(a.Getenv("TERM"), "dumb"), Size: size}
	}
	if c.PTY == nil || !tty || c.Stdin == nil {
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
	if conf.EscapeChar >= 0 {
		c.Stdin = newEscapeReader(a.Stdin, a.Stderr, byte(conf.EscapeChar), func() { hangup(errHangup) })
	}
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

// sentEnv are the variables that SendEnv and SetEnv ask for.
func (a *app) sentEnv(c *config.Config) []string {
	var list []string
	if len(c.SendEnv) > 0 {
		for _, kv := range os.Environ() {
			name, _, ok := strings.Cut(kv, "=")
			if ok && name != "" && slices.ContainsFunc(c.SendEnv, func(pattern string) bool { return knownhosts.MatchPattern(pattern, name) }) {
				list = append(list, kv)
			}
		}
	}
	return append(list, c.SetEnv...)
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
