package auth_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/auth"
)

// TestStored has authentication strings of the password "secret" that servers
// made: MySQL 9.7 (SHA-256 methods), MariaDB 11.8 (the others).
func TestStored(t *testing.T) {
	for _, c := range []struct{ plugin, stored string }{
		{auth.Native, "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"},
		{auth.CachingSHA2, unhex("24412430304124104C6E685274444B64493A5803023B4936722E6D4C4C492E6856683548346448324F426E594D3332655A474B735979446C7279414A4257784C424C6770742F")},
		{auth.SHA256, unhex("2435245C152F731A3050354270044F046371706644322D244C2F4C66372F484A6B4654337232746E2F4F744F566F485541495336486356674D5A7752616C536A545442")},
		{auth.Ed25519, "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY"},
		{auth.Parsec, "P0:j317kL1zzFTL8P6a1Ififley:ymBRmd4GlYSJb/ut9VWnTwRxWIOvRyAvqXfAkZDpMio"},
	} {
		v, err := auth.NewVerifier(c.plugin, c.stored)
		if err != nil {
			t.Errorf("%s: %v", c.plugin, err)
			continue
		}
		for _, password := range []string{"secret", "Secret"} {
			d := door{client: auth.Config{Passwords: []string{password}, TLS: certificate}, secure: true}
			if said, ok, err := talk(d, v, auth.Native); ok != (password == "secret") || err != nil {
				t.Errorf("%s with %q: %v, %v, said %v", c.plugin, password, ok, err, said)
			}
		}
		for n := range c.stored { // every strict prefix but the empty one is broken
			if _, err := auth.NewVerifier(c.plugin, c.stored[:n]); err == nil && n > 0 {
				t.Errorf("%s: %q was accepted", c.plugin, c.stored[:n])
			}
		}
		if _, err := auth.NewVerifier(c.plugin, c.stored+"x"); err == nil {
			t.Errorf("%s: a longer string was accepted", c.plugin)
		}
	}
	if _, err := auth.NewVerifier(auth.CachingSHA2, "$A$000$"+strings.Repeat("x", 63)); err == nil {
		t.Error("0 rounds were accepted")
	}
	for _, plugin := range []string{auth.Old, "nonsense", ""} {
		if _, err := auth.NewVerifier(plugin, ""); err == nil {
			t.Errorf("a verifier for %q", plugin)
		}
		if _, err := auth.Hash(plugin, "x"); err == nil {
			t.Errorf("a hash for %q", plugin)
		}
		if _, err := auth.Unknown(plugin, "x", nil); err == nil {
			t.Errorf("an unknown user of %q", plugin)
		}
	}
}

func unhex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestScrambles has answers computed from the formulas by other means, and in
// the case of client_ed25519 checks with crypto/ed25519 and a key of a server.
func TestScrambles(t *testing.T) {
	nonce := []byte("\x21\x35\x5d\x6b\x48\x5c\x3a\x42\x60\x2b\x71\x65\x6c\x50\x59\x37\x2d\x74\x2f\x41")
	for _, c := range []struct{ plugin, want string }{
		{auth.Native, "c76565a94b78b50866e2ed1ba2a3eafa2f717976"},
		{auth.CachingSHA2, "e65dfec872ebb4ece888a9d82c98b19ca1390a7526dc426c4bccd5d5b79f252c"},
	} {
		if got := hex.EncodeToString(proof(t, c.plugin, nonce)); got != c.want {
			t.Errorf("%s: %s, want %s", c.plugin, got, c.want)
		}
		// The NUL behind a nonce is not part of it.
		if got := hex.EncodeToString(proof(t, c.plugin, append(nonce, 0))); got != c.want {
			t.Errorf("%s with the NUL: %s, want %s", c.plugin, got, c.want)
		}
	}
	public, err := base64.RawStdEncoding.DecodeString("ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY")
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Repeat(nonce[:16], 2)
	if !ed25519.Verify(public, long, proof(t, auth.Ed25519, long)) {
		t.Error("client_ed25519: the signature does not fit MariaDB's key")
	}
}

