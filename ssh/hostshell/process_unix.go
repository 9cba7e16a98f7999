//go:build unix

package hostshell

import (
	"os"
	"os/exec"
	"syscall"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// signals are the names that SSH has for signals (RFC 4254 §6.10), and CONT,
// which we send ourselves.
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
	"QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1,
	"USR2": syscall.SIGUSR2, "CONT": syscall.SIGCONT,
}

// ownGroup makes the command the leader of a session, and so of a process
// group, of its own.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// signalGroup sends a signal, named without SIG, to the group that p leads.
// Unknown names are ignored, and so is that nobody is left.
func signalGroup(p *os.Process, name string) {
	if sig, ok := signals[name]; ok {
		_ = syscall.Kill(-p.Pid, sig)
	}
}

// tell says how the command has ended.
func tell(s *sshserver.Session, state *os.ProcessState) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		s.Exit(uint32(state.ExitCode()))
		return
	}
	e := ssh.ExitSignal{Signal: signalName(status.Signal()), CoreDumped: status.CoreDump()}
	s.ExitSignal(e)
}

func signalName(sig syscall.Signal) string {
	for name, s := range signals {
		if s == sig {
			return name
		}
	}
	return sig.String() + "@wirelark" // names of our own have an @ (RFC 4254 §6.10)
}
