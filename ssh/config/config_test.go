package config

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testCase is one of testdata/cases.txt.
type testCase struct {
	name   string
	query  Query
	config string
	want   []string
}

func testCases(t testing.TB) []testCase {
	t.Helper()
	b, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, all, _ := strings.Cut(string(b), "\n=== ")
	var list []testCase
	for _, text := range strings.Split(all, "\n=== ") {
		head, want, ok := strings.Cut(text, "\n---\n")
		lines := strings.SplitN(head, "\n", 3)
		if !ok || len(lines) < 2 {
			t.Fatalf("case %q is incomplete", lines[0])
		}
		c := testCase{name: lines[0], want: strings.Split(strings.TrimSpace(want), "\n")}
		if len(lines) > 2 {
			c.config = lines[2]
			if first, rest, _ := strings.Cut(c.config, "\n"); strings.HasPrefix(first, "since ") {
				c.config = rest
			}
		}
		c.query = arguments(t, strings.Fields(strings.TrimPrefix(lines[1], "$ ")))
		list = append(list, c)
	}
	return list
}

// arguments reads those of ssh; \s is a blank.
func arguments(t testing.TB, args []string) Query {
	t.Helper()
	var q Query
	for i := 0; i < len(args); i++ {
		arg := strings.ReplaceAll(args[i], `\s`, " ")
		value := func() string {
			if len(arg) > 2 {
				return arg[2:]
			}
			i++
			return strings.ReplaceAll(args[i], `\s`, " ")
		}
		switch {
		case strings.HasPrefix(arg, "-o"):
			q.Options = append(q.Options, value())
		case strings.HasPrefix(arg, "-p"):
			n, err := strconv.Atoi(value())
			if err != nil {
				t.Fatal(err)
			}
			q.Port = n
		case strings.HasPrefix(arg, "-i"):
			q.IdentityFiles = append(q.IdentityFiles, value())
		default:
			q.Host = arg
		}
	}
	return q
}

// local is the user and machine of the tests.
var local = Local{
	User: "tester", UID: "1000", Home: "/home/tester", Host: "here.example",
	Lookup: func(name string) (string, bool) {
		v, ok := map[string]string{"DIR": "/dir", "PERCENT": "50%h", "AGENT": "/agent"}[name]
		return v, ok
	},
	Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::1%eth0")},
}

func load(t testing.TB, text string, q Query) (*Config, error) {
	t.Helper()
	s := &Source{Files: []File{{Path: "file", Text: []byte(text), User: true}}, Local: local}
	s.Exec = func(ctx context.Context, command string) (bool, error) {
		err := exec.CommandContext(ctx, "/bin/sh", "-c", command).Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = nil
		}
		return exit == nil && err == nil, err
	}
	return s.Load(t.Context(), q)
}

// TestCases compares with what OpenSSH is known to make of a configuration.
// That it does is what the interop tests show.
func TestCases(t *testing.T) {
	cases := testCases(t)
	if len(cases) < 60 {
		t.Errorf("only %d cases were read", len(cases))
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Contains(tt.config, "exec ") {
				if _, err := exec.LookPath("/bin/sh"); err != nil {
					t.Skip("there is no /bin/sh")
				}
			}
			c, err := load(t, tt.config, tt.query)
			if refused, is := strings.CutPrefix(tt.want[0], "! "); is {
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), refused) {
					t.Errorf("Load = %v, want an *Error with %q", err, refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			compare(t, c.Lines(), tt.want)
		})
	}
}

// compare reports the names of which the lines are not those that are wanted.
func compare(t testing.TB, got, want []string) {
	t.Helper()
	only := func(lines []string, name string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, name+" ") })
	}
	for _, w := range want {
		name, _, _ := strings.Cut(strings.TrimPrefix(w, "-"), " ")
		if g, w := only(got, name), only(want, name); !slices.Equal(g, w) {
			t.Errorf("%s: got %q, want %q", name, g, w)
		}
	}
}

