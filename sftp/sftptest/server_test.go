package sftptest_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftptest"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// TestNew opens two sessions on the same files and leaves them open.
func TestNew(t *testing.T) {
	files := backend.Memory(0)
	if err := files.Mkdir(t.Context(), "/d", 0o755); err != nil {
		t.Fatal(err)
	}
	open := sftptest.New(t, files, nil)
	for range 2 {
		rw, err := open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := sftp.NewPacketReader(rw, 0)
		ask(t, rw, r, &sftp.Init{Version: 3}, sftp.NumVersion)
		ask(t, rw, r, &sftp.Stat{ID: 1, Path: "/d"}, sftp.NumAttrs)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("open with a context that has ended: %v, want context.Canceled", err)
	}
}

func ask(t *testing.T, w io.Writer, r *sftp.PacketReader, m wire.Message, want byte) {
	t.Helper()
	b, err := sftp.AppendPacket(nil, m, sftp.Dialect(3))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if b, err = r.ReadPacket(nil); err != nil || b[0] != want {
		t.Fatalf("%T is answered with %x, %v, want number %d", m, b, err, want)
	}
}
