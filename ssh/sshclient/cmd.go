package sshclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
)

// Cmd is a command or shell on the server, in the manner of os/exec: set its
// fields, then Run, Start and Wait, or Output. It runs once. Methods but Wait
// are safe for concurrent use after Start.
//
// Standard output and standard error are read all the time and independently
// of each other, so a command that writes much to one never waits because
// nobody reads the other.
type Cmd struct {
	// Env lists "NAME=value". A server ignores what it does not allow, which
	// is most, and does not say so.
	Env []string

	// Stdin is read by a goroutine of its own until its end or that of the
	// command; nil: the command reads the end of file at once. A Read that
	// waits, for a terminal say, is not waited for.
	Stdin io.Reader

	// Stdout and Stderr are written to, nil: what comes is dropped. If they
	// are the same writer, one write at a time. When one of them fails, the
	// command is told so if the server can, the rest of its output is
	// dropped, and Wait returns the error.
	Stdout, Stderr io.Writer

	// PTY asks for a terminal; nil: none. With one, stderr arrives in Stdout.
	PTY *ssh.PTY

	// WaitDelay bounds what follows when ctx is done: first, how long the
	// command may take after signal TERM, then, how long its last output may.
	// 0: 2 s each.
	WaitDelay time.Duration

	c     *Client
	line  string
	shell bool

	ch      *mux.Channel
	ctx     context.Context // Start's, for the life of the command
	watch   func() bool     // stops watching ctx
	copying sync.WaitGroup  // output
	pipes   []*io.PipeWriter

	mu      sync.Mutex
	exit    *ExitError // what the server said; nil: nothing yet
	copyErr error      // the first of a writer, of Stdin, or of an output cut short
	stdin   *stdinPipe
}

// Command returns a command for the shell of the user on the server, which
// splits and expands line. Nothing is quoted.
func (c *Client) Command(line string) *Cmd { return &Cmd{c: c, line: line} }

// Shell returns the login shell of the user on the server. It is usually given
// a PTY.
func (c *Client) Shell() *Cmd { return &Cmd{c: c, shell: true} }

// Run starts the command and waits for its end.
func (c *Cmd) Run(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		return err
	}
	return c.Wait()
}

// Start starts the command and returns when the server has started it. ctx
// lives as long as the command: when it is done, the command gets signal TERM
// and some time, and then its channel is closed.
func (c *Cmd) Start(ctx context.Context) error {
	if c.ch != nil {
		return errors.New("sshclient: command started twice")
	}
	open := &ssh.ChannelOpen{Type: ssh.ChannelSession}
	ch, err := c.c.mux.Open(ctx, open, mux.Options{KeepStderr: true, OnRequest: c.onRequest})
	if err != nil {
		c.closePipes(err)
		return err
	}
	c.ch, c.ctx = ch, ctx
	if err := c.ask(ctx); err != nil {
		ch.Close()
		c.closePipes(err)
		return err
	}
	c.copyOutput()
	c.copyInput()
	c.watch = context.AfterFunc(ctx, c.kill)
	return nil
}

// ask makes the requests that start the command. Those before the last are not
// waited for, but for a terminal: without the one that is wanted, the command
// must not run.
func (c *Cmd) ask(ctx context.Context) error {
	for _, kv := range c.Env {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return fmt.Errorf("sshclient: environment entry %q is not NAME=value", kv)
		}
		r := &ssh.ChannelRequest{Type: ssh.RequestEnv, EnvName: name, EnvValue: value}
		if _, err := c.ch.Request(ctx, r); err != nil {
			return err
		}
	}
	if c.PTY != nil {
		r := &ssh.ChannelRequest{Type: ssh.RequestPTY, WantReply: true, PTY: *c.PTY}
		if err := request(ctx, c.ch, r, ""); err != nil {
			return err
		}
	}
	r := &ssh.ChannelRequest{Type: ssh.RequestExec, WantReply: true, Command: c.line}
	if c.shell {
		r.Type = ssh.RequestShell
	}
	return request(ctx, c.ch, r, "")
}

