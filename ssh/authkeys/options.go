package authkeys

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// A Grant is what a key may do after it has logged in. The zero value allows
// everything a server offers; every field restricts.
type Grant struct {
	Line    int    // of the file
	Comment string // of the line, for logs

	NoPTY             bool
	NoPortForwarding  bool
	NoAgentForwarding bool
	NoX11Forwarding   bool
	NoUserRC          bool

	// Command, if HasCommand, runs in place of whatever is asked for: exec, shell
	// and subsystem alike. What was asked for stands in SSH_ORIGINAL_COMMAND.
	Command    string
	HasCommand bool

	// Environment holds NAME=value settings, for servers that honour them.
	Environment []string

	// PermitOpen, if not nil, lists the only targets of direct-tcpip; see AllowsOpen.
	PermitOpen []Endpoint
	// PermitListen, if not nil, lists the only addresses of tcpip-forward.
	PermitListen []Endpoint

	// Expiry, if not zero, is when the key stops to be accepted. A server may
	// end sessions then.
	Expiry time.Time

	from          patterns // nil: from anywhere
	certAuthority bool
}

// An Endpoint is a literal host name or address with a port.
type Endpoint struct {
	Host string // "*" or empty, in PermitListen: any
	Port uint16 // 0: any
}

// String returns "host:port", with brackets around an IPv6 address and "*" for
// any port.
func (e Endpoint) String() string {
	port := "*"
	if e.Port != 0 {
		port = strconv.Itoa(int(e.Port))
	}
	return net.JoinHostPort(e.Host, port)
}

// AllowsOpen reports whether the grant allows a connection to host and port
// through the server. Hosts are compared literally.
func (g *Grant) AllowsOpen(host string, port uint32) bool {
	return !g.NoPortForwarding && allows(g.PermitOpen, host, port)
}

// AllowsListen reports whether the grant allows to listen at host and port for
// the client. An empty entry for the host allows any.
func (g *Grant) AllowsListen(host string, port uint32) bool {
	return !g.NoPortForwarding && allows(g.PermitListen, host, port)
}

func allows(list []Endpoint, host string, port uint32) bool {
	if list == nil {
		return true
	}
	for _, e := range list {
		if (e.Host == host || e.Host == "*") && (e.Port == 0 || uint32(e.Port) == port) {
			return true
		}
	}
	return false
}

// parse reads an option list. soft tells of an option that is ignored, err of
// one that makes the line useless.
func (g *Grant) parse(options string) (soft, err error) {
	for options != "" {
		var name, value string
		var has bool
		name, value, has, options, err = nextOption(options)
		if err != nil {
			return nil, err
		}
		s, err := g.option(strings.ToLower(name), value, has)
		if err != nil {
			return nil, err
		}
		if s != nil {
			soft = s
		}
	}
	return soft, nil
}

// nextOption cuts one option, name or name="value", off a list.
func nextOption(list string) (name, value string, has bool, rest string, err error) {
	end := strings.IndexAny(list, `,="`)
	if end < 0 {
		return list, "", false, "", nil
	}
	name, rest = list[:end], list[end:]
	if name == "" {
		return "", "", false, "", errors.New("an option has no name")
	}
	if rest[0] == ',' {
		if len(rest) == 1 {
			return "", "", false, "", errors.New("an option has no name")
		}
		return name, "", false, rest[1:], nil
	}
	if !strings.HasPrefix(rest, `="`) {
		return "", "", false, "", fmt.Errorf("option %q: its value is not quoted", printable(name))
	}
	value, rest, ok := unquote(rest[2:])
	if !ok {
		return "", "", false, "", fmt.Errorf("option %q: a quotation mark is missing", printable(name))
	}
	if rest == "" {
		return name, value, true, "", nil
	}
	if rest[0] != ',' || len(rest) == 1 {
		return "", "", false, "", fmt.Errorf("option %q: there is something behind its value", printable(name))
	}
	return name, value, true, rest[1:], nil
}

