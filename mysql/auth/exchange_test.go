package auth_test

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/mysql/auth"
)

// key returns an RSA key for all tests.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := auth.NewKey()
	if err != nil {
		panic(err)
	}
	return k
})

// A door is how a client comes to a server.
type door struct {
	client auth.Config
	secure bool // as the server sees it
	key    *rsa.PrivateKey
}

var certificate = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("certificate")}}}

// talk lets an exchange and a session talk, and returns what they say: the
// client's packets as ">", the server's as "<".
func talk(d door, v auth.Verifier, announced string) (said []string, ok bool, err error) {
	nonce := auth.NewNonce()
	e := auth.NewExchange(&d.client, announced, nonce)
	plugin, data, err := e.First()
	if err != nil {
		return nil, false, err
	}
	s := v.Session(&auth.Login{Nonce: nonce, Secure: d.secure, Key: d.key})
	said = append(said, ">"+plugin)
	if plugin != v.Plugin() {
		said = append(said, "<"+v.Plugin())
		if data, err = e.Switch(v.Plugin(), s.Challenge()); err != nil {
			return said, false, err
		}
	}
	for {
		said = append(said, fmt.Sprintf(">%d", len(data)))
		reply, verdict := s.Next(data)
		if reply != nil {
			said = append(said, fmt.Sprintf("<%.1x", reply))
			var back []byte
			if back, err = e.More(reply); err != nil {
				return said, false, err
			}
			if verdict == auth.More && back == nil {
				return said, false, errors.New("the client has nothing to say")
			}
			data = back
		}
		switch verdict {
		case auth.More:
			continue
		case auth.Accepted:
			info := ""
			if h, ok := s.(auth.Hasher); ok && certificate != nil {
				hash, n := h.PasswordHash()
				if n == nil {
					n = nonce
				}
				info = auth.Proof(hash, n, certificate.PeerCertificates[0].Raw)
			}
			return said, true, e.OK(info)
		}
		return said, false, nil
	}
}

func account(t testing.TB, plugin, password string) auth.Verifier {
	t.Helper()
	v, err := auth.NewAccount(plugin, password)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMethods(t *testing.T) {
	all := []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Clear, auth.Ed25519, auth.Parsec, auth.Dialog}
	client := auth.Config{Plugins: all, TLS: certificate, AllowKeyRetrieval: true}
	doors := map[string]door{
		"TLS":  {client: client, secure: true},
		"RSA":  {client: auth.Config{AllowKeyRetrieval: true}, key: key()},
		"key":  {client: auth.Config{ServerKey: &key().PublicKey}, key: key()},
		"unix": {client: auth.Config{Plugins: all, Local: true}, secure: true},
	}
	for _, plugin := range all {
		for _, password := range []string{"secret", "päßwörd with spaces", strings.Repeat("long", 50), "\x00", ""} {
			if password == "\x00" && plugin != auth.Native {
				password = "x"
			}
			v := account(t, plugin, password)
			for name, d := range doors {
				if (plugin == auth.Clear || plugin == auth.Dialog) && !d.secure {
					continue
				}
				for _, announced := range []string{auth.Native, auth.CachingSHA2, plugin} {
					if announced == auth.Parsec || announced == auth.Ed25519 || announced == auth.Dialog {
						continue // servers announce what has a nonce of 20 bytes
					}
					d.client.Passwords = []string{password}
					d.client.Answer = nil
					if plugin == auth.Dialog && password == "" {
						d.client.Answer = func(string, bool) (string, error) { return "", nil }
					}
					if said, ok, err := talk(d, v, announced); !ok || err != nil {
						t.Errorf("%s with %q over %s, announced %s: %v %v, said %v", plugin, password, name, announced, ok, err, said)
					}
					d.client.Passwords = []string{password + "x"}
					d.client.Answer = nil
					if said, ok, err := talk(d, v, announced); ok || err != nil {
						t.Errorf("%s with a wrong password over %s, announced %s: %v %v, said %v", plugin, name, announced, ok, err, said)
					}
				}
			}
		}
	}
}

