package transport

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/ssh/internal/kex"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
)

// Defaults returns the algorithms that are offered unless something else is
// asked for: the best ones first, and none that is only for old peers
// (aes-cbc, hmac-sha1, diffie-hellman-group14-sha1, ssh-rsa). The caller owns
// the lists.
func Defaults() Algorithms {
	a := Supported()
	a.Kex = slices.DeleteFunc(a.Kex, func(name string) bool {
		m, ok := kex.Find(name)
		return ok && m.Legacy
	})
	a.HostKeys = slices.DeleteFunc(a.HostKeys, func(name string) bool {
		// Certificates need an authority that the caller knows, and security
		// keys make poor host keys.
		return keys.IsCertificate(name) || strings.HasPrefix(name, "sk-") || isLegacySignature(name)
	})
	a.Ciphers = slices.DeleteFunc(a.Ciphers, packet.IsLegacy)
	a.MACs = slices.DeleteFunc(a.MACs, packet.IsLegacy)
	return a
}

func isLegacySignature(name string) bool {
	return slices.Contains(keys.LegacyAlgorithms(keys.TypeOf(name)), name)
}

// Supported returns all algorithms that can be offered. The caller owns the
// lists.
func Supported() Algorithms {
	var a Algorithms
	for _, m := range kex.Methods() {
		a.Kex = append(a.Kex, m.Name)
	}
	types := keys.Types()
	for _, t := range types {
		a.HostKeys = append(a.HostKeys, keys.SignatureAlgorithms(t)...)
	}
	for _, t := range types {
		a.HostKeys = append(a.HostKeys, keys.LegacyAlgorithms(t)...)
	}
	a.Ciphers, a.MACs, a.Compression = packet.Ciphers(), packet.MACs(), packet.Compressions()
	return a
}

// ParseList resolves a list in the manner of OpenSSH's configuration: names
// with commas, or behind "+" to be appended to the defaults, behind "-" to be
// removed from them, behind "^" to be put in front of them; "*" and "?" match
// in names that are removed. Names that are to be offered and are not in
// supported are an error, and so is a list that leaves nothing.
func ParseList(list string, defaults, supported []string) ([]string, error) {
	mode := byte(0)
	if list != "" && strings.IndexByte("+-^", list[0]) >= 0 {
		mode, list = list[0], list[1:]
	}
	names := strings.Split(list, ",")
	for _, n := range names {
		if mode != '-' && !slices.Contains(supported, n) {
			return nil, fmt.Errorf("algorithm %q is not supported; there is %s", n, strings.Join(supported, ","))
		}
	}
	without := func(from []string, match func(string) bool) []string {
		return slices.DeleteFunc(slices.Clone(from), match)
	}
	var out []string
	switch mode {
	case '+':
		out = append(slices.Clone(defaults), names...)
	case '^':
		out = append(names, defaults...)
	case '-':
		out = without(defaults, func(s string) bool {
			return slices.ContainsFunc(names, func(pattern string) bool {
				ok, err := path.Match(pattern, s)
				return ok && err == nil
			})
		})
	default:
		out = names
	}
	seen := map[string]bool{}
	out = slices.DeleteFunc(out, func(s string) bool {
		again := seen[s]
		seen[s] = true
		return again
	})
	if len(out) == 0 {
		return nil, fmt.Errorf("the list %q leaves no algorithm", list)
	}
	return out, nil
}

// complete fills nil lists with the defaults and refuses what is not
// supported.
func (a Algorithms) complete() (Algorithms, error) {
	def, sup := Defaults(), Supported()
	for _, l := range []struct {
		kind          string
		list          *[]string
		defs, allowed []string
	}{
		{"key exchange", &a.Kex, def.Kex, sup.Kex},
		{"host key", &a.HostKeys, def.HostKeys, sup.HostKeys},
		{"cipher", &a.Ciphers, def.Ciphers, sup.Ciphers},
		{"MAC", &a.MACs, def.MACs, sup.MACs},
		{"compression", &a.Compression, def.Compression, sup.Compression},
	} {
		if *l.list == nil {
			*l.list = l.defs
		}
		for _, name := range *l.list {
			if !slices.Contains(l.allowed, name) {
				return a, fmt.Errorf("%s algorithm %q is not supported", l.kind, name)
			}
		}
		*l.list = slices.Clone(*l.list)
	}
	return a, nil
}
