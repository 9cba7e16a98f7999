//go:build unix

package hostshell

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// runTerminal runs a command on a terminal of its own.
func (h *Host) runTerminal(ctx context.Context, s *sshserver.Session, cmd *exec.Cmd, want *ssh.PTY) error {
	master, slave, err := pty.Open()
	if err != nil {
		return err
	}
	err = startOn(cmd, slave, want)
	_ = slave.Close() // the command has its own
	if err != nil {
		return errors.Join(err, master.Close())
	}
	master = interruptible(master)
	defer master.Close()
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
		_ = setSize(master, size) // a size is not worth a session
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
	if err := setSize(slave, want.Size); err != nil {
		return err
	}
	if err := setModes(slave, want.Modes); err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	cmd.Env = append(cmd.Env, "SSH_TTY="+slave.Name())
	return heeding(cmd.Start)
}

// setSize tells a terminal its size, cut to what the system can hold. It does
// not use [os.File.Fd], which would make reads wait where Close cannot wake them.
func setSize(f *os.File, size ssh.WindowSize) error {
	cut := func(v uint32) uint16 { return uint16(min(v, 1<<16-1)) }
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	ws := unix.Winsize{Row: cut(size.Rows), Col: cut(size.Columns), Xpixel: cut(size.Width), Ypixel: cut(size.Height)}
	var failed error
	if err := c.Control(func(fd uintptr) { failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &ws) }); err != nil {
		return err
	}
	return os.NewSyscallError("ioctl", failed)
}
