package accept_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"

	"github.com/wirelark/wirelark/internal/accept"
	"github.com/wirelark/wirelark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// listener gives out connections, after some failures.
type listener struct {
	fail  []error
	conns chan net.Conn
	once  atomic.Bool
}

func (l *listener) Accept() (net.Conn, error) {
	if len(l.fail) > 0 {
		err := l.fail[0]
		l.fail = l.fail[1:]
		return nil, err
	}
	if nc, ok := <-l.conns; ok {
		return nc, nil
	}
	return nil, net.ErrClosed
}

func (l *listener) Close() error {
	if !l.once.Swap(true) {
		close(l.conns)
	}
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// passing is an error that goes away.
type passing struct{}

func (passing) Error() string   { return "no descriptors" }
func (passing) Timeout() bool   { return false }
func (passing) Temporary() bool { return true }

func TestServe(t *testing.T) {
	var loop accept.Loop
	nl := &listener{fail: []error{passing{}, passing{}}, conns: make(chan net.Conn, 1)}
	near, far := testkit.Pipe()
	nl.conns <- near
	warned := 0
	served, began := make(chan error, 1), make(chan struct{})
	go func() { // ends with Stop
		served <- loop.Serve(nl, func(slog.Level, string, ...any) { warned++ }, func(nc net.Conn) {
			defer nc.Close()
			close(began)
			_, _ = io.Copy(io.Discard, nc)
		})
	}()
	<-began
	if !loop.Add() {
		t.Error("nothing can be counted before Stop")
	}
	loop.Stop()
	loop.Stop()
	if err := <-served; !errors.Is(err, accept.ErrStopped) || warned != 2 {
		t.Errorf("Serve = %v after %d warnings, want ErrStopped after 2", err, warned)
	}
	if loop.Add() {
		t.Error("something was counted after Stop")
	}
	waited := make(chan struct{})
	go func() { // ends when both are done
		loop.Wait()
		close(waited)
	}()
	far.Close()
	select {
	case <-waited:
		t.Error("Wait did not wait for what Add had counted")
	default:
	}
	loop.Done()
	<-waited
	if err := loop.Serve(&listener{conns: make(chan net.Conn)}, nil, nil); !errors.Is(err, accept.ErrStopped) {
		t.Errorf("Serve after Stop = %v", err)
	}
}

func TestServeEndsWithItsListener(t *testing.T) {
	var loop accept.Loop
	broken := errors.New("broken")
	if err := loop.Serve(&listener{fail: []error{broken}, conns: make(chan net.Conn)}, nil, nil); !errors.Is(err, broken) {
		t.Errorf("Serve = %v, want %v", err, broken)
	}
}

// TestFull: nobody is refused below half, everybody at the limit, and some
// between.
func TestFull(t *testing.T) {
	count := func(newcomers int) (refused int) {
		for range 2000 {
			if accept.Full(newcomers, 10) {
				refused++
			}
		}
		return refused
	}
	for newcomers, want := range map[int][2]int{0: {0, 0}, 5: {0, 0}, 7: {500, 1100}, 9: {1350, 1850}, 10: {2000, 2000}, 50: {2000, 2000}} {
		if got := count(newcomers); got < want[0] || got > want[1] {
			t.Errorf("with %d newcomers of 10, %d of 2000 were refused, want %d to %d", newcomers, got, want[0], want[1])
		}
	}
	if !accept.Full(0, 0) {
		t.Error("a limit of nothing lets somebody in")
	}
}
