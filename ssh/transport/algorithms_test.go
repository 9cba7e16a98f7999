package transport

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
)

func TestDefaultsAreTheGoodOnes(t *testing.T) {
	d := Defaults()
	for _, row := range []struct {
		what string
		got  []string
		want string
	}{
		{"key exchange", d.Kex, "mlkem768x25519-sha256,curve25519-sha256,curve25519-sha256@libssh.org," +
			"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256"},
		{"host keys", d.HostKeys, "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"},
		{"ciphers", d.Ciphers, "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr"},
		{"MACs", d.MACs, "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512"},
		{"compression", d.Compression, "none"},
	} {
		if got := strings.Join(row.got, ","); got != row.want {
			t.Errorf("%s: got %s, want %s", row.what, got, row.want)
		}
	}
}

// TestLegacyIsThereWhenAskedFor appends each old algorithm to the defaults,
// as a user does with "+".
func TestLegacyIsThereWhenAskedFor(t *testing.T) {
	d, s := Defaults(), Supported()
	for _, row := range []struct {
		name         string
		defaults, in []string
	}{
		{"diffie-hellman-group14-sha1", d.Kex, s.Kex},
		{"ssh-rsa", d.HostKeys, s.HostKeys},
		{"aes128-cbc", d.Ciphers, s.Ciphers},
		{"aes192-cbc", d.Ciphers, s.Ciphers},
		{"aes256-cbc", d.Ciphers, s.Ciphers},
		{"hmac-sha1", d.MACs, s.MACs},
		{"hmac-sha1-etm@openssh.com", d.MACs, s.MACs},
	} {
		if slices.Contains(row.defaults, row.name) {
			t.Errorf("%s is offered unasked", row.name)
		}
		list, err := ParseList("+"+row.name, row.defaults, row.in)
		if err != nil || len(list) != len(row.defaults)+1 || list[len(list)-1] != row.name {
			t.Errorf("+%s = %q, %v", row.name, list, err)
		}
	}
}

// BenchmarkHandshake measures a handshake of both sides by key exchange.
func BenchmarkHandshake(b *testing.B) {
	key := hostKey(b)
	for _, name := range Supported().Kex {
		b.Run(name, func(b *testing.B) {
			cfg := Config{Algorithms: Algorithms{Kex: []string{name}}}
			for b.Loop() {
				cn, sn := testkit.Pipe()
				client, server := connect(b, cn, sn, &ClientConfig{Config: cfg}, serverWith(cfg, key))
				client.Close()
				server.Close()
			}
		})
	}
}

func serverWith(cfg Config, signers ...keys.Signer) *ServerConfig {
	return &ServerConfig{Config: cfg, HostKeys: signers}
}

// TestHostKeyTypes proves host keys of all types with each of their
// algorithms, and with ssh-rsa where both sides asked for it.
func TestHostKeyTypes(t *testing.T) {
	for _, row := range []struct {
		kind       string
		bits       int
		algorithms string
	}{
		{"ed25519", 0, "ssh-ed25519"},
		{"ecdsa", 256, "ecdsa-sha2-nistp256"},
		{"ecdsa", 384, "ecdsa-sha2-nistp384"},
		{"ecdsa", 521, "ecdsa-sha2-nistp521"},
		{"rsa", 2048, "rsa-sha2-512 rsa-sha2-256 ssh-rsa"},
	} {
		key, err := keys.Generate(row.kind, row.bits)
		if err != nil {
			t.Fatal(err)
		}
		for _, alg := range strings.Fields(row.algorithms) {
			cfg := Config{Algorithms: Algorithms{HostKeys: []string{alg}}, Rekey: Rekey{Bytes: 16 << 10}}
			cn, sn := testkit.Pipe()
			var asked HostKey
			cc := &ClientConfig{Config: cfg, HostKey: func(_ context.Context, k HostKey) error {
				asked = k
				return nil
			}}
			client, _ := connect(t, cn, sn, cc, serverWith(cfg, key))
			if asked.Algorithm != alg || !keys.Equal(asked.Key, key.PublicKey()) || client.State().Algorithms.HostKey != alg {
				t.Errorf("%s: asked about %s, %s", alg, asked.Algorithm, keys.Fingerprint(asked.Key))
			}
		}
	}
}

// TestSHA1IsNotSpokenUnasked has an RSA host key meet a client that would take
// a SHA-1 signature only.
func TestSHA1IsNotSpokenUnasked(t *testing.T) {
	key, err := keys.Generate("rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	cn, sn := testkit.Pipe()
	done := make(chan error)
	go func() { // stops when the handshake has failed
		_, err := Server(context.Background(), sn, serverWith(Config{}, key))
		done <- err
	}()
	_, err = Client(context.Background(), cn, &ClientConfig{
		Config:  Config{Algorithms: Algorithms{HostKeys: []string{"ssh-rsa"}}},
		HostKey: func(context.Context, HostKey) error { return nil },
	})
	var none *ssh.NegotiationError
	if serr := <-done; !errors.As(err, &none) || none.Kind != "host key" || !errors.As(serr, &none) {
		t.Errorf("client: %v; server: %v", err, serr)
	}
}
