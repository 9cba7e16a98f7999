package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// matchExec runs the command of a Match line and reports whether it ended with
// status 0.
func (a *app) matchExec(ctx context.Context, command string) (bool, error) {
	a.debugf("Match exec: %s", command)
	cmd := a.shellCommand(ctx, command)
	err := cmd.Run() // without input and output
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case errors.As(err, &exit):
		return false, nil
	}
	return err == nil, err
}

// proxyGrace is how long the program of a ProxyCommand may go on when its
// connection is closed.
const proxyGrace = time.Second

// startProxy runs the program of a ProxyCommand and returns its input and
// output as a connection. The program ends with the connection; ctx covers the
// start only.
func (a *app) startProxy(ctx context.Context, command, addr string) (net.Conn, error) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	cmd := a.shellCommand(running, proxyLine(command))
	cmd.WaitDelay = proxyGrace
	cmd.Cancel = func() error { return hangUp(cmd.Process) }
	cmd.Stderr = a.Stderr
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		stop()
		return nil, err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		stop()
		return nil, errors.Join(err, theirIn.Close(), ourOut.Close())
	}
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	err = cmd.Start()
	closeErr := errors.Join(theirIn.Close(), theirOut.Close())
	if err == nil {
		err = closeErr
	}
	if err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("the ProxyCommand %q cannot be run: %w", command, err), ourIn.Close(), ourOut.Close())
	}
	p := &proxyConn{in: ourIn, out: ourOut, addr: proxyAddr{addr}, stop: stop, ended: make(chan struct{})}
	go func() { // stops when the program ends, which Close brings about
		defer close(p.ended)
		if err := cmd.Wait(); err != nil && running.Err() == nil {
			a.infof("wirelark: the ProxyCommand ended: %v", err)
		}
	}()
	return p, nil
}

// proxyConn is the input and output of a program as a connection.
type proxyConn struct {
	in, out *os.File
	addr    proxyAddr
	stop    context.CancelFunc
	ended   chan struct{} // closed when the program has ended
	over    atomic.Bool   // its output has ended
	once    sync.Once
	err     error
}

func (p *proxyConn) Read(b []byte) (int, error) {
	n, err := p.in.Read(b)
	if errors.Is(err, io.EOF) {
		p.over.Store(true)
	}
	return n, err
}

func (p *proxyConn) Write(b []byte) (int, error) { return p.out.Write(b) }

// Close ends the program's input and the program, and waits for it. One that is
// ending by itself may do so, that we learn how.
func (p *proxyConn) Close() error {
	p.once.Do(func() {
		p.err = errors.Join(p.out.Close(), p.in.Close())
		if p.over.Load() {
			select {
			case <-p.ended:
			case <-time.After(proxyGrace):
			}
		}
		p.stop()
		<-p.ended
	})
	return p.err
}

func (p *proxyConn) LocalAddr() net.Addr  { return proxyAddr{"proxy command"} }
func (p *proxyConn) RemoteAddr() net.Addr { return p.addr }

func (p *proxyConn) SetReadDeadline(t time.Time) error  { return p.in.SetReadDeadline(t) }
func (p *proxyConn) SetWriteDeadline(t time.Time) error { return p.out.SetWriteDeadline(t) }

func (p *proxyConn) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

// proxyAddr is the address that a program connects to.
type proxyAddr struct{ addr string }

func (proxyAddr) Network() string  { return "proxy" }
func (a proxyAddr) String() string { return a.addr }