func TestTokens(t *testing.T) {
	for _, tt := range []struct{ config, got string }{
		{"IdentityFile ~/.ssh/%h", "/home/tester/.ssh/real"},
		{"IdentityFile %d-%n-%h-%p-%r-%u-%i-%%", "/home/tester-foo-real-22-ann-tester-1000-%"},
		{"IdentityFile %L-%l-%k", "here-here.example-foo"},
		{"HostKeyAlias ALI\nIdentityFile %k", "ali"},
		{"ProxyJump a,u@b:3\nIdentityFile x%j", "xb"},
		{"IdentityFile %C", "258117f12d689f07dc16406191ee0acf4d436078"}, // sha1 of here.examplereal22ann
		{"IdentityFile ${DIR}/$DIR", "/dir/$DIR"},
		{"IdentityFile ${PERCENT}", "50%h"},
		{"Port 7\nIdentityFile ${DIR}%p", "/dir7"},
	} {
		c, err := load(t, tt.config+"\nHostName real\n", Query{Host: "foo", User: "ann"})
		if err != nil {
			t.Errorf("%q: %v", tt.config, err)
			continue
		}
		if c.IdentityFiles[0] != tt.got {
			t.Errorf("%q: got %q, want %q", tt.config, c.IdentityFiles[0], tt.got)
		}
	}
}

