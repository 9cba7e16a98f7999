package sshclient

import (
	"context"
	"io"
	"time"

	"github.com/wirelark/wirelark/frame"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
)

// Channel is a stream in both directions to something on the server's side. It
// is safe for concurrent use.
//
// A read returns [io.EOF] once the server has ended its stream, and another
// error when the connection broke. A write returns when its bytes are in the
// connection's output buffer.
type Channel struct{ ch *mux.Channel }

var (
	_ io.ReadWriteCloser = (*Channel)(nil)
	_ io.WriterTo        = (*Channel)(nil)
	_ frame.Appender     = (*Channel)(nil)
	_ frame.Lender       = (*Channel)(nil)
)

// Subsystem opens a subsystem such as "sftp". What it writes to stderr is
// thrown away. A server without it gives a [*RequestError]. ctx covers the
// opening only.
func (c *Client) Subsystem(ctx context.Context, name string) (*Channel, error) {
	ch, err := c.mux.Open(ctx, &ssh.ChannelOpen{Type: ssh.ChannelSession}, mux.Options{})
	if err != nil {
		return nil, err
	}
	r := &ssh.ChannelRequest{Type: ssh.RequestSubsystem, WantReply: true, Subsystem: name}
	if err := request(ctx, ch, r, name); err != nil {
		ch.Close()
		return nil, err
	}
	return &Channel{ch}, nil
}

// request makes a request that must be granted.
func request(ctx context.Context, ch *mux.Channel, r *ssh.ChannelRequest, detail string) error {
	ok, err := ch.Request(ctx, r)
	if err == nil && !ok {
		err = &RequestError{Request: r.Type, Detail: detail}
	}
	return err
}

// Read reads what the server sent.
func (c *Channel) Read(p []byte) (int, error) { return c.ch.Read(p) }

// Next lends what the server sent: see [frame.Lender].
func (c *Channel) Next() (chunk []byte, release func(), err error) { return c.ch.Next() }

// Pending reports whether a Read would return at once: with bytes, the end of
// the stream, or an error. A pool asks it of idle connections.
func (c *Channel) Pending() bool { return c.ch.Pending() }

// WriteTo writes what the server sends to w, until its end.
func (c *Channel) WriteTo(w io.Writer) (int64, error) { return c.ch.WriteTo(w) }

// Write sends p.
func (c *Channel) Write(p []byte) (int, error) { return c.ch.Write(p) }

// AppendFunc builds what is sent in place: see [frame.Appender].
func (c *Channel) AppendFunc(limit int, fill func(room []byte) int) (int, error) {
	return c.ch.AppendFunc(limit, fill)
}

// CloseWrite ends our stream: the server reads the end of file.
func (c *Channel) CloseWrite() error { return c.ch.CloseWrite() }

// Close closes the channel in both directions. It does not wait.
func (c *Channel) Close() error { return c.ch.Close() }

// SetDeadline sets both deadlines, as net.Conn's.
func (c *Channel) SetDeadline(t time.Time) error { return c.ch.SetDeadline(t) }

// SetReadDeadline limits how long reads wait, as net.Conn's.
func (c *Channel) SetReadDeadline(t time.Time) error { return c.ch.SetReadDeadline(t) }

// SetWriteDeadline limits how long writes wait, as net.Conn's.
func (c *Channel) SetWriteDeadline(t time.Time) error { return c.ch.SetWriteDeadline(t) }

// Number returns the client's number of the channel, by which a trace knows
// it.
func (c *Channel) Number() uint32 { local, _ := c.ch.ID(); return local }
