package options

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// An Option is one option of an option file or a command line.
type Option struct {
	// Name is in small letters with dashes, without loose-.
	Name string
	// Value is behind the equal sign. Given says that there was one: "password"
	// alone is not "password=".
	Value Secret
	Given bool
	// Loose options may be unknown to whoever gets them.
	Loose bool
	Group string // in which it stands in its file
	File  string // where it comes from; "": the command line
	Line  int    // in File, from 1
}

// bool reads an option that may stand without a value.
func (o *Option) bool() (bool, error) {
	if !o.Given {
		return true, nil
	}
	switch strings.ToLower(string(o.Value)) {
	case "1", "on", "true", "yes":
		return true, nil
	case "", "0", "off", "false", "no":
		return false, nil
	}
	return false, &ValueError{Name: o.Name, Value: string(o.Value), Want: "on or off"}
}

// A Place is where a server is, as option files and command lines say it in
// pieces. Later pieces replace earlier ones; [Place.Target] puts them together.
type Place struct {
	Host     string // "": localhost
	Port     int    // 0: 3306
	Socket   string
	Protocol string // "", "tcp", "socket", "pipe" or "memory", in any case
	// Remote says that the place is seen from another host, behind SSH: a
	// socket is used only when it was named.
	Remote bool
	// Sockets are the files to look for when localhost is meant and no socket
	// was named; nil: the usual ones.
	Sockets []string

	forced string // tcp or socket, if the command line decided
}

// usualSockets is where distributions put the server's socket.
func usualSockets() []string {
	return []string{"/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/run/mysqld/mysqld.sock", "/tmp/mysql.sock"}
}

// Target returns network and address. As with the original clients, localhost
// means the socket, unless the protocol says otherwise or the command line gave
// a port; a socket that was not named must exist to be used.
func (p *Place) Target() (network, address string, err error) {
	port := p.Port
	if port == 0 {
		port = DefaultPort
	}
	local := p.Host == "" || p.Host == "localhost"
	tcp := p.Host
	if tcp == "" {
		tcp = DefaultHost
	}
	tcp = net.JoinHostPort(strings.Trim(tcp, "[]"), strconv.Itoa(port))
	switch strings.ToLower(p.Protocol) {
	case "tcp":
		return "tcp", tcp, nil
	case "socket":
		if s := p.socket(); s != "" {
			return "unix", s, nil
		}
		return "unix", DefaultSocket, nil
	case "":
	default:
		return "", "", &ValueError{Name: "protocol", Value: p.Protocol, Want: "TCP or SOCKET"}
	}
	if !local || p.forced == "tcp" {
		return "tcp", tcp, nil
	}
	if s := p.socket(); s != "" {
		return "unix", s, nil
	}
	return "tcp", tcp, nil
}

// socket returns the named socket, or the first usual one that exists.
func (p *Place) socket() string {
	if p.Socket != "" || p.Remote {
		return p.Socket
	}
	list := p.Sockets
	if list == nil {
		list = usualSockets()
	}
	for _, s := range list {
		if info, err := os.Stat(s); err == nil && info.Mode()&os.ModeSocket != 0 {
			return s
		}
	}
	return ""
}

// Apply sets what the options say about a connection, in their order, and
// returns the other ones: prompt and the like, and what nobody knows. Whoever
// gets those refuses what it does not know either, unless it is Loose.
//
// Prefixes that the original accepts with every switch are understood:
// skip-, disable- and enable-. Errors are *[ValueError], inside a *[FileError]
// when the option comes from a file.
func Apply(c *Config, p *Place, options []Option) (rest []Option, err error) {
	for _, o := range options {
		known, err := apply(c, p, o)
		if err != nil && o.File != "" {
			err = &FileError{File: o.File, Line: o.Line, Err: err}
		}
		if err != nil {
			return nil, err
		}
		if !known {
			rest = append(rest, o)
		}
	}
	return rest, nil
}

func apply(c *Config, p *Place, o Option) (known bool, err error) {
	if set, ok := optionTable()[o.Name]; ok {
		return true, set(c, p, &o)
	}
	for prefix, value := range map[string]Secret{"skip-": "0", "disable-": "0", "enable-": "1"} {
		name, found := strings.CutPrefix(o.Name, prefix)
		if found && slices.Contains(switches, name) {
			o.Name, o.Value, o.Given = name, value, true
			return true, optionTable()[name](c, p, &o)
		}
	}
	return false, nil
}

// switches are the options with which prefixes go.
var switches = []string{"ssl", "compress", "local-infile", "get-server-public-key", "ssl-verify-server-cert"}

type setter func(c *Config, p *Place, o *Option) error

