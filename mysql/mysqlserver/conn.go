package mysqlserver

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/mysql/transport"
	"github.com/wirelark/wirelark/trace"
)

// Conn is a connection whose user has been let in, as sessions see it. Its
// methods are for the methods of its [Session], while they run, unless they say
// something else.
type Conn struct {
	s        *Server
	limits   Limits
	id       uint32
	newcomer bool // guarded by s.serving.mu
	sock     *transport.Socket
	pc       *packet.Conn
	see      trace.Conn // nil: nobody looks

	ctx    context.Context // of the session; ends with the connection
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	busy    bool                    // a command is being executed
	ending  *Error                  // the client is to be told this, and the connection ends
	running context.CancelCauseFunc // ends the statement that is being executed
	owner   *string                 // who has logged in; nil: nobody
	process Process                 // for Processes; what is not written above

	// What the login has settled. It changes with COM_CHANGE_USER.
	door    *transport.ServerHalf
	client  *transport.Client // of door
	account *Account
	session Session

	// The rest is owned by the goroutine of the connection.
	db        string
	status    mysql.Status
	tracks    tracks
	stmts     statements
	multi     bool // several statements in one COM_QUERY
	noColumns bool // the client wants no column definitions
}

// initialStatus is that of a new or reset session.
const initialStatus = mysql.StatusAutocommit

func newConn(ctx context.Context, s *Server, nc net.Conn) *Conn {
	c := &Conn{s: s, limits: s.Limits.withDefaults(), sock: transport.NewSocket(nc), status: initialStatus}
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	if s.Trace != nil {
		info := s.Carrier
		info.Proto, info.Role = "mysql", trace.Server
		if info.Parent == nil {
			info.Local, info.Remote = nc.LocalAddr(), nc.RemoteAddr()
		}
		c.see = s.Trace.Open(info)
	}
	c.pc = packet.New(c.sock, &packet.Config{Role: trace.Server, Trace: c.see, Limit: maxPacketBeforeLogin})
	return c
}

// maxPacketBeforeLogin bounds what strangers can make the server hold.
const maxPacketBeforeLogin = 64 << 10

// serve speaks with the client until the connection ends.
func (c *Conn) serve() error {
	err := c.logIn()
	if err == nil {
		c.s.settle(c)
		c.s.log(slog.LevelDebug, "logged in", "id", c.id, "user", c.client.User, "remote", c.RemoteAddr())
		err = c.commands()
	}
	c.close(err)
	return err
}

// cut ends the connection at once. It may be called from anywhere.
func (c *Conn) cut(cause error) {
	c.cancel(cause)
	c.pc.Cut(cause)
}

// end ends the connection in an orderly way: when no command is being executed,
// or when that is done, the client is told e. It may be called from anywhere.
func (c *Conn) end(e *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending == nil {
		c.ending = e
	}
	if !c.busy {
		c.sock.Interrupt()
	}
}

// begin says that a command is being executed. Its context ends with the
// statement or the connection; done ends it.
func (c *Conn) begin(command mysql.Command) (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(c.ctx)
	c.mu.Lock()
	c.busy, c.running = true, cancel
	c.process.Command, c.process.Since = command, time.Now()
	if c.ending != nil {
		cancel(c.ending)
	}
	c.mu.Unlock()
	c.sock.Watch(func() { c.cancel(io.ErrUnexpectedEOF) })
	return ctx, func() {
		c.sock.Unwatch()
		c.mu.Lock()
		c.busy, c.running = false, nil
		c.process.Command, c.process.Since, c.process.Info = mysql.ComSleep, time.Now(), ""
		c.mu.Unlock()
		cancel(nil)
	}
}

// over returns what the client is to be told when the connection is to end now.
func (c *Conn) over() *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending
}

// interruptStatement ends the statement that is being executed, if there is
// one. It may be called from anywhere.
func (c *Conn) interruptStatement(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		c.running(cause)
	}
}

