package mysqlclient

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/mysql/transport"
	"github.com/wirelark/wirelark/trace"
)

// Connect makes a connection and logs in. ctx and cfg.HandshakeTimeout bound all
// of it; afterwards ctx has no effect on the connection. A failure is a
// [*ConnError] that says how far it came, with a [*ServerError] in it where the
// server refused.
func Connect(ctx context.Context, cfg *Config) (*Conn, error) {
	c := &Conn{cfg: cfg.withDefaults()}
	c.cache = newCache(c.cfg.StatementCache)
	if t := c.cfg.HandshakeTimeout; t > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, t, fmt.Errorf("no login within %v: %w", t, os.ErrDeadlineExceeded))
		defer stop()
	}
	var phase Phase
	if err := c.connect(ctx, &phase); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		e := &ConnError{Phase: phase, Address: c.cfg.Address, Err: err}
		if c.line != nil {
			c.line.HangUp(e)
		}
		return nil, e
	}
	c.end()
	return c, nil
}

// connect makes the stream, logs in and sets the session up.
func (c *Conn) connect(ctx context.Context, phase *Phase) error {
	*phase = PhaseDial
	var err error
	if c.zone, err = options.ZoneName(c.cfg.TimeZone); err != nil {
		return err
	}
	if c.raw, err = c.cfg.Dial(ctx, c.cfg.Network, c.cfg.Address); err != nil {
		return err
	}
	c.openTrace()
	c.pc = packet.New(transport.Patient(c.raw, c.cfg.ReadTimeout, c.cfg.WriteTimeout), &packet.Config{Role: trace.Client, Trace: c.trace})
	c.line = transport.NewLine(c.pc, transport.LineConfig{Address: c.cfg.Address, Trace: c.trace, Commits: c.commits, Kill: c.killCancelled})
	// Cuts the stream when ctx ends; ends at once.
	stop := context.AfterFunc(ctx, func() { c.pc.Cut(context.Cause(ctx)) })
	defer stop()

	login, err := c.login(ctx, c.cfg)
	if err != nil {
		return err
	}
	c.half = transport.NewClientHalf(c.pc, login)
	var step transport.Step
	ok, err := c.half.Enter(ctx, &step)
	*phase = PhaseGreeting + Phase(step)
	if err != nil {
		return err
	}
	c.server, c.dialect = c.half.Server, c.pc.Dialect()
	c.begun(ok)
	c.pc.SetLimit(int64(c.cfg.MaxPacket))
	*phase = PhaseSetup
	return c.setup(c.setupSQL())
}

// begun notes what a login agreed on.
func (c *Conn) begun(ok *mysql.OK) {
	c.line.Born()
	c.mu.Lock()
	c.multi = c.server.Capabilities.Has(mysql.ClientMultiStatements)
	c.names = lexer.Config{Version: lexer.VersionNumber(c.server.Version), MariaDB: c.server.MariaDB}
	c.state = State{Schema: c.cfg.Database}
	c.mu.Unlock()
	c.noteOK(ok)
}

func (c *Conn) openTrace() {
	if c.cfg.Trace == nil {
		return
	}
	var info trace.Info
	if c.cfg.TraceInfo != nil {
		info = c.cfg.TraceInfo(c.raw)
	}
	info.Proto, info.Role = mysql.Messages.Proto(), trace.Client
	if info.Parent == nil {
		info.Local, info.Remote = c.raw.LocalAddr(), c.raw.RemoteAddr()
	}
	c.trace = transport.Guard(c.cfg.Trace.Open(info))
}

// login returns how cfg wants to log in on this connection.
func (c *Conn) login(ctx context.Context, cfg *Config) (*transport.ClientConfig, error) {
	login := &transport.ClientConfig{
		User: cfg.User, Database: cfg.Database, Passwords: cfg.Passwords,
		TLSMode: cfg.TLSMode, TLS: cfg.TLS, Host: c.host(), Local: c.local(),
		Plugins: cfg.Plugins, ServerKey: cfg.ServerKey, AllowKeyRetrieval: cfg.AllowKeyRetrieval,
		Compression: cfg.Compression, ZstdLevel: cfg.ZstdLevel, Capabilities: cfg.capabilities(),
		Attributes: map[string]string{"_os": runtime.GOOS, "_platform": runtime.GOARCH},
	}
	maps.Copy(login.Attributes, cfg.Attributes)
	if cfg.Answer != nil {
		login.Answer = func(prompt string, echo bool) (string, error) { return cfg.Answer(ctx, prompt, echo) }
	}
	var err error
	if cfg.Password != nil {
		login.Passwords, err = cfg.Password(ctx)
	}
	return login, err
}

// capabilities returns what the configuration asks for.
func (c *Config) capabilities() (want mysql.Capabilities) {
	for flag, on := range map[mysql.Capabilities]bool{
		mysql.ClientFoundRows:                 c.FoundRows,
		mysql.ClientLocalFiles:                c.LocalInfile,
		mysql.ClientIgnoreSpace:               c.IgnoreSpace,
		mysql.ClientInteractive:               c.Interactive,
		mysql.ClientMultiStatements:           c.MultiStatements,
		mysql.ClientCanHandleExpiredPasswords: c.ExpiredPassword,
		mysql.ClientQueryAttributes:           c.QueryAttributes != nil,
	} {
		if on {
			want |= flag
		}
	}
	return want
}

// local reports whether the stream does not leave this machine, as far as can be
// known: a unix socket, or a pipe within the process. A socket behind an SSH
// server counts as well: SSH protects the way to it.
func (c *Conn) local() bool {
	for _, network := range []string{c.cfg.Network, c.raw.RemoteAddr().Network()} {
		if network == "unix" || network == "pipe" {
			return true
		}
	}
	return false
}

func (c *Conn) host() string {
	if host, _, err := net.SplitHostPort(c.cfg.Address); err == nil {
		return host
	}
	return "localhost"
}

// ChangeUser logs in anew as another user, on the same connection, and leaves a
// session as after [Connect]. Of cfg only the user, the passwords, the database
// and what belongs to the login count; nil: those of the connection again. A
// server that refuses ends the connection.
func (c *Conn) ChangeUser(ctx context.Context, cfg *Config) error {
	if err := c.line.Begin(ctx, "a change of user", ""); err != nil {
		return err
	}
	if cfg == nil {
		cfg = c.cfg
	}
	if err := c.changeUser(ctx, cfg); err != nil {
		return c.fail(err)
	}
	return c.done(c.setup(c.setupSQL()))
}

func (c *Conn) changeUser(ctx context.Context, cfg *Config) error {
	login, err := c.login(ctx, cfg)
	if err != nil {
		return err
	}
	c.line.Wrote(1) // what comes now cannot be said twice
	ok, err := c.half.ChangeUser(login)
	if err != nil {
		return err
	}
	changed := *c.cfg
	changed.User, changed.Database = cfg.User, cfg.Database
	changed.Passwords, changed.Password = slices.Clone(cfg.Passwords), cfg.Password
	c.mu.Lock()
	c.cfg = &changed
	c.mu.Unlock()
	c.forget()
	c.begun(ok)
	return nil
}
