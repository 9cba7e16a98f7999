package mysqlclient

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/options"
)

// login sends the handshake response and goes through the server's questions.
func (c *Conn) login(ctx context.Context, hello *mysql.HandshakeV10) error {
	e, err := c.exchangeFor(ctx, c.cfg, hello.AuthPlugin, hello.AuthData)
	if err != nil {
		return err
	}
	plugin, proof, err := e.First()
	if err != nil {
		return err
	}
	response := &mysql.HandshakeResponse41{
		Capabilities: c.server.Capabilities, MaxPacket: maxPacket, Collation: c.collation(), User: c.cfg.User,
		AuthResponse: proof, Database: c.cfg.Database, AuthPlugin: plugin,
		Attributes: c.attributes(), ZstdLevel: uint8(c.cfg.ZstdLevel),
	}
	if err := c.pc.Append(response); err != nil {
		return err
	}
	if err := c.pc.Flush(); err != nil {
		return err
	}
	if err := c.authenticate(e); err != nil {
		return err
	}
	c.setSchema(c.cfg.Database)
	return nil
}

// exchangeFor begins the client's half of a login.
func (c *Conn) exchangeFor(ctx context.Context, cfg *Config, plugin string, nonce []byte) (*auth.Exchange, error) {
	passwords := cfg.Passwords
	if cfg.Password != nil {
		var err error
		if passwords, err = cfg.Password(ctx); err != nil {
			return nil, err
		}
	}
	a := &auth.Config{
		Passwords: passwords, Plugins: cfg.Plugins, TLS: c.server.TLS, Local: c.local(), Proof: c.unproven != nil,
		ServerKey: cfg.ServerKey, AllowKeyRetrieval: cfg.AllowKeyRetrieval,
	}
	if cfg.Answer != nil {
		a.Answer = func(prompt string, echo bool) (string, error) { return cfg.Answer(ctx, prompt, echo) }
	}
	return auth.NewExchange(a, plugin, nonce), nil
}

// authenticate answers what the server asks until it lets us in or does not.
// The number of rounds is bounded by the exchange.
func (c *Conn) authenticate(e *auth.Exchange) error {
	for {
		p, err := c.pc.ReadPacket()
		if err != nil {
			return err
		}
		reply, done, err := c.question(e, p)
		if err != nil || done {
			return err
		}
		if reply == nil {
			continue
		}
		if err := c.pc.Append(&mysql.AuthResponse{Data: reply}); err != nil {
			return err
		}
		if err := c.pc.Flush(); err != nil {
			return err
		}
	}
}

// question takes one packet of the server's and returns the answer to it; nil:
// none is due.
func (c *Conn) question(e *auth.Exchange, p []byte) (reply []byte, done bool, err error) {
	if len(p) == 0 {
		reply, err = e.More(nil)
		return reply, false, err
	}
	switch p[0] {
	case mysql.HeaderOK:
		var ok mysql.OK
		if err := c.parse(p, &ok); err != nil {
			return nil, false, err
		}
		if err := e.OK(ok.Info); err != nil {
			return nil, false, err
		}
		c.noteOK(&ok)
		return nil, true, nil
	case mysql.HeaderERR:
		err := c.serverError(p)
		if c.unproven != nil {
			return nil, false, fmt.Errorf("%w (and its certificate is not trusted: %w)", err, c.unproven)
		}
		return nil, false, err
	case mysql.HeaderEOF:
		var m mysql.AuthSwitchRequest
		if err := c.parse(p, &m); err != nil {
			return nil, false, err
		}
		plugin := m.Plugin
		if m.Old {
			plugin = auth.Old
		}
		reply, err = e.Switch(plugin, m.Data)
	case mysql.HeaderNextFactor:
		var m mysql.AuthNextFactor
		if err := c.parse(p, &m); err != nil {
			return nil, false, err
		}
		reply, err = e.NextFactor(m.Plugin, m.Data)
	case mysql.HeaderMoreData:
		var m mysql.AuthMoreData
		if err := c.parse(p, &m); err != nil {
			return nil, false, err
		}
		reply, err = e.More(m.Data)
	default: // dialog and parsec send their data bare
		var m mysql.AuthPluginData
		if err := c.parse(p, &m); err != nil {
			return nil, false, err
		}
		reply, err = e.More(m.Data)
	}
	return reply, false, err
}

// clientName is what we tell the server about ourselves.
const clientName = "wirelark"

// attributes returns the connection attributes, sorted.
func (c *Conn) attributes() []mysql.Attribute {
	all := map[string]string{"_client_name": clientName, "_os": runtime.GOOS, "_platform": runtime.GOARCH}
	for name, value := range c.cfg.Attributes {
		all[name] = value
	}
	list := make([]mysql.Attribute, 0, len(all))
	for name, value := range all {
		list = append(list, mysql.Attribute{Name: name, Value: value})
	}
	slices.SortFunc(list, func(a, b mysql.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// ChangeUser logs in anew as another user, on the same connection, and leaves a
// session as after [Connect]. Of cfg only the user, the passwords, the database
// and what belongs to the login count; nil: those of the connection again. A
// server that refuses ends the connection.
func (c *Conn) ChangeUser(ctx context.Context, cfg *Config) error {
	if err := c.begin(ctx, "a change of user", ""); err != nil {
		return err
	}
	if cfg == nil {
		cfg = c.cfg
	}
	if err := c.changeUser(ctx, cfg); err != nil {
		return c.fail(err)
	}
	changed := *c.cfg
	changed.User, changed.Database = cfg.User, cfg.Database
	changed.Passwords, changed.Password = slices.Clone(cfg.Passwords), cfg.Password
	c.cfg = &changed
	c.forget()
	c.setSchema(cfg.Database)
	c.clean()
	return c.done(c.setup(c.setupSQL()))
}

func (c *Conn) changeUser(ctx context.Context, cfg *Config) error {
	// The greeting's nonce is used up. An empty answer makes the server send a
	// new one with a switch.
	m := &mysql.ChangeUser{
		User: cfg.User, Database: cfg.Database, Collation: uint16(c.collation()),
		AuthPlugin: c.plugin, Attributes: c.attributes(),
	}
	e, err := c.exchangeFor(ctx, cfg, c.plugin, nil)
	if err != nil {
		return err
	}
	if err := c.put(m); err != nil {
		return err
	}
	if err := c.flush(); err != nil {
		return err
	}
	return c.authenticate(e)
}

// pluginsOf returns the authentication methods that o allows; nil: the usual
// ones.
func pluginsOf(o *options.Auth) []string {
	if !o.Cleartext && !o.DenyNative {
		return nil
	}
	list := []string{auth.CachingSHA2, auth.SHA256, auth.Ed25519, auth.Parsec, auth.Dialog}
	if !o.DenyNative {
		list = append(list, auth.Native)
	}
	if o.Cleartext {
		list = append(list, auth.Clear)
	}
	return list
}
