package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/wirelark/wirelark/wire"
)

var (
	// ErrNoAgent says that the environment names no agent.
	ErrNoAgent = errors.New("no ssh-agent: SSH_AUTH_SOCK is not set")
	// ErrRefused says that the agent answered with a failure: it is locked, does
	// not have the key, or its user said no.
	ErrRefused = errors.New("the ssh-agent refused")
	// ErrProtocol is wrapped by the errors about answers that make no sense.
	ErrProtocol = errors.New("the ssh-agent broke its protocol")
)

// A Conn is a connection to an agent: a socket, or a named pipe.
type Conn interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}

// A Client is a connection to an agent.
type Client struct {
	conn Conn
	turn chan struct{} // holds one element while a call is under way
	done chan struct{} // closed by shut

	once  sync.Once
	cause error // set before done is closed
}

// New makes a Client of a connection to an agent. The Client owns conn.
func New(conn Conn) *Client {
	return &Client{conn: conn, turn: make(chan struct{}, 1), done: make(chan struct{})}
}

// Dial connects to the agent at path: a Unix socket, or on Windows a named pipe.
func Dial(ctx context.Context, path string) (*Client, error) {
	conn, err := dial(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("connecting to the ssh-agent: %w", err)
	}
	return New(conn), nil
}

// System connects to the user's agent: the one that SSH_AUTH_SOCK names, and on
// Windows without it the one of the system. It is [ErrNoAgent] that none is
// named.
func System(ctx context.Context) (*Client, error) {
	path := os.Getenv("SSH_AUTH_SOCK")
	if path == "" {
		path = systemPath
	}
	if path == "" {
		return nil, ErrNoAgent
	}
	return Dial(ctx, path)
}

// Close ends the connection and the calls under way, with net.ErrClosed. It is
// idempotent.
func (c *Client) Close() error { return c.shut(net.ErrClosed) }

func (c *Client) shut(cause error) error {
	var err error
	c.once.Do(func() {
		c.cause = cause
		close(c.done)
		err = c.conn.Close()
	})
	return err
}

// call asks and waits for the answer.
func (c *Client) call(ctx context.Context, question, answer wire.Message) error {
	name := messages.Name(question)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	case <-c.done:
	}
	select {
	case <-c.done:
		return fmt.Errorf("%s: %w", name, c.closed())
	default:
	}
	frame, err := appendFrame(nil, question)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b, err := c.exchange(ctx, frame)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	want := messages.Entry(answer)
	switch b[0] {
	case want.Number:
		if err := messages.Parse(b, answer, wire.Dialect{}); err != nil {
			return fmt.Errorf("%s: %w: %w", name, ErrProtocol, err)
		}
		return nil
	case messages.Entry(&failure{}).Number:
		return fmt.Errorf("%s: %w", name, ErrRefused)
	}
	return fmt.Errorf("%s: %w: number %d came where %s was due", name, ErrProtocol, b[0], want.Name)
}

// exchange writes a frame and reads the next one. Any failure ends the
// connection: what comes later could not be told from a later answer.
func (c *Client) exchange(ctx context.Context, frame []byte) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() {
		// A deadline in the past wakes whoever reads or writes.
		_ = c.conn.SetDeadline(time.Unix(1, 0))
	})
	_, err := c.conn.Write(frame)
	var b []byte
	if err == nil {
		b, err = readFrame(c.conn)
	}
	if !stop() && err == nil {
		// The answer came together with the cancellation, and the deadline stands.
		_ = c.shut(context.Cause(ctx)) // the answer is complete
		return b, nil
	}
	if err == nil {
		return b, nil
	}
	select {
	case <-c.done: // closed by Close
		return nil, c.closed()
	default:
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	} else if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: it closed the connection", ErrProtocol)
	}
	_ = c.shut(err) // err tells more
	return nil, err
}

// closed is called after done is closed.
func (c *Client) closed() error {
	if errors.Is(c.cause, net.ErrClosed) {
		return c.cause
	}
	return fmt.Errorf("%w after: %w", net.ErrClosed, c.cause)
}
