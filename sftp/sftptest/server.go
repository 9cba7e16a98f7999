package sftptest

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// New returns a function that opens streams to an SFTP server that runs inside
// the test; each stream is a session of its own. A nil backend is an empty
// [backend.Memory], which all streams share; a nil cfg means the server's
// defaults. When the test ends, sessions that still run are cut, and one that
// ended with an error of its own fails the test.
func New(t testing.TB, b sftpserver.Backend, cfg *sftpserver.Config) func(context.Context) (io.ReadWriteCloser, error) {
	t.Helper()
	if b == nil {
		b = backend.Memory(0)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var sessions sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		sessions.Wait()
	})
	return func(open context.Context) (io.ReadWriteCloser, error) {
		if err := open.Err(); err != nil {
			return nil, err
		}
		client, server := net.Pipe()
		sessions.Go(func() { // stops when the client closes its stream, or at the end of the test
			err := sftpserver.Serve(ctx, server, b, cfg)
			if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("sftp session: %v", err)
			}
		})
		return client, nil
	}
}