// onRequest runs on the reader's goroutine.
func (c *Cmd) onRequest(_ *mux.Channel, r *ssh.ChannelRequest) (ok bool, then func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.Type {
	case ssh.RequestExitStatus:
		c.exit = &ExitError{Status: int(r.ExitStatus)}
	case ssh.RequestExitSignal:
		e := r.ExitSignal
		c.exit = &ExitError{Status: -1, Signal: e.Signal, CoreDumped: e.CoreDumped, Message: e.Message}
	default:
		return false, nil
	}
	return true, nil
}

// Wait waits until the command has ended and its output has been written. It
// returns nil after status 0, an [*ExitError] after another or a signal, the
// cause of ctx when that ended the command, the first error of Stdout, Stderr
// or Stdin, [ErrNoExitStatus], or why the connection broke before the end of
// the output, which a server may announce later than the status.
//
// The command has ended when the server closes its channel. One that sends the
// end of the output and the status and never closes the channel is waited for
// until the context of Start ends or the connection breaks: without either,
// for ever.
func (c *Cmd) Wait() error {
	if c.ch == nil {
		return errors.New("sshclient: command not started")
	}
	c.awaitOutput()
	<-c.ch.Life().Done()
	canceled := !c.watch()
	broken := c.c.mux.Err()
	c.ch.Close()
	c.closePipes(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case canceled && c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case c.exit == nil && broken != nil:
		return broken
	case c.exit == nil:
		return errors.Join(ErrNoExitStatus, c.copyErr)
	case c.exit.Status != 0:
		return c.exit
	}
	return c.copyErr
}

// awaitOutput waits for the output, after ctx is done only for a while.
func (c *Cmd) awaitOutput() {
	copied := make(chan struct{})
	go func() { // stops when the writers have taken what came; at the latest after Close they get nothing more
		c.copying.Wait()
		close(copied)
	}()
	select {
	case <-copied:
		return
	case <-c.ctx.Done():
	}
	late := time.NewTimer(2 * c.delay())
	defer late.Stop()
	select {
	case <-copied:
	case <-late.C:
		c.ch.Close()
	}
}

func (c *Cmd) delay() time.Duration {
	if c.WaitDelay > 0 {
		return c.WaitDelay
	}
	return 2 * time.Second
}

// kill runs when ctx is done, in a goroutine of its own.
func (c *Cmd) kill() {
	ctx, cancel := context.WithTimeout(context.Background(), c.delay())
	defer cancel()
	_ = c.Signal(ctx, "TERM") // in vain if the connection is broken, and the channel is closed then
	select {
	case <-c.ch.Life().Done(): // what has come can still be read
	case <-ctx.Done():
		c.ch.Close()
	}
}

// Output runs the command and returns its standard output.
func (c *Cmd) Output(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Run(ctx)
	return out.Bytes(), err
}

// CombinedOutput runs the command and returns standard output and standard
// error as they came.
func (c *Cmd) CombinedOutput(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run(ctx)
	return out.Bytes(), err
}

// Signal sends a signal by its name without SIG: "INT", "TERM" (RFC 4254
// §6.9). No server says whether it did anything.
func (c *Cmd) Signal(ctx context.Context, name string) error {
	_, err := c.ch.Request(ctx, &ssh.ChannelRequest{Type: ssh.RequestSignal, Signal: name})
	return err
}

// Resize tells the size of the terminal (RFC 4254 §6.7).
func (c *Cmd) Resize(ctx context.Context, size ssh.WindowSize) error {
	_, err := c.ch.Request(ctx, &ssh.ChannelRequest{Type: ssh.RequestWindowChange, Size: size})
	return err
}

// Break sends a break of the given length (RFC 4335).
func (c *Cmd) Break(ctx context.Context, length time.Duration) error {
	r := &ssh.ChannelRequest{Type: ssh.RequestBreak, WantReply: true, BreakDuration: uint32(length.Milliseconds())}
	return request(ctx, c.ch, r, "")
}
