package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// connect logs in to d, through the hosts that the flags and the configuration
// put in between. The context covers all of it; closing the client closes the
// connections to all hosts.
func (a *app) connect(ctx context.Context, cmd *cobra.Command, d dest, f *sshFlags, s *seeing) (*sshclient.Client, error) {
	r, err := a.route(ctx, cmd, d, f)
	if err != nil {
		return nil, err
	}
	return a.dial(ctx, r, f, s)
}

// clientConfig is how to log in to one host. The first given keys are named on
// the command line.
func (a *app) clientConfig(c *config.Config, given int, s *seeing) (*sshclient.Config, error) {
	cfg := &sshclient.Config{
		User: c.User, PreferredAuthentications: c.PreferredAuthentications, PasswordPrompts: c.NumberOfPasswordPrompts,
		KeepAlive: sshclient.KeepAlive{Interval: c.ServerAliveInterval, CountMax: c.ServerAliveCountMax},
	}
	cfg.Transport.Version = "Wirelark_" + strings.ReplaceAll(Version, "-", "_")
	cfg.Transport.Trace, cfg.Transport.KeyLog = s.tracer, s.keyLog
	cfg.Transport.Rekey.Bytes, cfg.Transport.Rekey.Interval = c.RekeyBytes, c.RekeyInterval
	cfg.Transport.HandshakeTimeout = c.ConnectTimeout
	if a.verbose > 0 {
		cfg.Transport.Logger = slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var err error
	if cfg.Transport.Algorithms, cfg.SignatureAlgorithms, _, err = join.Algorithms(c); err != nil {
		return nil, err
	}
	p := &prompter{app: a, batch: c.BatchMode}
	if cfg.HostKeys, err = a.hostKeys(c, p); err != nil {
		return nil, err
	}
	if cfg.Auth, err = a.authMethods(c, given, p); err != nil {
		return nil, err
	}
	cfg.Banner = func(text string) {
		if a.quiet || c.LogLevel == "QUIET" || c.LogLevel == "FATAL" || c.LogLevel == "ERROR" {
			return
		}
		for line := range strings.Lines(text) {
			fmt.Fprintln(a.Stderr, harmless(strings.TrimRight(line, "\r\n")))
		}
	}
	return cfg, nil
}

// hostKeys returns the checker for the policy that StrictHostKeyChecking asks
// for.
func (a *app) hostKeys(c *config.Config, p *prompter) (sshclient.HostKeyChecker, error) {
	store, err := knownhosts.Load(slices.Concat(c.UserKnownHostsFiles, c.GlobalKnownHostsFiles)...)
	if err != nil {
		return nil, err
	}
	for _, n := range store.Notes() {
		a.debugf("%s", n)
	}
	k := &knownhosts.Checker{Store: store, Hash: c.HashKnownHosts, Warn: func(err error) { a.infof("wirelark: warning: %v", err) }}
	if len(c.UserKnownHostsFiles) > 0 {
		k.Save = c.UserKnownHostsFiles[0]
	}
	switch c.StrictHostKeyChecking {
	case "yes":
		k.Policy = knownhosts.Strict
	case "accept-new":
		k.Policy = knownhosts.AcceptNew
	case "no":
		k.Policy = knownhosts.Off
	default:
		k.Policy = knownhosts.Ask
		k.Ask = a.askHostKey(p)
	}
	return &join.HostKeys{Checker: k, Config: c}, nil
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
