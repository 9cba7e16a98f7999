package cli

import (
	"context"
	"os"
	"os/exec"
	"syscall"
)

// shellCommand runs a line through the command interpreter, which reads it as
// it stands.
func (a *app) shellCommand(ctx context.Context, line string) *exec.Cmd {
	shell := orDefault(a.Getenv("ComSpec"), "cmd.exe")
	cmd := exec.CommandContext(ctx, shell)
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `"` + shell + `" /c "` + line + `"`}
	return cmd
}

func proxyLine(command string) string { return command }

// hangUp ends a program.
func hangUp(p *os.Process) error { return p.Kill() }