// close gives everything back.
func (c *Conn) close(err error) {
	c.cancel(err)
	c.closeSession()
	c.pc.Close()
	if c.see != nil {
		c.see.Close(err)
	}
}

// closeSession closes the session and its statements.
func (c *Conn) closeSession() {
	c.stmts.closeAll(c)
	if c.session != nil {
		s := c.session
		c.session = nil
		_ = c.guard("Close", func() error { s.Close(); return nil })
	}
}

// guard calls a method of the user's. A panic becomes an error.
func (c *Conn) guard(what string, call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.s.log(slog.LevelError, "panic in a session", "method", what, "id", c.id, "panic", p, "stack", stack())
			err = errInternal
		}
	}()
	return call()
}

// turnAway tells a client that has not been greeted why it is not served.
func (c *Conn) turnAway(err error) {
	e := errTooMany
	if errors.Is(err, ErrServerClosed) {
		e = errShutdown
	}
	_ = c.pc.SetWriteDeadline(time.Now().Add(time.Second))
	_ = c.pc.Append(&mysql.ERR{Code: e.Code, Message: e.Message}) // without SQLSTATE: nothing is agreed on yet
	_ = c.flush()
	c.pc.Close()
	if c.see != nil {
		c.see.Close(err)
	}
}

// ID returns the number of the connection, for KILL. It is safe for concurrent
// use, as are the methods that tell who the client is.
func (c *Conn) ID() uint32 { return c.id }

// User returns the name of the user.
func (c *Conn) User() string { return c.client.User }

// Account returns what the [Authenticator] has returned.
func (c *Conn) Account() *Account { return c.account }

// Attributes returns what the client says about itself, as "program_name". It
// must not be changed.
func (c *Conn) Attributes() map[string]string { return c.client.Attributes }

// Capabilities returns what client and server have agreed on.
func (c *Conn) Capabilities() mysql.Capabilities { return c.client.Capabilities }

// Collation returns the number of the collation that the client wishes.
func (c *Conn) Collation() uint16 { return c.client.Collation }

// TLS returns the state of the encryption; nil when there is none.
func (c *Conn) TLS() *tls.ConnectionState {
	if st, ok := c.pc.TLS(); ok {
		return &st
	}
	return nil
}

// LocalAddr returns the local address of the socket.
func (c *Conn) LocalAddr() net.Addr { return c.sock.LocalAddr() }

// RemoteAddr returns the remote address of the socket.
func (c *Conn) RemoteAddr() net.Addr { return c.sock.RemoteAddr() }

// Server returns the server.
func (c *Conn) Server() *Server { return c.s }

// Database returns the name of the default database; "": none.
func (c *Conn) Database() string { return c.db }

// SetDatabase tells that the default database has changed, as after USE. The
// client is told with the next OK.
func (c *Conn) SetDatabase(name string) {
	c.setDatabase(name)
	c.track(mysql.Track{Kind: mysql.TrackSchema, Value: name})
}

func (c *Conn) setDatabase(name string) {
	c.db = name
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process.Database = name
}

// Status returns the flags that are sent with each answer.
func (c *Conn) Status() mysql.Status { return c.status }

// SetStatus sets one or several of [mysql.StatusInTrans],
// [mysql.StatusAutocommit], [mysql.StatusInTransReadonly],
// [mysql.StatusNoBackslashEscapes] and [mysql.StatusANSIQuotes] or clears
// them. They stay until they are changed. The server divides statements by the
// last two. Autocommit is set at first.
func (c *Conn) SetStatus(flags mysql.Status, on bool) {
	flags &= settable
	if c.status &^= flags; on {
		c.status |= flags
	}
}

// settable is what sessions may say; the rest belongs to single answers.
const settable = mysql.StatusInTrans | mysql.StatusAutocommit | mysql.StatusInTransReadonly |
	mysql.StatusNoBackslashEscapes | mysql.StatusANSIQuotes
