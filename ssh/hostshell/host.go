package hostshell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// ErrNoTerminal says that this system has no terminals for sessions.
var ErrNoTerminal = errors.New("this system has no terminals for sessions")

// Config configures a [Host]. The zero value is ready.
type Config struct {
	// Shell runs commands; empty: the user's login shell, or else SHELL, or
	// else the system's.
	Shell string
	// Dir is where commands start; empty: the user's home directory.
	Dir string
	// Env holds NAME=value settings for every command, which come after those
	// of the session.
	Env []string
	// Grace is how long a command may take to end when its client is gone; 0:
	// five seconds.
	Grace time.Duration
}

// A Host runs what sessions ask for on this host. Its methods are handlers of
// an [sshserver.Server] and safe for concurrent use.
type Host struct {
	cfg Config
}

// New makes a Host. A nil cfg means the defaults.
func New(cfg *Config) *Host {
	h := new(Host)
	if cfg != nil {
		h.cfg = *cfg
	}
	if h.cfg.Grace <= 0 {
		h.cfg.Grace = 5 * time.Second
	}
	return h
}

// ignored are the signals that this process was started to ignore. Package
// signal tells them only until somebody asks to be notified.
var ignored = func() (list []os.Signal) {
	for _, sig := range signals {
		if signal.Ignored(sig) {
			list = append(list, sig)
		}
	}
	return list
}()

// heeding calls start, which starts a command, with no signal ignored: a
// server started in the background may ignore Ctrl-C or hangups, and its
// commands, and what they run, could not be stopped by them.
func heeding(start func() error) error {
	if len(ignored) == 0 {
		return start()
	}
	caught := make(chan os.Signal, 1) // and forgotten, as they are ignored anyway
	signal.Notify(caught, ignored...)
	defer signal.Stop(caught)
	return start()
}

// AcceptEnv returns the patterns of the variables that a client may well set,
// for [sshserver.Server.Env]: those of its language. None of them makes a
// program run another one.
func AcceptEnv() []string { return []string{"LANG", "LC_*"} }

// Exec runs the command of a session.
func (h *Host) Exec(ctx context.Context, s *sshserver.Session) error {
	return h.run(ctx, s, s.Command(), false)
}

// Shell runs a login shell.
func (h *Host) Shell(ctx context.Context, s *sshserver.Session) error {
	return h.run(ctx, s, "", true)
}

// statusNotStarted is what shells return for a command that they cannot run.
const statusNotStarted = 127

func (h *Host) run(ctx context.Context, s *sshserver.Session, command string, login bool) error {
	pty := s.PTY()
	cmd := h.command(s, pty, command, login)
	var err error
	if pty != nil {
		err = h.runTerminal(ctx, s, cmd, pty)
	} else {
		err = h.runPipes(ctx, s, cmd)
	}
	if cmd.ProcessState == nil {
		// What is missing on the host is no secret to who may run anything on it.
		fmt.Fprintf(s.Stderr(), "wirelark: %v\r\n", err)
		s.Exit(statusNotStarted)
		return err
	}
	tell(s, cmd.ProcessState)
	return nil
}

// events hands signals and sizes of the client's terminal on, until ctx ends.
func events(ctx context.Context, s *sshserver.Session, signal func(string), resize func(ssh.WindowSize)) {
	for {
		e, err := s.Event(ctx)
		switch {
		case err != nil:
			return
		case e.Size != nil:
			resize(*e.Size)
		default:
			signal(e.Signal)
		}
	}
}

// attend looks after a running command: it hands events on, and ends the
// command when ctx ends before done is closed. The function that it returns
// waits for what it has started; done must be closed before.
func (h *Host) attend(ctx context.Context, s *sshserver.Session, cmd *exec.Cmd, done <-chan struct{}, resize func(ssh.WindowSize)) (wait func()) {
	inner, cancel := context.WithCancel(ctx)
	finished := make(chan struct{}, 2)
	go func() { // stops with inner
		events(inner, s, func(name string) { signalGroup(cmd.Process, name) }, resize)
		finished <- struct{}{}
	}()
	go func() { // stops with done
		h.end(ctx, cmd, done)
		finished <- struct{}{}
	}()
	return func() {
		cancel()
		<-finished
		<-finished
	}
}

func (h *Host) end(ctx context.Context, cmd *exec.Cmd, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	signalGroup(cmd.Process, "HUP")
	signalGroup(cmd.Process, "CONT") // a stopped one could not notice
	t := time.NewTimer(h.cfg.Grace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		signalGroup(cmd.Process, "KILL")
		<-done
	}
}
