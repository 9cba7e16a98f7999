package join

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/transport"
)

// maxHops bounds a chain of hosts, which configurations can make as long as
// they like.
const maxHops = 16

// LoopError says that a configuration leads through too many hosts, or through
// the one that it leads to.
type LoopError struct {
	Host string        // which is to be reached
	Via  []config.Jump // through these
	Self bool          // one of which is itself
}

func (e *LoopError) Error() string {
	if e.Self {
		return fmt.Sprintf("%s is to be reached through itself", e.Host)
	}
	return fmt.Sprintf("more than %d hosts stand in the way to %s", maxHops, e.Host)
}

// Way returns the configurations of all hosts on the way to that of c, which is
// the last: those of its ProxyJump, and where the first of them has such hosts
// itself, these in front. Each has what s says about it, and nothing of what is
// said about c, as with ssh(1).
func Way(ctx context.Context, s *config.Source, c *config.Config) ([]*config.Config, error) {
	return way(ctx, s, c, maxHops)
}

func way(ctx context.Context, s *config.Source, c *config.Config, left int) ([]*config.Config, error) {
	if left -= max(1, len(c.ProxyJump)); left < 0 {
		return nil, &LoopError{Host: c.Host, Via: c.ProxyJump}
	}
	var list []*config.Config
	for i, j := range c.ProxyJump {
		q := config.Query{Host: j.Host, User: j.User, Port: j.Port, Session: "none"}
		if i > 0 {
			q.Options = []string{directly, directly2}
		}
		hop, err := s.Load(ctx, q)
		if err != nil {
			return nil, err
		}
		if hop.HostName == c.HostName && hop.Port == c.Port && hop.User == c.User {
			return nil, &LoopError{Host: c.Host, Via: c.ProxyJump, Self: true}
		}
		if i > 0 {
			list = append(list, hop)
			continue
		}
		if list, err = way(ctx, s, hop, left); err != nil {
			return nil, err
		}
	}
	return append(list, c), nil
}

// Options for hosts the way to which is known.
const (
	directly  = "ProxyJump=none"
	directly2 = "ProxyCommand=none"
)

// WayThrough returns the configurations of the hosts of a list, which are gone
// through one after the other, and of those that stand in front of the first.
// q has what is said about all of them; its Host, User and Port do not matter.
func WayThrough(ctx context.Context, s *config.Source, hosts []config.Jump, q config.Query) ([]*config.Config, error) {
	if len(hosts) == 0 {
		return nil, errors.New("join: no host to go through")
	}
	var list []*config.Config
	for i, j := range hosts {
		own := q
		own.Host, own.User, own.Port, own.Session = j.Host, j.User, j.Port, "none"
		if i > 0 {
			own.Options = append([]string{directly, directly2}, q.Options...)
		}
		c, err := s.Load(ctx, own)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			list = append(list, c)
		} else if list, err = Way(ctx, s, c); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// HostAddr returns where a configuration leads, as "host:port".
func HostAddr(c *config.Config) string { return net.JoinHostPort(c.HostName, strconv.Itoa(c.Port)) }

// HostKeyName returns the name under which the key of a host is looked up; see
// [Hop].
func HostKeyName(c *config.Config) string {
	switch alias := c.HostKeyAlias; {
	case alias == "":
		return HostAddr(c)
	case strings.HasPrefix(alias, "["): // [host]:port, as it stands in known_hosts
		return alias
	default:
		return net.JoinHostPort(alias, "22") // the name alone, whatever the port
	}
}

// Algorithms resolves the lists of Ciphers and its like, and of
// PubkeyAcceptedAlgorithms, which is nil unless it was set. What a list names
// and nobody here has is left out as long as something remains, since such
// lists are written for another program; ignored says what that was, as
// "Ciphers 3des-cbc".
func Algorithms(c *config.Config) (a transport.Algorithms, signatures, ignored []string, err error) {
	defaults, supported := transport.Defaults(), transport.Supported()
	var usual, legacy []string
	for _, t := range keys.Types() {
		usual = append(usual, keys.SignatureAlgorithms(t)...)
		legacy = append(legacy, keys.LegacyAlgorithms(t)...)
	}
	for _, l := range []struct {
		option, given       string
		defaults, supported []string
		to                  *[]string
	}{
		{"KexAlgorithms", c.KexAlgorithms, defaults.Kex, supported.Kex, &a.Kex},
		{"HostKeyAlgorithms", c.HostKeyAlgorithms, defaults.HostKeys, supported.HostKeys, &a.HostKeys},
		{"Ciphers", c.Ciphers, defaults.Ciphers, supported.Ciphers, &a.Ciphers},
		{"MACs", c.MACs, defaults.MACs, supported.MACs, &a.MACs},
		{"PubkeyAcceptedAlgorithms", c.PubkeyAcceptedAlgorithms, usual, slices.Concat(usual, legacy), &signatures},
	} {
		if l.given == "" {
			continue
		}
		list, dropped := supportedOnly(l.given, l.supported)
		for _, name := range dropped {
			ignored = append(ignored, l.option+" "+name)
		}
		if list == "" && strings.IndexByte("+^", l.given[0]) >= 0 {
			continue // nothing is added to the defaults
		}
		if list == "" {
			list = l.given
		}
		if *l.to, err = transport.ParseList(list, l.defaults, l.supported); err != nil {
			return a, nil, ignored, fmt.Errorf("%s=%s: %w", l.option, l.given, err)
		}
	}
	return a, signatures, ignored, nil
}

// supportedOnly leaves out of a list, unless it only takes away, the names that
// nobody here knows; "" when none is left.
func supportedOnly(list string, supported []string) (left string, dropped []string) {
	mode := ""
	if list[0] == '-' {
		return list, nil
	}
	if list[0] == '+' || list[0] == '^' {
		mode, list = list[:1], list[1:]
	}
	var names []string
	for _, n := range strings.Split(list, ",") {
		if slices.Contains(supported, n) {
			names = append(names, n)
		} else {
			dropped = append(dropped, n)
		}
	}
	if len(names) == 0 {
		return "", dropped
	}
	return mode + strings.Join(names, ","), dropped
}

// TooShort reports whether key is an RSA key of fewer bits than RequiredRSASize
// asks for.
func TooShort(c *config.Config, key keys.PublicKey) bool {
	return keys.PlainType(key.Type()) == keys.TypeRSA && keys.Bits(key) < c.RequiredRSASize
}

// Certified returns a signer for each certificate of the key of s: those of
// CertificateFile or, where there are none, what stands beside the key's file
// as FILE-cert.pub. path is that file; "": the key comes from elsewhere.
func Certified(c *config.Config, path string, s keys.Signer) []keys.Signer {
	files := c.CertificateFiles
	if len(files) == 0 && path != "" {
		files = []string{strings.TrimSuffix(path, ".pub") + "-cert.pub"}
	}
	var list []keys.Signer
	for _, f := range files {
		public, _, err := keys.LoadPublic(f)
		if err != nil {
			continue
		}
		if with, err := keys.WithCertificate(s, public); err == nil { // else it is another key's
			list = append(list, with)
		}
	}
	return list
}
