package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/ssh/agent"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// sshFlags are the flags of every command that logs in to an SSH server.
type sshFlags struct {
	port       int
	user       string
	identities []string
	options    []string
	config     string
	ipv4, ipv6 bool
	see        seeingFlags
}

// register adds the flags; portLetter is p for ssh and P for cp and sftp, as
// OpenSSH has it.
func (f *sshFlags) register(cmd *cobra.Command, portLetter string) {
	flags := cmd.Flags()
	flags.IntVarP(&f.port, "port", portLetter, 0, "port of the server (default 22)")
	flags.StringArrayVarP(&f.identities, "identity", "i", nil, "private key `FILE`; may be repeated")
	flags.StringArrayVarP(&f.options, "option", "o", nil, "`NAME=VALUE` as in ssh_config; may be repeated")
	flags.StringVarP(&f.config, "config", "F", "", "ssh_config file: only none so far, files are not read yet")
	flags.BoolVarP(&f.ipv4, "ipv4", "4", false, "use IPv4 only")
	flags.BoolVarP(&f.ipv6, "ipv6", "6", false, "use IPv6 only")
	f.see.register(cmd)
}

// parsed checks the flags and returns the options.
func (f *sshFlags) parsed(cmd *cobra.Command) (*sshOptions, error) {
	if f.config != "" && f.config != "none" && f.config != "/dev/null" {
		return nil, usagef(cmd, "-F %s: configuration files are not read yet; give the options with -o", f.config)
	}
	if f.ipv4 && f.ipv6 {
		return nil, usagef(cmd, "-4 and -6 exclude each other")
	}
	if f.port < 0 || f.port > 65535 || f.port == 0 && cmd.Flags().Changed("port") {
		return nil, usagef(cmd, "%d is no port number", f.port)
	}
	o := &sshOptions{passwordPrompts: 3}
	for _, s := range f.options {
		if err := o.setOption(s); err != nil {
			return nil, usagef(cmd, "%v", err)
		}
	}
	o.identities = slices.Concat(f.identities, o.identities)
	return o, nil
}

