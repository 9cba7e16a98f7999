package cli

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// dest is where to connect to and, for file commands, which path is meant.
type dest struct {
	user string // empty: the local user's name
	host string
	port int // 0: not given
	path string
}

// addr returns host:port with the default port where none was given.
func (d dest) addr() string {
	port := d.port
	if port == 0 {
		port = 22
	}
	return net.JoinHostPort(d.host, strconv.Itoa(port))
}

// parseDest reads [user@]host, ssh://[user@]host[:port] or
// sftp://[user@]host[:port][/path].
func parseDest(s string) (dest, error) {
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return parseURL(scheme, s)
	}
	var d dest
	host := s
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		d.user, host = s[:i], s[i+1:]
		if d.user == "" {
			return dest{}, fmt.Errorf("%q has an empty user name", s)
		}
	}
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return dest{}, fmt.Errorf("%q lacks a closing bracket", s)
		}
		rest := host[end+1:]
		host = host[1:end]
		if rest != "" {
			port, ok := strings.CutPrefix(rest, ":")
			n, err := parsePort(port)
			if !ok || err != nil {
				return dest{}, fmt.Errorf("%q has something other than a port behind the bracket", s)
			}
			d.port = n
		}
	}
	d.host = host
	return d, validDest(d)
}

func parseURL(scheme, s string) (dest, error) {
	if scheme != "ssh" && scheme != "sftp" && scheme != "scp" {
		return dest{}, fmt.Errorf("%q is neither ssh:// nor sftp://", s)
	}
	u, err := url.Parse(s)
	if err != nil {
		return dest{}, fmt.Errorf("%q is no URL: %w", s, err)
	}
	if _, has := u.User.Password(); has {
		return dest{}, fmt.Errorf("a URL shows its password to everybody on this machine; leave it out and type it when asked")
	}
	d := dest{user: u.User.Username(), host: u.Hostname(), path: strings.TrimPrefix(u.Path, "/")}
	if strings.HasPrefix(u.Path, "//") {
		d.path = u.Path[1:] // a second slash makes the path absolute, as curl and OpenSSH read it
	}
	if p := u.Port(); p != "" {
		if d.port, err = parsePort(p); err != nil {
			return dest{}, err
		}
	}
	return d, validDest(d)
}

// validDest refuses what OpenSSH refuses since a host or user name could reach
// a shell or a log: dashes in front, white space, control characters.
func validDest(d dest) error {
	if d.host == "" {
		return fmt.Errorf("there is no host name")
	}
	if strings.Contains(d.host, ":") {
		if _, err := netip.ParseAddr(d.host); err != nil {
			return fmt.Errorf("%q is no host name; a port is given with -p or -P, or as ssh://HOST:PORT", d.host)
		}
	}
	for _, s := range []string{d.host, d.user} {
		if strings.HasPrefix(s, "-") {
			return fmt.Errorf("%q begins with a dash", s)
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return fmt.Errorf("%q has white space or control characters", s)
		}
	}
	return nil
}

func parsePort(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%q is no port number", s)
	}
	return n, nil
}

// parseFile reads an operand of cp and sftp: [user@]host:[path] or a URL is
// remote; everything else, and anything with a slash before its first colon,
// is a local path, as scp decides it.
func parseFile(s string) (d dest, remote bool, err error) {
	if strings.HasPrefix(s, "sftp://") || strings.HasPrefix(s, "scp://") || strings.HasPrefix(s, "ssh://") {
		d, err = parseDest(s)
		return d, true, err
	}
	colon := colonIndex(s)
	if colon < 0 {
		return dest{path: s}, false, nil
	}
	d, err = parseDest(s[:colon])
	d.path = s[colon+1:]
	return d, true, err
}

// colonIndex returns where the host part of s ends, or -1 for a local path.
func colonIndex(s string) int {
	if strings.HasPrefix(s, ":") {
		return -1
	}
	bracket := false
	for i, r := range s {
		switch {
		case r == '[' && (i == 0 || s[i-1] == '@'):
			bracket = true
		case r == ']':
			bracket = false
		case bracket:
		case r == '/' || r == '\\':
			return -1
		case r == ':':
			if i == 1 && len(s) > 2 && (s[2] == '\\' || s[2] == '/') {
				return -1 // a Windows drive
			}
			return i
		}
	}
	return -1
}