// TestCachingSHA2Rounds sees each way of caching_sha2_password, above all the
// fast one, which full authentication would hide if it were broken.
func TestCachingSHA2Rounds(t *testing.T) {
	v := account(t, auth.CachingSHA2, "secret")
	password := auth.Config{Passwords: []string{"secret"}, AllowKeyRetrieval: true}
	given := auth.Config{Passwords: []string{"secret"}, ServerKey: &key().PublicKey}
	over := auth.Config{Passwords: []string{"secret"}, TLS: certificate}
	wrong := auth.Config{Passwords: []string{"wrong"}, TLS: certificate}
	for i, c := range []struct {
		door  door
		fresh bool // the server has forgotten
		want  string
	}{
		{door{client: wrong, secure: true}, true, ">caching_sha2_password >32 <04 >6 false"},
		{door{client: over, secure: true}, true, ">caching_sha2_password >32 <04 >7 true"},
		{door{client: over, secure: true}, false, ">caching_sha2_password >32 <03 true"},
		{door{client: password, key: key()}, false, ">caching_sha2_password >32 <03 true"},
		{door{client: wrong, secure: true}, false, ">caching_sha2_password >32 <04 >6 false"},
		{door{client: over, secure: true}, false, ">caching_sha2_password >32 <03 true"},
		{door{client: password, key: key()}, true, ">caching_sha2_password >32 <04 >1 <2d >256 true"},
		{door{client: given, key: key()}, true, ">caching_sha2_password >32 <04 >256 true"},
		{door{client: given}, true, ">caching_sha2_password >32 <04 >256 false"},
	} {
		if c.fresh {
			v = account(t, auth.CachingSHA2, "secret")
		}
		said, ok, err := talk(c.door, v, auth.CachingSHA2)
		if got := fmt.Sprint(strings.Join(said, " "), " ", ok); err != nil || got != c.want {
			t.Errorf("%d: %s, %v\nwant %s", i, got, err, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	some := []string{"secret"}
	nonce := auth.NewNonce()
	for _, c := range []struct {
		name   string
		cfg    auth.Config
		plugin string
		reason string
	}{
		{"old", auth.Config{Passwords: some, TLS: certificate}, auth.Old, "protects nothing"},
		{"unknown", auth.Config{Passwords: some, TLS: certificate}, "authentication_oci_client", "not known"},
		{"not in the list", auth.Config{Passwords: some, Plugins: []string{auth.CachingSHA2}}, auth.Native, "not allowed"},
		{"clear not named", auth.Config{Passwords: some, TLS: certificate}, auth.Clear, "has not been allowed"},
		{"clear in the open", auth.Config{Passwords: some, Plugins: []string{auth.Clear, auth.Native}}, auth.Clear, "not encrypted"},
		{"dialog in the open", auth.Config{Passwords: some}, auth.Dialog, "not encrypted"},
		{"sha256 in the open", auth.Config{Passwords: some}, auth.SHA256, "neither a public key"},
		{"no proof", auth.Config{Passwords: some, TLS: certificate, Proof: true}, auth.CachingSHA2, "cannot prove itself"},
		{"no proof, clear", auth.Config{Passwords: some, TLS: certificate, Proof: true, Plugins: []string{auth.Clear, auth.Native}}, auth.Clear, "cannot prove itself"},
		{"no password to prove", auth.Config{TLS: certificate, Proof: true}, auth.Native, "without a password"},
	} {
		e := auth.NewExchange(&c.cfg, auth.Native, nonce)
		if _, _, err := e.First(); err != nil && !strings.Contains(c.name, "no password") {
			t.Errorf("%s: First() = %v", c.name, err)
		}
		reply, err := e.Switch(c.plugin, append(nonce, 0))
		var refused *auth.RefusedError
		if !errors.As(err, &refused) || refused.Plugin != c.plugin || !strings.Contains(refused.Reason, c.reason) || reply != nil {
			t.Errorf("%s: Switch() = %q, %v, want %q", c.name, reply, err, c.reason)
		}
	}
}

// TestKeyIsNotFetched is the theft of a password by a server's own key.
func TestKeyIsNotFetched(t *testing.T) {
	e := auth.NewExchange(&auth.Config{Passwords: []string{"secret"}}, auth.CachingSHA2, auth.NewNonce())
	if _, _, err := e.First(); err != nil {
		t.Fatal(err)
	}
	var refused *auth.RefusedError
	if reply, err := e.More([]byte{4}); !errors.As(err, &refused) || reply != nil {
		t.Errorf("More(04) = %x, %v", reply, err)
	}
}

func TestFirst(t *testing.T) {
	for _, c := range []struct {
		announced string
		cfg       auth.Config
		want      string // the method or the error
	}{
		{"", auth.Config{}, auth.Native},
		{auth.CachingSHA2, auth.Config{}, auth.CachingSHA2},
		{"authentication_unheard_of", auth.Config{}, auth.CachingSHA2},
		{auth.Clear, auth.Config{}, auth.CachingSHA2},
		{auth.Native, auth.Config{Plugins: []string{auth.CachingSHA2}}, auth.CachingSHA2},
		{auth.CachingSHA2, auth.Config{Plugins: []string{auth.Native}}, auth.Native},
		{auth.CachingSHA2, auth.Config{Proof: true, TLS: certificate, Passwords: []string{"x"}}, auth.Native},
		{auth.CachingSHA2, auth.Config{Plugins: []string{}}, `the server asks for authentication with "caching_sha2_password": the method is not allowed`},
	} {
		got, _, err := auth.NewExchange(&c.cfg, c.announced, auth.NewNonce()).First()
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("announced %q with %v: %q, want %q", c.announced, c.cfg.Plugins, got, c.want)
		}
	}
}

func TestManySwitches(t *testing.T) {
	e := auth.NewExchange(&auth.Config{Passwords: []string{"secret"}}, auth.CachingSHA2, auth.NewNonce())
	if _, _, err := e.First(); err != nil {
		t.Fatal(err)
	}
	long := make([]byte, 32)
	for i, plugin := range []string{auth.Native, auth.Ed25519, auth.Parsec, auth.CachingSHA2} { // several are normal
		nonce := auth.NewNonce()
		if plugin == auth.Ed25519 || plugin == auth.Parsec {
			nonce = long
		}
		if _, err := e.Switch(plugin, nonce); err != nil || e.Plugin() != plugin {
			t.Errorf("switch %d: %v, now %s", i, err, e.Plugin())
		}
	}
	var err error
	rounds := 4
	for ; err == nil && rounds < 100; rounds++ {
		_, err = e.Switch(auth.Native, auth.NewNonce())
	}
	var refused *auth.RefusedError
	if !errors.As(err, &refused) || rounds != 33 {
		t.Errorf("after %d switches: %v", rounds, err)
	}
}

func TestFactors(t *testing.T) {
	e := auth.NewExchange(&auth.Config{Passwords: []string{"one", "two"}}, auth.Native, auth.NewNonce())
	if _, _, err := e.First(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"two", ""} {
		v := account(t, auth.Native, want)
		s := v.Session(&auth.Login{Nonce: auth.NewNonce()})
		reply, err := e.NextFactor(auth.Native, s.Challenge())
		if err != nil {
			t.Fatal(err)
		}
		if _, verdict := s.Next(reply); verdict != auth.Accepted {
			t.Errorf("factor %d: verdict %d", i+2, verdict)
		}
	}
	if _, err := e.NextFactor(auth.Native, auth.NewNonce()); err == nil {
		t.Error("a fourth factor was answered")
	}
}

func TestProof(t *testing.T) {
	for _, plugin := range []string{auth.Native, auth.Ed25519, auth.Parsec} {
		d := door{client: auth.Config{Passwords: []string{"secret"}, TLS: certificate, Proof: true}, secure: true}
		if said, ok, err := talk(d, account(t, plugin, "secret"), auth.Native); !ok || err != nil {
			t.Errorf("%s: %v, %v, said %v", plugin, ok, err, said)
		}
		d.client.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("somebody else's")}}}
		if _, ok, err := talk(d, account(t, plugin, "secret"), auth.Native); !ok || err == nil {
			t.Errorf("%s with another certificate: %v, %v", plugin, ok, err)
		}
	}
	e := auth.NewExchange(&auth.Config{Passwords: []string{"x"}, TLS: certificate, Proof: true}, auth.Native, auth.NewNonce())
	if err := e.OK(""); err == nil {
		t.Error("an OK before any method was believed")
	}
}

