package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/transport"
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
func (a *app) refuseOptions(cmd *cobra.Command, c *config.Config) error {
	if c.RefuseConnection != "" {
		return &Error{
			Code: exitUsage, What: fmt.Sprintf("the configuration forbids connections to %s", c.Host), How: []string{"it says: " + c.RefuseConnection},
			Next: []string{"find RefuseConnection in ssh_config, or read another one: -F FILE"},
		}
	}
	if _, err := algorithms(c, a.debugf); err != nil {
		return usagef(cmd, "%v", err)
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
		{"CertificateFile", len(c.CertificateFiles) > 0},
		{"UpdateHostKeys", c.UpdateHostKeys != "" && c.UpdateHostKeys != "no"},
	} {
		if n.set {
			a.debugf("%s is not acted on", n.name)
		}
	}
	return nil
}

// algorithms resolves the lists of Ciphers and its like. What a file asks for
// and we do not have is left out, as long as something remains: such lists are
// written for another program. debugf is told.
func algorithms(c *config.Config, debugf func(string, ...any)) (transport.Algorithms, error) {
	var out transport.Algorithms
	defaults, supported := transport.Defaults(), transport.Supported()
	for _, l := range []struct {
		option, given       string
		defaults, supported []string
		to                  *[]string
	}{
		{"KexAlgorithms", c.KexAlgorithms, defaults.Kex, supported.Kex, &out.Kex},
		{"HostKeyAlgorithms", c.HostKeyAlgorithms, defaults.HostKeys, supported.HostKeys, &out.HostKeys},
		{"Ciphers", c.Ciphers, defaults.Ciphers, supported.Ciphers, &out.Ciphers},
		{"MACs", c.MACs, defaults.MACs, supported.MACs, &out.MACs},
	} {
		if l.given == "" {
			continue
		}
		list, dropped := supportedOnly(l.given, l.supported)
		for _, name := range dropped {
			debugf("%s: %s is not supported, and left out", l.option, name)
		}
		if list == "" && len(dropped) > 0 && strings.IndexByte("+^", l.given[0]) >= 0 {
			continue // nothing is added to the defaults
		}
		if list == "" {
			list = l.given
		}
		names, err := transport.ParseList(list, l.defaults, l.supported)
		if err != nil {
			return out, fmt.Errorf("%s=%s: %w", l.option, l.given, err)
		}
		*l.to = names
	}
	return out, nil
}

// supportedOnly leaves out of a list, unless it only takes away, the names that nobody
// here knows; "" when none is left.
func supportedOnly(list string, supported []string) (left string, dropped []string) {
	mode := ""
	if list[0] == '-' {
		return list, nil
	}
	if list[0] == '+' || list[0] == '^' {
		mode, list = list[:1], list[1:]
	}
	var names []string
	for _, n := range strings.Split(list, ",") {
		if slices.Contains(supported, n) {
			names = append(names, n)
		} else {
			dropped = append(dropped, n)
		}
	}
	if len(names) == 0 {
		return "", dropped
	}
	return mode + strings.Join(names, ","), dropped
}

// explainConfig lists the mistakes in a configuration.
func explainConfig(err error) *Error {
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

// addr is where a configuration leads.
func addr(c *config.Config) string { return net.JoinHostPort(c.HostName, fmt.Sprint(c.Port)) }

// keyName is the name under which the host key is looked up.
func keyName(c *config.Config) string {
	switch alias := c.HostKeyAlias; {
	case alias == "":
		return addr(c)
	case strings.HasPrefix(alias, "["): // [host]:port, as it stands in known_hosts
		return alias
	default:
		return net.JoinHostPort(alias, "22") // the name alone, whatever the port
	}
}
