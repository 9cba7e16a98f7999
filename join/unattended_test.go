package join

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// onlyAda lets ada in with a key.
type onlyAda struct{ key keys.PublicKey }

func (o onlyAda) Acceptable(_ context.Context, a sshserver.Attempt, key keys.PublicKey) bool {
	return a.User == "ada" && keys.Equal(key, o.key)
}

func (o onlyAda) Authorize(ctx context.Context, a sshserver.Attempt, key sshserver.VerifiedKey) (*sshserver.Grant, error) {
	if !o.Acceptable(ctx, a, key.Key()) {
		return nil, nil
	}
	return &sshserver.Grant{}, nil
}

// home is the folder of a user with a key, and a server that lets it in.
func home(t *testing.T) (dir string, dial func(context.Context, string, string) (net.Conn, error)) {
	t.Helper()
	dir = t.TempDir()
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	userKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	private, err := keys.MarshalPrivate(userKey, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".ssh", "id_ed25519"), private, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := knownhosts.Append(filepath.Join(dir, ".ssh", "known_hosts"), "gate.example:2222", hostKey.PublicKey(), false); err != nil {
		t.Fatal(err)
	}
	server := &sshserver.Server{
		HostKeys:  []keys.Signer{hostKey},
		PublicKey: onlyAda{userKey.PublicKey()},
	}
	t.Cleanup(func() { _ = server.Close() })
	return dir, func(context.Context, string, string) (net.Conn, error) {
		near, far := testkit.Pipe()
		go func() { _ = server.ServeConn(context.Background(), far) }() // stops when the connection ends
		return near, nil
	}
}

// Unattended logs in with what a user has, and refuses what it would have to
// ask or run.
func TestUnattended(t *testing.T) {
	dir, dial := home(t)
	const gate = "Host gate\n  HostName gate.example\n  Port 2222\n  User ada\n  IdentityAgent none\n"
	for _, tt := range []struct{ name, config, host, err string }{
		{"as configured", gate, "gate", ""},
		{"nothing configured", "IdentityAgent none\n", "ada@gate.example:2222", ""},
		{"another user", gate, "bob@gate", `user "bob" was not let in`},
		{"a host that is not known", gate + "  HostKeyAlias other\n", "gate", "not known"},
		{"a host that is accepted", gate + "  HostKeyAlias new\n  StrictHostKeyChecking accept-new\n", "gate", ""},
		{"a program", "Host gate\n  ProxyCommand touch " + filepath.Join(dir, "ran") + "\n" + gate, "gate", "ProxyCommand is not run"},
		{"a program for Match", gate + "Match exec \"touch " + filepath.Join(dir, "ran") + "\"\n", "gate", config.ErrExec.Error()},
		{"what must not be ignored", gate + "  CanonicalizeHostname yes\n", "gate", "CanonicalizeHostname is not supported"},
		{"forbidden", gate + "  RefuseConnection \"not today\"\n", "gate", "not today"},
		{"through itself", gate + "  ProxyJump gate\n", "gate", "through itself"},
		{"in circles", "Host a\n ProxyJump b\nHost b\n ProxyJump a\n", "a", "more than 16 hosts"},
		{"no key", gate + "  PubkeyAuthentication no\n", "gate", "was not let in"},
		{"no host", gate, "-oProxyCommand=x", "no host to jump through"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &config.Source{
				Files: []config.File{{Path: "config", Text: []byte(tt.config), User: true}},
				Local: config.Local{User: "nobody", Home: dir},
			}
			c, err := unattended(t.Context(), s, []string{tt.host}, dial)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("Unattended = %v, %v, want %q", c, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a program was run")
	}
}

func TestAlgorithms(t *testing.T) {
	for _, tt := range []struct {
		config           config.Config
		ciphers, ignored string
		err              bool
	}{
		{config.Config{}, "", "", false},
		{config.Config{Ciphers: "rot13,aes256-ctr"}, "aes256-ctr", "Ciphers rot13", false},
		{config.Config{Ciphers: "+rot13"}, "", "Ciphers rot13", false},
		{config.Config{Ciphers: "rot13"}, "", "Ciphers rot13", true},
		{config.Config{Ciphers: "-*"}, "", "", true},
		{config.Config{PubkeyAcceptedAlgorithms: "ssh-ed25519,sk-x"}, "", "PubkeyAcceptedAlgorithms sk-x", false},
	} {
		a, signatures, ignored, err := Algorithms(&tt.config)
		if got := strings.Join(a.Ciphers, ","); got != tt.ciphers || strings.Join(ignored, ",") != tt.ignored || (err != nil) != tt.err {
			t.Errorf("%+v: ciphers %q, ignored %q, %v", tt.config, got, ignored, err)
		}
		if want := tt.config.PubkeyAcceptedAlgorithms != ""; (signatures != nil) != want {
			t.Errorf("%+v: signatures %q", tt.config, signatures)
		}
	}
	key, err := keys.Generate("rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	for bits, short := range map[int]bool{1024: false, 2048: false, 3072: true} {
		c := &config.Config{RequiredRSASize: bits}
		if got := TooShort(c, key.PublicKey()); got != short {
			t.Errorf("TooShort of 2048 bits where %d are asked for is %v", bits, got)
		}
		h := &HostKeys{Checker: &knownhosts.Checker{Policy: knownhosts.AcceptNew}, Config: c}
		if err := h.CheckHostKey(t.Context(), "h:22", key.PublicKey()); (err != nil) != short {
			t.Errorf("CheckHostKey of 2048 bits where %d are asked for: %v", bits, err)
		}
	}
}

func TestRevokedHostKeys(t *testing.T) {
	good, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	revoked := "# stolen\n\nssh-mldsa44-ed25519 AAAA future\n" + keys.AuthorizedLine(bad.PublicKey(), "x") + "\n"
	for _, tt := range []struct {
		name, text string
		key        keys.Signer
		err        string
	}{
		{"another", revoked, good, ""},
		{"this one", revoked, bad, ErrRevoked.Error()},
		{"a broken line", revoked + "ssh-ed25519 AAAA\n", good, "file:5"},
		{"half a line", "ssh-ed25519\n", good, "file:1 is no public key"},
		{"a KRL", "SSHKRL\n\x00", good, "is a KRL"},
		{"no file", "", good, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if tt.text != "" {
				if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
					t.Fatal(err)
				}
			} else {
				tt.err = filepath.Base(path)
			}
			h := &HostKeys{Checker: &knownhosts.Checker{Policy: knownhosts.AcceptNew}, Config: &config.Config{RevokedHostKeys: path}}
			err := h.CheckHostKey(t.Context(), "h:22", tt.key.PublicKey())
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("CheckHostKey = %v, want %q", err, tt.err)
			}
		})
	}
}