func proof(t *testing.T, plugin string, nonce []byte) []byte {
	t.Helper()
	e := auth.NewExchange(&auth.Config{Passwords: []string{"secret"}}, plugin, nonce)
	_, b, err := e.First()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestUnknownUsers sees that who does not exist cannot be told from a wrong
// password by what is said.
func TestUnknownUsers(t *testing.T) {
	secret := []byte("sixteen bytes ok")
	for _, plugin := range []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Clear, auth.Ed25519, auth.Parsec, auth.Dialog} {
		d := door{client: auth.Config{Passwords: []string{"guess"}, TLS: certificate, Plugins: []string{plugin}}, secure: true}
		if plugin == auth.Parsec || plugin == auth.Ed25519 || plugin == auth.Dialog {
			d.client.Plugins = append(d.client.Plugins, auth.Native)
		}
		v, err := auth.Unknown(plugin, "nobody", secret)
		if err != nil {
			t.Fatal(err)
		}
		said, ok, err := talk(d, v, auth.Native)
		known, _, _ := talk(d, account(t, plugin, "right"), auth.Native)
		if ok || err != nil || strings.Join(said, " ") != strings.Join(known, " ") {
			t.Errorf("%s: %v, %v\nunknown %v\nknown   %v", plugin, ok, err, said, known)
		}
		empty := auth.Config{TLS: certificate, Plugins: d.client.Plugins, Answer: func(string, bool) (string, error) { return "", nil }}
		if _, ok, _ := talk(door{client: empty, secure: true}, v, auth.Native); ok {
			t.Errorf("%s: an unknown user with an empty password got in", plugin)
		}
	}
	salt := func(user string, secret []byte) string {
		v, err := auth.Unknown(auth.Parsec, user, secret)
		if err != nil {
			t.Fatal(err)
		}
		reply, _ := v.Session(&auth.Login{}).Next(nil)
		return string(reply)
	}
	if a, b := salt("nobody", secret), salt("nobody", secret); a != b {
		t.Error("the salt of an unknown user changes")
	}
	if a, b, c := salt("nobody", secret), salt("someone", secret), salt("nobody", []byte("another")); a == b || a == c {
		t.Error("the salts of unknown users are alike")
	}
}

