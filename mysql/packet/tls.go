package packet

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/wirelark/wirelark/trace"
)

// StartTLS puts TLS around everything from here on: a client calls it when its
// SSLRequest has been flushed, a server when it has read one. cfg is not
// changed. The numbers of packets go on.
//
// A client refuses, with an *EarlyDataError, when the server has said more than
// its greeting: the read buffer must be empty. A server may have read the
// beginning of the client's handshake along with the request; those bytes
// become TLS's. ctx ends the handshake with its error.
func (c *Conn) StartTLS(ctx context.Context, cfg *tls.Config) error {
	if c.tls != nil {
		return errors.New("TLS has been started already")
	}
	if len(c.out.buf) > 0 {
		return errors.New("internal error: output not flushed before TLS")
	}
	early := c.in.plain.data()
	if len(early) > 0 && c.role == trace.Client {
		return &EarlyDataError{Bytes: len(early)}
	}
	cfg = cfg.Clone()
	if c.see != nil {
		lines := &secretLines{see: c.see}
		if cfg.KeyLogWriter != nil {
			cfg.KeyLogWriter = io.MultiWriter(cfg.KeyLogWriter, lines)
		} else {
			cfg.KeyLogWriter = lines
		}
		c.see.Event(trace.Event{Kind: trace.KexStart, Detail: "TLS"})
		defer c.see.Event(trace.Event{Kind: trace.KexEnd, Detail: "TLS"})
	}
	var below net.Conn = c.sock
	if len(early) > 0 {
		below = &prefixed{socket: c.sock, first: append([]byte(nil), early...)}
		c.in.plain.r = c.in.plain.w
	}
	if c.role == trace.Client {
		c.tls = tls.Client(below, cfg)
	} else {
		c.tls = tls.Server(below, cfg)
	}
	c.nc = c.tls
	stop := c.Watch(ctx)
	err := c.tls.Handshake()
	if cause := stop(); cause != nil {
		return cause
	}
	if err != nil {
		return c.sock.why(err)
	}
	return nil
}

// secretLines gives the lines of a key log to a trace.
type secretLines struct{ see trace.Conn }

// Write takes one line, as crypto/tls promises to write them.
func (w *secretLines) Write(b []byte) (int, error) {
	w.see.Secret(strings.TrimSuffix(string(b), "\n"))
	return len(b), nil
}

// prefixed is a socket of which some bytes have been read too early.
type prefixed struct {
	*socket
	first []byte
}

// Read returns the early bytes first.
func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.socket.Read(b)
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
