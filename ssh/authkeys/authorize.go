package authkeys

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
)

var (
	// ErrNoSuchKey says that no line of the file has the key.
	ErrNoSuchKey = errors.New("the key is not authorized")
	// ErrAddress says that the line of the key does not allow the peer's address.
	ErrAddress = errors.New("the key is not authorized from this address")
	// ErrExpired says that the time of the key has run out.
	ErrExpired = errors.New("the authorization of the key has expired")
)

// Authorize returns what the first line of the file grants that lets key in
// from the given address at the given time. key must have been proved: it is
// that of a verified signature. from is the peer's address; where it is no IP
// address, or nil, lines with from= do not match. Without such a line the error
// wraps [ErrNoSuchKey], [ErrAddress] or [ErrExpired], the reason of the last line with this
// key. The caller owns the grant.
func (f *File) Authorize(key keys.PublicKey, from net.Addr, now time.Time) (*Grant, error) {
	err := ErrNoSuchKey
	for i := range f.entries {
		e := &f.entries[i]
		if !keys.Equal(e.Key, key) {
			continue
		}
		refused := e.Grant.admits(from, now)
		if refused == nil {
			g := e.Grant
			return &g, nil
		}
		err = fmt.Errorf("line %d: %w", e.Line, refused)
	}
	return nil, err
}

// Has reports whether some line has the key. It grants nothing: it is for
// telling a client whether it is worth proving the key.
func (f *File) Has(key keys.PublicKey) bool {
	for i := range f.entries {
		if keys.Equal(f.entries[i].Key, key) {
			return true
		}
	}
	return false
}

func (g *Grant) admits(from net.Addr, now time.Time) error {
	if !g.Expiry.IsZero() && !now.Before(g.Expiry) {
		return ErrExpired
	}
	if g.from == nil {
		return nil
	}
	ip, ok := addrOf(from)
	if !ok || !g.from.match(ip) {
		return ErrAddress
	}
	return nil
}

func addrOf(a net.Addr) (netip.Addr, bool) {
	if a == nil {
		return netip.Addr{}, false
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}, false
	}
	return ap.Addr().Unmap().WithZone(""), true
}

// patterns is the list of a from= option.
type patterns []pattern

type pattern struct {
	negated bool
	network netip.Prefix // valid for ADDRESS/BITS
	text    string       // lower-case; with * and ?
}

func parsePatterns(value string) (patterns, error) {
	list := patterns{}
	for text := range strings.SplitSeq(strings.ToLower(value), ",") {
		var p pattern
		p.text, p.negated = strings.CutPrefix(strings.TrimSpace(text), "!")
		if p.text == "" {
			return nil, errors.New("option from: an empty pattern")
		}
		if strings.Contains(p.text, "/") {
			network, err := netip.ParsePrefix(p.text)
			if err != nil || network.Masked() != network {
				return nil, fmt.Errorf("option from: %q is no network", printable(p.text))
			}
			p.network = network
		}
		list = append(list, p)
	}
	return list, nil
}

func (l patterns) match(ip netip.Addr) bool {
	found := false
	for _, p := range l {
		hit := p.network.Contains(ip)
		if !p.network.IsValid() {
			hit = matchText(p.text, ip)
		}
		if hit && p.negated {
			return false // whatever else the list says
		}
		found = found || hit
	}
	return found
}

func matchText(text string, ip netip.Addr) bool {
	if literal, err := netip.ParseAddr(text); err == nil {
		return literal.Unmap() == ip
	}
	return knownhosts.MatchPattern(text, ip.String())
}
