//go:build unix

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// person is somebody at a terminal in which a command runs.
type person struct {
	t      *testing.T
	screen *os.File // the other side of the terminal
	tty    *os.File
	cmd    *exec.Cmd
	before *term.State

	mu   sync.Mutex
	seen bytes.Buffer
	at   int // how much of it was looked at
}

// sit runs the command line in a terminal of 30 rows and 100 columns, which
// controls it.
func sit(t *testing.T, env []string, args ...string) *person {
	t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close(); tty.Close() })
	if err := pty.Setsize(screen, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, screen: screen, tty: tty, cmd: exec.Command("wirelark", args...)}
	if p.before, err = term.GetState(int(tty.Fd())); err != nil {
		t.Fatal(err)
	}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = tty, tty, tty
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	go func() { // stops when the terminal is closed
		buf := make([]byte, 4096)
		for {
			n, err := screen.Read(buf)
			p.mu.Lock()
			p.seen.Write(buf[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return p
}

func (p *person) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

// sees waits until something new on the screen matches.
func (p *person) sees(pattern string) {
	p.t.Helper()
	if !p.glimpses(pattern, patience) {
		p.t.Fatalf("nothing like %q on the screen:\n%s", pattern, p.text())
	}
}

func (p *person) glimpses(pattern string, wait time.Duration) bool {
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		text := p.text()
		if m := re.FindStringIndex(text[p.at:]); m != nil {
			p.at += m[1]
			return true
		}
	}
	return false
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := p.screen.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// prompt waits for a shell to be there; what it is told while it starts may
// get lost.
func (p *person) prompt() {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		p.types("PS1='rea''dy> '\r")
		if p.glimpses("ready> ", time.Second) {
			return
		}
	}
	p.t.Fatalf("no shell:\n%s", p.text())
}

// leaves waits for the end of the command, and checks that the terminal is as
// it was.
func (p *person) leaves(status int) {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }() // stops with the command
	select {
	case <-done:
	case <-time.After(patience):
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // for the stacks
		<-done
		p.t.Fatalf("it does not end; on the screen:\n%s", p.text())
	}
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		p.t.Errorf("status %d, want %d; on the screen:\n%s", got, status, p.text())
	}
	after, err := term.GetState(int(p.tty.Fd()))
	if err != nil {
		p.t.Fatal(err)
	}
	if !reflect.DeepEqual(after, p.before) {
		p.t.Errorf("the terminal was not restored: %v, was %v", after, p.before)
	}
}

