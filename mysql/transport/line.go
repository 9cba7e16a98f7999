package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// LineConfig says what a [Line] is about. All functions are called from any
// goroutine.
type LineConfig struct {
	Address string     // of the server, for errors
	Trace   trace.Conn // is closed with the Line; may be nil

	// Commits reports whether losing the answer to sql leaves open whether a
	// transaction was committed.
	Commits func(sql string) bool

	// Kill is called, in a goroutine of its own, when the context of a command
	// has ended that the server may be executing. It must end by itself. nil:
	// nothing is done.
	Kill func(ctx context.Context, sql string)
}

// A Line is a client's connection behind the login. One command at a time has
// it; it is cut when that command's context ends, and it remembers why it was
// lost. What a command reads and writes is for one goroutine; Close, Err and
// Under may be called, and contexts may end, at any time.
type Line struct {
	pc  *packet.Conn
	cfg LineConfig

	mu      sync.Mutex
	err     error  // why the connection is lost; nil while it lives
	busy    string // what is under way; empty: nothing
	command uint64 // number of the command under way, for watchers that come late
	flight  flight
	born    time.Time
	used    time.Time // end of the last command
	hung    bool      // the stream is closed
}

// flight is what is known of the command under way.
type flight struct {
	phase   Phase
	sql     string   // empty for commands that have none
	pending []string // of a pipeline: statements without an answer
	written int64    // bytes handed to the stream
	idle    time.Duration
	stop    func() bool // ends the watcher of the context; nil: there is none
}

// NewLine returns the line that begins when the login is over. Until the first
// End it is busy.
func NewLine(pc *packet.Conn, cfg LineConfig) *Line {
	return &Line{pc: pc, cfg: cfg, busy: "the login", born: time.Now()}
}

// Err returns why the connection is lost, nil while it lives. It does not look at
// the network: see [Line.Check].
func (l *Line) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Born says that the session begins now.
func (l *Line) Born() {
	l.mu.Lock()
	l.born = time.Now()
	l.mu.Unlock()
}

// Under returns the text of the statement under way, and whether a command is.
func (l *Line) Under() (sql string, busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flight.sql, l.busy != ""
}

// Await says which statements of a pipeline have no answer yet.
func (l *Line) Await(statements []string) {
	l.mu.Lock()
	l.flight.pending = statements
	l.mu.Unlock()
}

// errClosed is the cause when Close came first.
var errClosed = fmt.Errorf("%w by us", net.ErrClosed)

// goodbye is how long Close waits for the server to take its last words.
const goodbye = 100 * time.Millisecond

// Close ends the session. A command under way fails at once with
// [net.ErrClosed]; otherwise the server is told. Close does not wait for a side
// connection that is killing a statement, which ends by itself after KillTimeout
// at the latest. It returns why the connection was lost before, if it was.
// Further calls do nothing.
func (l *Line) Close() error {
	l.mu.Lock()
	lost, idle := l.err, l.busy == ""
	if lost == nil {
		l.err = l.lostNow(errClosed)
		if idle {
			l.busy = "Close" // nobody else writes
		}
	}
	l.mu.Unlock()
	if lost == nil && idle {
		l.pc.Begin()
		if l.pc.Append(&mysql.Quit{}) == nil && l.pc.SetWriteDeadline(time.Now().Add(goodbye)) == nil {
			_ = l.pc.Flush() // a courtesy
		}
	}
	l.HangUp(nil)
	if errors.Is(lost, errClosed) {
		return nil
	}
	return lost
}

// HangUp cuts the stream, whoever uses it. err is what a trace is told.
func (l *Line) HangUp(err error) {
	l.mu.Lock()
	hung := l.hung
	l.hung = true
	l.mu.Unlock()
	if hung {
		return
	}
	if err != nil {
		l.pc.Cut(err)
	}
	_ = l.pc.Close() // the first error is the one that counts
	if l.cfg.Trace != nil {
		l.cfg.Trace.Close(err)
	}
}

// longIdle is how long a connection may rest before a command looks whether the
// server has said goodbye meanwhile.
const longIdle = time.Second

// Begin makes the command that is about to be sent the one under way. what
// describes it for those who come too early, sql is its text if it has one.
func (l *Line) Begin(ctx context.Context, what, sql string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return l.lostBefore()
	case l.busy != "":
		return &BusyError{Open: l.open()}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	now := time.Now()
	idle := now.Sub(l.used)
	l.flight = flight{phase: PhaseIdle, sql: sql, idle: idle}
	if l.pc.Buffered() > 0 || idle >= longIdle && l.pc.Pending() {
		return l.said()
	}
	l.busy = what
	l.command++
	if ctx.Done() != nil {
		l.watch(ctx)
	}
	return nil
}

// watch makes ctx end the command under way. l.mu is held.
func (l *Line) watch(ctx context.Context) {
	n := l.command
	// Runs when ctx ends before the command does; ends with the kill that it may
	// begin.
	l.flight.stop = context.AfterFunc(ctx, func() { l.cancelled(ctx, n) })
}

// Watch makes ctx the one that ends the command under way.
func (l *Line) Watch(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flight.stop != nil {
		l.flight.stop()
		l.flight.stop = nil
	}
	if ctx.Done() != nil {
		l.watch(ctx)
	}
}

