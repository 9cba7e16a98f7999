package sshserver_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
)

// TestUserKeyTypes logs in with keys of all types. RSA signs with SHA-2, and
// with SHA-1 only where both sides ask for ssh-rsa by name.
func TestUserKeyTypes(t *testing.T) {
	rsa, sha1 := []string{"rsa-sha2-512", "rsa-sha2-256"}, []string{"ssh-rsa"}
	for _, tt := range []struct {
		kind           string
		bits           int
		client, server []string
		want           string // algorithm of the signature; "": not let in
	}{
		{"ed25519", 0, nil, nil, "ssh-ed25519"},
		{"ecdsa", 256, nil, nil, "ecdsa-sha2-nistp256"},
		{"ecdsa", 384, nil, nil, "ecdsa-sha2-nistp384"},
		{"ecdsa", 521, nil, nil, "ecdsa-sha2-nistp521"},
		{"rsa", 2048, nil, nil, "rsa-sha2-512"},
		{"rsa", 2048, nil, rsa[1:], "rsa-sha2-256"},
		{"rsa", 2048, rsa[1:], nil, "rsa-sha2-256"},
		{"rsa", 2048, append(rsa, sha1...), append(sha1, rsa[1:]...), "rsa-sha2-256"},
		{"rsa", 2048, append(rsa, sha1...), sha1, "ssh-rsa"},
		{"rsa", 2048, sha1, nil, ""},
		{"rsa", 2048, nil, sha1, ""},
		{"ed25519", 0, nil, rsa, ""},
	} {
		key, err := keys.Generate(tt.kind, tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		policy := new(algorithmOf)
		s := sshtest.NewServer(t, func(s *sshserver.Server) {
			s.PublicKey, s.SignatureAlgorithms = policy, tt.server
		})
		cfg := s.ClientConfig()
		cfg.Auth, cfg.SignatureAlgorithms = []sshclient.AuthMethod{sshclient.PublicKeys(key)}, tt.client
		c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
		if err == nil {
			c.Close()
		}
		var refused *sshclient.AuthError
		if (err == nil) != (tt.want != "") || err != nil && !errors.As(err, &refused) || policy.seen != tt.want {
			t.Errorf("%s %d, client %q, server %q: %v, signed with %q, want %q", tt.kind, tt.bits, tt.client, tt.server, err, policy.seen, tt.want)
		}
	}
}

// algorithmOf lets every key in and notes how it signed.
type algorithmOf struct{ seen string }

func (p *algorithmOf) Acceptable(context.Context, sshserver.Attempt, keys.PublicKey) bool {
	return true
}

func (p *algorithmOf) Authorize(_ context.Context, _ sshserver.Attempt, k sshserver.VerifiedKey) (*sshserver.Grant, error) {
	p.seen = k.Algorithm()
	return &sshserver.Grant{}, nil
}