// TestUnknownUsersTakeAsLong compares the work, with a wide margin.
func TestUnknownUsersTakeAsLong(t *testing.T) {
	unknown, err := auth.Unknown(auth.CachingSHA2, "nobody", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	spent := func(v auth.Verifier) time.Duration {
		best := time.Hour
		for range 7 {
			start := time.Now()
			s := v.Session(&auth.Login{Nonce: auth.NewNonce(), Secure: true})
			s.Next(make([]byte, 32))
			s.Next([]byte("wrong\x00"))
			best = min(best, time.Since(start))
		}
		return best
	}
	known, none, empty := spent(account(t, auth.CachingSHA2, "right")), spent(unknown), spent(account(t, auth.CachingSHA2, ""))
	for name, d := range map[string]time.Duration{"an unknown user": none, "a user without a password": empty} {
		if d < known/4 || d > known*4 {
			t.Errorf("%s takes %v, a known one %v", name, d, known)
		}
	}
}

func TestNonce(t *testing.T) {
	seen := map[byte]bool{}
	for range 1000 {
		n := auth.NewNonce()
		if len(n) != auth.NonceSize || bytes.ContainsAny(n, "\x00$") {
			t.Fatalf("NewNonce() = %x", n)
		}
		for _, b := range n {
			if seen[b] = true; b > 0x7f {
				t.Fatalf("NewNonce() = %x", n)
			}
		}
	}
	if len(seen) != 126 {
		t.Errorf("%d different bytes, want 126", len(seen))
	}
	for _, plugin := range []string{auth.Ed25519, auth.Parsec} {
		v := account(t, plugin, "x")
		for range 300 {
			n := v.Session(&auth.Login{}).Challenge()
			if len(n) != 32 || bytes.IndexByte(n, 0) >= 0 {
				t.Fatalf("%s: a nonce of %d bytes: %x", plugin, len(n), n)
			}
		}
	}
}

func TestDialogQuestions(t *testing.T) {
	v, err := auth.NewDialog(func(answers []string) bool {
		return strings.Join(answers, "|") == "secret|123456|blue"
	}, auth.Question{Prompt: "Password: "}, auth.Question{Prompt: "One-time code: "}, auth.Question{Prompt: "Colour? ", Echo: true})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	answers := map[string]string{"One-time code: ": "123456", "Colour? ": "blue"}
	d := door{secure: true, client: auth.Config{TLS: certificate, Passwords: []string{"secret"}, Answer: func(prompt string, echo bool) (string, error) {
		if echo {
			prompt += "(echo)"
		}
		asked = append(asked, prompt)
		return answers[strings.TrimSuffix(prompt, "(echo)")], nil
	}}}
	if said, ok, err := talk(d, v, auth.Native); !ok || err != nil {
		t.Errorf("%v, %v, said %v", ok, err, said)
	}
	if got := strings.Join(asked, ","); got != "One-time code: ,Colour? (echo)" {
		t.Errorf("asked %q", got)
	}
	d.client.Answer = nil
	if _, ok, err := talk(d, v, auth.Native); ok || err == nil {
		t.Errorf("with nobody to answer: %v, %v", ok, err)
	}
	d.client.Answer = func(string, bool) (string, error) { return "a\x00b", nil }
	if _, ok, err := talk(d, v, auth.Native); ok || err == nil {
		t.Errorf("with a NUL: %v, %v", ok, err)
	}
	if _, err := auth.NewDialog(nil); err == nil {
		t.Error("a dialog without questions")
	}
}

// TestPasswordInTheOpen sends the password where it should not be: the server
// does not even look at it.
func TestPasswordInTheOpen(t *testing.T) {
	for _, plugin := range []string{auth.Clear, auth.Dialog, auth.SHA256} {
		s := account(t, plugin, "secret").Session(&auth.Login{Nonce: auth.NewNonce()})
		if _, v := s.Next([]byte("secret\x00")); v != auth.Refused {
			t.Errorf("%s over an open connection: verdict %d", plugin, v)
		}
	}
	if _, err := auth.NewCheck(auth.Native, nil); err == nil {
		t.Error("a check of passwords that are not sent")
	}
	v, err := auth.NewCheck(auth.Clear, func(p []byte) bool { return string(p) == "token" })
	if err != nil {
		t.Fatal(err)
	}
	d := door{secure: true, client: auth.Config{Local: true, Plugins: []string{auth.Clear}, Passwords: []string{"token"}}}
	if said, ok, err := talk(d, v, auth.Clear); !ok || err != nil {
		t.Errorf("%v, %v, said %v", ok, err, said)
	}
}

// TestHostileAnswers sends to servers what no client sends.
func TestHostileAnswers(t *testing.T) {
	for _, plugin := range []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Clear, auth.Ed25519, auth.Parsec, auth.Dialog} {
		v := account(t, plugin, "secret")
		for _, secure := range []bool{true, false} {
			for _, first := range []string{"", "\x00", "\x01", "\x02", strings.Repeat("x", 20), strings.Repeat("x", 32), strings.Repeat("x", 70000) + "\x00"} {
				for _, second := range []string{"", "\x01", "\x02", strings.Repeat("x", 96), strings.Repeat("x", 256), strings.Repeat("x", 70000) + "\x00"} {
					s := v.Session(&auth.Login{Nonce: auth.NewNonce(), Secure: secure, Key: key()})
					_, verdict := s.Next([]byte(first))
					if verdict == auth.More {
						_, verdict = s.Next([]byte(second))
					}
					if verdict == auth.Accepted {
						t.Errorf("%s: %.20q then %.20q let somebody in", plugin, first, second)
					}
				}
			}
		}
	}
}

func FuzzStored(f *testing.F) {
	f.Add("*14E65567ABDB5135D0CFD9A70B3032C179A49EE7", uint8(0))
	f.Add("P0:j317kL1zzFTL8P6a1Ififley:ymBRmd4GlYSJb/ut9VWnTwRxWIOvRyAvqXfAkZDpMio", uint8(4))
	f.Add("$A$005$"+strings.Repeat("x", 63), uint8(1))
	plugins := []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Ed25519, auth.Parsec}
	f.Fuzz(func(t *testing.T, stored string, n uint8) {
		v, err := auth.NewVerifier(plugins[int(n)%len(plugins)], stored)
		if err != nil {
			return
		}
		s := v.Session(&auth.Login{Nonce: auth.NewNonce()})
		if _, verdict := s.Next([]byte("guess")); verdict == auth.Accepted {
			t.Errorf("%q let somebody in", stored)
		}
	})
}
