package testkit

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// DefaultBuffer is how many bytes may be under way in each direction of a pipe
// that does not say otherwise.
const DefaultBuffer = 64 << 10

// ErrCut is what a writer gets, and with [Line.Reset] also a reader, when a
// fault has cut the connection.
var ErrCut = errors.New("connection cut by the test")

// PipeConfig describes a pipe. Its zero value is a plain pipe.
type PipeConfig struct {
	Buffer int  // bytes under way in each direction before a writer waits; 0: DefaultBuffer
	C2S    Line // what happens to bytes from the client to the server
	S2C    Line // what happens to bytes from the server to the client
}

// Line says what happens to the bytes of one direction. Its zero value
// delivers everything at once.
type Line struct {
	Delay time.Duration // every byte arrives that long after it was written

	Chunk int           // one Read returns at most so many bytes; 0: no limit
	Every time.Duration // with Chunk: so many bytes arrive every so often (a drip)

	// CutAfter cuts the whole connection after that many bytes; 0: never. They
	// are still delivered. Then both readers get io.EOF, or ErrCut with Reset,
	// and both writers ErrCut.
	CutAfter int64
	Reset    bool

	// StallAfter holds back all bytes behind the first so many; 0: never. The
	// writer waits when the buffer is full.
	StallAfter int64
}

// Pipe returns the two ends of an in-memory connection that buffers up to
// [DefaultBuffer] bytes in each direction. Unlike the ends of net.Pipe they do
// not wait for each other's reads, and they have CloseWrite: see [Conn].
func Pipe() (client, server net.Conn) {
	c, s := NewPipe(PipeConfig{})
	return c, s
}

// NewPipe is [Pipe] with a configuration.
func NewPipe(cfg PipeConfig) (client, server *Conn) {
	size := cfg.Buffer
	if size <= 0 {
		size = DefaultBuffer
	}
	c2s, s2c := newHalf(size, cfg.C2S), newHalf(size, cfg.S2C)
	c2s.peer, s2c.peer = s2c, c2s
	ca := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40001}
	sa := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40002}
	client = &Conn{in: s2c, out: c2s, local: ca, remote: sa}
	server = &Conn{in: c2s, out: s2c, local: sa, remote: ca}
	return client, server
}

// Conn is one end of a pipe. It is a net.Conn with TCP-like addresses, safe
// for concurrent use.
type Conn struct {
	in, out       *half
	local, remote net.Addr
}

var _ net.Conn = (*Conn)(nil)

// Read waits for bytes. After the peer's Close or CloseWrite it returns io.EOF
// behind the last of them.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.wrap("read", err)
}

// Write waits for room for all of b.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.wrap("write", err)
}

// CloseWrite says that this end sends no more; it can still read.
func (c *Conn) CloseWrite() error {
	c.out.closeWriter()
	return nil
}

// Close closes both directions. Bytes already written are still delivered.
func (c *Conn) Close() error {
	c.out.closeWriter()
	c.out.closeLocal(true)
	c.in.closeReader()
	return nil
}

// Cut breaks the connection at once, in both directions, as a pulled cable
// that is noticed; bytes under way are lost.
func (c *Conn) Cut() {
	c.in.cut(true)
	c.out.cut(true)
}

// Stall holds back everything that is to arrive at this end, or lets it pass
// again.
func (c *Conn) Stall(on bool) { c.in.stall(on) }

// Buffered returns the number of bytes under way to this end.
func (c *Conn) Buffered() int {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return c.in.size
}

// LocalAddr returns a *net.TCPAddr made up for this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns a *net.TCPAddr made up for the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.rd.set(c.in, t)
	c.out.wd.set(c.out, t)
	return nil
}

// SetReadDeadline sets when Read gives up with os.ErrDeadlineExceeded.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.rd.set(c.in, t)
	return nil
}

// SetWriteDeadline sets when Write gives up with os.ErrDeadlineExceeded.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.wd.set(c.out, t)
	return nil
}

func (c *Conn) wrap(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // never wrapped here
		return err
	}
	return &net.OpError{Op: op, Net: "pipe", Source: c.local, Addr: c.remote, Err: err}
}

// deadline is one direction's deadline for one end, guarded by the half's mu.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(h *half, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, h.wake) // stops when the deadline is set again, or after one wake
	}
	h.cond.Broadcast()
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

var errDeadline = os.ErrDeadlineExceeded
