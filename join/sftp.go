package join

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/trace"
)

// Subsystem is the name under which servers offer SFTP. RFC 4254 §6.5,
// draft-ietf-secsh-filexfer-02 §3.
const Subsystem = "sftp"

// label tells a trace what runs in the channel.
const label = "subsystem " + Subsystem

// SFTP opens a channel of c with the subsystem "sftp" and begins a session on
// it. ctx covers both. cfg may be nil; its TraceInfo is set to the connection
// and channel unless it is given. Closing the client closes the channel and
// leaves c as it is.
func SFTP(ctx context.Context, c *sshclient.Client, cfg *sftpclient.Config) (*sftpclient.Client, error) {
	var own sftpclient.Config
	if cfg != nil {
		own = *cfg
	}
	if own.TraceInfo == nil {
		own.TraceInfo = func(stream io.ReadWriteCloser) trace.Info {
			info := trace.Info{Local: c.LocalAddr(), Remote: c.RemoteAddr(), Parent: c.Trace(), Label: label}
			if ch, ok := stream.(*sshclient.Channel); ok {
				info.Channel = ch.Number()
			}
			return info
		}
	}
	return sftpclient.New(ctx, func(ctx context.Context) (io.ReadWriteCloser, error) {
		ch, err := c.Subsystem(ctx, Subsystem)
		if err != nil {
			return nil, err
		}
		return ch, nil
	}, &own)
}

// SFTPSubsystem returns the handler that serves SFTP in a session of an SSH
// server. backend is asked once for each session whose files it shall see; the
// session tells the user. cfg may be nil; its Carrier is set for each session.
// An error of backend ends the session with status 1.
func SFTPSubsystem(backend func(ctx context.Context, s *sshserver.Session) (sftpserver.Backend, error), cfg *sftpserver.Config) sshserver.Handler {
	return func(ctx context.Context, s *sshserver.Session) error {
		b, err := backend(ctx, s)
		if err != nil {
			return fmt.Errorf("sftp for this user: %w", err)
		}
		var own sftpserver.Config
		if cfg != nil {
			own = *cfg
		}
		conn := s.Conn()
		own.Carrier = trace.Info{
			Local: conn.LocalAddr(), Remote: conn.RemoteAddr(),
			Parent: conn.Trace(), Channel: s.Number(), Label: label,
		}
		return sftpserver.Serve(ctx, stream{s}, b, &own)
	}
}

// stream is a session whose Close leaves the last word, the exit status, to
// the SSH server: clients take its absence for a broken connection.
type stream struct{ *sshserver.Session }

// Close ends our stream, and reads that wait.
func (s stream) Close() error {
	err := s.CloseWrite()
	if deadlineErr := s.SetReadDeadline(time.Unix(1, 0)); err == nil {
		err = deadlineErr
	}
	return err
}
