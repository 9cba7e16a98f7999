package hostshell

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// runPipes runs a command without a terminal. The pipes of its output are ours
// and not os/exec's, whose Wait would wait without end for a process that was
// left behind with them, also when the client has gone.
func (h *Host) runPipes(ctx context.Context, s *sshserver.Session, cmd *exec.Cmd) error {
	ownGroup(cmd)
	stdin, stdout, stderr, err := start(cmd)
	if err != nil {
		return err
	}
	fed := make(chan struct{})
	go func() { // stops when the input ends, the command reads no more, or the deadline below
		_, _ = s.WriteTo(stdin) // a command need not read all that it is sent
		_ = stdin.Close()       // the end of the input is all that it says
		close(fed)
	}()
	shown := make(chan struct{})
	go func() { // stops when nobody has the pipes open any more, or they are closed below
		var wg sync.WaitGroup
		wg.Go(func() { show(s, stdout) })
		wg.Go(func() { show(s.Stderr(), stderr) })
		wg.Wait()
		close(shown)
	}()
	done := make(chan struct{})
	wait := h.attend(ctx, s, cmd, done, func(ssh.WindowSize) {})
	err = cmd.Wait() // closes stdin
	select {
	case <-shown:
	case <-ctx.Done():
		_ = stdout.Close() // nobody is left to read it
		_ = stderr.Close()
		<-shown
	}
	close(done)
	_ = s.SetReadDeadline(time.Unix(1, 0)) // wakes who still reads input
	wait()
	<-fed
	return err
}

// show copies output until its end. When the client takes no more, closing the
// pipe lets the command know, as a shell's pipe would.
func show(to io.Writer, from *os.File) {
	_, _ = io.Copy(to, from) // that the client takes no more ends no command
	_ = from.Close()         // it was only read
}

// start starts a command with pipes on all three streams.
func start(cmd *exec.Cmd) (stdin io.WriteCloser, stdout, stderr *os.File, err error) {
	var files []*os.File
	fail := func(err error) (io.WriteCloser, *os.File, *os.File, error) {
		for _, f := range files {
			err = errors.Join(err, f.Close())
		}
		return nil, nil, nil, err
	}
	pipe := func() (r, w *os.File, err error) {
		if r, w, err = os.Pipe(); err == nil {
			files = append(files, r, w)
		}
		return r, w, err
	}
	stdout, w1, err := pipe()
	if err != nil {
		return fail(err)
	}
	stderr, w2, err := pipe()
	if err != nil {
		return fail(err)
	}
	cmd.Stdout, cmd.Stderr = w1, w2
	stdin, err = cmd.StdinPipe()
	if err != nil {
		return fail(err)
	}
	if err := heeding(cmd.Start); err != nil { // closes stdin
		return fail(err)
	}
	_ = w1.Close() // the command has its own
	_ = w2.Close()
	return stdin, stdout, stderr, nil
}
