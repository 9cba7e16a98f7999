package options

import (
	"net"
	"net/url"
	"strings"
)

// ParseURL reads a URL:
//
//	mysql://[user[:password]@]host[:port]/[database][?name=value[&name=value]...]
//	mysql://[user[:password]@](/path/of/socket)/[database]...
//	mysql+ssh://[user@]bastion[:port][,[user@]bastion2[:port]...]/[user[:password]@]host[:port]/[database]...
//
// In mysql+ssh the hosts to go through come first, and behind the slash
// everything as without them; it is the same as the parameter ssh. mariadb
// works like mysql. User, password, host, database and values are unescaped
// (%40 is @, %2F is /); a host that then begins with a slash is a socket.
//
// The parameters are those of MySQL's URIs (ssl-mode, ssl-ca, ssl-cert, ssl-key,
// tls-version, compression, connect-timeout in seconds, auth-method,
// get-server-public-key, server-public-key-path, connection-attributes, socket),
// ours (ssh, timezone, reset-policy, local-infile), and those of [ParseDSN].
// Other names are session variables, unless there is a dash in them.
//
// Errors are *[SyntaxError] and *[ValueError]; none shows the password.
func ParseURL(s string) (*Config, error) {
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		return nil, urlError("it does not begin with mysql:// or mysql+ssh://")
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	c := &Config{}
	switch strings.ToLower(scheme) {
	case "mysql", "mariadb":
	case "mysql+ssh", "mariadb+ssh":
		hops, inner, found := strings.Cut(rest, "/")
		if !found {
			return nil, urlError("behind the hosts to go through there is no server: mysql+ssh://bastion/user@host/database")
		}
		hops, err := unescapePath("ssh", hops)
		if err != nil {
			return nil, err
		}
		if err := setSSH(c, hops); err != nil {
			return nil, err
		}
		rest = inner
	default:
		return nil, urlError("the scheme is neither mysql nor mysql+ssh")
	}
	if err := c.setAuthority(rest); err != nil {
		return nil, err
	}
	if err := c.setQuery(query, false); err != nil {
		return nil, err
	}
	c.Network, c.Address = c.Target()
	return c.checked()
}

// IsURL reports whether s is meant for ParseURL and not for ParseDSN.
func IsURL(s string) bool {
	scheme, _, found := strings.Cut(s, "://")
	scheme = strings.TrimSuffix(strings.ToLower(scheme), "+ssh")
	return found && (scheme == "mysql" || scheme == "mariadb")
}

// Parse reads a URL or a data source name, whichever it is.
func Parse(s string) (*Config, error) {
	if IsURL(s) {
		return ParseURL(s)
	}
	return ParseDSN(s)
}

func urlError(msg string) error { return &SyntaxError{What: "URL", Msg: msg} }

func unescapePath(name, s string) (string, error) {
	v, err := url.PathUnescape(s)
	if err != nil {
		return "", &ValueError{Name: name, Value: s, Err: err}
	}
	return v, nil
}

// setAuthority reads [user[:password]@]host[:port]/[database].
func (c *Config) setAuthority(s string) error {
	var server, database, socket string
	if i := strings.Index(s, "("); i == 0 || i > 0 && s[i-1] == '@' {
		end := strings.IndexByte(s[i:], ')')
		if end < 0 {
			return urlError("the path of the socket has no closing parenthesis")
		}
		socket, server = s[i+1:i+end], s[:i]
		var ok bool
		if database, ok = strings.CutPrefix(s[i+end+1:], "/"); !ok && s[i+end+1:] != "" {
			return urlError("something follows the path of the socket")
		}
	} else {
		server, database, _ = strings.Cut(s, "/")
	}
	if at := strings.LastIndexByte(server, '@'); at >= 0 {
		if err := c.setUser(server[:at]); err != nil {
			return err
		}
		server = server[at+1:]
	}
	var err error
	if c.Database, err = unescapePath("database", database); err != nil {
		return err
	}
	if socket == "" {
		socket, err = unescapePath("host", server)
		if err != nil {
			return err
		}
	}
	if strings.HasPrefix(socket, "/") {
		c.Network, c.Address = "unix", socket
		return nil
	}
	return c.setHost(socket)
}

// setUser reads user[:password].
func (c *Config) setUser(s string) error {
	user, password, found := strings.Cut(s, ":")
	var err error
	if c.User, err = unescapePath("user", user); err != nil {
		return err
	}
	if found {
		if password, err = url.PathUnescape(password); err != nil {
			return urlError("the password is not escaped: % is written %25")
		}
		c.SetPassword(1, password)
	}
	return nil
}

// setHost reads host[:port].
func (c *Config) setHost(s string) error {
	if s == "" {
		return nil
	}
	c.Network, c.Address = "tcp", s
	host, port, err := net.SplitHostPort(withPort(s))
	if err != nil || strings.ContainsAny(host, " @/?#[]\x00") || !isPort(port) {
		return &ValueError{Name: "host", Value: s, Want: "host or host:port, or [address]:port"}
	}
	return nil
}

func isPort(s string) bool {
	n := 0
	for _, d := range []byte(s) {
		if d < '0' || d > '9' || n > 65535 {
			return false
		}
		n = 10*n + int(d-'0')
	}
	return n > 0 && n <= 65535
}
