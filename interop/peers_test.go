package interop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// missing skips the test because a peer is not there, or fails it where all
// peers have to be.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("WIRELARK_INTEROP_REQUIRE") == "1" {
		t.Fatalf("WIRELARK_INTEROP_REQUIRE=1, but "+format, args...)
	}
	t.Skipf(format, args...)
}

// program returns the words that start a peer: those of the environment
// variable, or the program of that name where it is usually installed.
func program(t testing.TB, variable, name string) []string {
	t.Helper()
	if words := strings.Fields(os.Getenv(variable)); len(words) > 0 {
		return words
	}
	for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return []string{path}
		}
	}
	missing(t, "%s is not installed (and %s is not set)", name, variable)
	return nil
}

// peerTimeout bounds every run of a peer.
const peerTimeout = 3 * time.Minute

// command returns a run of a peer that ends with the test.
func command(t testing.TB, words []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), peerTimeout)
	t.Cleanup(cancel)
	all := append(append([]string(nil), words[1:]...), args...)
	cmd := exec.CommandContext(ctx, words[0], all...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+t.TempDir())
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// output runs cmd and returns what it wrote to its standard output and its
// exit status. What it wrote to standard error is in the test's log.
func output(t testing.TB, cmd *exec.Cmd) (stdout []byte, status int) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if stderr.Len() > 0 {
		t.Logf("%s says:\n%s", filepath.Base(cmd.Path), tail(stderr.Bytes()))
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return stdout, exit.ExitCode()
	case err != nil:
		t.Fatalf("%s: %v", cmd.Path, err)
	}
	return stdout, 0
}

func tail(b []byte) []byte {
	const most = 4000
	if len(b) > most {
		return append([]byte("…"), b[len(b)-most:]...)
	}
	return b
}

// identity is a key pair on disk, as OpenSSH's programs want it.
type identity struct {
	private    string // file, mode 0600
	public     string // file
	authorized string // the line for authorized_keys
}

// newIdentity makes a key with ssh-keygen: a file that OpenSSH wrote.
func newIdentity(t testing.TB, kind string) identity {
	t.Helper()
	file := filepath.Join(t.TempDir(), "id_"+kind)
	args := []string{"-q", "-t", kind, "-N", "", "-C", "interop", "-f", file}
	if kind == "rsa" {
		args = append(args, "-b", "2048")
	}
	if _, status := output(t, command(t, program(t, "WIRELARK_SSH_KEYGEN", "ssh-keygen"), args...)); status != 0 {
		t.Fatalf("ssh-keygen ends with status %d", status)
	}
	line, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return identity{private: file, public: file + ".pub", authorized: strings.TrimSpace(string(line))}
}

// sshd is a running sshd and what a client needs to get in.
type sshd struct {
	addr       string // 127.0.0.1:port
	user       string
	key        string // private key file
	knownHosts string // file
	version    string // identification line
	authorized string // file
}