// background is a server for somebody at a terminal.
func background(t *testing.T, home string, args ...string) (port string) {
	t.Helper()
	cmd := exec.Command("wirelark", append([]string{"serve"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // its end is judged elsewhere
	})
	buf := make([]byte, 100)
	n, err := out.Read(buf)
	_, port, ok := strings.Cut(strings.TrimSpace(string(buf[:n])), "listening 127.0.0.1:")
	if !ok {
		t.Fatalf("the server said %q (%v)", buf[:n], err)
	}
	return port
}

func wirelark(t *testing.T, home string, args ...string) {
	t.Helper()
	cmd := exec.Command("wirelark", args...)
	cmd.Env = append(os.Environ(), "HOME="+home)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// sshHome makes a home with a key and a server that lets it in.
func sshHome(t *testing.T) (home, port string) {
	t.Helper()
	home = t.TempDir()
	id := filepath.Join(home, ".ssh", "id_ed25519")
	wirelark(t, home, "keygen", "-f", id, "-N", "")
	port = background(t, home, "ssh", "--listen", "127.0.0.1:0", "--authorized-keys", id+".pub")
	wirelark(t, home, "ssh", "-o", "StrictHostKeyChecking=accept-new", "-p", port, "127.0.0.1", "true")
	return home, port
}

func TestLoginShell(t *testing.T) {
	home, port := sshHome(t)
	p := sit(t, []string{"HOME=" + home, "TERM=xterm", "SSH_AUTH_SOCK="}, "ssh", "-p", port, "127.0.0.1")
	p.prompt()
	// What is typed while a shell changes the terminal's mode may get lost, so
	// each line waits for the prompt.
	p.types("stty size; echo $TERM\r")
	p.sees("30 100\\s+xterm")
	p.sees("ready> ")

	// The size follows.
	if err := pty.Setsize(p.screen, &pty.Winsize{Rows: 40, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; {
		p.types("stty size\r")
		if p.glimpses("(40 120|30 100)[^>]*ready> ", patience) && strings.Contains(p.text(), "40 120") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the size did not arrive:\n%s", p.text())
		}
	}

	// Ctrl-C goes to what runs there.
	p.types("echo begi''ns; sleep 1000; echo not re''ached\r")
	p.sees("begins")
	p.types("\x03")
	p.sees("ready> ")
	p.types("echo still $((40+2))\r")
	p.sees("still 42")
	p.sees("ready> ")

	// A tilde inside a line is a tilde; at its beginning, a dot behind it hangs up.
	p.types("echo x~.''x\r")
	p.sees(`x~\.x`)
	p.sees("ready> ")
	p.types("\r~?")
	p.sees("end the session")
	p.types("~.")
	p.sees("hung up")
	p.leaves(255)
	if strings.Contains(p.text(), "not reached") {
		t.Errorf("Ctrl-C did not end the command:\n%s", p.text())
	}
}

func TestShellStatus(t *testing.T) {
	home, port := sshHome(t)
	p := sit(t, []string{"HOME=" + home, "TERM=xterm", "SSH_AUTH_SOCK="}, "ssh", "-p", port, "127.0.0.1")
	p.prompt()
	p.types("exit 7\r")
	p.leaves(7)

	// A command has a terminal only with -t, and one that reads nothing leaves
	// what was typed to who comes next.
	p = sit(t, []string{"HOME=" + home, "SSH_AUTH_SOCK="}, "ssh", "-p", port, "127.0.0.1", "test -t 0 || exit 9")
	p.leaves(9)
	p = sit(t, []string{"HOME=" + home, "SSH_AUTH_SOCK="}, "ssh", "-t", "-p", port, "127.0.0.1", "test -t 0 && exit 8")
	p.leaves(8)

	// Ctrl-C without a terminal there ends the client.
	p = sit(t, []string{"HOME=" + home, "SSH_AUTH_SOCK="}, "ssh", "-p", port, "127.0.0.1", "echo go; sleep 1000")
	p.sees("go")
	p.types("\x03")
	p.leaves(255)
}

func TestPasswordPrompt(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	file := filepath.Join(home, "password")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	port := background(t, home, "sftp", dir, "--listen", "127.0.0.1:0", "--user", "ann", "--password-file", file)
	env := []string{"HOME=" + home, "TERM=xterm", "SSH_AUTH_SOCK=", "SSH_ASKPASS="}

	// The question about the host, a wrong password, the right one.
	p := sit(t, env, "sftp", "-P", port, "ann@127.0.0.1")
	p.sees("fingerprint is SHA256:")
	p.sees(`\(yes/no/once/\[fingerprint\]\)\? `)
	p.types("yes\r")
	p.sees("ann@127.0.0.1's password: ")
	p.types("wrong\r")
	p.sees("password: ")
	p.types("s3cret\r")
	p.sees("sftp> ")
	p.types("exit\r")
	p.leaves(0)
	if text := p.text(); strings.Contains(text, "s3cret") || strings.Contains(text, "wrong") {
		t.Errorf("a password is on the screen:\n%s", text)
	}

	// Ctrl-C at the prompt gives up and leaves the terminal in order.
	p = sit(t, env, "sftp", "-P", port, "ann@127.0.0.1")
	p.sees("password: ")
	p.types("s3\x03")
	p.leaves(exitInterrupted)
}

func TestInteractiveSFTP(t *testing.T) {
	home, port := sshHome(t)
	if err := os.Mkdir(filepath.Join(home, "directory"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "huge"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(home, "huge"), 64<<30); err != nil {
		t.Fatal(err)
	}
	p := sit(t, []string{"HOME=" + home, "TERM=xterm", "SSH_AUTH_SOCK="}, "sftp", "-P", port, "127.0.0.1")
	p.sees("sftp> ")

	// Completion, history, a wrong line.
	p.types("cd dir\t\r")
	p.sees("sftp> ")
	p.types("pwd\r")
	p.sees(regexp.QuoteMeta(filepath.Join(home, "directory")) + "\r")
	p.types("nonsense\r")
	p.sees("there is no command \"nonsense\"")
	p.types("cd ..\r")
	p.types("ls nowhere\r")
	p.sees("no such file")

	// Ctrl-C ends the command, twice, and not the session.
	for range 2 {
		p.types("get huge /dev/null\r")
		p.sees("huge.*%")
		p.types("\x03")
		p.sees("interrupted")
		p.sees("sftp> ")
	}
	p.types("\x03")
	p.types("pwd\r")
	p.sees(regexp.QuoteMeta(home) + "\r")
	p.types("\x04")
	p.leaves(0)

	// A request to end is obeyed at the prompt.
	p = sit(t, []string{"HOME=" + home, "TERM=xterm", "SSH_AUTH_SOCK="}, "sftp", "-P", port, "127.0.0.1")
	p.sees("sftp> ")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.leaves(exitInterrupted)
}
