package knownhosts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the hashed form of host names is defined with it
	"encoding/base64"
	"fmt"
	"net"
	"strings"
)

const defaultPort = "22"

// Normalize returns the name under which a host is looked up and stored:
// lower-case, without the port 22, "[host]:port" for other ports. addr is
// "host", "host:port", "[IPv6]:port" or an IPv6 address.
func Normalize(addr string) string {
	host, port := split(addr)
	if port == defaultPort {
		return host
	}
	return "[" + host + "]:" + port
}

// split returns the lower-case host and the port of addr.
func split(addr string) (host, port string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(addr, "["), "]"), ""
	}
	if port == "" {
		port = defaultPort
	}
	return strings.ToLower(host), port
}

// CheckName reports why a host cannot be written to a known_hosts file. A name
// with blanks, newlines or the characters of patterns would become another
// line, or match other hosts. addr is as for [Normalize].
func CheckName(addr string) error {
	host, port := split(addr)
	if host == "" {
		return fmt.Errorf("host name %q is empty", addr)
	}
	for _, r := range host {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`,*?!|#@[]"\`, r) {
			return fmt.Errorf("host name %q cannot stand in a known_hosts file", host)
		}
	}
	for _, r := range port {
		if r < '0' || r > '9' {
			return fmt.Errorf("port %q of host %q is not a number", port, host)
		}
	}
	return nil
}

// matches reports whether the host field of a line means name, which is in
// the form of Normalize.
func matches(field, name string) bool {
	if strings.HasPrefix(field, hashPrefix) {
		return matchesHash(field, name)
	}
	found := false
	for pattern := range strings.SplitSeq(field, ",") {
		pattern, negated := strings.CutPrefix(strings.ToLower(pattern), "!")
		if pattern == "" || !MatchPattern(pattern, name) {
			continue
		}
		if negated {
			return false // whatever else the line says
		}
		found = true
	}
	return found
}

// MatchPattern reports whether name matches one of OpenSSH's patterns, in which
// * stands for any run of characters and ? for one (ssh_config(5), PATTERNS). It
// compares bytes, in time at most proportional to the product of the lengths.
func MatchPattern(pattern, name string) bool {
	p, n := 0, 0
	star, mark := -1, 0 // the last * seen, and what it has matched up to
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// hashPrefix begins a hashed name: |1|salt|HMAC-SHA-1 of the name under salt.
const hashPrefix = "|1|"

func matchesHash(field, name string) bool {
	salt, sum, ok := parseHash(field)
	return ok && hmac.Equal(sum, hashName(salt, name))
}

func parseHash(field string) (salt, sum []byte, ok bool) {
	rest, ok := strings.CutPrefix(field, hashPrefix)
	if !ok {
		return nil, nil, false
	}
	a, b, ok := strings.Cut(rest, "|")
	if !ok {
		return nil, nil, false
	}
	salt, err1 := base64.StdEncoding.DecodeString(a)
	sum, err2 := base64.StdEncoding.DecodeString(b)
	if err1 != nil || err2 != nil || len(salt) != sha1.Size || len(sum) != sha1.Size {
		return nil, nil, false
	}
	return salt, sum, true
}

func hashName(salt []byte, name string) []byte {
	h := hmac.New(sha1.New, salt)
	h.Write([]byte(name))
	return h.Sum(nil)
}

// Hash returns the hashed form of a host's name, with a new salt. addr is as
// for [Normalize].
func Hash(addr string) string {
	salt := make([]byte, sha1.Size)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	enc := base64.StdEncoding.EncodeToString
	return hashPrefix + enc(salt) + "|" + enc(hashName(salt, Normalize(addr)))
}