// authorize lets another key in.
func (s *sshd) authorize(t testing.TB, id identity) {
	t.Helper()
	f, err := os.OpenFile(s.authorized, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(id.authorized + "\n"); err != nil {
		t.Fatal(err)
	}
}

func (s *sshd) port() string { _, port, _ := net.SplitHostPort(s.addr); return port }

// sshds returns our own sshd, started for this test, and the one of the
// environment if there is one, by name.
func sshds(t testing.TB) map[string]*sshd {
	t.Helper()
	all := map[string]*sshd{"own": startSSHD(t)}
	if addr := os.Getenv("WIRELARK_SSHD_ADDR"); addr != "" {
		s := &sshd{addr: addr, user: os.Getenv("WIRELARK_SSHD_USER"), key: os.Getenv("WIRELARK_SSHD_KEY"), knownHosts: os.Getenv("WIRELARK_SSHD_KNOWN_HOSTS")}
		if s.user == "" {
			s.user = "root"
		}
		var err error
		if s.version, err = banner(addr); err != nil {
			t.Fatalf("WIRELARK_SSHD_ADDR=%s: %v", addr, err)
		}
		all["environment"] = s
	}
	return all
}

// startSSHD starts sshd on a free port of the loopback interface, for the
// user who runs the test, with lines added to its configuration.
func startSSHD(t testing.TB, lines ...string) *sshd {
	t.Helper()
	words := program(t, "WIRELARK_SSHD", "sshd")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 { // sshd keeps its helper processes there
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	host, key := newIdentity(t, "ed25519"), newIdentity(t, "ed25519")
	authorized := filepath.Join(dir, "authorized_keys")
	if err := os.WriteFile(authorized, []byte(key.authorized+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 5 { // another process may take the port before sshd does
		s := &sshd{addr: freeAddr(t), user: me.Username, key: key.private, knownHosts: filepath.Join(dir, "known_hosts"), authorized: authorized}
		conf := append([]string{
			"Port " + s.port(), "ListenAddress 127.0.0.1", "HostKey " + host.private, "AuthorizedKeysFile " + authorized,
			"PidFile none", "StrictModes no", "UsePAM no", "PermitRootLogin prohibit-password", "PasswordAuthentication no",
			"KbdInteractiveAuthentication no", "MaxStartups 100", "LogLevel DEBUG1", "Subsystem sftp internal-sftp",
		}, lines...)
		file := filepath.Join(dir, "sshd_config")
		if err := os.WriteFile(file, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		known := fmt.Sprintf("[127.0.0.1]:%s %s\n", s.port(), strings.Join(strings.Fields(host.authorized)[:2], " "))
		if err := os.WriteFile(s.knownHosts, []byte(known), 0o600); err != nil {
			t.Fatal(err)
		}
		if s.run(t, words, file, filepath.Join(dir, "log")) {
			return s
		}
	}
	t.Fatal("sshd does not start")
	return nil
}

// run starts sshd and waits until it answers; false: it ended before.
func (s *sshd) run(t testing.TB, words []string, conf, log string) bool {
	t.Helper()
	args := append(append([]string(nil), words[1:]...), "-D", "-f", conf, "-E", log)
	cmd := exec.Command(words[0], args...)
	if err := cmd.Start(); err != nil {
		t.Fatalf("sshd: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // stops when sshd has ended
	for begin := time.Now(); time.Since(begin) < 15*time.Second; {
		if v, err := banner(s.addr); err == nil {
			s.version = v
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				<-ended
				if b, err := os.ReadFile(log); t.Failed() && err == nil {
					t.Logf("the log of sshd ends with:\n%s", tail(b))
				}
			})
			return true
		}
		select {
		case <-ended:
			b, _ := os.ReadFile(log)
			t.Logf("sshd ended: %s", tail(b))
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	_ = cmd.Process.Kill()
	<-ended
	return false
}

// banner returns the identification line of the server at addr.
func banner(addr string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "SSH-2.0-") {
		err = fmt.Errorf("%q is no SSH identification", line)
	}
	return strings.TrimSpace(line), err
}

// freeAddr returns an address of the loopback interface that was free a moment
// ago.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// options are the arguments with which OpenSSH's clients reach a server: they
// read no configuration of this machine and ask nobody.
func options(knownHosts, key, port, portLetter string) []string {
	return []string{
		"-F", "none", "-" + portLetter, port, "-i", key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile=" + knownHosts, "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes",
	}
}

// The harness itself: the peers can talk to each other.
func TestPeers(t *testing.T) {
	for name, s := range sshds(t) {
		t.Run(name, func(t *testing.T) {
			t.Logf("%s", s.version)
			args := append(options(s.knownHosts, s.key, s.port(), "p"), s.user+"@127.0.0.1", "echo hello; exit 3")
			out, status := output(t, command(t, program(t, "WIRELARK_SSH", "ssh"), args...))
			if string(out) != "hello\n" || status != 3 {
				t.Errorf("ssh says %q with status %d, want hello with status 3", out, status)
			}
		})
	}
	for _, p := range []struct{ variable, name string }{
		{"WIRELARK_SFTP", "sftp"}, {"WIRELARK_SCP", "scp"}, {"WIRELARK_LFTP", "lftp"}, {"WIRELARK_TSHARK", "tshark"},
	} {
		t.Run(p.name, func(t *testing.T) { t.Logf("%s", program(t, p.variable, p.name)) })
	}
}
