package mysqlshell

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// stopTime bounds how long a statement that was asked to stop is waited for
// before the connection is cut.
const stopTime = 10 * time.Second

// askAgain is how long a statement has to stop before it is asked again.
const askAgain = 500 * time.Millisecond

// guard runs do, which has a statement under way. The first Ctrl-C, or the end
// of ctx, asks the server to stop the statement and leaves the connection as it
// is; the second one cuts the connection. It tells what came of it.
func (s *Shell) guard(ctx context.Context, do func(ctx context.Context, stopped *atomic.Bool) error) error {
	run, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	var stopped atomic.Bool
	done, gone := make(chan struct{}), make(chan struct{})
	go func() { // stops when do has returned
		defer close(gone)
		s.watch(ctx, done, &stopped, cut)
	}()
	err := do(run, &stopped)
	close(done)
	<-gone
	if !stopped.Load() {
		return err
	}
	switch {
	case s.conn.Err() != nil:
		s.sayf("^C: the connection was cut, and the server told to end its session; a transaction in it is rolled back")
	case err == nil && s.hidden:
		s.sayf("^C: the server ended the statement without an error; its result is not shown%s", s.transactionNote("; the transaction goes on"))
	case err == nil:
		s.sayf("^C: the server had done the statement before it could be stopped")
	case interrupted(err):
		s.sayf("^C: the server has stopped the statement; the connection goes on%s", s.transactionNote(", and so does the transaction"))
	default:
		return err
	}
	return context.Canceled
}

// transactionNote returns note when a transaction was not ended by the interrupt.
func (s *Shell) transactionNote(note string) string {
	if s.inTransaction() {
		return note
	}
	return ""
}

// watch waits for what interrupts the statement, and then asks the server to stop
// it, again while that has no effect: it may not have had the statement yet.
func (s *Shell) watch(ctx context.Context, done <-chan struct{}, stopped *atomic.Bool, cut context.CancelCauseFunc) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	case <-s.cfg.Interrupts:
	}
	stopped.Store(true)
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	told := false
	for {
		asked := make(chan error, 1)
		go func() { asked <- s.conn.Interrupt(ask) }() // stops within stopTime
		var err error
		select {
		case err = <-asked:
		case <-s.cfg.Interrupts:
			cut(errCut)
			cancel()
			<-asked //nolint:errcheck // the connection is cut, whatever came of it
			return
		}
		if err != nil && !told {
			told = true
			s.sayf("^C: the statement could not be stopped: %v; again cuts the connection", err)
		}
		select {
		case <-done:
			return
		case <-s.cfg.Interrupts:
			cut(errCut)
			return
		case <-ask.Done():
			cut(errCut)
			return
		case <-time.After(askAgain):
		}
	}
}

// errCut is why a connection was given up.
var errCut = errors.New("cut by the user")

// interrupted reports the server's word for a statement that was stopped.
func interrupted(err error) bool {
	code, _, _ := serverError(err)
	return code == 1317 || code == 1028 // ER_QUERY_INTERRUPTED, ER_FILSORT_ABORT
}

// describe is what the mysql command line writes for an error.
func describe(err error) string {
	if code, state, text := serverError(err); code != 0 {
		if state == "" {
			return fmt.Sprintf("ERROR %d: %s", code, text)
		}
		return fmt.Sprintf("ERROR %d (%s): %s", code, state, text)
	}
	return "ERROR: " + err.Error()
}
