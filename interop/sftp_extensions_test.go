package interop

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// extended runs f against every sshd whose server announces the extension,
// with a new folder of that server.
func extended(t *testing.T, extension string, f func(t *testing.T, c *sftpclient.Client, dir string, own bool)) {
	for name, s := range sshds(t) {
		t.Run(name, func(t *testing.T) {
			c := overSSH(t, s, transport.Config{})
			if _, ok := c.Extension(extension); !ok {
				t.Skipf("%s has no %s", s.version, extension)
			}
			dir := path.Join("/tmp", "wirelark-"+strconv.FormatInt(time.Now().UnixNano(), 36))
			if err := c.Mkdir(deadline(t), dir, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := c.RemoveAll(deadline(t), dir); err != nil {
					t.Error(err)
				}
			})
			f(t, c, dir, name == "own")
		})
	}
}

func upload(t testing.TB, c *sftpclient.Client, name, text string) {
	t.Helper()
	f, err := c.Create(deadline(t), name)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func holds(t testing.TB, c *sftpclient.Client, name, want string) {
	t.Helper()
	if b, err := c.ReadFile(deadline(t), name); string(b) != want || err != nil {
		t.Errorf("%s holds %d bytes, %.40q, %v; want %d, %.40q", path.Base(name), len(b), b, err, len(want), want)
	}
}

func TestSFTPClientCopy(t *testing.T) {
	extended(t, sftp.ExtCopyData, func(t *testing.T, c *sftpclient.Client, dir string, _ bool) {
		ctx := deadline(t)
		text, long := strings.Repeat("chirp ", 200_000), strings.Repeat("x", 2_000_000)
		upload(t, c, dir+"/a", text)
		upload(t, c, dir+"/longer", long)
		upload(t, c, dir+"/empty", "")
		for _, step := range []struct{ from, to, want string }{
			{"a", "new", text}, {"a", "longer", text}, {"empty", "new", ""}, {"a", "empty", text},
		} {
			if n, err := c.Copy(ctx, dir+"/"+step.from, dir+"/"+step.to); n != int64(len(step.want)) || err != nil {
				t.Errorf("Copy of %s to %s = %d, %v", step.from, step.to, n, err)
			}
			holds(t, c, dir+"/"+step.to, step.want)
		}
		// Whatever a server says about it, a file copied to itself is left alone.
		if err := c.Link(ctx, dir+"/a", dir+"/link"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "link"} {
			_, err := c.Copy(ctx, dir+"/a", dir+"/"+name)
			t.Logf("copied to itself as %s: %v", name, err)
			holds(t, c, dir+"/a", text)
		}
		f, err := c.Open(ctx, dir+"/a")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		g, err := c.OpenFile(ctx, dir+"/part", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		if err := f.CopyTo(ctx, g, 6, 2, 5); err != nil {
			t.Error("CopyTo:", err)
		}
		holds(t, c, dir+"/part", "\x00\x00chirp")
		if err := f.CopyTo(ctx, g, int64(len(text))-6, 0, 7); err == nil {
			t.Error("CopyTo of more than there is succeeds")
		}
	})
}

func TestSFTPClientHomes(t *testing.T) {
	extended(t, sftp.ExtExpandPath, func(t *testing.T, c *sftpclient.Client, _ string, own bool) {
		ctx := deadline(t)
		home, err := c.ExpandPath(ctx, "~")
		if err != nil || !path.IsAbs(home) {
			t.Fatalf("ExpandPath(~) = %q, %v", home, err)
		}
		if me, err := user.Current(); own && (err != nil || home != me.HomeDir) {
			t.Errorf("ExpandPath(~) = %q, want %q", home, me.HomeDir)
		}
		if got, err := c.ExpandPath(ctx, "~root/x"); err != nil || !strings.HasSuffix(got, "/x") || strings.HasPrefix(got, "~") {
			t.Errorf("ExpandPath(~root/x) = %q, %v", got, err)
		}
		if got, err := c.ExpandPath(ctx, "~nobody-has-this-name"); err == nil {
			t.Errorf("the home of nobody is %q", got)
		}
		if _, ok := c.Extension(sftp.ExtHomeDir); ok {
			if got, err := c.HomeDir(ctx, ""); got != home || err != nil {
				t.Errorf("HomeDir = %q, %v, want %q", got, err, home)
			}
		}
	})
}

func TestSFTPClientNames(t *testing.T) {
	extended(t, sftp.ExtUsersGroups, func(t *testing.T, c *sftpclient.Client, _ string, _ bool) {
		users, groups, err := c.Names(deadline(t), []uint32{0, 4_000_000_000, 0}, []uint32{4_000_000_000, 0})
		if err != nil || !slices.Equal(users, []string{"root", "", "root"}) || !slices.Equal(groups, []string{"", "root"}) {
			t.Errorf("Names = %q, %q, %v", users, groups, err)
		}
	})
}

func TestSFTPClientLinkAttributes(t *testing.T) {
	extended(t, sftp.ExtLSetStat, func(t *testing.T, c *sftpclient.Client, dir string, _ bool) {
		ctx, old := deadline(t), time.Unix(1e9, 0)
		upload(t, c, dir+"/a", "x")
		if err := errors.Join(c.Symlink(ctx, "a", dir+"/l"), c.Lchtimes(ctx, dir+"/l", old, old)); err != nil {
			t.Fatal(err)
		}
		if l, err := c.Lstat(ctx, dir+"/l"); err != nil || !l.ModTime().Equal(old) || l.Mode().Type() != fs.ModeSymlink {
			t.Errorf("the link is %v, %v, want one of 2001", l, err)
		}
		if a, err := c.Stat(ctx, dir+"/l"); err != nil || a.ModTime().Equal(old) {
			t.Errorf("the file is %v, %v, want a new one", a, err)
		}
		if err := c.Lchmod(ctx, dir+"/l", 0o600); err == nil {
			t.Log("links have modes there")
		}
		if err := errors.Join(c.Lchmod(ctx, dir+"/a", 0o600), c.Lchtimes(ctx, dir+"/none", old, old)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Lchmod of a file and Lchtimes of nothing: %v, want only fs.ErrNotExist", err)
		}
	})
}

// OpenSSH's sftp copies files on our server and shows the names of owners.
func TestSFTPServerOpenSSHExtensions(t *testing.T) {
	s := serve(t, transport.Config{})
	if err := os.WriteFile(filepath.Join(s.dir, "a"), []byte(strings.Repeat("chirp", 100_000)), 0o640); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	batch := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(batch, []byte("copy a b\nls -l b\n-copy b /none/b\ndf\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, status := output(t, command(t, program(t, "WIRELARK_SFTP", "sftp"), s.options("P", "-b", batch, me.Username+"@127.0.0.1")...))
	if status != 0 || !strings.Contains(string(out), " "+me.Username+" ") {
		t.Errorf("sftp ends with status %d and shows:\n%s", status, out)
	}
	a, errA := os.ReadFile(filepath.Join(s.dir, "a"))
	b, errB := os.ReadFile(filepath.Join(s.dir, "b"))
	if errA != nil || errB != nil || string(a) != string(b) || len(b) != 500_000 {
		t.Errorf("the copy has %d bytes of %d, %v, %v", len(b), len(a), errA, errB)
	}
}

// OpenSSH's scp asks our server what "~" means, which is its root.
func TestSFTPServerSCPHome(t *testing.T) {
	s := serve(t, transport.Config{})
	if err := os.WriteFile(filepath.Join(s.dir, "a"), []byte("chirp"), 0o640); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "back")
	args := s.options("P", "-s", "lark@127.0.0.1:~/a", to)
	if _, status := output(t, command(t, program(t, "WIRELARK_SCP", "scp"), args...)); status != 0 {
		t.Errorf("scp ends with status %d", status)
	}
	if b, err := os.ReadFile(to); string(b) != "chirp" || err != nil {
		t.Errorf("what came back is %q, %v", b, err)
	}
	if _, status := output(t, command(t, program(t, "WIRELARK_SCP", "scp"), s.options("P", "-s", "lark@127.0.0.1:~root/a", to+"2")...)); status == 0 {
		t.Error("scp finds another user's home in a jail")
	}
}
