package hostshell

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// kept are the variables of the server that its commands need. The others stay
// with the server: they may hold secrets that were meant for it alone.
var kept = slices.Concat([]string{"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSH_AUTH_SOCK"}, keptBySystem)

// command returns the command, not yet started, that a session asks for; a
// login shell if login is set.
func (h *Host) command(s *sshserver.Session, pty *ssh.PTY, command string, login bool) *exec.Cmd {
	name, home := account()
	shell := h.cfg.Shell
	if shell == "" {
		shell = loginShell(name)
	}
	cmd := shellCommand(shell, command, login)
	cmd.Dir = h.cfg.Dir
	if cmd.Dir == "" {
		cmd.Dir = home
	}
	if info, err := os.Stat(cmd.Dir); err != nil || !info.IsDir() {
		cmd.Dir = string(os.PathSeparator) // as sshd, where the home is missing
	}
	cmd.Env = environment(s, pty, name, home, shell)
	cmd.Env = append(cmd.Env, h.cfg.Env...)
	return cmd
}

func environment(s *sshserver.Session, pty *ssh.PTY, name, home, shell string) []string {
	env := []string{"HOME=" + home, "USER=" + name, "LOGNAME=" + name, "SHELL=" + shell}
	for _, k := range kept {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	env = append(env, connection(s.Conn().RemoteAddr(), s.Conn().LocalAddr())...)
	if original := s.Original(); original != "" {
		env = append(env, "SSH_ORIGINAL_COMMAND="+original)
	}
	env = append(env, s.Env()...)
	if pty != nil {
		env = append(env, "TERM="+strings.ReplaceAll(pty.Term, "\x00", ""))
	}
	// A NUL would keep the command from starting.
	return slices.DeleteFunc(env, func(e string) bool { return strings.Contains(e, "\x00") })
}

// connection returns SSH_CLIENT and SSH_CONNECTION, as ssh(1) describes them.
func connection(remote, local net.Addr) []string {
	rh, rp, err1 := net.SplitHostPort(addr(remote))
	lh, lp, err2 := net.SplitHostPort(addr(local))
	if err1 != nil || err2 != nil {
		return nil // no TCP
	}
	return []string{
		fmt.Sprintf("SSH_CLIENT=%s %s %s", rh, rp, lp),
		fmt.Sprintf("SSH_CONNECTION=%s %s %s %s", rh, rp, lh, lp),
	}
}

func addr(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// account returns the name and home directory of the user who runs the server.
func account() (name, home string) {
	if u, err := user.Current(); err == nil {
		return u.Username, u.HomeDir
	}
	home, _ = os.UserHomeDir() // empty: the root directory is taken
	return os.Getenv("USER"), home
}
