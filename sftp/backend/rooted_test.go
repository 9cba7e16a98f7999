package backend_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// jail is a rooted directory with something beside it that must not be
// touched.
type jail struct {
	*testing.T
	*backend.RootedFS
	ctx     context.Context //nolint:containedctx // of one test
	root    string
	outside string
	before  string
}

// newJail makes base/root, which is served, and base/outside with a file
// "secret" and a directory "dir".
func newJail(t *testing.T) *jail {
	t.Helper()
	base := t.TempDir()
	j := &jail{T: t, ctx: t.Context(), root: filepath.Join(base, "root"), outside: filepath.Join(base, "outside")}
	j.must(os.MkdirAll(filepath.Join(j.outside, "dir"), 0o755))
	j.must(os.Mkdir(j.root, 0o755))
	j.must(os.WriteFile(filepath.Join(j.outside, "secret"), []byte("secret"), 0o644))
	j.RootedFS = rooted(t, j.root)
	j.before = j.snapshot()
	return j
}

func (j *jail) must(err error) {
	j.Helper()
	if err != nil {
		j.Fatal(err)
	}
}

// snapshot describes everything outside.
func (j *jail) snapshot() string {
	j.Helper()
	var b strings.Builder
	j.must(filepath.WalkDir(j.outside, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, p, fi.Mode(), fi.Size(), fi.ModTime().UnixNano())
		if fi.Mode().IsRegular() {
			content, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "%q\n", content)
		}
		return nil
	}))
	return b.String()
}

func (j *jail) unchanged(after string) {
	j.Helper()
	if now := j.snapshot(); now != j.before {
		j.Fatalf("%s changed what is outside:\n%s\nbefore:\n%s", after, now, j.before)
	}
}

// everything tries all operations on a path and on what is below it.
func (j *jail) everything(name string) {
	j.Helper()
	var all sftp.Attrs
	all.SetSize(1)
	all.SetPermissions(0o777)
	all.SetTimes(time.Unix(1, 0), time.Unix(1, 0))
	j.must(os.WriteFile(filepath.Join(j.root, "own"), []byte("own"), 0o644))
	for _, p := range []string{name, name + "/secret", name + "/dir", name + "/new", name + "/dir/new"} {
		for _, flags := range []sftp.OpenFlags{
			sftp.OpenRead, sftp.OpenWrite | sftp.OpenCreate | sftp.OpenTruncate, sftp.OpenWrite | sftp.OpenCreate | sftp.OpenExcl, sftp.OpenAppend | sftp.OpenCreate,
		} {
			if f, err := j.Open(j.ctx, p, flags, 0o644); err == nil {
				b := make([]byte, 10)
				n, _ := f.ReadAt(b, 0)
				if strings.Contains(string(b[:n]), "secret") {
					j.Errorf("Open(%s, %v) reads what is outside", p, flags)
				}
				f.WriteAt([]byte("written"), 0) //nolint:errcheck // what matters is where
				f.SetStat(&all)                 //nolint:errcheck // as above
				f.Close()
			}
			j.unchanged(fmt.Sprintf("Open(%s, %v)", p, flags))
		}
		if d, err := j.OpenDir(j.ctx, p); err == nil {
			list, _ := d.ReadDir(100)
			for _, e := range list {
				if e.Name == "secret" {
					j.Errorf("OpenDir(%s) lists what is outside", p)
				}
			}
			d.Close()
		}
		if a, err := j.Stat(j.ctx, p, true); err == nil && a.Size == uint64(len("secret")) && a.FileMode().IsRegular() {
			j.Errorf("Stat(%s) shows what is outside", p)
		}
		if real, err := j.RealPath(j.ctx, p); err == nil && strings.Contains(real, "..") {
			j.Errorf("RealPath(%s) = %s", p, real)
		}
		for what, err := range map[string]error{
			"SetStat":     j.SetStat(j.ctx, p, &all),
			"SetLinkStat": j.setLinkStat(p),
			"Mkdir":       j.Mkdir(j.ctx, p, 0o755),
			"Rmdir":       j.Rmdir(j.ctx, p),
			"Link":        j.Link(j.ctx, "/own", p),
			"Link from":   j.Link(j.ctx, p+"/secret", "/stolen"),
			"Symlink":     j.Symlink(j.ctx, "x", p),
			"Rename":      j.Rename(j.ctx, "/own", p+"/new", false),
			"Rename over": j.Rename(j.ctx, "/own", p+"/secret", true),
			"Rename from": j.Rename(j.ctx, p+"/secret", "/stolen", true),
		} {
			j.unchanged(fmt.Sprintf("%s(%s), %v", what, p, err))
		}
		if _, err := j.StatVFS(j.ctx, p); err != nil && errors.Is(err, context.Canceled) {
			j.Error(err)
		}
		if p != name {
			err := j.Remove(j.ctx, p)
			j.unchanged(fmt.Sprintf("Remove(%s), %v", p, err))
		}
	}
	if b, err := os.ReadFile(filepath.Join(j.root, "stolen")); err == nil && strings.Contains(string(b), "secret") {
		j.Error("a file from outside was linked or moved in")
	}
}

