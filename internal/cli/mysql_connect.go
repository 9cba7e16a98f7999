package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/internal/mysqlshell"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// mysqlTarget is a server and how to log in to it.
type mysqlTarget struct {
	client *mysqlclient.Config
	gate   *join.Gateway // to the SSH hosts; nil: reached directly
	facts  mysqlshell.Facts
	wait   bool
	rest   []options.Option // that are not about the connection
}

// close ends the connection to the SSH hosts.
func (t *mysqlTarget) close() error {
	if t.gate == nil {
		return nil
	}
	return t.gate.Close()
}

// mysqlTarget puts together what the files, the environment, a URL and the
// flags say, in this order, and connects to the SSH hosts in between. source is
// a database, a URL, a data source name, or empty.
func (a *app) mysqlTarget(ctx context.Context, cmd *cobra.Command, r *mysqlRun, source string, s *seeing) (*mysqlTarget, error) {
	cfg, place, rest, err := a.mysqlOptions(r, source)
	if err != nil {
		return nil, optionsError(cmd, err)
	}
	hosts := r.jump
	if hosts == "" {
		hosts = strings.Join(cfg.SSH, ",")
	}
	place.Remote = hosts != ""
	if cfg.Address == "" {
		if cfg.Network, cfg.Address, err = place.Target(); err != nil {
			return nil, optionsError(cmd, err)
		}
	}
	if cfg.User == "" {
		cfg.User = a.localUser()
	}
	t := &mysqlTarget{}
	for _, o := range rest {
		if o.Name == "wait" {
			t.wait = true
			continue
		}
		t.rest = append(t.rest, o)
	}
	if err := a.askPasswords(ctx, r.given, cfg); err != nil {
		return nil, err
	}
	if t.client, err = mysqlclient.FromOptions(cfg); err != nil {
		return nil, optionsError(cmd, err)
	}
	t.facts = factsOf(cfg, hosts)
	a.complete(t.client, cfg, s)
	if hosts == "" {
		return t, nil
	}
	t.gate = join.NewGateway(func(ctx context.Context) (*sshclient.Client, error) { return r.connect(ctx, cmd, a, hosts, s) })
	if _, err := t.gate.Client(ctx); err != nil { // what is wrong on the way is told as such
		return nil, errors.Join(err, t.gate.Close())
	}
	t.client.Dial, t.client.TraceInfo = t.gate.DialContext, t.gate.TraceInfo
	return t, nil
}