// TestProofOfNothing: a server that lets a client in before the method is
// through, and proves that it knows the hash that nobody has made, is a stranger.
func TestProofOfNothing(t *testing.T) {
	for _, plugin := range []string{auth.Native, auth.Ed25519, auth.Parsec} {
		nonce := auth.NewNonce()
		e := auth.NewExchange(&auth.Config{Passwords: []string{"secret"}, TLS: certificate, Proof: true}, plugin, nonce)
		if _, _, err := e.First(); err != nil {
			t.Fatal(err)
		}
		if err := e.OK(auth.Proof(nil, nonce, certificate.PeerCertificates[0].Raw)); err == nil {
			t.Errorf("%s: a proof made without a password was believed", plugin)
		}
	}
}

// TestHostileData sends what no server sends.
func TestHostileData(t *testing.T) {
	long := strings.Repeat("x", 70000)
	for _, plugin := range []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Clear, auth.Ed25519, auth.Parsec, auth.Dialog, "other"} {
		for _, first := range []string{"", "\x00", "12345678901234567890", long} {
			for _, next := range []string{"", "\x00", "\x01", "\x03", "\x04", "P\x04123456789012345678", "P\x00123456789012345678", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", long} {
				e := auth.NewExchange(&auth.Config{Passwords: []string{"x"}, Local: true, Plugins: []string{plugin}}, plugin, []byte(first))
				if _, _, err := e.First(); err != nil {
					continue
				}
				_, _ = e.More([]byte(next))
				_, _ = e.More([]byte(next))
				_, _ = e.Switch(plugin, []byte(next))
			}
		}
	}
	e := auth.NewExchange(nil, "", nil)
	if _, err := e.More([]byte{1}); err == nil {
		t.Error("More before First succeeded")
	}
}
