package sshserver

import (
	"context"
	"log/slog"

	"github.com/wirelark/wirelark/ssh"
)

// crashStatus is what a client is told about a handler that panicked.
const crashStatus = 255

// handle runs the handler and tells the client how it ended.
func (s *Session) handle(h Handler) {
	ctx, cancel := context.WithCancelCause(s.ch.Life())
	defer cancel(nil)
	err := h(ctx, s)
	status := uint32(0)
	if err != nil {
		status = 1
		s.c.s.log(slog.LevelDebug, "session ended with an error", "user", s.c.user, "kind", string(s.kind), "err", err)
	}
	s.finish(status)
}

func (s *Session) crashed() { s.finish(crashStatus) }

// finish ends the channel in the order of RFC 4254 §6.10: the end of the
// output, how it ended, close. What cannot be said any more is not.
func (s *Session) finish(status uint32) {
	s.Exit(status)
	s.mu.Lock()
	r := &ssh.ChannelRequest{Type: ssh.RequestExitStatus}
	if s.signal != nil {
		r.Type, r.ExitSignal = ssh.RequestExitSignal, *s.signal
	} else {
		r.ExitStatus = *s.status
	}
	s.mu.Unlock()
	_ = s.ch.CloseWrite()
	_, _ = s.ch.Start(s.ch.Life(), r)
	s.ch.Close()
}

// events are what the client has told while the session runs. Only the newest
// size counts, and a signal that has not been taken yet is not repeated, so
// there is a bound whatever a client sends.
type events struct {
	size    *ssh.WindowSize
	signals []string
}

// maxSignals is how many different signals can wait; POSIX has fewer names
// that SSH knows (RFC 4254 §6.9).
const maxSignals = 16

// Event is a signal or a new size of the terminal.
type Event struct {
	Signal string          // name without SIG, as sent by the client; "" if it is a size
	Size   *ssh.WindowSize // nil if it is a signal
}

// Event waits for the next signal or the newest size. It returns the cause of
// ctx when that ends first, and that of the channel's end otherwise. A handler
// may ignore events.
func (s *Session) Event(ctx context.Context) (Event, error) {
	for {
		if e, ok := s.take(); ok {
			return e, nil
		}
		select {
		case <-s.waiting:
		case <-ctx.Done():
			return Event{}, context.Cause(ctx)
		case <-s.ch.Life().Done():
			return Event{}, context.Cause(s.ch.Life())
		}
	}
}

func (s *Session) take() (e Event, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch v := &s.events; {
	case len(v.signals) > 0:
		e.Signal, v.signals = v.signals[0], v.signals[1:]
	case v.size != nil:
		e.Size, v.size = v.size, nil
	default:
		return e, false
	}
	return e, true
}

func (s *Session) resize(size ssh.WindowSize) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pty == nil {
		return false
	}
	s.pty.Size = size
	s.events.size = &size
	s.notify()
	return true
}

func (s *Session) signaled(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.events.signals {
		if known == name {
			return true
		}
	}
	if !s.started || len(s.events.signals) >= maxSignals {
		return false
	}
	s.events.signals = append(s.events.signals, name)
	s.notify()
	return true
}

func (s *Session) notify() {
	select {
	case s.waiting <- struct{}{}:
	default:
	}
}