// connect dials d and logs in. The context covers all of it.
func (a *app) connect(ctx context.Context, cmd *cobra.Command, d dest, f *sshFlags, s *seeing) (*sshclient.Client, error) {
	o, err := f.parsed(cmd)
	if err != nil {
		return nil, err
	}
	if f.port != 0 {
		d.port = f.port
	}
	if f.user != "" {
		d.user = f.user
	}
	if d.user == "" {
		d.user = a.localUser()
	}
	cfg := &sshclient.Config{User: d.user, PreferredAuthentications: o.preferredAuth, PasswordPrompts: o.passwordPrompts}
	cfg.Transport.Version = "Wirelark_" + strings.ReplaceAll(Version, "-", "_")
	cfg.Transport.Trace, cfg.Transport.KeyLog = s.tracer, s.keyLog
	cfg.Transport.Rekey.Bytes, cfg.Transport.Rekey.Interval = o.rekeyBytes, o.rekeyInterval
	cfg.Transport.HandshakeTimeout = o.connectTimeout
	cfg.KeepAlive = sshclient.KeepAlive{Interval: o.aliveInterval, CountMax: o.aliveCountMax}
	if a.verbose > 0 {
		cfg.Transport.Logger = slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if cfg.Transport.Algorithms, err = o.algorithms(); err != nil {
		return nil, usagef(cmd, "%v", err)
	}
	p := &prompter{app: a, batch: o.batchMode}
	if cfg.HostKeys, err = a.hostKeys(o, p); err != nil {
		return nil, err
	}
	if cfg.Auth, err = a.authMethods(d, o, p); err != nil {
		return nil, err
	}
	cfg.Banner = func(text string) {
		if !a.quiet {
			for line := range strings.Lines(text) {
				fmt.Fprintln(a.Stderr, harmless(strings.TrimRight(line, "\r\n")))
			}
		}
	}
	network := "tcp"
	switch {
	case f.ipv4:
		network = "tcp4"
	case f.ipv6:
		network = "tcp6"
	}
	cfg.Dial = func(ctx context.Context, _, addr string) (net.Conn, error) {
		a.debugf("connecting to %s as %q", addr, d.user)
		return (&net.Dialer{Timeout: o.connectTimeout}).DialContext(ctx, network, addr)
	}
	return sshclient.Dial(ctx, d.addr(), cfg)
}

// algorithms resolves the lists of -o Ciphers and its like.
func (o *sshOptions) algorithms() (transport.Algorithms, error) {
	var out transport.Algorithms
	defaults, supported := transport.Defaults(), transport.Supported()
	for _, l := range []struct {
		option, given       string
		defaults, supported []string
		to                  *[]string
	}{
		{"KexAlgorithms", o.kex, defaults.Kex, supported.Kex, &out.Kex},
		{"HostKeyAlgorithms", o.hostKeyAlgos, defaults.HostKeys, supported.HostKeys, &out.HostKeys},
		{"Ciphers", o.ciphers, defaults.Ciphers, supported.Ciphers, &out.Ciphers},
		{"MACs", o.macs, defaults.MACs, supported.MACs, &out.MACs},
	} {
		if l.given == "" {
			continue
		}
		names, err := transport.ParseList(l.given, l.defaults, l.supported)
		if err != nil {
			return out, fmt.Errorf("-o %s=%s: %w", l.option, l.given, err)
		}
		*l.to = names
	}
	return out, nil
}

// hostKeys returns the checker for the policy that StrictHostKeyChecking asks
// for.
func (a *app) hostKeys(o *sshOptions, p *prompter) (*knownhosts.Checker, error) {
	files, err := a.knownHostsFiles(o.knownHosts)
	if err != nil {
		return nil, err
	}
	load := files
	if len(o.knownHosts) == 0 {
		load = append(slices.Clone(files), "/etc/ssh/ssh_known_hosts")
	}
	store, err := knownhosts.Load(load...)
	if err != nil {
		return nil, err
	}
	for _, n := range store.Notes() {
		a.debugf("%s", n)
	}
	c := &knownhosts.Checker{Store: store, Warn: func(err error) { a.infof("wirelark: warning: %v", err) }}
	if len(files) > 0 {
		c.Save = files[0]
	}
	switch o.strictHostKey {
	case "yes", "true":
		c.Policy = knownhosts.Strict
	case "accept-new":
		c.Policy = knownhosts.AcceptNew
	case "no", "false", "off":
		c.Policy = knownhosts.Off
	default:
		c.Policy = knownhosts.Ask
		c.Ask = a.askHostKey(p)
	}
	return c, nil
}

func (a *app) askHostKey(p *prompter) func(context.Context, *knownhosts.KeyError) (knownhosts.Decision, error) {
	return func(ctx context.Context, q *knownhosts.KeyError) (knownhosts.Decision, error) {
		prompt := fmt.Sprintf("The host key of %s is not known.\n%s key fingerprint is %s.\nGo on and keep the key (yes/no/once/[fingerprint])? ",
			q.Host, q.Key.Type(), keys.Fingerprint(q.Key))
		for range 3 {
			answer, err := p.confirm(ctx, prompt)
			if errors.Is(err, errNoPrompt) {
				return knownhosts.Reject, nil // the error about the key says it all
			}
			if err != nil {
				return knownhosts.Reject, err
			}
			switch answer = strings.TrimSpace(answer); strings.ToLower(answer) {
			case "yes":
				return knownhosts.AcceptAndSave, nil
			case "once":
				return knownhosts.AcceptOnce, nil
			case "no":
				return knownhosts.Reject, nil
			}
			if answer == keys.Fingerprint(q.Key) {
				return knownhosts.AcceptAndSave, nil
			}
			prompt = "Please answer yes, no, once, or the fingerprint: "
		}
		return knownhosts.Reject, nil
	}
}

// authMethods are the ways to log in: keys that were named, the agent's, the
// user's usual ones, the server's questions, then a password.
func (a *app) authMethods(d dest, o *sshOptions, p *prompter) ([]sshclient.AuthMethod, error) {
	var named []keys.Signer
	for _, file := range o.identities {
		path, err := a.expand(file)
		if err != nil {
			return nil, err
		}
		s, err := loadIdentity(path, p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &Error{
				Code: exitUsage, What: "there is no private key " + path, How: []string{err.Error()}, Err: err,
				Next: []string{"name another file with -i", "or make one: wirelark keygen -f " + path},
			}
		}
		if err != nil {
			return nil, &fileError{path, err}
		}
		named = append(named, s)
	}
	methods := []sshclient.AuthMethod{sshclient.PublicKeysFunc(func(ctx context.Context) ([]keys.Signer, error) {
		return a.findKeys(ctx, named, o, p), nil
	})}
	if !p.batch && o.passwordPrompts > 0 {
		methods = append(methods, p.interactive(d, o.passwordPrompts))
		methods = append(methods, sshclient.Password(func(ctx context.Context, prompt string) (string, error) {
			if prompt == "" {
				prompt = fmt.Sprintf("Password of %s on %s: ", d.user, d.host)
			}
			return p.secret(ctx, prompt)
		}))
	}
	return methods, nil
}

func (a *app) findKeys(ctx context.Context, named []keys.Signer, o *sshOptions, p *prompter) []keys.Signer {
	found := slices.Clone(named)
	add := func(s keys.Signer) {
		if !slices.ContainsFunc(found, func(k keys.Signer) bool { return keys.Equal(k.PublicKey(), s.PublicKey()) }) {
			found = append(found, s)
		}
	}
	if !o.identitiesOnly {
		for _, s := range a.agentKeys(ctx) {
			add(s)
		}
	}
	if len(o.identities) > 0 {
		return found
	}
	dir, err := a.sshDir()
	if err != nil {
		return found
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		s, err := loadIdentity(filepath.Join(dir, name), p)
		if err != nil {
			a.debugf("identity %s: %v", name, err)
			continue
		}
		add(s)
	}
	return found
}

// agentKeys lists the agent's keys. The connection to it lives as long as the
// process: it signs later.
func (a *app) agentKeys(ctx context.Context) []keys.Signer {
	client, err := agent.System(ctx)
	if err != nil {
		if !errors.Is(err, agent.ErrNoAgent) {
			a.debugf("agent: %v", err)
		}
		return nil
	}
	signers, err := client.Signers(ctx)
	if err != nil {
		a.infof("wirelark: warning: the agent does not answer: %v", err)
	}
	return signers
}

// loadIdentity loads a private key. One that needs a passphrase is loaded only
// when the server has said that it would take it.
func loadIdentity(path string, p *prompter) (keys.Signer, error) {
	s, err := keys.Load(path, nil)
	var locked *keys.PassphraseError
	if !errors.As(err, &locked) {
		return s, err
	}
	public := locked.Public
	if public == nil {
		if public, _, err = keys.LoadPublic(path + ".pub"); err != nil {
			return keys.Load(path, p.passphrase(context.Background(), path))
		}
	}
	return &lockedKey{path: path, public: public, prompter: p}, nil
}

func (p *prompter) passphrase(ctx context.Context, path string) func() ([]byte, error) {
	return func() ([]byte, error) {
		s, err := p.secret(ctx, fmt.Sprintf("Passphrase of the key %s: ", path))
		return []byte(s), err
	}
}