// optionTable has the options of the original clients that are about a
// connection.
func optionTable() map[string]setter {
	return map[string]setter{
		"host":     func(_ *Config, p *Place, o *Option) error { p.Host = string(o.Value); return nil },
		"port":     setPort,
		"socket":   setSocket,
		"protocol": func(_ *Config, p *Place, o *Option) error { p.Protocol = string(o.Value); return nil },
		"user":     str(func(c *Config) *string { return &c.User }),
		"database": str(func(c *Config) *string { return &c.Database }),

		"password":  passwordOption(1),
		"pass":      passwordOption(1), // the prefix that many files have
		"password1": passwordOption(1),
		"password2": passwordOption(2),
		"password3": passwordOption(3),

		"ssl":                    setSSL,
		"ssl-mode":               setSSLMode,
		"ssl-verify-server-cert": setVerify,
		"ssl-ca":                 str(func(c *Config) *string { return &c.TLS.CA }),
		"ssl-capath":             str(func(c *Config) *string { return &c.TLS.CAPath }),
		"ssl-cert":               str(func(c *Config) *string { return &c.TLS.Cert }),
		"ssl-key":                str(func(c *Config) *string { return &c.TLS.Key }),
		"ssl-crl":                str(func(c *Config) *string { return &c.TLS.CRL }),
		"tls-version":            str(func(c *Config) *string { return &c.TLS.Versions }),
		"tls-sni-servername":     str(func(c *Config) *string { return &c.TLS.ServerName }),

		"compress": func(c *Config, _ *Place, o *Option) error {
			on, err := o.bool()
			c.Compression.Algorithms = nil
			if on {
				c.Compression.Algorithms = []string{"zlib", "uncompressed"}
			}
			return err
		},
		"compression-algorithms": func(c *Config, _ *Place, o *Option) error {
			return setAlgorithms(c, o.Name, string(o.Value))
		},
		"zstd-compression-level": func(c *Config, _ *Place, o *Option) error {
			return setLevel(c, o.Name, string(o.Value))
		},

		"default-auth":            str(func(c *Config) *string { return &c.Auth.Plugin }),
		"enable-cleartext-plugin": onOff(func(c *Config) *bool { return &c.Auth.Cleartext }),
		"get-server-public-key":   onOff(func(c *Config) *bool { return &c.Auth.FetchServerKey }),
		"server-public-key-path":  str(func(c *Config) *string { return &c.Auth.ServerKey }),

		"local-infile":          onOff(func(c *Config) *bool { return &c.LocalInfile }),
		"default-character-set": setCharset,
		"init-command": func(c *Config, _ *Place, o *Option) error {
			c.InitCommands = []string{string(o.Value)}
			return nil
		},
		"init-command-add": func(c *Config, _ *Place, o *Option) error {
			c.InitCommands = append(c.InitCommands, string(o.Value))
			return nil
		},
		"connect-timeout": func(c *Config, _ *Place, o *Option) (err error) {
			c.ConnectTimeout, err = seconds(o.Name, string(o.Value))
			return err
		},
		"max-allowed-packet": func(c *Config, _ *Place, o *Option) (err error) {
			c.MaxPacket, err = size(o.Name, string(o.Value))
			return err
		},
		"ssh": func(c *Config, _ *Place, o *Option) error { return setSSH(c, string(o.Value)) },
	}
}

func str(field func(*Config) *string) setter {
	return func(c *Config, _ *Place, o *Option) error {
		*field(c) = string(o.Value)
		return nil
	}
}

func onOff(field func(*Config) *bool) setter {
	return func(c *Config, _ *Place, o *Option) (err error) {
		*field(c), err = o.bool()
		return err
	}
}

// passwordOption sets a password that was given. An option without a value asks
// for one, which is for whoever can ask: see [Asked].
func passwordOption(factor int) setter {
	return func(c *Config, _ *Place, o *Option) error {
		if o.Given {
			c.SetPassword(factor, string(o.Value))
		}
		return nil
	}
}

// Asked returns the factors, of 1 to 3, whose password is to be asked for: the
// last option about it has no value.
func Asked(options []Option) []int {
	ask := [4]bool{}
	for _, o := range options {
		for factor, names := range [][]string{{}, {"password", "pass", "password1"}, {"password2"}, {"password3"}} {
			if slices.Contains(names, o.Name) {
				ask[factor] = !o.Given
			}
		}
	}
	var list []int
	for factor, asked := range ask {
		if asked {
			list = append(list, factor)
		}
	}
	return list
}

func setPort(_ *Config, p *Place, o *Option) error {
	if o.Value == "0" {
		p.Port = 0
		return nil
	}
	if !isPort(string(o.Value)) {
		return &ValueError{Name: o.Name, Value: string(o.Value), Want: "1 to 65535"}
	}
	p.Port, _ = strconv.Atoi(string(o.Value))
	if o.File == "" {
		p.forced = "tcp"
	}
	return nil
}

func setSocket(_ *Config, p *Place, o *Option) error {
	p.Socket = string(o.Value)
	if o.File == "" {
		p.forced = "socket"
	}
	return nil
}

func setSSLMode(c *Config, _ *Place, o *Option) (err error) {
	c.TLS.Mode, err = ParseTLSMode(string(o.Value))
	return err
}

// setSSL is MariaDB's switch. Switched on it does not make weaker what is
// stricter.
func setSSL(c *Config, _ *Place, o *Option) error {
	on, err := o.bool()
	switch {
	case err != nil:
		return err
	case !on:
		c.TLS.Mode = TLSDisabled
	case c.TLS.Mode < TLSRequired:
		c.TLS.Mode = TLSRequired
	}
	return nil
}

func setVerify(c *Config, _ *Place, o *Option) error {
	on, err := o.bool()
	switch {
	case err != nil:
		return err
	case on:
		c.TLS.Mode = TLSVerifyIdentity
	case c.TLS.Mode > TLSRequired:
		c.TLS.Mode = TLSRequired
	}
	return nil
}

func setCharset(c *Config, _ *Place, o *Option) error {
	name := string(o.Value)
	switch {
	case name == "auto": // that of the terminal: ours is UTF-8
		c.Charsets = nil
	case strings.ContainsFunc(name, func(r rune) bool { return r != '_' && (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') }):
		return &ValueError{Name: o.Name, Value: name, Err: errors.New("no character set has such a name")}
	default:
		c.Charsets = []string{name}
	}
	return nil
}

// String shows an option without its value.
func (o Option) String() string {
	if o.File == "" {
		return "--" + o.Name
	}
	return fmt.Sprintf("%s (%s:%d)", o.Name, o.File, o.Line)
}
