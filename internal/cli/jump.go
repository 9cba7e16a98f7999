package cli

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// A route is the chain of hosts that ends at a destination, which is the last.
type route []*config.Config

func (r route) last() *config.Config { return r[len(r)-1] }

func (r route) String() string {
	names := make([]string, len(r))
	for i, c := range r {
		names[i] = fmt.Sprintf("%s@%s", c.User, join.HostAddr(c))
	}
	return strings.Join(names, ", then ")
}

// route finds the way to d. What the flags say is for d alone, as with ssh(1):
// the hosts on the way have what the configuration says about them.
func (a *app) route(ctx context.Context, cmd *cobra.Command, d dest, f *sshFlags) (route, error) {
	if err := f.check(cmd); err != nil {
		return nil, err
	}
	s, err := a.sshSource(f.config)
	if err != nil {
		return nil, err
	}
	c, err := s.Load(ctx, f.query(d))
	if err != nil {
		return nil, err
	}
	r, err := join.Way(ctx, s, c)
	if err != nil {
		return nil, err
	}
	return r, a.refuseOptions(cmd, r)
}

// dial connects to all hosts of a route, each through the one before, and
// returns the connection to the last. Closing it closes all of them. ctx covers
// everything until then.
func (a *app) dial(ctx context.Context, r route, f *sshFlags, s *seeing) (*sshclient.Client, error) {
	hops := make([]join.Hop, len(r))
	for i, c := range r {
		given := 0 // how many of the keys were named on the command line
		if i == len(r)-1 {
			given = len(f.identities)
		}
		cfg, err := a.clientConfig(c, given, s)
		if err != nil {
			return nil, err
		}
		hops[i] = join.Hop{Addr: join.HostAddr(c), HostKeyName: join.HostKeyName(c), Config: cfg}
		if i == 0 {
			cfg.Dial = a.dialer(c)
		}
	}
	if len(r) > 1 {
		a.debugf("connecting to %s", r)
	}
	return join.Jump(ctx, hops)
}

// dialer connects to the first host of a route: over TCP, or through the
// program of ProxyCommand.
func (a *app) dialer(c *config.Config) func(context.Context, string, string) (net.Conn, error) {
	if c.ProxyCommand != "" {
		return func(ctx context.Context, _, addr string) (net.Conn, error) {
			a.debugf("connecting to %s as %q through: %s", addr, c.User, c.ProxyCommand)
			return a.startProxy(ctx, c.ProxyCommand, addr)
		}
	}
	network := map[string]string{"inet": "tcp4", "inet6": "tcp6"}[c.AddressFamily]
	if network == "" {
		network = "tcp"
	}
	return func(ctx context.Context, _, addr string) (net.Conn, error) {
		d := &net.Dialer{Timeout: c.ConnectTimeout}
		if c.BindAddress != "" {
			local, err := net.ResolveTCPAddr(network, net.JoinHostPort(c.BindAddress, "0"))
			if err != nil {
				return nil, fmt.Errorf("BindAddress: %w", err)
			}
			d.LocalAddr = local
		}
		for attempt := 1; ; attempt++ {
			a.debugf("connecting to %s as %q", addr, c.User)
			nc, err := d.DialContext(ctx, network, addr)
			if err == nil || attempt >= c.ConnectionAttempts {
				return nc, err
			}
			a.debugf("%v", err)
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(time.Second): // as ssh(1)
			}
		}
	}
}

// jumpFlags are the flags of a command that reaches its server through SSH
// hosts and is no SSH command itself, with letters of its own.
type jumpFlags struct{ sshFlags }

// register adds -J and long flags for what ssh has letters for.
func (f *jumpFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.jump, "jump", "J", "", "reach the server through these SSH `HOSTS`, [USER@]HOST[:PORT] with commas between, the nearest first")
	flags.StringArrayVar(&f.identities, "ssh-identity", nil, "private key `FILE` for them; may be repeated")
	flags.StringArrayVar(&f.options, "ssh-option", nil, "`NAME=VALUE` as in ssh_config(5) for them; may be repeated")
	flags.StringVar(&f.config, "ssh-config", "", "read this ssh_config `FILE` instead of the user's and the system's; none: no file")
}

// connect logs in to the hosts, which are a list as -J takes it, and returns
// the connection to the last one. The flags are for all of them. Closing it
// closes all of them.
func (f *jumpFlags) connect(ctx context.Context, cmd *cobra.Command, a *app, hosts string, s *seeing) (*sshclient.Client, error) {
	jumps, err := config.ParseJumps(hosts)
	if err == nil && len(jumps) == 0 {
		err = fmt.Errorf("%q names no host", hosts)
	}
	if err != nil {
		return nil, usagef(cmd, "-J: %v", err)
	}
	source, err := a.sshSource(f.config)
	if err != nil {
		return nil, err
	}
	r, err := join.WayThrough(ctx, source, jumps, config.Query{Options: f.options, IdentityFiles: f.identities})
	if err == nil {
		err = a.refuseOptions(cmd, r)
	}
	if err != nil {
		return nil, err
	}
	return a.dial(ctx, r, &f.sshFlags, s)
}
