//go:build unix

package cli

import (
	"context"
	"os"
	"os/exec"
	"syscall"
)

// shellCommand runs a line through the user's shell, as ssh(1) does.
func (a *app) shellCommand(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, orDefault(a.Getenv("SHELL"), "/bin/sh"), "-c", line)
}

// proxyLine lets the shell make way for the program.
func proxyLine(command string) string { return "exec " + command }

// hangUp asks a program to end.
func hangUp(p *os.Process) error { return p.Signal(syscall.SIGHUP) }