// cancelled ends the connection because ctx, of the command with number n, has
// ended: whoever waits for it gets the context's cause at once. What the server
// is doing has to be killed besides: closing the stream does not stop it.
func (l *Line) cancelled(ctx context.Context, n uint64) {
	l.mu.Lock()
	if l.busy == "" || l.command != n || l.err != nil {
		l.mu.Unlock()
		return
	}
	e := l.lostNow(context.Cause(ctx))
	l.err = e
	sql := l.flight.sql
	l.mu.Unlock()
	l.HangUp(e)
	if e.Written > 0 && l.cfg.Kill != nil {
		l.cfg.Kill(context.WithoutCancel(ctx), sql)
	}
}

// open describes what is under way.
func (l *Line) open() string {
	const most = 80
	sql := l.flight.sql
	if sql == "" {
		return l.busy
	}
	if len(sql) > most {
		sql = strings.ToValidUTF8(sql[:most], "") + "…"
	}
	return fmt.Sprintf("%s %q", l.busy, sql)
}

// said ends an idle connection to which the server has said something, as it
// does before it hangs up. l.mu is held.
func (l *Line) said() error {
	err := l.pc.Ended()
	if err == nil {
		err = &ProtocolError{What: "it spoke without being asked"}
		if l.pc.SetReadDeadline(time.Now().Add(goodbye)) == nil {
			p, readErr := l.pc.ReadPacket()
			switch {
			case readErr != nil:
				err = readErr
			case len(p) > 0 && p[0] == mysql.HeaderERR:
				err = l.ServerError(p)
			}
		}
	}
	e := l.lostNow(err)
	l.err = e
	l.mu.Unlock()
	l.HangUp(e)
	l.mu.Lock()
	return e
}

// Check looks, without waiting, whether an idle connection still lives: servers
// end those that rest for long. An error is final, and nothing was sent.
func (l *Line) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		return l.lostBefore()
	case l.busy != "":
		return &BusyError{Open: l.open()}
	case l.pc.Pending():
		l.flight = flight{phase: PhaseIdle, idle: time.Since(l.used)}
		return l.said()
	}
	return nil
}

// End says that the command under way has got its last answer.
func (l *Line) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flight.stop != nil {
		l.flight.stop()
	}
	l.busy, l.flight = "", flight{}
	l.used = time.Now()
	if l.err == nil {
		l.pc.Rest()
	}
}

// Done ends the command under way with what became of it: nil and the server's
// errors leave the connection alive, others do not.
func (l *Line) Done(err error) error {
	if err == nil || IsServer(err) {
		l.End()
		return err
	}
	return l.Fail(err)
}

// IsServer reports whether err is an error of the server's, which leaves the
// connection alive.
func IsServer(err error) bool {
	_, ok := err.(*ServerError) //nolint:errorlint // wrapped ones are causes of something worse
	return ok
}

// Phase says what the command under way is doing now.
func (l *Line) Phase(p Phase) {
	l.mu.Lock()
	l.flight.phase = p
	l.mu.Unlock()
}

// Fail ends the connection because of err and returns what the caller is to
// see: the first cause, which is the context's where that came first.
func (l *Line) Fail(err error) error {
	l.mu.Lock()
	if l.err == nil {
		l.err = l.lostNow(err)
	}
	err = l.err
	l.mu.Unlock()
	l.HangUp(err)
	l.End()
	return err
}

// lostNow describes the loss of the connection by the command under way. l.mu is
// held.
func (l *Line) lostNow(err error) *ConnError {
	f := &l.flight
	e := &ConnError{Phase: f.phase, Address: l.cfg.Address, Age: time.Since(l.born), Idle: f.idle, Written: f.written, Err: err}
	if e.Written > 0 {
		e.OutcomeUnknown = l.cfg.Commits(f.sql)
		for _, sql := range f.pending {
			e.OutcomeUnknown = e.OutcomeUnknown || l.cfg.Commits(sql)
		}
	}
	return e
}

// lostBefore describes a connection that was lost before a command came. l.mu is
// held.
func (l *Line) lostBefore() *ConnError {
	cause := l.err
	if e, ok := errors.AsType[*ConnError](l.err); ok {
		cause = e.Err
	}
	now := time.Now()
	return &ConnError{Phase: PhaseIdle, Address: l.cfg.Address, Age: now.Sub(l.born), Idle: now.Sub(l.used), Err: cause}
}

// Wrote notes that n more bytes of a command are handed to the stream. It reports
// whether they are the first.
func (l *Line) Wrote(n int) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first = l.flight.written == 0
	l.flight.phase = PhaseWrite
	l.flight.written += int64(n)
	return first
}

// Flush sends the output.
func (l *Line) Flush() error {
	first := l.Wrote(l.pc.Unsent())
	before := l.pc.Written()
	err := l.pc.Flush()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if first && l.pc.Written() == before {
			l.flight.written = 0 // nothing has left us
		}
		return err
	}
	l.flight.phase = PhaseAnswer
	return nil
}

// Read waits for a packet that is not empty.
func (l *Line) Read() ([]byte, error) {
	p, err := l.pc.ReadPacket()
	if err != nil {
		return nil, err
	}
	if len(p) == 0 {
		return nil, &ProtocolError{What: "an empty packet"}
	}
	return p, nil
}

// Parse decodes a packet. Its failure is the server's fault.
func (l *Line) Parse(p []byte, m wire.Message) error {
	if err := mysql.Messages.Parse(p, m, l.pc.Dialect()); err != nil {
		return &ProtocolError{What: "a packet that cannot be decoded", Err: err}
	}
	return nil
}

// ServerError decodes an ERR.
func (l *Line) ServerError(p []byte) error {
	var m mysql.ERR
	if err := l.Parse(p, &m); err != nil {
		return err
	}
	return &ServerError{Code: m.Code, State: m.State, Message: m.Message}
}
