package hostshell

import (
	"context"
	"os"
	"os/exec"
	"syscall"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// signals are those that a process can ignore here.
var signals = map[string]os.Signal{"INT": os.Interrupt}

// ownGroup keeps the console's Ctrl-C of the server from the command.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.CreationFlags |= syscall.CREATE_NEW_PROCESS_GROUP
}

// signalGroup ends the command for the signals that ask for it: Windows knows
// no others, and no groups that could be ended as one.
func signalGroup(p *os.Process, name string) {
	switch name {
	case "HUP", "INT", "KILL", "QUIT", "TERM":
		_ = p.Kill() // it may have ended
	}
}

// tell says how the command has ended.
func tell(s *sshserver.Session, state *os.ProcessState) { s.Exit(uint32(state.ExitCode())) }

func (h *Host) runTerminal(context.Context, *sshserver.Session, *exec.Cmd, *ssh.PTY) error {
	return ErrNoTerminal
}
