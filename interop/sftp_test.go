package interop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pkg/sftp"
	xssh "golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// overSSH opens SFTP sessions on a connection to a peer's sshd.
func overSSH(t testing.TB, s *sshd, tc transport.Config) *sftpclient.Client {
	t.Helper()
	ssh := dialPeer(t, s, tc)
	c, err := sftpclient.New(deadline(t), func(ctx context.Context) (io.ReadWriteCloser, error) {
		return ssh.Subsystem(ctx, "sftp")
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// overPkg opens a session with the server of github.com/pkg/sftp.
func overPkg(t testing.TB) *sftpclient.Client {
	t.Helper()
	near, far := testkit.Pipe()
	srv, err := sftp.NewServer(far)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve() }() // stops when the client closes the pipe
	c, err := sftpclient.NewPipe(deadline(t), near, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		near.Close()
		<-done
		srv.Close()
	})
	return c
}

// eachSFTP runs f against every SFTP server that sees the files of this
// machine, each with a new folder.
func eachSFTP(t *testing.T, f func(t *testing.T, c *sftpclient.Client, dir string)) {
	t.Run("pkg-sftp", func(t *testing.T) { f(t, overPkg(t), t.TempDir()) })
	t.Run("openssh", func(t *testing.T) { f(t, overSSH(t, startSSHD(t), transport.Config{}), t.TempDir()) })
}

func TestSFTPClientFiles(t *testing.T) {
	eachSFTP(t, func(t *testing.T, c *sftpclient.Client, dir string) {
		ctx := deadline(t)
		name := path.Join(dir, "a")
		if err := c.MkdirAll(ctx, path.Join(dir, "x/y/z"), 0o755); err != nil {
			t.Error("MkdirAll:", err)
		}
		f, err := c.OpenFile(ctx, name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := f.WriteAt([]byte("chirp"), 3); n != 5 || err != nil {
			t.Errorf("WriteAt = %d, %v", n, err)
		}
		b := make([]byte, 16)
		if n, err := f.ReadAt(b, 0); n != 8 || err != io.EOF || string(b[:n]) != "\x00\x00\x00chirp" {
			t.Errorf("ReadAt = %q, %v; want a hole, chirp and the end", b[:n], err)
		}
		if err := f.Close(); err != nil {
			t.Error("Close:", err)
		}
		if info, err := os.Stat(name); err != nil || info.Size() != 8 {
			t.Errorf("the file is %+v, %v", info, err)
		}
		steps := []struct {
			name string
			err  error
		}{
			{"chmod", c.Chmod(ctx, name, 0o600)},
			{"truncate", c.Truncate(ctx, name, 5)},
			{"chtimes", c.Chtimes(ctx, name, time.Unix(1e9, 0), time.Unix(1e9, 0))},
			{"symlink", c.Symlink(ctx, "a", path.Join(dir, "s"))},
			{"link", c.Link(ctx, name, path.Join(dir, "h"))},
			{"rename", c.Rename(ctx, name, path.Join(dir, "b"))},
			{"posix rename over another", c.PosixRename(ctx, path.Join(dir, "b"), path.Join(dir, "h"))},
			{"remove", c.Remove(ctx, path.Join(dir, "s"))},
			{"rmdir", c.Rmdir(ctx, path.Join(dir, "x/y/z"))},
			{"remove all", c.RemoveAll(ctx, path.Join(dir, "x"))},
		}
		for _, s := range steps {
			if s.err != nil {
				t.Errorf("%s: %v", s.name, s.err)
			}
		}
		if info, err := os.Stat(path.Join(dir, "h")); err != nil || info.Size() != 5 || info.Mode().Perm() != 0o600 || info.ModTime().Unix() != 1e9 {
			t.Errorf("the file is %+v, %v; want 5 bytes, 0600, of 2001", info, err)
		}
		if _, err := c.Stat(ctx, path.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat of nothing = %v, want fs.ErrNotExist", err)
		}
		if _, err := c.Open(ctx, dir+"/h/h"); err == nil {
			t.Error("a file below a file can be opened")
		}
		if v, err := c.StatVFS(ctx, dir); err != nil || v.Bsize == 0 {
			t.Errorf("StatVFS = %+v, %v", v, err)
		}
	})
}

func TestSFTPClientDirectory(t *testing.T) {
	eachSFTP(t, func(t *testing.T, c *sftpclient.Client, dir string) {
		const n = 1500 // several replies
		var want []string
		for i := range n {
			name := fmt.Sprintf("file %04d ü", i)
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			want = append(want, name)
		}
		var got []string
		entries, err := fs.ReadDir(c.FS(deadline(t), dir), ".")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got = append(got, e.Name())
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d names, want %d: %.200q", len(got), n, got)
		}
	})
}

// Files go up and come down at full size, with keys renewed every MiB.
func TestSFTPClientBulk(t *testing.T) {
	check := func(t *testing.T, c *sftpclient.Client, dir string) {
		ctx, n := deadline(t), size()
		name := path.Join(dir, "bulk")
		f, err := c.Create(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if m, err := f.ReadFrom(bulk(n, 5)); m != n || err != nil {
			t.Fatalf("ReadFrom = %d, %v", m, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		speed(t, "up", n, began)
		g, err := c.Open(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		back := newMeter()
		began = time.Now()
		if m, err := g.WriteTo(back); m != n || err != nil {
			t.Fatalf("WriteTo = %d, %v", m, err)
		}
		speed(t, "down", n, began)
		if want := wantSum(t, n, 5); back.String() != want {
			t.Errorf("%d bytes with the hash %s, want %s", back.n, back, want)
		}
		if err := c.Remove(ctx, name); err != nil {
			t.Error(err)
		}
	}
	t.Run("pkg-sftp", func(t *testing.T) { check(t, overPkg(t), t.TempDir()) })
	for _, cipher := range ciphers {
		t.Run("openssh/"+cipher, func(t *testing.T) {
			tc := transport.Config{Algorithms: transport.Algorithms{Ciphers: []string{cipher}}, Rekey: transport.Rekey{Bytes: rekeyBytes}}
			for name, s := range sshds(t) {
				t.Run(name, func(t *testing.T) {
					dir := t.TempDir()
					if name != "own" {
						dir = "/tmp" // it may see other files
					}
					check(t, overSSH(t, s, tc), dir)
				})
			}
		})
	}
}

// The client of github.com/pkg/sftp uses our server, over x/crypto.
func TestSFTPServerPkgClient(t *testing.T) {
	s := serve(t, transport.Config{Rekey: transport.Rekey{Bytes: rekeyBytes}})
	ssh, err := xssh.Dial("tcp", s.addr, xConfig(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer ssh.Close()
	c, err := sftp.NewClient(ssh, sftp.UseConcurrentWrites(true))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n := size()
	f, err := c.Create("/bulk")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := f.ReadFrom(bulk(n, 6)); m != n || err != nil {
		t.Errorf("ReadFrom = %d, %v", m, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	checkFile(t, filepath.Join(s.dir, "bulk"), n, 6)
	g, err := c.Open("/bulk")
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	back := newMeter()
	if m, err := g.WriteTo(back); m != n || err != nil || back.String() != wantSum(t, n, 6) {
		t.Errorf("WriteTo = %d, %v, hash %s", m, err, back)
	}
	steps := []struct {
		name string
		err  error
	}{
		{"mkdir", c.Mkdir("/d")},
		{"rename", c.Rename("/bulk", "/d/b")},
		{"symlink", c.Symlink("b", "/d/s")},
		{"link", c.Link("/d/b", "/d/h")},
		{"posix rename", c.PosixRename("/d/h", "/d/s")},
		{"chmod", c.Chmod("/d/b", 0o600)},
		{"truncate", c.Truncate("/d/b", 1)},
		{"remove", c.Remove("/d/s")},
	}
	for _, s := range steps {
		if s.err != nil {
			t.Errorf("%s: %v", s.name, s.err)
		}
	}
	if _, err := c.StatVFS("/"); err != nil {
		t.Error("statvfs:", err)
	}
	if _, err := c.Stat("/gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of nothing = %v, want fs.ErrNotExist", err)
	}
	if infos, err := c.ReadDir("/d"); err != nil || len(infos) != 1 || infos[0].Name() != "b" || infos[0].Size() != 1 {
		t.Errorf("ReadDir = %v, %v; want b alone", infos, err)
	}
	if _, err := c.Open("/../../etc/passwd"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path that leaves the root = %v, want fs.ErrNotExist", err)
	}
}
