package backend_test

import (
	"path/filepath"
	"testing"

	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/sftp/sftptest"
)

func TestHost(t *testing.T) {
	sftptest.Backend(t, func(t *testing.T) (sftpserver.Backend, string) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		b := backend.Host(dir)
		return b, b.HomeDir()
	})
}

func TestRooted(t *testing.T) {
	sftptest.Backend(t, func(t *testing.T) (sftpserver.Backend, string) { return rooted(t, t.TempDir()), "/" })
}

func TestRootedBelow(t *testing.T) {
	sftptest.Backend(t, func(t *testing.T) (sftpserver.Backend, string) {
		b := rooted(t, t.TempDir())
		if err := b.Mkdir(t.Context(), "/below", 0o755); err != nil {
			t.Fatal(err)
		}
		return b, "/below"
	})
}

func rooted(t *testing.T, dir string) *backend.RootedFS {
	t.Helper()
	b, err := backend.Rooted(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestMemory(t *testing.T) {
	sftptest.Backend(t, func(*testing.T) (sftpserver.Backend, string) { return backend.Memory(0), "/" })
}
