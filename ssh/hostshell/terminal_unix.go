//go:build unix

package hostshell

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/creack/pty"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// runTerminal runs a command on a terminal of its own.
func (h *Host) runTerminal(ctx context.Context, s *sshserver.Session, cmd *exec.Cmd, want *ssh.PTY) error {
	master, slave, err := pty.Open()
	if err != nil {
		return err
	}
	defer master.Close()
	err = startOn(cmd, slave, want)
	_ = slave.Close() // the command has its own
	if err != nil {
		return err
	}
	fed := make(chan struct{})
	go func() { // stops when the input ends, the terminal is gone, or the deadline below
		_, _ = io.Copy(master, s) // a terminal has no end of input; the client's is not told
		close(fed)
	}()
	shown := make(chan struct{})
	go func() { // stops when nobody has the terminal open any more, or it is closed below
		_, _ = io.Copy(s, master)          // the end of a terminal is an error, EIO
		_, _ = io.Copy(io.Discard, master) // and one that nobody reads stops its command
		close(shown)
	}()
	done := make(chan struct{})
	wait := h.attend(ctx, s, cmd, done, func(size ssh.WindowSize) {
		_ = pty.Setsize(master, winsize(size)) // a size is not worth a session
	})
	err = cmd.Wait()
	// The system takes the terminal from whoever else has it open when the
	// leader of its session ends, so the rest of the output has an end.
	select {
	case <-shown:
	case <-ctx.Done():
	}
	close(done)
	_ = s.SetReadDeadline(time.Unix(1, 0)) // wakes who still reads input
	_ = master.Close()                     // wakes who still reads or writes the terminal
	wait()
	<-fed
	<-shown
	return err
}

func startOn(cmd *exec.Cmd, slave *os.File, want *ssh.PTY) error {
	if err := pty.Setsize(slave, winsize(want.Size)); err != nil {
		return err
	}
	if err := setModes(slave, want.Modes); err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(cmd.Env, "SSH_TTY="+slave.Name())
	return cmd.Start()
}

// winsize cuts a size to what the system can hold.
func winsize(size ssh.WindowSize) *pty.Winsize {
	cut := func(v uint32) uint16 { return uint16(min(v, 1<<16-1)) }
	return &pty.Winsize{Rows: cut(size.Rows), Cols: cut(size.Columns), X: cut(size.Width), Y: cut(size.Height)}
}
