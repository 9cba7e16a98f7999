package interop

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/ssh/config"
)

// TestConfig asks a real ssh what it makes of the configurations that the tests
// of ssh/config compare with: the expectations are OpenSSH's, not ours.
func TestConfig(t *testing.T) {
	words := program(t, "WIRELARK_SSH", "ssh")
	version := sshVersion(t, words)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../ssh/config/testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, all, _ := strings.Cut(string(b), "\n=== ")
	asked, older := 0, 0
	for _, text := range strings.Split(all, "\n=== ") {
		head, want, _ := strings.Cut(text, "\n---\n")
		lines := strings.SplitN(head, "\n", 3)
		config := ""
		if len(lines) > 2 {
			config = lines[2]
		}
		if first, rest, _ := strings.Cut(config, "\n"); strings.HasPrefix(first, "since ") {
			var since float64
			if _, err := fmt.Sscan(strings.TrimPrefix(first, "since "), &since); err != nil {
				t.Fatal(err)
			}
			if config = rest; version < since {
				older++
				continue
			}
		}
		asked++
		t.Run(lines[0], func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte(config+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"-G", "-F", file}
			for _, a := range strings.Fields(strings.TrimPrefix(lines[1], "$ ")) {
				args = append(args, strings.ReplaceAll(a, `\s`, " "))
			}
			out, status := output(t, command(t, words, args...))
			wanted := strings.Split(strings.ReplaceAll(strings.TrimSpace(want), "tester", me.Username), "\n")
			if strings.HasPrefix(wanted[0], "! ") {
				if status == 0 {
					t.Errorf("ssh takes it")
				}
				return
			}
			if status != 0 {
				t.Fatalf("ssh ends with status %d", status)
			}
			got := strings.Split(string(out), "\n")
			for _, w := range wanted {
				name, _, _ := strings.Cut(strings.TrimPrefix(w, "-"), " ")
				if g, w := named(got, name), named(wanted, name); !slices.Equal(g, w) {
					t.Errorf("%s: ssh says %q, want %q", name, g, w)
				}
			}
		})
	}
	t.Logf("OpenSSH %g was asked about %d configurations; %d are for newer ones", version, asked, older)
	if asked < 40 {
		t.Errorf("only %d configurations were compared", asked)
	}
}

// TestConfigGenerated makes configurations out of lines that go well or badly
// together, and compares what ssh and we make of them.
func TestConfigGenerated(t *testing.T) {
	words := program(t, "WIRELARK_SSH", "ssh")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{
		"Host foo", "Host *", "Host !foo *", "Host f?? !bar", "Host bar.example", "Host bar foo", "Match all", "Match host foo", "Match host bar*",
		"Match originalhost foo user " + me.Username, "Match user ann", "Match !user ann", "Match final all", "Match final host bar.example",
		"Match exec true", "Match exec false", "Match host foo exec \"test %p = 7\"", "Match localuser nobody",
		"  HostName bar.example", "HostName %h.example", "HostName other", "User ann", "User = bob", "  User \"carol\"", "Port 7", "Port=8", "port 9",
		"ProxyJump a,b:2", "ProxyJump none", "ProxyCommand nc x", "ProxyCommand none", "IdentityFile /a", "IdentityFile \"/b\"", "IdentityFile none", "SendEnv A B*",
		"SendEnv -B*", "SetEnv X=1", "SetEnv Y=2 Z=3", "LocalForward 1 h:2", "LocalForward 3 h:4", "LocalForward 1 h:2", "Compression yes", "BatchMode yes", "BatchMode no",
		"StrictHostKeyChecking accept-new", "StrictHostKeyChecking no", "ConnectTimeout 5", "ServerAliveInterval 1m", "RemoteCommand echo %h  x", "RequestTTY force",
		"UserKnownHostsFile /k /l", "HostKeyAlias ALIAS", "EscapeChar none", "RekeyLimit 1M 1h", "LogLevel ERROR", "", "# comment", "IgnoreUnknown X*", "Xtra 1", "Ytra 1", "Port none", "User a b",
	}
	names := []string{
		"user", "hostname", "port", "proxyjump", "proxycommand", "identityfile", "sendenv", "setenv", "localforward", "compression", "batchmode", "stricthostkeychecking",
		"connecttimeout", "serveraliveinterval", "remotecommand", "requesttty", "userknownhostsfile", "hostkeyalias", "escapechar", "rekeylimit", "loglevel",
	}
	source, err := config.System()
	if err != nil {
		t.Fatal(err)
	}
	source.Exec = func(_ context.Context, command string) (bool, error) {
		return exec.Command("/bin/sh", "-c", command).Run() == nil, nil
	}
	random := rand.New(rand.NewPCG(1, 2))
	file := filepath.Join(t.TempDir(), "config")
	refused := 0
	for range 500 {
		var text strings.Builder
		for range 2 + random.IntN(14) {
			pick := lines[random.IntN(len(lines))]
			if strings.HasSuffix(pick, "tra 1") || pick == "Port none" || pick == "User a b" {
				if random.IntN(8) > 0 { // most are to be read to the end
					continue
				}
			}
			text.WriteString(pick + "\n")
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		source.Files = []config.File{{Path: file, User: true}}
		c, err := source.Load(t.Context(), config.Query{Host: "foo"})
		out, sshErr := command(t, words, "-G", "-F", file, "foo").Output()
		if (err == nil) != (sshErr == nil) {
			t.Errorf("ssh says %v, we %v, to\n%s", sshErr, err, &text)
			continue
		}
		if err != nil {
			refused++
			continue
		}
		theirs, ours := strings.Split(string(out), "\n"), c.Lines()
		for _, name := range names {
			g, w := named(ours, name), named(theirs, name)
			if name == "serveraliveinterval" && c.BatchMode && slices.Equal(w, []string{"serveraliveinterval 300"}) {
				continue // Debian's own default
			}
			if name == "identityfile" { // we leave out none, and make the usual ones absolute
				w = slices.DeleteFunc(w, func(l string) bool { return l == "identityfile none" || strings.HasPrefix(l, "identityfile ~") })
				g = slices.DeleteFunc(g, func(l string) bool { return strings.Contains(l, "/.ssh/") })
			}
			if !slices.Equal(g, w) {
				t.Errorf("%s: we say %q, ssh %q, to\n%s", name, g, w, &text)
			}
		}
	}
	t.Logf("of 500 configurations both refused %d", refused)
	if refused > 200 {
		t.Error("too few were compared")
	}
}

// named returns the lines that begin with name.
func named(lines []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, name+" ") })
}

func sshVersion(t testing.TB, words []string) float64 {
	t.Helper()
	b, err := command(t, words, "-V").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`OpenSSH_(\d+\.\d+)`).FindSubmatch(b)
	if m == nil {
		missing(t, "%s is no OpenSSH: %s", words[0], b)
		return 0
	}
	var v float64
	if _, err := fmt.Sscan(string(m[1]), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