// setLinkStat changes what SetLinkStat can, where there is one.
func (j *jail) setLinkStat(name string) error {
	b, ok := any(j.RootedFS).(sftpserver.LinkSetter)
	if !ok {
		return errors.ErrUnsupported
	}
	var a sftp.Attrs
	a.SetPermissions(0o6777)
	a.SetTimes(time.Unix(1, 0), time.Unix(1, 0))
	return b.SetLinkStat(j.ctx, name, &a)
}

// TestRootedKnowsNoHomes: where the host's users live is not said.
func TestRootedKnowsNoHomes(t *testing.T) {
	j := newJail(t)
	if _, ok := any(j.RootedFS).(sftpserver.UserHomer); ok {
		t.Error("a jail tells the homes of the host")
	}
	if _, ok := any(j.RootedFS).(sftpserver.HomeDirer); ok {
		t.Error("a jail has another home than its root")
	}
}

func TestNothingEscapes(t *testing.T) {
	for _, row := range []struct {
		name string
		make func(j *jail) string // returns the path to try
	}{
		{"absolute link to a directory", func(j *jail) string { j.link(j.outside, "l"); return "/l" }},
		{"relative link to a directory", func(j *jail) string { j.link("../outside", "l"); return "/l" }},
		{"link to the parent", func(j *jail) string { j.link("..", "l"); return "/l/outside" }},
		{"link to the root of the host", func(j *jail) string { j.link("/", "l"); return "/l" + filepath.ToSlash(j.outside) }},
		{"link to a link", func(j *jail) string { j.link("l2", "l"); j.link("../outside", "l2"); return "/l" }},
		{"link that climbs out from below", func(j *jail) string {
			j.must(os.Mkdir(filepath.Join(j.root, "d"), 0o755))
			j.link("../../outside", "d/l")
			return "/d/l"
		}},
		{"link that climbs far", func(j *jail) string {
			j.link(strings.Repeat("../", 50)+strings.TrimPrefix(filepath.ToSlash(j.outside), "/"), "l")
			return "/l"
		}},
		{"link made by the client", func(j *jail) string { j.must(j.Symlink(j.ctx, j.outside, "/l")); return "/l" }},
		{"link to a file", func(j *jail) string { j.link(filepath.Join(j.outside, "secret"), "l"); return "/l" }},
		{"relative link to a file", func(j *jail) string { j.link("../outside/secret", "l"); return "/l" }},
		{"link to a file that is not there", func(j *jail) string { j.link("../outside/new", "l"); return "/l" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			j := newJail(t)
			j.everything(row.make(j))
		})
	}
}

func (j *jail) link(target, name string) {
	j.Helper()
	j.must(os.Symlink(target, filepath.Join(j.root, name)))
}

// TestRenameOverLinkReplacesTheLink and not what it points to.
func TestRenameOverLinkReplacesTheLink(t *testing.T) {
	j := newJail(t)
	j.link("../outside/secret", "l")
	j.must(os.WriteFile(filepath.Join(j.root, "a"), []byte("a"), 0o644))
	j.must(j.Rename(j.ctx, "/a", "/l", true))
	j.unchanged("Rename")
	a, err := j.Stat(j.ctx, "/l", false)
	if err != nil || !a.FileMode().IsRegular() {
		t.Errorf("at the link's place stands %+v, %v, want the file", a, err)
	}
}

// TestAbsoluteLinksMeanTheRoot: a tree with absolute links works when it is
// served as a root.
func TestAbsoluteLinksMeanTheRoot(t *testing.T) {
	j := newJail(t)
	j.must(os.MkdirAll(filepath.Join(j.root, "usr/lib"), 0o755))
	j.link("/usr/lib", "lib")
	j.link("/lib/x", "usr/y")
	f, err := j.Open(j.ctx, "/lib/x", sftp.OpenWrite|sftp.OpenCreate, 0o644)
	j.must(err)
	_, err = f.WriteAt([]byte("text"), 0)
	j.must(err)
	j.must(f.Close())
	b, err := os.ReadFile(filepath.Join(j.root, "usr/lib/x"))
	if err != nil || string(b) != "text" {
		t.Errorf("usr/lib/x holds %q, %v", b, err)
	}
	if p, err := j.RealPath(j.ctx, "/usr/y"); p != "/usr/lib/x" || err != nil {
		t.Errorf("RealPath(/usr/y) = %s, %v, want /usr/lib/x", p, err)
	}
}