func TestExpanding(t *testing.T) {
	c, err := load(t, `
UserKnownHostsFile ~/a ${DIR}/%n "x y"
IdentityAgent $AGENT
ProxyCommand nc %h %p %r %n
SetEnv A=%h
LocalForward /tmp/%h ${DIR}/%p
Match localnetwork 192.0.2.0/24
  BindAddress 192.0.2.7
Match localnetwork fe80::/10,!192.0.2.0/24
  Port 1
`, Query{Host: "foo", User: "u%h"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, got, want string }{
		{"UserKnownHostsFiles", strings.Join(c.UserKnownHostsFiles, "|"), "/home/tester/a|/dir/foo|x y"},
		{"IdentityAgent", c.IdentityAgent, "/agent"},
		{"ProxyCommand", c.ProxyCommand, "nc foo 22 u%h foo"},
		{"LocalForwards", c.LocalForwards[0].Listen + " " + c.LocalForwards[0].Connect, "/tmp/foo /dir/22"},
		{"SetEnv", strings.Join(c.SetEnv, "|"), "A=foo"},
		{"User", c.User, "u%h"},
		{"BindAddress", c.BindAddress, "192.0.2.7"},
		{"Port", strconv.Itoa(c.Port), "22"},
		{"GlobalKnownHostsFiles", strings.Join(c.GlobalKnownHostsFiles, "|"), systemDir + "/ssh_known_hosts|" + systemDir + "/ssh_known_hosts2"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// A mistake is where it stands, and all of them are told.
func TestErrors(t *testing.T) {
	_, err := load(t, "Port x\n\nFrob y\nHost other\n  ConnectTimeout z\nIdentityFile ${NOTHING}\n", Query{Host: "foo"})
	want := "file:1: Port: expected a port from 1 to 65535\n" +
		`file:3: there is no option "frob"` + "\n" +
		"file:5: ConnectTimeout: expected a time such as 30, 10m or 1h30m"
	if err == nil || err.Error() != want {
		t.Errorf("Load = %v, want:\n%s", err, want)
	}
	_, err = load(t, "User a\nIdentityFile ${NOTHING}\n", Query{Host: "foo"})
	if want := "file:2: IdentityFile: there is no environment variable NOTHING"; err == nil || err.Error() != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
	_, err = load(t, "", Query{Host: "foo", Options: []string{"Port"}})
	if want := `-o: "port" has no value`; err == nil || err.Error() != want {
		t.Errorf("Load = %v, want %s", err, want)
	}
	for _, o := range []string{"Host x", "Match all", "Include x"} {
		if _, err := load(t, "", Query{Host: "foo", Options: []string{o}}); err == nil {
			t.Errorf("-o %q is taken", o)
		}
	}
	many := strings.Repeat("Frob\n", 1000)
	if _, err := load(t, many, Query{Host: "foo"}); strings.Count(err.Error(), "\n") != maxErrors-1 {
		t.Errorf("of 1000 mistakes %d are told", strings.Count(err.Error(), "\n")+1)
	}
	if _, err := load(t, "User "+strings.Repeat("x", maxLine), Query{Host: "foo"}); err == nil {
		t.Error("a line of 128 KiB is taken")
	}
}

// Nothing runs that nobody allowed.
func TestExecNotAllowed(t *testing.T) {
	s := &Source{Files: []File{{Path: "file", Text: []byte("Match host bar exec true\n  Port 1\n")}}, Local: local}
	if _, err := s.Load(t.Context(), Query{Host: "foo"}); err != nil {
		t.Errorf("a program that is not reached: %v", err)
	}
	if _, err := s.Load(t.Context(), Query{Host: "bar"}); !errors.Is(err, ErrExec) {
		t.Errorf("Load = %v, want ErrExec", err)
	}
	failing := errors.New("no shell")
	s.Exec = func(context.Context, string) (bool, error) { return false, failing }
	if _, err := s.Load(t.Context(), Query{Host: "bar"}); !errors.Is(err, failing) {
		t.Errorf("Load = %v, want what Exec said", err)
	}
}

// Names that a shell would act on do not get as far as a ProxyCommand.
func TestNamesForShells(t *testing.T) {
	for _, host := range []string{"-oProxyCommand=x", "a;b", "$(x)", "a b", "a`b", "a|b", "a\nb", "a'b", `a\b`} {
		if c, err := load(t, "ProxyCommand nc %h", Query{Host: host}); err == nil {
			t.Errorf("the host %q gives %q", host, c.ProxyCommand)
		}
	}
	for _, user := range []string{"-l", "a;b", "$(x)", "a -b", "a`b", "a\nb", `a\`} {
		if c, err := load(t, "ProxyCommand nc %r", Query{Host: "foo", User: user}); err == nil {
			t.Errorf("the user %q gives %q", user, c.ProxyCommand)
		}
	}
	for _, q := range []Query{{Host: "fe80::1%eth0"}, {Host: "a_b.c"}, {Host: "foo", User: `DOMAIN\ann`}, {Host: "foo", User: "ann smith@x"}} {
		if _, err := load(t, "", q); err != nil {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// ssh -G ends with the reason, so this is in no case.
func TestRefuseConnection(t *testing.T) {
	c, err := load(t, "Host foo\n  RefuseConnection \"not today\"\n", Query{Host: "foo"})
	if err != nil || c.RefuseConnection != "not today" {
		t.Errorf("RefuseConnection = %+v, %v", c, err)
	}
}

func TestOthers(t *testing.T) {
	c, err := load(t, "CanonicalizeHostname yes\nForwardAgent yes\nProxyUseFdpass no\nBindInterface eth0\n", Query{Host: "foo"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.Others {
		unsafe := ""
		if s.Unsafe != "" {
			unsafe = "!"
		}
		got = append(got, unsafe+s.Name+"="+s.Value+"@"+strconv.Itoa(s.Line))
	}
	want := []string{"!BindInterface=eth0@4", "!CanonicalizeHostname=yes@1", "ForwardAgent=yes@2", "ProxyUseFdpass=no@3"}
	if !slices.Equal(got, want) {
		t.Errorf("others are %q, want %q", got, want)
	}
}

// memory is a disk.
type memory map[string]string

func (m memory) read(path string, private bool) ([]byte, error) {
	text, ok := m[path]
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case private && strings.HasSuffix(path, ".open"):
		return nil, ErrPermissions
	}
	return []byte(text), nil
}

func (m memory) glob(pattern string) ([]string, error) {
	var list []string
	for name := range m {
		if ok, err := filepath.Match(pattern, name); err != nil {
			return nil, err
		} else if ok {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list, nil
}

// The page about ssh_config has every keyword once, in the part where it
// belongs.
func TestPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/ssh_config.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(b), "\n## ")
	if len(parts) != 4 {
		t.Fatalf("the page has %d parts", len(parts)-1)
	}
	acted := strings.FieldsFunc(parts[1], notLetter)
	refused := strings.FieldsFunc(parts[2], notLetter)
	told := strings.FieldsFunc(parts[3], notLetter)
	for _, k := range keywords {
		switch in := slices.Contains[[]string]; {
		case k.unsafe != nil && !in(refused, k.name):
			t.Errorf("%s must not be ignored, and the page does not say so", k.name)
		case k.unsafe == nil && !in(acted, k.name) && !in(refused, k.name) && !in(told, k.name):
			t.Errorf("%s is not on the page", k.name)
		case in(acted, k.name) && in(told, k.name):
			t.Errorf("%s is on the page twice", k.name)
		}
	}
}

func notLetter(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
