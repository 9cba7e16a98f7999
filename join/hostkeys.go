package join

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
)

// ErrRevoked says that a host has shown a key that RevokedHostKeys lists.
var ErrRevoked = errors.New("the host key is revoked")

// HostKeys checks the keys of a host as its configuration asks: those of a
// Checker, for RSA keys their size, and none that RevokedHostKeys lists. When
// that file cannot be read, no key is accepted.
type HostKeys struct {
	*knownhosts.Checker
	Config *config.Config
}

// CheckHostKey implements [sshclient.HostKeyChecker].
func (h *HostKeys) CheckHostKey(ctx context.Context, addr string, key keys.PublicKey) error {
	if TooShort(h.Config, key) {
		return fmt.Errorf("the host key of %s has %d bits, and RequiredRSASize asks for %d", addr, keys.Bits(key), h.Config.RequiredRSASize)
	}
	if h.Config.RevokedHostKeys != "" {
		if err := notRevoked(h.Config.RevokedHostKeys, key); err != nil {
			return err
		}
	}
	return h.Checker.CheckHostKey(ctx, addr, key)
}

// notRevoked reads a file with a public key in each line, and reports that key
// is among them. A line that cannot be read is an error: it may be this key's.
func notRevoked(path string, key keys.PublicKey) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("RevokedHostKeys: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		switch {
		case n == 1 && strings.HasPrefix(lines.Text(), "SSHKRL"):
			return fmt.Errorf("RevokedHostKeys: %s is a KRL, and only texts are read", path)
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
			continue
		case len(fields) == 1:
			return fmt.Errorf("RevokedHostKeys: %s:%d is no public key", path, n)
		}
		revoked, err := keys.ParseText(fields[0], fields[1])
		if unknown := (*keys.UnknownTypeError)(nil); errors.As(err, &unknown) {
			continue // no key of ours
		}
		if err != nil {
			return fmt.Errorf("RevokedHostKeys: %s:%d: %w", path, n, err)
		}
		if keys.Equal(revoked, key) {
			return fmt.Errorf("%w: %s:%d", ErrRevoked, path, n)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("RevokedHostKeys: %s: %w", path, err)
	}
	return nil
}
