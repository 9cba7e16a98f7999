package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/ssh/config"
)

// sshFlags are the flags of every command that logs in to an SSH server.
type sshFlags struct {
	port       int
	user       string
	identities []string
	options    []string
	config     string
	jump       string
	ipv4, ipv6 bool
	see        seeingFlags

	// What the connection is for, as Match asks in a configuration.
	session, command string
}

// register adds the flags; portLetter is p for ssh and P for cp and sftp, as
// OpenSSH has it.
func (f *sshFlags) register(cmd *cobra.Command, portLetter string) {
	flags := cmd.Flags()
	flags.IntVarP(&f.port, "port", portLetter, 0, "port of the server (default 22)")
	flags.StringArrayVarP(&f.identities, "identity", "i", nil, "private key `FILE`; may be repeated")
	flags.StringArrayVarP(&f.options, "option", "o", nil, "`NAME=VALUE` as in ssh_config(5); may be repeated")
	flags.StringVarP(&f.config, "config", "F", "", "read this ssh_config `FILE` instead of the user's and the system's; none: no file")
	flags.StringVarP(&f.jump, "jump", "J", "", "go through these `HOSTS`, [USER@]HOST[:PORT] with commas between, the nearest first")
	flags.BoolVarP(&f.ipv4, "ipv4", "4", false, "use IPv4 only")
	flags.BoolVarP(&f.ipv6, "ipv6", "6", false, "use IPv6 only")
	f.see.register(cmd)
}

// check refuses what the flags alone make impossible.
func (f *sshFlags) check(cmd *cobra.Command) error {
	if f.ipv4 && f.ipv6 {
		return usagef(cmd, "-4 and -6 exclude each other")
	}
	if f.port < 0 || f.port > 65535 || f.port == 0 && cmd.Flags().Changed("port") {
		return usagef(cmd, "%d is no port number", f.port)
	}
	if f.jump != "" {
		if _, err := config.ParseJumps(f.jump); err != nil {
			return usagef(cmd, "-J: %v", err)
		}
	}
	return nil
}

// query is what the command line says about a destination.
func (f *sshFlags) query(d dest) config.Query {
	q := config.Query{
		Host: d.host, User: d.user, Port: d.port,
		IdentityFiles: f.identities, Session: f.session, Command: f.command,
	}
	if f.user != "" {
		q.User = f.user
	}
	if f.port != 0 {
		q.Port = f.port
	}
	switch {
	case f.ipv4:
		q.Options = append(q.Options, "AddressFamily=inet")
	case f.ipv6:
		q.Options = append(q.Options, "AddressFamily=inet6")
	}
	if f.jump != "" {
		q.Options = append(q.Options, "ProxyJump="+f.jump)
	}
	q.Options = slices.Concat(q.Options, f.options)
	return q
}

// sshSource is where the configuration is read, as -F says.
func (a *app) sshSource(file string) (*config.Source, error) {
	s, err := config.System()
	if err != nil {
		return nil, err
	}
	if s.Local.Home, err = a.home(); err != nil {
		return nil, err
	}
	s.Local.User = a.localUser()
	s.Local.Lookup = func(name string) (string, bool) {
		v := a.Getenv(name)
		return v, v != ""
	}
	s.Exec = a.matchExec
	switch file {
	case "":
		s.Files = []config.File{config.UserFile(s.Local.Home)}
		if a.SSHConfig != "" {
			s.Files = append(s.Files, config.File{Path: a.SSHConfig, Optional: true})
		}
	case "none", os.DevNull:
		s.Files = nil
	default:
		s.Files = []config.File{{Path: file, User: true}}
	}
	return s, nil
}

// refuseOptions refuses settings that nobody acts on and that must not be
// ignored, and tells of the others.
func (a *app) refuseOptions(cmd *cobra.Command, r route) error {
	for _, c := range r {
		if err := a.refuseHost(cmd, c); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) refuseHost(cmd *cobra.Command, c *config.Config) error {
	if c.RefuseConnection != "" {
		return &Error{
			Code: exitUsage, What: fmt.Sprintf("the configuration forbids connections to %s", c.Host), How: []string{"it says: " + c.RefuseConnection},
			Next: []string{"find RefuseConnection in ssh_config, or read another one: -F FILE"},
		}
	}
	_, _, ignored, err := join.Algorithms(c)
	if err != nil {
		return usagef(cmd, "%v", err)
	}
	for _, text := range ignored {
		a.debugf("%s is not supported, and left out", text)
	}
	for _, s := range c.Others {
		where := s.File
		if s.Line > 0 {
			where = fmt.Sprintf("%s:%d", s.File, s.Line)
		}
		if s.Unsafe == "" {
			a.debugf("%s: %s is not acted on", where, s.Name)
			continue
		}
		return &Error{
			Code: exitUsage, What: fmt.Sprintf("the option %s is not supported and must not be ignored", s.Name),
			How:  []string{fmt.Sprintf("%s: %s %s", where, s.Name, s.Value), "ignored: " + s.Unsafe},
			Next: []string{"do without it", "read another configuration: -F FILE, or none: -F none"},
		}
	}
	for _, n := range []struct {
		name string
		set  bool
	}{
		{"Compression", c.Compression},
		{"UpdateHostKeys", c.UpdateHostKeys != "" && c.UpdateHostKeys != "no"},
	} {
		if n.set {
			a.debugf("%s is not acted on", n.name)
		}
	}
	return nil
}

// explainConfig lists the mistakes in a configuration.
func explainConfig(err error) *Error {
	if loop := (*join.LoopError)(nil); errors.As(err, &loop) {
		return &Error{
			Code: exitUsage, What: loop.Error(), How: []string{fmt.Sprintf("the way to %s goes through %v", loop.Host, loop.Via)},
			Next: []string{"mend ProxyJump in ssh_config", "or go there directly: -o ProxyJump=none"},
		}
	}
	var first *config.Error
	if !errors.As(err, &first) {
		return nil
	}
	e := &Error{Code: exitUsage, What: first.Error(), Next: []string{"see ssh_config(5); read another file: -F FILE, or none: -F none"}}
	if all := joined(err); len(all) > 1 {
		e.What = fmt.Sprintf("the SSH configuration has %d mistakes", len(all))
		for _, one := range all {
			e.How = append(e.How, one.Error())
		}
	}
	if errors.Is(err, config.ErrPermissions) {
		e.Next = []string{"close it to others: chmod go-w " + first.File}
	}
	return e
}
