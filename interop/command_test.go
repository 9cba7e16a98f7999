package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests of this file use the program as users do.

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wirelark-interop")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "wirelark")
	cmd := exec.Command("go", "build", "-o", name, "./cmd/wirelark")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// wirelark returns a run of the program with a home of its own.
func wirelark(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	name, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return command(t, []string{name}, args...)
}

// reach are the arguments with which the program reaches an sshd.
func (s *sshd) reach(portLetter string, more ...string) []string {
	return append([]string{
		"-" + portLetter, s.port(), "-i", s.key, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=" + s.knownHosts,
	}, more...)
}

func (s *sshd) dest() string { return s.user + "@127.0.0.1" }

func TestCommandSSH(t *testing.T) {
	eachSSHD(t, func(t *testing.T, s *sshd) {
		tests := []struct {
			name          string
			args          []string
			stdin, stdout string
			status        int
		}{
			{"output", []string{"echo", "a", "b"}, "", "a b\n", 0},
			{"flags behind the host are the command's", []string{"expr", "-p", ":", "-."}, "", "2\n", 0},
			{"status", []string{"exit 7"}, "", "", 7},
			{"input", []string{"tr a-z A-Z"}, "chirp", "CHIRP", 0},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				args := append(append([]string{"ssh"}, s.reach("p", s.dest())...), tt.args...)
				cmd := wirelark(t, args...)
				cmd.Stdin = strings.NewReader(tt.stdin)
				out, status := output(t, cmd)
				if string(out) != tt.stdout || status != tt.status {
					t.Errorf("ssh says %q with status %d, want %q with %d", out, status, tt.stdout, tt.status)
				}
			})
		}
	})
}

// wrong host key, wrong key, nobody there: each has its status.
func TestCommandStatus(t *testing.T) {
	s, other := startSSHD(t), startSSHD(t)
	file := bulkFile(t, 10, 1)
	changed := *s
	b, err := os.ReadFile(other.knownHosts)
	if err != nil {
		t.Fatal(err)
	}
	changed.knownHosts = filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(changed.knownHosts, []byte(strings.ReplaceAll(string(b), other.port(), s.port())), 0o600); err != nil {
		t.Fatal(err)
	}
	stranger := *s
	stranger.key = newIdentity(t, "ed25519").private
	gone := *s
	gone.addr = freeAddr(t)
	tests := []struct {
		name   string
		s      *sshd
		target string
		status int
	}{
		{"missing directory", s, "/nowhere/at/all/x", 1},
		{"nobody there", &gone, "/tmp/x", 3},
		{"changed host key", &changed, "/tmp/x", 4},
		{"wrong key", &stranger, "/tmp/x", 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, status := output(t, wirelark(t, append(append([]string{"cp"}, tt.s.reach("P")...), file, tt.s.dest()+":"+tt.target)...))
			if status != tt.status {
				t.Errorf("cp ends with status %d, want %d", status, tt.status)
			}
		})
	}
}

func TestCommandCp(t *testing.T) {
	s := startSSHD(t)
	dir, n := t.TempDir(), size()
	src, far, back := bulkFile(t, n, 8), filepath.Join(dir, "far"), filepath.Join(dir, "back")
	for _, args := range [][]string{{src, s.dest() + ":" + far}, {s.dest() + ":" + far, back}} {
		began := time.Now()
		if out, status := output(t, wirelark(t, append(append([]string{"cp", "-o", "RekeyLimit=1M"}, s.reach("P")...), args...)...)); status != 0 {
			t.Fatalf("cp ends with status %d: %s", status, out)
		}
		speed(t, "cp", n, began)
	}
	checkFile(t, far, n, 8)
	checkFile(t, back, n, 8)
}

