//go:build unix

package hostshell_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/hostshell"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// dial logs in to a server that runs a Host with /bin/sh.
func dial(t *testing.T, cfg hostshell.Config) *sshclient.Client {
	t.Helper()
	if cfg.Shell == "" {
		cfg.Shell = "/bin/sh"
	}
	host := hostshell.New(&cfg)
	return sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Exec, s.Shell = host.Exec, host.Shell
		s.Env = hostshell.AcceptEnv()
	}).Dial()
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestExec(t *testing.T) {
	c := dial(t, hostshell.Config{})
	for _, row := range []struct {
		command, stdin, stdout, stderr string
		status                         uint32
		signal                         string
	}{
		{command: "echo out; echo err >&2", stdout: "out\n", stderr: "err\n"},
		{command: "exit 3", status: 3},
		{command: "exit 255", status: 255},
		{command: "kill -TERM $$", signal: "TERM"},
		{command: "kill -KILL $$", signal: "KILL"},
		{command: "cat", stdin: "what goes in", stdout: "what goes in"},
		{command: "cat; echo end", stdout: "end\n"},
		{command: "head -c 4", stdin: strings.Repeat("long ", 200_000), stdout: "long"},
		{command: "true", stdin: strings.Repeat("unread ", 200_000)},
		{command: `printf '%s|' "$0" "a  b" 'c"d'`, stdout: `sh|a  b|c"d|`},
		{command: "no-such-command-here 2>/dev/null", status: 127},
		{command: ""},
		{command: "echo one; (sleep 0.1; echo two) & exit 4", stdout: "one\ntwo\n", status: 4},
	} {
		t.Run(row.command, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cmd := c.Command(row.command)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(row.stdin), &stdout, &stderr
			err := cmd.Run(deadline(t))
			var status uint32
			var signal string
			if ee, ok := errors.AsType[*sshclient.ExitError](err); ok {
				status, signal = uint32(ee.Status), ee.Signal
			} else if err != nil {
				t.Error(err)
			}
			if signal == "" && status != row.status || signal != row.signal {
				t.Errorf("got status %d, signal %q, want %d, %q", status, signal, row.status, row.signal)
			}
			if stdout.String() != row.stdout || stderr.String() != row.stderr {
				t.Errorf("got %q and %q, want %q and %q", stdout.String(), stderr.String(), row.stdout, row.stderr)
			}
		})
	}
}

func TestMuchOutput(t *testing.T) {
	c := dial(t, hostshell.Config{})
	path := filepath.Join(t.TempDir(), "data")
	data := bytes.Repeat([]byte("0123456789abcde\n"), 500_000)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := c.Command("cat " + path).Output(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if sha256.Sum256(got) != sha256.Sum256(data) {
		t.Errorf("%d bytes came, %d were sent, or they differ", len(got), len(data))
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("SERVER_SECRET", "hidden")
	t.Setenv("TZ", "UTC")
	dir := t.TempDir()
	c := dial(t, hostshell.Config{Dir: dir, Env: []string{"FROM_CONFIG=yes"}})
	cmd := c.Command("pwd; env")
	cmd.Env = []string{"LC_ALL=C", "LD_PRELOAD=/evil.so", "PATH=/evil"}
	out, err := cmd.Output(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	text := "\n" + string(out)
	for _, want := range []string{"\n" + dir + "\n", "\nLC_ALL=C\n", "\nTZ=UTC\n", "\nFROM_CONFIG=yes\n", "\nSHELL=/bin/sh\n", "\nHOME=/", "\nUSER=", "\nSSH_CONNECTION=127.0.0.1 "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:%s", want, text)
		}
	}
	for _, bad := range []string{"SERVER_SECRET", "evil", "SSH_ORIGINAL_COMMAND", "SSH_TTY"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in:%s", bad, text)
		}
	}
}

func TestForcedCommand(t *testing.T) {
	host := hostshell.New(&hostshell.Config{Shell: "/bin/sh"})
	server := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Exec = host.Exec
		s.Password = func(context.Context, sshserver.Attempt, string) (*sshserver.Grant, error) {
			return &sshserver.Grant{Command: `echo "forced, not $SSH_ORIGINAL_COMMAND"`}, nil
		}
	})
	cfg := server.ClientConfig()
	cfg.Auth = []sshclient.AuthMethod{sshclient.Password(func(context.Context, string) (string, error) { return "any", nil })}
	c, err := sshclient.Dial(deadline(t), server.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out, err := c.Command("rm everything").Output(deadline(t))
	if err != nil || string(out) != "forced, not rm everything\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestShellThatIsNotThere(t *testing.T) {
	c := dial(t, hostshell.Config{Shell: "/no/such/shell"})
	var stderr bytes.Buffer
	cmd := c.Command("true")
	cmd.Stderr = &stderr
	err := cmd.Run(deadline(t))
	if ee, ok := errors.AsType[*sshclient.ExitError](err); !ok || ee.Status != 127 {
		t.Errorf("got %v, want status 127", err)
	}
	if !strings.Contains(stderr.String(), "/no/such/shell") {
		t.Errorf("told %q", stderr.String())
	}
}

