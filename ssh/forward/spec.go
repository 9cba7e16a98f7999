package forward

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// A Spec says where to listen and what to connect to. Networks are "tcp" and
// "unix", addresses as in package net.
type Spec struct {
	ListenNetwork string
	ListenAddr    string // tcp: "localhost:port" means both loopback addresses, ":port" all addresses
	DialNetwork   string
	DialAddr      string
}

// String returns the spec as "listen -> dial".
func (s Spec) String() string { return s.ListenAddr + " -> " + s.DialAddr }

// ParseLocal reads the argument of ssh's -L:
//
//	[bind_address:]port:host:hostport
//	[bind_address:]port:remote_socket
//	local_socket:host:hostport
//	local_socket:remote_socket
//
// IPv6 addresses stand in brackets. Without a bind address it is loopback; an
// empty one, or "*", means all addresses. Sockets are paths with a slash. Port
// 0 to listen at lets the system choose one.
func ParseLocal(text string) (Spec, error) {
	s, err := parseLocal(text)
	if err != nil {
		return Spec{}, fmt.Errorf("forwarding %q: %w", text, err)
	}
	return s, nil
}

func parseLocal(text string) (s Spec, err error) {
	parts, err := fields(text)
	if err != nil {
		return s, err
	}
	switch first := parts[0]; {
	case isPath(first):
		s.ListenNetwork, s.ListenAddr, parts = "unix", first, parts[1:]
	case len(parts) == 4 || len(parts) == 3 && isPath(parts[2]):
		s.ListenNetwork = "tcp"
		if s.ListenAddr, err = endpoint(bindHost(first), parts[1], true); err != nil {
			return s, err
		}
		parts = parts[2:]
	default:
		s.ListenNetwork = "tcp"
		if s.ListenAddr, err = endpoint("localhost", first, true); err != nil {
			return s, err
		}
		parts = parts[1:]
	}
	switch {
	case len(parts) == 1 && isPath(parts[0]):
		s.DialNetwork, s.DialAddr = "unix", parts[0]
	case len(parts) == 2 && parts[0] != "" && !isPath(parts[0]):
		s.DialNetwork = "tcp"
		s.DialAddr, err = endpoint(parts[0], parts[1], false)
	default:
		return s, errors.New("it is not [bind_address:]port:host:hostport, and no path takes the place of a pair")
	}
	return s, err
}

func isPath(s string) bool { return strings.Contains(s, "/") }

func bindHost(s string) string {
	if s == "*" {
		return ""
	}
	return s
}

// fields splits at colons outside brackets, and takes the brackets off.
func fields(text string) ([]string, error) {
	var parts []string
	for rest := text; ; {
		var part string
		if strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 || end+1 < len(rest) && rest[end+1] != ':' {
				return nil, errors.New("a bracket is not closed")
			}
			part, rest = rest[1:end], rest[end+1:]
		} else if end := strings.IndexByte(rest, ':'); end >= 0 {
			part, rest = rest[:end], rest[end:]
		} else {
			part, rest = rest, ""
		}
		parts = append(parts, part)
		if rest == "" {
			return parts, nil
		}
		rest = rest[1:]
	}
}

func endpoint(host, port string, listen bool) (string, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 && !listen {
		return "", fmt.Errorf("%q is no port", port)
	}
	if strings.ContainsAny(host, " \t\r\n\x00") {
		return "", fmt.Errorf("%q is no host", host)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}