func TestCommandSFTPBatch(t *testing.T) {
	s := startSSHD(t)
	dir := t.TempDir()
	src := bulkFile(t, 100000, 9)
	cmd := wirelark(t, append(append([]string{"sftp", "-b", "-"}, s.reach("P")...), s.dest())...)
	back := filepath.Join(dir, "back")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("cd %s\nmkdir d\nput %s d/x\nls -l d\nrename d/x y\nchmod 600 y\nget y %s\nrm y\nrmdir d\npwd\n", dir, src, back))
	out, status := output(t, cmd)
	if status != 0 || !strings.Contains(string(out), dir) {
		t.Errorf("sftp ends with status %d: %s", status, out)
	}
	checkFile(t, back, 100000, 9)
}

// seen are the messages of a protocol that see reads from a file.
func seen(t testing.TB, proto string, args ...string) map[string]int {
	t.Helper()
	out, status := output(t, wirelark(t, append([]string{"see", "-T", "jsonl"}, args...)...))
	if status != 0 {
		t.Errorf("see ends with status %d", status)
	}
	n := map[string]int{}
	for _, l := range lines(out) {
		var m struct{ Proto, Message string }
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%v in %.200s", err, l)
		}
		if m.Proto == proto {
			n[m.Message]++
		}
	}
	return n
}

// What cp has spoken is read back from its capture: from the wire with the
// secrets inside, from the decrypted streams, and from a scrubbed copy with
// the key log beside it. tshark shows the same.
func TestCommandCapture(t *testing.T) {
	s := startSSHD(t)
	dir := t.TempDir()
	capture, keys, scrubbed := filepath.Join(dir, "x.pcapng"), filepath.Join(dir, "keys"), filepath.Join(dir, "y.pcapng")
	src := bulkFile(t, 10<<20, 10)
	args := append([]string{"cp", "--capture", capture, "--keylog", keys, "-o", "RekeyLimit=1M"}, s.reach("P")...)
	if _, status := output(t, wirelark(t, append(args, src, s.dest()+":"+filepath.Join(dir, "far"))...)); status != 0 {
		t.Fatalf("cp ends with status %d", status)
	}
	checkFile(t, filepath.Join(dir, "far"), 10<<20, 10)
	if _, status := output(t, wirelark(t, "capture", "scrub", capture, scrubbed)); status != 0 {
		t.Fatalf("scrub ends with status %d", status)
	}
	want := seen(t, "sftp", "-r", capture)
	if want["SSH_FXP_WRITE"] < 10<<20/(256<<10) || want["SSH_FXP_STATUS"] < want["SSH_FXP_WRITE"]+want["SSH_FXP_CLOSE"] {
		t.Errorf("see reads %v from the wire: a write is missing, or an answer", want)
	}
	for _, tt := range []struct {
		name string
		got  map[string]int
	}{
		{"the inner streams", seen(t, "sftp", "-r", capture, "--inner")},
		{"the scrubbed copy with the key log", seen(t, "sftp", "-r", scrubbed, "--keys", keys)},
	} {
		if !maps.Equal(tt.got, want) {
			t.Errorf("see reads %v from %s, want %v", tt.got, tt.name, want)
		}
	}
	if got := seen(t, "sftp", "-r", scrubbed); len(got) != 0 {
		t.Errorf("see reads %v from the scrubbed copy without keys, want nothing", got)
	}
	if got := names(tshark(t, capture, "-Y", `frame.interface_name contains "inner:"`)); !maps.Equal(got, want) {
		t.Errorf("tshark shows %v, want %v", got, want)
	}
}

// start runs the program as a server and returns the address that it prints.
func start(t testing.TB, args ...string) (addr string) {
	t.Helper()
	cmd := wirelark(t, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the server says:\n%s", tail([]byte(log.String())))
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		t.Fatalf("the server prints %q, %v; want listening ADDR", line, err)
	}
	return addr
}

