package sshclient

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/wirelark/wirelark/frame"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

type AuthMethod struct{ name string }

// PublicKeys logs in with the keys, one after another.
func PublicKeys(signers ...keys.Signer) AuthMethod { panic("internal error: not yet") }

// PublicKeysFunc is PublicKeys for keys that are found when they are needed.
func PublicKeysFunc(find func(ctx context.Context) ([]keys.Signer, error)) AuthMethod {
	panic("internal error: not yet")
}

// Password logs in with a password that ask returns.
func Password(ask func(ctx context.Context, prompt string) (string, error)) AuthMethod {
	panic("internal error: not yet")
}

// Client is a connection to a server.
type Client struct{}

func Dial(ctx context.Context, addr string, cfg *Config) (*Client, error) {
	panic("internal error: not yet")
}
func New(ctx context.Context, nc net.Conn, addr string, cfg *Config) (*Client, error) {
	panic("internal error: not yet")
}
func (c *Client) State() transport.State          { panic("internal error: not yet") }
func (c *Client) RemoteVersion() string           { panic("internal error: not yet") }
func (c *Client) LocalAddr() net.Addr             { panic("internal error: not yet") }
func (c *Client) RemoteAddr() net.Addr            { panic("internal error: not yet") }
func (c *Client) Trace() trace.Conn               { panic("internal error: not yet") }
func (c *Client) Rekey(ctx context.Context) error { panic("internal error: not yet") }
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	panic("internal error: not yet")
}
func (c *Client) Shutdown(ctx context.Context) error { panic("internal error: not yet") }
func (c *Client) Close() error                       { panic("internal error: not yet") }
func (c *Client) Wait() error                        { panic("internal error: not yet") }
func (c *Client) Done() <-chan struct{}              { panic("internal error: not yet") }
func (c *Client) Err() error                         { panic("internal error: not yet") }

// Command returns a command; line is for the user's shell on the server.
func (c *Client) Command(line string) *Cmd { panic("internal error: not yet") }

// Shell returns the user's login shell as a command.
func (c *Client) Shell() *Cmd { panic("internal error: not yet") }

// Subsystem opens a subsystem.
func (c *Client) Subsystem(ctx context.Context, name string) (*Channel, error) {
	panic("internal error: not yet")
}

// DialContext connects to addr from the server: network "tcp", "tcp4", "tcp6" or "unix".
func (c *Client) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	panic("internal error: not yet")
}

// Cmd is a command on the server, in the manner of os/exec.
type Cmd struct {
	Env    []string // "NAME=value"; servers refuse most names
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	PTY    *ssh.PTY // asks for a terminal
	// WaitDelay bounds each step of the end after ctx is done; 0: 2 s.
	WaitDelay time.Duration
}

func (c *Cmd) Start(ctx context.Context) error                    { panic("internal error: not yet") }
func (c *Cmd) Wait() error                                        { panic("internal error: not yet") }
func (c *Cmd) Run(ctx context.Context) error                      { panic("internal error: not yet") }
func (c *Cmd) Output(ctx context.Context) ([]byte, error)         { panic("internal error: not yet") }
func (c *Cmd) CombinedOutput(ctx context.Context) ([]byte, error) { panic("internal error: not yet") }
func (c *Cmd) StdinPipe() (io.WriteCloser, error)                 { panic("internal error: not yet") }
func (c *Cmd) StdoutPipe() (io.Reader, error)                     { panic("internal error: not yet") }
func (c *Cmd) StderrPipe() (io.Reader, error)                     { panic("internal error: not yet") }
func (c *Cmd) Signal(ctx context.Context, name string) error      { panic("internal error: not yet") }
func (c *Cmd) Resize(ctx context.Context, size ssh.WindowSize) error {
	panic("internal error: not yet")
}
func (c *Cmd) Break(ctx context.Context, d time.Duration) error { panic("internal error: not yet") }

// Channel is the stream of a subsystem.
type Channel struct{}

var (
	_ io.ReadWriteCloser = (*Channel)(nil)
	_ frame.Appender     = (*Channel)(nil)
	_ frame.Lender       = (*Channel)(nil)
)

func (c *Channel) Read(p []byte) (int, error)  { panic("internal error: not yet") }
func (c *Channel) Write(p []byte) (int, error) { panic("internal error: not yet") }
func (c *Channel) Close() error                { panic("internal error: not yet") }
func (c *Channel) CloseWrite() error           { panic("internal error: not yet") }
func (c *Channel) AppendFunc(max int, fill func(room []byte) int) (int, error) {
	panic("internal error: not yet")
}
func (c *Channel) Next() ([]byte, func(), error)      { panic("internal error: not yet") }
func (c *Channel) WriteTo(w io.Writer) (int64, error) { panic("internal error: not yet") }
func (c *Channel) Stderr() io.Reader                  { panic("internal error: not yet") }
func (c *Channel) SetDeadline(t time.Time) error      { panic("internal error: not yet") }
func (c *Channel) SetReadDeadline(t time.Time) error  { panic("internal error: not yet") }
func (c *Channel) SetWriteDeadline(t time.Time) error { panic("internal error: not yet") }

// Number is the client's number of the channel, for trace.Info.Channel.
func (c *Channel) Number() uint32 { panic("internal error: not yet") }