// complete adds what no option says.
func (a *app) complete(c *mysqlclient.Config, o *options.Config, s *seeing) {
	c.Trace = s.tracer
	if c.Attributes == nil {
		c.Attributes = make(map[string]string)
	}
	c.Attributes["program_name"] = "wirelark"
	c.MultiStatements = true // a delimiter may stand between several
	p := &prompter{app: a}
	c.Answer = func(ctx context.Context, prompt string, echo bool) (string, error) {
		// Whose question it is stands in front: a server could imitate others.
		return p.ask(ctx, harmless(fmt.Sprintf("(%s@%s) %s", c.User, c.Address, prompt)), echo, false)
	}
	if s.keyLog != nil {
		if c.TLS == nil {
			c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: hostOf(o.Address)}
		}
		c.TLS.KeyLogWriter = keyLines{s.keyLog}
	}
	if a.verbose > 0 {
		c.Logger = slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

// keyLines takes the lines of crypto/tls.
type keyLines struct{ to *keylog.Writer }

func (k keyLines) Write(b []byte) (int, error) {
	return len(b), k.to.Write(strings.TrimSuffix(string(b), "\n"))
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return host
}

func factsOf(o *options.Config, hosts string) mysqlshell.Facts {
	f := mysqlshell.Facts{User: o.User, Through: hosts}
	network, address := o.Target()
	if network == "unix" {
		f.Host, f.Socket = "localhost", address
		return f
	}
	if host, port, err := net.SplitHostPort(address); err == nil {
		f.Host, f.Port = host, port
	}
	return f
}

// mysqlOptions reads the files and puts everything together.
func (a *app) mysqlOptions(r *mysqlRun, source string) (*options.Config, *options.Place, []options.Option, error) {
	cfg, place := &options.Config{}, &options.Place{}
	files, given := a.optionFiles(r.given)
	fromFiles, err := files.Read()
	if err != nil {
		return nil, nil, nil, err
	}
	rest, err := options.Apply(cfg, place, slices.Concat(a.mysqlEnvironment(), fromFiles))
	if err != nil {
		return nil, nil, nil, err
	}
	if isSource(source) {
		parsed, err := options.Parse(source)
		if err != nil {
			return nil, nil, nil, err
		}
		a.warnOfPassword(len(parsed.Passwords) > 0)
		cfg = overlay(cfg, parsed)
		source = ""
	}
	if slices.ContainsFunc(given, func(o options.Option) bool { return o.Name == "host" || o.Name == "socket" || o.Name == "port" }) {
		cfg.Network, cfg.Address = "", ""
	}
	a.warnOfPassword(slices.ContainsFunc(given, func(o options.Option) bool { return strings.HasPrefix(o.Name, "password") && o.Given }))
	more, err := options.Apply(cfg, place, given)
	if err != nil {
		return nil, nil, nil, err
	}
	if source != "" {
		cfg.Database = source
	}
	return cfg, place, append(rest, more...), nil
}

func (a *app) warnOfPassword(there bool) {
	if there {
		a.infof("wirelark: warning: a password on the command line can be seen by others on this machine")
	}
}

// overlay returns what a URL says, and what files say where it says nothing.
func overlay(files, url *options.Config) *options.Config {
	c := url.Clone()
	if c.User == "" {
		c.User = files.User
	}
	if c.Passwords == nil && (files.User == "" || c.User == files.User) {
		c.Passwords = files.Passwords
	}
	if c.TLS == (options.TLS{}) {
		c.TLS = files.TLS
	}
	if c.Charsets == nil {
		c.Charsets = files.Charsets
	}
	if c.InitCommands == nil {
		c.InitCommands = files.InitCommands
	}
	return c
}

// optionFiles are the files to read; the options that name them are taken out.
func (a *app) optionFiles(given []options.Option) (*options.Files, []options.Option) {
	f := &options.Files{
		Groups: options.ShellGroups(), Suffix: a.Getenv("MYSQL_GROUP_SUFFIX"), LoginFile: a.Getenv("MYSQL_TEST_LOGIN_FILE"),
		Warn: func(message string) { a.infof("wirelark: warning: %s", message) },
	}
	if home, err := a.home(); err == nil {
		f.Home = home
	}
	var rest []options.Option
	for _, o := range given {
		switch o.Name {
		case "defaults-file":
			f.Only = string(o.Value)
		case "defaults-extra-file":
			f.Extra = string(o.Value)
		case "defaults-group-suffix":
			f.Suffix = string(o.Value)
		case "no-defaults":
			f.None = true
		case "login-path":
			f.LoginPath = string(o.Value)
		case "no-login-paths":
			f.NoLogin = true
		default:
			rest = append(rest, o)
		}
	}
	return f, rest
}

// mysqlEnvironment is what the environment says, which counts least.
func (a *app) mysqlEnvironment() []options.Option {
	var list []options.Option
	for _, v := range []struct{ name, option string }{
		{"MYSQL_HOST", "host"}, {"MYSQL_UNIX_PORT", "socket"}, {"MYSQL_TCP_PORT", "port"}, {"MYSQL_PWD", "password"},
	} {
		if value := a.Getenv(v.name); value != "" {
			list = append(list, options.Option{Name: v.option, Value: options.Secret(value), Given: true, File: "$" + v.name})
		}
	}
	return list
}

// askPasswords asks for the passwords that were asked to be asked for.
func (a *app) askPasswords(ctx context.Context, given []options.Option, cfg *options.Config) error {
	p := &prompter{app: a}
	for _, factor := range options.Asked(given) {
		prompt := "Enter password: "
		if factor > 1 {
			prompt = fmt.Sprintf("Enter password %d: ", factor)
		}
		password, err := p.secret(ctx, prompt)
		if errors.Is(err, errNoPrompt) {
			return &Error{
				Code: exitUsage, What: "the password cannot be asked for", How: []string{err.Error()}, Err: err,
				Next: []string{"put it into ~/.my.cnf, under [client], readable by you alone", "or into the environment: MYSQL_PWD"},
			}
		}
		if err != nil {
			return err
		}
		cfg.SetPassword(factor, password)
	}
	return nil
}

// waitPause is how long --wait waits between two attempts.
const waitPause = time.Second

// connect makes a connection; database "" is the one that was asked for.
func (t *mysqlTarget) connect(ctx context.Context, database string) (*mysqlclient.Conn, error) {
	cfg := *t.client
	if database != "" {
		cfg.Database = database
	}
	for {
		conn, err := mysqlclient.Connect(ctx, &cfg)
		e, lost := errors.AsType[*mysqlclient.ConnError](err)
		if err == nil || !t.wait || !lost || e.Phase > mysqlclient.PhaseGreeting {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(waitPause):
		}
	}
}