// serveProgram starts "wirelark serve KIND" for one key.
func serveProgram(t testing.TB, kind string, args ...string) *server {
	t.Helper()
	id, dir := newIdentity(t, "ed25519"), t.TempDir()
	host := filepath.Join(dir, "host") // made by the server
	addr := start(t, append(append([]string{"serve", kind}, args...), "--listen", "127.0.0.1:0", "--host-key", host, "--authorized-keys", id.public)...)
	_, port, _ := strings.Cut(addr, ":")
	s := &server{addr: addr, port: port, key: id.private, knownHosts: filepath.Join(dir, "known_hosts")}
	if info, err := os.Stat(host); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the host key file: %v, %v; want mode 0600", info, err)
	}
	out, status := output(t, command(t, program(t, "WIRELARK_SSH_KEYGEN", "ssh-keygen"), "-y", "-f", host))
	if status != 0 {
		t.Fatalf("ssh-keygen cannot read the host key that was made: status %d", status)
	}
	line := fmt.Sprintf("[127.0.0.1]:%s %s", port, out)
	if err := os.WriteFile(s.knownHosts, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCommandServeSSH(t *testing.T) {
	s := serveProgram(t, "ssh")
	words := program(t, "WIRELARK_SSH", "ssh")
	out, status := output(t, command(t, words, s.options("p", "x@127.0.0.1", "echo hello; exit 7")...))
	if string(out) != "hello\n" || status != 7 {
		t.Errorf("ssh says %q with status %d, want hello with 7", out, status)
	}
	out, status = output(t, command(t, words, s.options("p", "-tt", "x@127.0.0.1", "test -t 0 && test -t 1 && stty size")...))
	if len(strings.Fields(string(out))) != 2 || status != 0 {
		t.Errorf("on a terminal, stty says %q with status %d", out, status)
	}
	dir, n := t.TempDir(), int64(1<<20)
	src := bulkFile(t, n, 11)
	if out, status := output(t, command(t, program(t, "WIRELARK_SCP", "scp"), s.options("P", "-q", src, "x@127.0.0.1:"+filepath.Join(dir, "far"))...)); status != 0 {
		t.Errorf("scp ends with status %d: %s", status, out)
	}
	checkFile(t, filepath.Join(dir, "far"), n, 11)
}

func TestCommandServeSFTP(t *testing.T) {
	dir, n := t.TempDir(), int64(1<<20)
	s := serveProgram(t, "sftp", dir)
	src := bulkFile(t, n, 12)
	cmd := command(t, program(t, "WIRELARK_SFTP", "sftp"), s.options("P", "-b", "-", "x@127.0.0.1")...)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("put %s /far\nls -l /\n-get /../../etc/passwd %s\n", src, filepath.Join(t.TempDir(), "stolen")))
	out, status := output(t, cmd)
	if status != 0 || !strings.Contains(string(out), "far") {
		t.Errorf("sftp ends with status %d: %s", status, out)
	}
	checkFile(t, filepath.Join(dir, "far"), n, 12)
	if _, status := output(t, command(t, program(t, "WIRELARK_SSH", "ssh"), s.options("p", "x@127.0.0.1", "echo in")...)); status == 0 {
		t.Error("serve sftp runs a command")
	}
}

// The program is a subsystem: of sftp alone, and of somebody else's sshd.
func TestCommandStdio(t *testing.T) {
	name, err := build()
	if err != nil {
		t.Fatal(err)
	}
	words := program(t, "WIRELARK_SFTP", "sftp")
	check := func(t *testing.T, dir string, args ...string) {
		cmd := command(t, words, append([]string{"-b", "-"}, args...)...)
		cmd.Stdin = strings.NewReader(fmt.Sprintf("cd %s\nmkdir made\nls\n", dir))
		out, status := output(t, cmd)
		if _, err := os.Stat(filepath.Join(dir, "made")); err != nil || status != 0 {
			t.Errorf("sftp ends with status %d, %v: %s", status, err, out)
		}
	}
	t.Run("sftp -D", func(t *testing.T) { check(t, t.TempDir(), "-D", name+" serve sftp --stdio") })
	t.Run("sshd", func(t *testing.T) {
		s := startSSHD(t, "Subsystem wirelark "+name+" serve sftp --stdio")
		check(t, t.TempDir(), append(options(s.knownHosts, s.key, s.port(), "P"), "-s", "wirelark", s.dest())...)
	})
}