// TestRaceWithAnAttacker swaps a directory and a link to the outside as fast
// as it can, while operations go through that name.
func TestRaceWithAnAttacker(t *testing.T) {
	j := newJail(t)
	d, swap := filepath.Join(j.root, "d"), filepath.Join(j.root, "swap")
	j.must(os.Mkdir(d, 0o755))
	j.must(os.WriteFile(filepath.Join(d, "secret"), []byte("mine"), 0o644))
	j.must(os.Symlink(j.outside, filepath.Join(j.root, "link")))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // stops when stop is closed
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			os.Rename(d, swap)
			os.Rename(filepath.Join(j.root, "link"), d)
			os.Rename(d, filepath.Join(j.root, "link"))
			os.Rename(swap, d)
		}
	}()
	var a sftp.Attrs
	a.SetPermissions(0o600)
	a.SetTimes(time.Unix(1, 0), time.Unix(1, 0))
	got := make([]byte, 10)
	for range 500 {
		if f, err := j.Open(j.ctx, "/d/secret", sftp.OpenRead|sftp.OpenWrite, 0); err == nil {
			if n, _ := f.ReadAt(got, 0); strings.HasPrefix(string(got[:n]), "secret") {
				t.Error("read what is outside")
			}
			f.WriteAt([]byte("mine"), 0) //nolint:errcheck // what matters is where
			f.Close()
		}
		// Each may succeed or fail; none may reach the outside.
		j.SetStat(j.ctx, "/d/secret", &a)               //nolint:errcheck // as above
		j.setLinkStat("/d/secret")                      //nolint:errcheck // as above
		j.Rename(j.ctx, "/d/secret", "/d/moved", true)  //nolint:errcheck // as above
		j.Rename(j.ctx, "/d/moved", "/d/secret", false) //nolint:errcheck // as above
		j.Mkdir(j.ctx, "/d/made", 0o755)                //nolint:errcheck // as above
		j.Rmdir(j.ctx, "/d/made")                       //nolint:errcheck // as above
		j.Symlink(j.ctx, "x", "/d/made")                //nolint:errcheck // as above
		j.Remove(j.ctx, "/d/made")                      //nolint:errcheck // as above
		j.Link(j.ctx, "/d/secret", "/d/linked")         //nolint:errcheck // as above
		j.Remove(j.ctx, "/d/linked")                    //nolint:errcheck // as above
	}
	close(stop)
	<-stopped
	j.unchanged("a race")
}

func TestRootedKeepsSetIDBitsOut(t *testing.T) {
	j := newJail(t)
	f, err := j.Open(j.ctx, "/a", sftp.OpenWrite|sftp.OpenCreate, 0o644)
	j.must(err)
	defer f.Close()
	var a sftp.Attrs
	a.SetPermissions(0o6711)
	for name, set := range map[string]func() error{
		"by path":   func() error { return j.SetStat(j.ctx, "/a", &a) },
		"by handle": func() error { return f.SetStat(&a) },
		"as a link": func() error {
			if err := j.setLinkStat("/a"); !errors.Is(err, errors.ErrUnsupported) {
				return err
			}
			return nil
		},
	} {
		j.must(set())
		fi, err := os.Stat(filepath.Join(j.root, "a"))
		if err != nil || fi.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
			t.Errorf("%s: mode %v, %v, want no set-id bit", name, fi.Mode(), err)
		}
	}
}

func TestRootedRootItself(t *testing.T) {
	j := newJail(t)
	for what, err := range map[string]error{
		"Rmdir":       j.Rmdir(j.ctx, "/"),
		"Remove":      j.Remove(j.ctx, "/"),
		"Rename":      j.Rename(j.ctx, "/", "/x", true),
		"Rename over": j.Rename(j.ctx, "/x", "/", true),
		"Mkdir":       j.Mkdir(j.ctx, "/", 0o755),
	} {
		if err == nil {
			t.Errorf("%s of / succeeded", what)
		}
	}
	if a, err := j.Stat(j.ctx, "/", true); err != nil || !a.FileMode().IsDir() {
		t.Errorf("Stat(/) = %+v, %v", a, err)
	}
}

func TestMemoryLimit(t *testing.T) {
	m := backend.Memory(100)
	f, err := m.Open(t.Context(), "/a", sftp.OpenWrite|sftp.OpenCreate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 60), 0); err != nil {
		t.Errorf("a write that fits: %v", err)
	}
	if _, err := f.WriteAt(make([]byte, 60), 60); sftp.StatusOf(err) != sftp.StatusNoSpace {
		t.Errorf("a write that does not fit: %v, want no space left", err)
	}
	if _, err := f.WriteAt([]byte("x"), 1<<62); sftp.StatusOf(err) != sftp.StatusNoSpace {
		t.Errorf("a write far behind the end: %v, want no space left", err)
	}
	// What is removed is free again once it is closed.
	if err := m.Remove(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 60), 0); err != nil {
		t.Errorf("a write to a removed file that is open: %v", err)
	}
	f.Close()
	f, err = m.Open(t.Context(), "/b", sftp.OpenWrite|sftp.OpenCreate, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, 100), 0); err != nil {
		t.Errorf("a write after removal: %v", err)
	}
}
