package join

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/ssh/agent"
	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// Unattended logs in to hosts as ssh(1) does for this user, without asking
// anybody: with the user's and the machine's ssh_config, known_hosts, the agent,
// and private keys without passphrase. hosts are [user@]host[:port], the
// nearest first, and each is reached through the one before.
//
// The key of a host must be known, unless StrictHostKeyChecking is accept-new
// or no. A ProxyCommand, a "Match exec", and settings that must not be ignored
// are errors: nothing of this machine is run.
func Unattended(ctx context.Context, hosts []string) (*sshclient.Client, error) {
	s, err := config.System()
	if err != nil {
		return nil, err
	}
	return unattended(ctx, s, hosts, nil)
}

// unattended is Unattended with another source, and another way to the first
// host; nil: TCP.
func unattended(ctx context.Context, s *config.Source, hosts []string, dial func(context.Context, string, string) (net.Conn, error)) (*sshclient.Client, error) {
	jumps, err := config.ParseJumps(strings.Join(hosts, ","))
	if err != nil {
		return nil, err
	}
	list, err := WayThrough(ctx, s, jumps, config.Query{})
	if err != nil {
		return nil, err
	}
	var agents []*agent.Client
	defer func() {
		for _, a := range agents {
			_ = a.Close() // it has signed
		}
	}()
	hops := make([]Hop, len(list))
	for i, c := range list {
		cfg, err := clientConfig(c, &agents)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Host, err)
		}
		if i == 0 {
			cfg.Dial = dial
			if dial == nil {
				cfg.Dial = direct(c)
			}
		}
		hops[i] = Hop{Addr: HostAddr(c), HostKeyName: HostKeyName(c), Config: cfg}
	}
	return Jump(ctx, hops)
}

func direct(c *config.Config) func(context.Context, string, string) (net.Conn, error) {
	network := map[string]string{"any": "tcp", "inet": "tcp4", "inet6": "tcp6"}[c.AddressFamily]
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		return (&net.Dialer{Timeout: c.ConnectTimeout}).DialContext(ctx, network, addr)
	}
}

// clientConfig is how to log in to one host. The agents that it asks are added to
// agents, to be closed after the login.
func clientConfig(c *config.Config, agents *[]*agent.Client) (*sshclient.Config, error) {
	switch {
	case c.RefuseConnection != "":
		return nil, errors.New(c.RefuseConnection)
	case c.ProxyCommand != "":
		return nil, errors.New("ProxyCommand is not run here")
	case c.BindAddress != "":
		return nil, errors.New("BindAddress is not supported here")
	}
	for _, s := range c.Others {
		if s.Unsafe != "" {
			return nil, fmt.Errorf("%s:%d: %s is not supported: %s", s.File, s.Line, s.Name, s.Unsafe)
		}
	}
	cfg := &sshclient.Config{
		User: c.User, PreferredAuthentications: c.PreferredAuthentications,
		KeepAlive: sshclient.KeepAlive{Interval: c.ServerAliveInterval, CountMax: c.ServerAliveCountMax},
	}
	cfg.Transport.Rekey.Bytes, cfg.Transport.Rekey.Interval = c.RekeyBytes, c.RekeyInterval
	cfg.Transport.HandshakeTimeout = c.ConnectTimeout
	var err error
	if cfg.Transport.Algorithms, cfg.SignatureAlgorithms, _, err = Algorithms(c); err != nil {
		return nil, err
	}
	store, err := knownhosts.Load(slices.Concat(c.UserKnownHostsFiles, c.GlobalKnownHostsFiles)...)
	if err != nil {
		return nil, err
	}
	checker := &knownhosts.Checker{Store: store, Hash: c.HashKnownHosts}
	if len(c.UserKnownHostsFiles) > 0 {
		checker.Save = c.UserKnownHostsFiles[0]
	}
	switch c.StrictHostKeyChecking {
	case "accept-new":
		checker.Policy = knownhosts.AcceptNew
	case "no":
		checker.Policy = knownhosts.Off
	}
	cfg.HostKeys = &HostKeys{Checker: checker, Config: c}
	if c.PubkeyAuthentication {
		cfg.Auth = []sshclient.AuthMethod{sshclient.PublicKeysFunc(func(ctx context.Context) ([]keys.Signer, error) {
			return signers(ctx, c, agents), nil
		})}
	}
	return cfg, nil
}

// signers are the keys that can sign without a question.
func signers(ctx context.Context, c *config.Config, agents *[]*agent.Client) []keys.Signer {
	var inAgent, files, list []keys.Signer
	if client, err := dialAgent(ctx, c.IdentityAgent); err == nil {
		*agents = append(*agents, client)
		if inAgent, err = client.Signers(ctx); err != nil {
			inAgent = nil
		}
	}
	for _, path := range c.IdentityFiles {
		if s, err := keys.Load(path, nil); err == nil {
			files = append(append(files, Certified(c, path, s)...), s)
			continue
		}
		public, _, err := keys.LoadPublic(path + ".pub")
		if err != nil {
			public, _, err = keys.LoadPublic(path)
		}
		i := slices.IndexFunc(inAgent, func(s keys.Signer) bool { return err == nil && keys.Equal(s.PublicKey(), public) })
		if i >= 0 {
			files = append(append(files, Certified(c, path, inAgent[i])...), inAgent[i])
		}
	}
	if !c.IdentitiesOnly {
		for _, s := range inAgent {
			files = append(append(files, Certified(c, "", s)...), s)
		}
	}
	for _, s := range files {
		if !TooShort(c, s.PublicKey()) && !slices.ContainsFunc(list, func(k keys.Signer) bool { return keys.Equal(k.PublicKey(), s.PublicKey()) }) {
			list = append(list, s)
		}
	}
	return list
}

func dialAgent(ctx context.Context, path string) (*agent.Client, error) {
	switch path {
	case "none":
		return nil, agent.ErrNoAgent
	case "":
		return agent.System(ctx)
	}
	return agent.Dial(ctx, path)
}
