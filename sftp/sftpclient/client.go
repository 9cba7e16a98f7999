package sftpclient

import (
	"context"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Client speaks SFTP with one server. It is safe for concurrent use.
type Client struct {
	cfg     Config
	s       *session.Session
	version sftp.VersionReply
	exts    map[string]string // the server's announcements, by name
	order   sftp.SymlinkOrder

	limitsKnown chan struct{} // closed when limits and places are set
	limits      Limits
	places      chan struct{} // handles that the client's own operations have; nil: no care is needed
	pairs       chan struct{} // capacity 1: who is about to take two places
}

// New opens a channel with open and begins an SFTP session on it. ctx covers
// both; it has no effect on the client later. open is called once; Close of
// the stream must end a Read that is waiting.
func New(ctx context.Context, open func(ctx context.Context) (io.ReadWriteCloser, error), cfg *Config) (*Client, error) {
	rwc, err := open(ctx)
	if err != nil {
		return nil, fmt.Errorf("sftp: opening a channel: %w", err)
	}
	return NewPipe(ctx, rwc, cfg)
}

// NewPipe begins an SFTP session on the stream rwc, which belongs to the
// client from then on, also when there is an error. Close of the stream must
// end a Read that is waiting.
func NewPipe(ctx context.Context, rwc io.ReadWriteCloser, cfg *Config) (*Client, error) {
	c := &Client{cfg: cfg.withDefaults(), limitsKnown: make(chan struct{}), pairs: make(chan struct{}, 1)}
	var t trace.Conn
	var info trace.Info
	if c.cfg.TraceInfo != nil {
		info = c.cfg.TraceInfo(rwc)
	}
	if c.cfg.Trace != nil {
		info.Proto, info.Role = sftp.Messages.Proto(), trace.Client
		t = c.cfg.Trace.Open(info)
	}
	in, err := c.handshake(ctx, rwc, t)
	if err != nil {
		_ = rwc.Close() // the first error is the one that counts
		if t != nil {
			t.Close(err)
		}
		return nil, err
	}
	c.s = session.New(rwc, sftp.Dialect(int(c.version.Version)), c.cfg.MaxInFlight, t, t != nil || info.Parent != nil)
	c.s.Start(in, c.cfg.Timeout)
	if err := c.askLimits(); err != nil {
		c.s.Close()
		return nil, err
	}
	return c, nil
}

// handshake sends INIT and reads VERSION. draft-ietf-secsh-filexfer-02 §4.
func (c *Client) handshake(ctx context.Context, rwc io.ReadWriteCloser, t trace.Conn) (*sftp.PacketReader, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { _ = rwc.Close() })
	in, err := c.versions(rwc, t)
	if !stop() { // ctx ended, and with it the stream
		return nil, fmt.Errorf("sftp: starting: %w", context.Cause(ctx))
	}
	return in, err
}

func (c *Client) versions(rwc io.ReadWriteCloser, t trace.Conn) (*sftp.PacketReader, error) {
	b, err := sftp.AppendPacket(nil, &sftp.Init{Version: sftp.Version3}, wire.Dialect{})
	if err != nil {
		return nil, err
	}
	if t != nil {
		t.Packet(wire.C2S, b[sftp.LengthSize:])
	}
	if _, err := rwc.Write(b); err != nil {
		return nil, &StartError{Err: &LostError{Err: err}}
	}
	first := &firstBytes{r: session.Reader(rwc)}
	in := sftp.NewPacketReader(first, 0)
	p, err := in.ReadPacket(nil)
	if err != nil {
		return nil, &StartError{Text: first.text(), Err: session.Lost(err)}
	}
	if t != nil {
		t.Packet(wire.S2C, p)
	}
	if p[0] != sftp.NumVersion {
		return nil, &StartError{Err: session.Protocolf("%s where %s was due", session.ReplyName(p[0]), session.ReplyName(sftp.NumVersion))}
	}
	if err := sftp.Parse(p, &c.version, wire.Dialect{}); err != nil {
		return nil, &StartError{Err: &ProtocolError{What: "broken answer", Err: err}}
	}
	if v := c.version.Version; v != sftp.Version3 {
		return nil, &StartError{Err: session.Protocolf("it wants version %d, we speak %d", v, sftp.Version3)}
	}
	c.exts = make(map[string]string, len(c.version.Extensions))
	for _, e := range c.version.Extensions {
		c.exts[e.Name] = e.Data
	}
	c.order = c.cfg.symlinkOrder(&c.version)
	first.stop()
	return in, nil
}

// StartError says that no SFTP session came to be.
type StartError struct {
	Text string // what the server printed instead of a packet, when that is what it did
	Err  error
}

// Error says what came instead of an answer.
func (e *StartError) Error() string {
	if e.Text != "" {
		return fmt.Sprintf("sftp: the server sent text where a packet was due: %q (does a start-up file of the shell print something?)", e.Text)
	}
	return fmt.Sprintf("sftp: no session: %v", e.Err)
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// firstBytes remembers the first bytes of a stream, until stop.
type firstBytes struct {
	r       io.Reader
	b       []byte
	stopped bool
}

const keepFirst = 64

func (f *firstBytes) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if !f.stopped && len(f.b) < keepFirst {
		f.b = append(f.b, p[:min(n, keepFirst-len(f.b))]...)
	}
	return n, err
}

func (f *firstBytes) stop() { f.b, f.stopped = nil, true }

// text returns the bytes when they are printable text, whose first four make
// an absurd packet length.
func (f *firstBytes) text() string {
	if len(f.b) < sftp.LengthSize {
		return ""
	}
	for _, b := range f.b {
		if (b < ' ' || b > '~') && b != '\n' && b != '\r' && b != '\t' && b != 0x1b {
			return ""
		}
	}
	return strings.TrimSpace(string(f.b))
}

// Close ends the session. Requests in flight fail with [net.ErrClosed], but
// what was queued is sent before the stream is closed, and files that were
// released are closed there; a server that takes or answers nothing is waited
// for two seconds at most. It returns nil, or why the session had ended before.
func (c *Client) Close() error {
	err := c.s.Err()
	c.s.Close()
	if err == session.ErrClosed { //nolint:errorlint // this very value
		return nil
	}
	return err
}

// Done is closed when the session has ended.
func (c *Client) Done() <-chan struct{} { return c.s.Done() }

// Err returns why the session has ended, nil while it lives.
func (c *Client) Err() error { return c.s.Err() }

// Version returns the version that both sides speak: 3.
func (c *Client) Version() int { return sftp.Version(c.s.Dialect()) }

// Extension returns what the server announced about the extension, usually a
// version, and whether it did.
func (c *Client) Extension(name string) (data string, ok bool) {
	data, ok = c.exts[name]
	return data, ok
}

// Extensions returns everything that the server announced, by name. The caller
// owns the map.
func (c *Client) Extensions() map[string]string { return maps.Clone(c.exts) }
