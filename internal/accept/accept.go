// Package accept is what servers of any protocol have in common: they accept
// connections, serve each in a goroutine of its own, and stop.
//
//	err := s.accept.Serve(listener, s.log, s.serveConn) // until Stop
//	s.accept.Stop()
//	s.accept.Wait()
//
// It knows no protocol and keeps no list of connections: who stops a server
// cuts them. Limits: accepting is tried again, a second apart at the most, for
// as long as the system says that the failure will pass.
package accept

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// ErrStopped is returned by Serve after Stop.
var ErrStopped = errors.New("the server was stopped")

// Loop accepts connections for a server. Its zero value is ready. It is safe
// for concurrent use.
type Loop struct {
	mu        sync.Mutex
	stopped   bool
	listeners map[net.Listener]struct{}
	running   sync.WaitGroup
}

// Serve accepts connections and calls serve for each in a goroutine of its own,
// until the listener fails or Stop is called: then it returns [ErrStopped]. It
// closes nl. log is told of failures that pass.
func (l *Loop) Serve(nl net.Listener, log func(level slog.Level, text string, args ...any), serve func(net.Conn)) error {
	defer nl.Close()
	if !l.listen(nl) {
		return ErrStopped
	}
	defer l.forget(nl)
	delay := time.Duration(0)
	for {
		nc, err := nl.Accept()
		if err != nil {
			if l.Stopped() {
				return ErrStopped
			}
			if !passing(err) {
				return err
			}
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			log(slog.LevelWarn, "accepting failed, trying again", "err", err, "delay", delay)
			time.Sleep(delay)
			continue
		}
		delay = 0
		if !l.Add() {
			nc.Close()
			return ErrStopped
		}
		go func() { // stops when the connection ends, which whoever stops the server cuts
			defer l.Done()
			serve(nc)
		}()
	}
}

// passing reports whether accepting may work again in a moment, as when there
// are no file descriptors left.
func passing(err error) bool {
	var ne net.Error
	return !errors.Is(err, net.ErrClosed) && errors.As(err, &ne) && ne.Temporary() //nolint:staticcheck // EMFILE has no other mark
}

func (l *Loop) listen(nl net.Listener) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	if l.listeners == nil {
		l.listeners = make(map[net.Listener]struct{})
	}
	l.listeners[nl] = struct{}{}
	return true
}

func (l *Loop) forget(nl net.Listener) {
	l.mu.Lock()
	delete(l.listeners, nl)
	l.mu.Unlock()
}

// Add counts something that Wait waits for, until Done is called. It reports
// false, and counts nothing, after Stop: what waits must not begin before the
// last one is counted.
func (l *Loop) Add() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	l.running.Add(1)
	return true
}

// Done is the end of what Add has counted.
func (l *Loop) Done() { l.running.Done() }

// Stopped reports whether Stop was called.
func (l *Loop) Stopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopped
}

// Stop closes the listeners. It may be called again.
func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	for nl := range l.listeners {
		nl.Close()
	}
}

// Wait waits for all connections that Serve has accepted, and for what Add has
// counted. Call it behind Stop.
func (l *Loop) Wait() { l.running.Wait() }

// Full reports whether one more connection that has not logged in is to be
// refused, of which there are newcomers. From half of the limit on it does so
// at random, the more often the fuller it is, so that somebody who fills it
// cannot keep everybody else out (OpenSSH's MaxStartups).
func Full(newcomers, limit int) bool {
	half := (limit + 1) / 2
	over := newcomers - half
	return newcomers >= limit || over > 0 && rand.IntN(limit-half) < over
}
