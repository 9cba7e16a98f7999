package interop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// chain is three servers of OpenSSH: the first and the second are on the way
// to the third, and an ssh_config knows them.
type chain struct {
	hosts  []*sshd
	config string // file
}

// startChain starts the servers. All log in with the key of the first; lines
// are added to the ssh_config, in front.
func startChain(t testing.TB, lines ...string) *chain {
	t.Helper()
	c := &chain{}
	var known []byte
	conf := append([]string(nil), lines...)
	for i, name := range []string{"one", "two", "three"} {
		s := startSSHD(t)
		b, err := os.ReadFile(s.knownHosts)
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, b...)
		if i > 0 {
			public, err := os.ReadFile(c.hosts[0].key + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			s.authorize(t, identity{authorized: strings.TrimSpace(string(public))})
		}
		c.hosts = append(c.hosts, s)
		conf = append(conf, "Host "+name, "  Port "+s.port(), "  User "+s.user)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(file, known, 0o600); err != nil {
		t.Fatal(err)
	}
	conf = append(
		conf, "Host *", "  HostName 127.0.0.1", "  IdentityFile "+c.hosts[0].key, "  UserKnownHostsFile "+file,
		"  StrictHostKeyChecking yes", "  BatchMode yes", "  GlobalKnownHostsFile none",
	)
	c.config = filepath.Join(dir, "config")
	if err := os.WriteFile(c.config, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// run runs the program with the configuration; where is the port that the last
// server was reached at.
func (c *chain) run(t testing.TB, env []string, args ...string) (where string, status int) {
	t.Helper()
	cmd := wirelark(t, append([]string{"ssh", "-F", c.config}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	out, status := output(t, cmd)
	if fields := strings.Fields(string(out)); len(fields) == 4 {
		where = fields[3]
	}
	return where, status
}

const whereAmI = "echo $SSH_CONNECTION"

// Through two servers, by -J, by ProxyJump, by ProxyCommand, and as ssh itself
// goes.
func TestJump(t *testing.T) {
	c := startChain(
		t, "Host configured", "  ProxyJump one,two", "Host nested", "  ProxyJump behind", "Host behind", "  ProxyJump one",
		"Host configured nested program", "  Port PORT3", "Host behind", "  Port PORT2",
	)
	b, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("PORT3", c.hosts[2].port(), "PORT2", c.hosts[1].port()).Replace(string(b))
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ssh := strings.Join(program(t, "WIRELARK_SSH", "ssh"), " ")
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"directly", []string{"three"}},
		{"-J with one", []string{"-J", "one", "three"}},
		{"-J with two", []string{"-J", "one,two", "three"}},
		{"-J with users and ports", []string{"-J", c.hosts[0].user + "@one:" + c.hosts[0].port() + ",ssh://two:" + c.hosts[1].port(), "three"}},
		{"ProxyJump", []string{"configured"}},
		{"a host on the way has its own way", []string{"nested"}},
		{"ProxyCommand of OpenSSH", []string{"-o", "ProxyCommand=" + ssh + " -F " + c.config + " -W [%h]:%p two", "program"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			where, status := c.run(t, nil, append(tt.args, whereAmI)...)
			if status != 0 || where != c.hosts[2].port() {
				t.Errorf("ssh ends with status %d at port %q, want %s", status, where, c.hosts[2].port())
			}
		})
	}
	t.Run("as a ProxyCommand of OpenSSH", func(t *testing.T) {
		name, err := build()
		if err != nil {
			t.Fatal(err)
		}
		proxy := fmt.Sprintf("ProxyCommand=%s ssh -F %s -J one -W [%%h]:%%p two", name, c.config)
		out, status := output(t, command(t, strings.Fields(ssh), "-F", c.config, "-o", proxy, "program", whereAmI))
		if status != 0 || !strings.HasSuffix(strings.TrimSpace(string(out)), " "+c.hosts[2].port()) {
			t.Errorf("ssh ends with status %d: %s", status, out)
		}
	})
	t.Run("files", func(t *testing.T) {
		src, far := bulkFile(t, 1<<20, 21), filepath.Join(t.TempDir(), "far")
		if _, status := output(t, wirelark(t, "cp", "-F", c.config, "-J", "one,two", src, "three:"+far)); status != 0 {
			t.Errorf("cp ends with status %d", status)
		}
		checkFile(t, far, 1<<20, 21)
	})
}

// While a connection runs through two servers, nothing listens that did not
// before, anywhere on this machine, and nothing is left of it afterwards.
func TestJumpOpensNoPort(t *testing.T) {
	c := startChain(t)
	before := listeners(t)
	cmd := wirelark(t, "ssh", "-F", c.config, "-J", "one,two", "three", "echo up; cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make([]byte, 3)
	if _, err := stdout.Read(up); err != nil || string(up) != "up\n" {
		t.Errorf("the command says %q, %v", up, err)
	}
	if during := listeners(t); !slices.Equal(during, before) {
		t.Errorf("listening before: %q, during: %q", before, during)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ssh ends with %v", err)
	}
}

// listeners are the sockets that listen on this machine, TCP and local.
func listeners(t testing.TB) []string {
	t.Helper()
	var list []string
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6", "/proc/net/unix"} {
		b, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			missing(t, "there is no %s", name)
		}
		for _, l := range strings.Split(string(b), "\n") {
			f := strings.Fields(l)
			switch {
			case len(f) > 3 && strings.HasSuffix(name, "unix") && f[3] == "00010000":
				list = append(list, f[len(f)-1])
			case len(f) > 3 && f[3] == "0A":
				list = append(list, f[1])
			}
		}
	}
	slices.Sort(list)
	return list
}

// A host on the way is checked and logged in to like any other, and the error
// says which one it is.
func TestJumpFailures(t *testing.T) {
	c := startChain(t)
	for _, tt := range []struct {
		name, config string // the configuration goes in front
		args         []string
		stderr       []string
	}{
		{
			"another host key", "Host two\n  HostKeyAlias [127.0.0.1]:" + c.hosts[0].port() + "\n", nil,
			[]string{"the host key of", "has changed  [code 4]", "host 2 of 3"},
		},
		{"nobody there", "Host two\n  Port 1\n", nil, []string{"cannot reach 127.0.0.1:1  [code 3]", "host 2 of 3"}},
		{
			"another key", "Host one\n  IdentityFile " + newIdentity(t, "ed25519").private + "\n  IdentitiesOnly yes\nHost one\n  User nobody\n", nil,
			[]string{"the server refused every way to log in", "[code 5]", "host 1 of 3"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := os.ReadFile(c.config)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, append([]byte(tt.config), b...), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := wirelark(t, "ssh", "-F", file, "-J", "one,two", "three", "true")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err = cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 255 {
				t.Errorf("ssh ends with %v, want status 255", err)
			}
			for _, want := range tt.stderr {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("ssh says\n%s\nwithout %q", &stderr, want)
				}
			}
		})
	}
}

// The agent signs for every host: no key file is there.
func TestJumpWithAgent(t *testing.T) {
	c := startChain(t)
	sock := startAgent(t, c.hosts[0].key)
	b, err := os.ReadFile(c.config)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), "IdentityFile "+c.hosts[0].key, "IdentityFile none")
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if where, status := c.run(t, []string{"SSH_AUTH_SOCK=" + sock}, "-J", "one,two", "three", whereAmI); status != 0 || where != c.hosts[2].port() {
		t.Errorf("with the agent of the environment: status %d at %q", status, where)
	}
	if where, status := c.run(t, []string{"SSH_AUTH_SOCK="}, "-o", "IdentityAgent="+sock, "three", whereAmI); status != 0 || where != c.hosts[2].port() {
		t.Errorf("with IdentityAgent: status %d at %q", status, where)
	}
	if _, status := c.run(t, []string{"SSH_AUTH_SOCK=" + sock}, "-o", "IdentityAgent=none", "three", whereAmI); status != 255 {
		t.Errorf("with no agent: status %d, want 255", status)
	}
	if _, status := c.run(t, []string{"SSH_AUTH_SOCK=" + sock}, "-o", "IdentitiesOnly=yes", "three", whereAmI); status != 255 {
		t.Errorf("with IdentitiesOnly and no identity: status %d, want 255", status)
	}
	// A public key file chooses one of the agent's keys.
	if where, status := c.run(t, []string{"SSH_AUTH_SOCK=" + sock}, "-o", "IdentitiesOnly=yes", "-i", c.hosts[0].key+".pub", "three", whereAmI); status != 0 || where != c.hosts[2].port() {
		t.Errorf("with the public key: status %d at %q", status, where)
	}
}

// startAgent starts an agent that holds a key.
func startAgent(t testing.TB, key string) (sock string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent") // a path short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	sock = filepath.Join(dir, "s")
	words := program(t, "WIRELARK_SSH_AGENT", "ssh-agent")
	cmd := exec.Command(words[0], append(words[1:], "-D", "-a", sock)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(sock); err == nil {
			break
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("ssh-agent does not listen")
		}
	}
	add := command(t, program(t, "WIRELARK_SSH_ADD", "ssh-add"), key)
	add.Env = append(add.Env, "SSH_AUTH_SOCK="+sock)
	if _, status := output(t, add); status != 0 {
		t.Fatalf("ssh-add ends with status %d", status)
	}
	return sock
}
