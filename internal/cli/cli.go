// Package cli is the command line: it reads flags and the environment, joins
// the libraries, prompts, prints, and maps every outcome to an exit code. It
// is the only package that does so. Data goes to stdout, everything else to
// stderr.
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

	"github.com/wirelark/wirelark/ssh/config"
)

// Env is what a command may use of the process around it.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	SSHConfig      string // the ssh_config of the machine; empty: there is none
}

// System returns the process's own streams and environment.
func System() *Env {
	return &Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, SSHConfig: config.SystemFile}
}

// app is one run of the program: its environment and the flags that all
// commands share.
type app struct {
	*Env
	quiet   bool
	verbose int
	noInput bool
	json    bool
}

// Main runs the command line args (without the program's name) and returns
// the exit code.
func Main(args []string, env *Env) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once

	a := &app{Env: env}
	root := a.root()
	root.SetArgs(mysqlArgs(args))
	cmd, err := root.ExecuteContextC(ctx)
	return a.exit(cmd, err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "wirelark",
		Short: "Speak, serve and see SSH, SFTP and MySQL, packet by packet",
		Long: `Wirelark does your SSH, SFTP and MySQL work and can show and save every packet of it,
even inside the encryption. Start with: wirelark demo

Exit codes: 0 done, 1 the far side said no, 2 wrong command line, 3 cannot reach,
4 host key or certificate refused, 5 login refused, 6 protocol or negotiation, 7 partly done,
8 timeout, 130 interrupted. ssh returns the remote status, and 255 for failures of
its own, with the code in the message.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef(cmd, "there is no command %q", args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usagef(cmd, "%v", err) })
	flags := root.PersistentFlags()
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print errors only")
	flags.CountVarP(&a.verbose, "verbose", "v", "say more on stderr; repeat for more")
	flags.BoolVar(&a.noInput, "no-input", false, "never prompt: fail where a question would be asked")

	for _, g := range []struct{ id, title string }{
		{"speak", "Speak:"}, {"serve", "Serve:"}, {"see", "See:"}, {"and", "And:"},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
	}
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("speak", a.sshCommand(), a.cpCommand(), a.sftpCommand(), a.mysqlCommand())
	add("serve", a.serveCommand())
	add("see", a.seeCommand(), a.captureCommand())
	add("and", a.demoCommand(), a.keygenCommand(), a.hostkeyCommand(), a.completionCommand(), a.versionCommand())
	help := a.helpCommand()
	help.GroupID = "and"
	root.SetHelpCommand(help)
	root.Version = Version
	root.SetVersionTemplate("wirelark {{.Version}}\n")
	return root
}

func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef(cmd.Root(), "there is no command %q", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// exit prints err in its three parts and returns the code for it.
func (a *app) exit(cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	if status := statusError(0); errors.As(err, &status) {
		return int(status)
	}
	if errors.Is(err, syscall.EPIPE) {
		return exitPipe // who read our output has gone, and wants to hear nothing
	}
	e := explain(err)
	fmt.Fprint(a.Stderr, e.text())
	if cmd != nil && cmd.CommandPath() == "wirelark ssh" && e.Code != exitUsage {
		return exitSSH
	}
	return e.Code
}

// statusError is the remote command's status: nothing is printed for it.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// terminal reports whether w is a terminal, and which.
func terminal(w any) (fd int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile {
		return -1, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// infof tells people something on stderr unless --quiet.
func (a *app) infof(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.Stderr, format+"\n", args...)
	}
}

// debugf tells people more when --verbose.
func (a *app) debugf(format string, args ...any) {
	if a.verbose > 0 && !a.quiet {
		fmt.Fprintf(a.Stderr, "wirelark: "+format+"\n", args...)
	}
}

// exactArgs accepts n positional arguments, named in the usage line.
func exactArgs(n int) cobra.PositionalArgs { return rangeArgs(n, n) }

func rangeArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef(cmd, "%s needs more: %s", cmd.CommandPath(), strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath()+" "))
		case most >= 0 && len(args) > most:
			return usagef(cmd, "%s takes no %q", cmd.CommandPath(), args[most])
		}
		return nil
	}
}
