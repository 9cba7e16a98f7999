package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// A Jump is a host through which to connect. What is not given is for the
// configuration of that host to say.
type Jump struct {
	User string // "": not given
	Host string
	Port int // 0: not given
}

// String returns the jump as ssh's -J takes it.
func (j Jump) String() string {
	s := j.Host
	if j.Port != 0 {
		s = net.JoinHostPort(j.Host, strconv.Itoa(j.Port))
	} else if strings.Contains(s, ":") {
		s = "[" + s + "]"
	}
	if j.User != "" {
		s = j.User + "@" + s
	}
	return s
}

// ParseJumps reads what ssh's -J and ProxyJump take: [user@]host[:port] or
// ssh://[user@]host[:port], with commas between, the nearest first; "none" and
// nothing else is none.
func ParseJumps(s string) ([]Jump, error) {
	if strings.EqualFold(s, "none") {
		return nil, nil
	}
	list := strings.Split(s, ",")
	if len(list) > maxJumps {
		return nil, fmt.Errorf("%d hosts to jump through, at most %d are taken", len(list), maxJumps)
	}
	jumps := make([]Jump, len(list))
	for i, text := range list {
		j, err := parseJump(text)
		if err != nil {
			return nil, err
		}
		jumps[i] = j
	}
	return jumps, nil
}

// maxJumps bounds the hosts of one list.
const maxJumps = 32

func parseJump(text string) (j Jump, err error) {
	wrong := func(why string) (Jump, error) {
		return Jump{}, fmt.Errorf("%q is no host to jump through: %s", text, why)
	}
	rest := strings.TrimSpace(text)
	if strings.HasPrefix(rest, "ssh://") {
		u, err := url.Parse(rest)
		if err != nil || u.Path != "" && u.Path != "/" {
			return wrong("ssh://[user@]host[:port] is expected")
		}
		if _, has := u.User.Password(); has {
			return wrong("a password does not belong there")
		}
		j.User, rest = u.User.Username(), u.Host
	} else if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if j.User, rest = rest[:i], rest[i+1:]; j.User == "" {
			return wrong("the user is empty")
		}
	}
	port := ""
	if inner, ok := strings.CutPrefix(rest, "["); ok {
		if j.Host, port, ok = strings.Cut(inner, "]"); !ok {
			return wrong("a bracket is not closed")
		}
		if _, err := netip.ParseAddr(j.Host); err != nil {
			return wrong("brackets are for IPv6 addresses")
		}
		if port != "" && port[0] != ':' {
			return wrong("a port begins with a colon")
		}
	} else if i := strings.IndexByte(rest, ':'); i >= 0 {
		j.Host, port = rest[:i], rest[i:]
	} else {
		j.Host = rest
	}
	if port != "" {
		if j.Port, err = parsePort(port[1:]); err != nil {
			return wrong("the port is wrong")
		}
	}
	if !plain(j.Host) || !plainUser(j.User) || j.Host == "" {
		return wrong("[user@]host[:port] is expected")
	}
	return j, nil
}

// plain reports whether a name cannot be taken for a flag, several words or
// something for a shell.
func plain(s string) bool {
	return !strings.HasPrefix(s, "-") && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune("'`\"$\\;&<>|(){}", r)
	})
}

// plainUser is plain for the names of users, in which a backslash may separate
// a domain.
func plainUser(s string) bool {
	return !strings.HasPrefix(s, "-") && !strings.HasSuffix(s, `\`) && !strings.Contains(s, " -") && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || strings.ContainsRune("'`\";&<>|(){}", r)
	})
}

// proxyJump takes the rest of the line.
func proxyJump(l *line) error {
	l.more = nil
	if _, err := ParseJumps(l.raw()); err != nil {
		return fmt.Errorf("hosts, but %w", err)
	}
	return nil
}
