//go:build unix

package hostshell

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const defaultShell = "/bin/sh"

var keptBySystem []string

// loginShell returns the shell of the named user: that of /etc/passwd, or else
// SHELL, or else the system's.
func loginShell(name string) string {
	text, _ := os.ReadFile("/etc/passwd") // missing where users come from elsewhere
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) == 7 && f[0] == name && filepath.IsAbs(f[6]) {
			return f[6]
		}
	}
	if shell := os.Getenv("SHELL"); filepath.IsAbs(shell) {
		return shell
	}
	return defaultShell
}

func shellCommand(shell, command string, login bool) *exec.Cmd {
	if login {
		cmd := exec.Command(shell)
		cmd.Args[0] = "-" + filepath.Base(shell) // the sign of a login shell
		return cmd
	}
	cmd := exec.Command(shell, "-c", command)
	cmd.Args[0] = filepath.Base(shell)
	return cmd
}