func TestSignalsReachTheGroup(t *testing.T) {
	c := dial(t, hostshell.Config{})
	cmd := c.Command(`trap 'echo got USR1; exit 7' USR1; echo ready; while :; do sleep 0.01; done`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx := deadline(t)
	if err := cmd.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Signal(ctx, "NONSENSE"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Signal(ctx, "USR1"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil || string(rest) != "got USR1\n" {
		t.Errorf("got %q, %v", rest, err)
	}
	if ee, ok := errors.AsType[*sshclient.ExitError](cmd.Wait()); !ok || ee.Status != 7 {
		t.Errorf("got %v, want status 7", ee)
	}
}

// started starts a command that prints a process id first, and returns it.
func started(t *testing.T, ctx context.Context, cmd *sshclient.Cmd) int {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(ctx); err != nil {
		t.Fatal(err)
	}
	var line []byte
	for b := make([]byte, 1); !bytes.HasSuffix(line, []byte("\n")); line = append(line, b...) {
		if _, err := io.ReadFull(out, b); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(line)))
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { // stops when the command or the connection ends
		_, _ = io.Copy(io.Discard, out)
		close(read)
	}()
	t.Cleanup(func() {
		<-read
		if err := cmd.Wait(); err == nil {
			t.Error("a command whose connection was closed has ended well")
		}
	})
	return pid
}

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
	_ = syscall.Kill(pid, syscall.SIGKILL) // one of ours
}

// zombie reports whether a process waits for its parent only: in a container
// nobody may fetch orphans.
func zombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(b), ") ")
	return err == nil && strings.HasPrefix(after, "Z")
}

func TestClientGoesAway(t *testing.T) {
	for _, row := range []struct{ name, command string }{
		{"group", "sleep 300 & echo $!; wait"},
		{"deaf to HUP", "trap '' HUP TERM; echo $$; while :; do sleep 0.05; done"},
		{"stopped", "echo $$; kill -STOP $$"},
		{"leaves the group with our pipes", "echo $$; exec sleep 300"},
		{"floods", "echo $$; exec yes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := dial(t, hostshell.Config{Grace: 50 * time.Millisecond})
			pid := started(t, deadline(t), c.Command(row.command))
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			gone(t, pid)
		})
	}
}

// A server that was started in the background of a shell ignores interrupts;
// what it runs for others must not.
func TestCommandsInheritNoIgnoredSignals(t *testing.T) {
	// A process cannot leave off ignoring again, so another one does it.
	if os.Getenv("HOSTSHELL_IGNORES") == "" {
		script := `trap "" INT HUP; exec "$0" -test.run "^` + t.Name() + `$"`
		cmd := exec.CommandContext(deadline(t), "/bin/sh", "-c", script, os.Args[0])
		cmd.Env = append(os.Environ(), "HOSTSHELL_IGNORES=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if !signal.Ignored(syscall.SIGINT) {
		t.Fatal("this process should ignore interrupts")
	}
	c := dial(t, hostshell.Config{})
	for _, sig := range []string{"INT", "HUP"} {
		err := c.Command("kill -" + sig + " $$; echo survived").Run(deadline(t))
		var exit *sshclient.ExitError
		if !errors.As(err, &exit) || exit.Signal != sig {
			t.Errorf("a command that gets %s: %v, want its end by it", sig, err)
		}
	}
}
