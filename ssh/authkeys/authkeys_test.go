package authkeys_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/authkeys"
	"github.com/wirelark/wirelark/ssh/keys"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

func text(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func public(t testing.TB, name string) keys.PublicKey {
	t.Helper()
	key, _, err := keys.LoadPublic(filepath.Join("testdata", name+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var (
	now  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	home = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 50000}
)

func TestLines(t *testing.T) {
	ed := text(t, "ed25519")
	edType, edKey, _ := strings.Cut(ed, " ")
	for _, row := range []struct {
		name, line string
		want       string // the note; "": the line grants, without one
		grants     bool
	}{
		{"plain", ed, "", true},
		{"no comment", strings.TrimSuffix(ed, " alice@example.com"), "", true},
		{"indented, CRLF", " \t" + ed + "\r", "", true},
		{"tabs", "restrict\t" + strings.ReplaceAll(ed, " ", "\t"), "", true},
		{"options", `command="a \"b\" c,d",no-pty,from="192.0.2.0/24" ` + ed, "", true},
		{"capital option", "RESTRICT " + ed, "", true},
		{"empty", "", "", false},
		{"comment", "# " + ed, "", false},
		{"unknown type", text(t, "mldsa44_ed25519"), `key type "ssh-mldsa44-ed25519" is not supported`, false},
		{"unknown type behind options", "restrict " + text(t, "mldsa44_ed25519"), `key type "ssh-mldsa44-ed25519" is not supported`, false},
		{"option where the type is expected", "restrict " + edKey, `key type "AAAA`, false},
		{"options twice", "restrict no-pty " + ed, `key type "no-pty" is not supported`, false},
		{"option behind the type", edType + " restrict " + edKey, "malformed key", false},
		{"unknown option", "restrict,frobnicate " + ed, `unknown option "frobnicate"`, false},
		{"unknown valued option", `frobnicate="x" ` + ed, `unknown option "frobnicate"`, false},
		{"valued option without value", "command " + ed, `unknown option "command"`, false},
		{"value for a flag", `restrict="yes" ` + ed, `unknown option "restrict"`, false},
		{"value not quoted", "command=ls " + ed, "its value is not quoted", false},
		{"quotation mark missing", `command="ls ` + ed, "a quotation mark is missing", false},
		{"text behind a value", `command="ls"x ` + ed, "there is something behind its value", false},
		{"comma at the end", "restrict, " + ed, "an option has no name", false},
		{"comma at the beginning", ",restrict " + ed, "an option has no name", false},
		{"two commas", "restrict,,no-pty " + ed, "an option has no name", false},
		{"command twice", `command="a",command="b" ` + ed, "stands there twice", false},
		{"from twice", `from="*",from="*" ` + ed, "stands there twice", false},
		{"from empty", `from="" ` + ed, "an empty pattern", false},
		{"from with host bits", `from="10.0.0.1/8" ` + ed, "is no network", false},
		{"from broken network", `from="10.0.0.0/33" ` + ed, "is no network", false},
		{"expiry nonsense", `expiry-time="tomorrow" ` + ed, "is no time", false},
		{"expiry month 13", `expiry-time="20261301" ` + ed, "is no time", false},
		{"environment without value", `environment="PATH" ` + ed, "not NAME=value", false},
		{"environment strange name", `environment="A B=c" ` + ed, "not NAME=value", false},
		{"permitopen without port", `permitopen="host" ` + ed, "is no host and port", false},
		{"permitopen port 0", `permitopen="host:0" ` + ed, "is no host and port", false},
		{"permitopen port too large", `permitopen="host:65536" ` + ed, "is no host and port", false},
		{"permitopen IPv6 bare", `permitopen="::1:80" ` + ed, "is no host and port", false},
		{"permitopen no host", `permitopen=":80" ` + ed, "is no host and port", false},
		{"certificate authority", "cert-authority " + ed, "certificate authorities are not supported", false},
		{"certificate authority with principals", `cert-authority,principals="a,b" ` + ed, "certificate authorities are not supported", false},
		{"verify required", "verify-required " + ed, "verify-required is not supported", false},
		{"no touch", "no-touch-required " + ed, "no-touch-required is ignored", true},
		{"certificate", text(t, "ed25519-cert"), "a certificate cannot be an authorized key", false},
		{"type alone", "ssh-ed25519", "malformed key", false},
		{"word", "hello", "a key type and a key are needed", false},
		{"other type's name", strings.Replace(ed, "ssh-ed25519", "ssh-rsa", 1), "called ssh-rsa", false},
		{"too long", strings.Repeat("x", 1<<20), "at most", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := authkeys.Parse([]byte("# first\n" + row.line + "\n" + text(t, "rsa_pem") + "\n"))
			var note string
			for _, n := range f.Notes() {
				if n.Line != 2 {
					t.Errorf("note about line %d: %v", n.Line, n)
				}
				note = n.Err.Error()
			}
			if (note == "") != (row.want == "") || !strings.Contains(note, row.want) {
				t.Errorf("got the note %q, want %q", note, row.want)
			}
			_, err := f.Authorize(public(t, "ed25519"), home, now)
			if got := err == nil; got != row.grants {
				t.Errorf("grants: %v (%v), want %v", got, err, row.grants)
			}
			if _, err := f.Authorize(public(t, "rsa_pem"), home, now); err != nil {
				t.Errorf("the line behind it: %v", err)
			}
			if got := f.Has(public(t, "ed25519")); got != row.grants {
				t.Errorf("Has = %v, want %v", got, row.grants)
			}
		})
	}
}

func grant(t *testing.T, options string) *authkeys.Grant {
	t.Helper()
	f := authkeys.Parse([]byte(options + " " + text(t, "ed25519")))
	g, err := f.Authorize(public(t, "ed25519"), home, now)
	if err != nil {
		t.Fatalf("%s: %v, notes %v", options, err, f.Notes())
	}
	return g
}

func TestFlags(t *testing.T) {
	for _, row := range []struct{ options, want string }{ // want: what is denied
		{"", ""},
		{"no-pty", "pty"},
		{"restrict", "pty port agent x11 rc"},
		{"restrict,pty", "port agent x11 rc"},
		{"pty,restrict", "pty port agent x11 rc"},
		{"restrict,port-forwarding,agent-forwarding,X11-forwarding,user-rc", "pty"},
		{"no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-user-rc,no-pty", "pty port agent x11 rc"},
		{`tunnel="0",touch-required`, ""},
	} {
		g := grant(t, row.options)
		var denied []string
		for _, d := range []struct {
			name string
			on   bool
		}{{"pty", g.NoPTY}, {"port", g.NoPortForwarding}, {"agent", g.NoAgentForwarding}, {"x11", g.NoX11Forwarding}, {"rc", g.NoUserRC}} {
			if d.on {
				denied = append(denied, d.name)
			}
		}
		if got := strings.Join(denied, " "); got != row.want {
			t.Errorf("%q denies %q, want %q", row.options, got, row.want)
		}
	}
}

func TestValues(t *testing.T) {
	g := grant(t, `command="echo \"a,b\" \\ \n",environment="A=1",environment="B_2=x y",expiry-time="20270101Z",expiry-time="202612311530Z"`)
	if want := `echo "a,b" \\ \n`; !g.HasCommand || g.Command != want {
		t.Errorf("Command = %q, want %q", g.Command, want)
	}
	if got := fmt.Sprintf("%q", g.Environment); got != `["A=1" "B_2=x y"]` {
		t.Errorf("Environment = %s", got)
	}
	if want := time.Date(2026, 12, 31, 15, 30, 0, 0, time.UTC); !g.Expiry.Equal(want) {
		t.Errorf("Expiry = %v, want %v, the earlier one", g.Expiry, want)
	}
	if g.Line != 1 || g.Comment != "alice@example.com" {
		t.Errorf("got line %d, comment %q", g.Line, g.Comment)
	}
	if g := grant(t, `command=""`); !g.HasCommand || g.Command != "" {
		t.Errorf("an empty forced command is one too: %+v", g)
	}
}

func TestPermits(t *testing.T) {
	g := grant(t, `permitopen="db.example:3306",permitopen="[2001:db8::1]:80",permitopen="any.example:*",permitlisten="8080",permitlisten="localhost:9090"`)
	for _, row := range []struct {
		host string
		port uint32
		want bool
	}{
		{"db.example", 3306, true},
		{"db.example", 3307, false},
		{"DB.example", 3306, false},
		{"other", 3306, false},
		{"2001:db8::1", 80, true},
		{"any.example", 1, true},
		{"any.example", 65535, true},
		{"db.example", 3306 + 1<<16, false},
	} {
		if got := g.AllowsOpen(row.host, row.port); got != row.want {
			t.Errorf("AllowsOpen(%q, %d) = %v", row.host, row.port, got)
		}
	}
	for _, row := range []struct {
		host string
		port uint32
		want bool
	}{{"", 8080, true}, {"localhost", 8080, true}, {"localhost", 9090, true}, {"", 9090, false}, {"localhost", 1, false}} {
		if got := g.AllowsListen(row.host, row.port); got != row.want {
			t.Errorf("AllowsListen(%q, %d) = %v", row.host, row.port, got)
		}
	}
	if g := grant(t, `restrict,permitopen="db.example:3306"`); g.AllowsOpen("db.example", 3306) {
		t.Error("permitopen opens what restrict has closed")
	}
	if g := grant(t, ""); !g.AllowsOpen("anything", 1) || !g.AllowsListen("", 1) {
		t.Error("a line without options forbids forwarding")
	}
}

func TestFrom(t *testing.T) {
	addr := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }
	for _, row := range []struct {
		from string
		peer net.Addr
		want bool
	}{
		{"192.0.2.7", home, true},
		{"192.0.2.8", home, false},
		{"192.0.2.0/24", home, true},
		{"192.0.2.0/24", addr("::ffff:192.0.2.7"), true},
		{"192.0.2.*", home, true},
		{"192.0.2.?", home, true},
		{"192.0.2.??", home, false},
		{"*", home, true},
		{"*,!192.0.2.7", home, false},
		{"!192.0.2.7,*", home, false},
		{"!192.0.2.0/24,*", addr("198.51.100.1"), true},
		{"!198.51.100.1", home, false}, // a negation alone allows nobody
		{"2001:db8::/32", addr("2001:db8::5"), true},
		{"2001:DB8::5", addr("2001:db8::5"), true},
		{"2001:db8::/32", home, false},
		{"host.example", home, false}, // names are not looked up
		{"0.0.0.0/0", home, true},
		{"*", nil, false},
		{"*", &net.UnixAddr{Name: "/run/x", Net: "unix"}, false},
	} {
		f := authkeys.Parse([]byte(`from="` + row.from + `" ` + text(t, "ed25519")))
		_, err := f.Authorize(public(t, "ed25519"), row.peer, now)
		if got := err == nil; got != row.want {
			t.Errorf("from=%q and the peer %v: %v (%v)", row.from, row.peer, got, err)
		}
		if err != nil && !errors.Is(err, authkeys.ErrAddress) {
			t.Errorf("got %v, want ErrAddress", err)
		}
	}
}

func TestExpiry(t *testing.T) {
	f := authkeys.Parse([]byte(`expiry-time="20261122120000Z" ` + text(t, "ed25519")))
	if _, err := f.Authorize(public(t, "ed25519"), home, now.Add(-time.Second)); err != nil {
		t.Errorf("one second early: %v", err)
	}
	if _, err := f.Authorize(public(t, "ed25519"), home, now); !errors.Is(err, authkeys.ErrExpired) {
		t.Errorf("got %v, want ErrExpired", err)
	}
}

func TestFirstAdmittingLine(t *testing.T) {
	ed := text(t, "ed25519")
	f := authkeys.Parse([]byte(`from="10.0.0.0/8" ` + ed + "\n" + `expiry-time="20200101Z" ` + ed + "\nno-pty " + ed + "\n" + ed))
	g, err := f.Authorize(public(t, "ed25519"), home, now)
	if err != nil || g.Line != 3 || !g.NoPTY {
		t.Errorf("got %+v, %v, want line 3", g, err)
	}
	if _, err := f.Authorize(public(t, "rsa_pem"), home, now); !errors.Is(err, authkeys.ErrNoSuchKey) {
		t.Errorf("got %v, want ErrNoSuchKey", err)
	}
	if _, err := f.Authorize(public(t, "ed25519-cert"), home, now); !errors.Is(err, authkeys.ErrNoSuchKey) {
		t.Errorf("certificate of a listed key: got %v, want ErrNoSuchKey", err)
	}
}

func TestLoad(t *testing.T) {
	if _, err := authkeys.Load(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
	f, err := authkeys.Load("testdata/ecdsa521.pub")
	if err != nil || len(f.Entries()) != 1 || f.Entries()[0].Comment != "ecdsa 521" {
		t.Errorf("got %v, %v", f, err)
	}
}

func FuzzParse(f *testing.F) {
	ed := text(f, "ed25519")
	f.Add([]byte(ed))
	f.Add([]byte(`restrict,command="a \" b",from="192.0.2.0/24,!10.*",permitopen="[::1]:80",expiry-time="20270101" ` + ed))
	f.Add([]byte(`command="` + ed))
	key := public(f, "ed25519")
	f.Fuzz(func(t *testing.T, b []byte) {
		file := authkeys.Parse(b)
		g, err := file.Authorize(key, home, now)
		if err == nil {
			_ = g.AllowsOpen("h", 1)
			return
		}
		// Options in front of a line never make it grant more than it did.
		for _, e := range file.Entries() {
			if keys.Equal(e.Key, key) && !errors.Is(err, authkeys.ErrAddress) && !errors.Is(err, authkeys.ErrExpired) {
				t.Errorf("line %d has the key, and yet: %v", e.Line, err)
			}
		}
	})
}

func Example() {
	file := authkeys.Parse([]byte(`restrict,permitopen="db.example:3306" ` +
		`ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILEdZ5jT3PQajfDaabjCR2U/mDBcnEmasJhzLGV6LTvg alice`))
	verified := file.Entries()[0].Key // that of a signature that was checked
	grant, err := file.Authorize(verified, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}, time.Now())
	if err != nil {
		panic(err)
	}
	fmt.Println(grant.Comment, grant.NoPTY, grant.AllowsOpen("db.example", 3306))
	// Output: alice true false
}
