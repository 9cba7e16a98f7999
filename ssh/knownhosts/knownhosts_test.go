package knownhosts_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

const fixture = "testdata/known_hosts"

func load(t testing.TB, paths ...string) *knownhosts.Store {
	t.Helper()
	s, err := knownhosts.Load(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func public(t testing.TB, name string) keys.PublicKey {
	t.Helper()
	key, _, err := keys.LoadPublic(filepath.Join("testdata", name+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// The file was made with ssh-keygen of OpenSSH; one key in it is of a type
// that only OpenSSH 10.6 knows.
func TestCheck(t *testing.T) {
	s := load(t, fixture, "testdata/does-not-exist")
	for _, row := range []struct {
		addr, key, want string // want: "ok", or the kind and the lines
	}{
		{"plain.example:22", "ed25519", "ok"},
		{"plain.example", "ed25519", "ok"},
		{"PLAIN.example:22", "ed25519", "ok"},
		{"plain.example:22", "rsa", "changed 3"},
		{"plain.example:22", "ecdsa", "changed 3"},
		{"plain.example:2222", "ed25519", "ok"}, // by its name alone, as OpenSSH
		{"plain.example:2222", "ecdsa", "unknown"},
		{"plain.example.:22", "ed25519", "unknown"},
		{"xplain.example:22", "ed25519", "unknown"},
		{"192.0.2.7:22", "ed25519", "ok"},
		{"multi.example:2222", "ed25519", "ok"},
		{"multi.example:2222", "ecdsa", "changed 4"},
		{"hashed.example:22", "ed25519", "ok"},
		{"hashed.example:22", "ecdsa", "changed 5"},
		{"hashed.example:2222", "ed25519", "changed 6"},
		{"hashed.example:2222", "revoked", "revoked 16"}, // although it is the known one
		{"a.wild.example:22", "ecdsa", "ok"},
		{"a.b.wild.example:22", "ecdsa", "ok"},
		{"bad.wild.example:22", "ecdsa", "unknown"},
		{"wild.example:22", "ecdsa", "unknown"},
		{"crlf.example:22", "ed25519", "ok"},
		{"several.example:22", "ecdsa", "ok"},
		{"several.example:22", "ed25519", "ok"},
		{"several.example:22", "rsa", "ok"},
		{"pq.example:22", "ed25519", "unknown 12"},
		{"both.example:22", "ed25519", "ok"},
		{"both.example:22", "rsa", "changed 14"},
		{"a.ca.example:22", "ed25519", "unknown"}, // an authority's key is no host's
		{"anything.example:22", "revoked", "revoked 16"},
		{"anything.example:2222", "revoked", "revoked 16"},
		{"x.example:22", "ed25519", "unknown"},
		{"broken.example:22", "ed25519", "unknown"},
		{"liar.example:22", "rsa", "unknown"},
		{"indented.example:22", "ed25519", "ok"},
		{"last.example:22", "ed25519", "ok"},
		{"[2001:db8::1]:22", "ed25519", "unknown"},
		{"", "ed25519", "unknown"},
	} {
		t.Run(row.addr+" "+row.key, func(t *testing.T) {
			got := "ok"
			err := s.Check(row.addr, public(t, row.key))
			if ke, ok := errors.AsType[*knownhosts.KeyError](err); ok {
				got = ke.Kind.String()
				for _, e := range ke.Want {
					got += fmt.Sprintf(" %d", e.Line)
				}
			} else if err != nil {
				got = err.Error()
			}
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestCheckRefusesCertificates(t *testing.T) {
	cert, _, err := keys.LoadPublic("testdata/ed25519-cert.pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := load(t, fixture).Check("a.ca.example:22", cert); !errors.Is(err, knownhosts.ErrCertificate) {
		t.Errorf("got %v, want ErrCertificate", err)
	}
}

func TestAlgorithms(t *testing.T) {
	s := load(t, fixture)
	for _, row := range []struct{ addr, want string }{
		{"several.example:22", "ecdsa-sha2-nistp256 ssh-ed25519 rsa-sha2-512 rsa-sha2-256"},
		{"several.example:2222", "ecdsa-sha2-nistp256 ssh-ed25519 rsa-sha2-512 rsa-sha2-256"},
		{"hashed.example:2222", "ssh-ed25519"},
		{"both.example:22", "ssh-ed25519"},
		{"pq.example:22", ""},
		{"a.ca.example:22", ""},
		{"anything.example:22", ""},
	} {
		if got := strings.Join(s.Algorithms(row.addr), " "); got != row.want {
			t.Errorf("Algorithms(%q) = %q, want %q", row.addr, got, row.want)
		}
	}
}

func TestNotes(t *testing.T) {
	want := map[int]string{
		12: `key type "ssh-mldsa44-ed25519" is not supported`,
		13: `key type "ssh-mldsa44-ed25519" is not supported`,
		17: `unknown marker "@unknown"`,
		18: "a host, a key type and a key are needed",
		19: "a host, a key type and a key are needed",
		20: "malformed key: it is not base64",
		21: "malformed key: called ssh-rsa, but it is a ssh-ed25519",
		22: "malformed hashed name",
	}
	for _, n := range load(t, fixture).Notes() {
		if n.Err.Error() != want[n.Line] {
			t.Errorf("%s, want %q", n, want[n.Line])
		}
		delete(want, n.Line)
	}
	if len(want) > 0 {
		t.Errorf("no notes about %v", want)
	}
}

func TestLookup(t *testing.T) {
	var lines []int
	for _, e := range load(t, fixture).Lookup("both.example") {
		lines = append(lines, e.Line)
		if e.Line == 13 && (e.Key != nil || e.KeyType != "ssh-mldsa44-ed25519") {
			t.Errorf("line 13: got %s with key %v", e.KeyType, e.Key)
		}
	}
	if fmt.Sprint(lines) != "[13 14 16]" {
		t.Errorf("got lines %v, want 13, 14 and that of @revoked *", lines)
	}
}

func TestNormalize(t *testing.T) {
	for _, row := range []struct{ addr, want string }{
		{"Example.COM", "example.com"},
		{"example.com:22", "example.com"},
		{"example.com:2222", "[example.com]:2222"},
		{"[example.com]:2222", "[example.com]:2222"},
		{"2001:DB8::1", "2001:db8::1"},
		{"[2001:db8::1]:22", "2001:db8::1"},
		{"[2001:db8::1]:23", "[2001:db8::1]:23"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"fe80::1%eth0", "fe80::1%eth0"},
	} {
		if got := knownhosts.Normalize(row.addr); got != row.want {
			t.Errorf("Normalize(%q) = %q, want %q", row.addr, got, row.want)
		}
		if err := knownhosts.CheckName(row.addr); err != nil {
			t.Errorf("CheckName(%q) = %v", row.addr, err)
		}
	}
}

func TestNamesThatAreNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "known_hosts")
	for _, addr := range []string{
		"", ":22", "a b", "a\tb", "a\nb", "evil\n@cert-authority * ssh-ed25519 AAAA", "a\rb", "a\x00b", "a,b", "*", "a?", "!a", "|1|a|b", "#a", "@revoked", "a:port", "a:22\n", `"a"`,
	} {
		if err := knownhosts.Append(path, addr, public(t, "ed25519"), false); err == nil {
			t.Errorf("Append(%q) worked", addr)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file was made: %v", err)
	}
}

func TestMatchPattern(t *testing.T) {
	for _, row := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true},
		{"*", "", true},
		{"*", "a", true},
		{"?", "", false},
		{"?", "a", true},
		{"a*c", "abbc", true},
		{"a*c", "ab", false},
		{"*.b", "a.b", true},
		{"*.b", ".b", true},
		{"*.b", "b", false},
		{"a**b", "ab", true},
		{"*a*b*", "xxaxxbxx", true},
		{"a", "ab", false},
		{"ab", "a", false},
		{"*?", "a", true},
	} {
		if got := knownhosts.MatchPattern(row.pattern, row.name); got != row.want {
			t.Errorf("MatchPattern(%q, %q) = %v", row.pattern, row.name, got)
		}
	}
	start := time.Now()
	if knownhosts.MatchPattern(strings.Repeat("*a", 1000)+"b", strings.Repeat("a", 10000)) {
		t.Error("a pattern that ends in b matched a name that does not")
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("a hostile pattern took %v", d)
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile(fixture)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, "plain.example:22")
	f.Add([]byte("|1|x|y ssh-rsa AAAA"), "[::1]:22")
	f.Fuzz(func(t *testing.T, text []byte, addr string) {
		s := new(knownhosts.Store)
		s.AddText("fuzz", text)
		_ = s.Algorithms(addr)
		key := public(t, "ed25519")
		before := s.Check(addr, key)
		if ke, ok := errors.AsType[*knownhosts.KeyError](before); ok {
			_ = ke.Error()
		}
		line, err := knownhosts.Line(addr, key, len(text)%2 == 0)
		if err != nil {
			return
		}
		if strings.Count(line, "\n") != 1 {
			t.Fatalf("Line(%q) = %q", addr, line)
		}
		s = new(knownhosts.Store)
		s.AddText("fuzz", []byte(line))
		if err := s.Check(addr, key); err != nil {
			t.Errorf("%q is not found again in %q: %v", addr, line, err)
		}
	})
}
