package config

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// tokensAll are the tokens of keywords that take all but those of a
// KnownHostsCommand.
const tokensAll = "CdhijkLlnpru"

// tokensProxy are those of ProxyCommand.
const tokensProxy = "hnpr"

// tokensUser are those of User, which two of the others depend on.
const tokensUser = "dhijkLlnpu"

// tokens returns the values of the given tokens as far as they are known.
func (r *reader) tokens(which string) map[byte]string {
	local := &r.source.Local
	label, _, _ := strings.Cut(local.Host, ".")
	m := map[byte]string{
		'd': local.Home, 'h': r.hostName(), 'i': local.UID, 'j': r.jumpHost(), 'k': r.query.Host,
		'L': label, 'l': local.Host, 'n': r.query.Host, 'p': strconv.Itoa(r.port()), 'u': local.User,
	}
	if a := r.first("hostkeyalias"); a != "" {
		m['k'] = strings.ToLower(a)
	}
	if strings.Contains(which, "r") {
		m['r'] = r.user()
		sum := sha1.Sum([]byte(m['l'] + m['h'] + m['p'] + m['r'] + m['j'])) // a name, not a protection
		m['C'] = hex.EncodeToString(sum[:])
	}
	for c := range m {
		if strings.IndexByte(which, c) < 0 {
			delete(m, c)
		}
	}
	return m
}

func (r *reader) port() int {
	if n, err := parsePort(r.first("port")); err == nil {
		return n
	}
	return 22
}

// jumpHost is the host that connects to the destination; "": we do.
func (r *reader) jumpHost() string {
	if s := r.setting("proxyjump"); s != nil {
		if jumps, err := ParseJumps(s.Value); err == nil && len(jumps) > 0 {
			return jumps[len(jumps)-1].Host
		}
	}
	return ""
}

// expand replaces the given tokens, and ${VARIABLES}.
func (r *reader) expand(s, which string) (string, error) {
	s, err := r.variables(s)
	if err != nil || strings.IndexByte(s, '%') < 0 {
		return s, err
	}
	return expandTokens(s, r.tokens(which))
}

// expandTokens replaces %c by tokens[c], and %% by %.
func expandTokens(s string, tokens map[byte]string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", errors.New("a % at the end; write %% for one that is meant")
		}
		v, ok := tokens[s[i]]
		switch {
		case s[i] == '%':
			b.WriteByte('%')
		case ok:
			b.WriteString(v)
		default:
			return "", fmt.Errorf("%q means nothing here; write %%%% for a %% that is meant", s[i-1:i+1])
		}
	}
	return b.String(), nil
}

// variables replaces ${NAME} by the variables of the environment. A % in them
// stays one.
func (r *reader) variables(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || name == "" {
			return "", errors.New("${ without a name and }")
		}
		value, ok := "", false
		if r.source.Local.Lookup != nil {
			value, ok = r.source.Local.Lookup(name)
		}
		if !ok {
			return "", fmt.Errorf("there is no environment variable %s", name)
		}
		b.WriteString(strings.ReplaceAll(value, "%", "%%"))
		s = rest
	}
}

// tilde replaces a leading ~ or ~NAME by a home directory.
func (r *reader) tilde(path string) (string, error) {
	after, ok := strings.CutPrefix(path, "~")
	if !ok {
		return path, nil
	}
	name, rest, _ := strings.Cut(after, "/")
	home := r.source.Local.Home
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		home = u.HomeDir
	}
	if home == "" {
		return "", errors.New("the home directory is not known")
	}
	return filepath.Join(home, rest), nil
}

// path is a file name with everything replaced.
func (r *reader) path(s string) (string, error) {
	s, err := r.tilde(s)
	if err != nil {
		return "", err
	}
	return r.expand(s, tokensAll)
}
