package sftpclient_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

// FuzzClient lets a server send any bytes. The client must end every
// operation, panic never, and leave no goroutine.
func FuzzClient(f *testing.F) {
	add := func(messages ...wire.Message) {
		b, err := sftp.AppendPacket(nil, &sftp.VersionReply{Version: 3, Extensions: []sftp.Extension{{Name: sftp.ExtFSync, Data: "1"}}}, wire.Dialect{})
		for _, m := range messages {
			if err == nil {
				b, err = sftp.AppendPacket(b, m, wire.Dialect{})
			}
		}
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add()
	add(handle(1), &sftp.Data{ID: 2, Data: []byte("abc")}, status(3, sftp.StatusEOF), status(4, sftp.StatusOK))
	add(handle(1), &sftp.Data{ID: 3, Data: []byte("abc")}, status(2, sftp.StatusEOF), names(5, "a", "b"))
	add(status(1, sftp.StatusFailure), &sftp.AttrsReply{ID: 2}, handle(3), names(4, "x"), status(5, sftp.StatusEOF))
	add(handle(1), status(2, sftp.StatusOK), status(3, sftp.StatusNoSpace), names(4))
	f.Fuzz(func(t *testing.T, b []byte) {
		near, server := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
		go func() { // stops when the client closes its end
			_, _ = server.Write(b)
			_ = server.CloseWrite()
			_, _ = io.Copy(io.Discard, server)
		}()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		c, err := sftpclient.NewPipe(ctx, near, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }() // it tells why the session ended, which is no finding
		if f, err := c.OpenFile(ctx, "/f", os.O_RDWR|os.O_CREATE, 0o600); err == nil {
			_, _ = f.ReadTo(ctx, io.Discard, 100)
			_, _ = f.WriteAtContext(ctx, make([]byte, 100_000), 7)
			_ = f.Sync(ctx)
			_ = f.CloseContext(ctx)
		}
		for i, err := range c.ReadDirSeq(ctx, "/") {
			if err == nil && (i.Name() == "" || i.Name() == "..") {
				t.Errorf("the listing has %q", i.Name())
			}
		}
		_, _ = c.Stat(ctx, "/")
		_, _ = c.Readlink(ctx, "/")
		_ = c.RemoveAll(ctx, "/x")
		if ctx.Err() != nil {
			t.Error("an operation did not end")
		}
	})
}
