package sshclient

import (
	"errors"
	"io"
	"net"
	"reflect"
	"sync"

	"github.com/wirelark/wirelark/ssh"
)

// copyOutput starts what hands on standard output and standard error.
func (c *Cmd) copyOutput() {
	stdout, stderr := c.Stdout, c.Stderr
	if stdout != nil && same(stdout, stderr) {
		both := &oneAtATime{w: stdout}
		stdout, stderr = both, both
	}
	c.copying.Go(func() { c.copyTo(stdout, c.ch) })          // stops at the end of the stream
	c.copying.Go(func() { c.copyTo(stderr, c.ch.Stderr()) }) // the same
}

// same reports whether a and b are one writer.
func same(a, b io.Writer) bool {
	return a != nil && b != nil && reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}

type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneAtATime) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

// copyTo copies a stream of the command to w and drops the rest when w fails:
// nothing that the user does or fails to do makes the command wait for ever.
func (c *Cmd) copyTo(w io.Writer, from io.WriterTo) {
	if w != nil {
		out := &failing{w: w}
		_, err := from.WriteTo(out)
		if out.err == nil {
			c.fail(err) // not the end of the output, but of the connection
			c.closePipe(w, err)
			return
		}
		c.fail(out.err)
		eow := &ssh.ChannelRequest{Type: ssh.RequestEOW} // OpenSSH PROTOCOL §2.1: ends a "yes | head"
		_, _ = c.ch.Start(c.ctx, eow)
	}
	_, _ = from.WriteTo(io.Discard)
}

// failing remembers that the writer failed, to tell it from the channel.
type failing struct {
	w   io.Writer
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		f.err = err
	}
	return n, err
}

// fail keeps the first error of the streams; nil is none.
func (c *Cmd) fail(err error) {
	c.mu.Lock()
	if c.copyErr == nil {
		c.copyErr = err
	}
	c.mu.Unlock()
}

// copyInput starts what sends standard input.
func (c *Cmd) copyInput() {
	if c.stdin != nil {
		c.stdin.start(c.ch)
		return
	}
	if c.Stdin == nil {
		_ = c.ch.CloseWrite() // fails on a channel that has ended
		return
	}
	go func() { // stops at the end of Stdin, or with the first Read after that of the command
		in := &reading{r: c.Stdin}
		_, _ = io.Copy(struct{ io.Writer }{c.ch}, in)
		if in.err != nil && !errors.Is(in.err, net.ErrClosed) {
			c.fail(in.err)
		}
		_ = c.ch.CloseWrite()
	}()
}

// reading remembers that the reader failed, to tell it from the channel.
type reading struct {
	r   io.Reader
	err error
}

func (f *reading) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// StdinPipe returns a writer for the command's standard input; closing it is
// the end of file. It must be called before Start, and writes work after it.
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	if c.Stdin != nil || c.stdin != nil || c.ch != nil {
		return nil, errors.New("sshclient: Stdin already set or command started")
	}
	c.stdin = newStdinPipe()
	return c.stdin, nil
}

// StdoutPipe returns a reader for the command's standard output. It must be
// called before Start, and read to its end before Wait.
func (c *Cmd) StdoutPipe() (io.Reader, error) { return c.outputPipe(&c.Stdout) }

// StderrPipe returns a reader for the command's standard error. It must be
// called before Start, and read to its end before Wait.
func (c *Cmd) StderrPipe() (io.Reader, error) { return c.outputPipe(&c.Stderr) }

func (c *Cmd) outputPipe(to *io.Writer) (io.Reader, error) {
	if *to != nil || c.ch != nil {
		return nil, errors.New("sshclient: output already set or command started")
	}
	r, w := io.Pipe()
	*to = w
	c.pipes = append(c.pipes, w)
	return r, nil
}

// closePipe ends the pipe behind w, if it is one of ours.
func (c *Cmd) closePipe(w io.Writer, err error) {
	for _, p := range c.pipes {
		if same(p, w) {
			p.CloseWithError(err)
		}
	}
}

func (c *Cmd) closePipes(err error) {
	for _, p := range c.pipes {
		p.CloseWithError(err)
	}
	if c.stdin != nil {
		c.stdin.abandon()
	}
}

// stdinPipe is the writer of StdinPipe: before Start, and after a failed one,
// it has no channel.
type stdinPipe struct {
	ready chan struct{} // closed when to or gone is set
	once  sync.Once
	to    interface {
		io.Writer
		CloseWrite() error
	}
}

func newStdinPipe() *stdinPipe { return &stdinPipe{ready: make(chan struct{})} }

func (p *stdinPipe) start(ch interface {
	io.Writer
	CloseWrite() error
},
) {
	p.once.Do(func() { p.to = ch; close(p.ready) })
}

func (p *stdinPipe) abandon() { p.once.Do(func() { close(p.ready) }) }

func (p *stdinPipe) Write(b []byte) (int, error) {
	<-p.ready
	if p.to == nil {
		return 0, io.ErrClosedPipe
	}
	return p.to.Write(b)
}

func (p *stdinPipe) Close() error {
	<-p.ready
	if p.to == nil {
		return nil
	}
	return p.to.CloseWrite()
}