// unquote reads up to the closing quotation mark; \" stands for one that does
// not close, and other backslashes for themselves.
func unquote(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		case s[i] == '"':
			return b.String(), s[i+1:], true
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// option applies one option. They count in their order, as with OpenSSH:
// "restrict,pty" allows a pty and nothing else.
func (g *Grant) option(name, value string, has bool) (soft, err error) {
	if has {
		return nil, g.valued(name, value)
	}
	no, positive := strings.HasPrefix(name, "no-"), strings.TrimPrefix(name, "no-")
	switch positive {
	case "pty":
		g.NoPTY = no
		return nil, nil
	case "port-forwarding":
		g.NoPortForwarding = no
		return nil, nil
	case "agent-forwarding":
		g.NoAgentForwarding = no
		return nil, nil
	case "x11-forwarding":
		g.NoX11Forwarding = no
		return nil, nil
	case "user-rc":
		g.NoUserRC = no
		return nil, nil
	}
	switch name {
	case "restrict":
		g.NoPTY, g.NoPortForwarding, g.NoAgentForwarding, g.NoX11Forwarding, g.NoUserRC = true, true, true, true, true
		return nil, nil
	case "cert-authority":
		g.certAuthority = true
		return nil, nil
	case "no-touch-required":
		return errNoTouch, nil
	case "touch-required":
		return nil, nil
	case "verify-required":
		return nil, errVerifyRequired
	}
	return nil, unknownOption(name)
}

func unknownOption(name string) error {
	return fmt.Errorf("unknown option %q", printable(name))
}

func (g *Grant) valued(name, value string) error {
	switch name {
	case "command":
		if g.HasCommand {
			return errors.New("option command stands there twice")
		}
		g.Command, g.HasCommand = value, true
	case "from":
		if g.from != nil {
			return errors.New("option from stands there twice")
		}
		list, err := parsePatterns(value)
		if err != nil {
			return err
		}
		g.from = list
	case "environment":
		if !validSetting(value) {
			return errors.New("option environment: not NAME=value")
		}
		g.Environment = append(g.Environment, value)
	case "expiry-time":
		at, err := parseExpiry(value)
		if err != nil {
			return err
		}
		if g.Expiry.IsZero() || at.Before(g.Expiry) {
			g.Expiry = at
		}
	case "permitopen":
		return permit(&g.PermitOpen, name, value, false)
	case "permitlisten":
		return permit(&g.PermitListen, name, value, true)
	case "principals": // they matter to certificate authorities only
	case "tunnel": // there are no tunnels to restrict
	default:
		return unknownOption(name)
	}
	return nil
}

func validSetting(s string) bool {
	name, _, ok := strings.Cut(s, "=")
	if !ok || name == "" || strings.ContainsRune(s, 0) {
		return false
	}
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return true
}

// parseExpiry reads YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in UTC with a Z
// behind it and otherwise in local time.
func parseExpiry(value string) (time.Time, error) {
	digits, utc := strings.CutSuffix(strings.ToUpper(value), "Z")
	zone := time.Local
	if utc {
		zone = time.UTC
	}
	const layout = "20060102150405"
	switch len(digits) {
	case 8, 12, 14:
		if at, err := time.ParseInLocation(layout[:len(digits)], digits, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("option expiry-time: %q is no time", printable(value))
}

func permit(list *[]Endpoint, name, value string, hostOptional bool) error {
	host, port, ok := cutPort(value)
	if !ok && hostOptional {
		host, port, ok = "*", value, true
	}
	var e Endpoint
	if host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"); host == "" && hostOptional {
		host = "*"
	}
	e.Host = host
	if port != "*" {
		n, err := strconv.ParseUint(port, 10, 16)
		ok = ok && err == nil && n > 0
		e.Port = uint16(n)
	}
	if !ok || host == "" {
		return fmt.Errorf("option %s: %q is no host and port", name, printable(value))
	}
	*list = append(*list, e)
	return nil
}

// cutPort cuts host:port or [host]:port.
func cutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", "", false
	}
	host, port = s[:i], s[i+1:]
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if strings.Contains(host, ":") && !bracketed {
		return "", "", false
	}
	return host, port, true
}
