package options

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// ParseDSN reads a data source name as github.com/go-sql-driver/mysql 1.10.1
// does:
//
//	[user[:password]@][network[(address)]]/database[?name=value[&name=value]...]
//
// User, password and address are taken as they are; the last slash ends them,
// and the last @ before it ends the password, so that both may be in it. The
// database is unescaped as part of a path, values as part of a query. A name
// that is no parameter is a session variable and its value an SQL expression:
// sql_mode=%27ANSI%27.
//
// What the original has in its registries keeps its name: TLS.Name,
// Auth.ServerKeyName and Network. Parameters with a dash, ssh, timezone and
// allowPublicKeyRetrieval are ours and mean what they mean in [ParseURL].
//
// Errors are *[SyntaxError] and *[ValueError]; none shows the password.
func ParseDSN(dsn string) (*Config, error) {
	c := &Config{}
	if dsn != "" {
		slash := strings.LastIndexByte(dsn, '/')
		if slash < 0 {
			return nil, dsnError("a slash before the name of the database is missing")
		}
		if err := c.setServer(dsn[:slash]); err != nil {
			return nil, err
		}
		database, query, _ := strings.Cut(dsn[slash+1:], "?")
		if err := c.setQuery(query, true); err != nil {
			return nil, err
		}
		var err error
		if c.Database, err = url.PathUnescape(database); err != nil {
			return nil, &ValueError{Name: "database", Value: database, Err: err}
		}
	}
	c.Network, c.Address = c.Target()
	if c.Address == "" {
		return nil, dsnError("the network " + c.Network + " has no address that it could be at")
	}
	return c.checked()
}

func dsnError(msg string) error { return &SyntaxError{What: "data source name", Msg: msg} }

func (c *Config) checked() (*Config, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// setServer reads [user[:password]@][network[(address)]].
func (c *Config) setServer(s string) error {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		user, password, found := strings.Cut(s[:at], ":")
		c.User = user
		if found {
			c.SetPassword(1, password)
		}
		s = s[at+1:]
	}
	network, address, found := strings.Cut(s, "(")
	if found {
		inner, closed := strings.CutSuffix(address, ")")
		switch {
		case !closed && strings.Contains(address, ")"):
			return dsnError("something follows the address: a slash in a value is written %2F")
		case !closed:
			return dsnError("the address has no closing parenthesis")
		}
		c.Address = inner
	}
	c.Network = network
	return nil
}

// setQuery reads name=value&name=value. In a data source name some values are
// not escaped and pieces without = say nothing.
func (c *Config) setQuery(query string, dsn bool) error {
	for piece := range strings.SplitSeq(query, "&") {
		name, value, found := strings.Cut(piece, "=")
		if !found {
			if dsn || piece == "" {
				continue
			}
			return &ValueError{Name: "parameter", Value: piece, Err: errors.New("it has no value")}
		}
		p := findParam(name)
		if !dsn || p == nil || !p.raw {
			var err error
			if value, err = unescape(name, value); err != nil {
				return err
			}
		}
		if err := setParam(c, name, value); err != nil {
			return err
		}
	}
	return nil
}

// FormatDSN returns the data source name that [ParseDSN] reads as c, as far as
// there are parameters for what c says: it has no second password, no
// InitCommands, and of user and password only what can be written (see
// ParseDSN). It contains the password. What the original can say comes out as
// the original writes it.
func (c *Config) FormatDSN() string {
	var b strings.Builder
	if c.User != "" {
		b.WriteString(c.User)
		if p := c.Password(); p != "" {
			b.WriteString(":" + p)
		}
		b.WriteByte('@')
	}
	switch network := c.Network; {
	case c.Address != "":
		if network == "" {
			network = "tcp"
		}
		b.WriteString(network + "(" + c.Address + ")")
	case network != "tcp":
		b.WriteString(network)
	}
	b.WriteByte('/')
	b.WriteString(url.PathEscape(c.Database))
	b.WriteString(c.formatQuery())
	return b.String()
}

// formatQuery returns the parameters with their question mark.
func (c *Config) formatQuery() string {
	var b strings.Builder
	add := func(name, value string) {
		if b.Len() == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + value)
	}
	for _, p := range params {
		if p.get == nil {
			continue
		}
		if v, ok := p.get(c); ok {
			if !p.raw {
				v = url.QueryEscape(v)
			}
			add(p.name, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Vars)) {
		add(name, url.QueryEscape(c.Vars[name]))
	}
	return b.String()
}
