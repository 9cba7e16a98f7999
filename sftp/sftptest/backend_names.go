package sftptest

import (
	"io/fs"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

func (t *tester) mkdir() {
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.mode("dir", fs.ModeDir)
	t.is(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), fs.ErrExist, "mkdir of an existing directory")
	t.is(t.b.Mkdir(t.ctx, t.p("none/dir"), 0o755), fs.ErrNotExist, "mkdir in a missing directory")
	t.write("dir/a", "in it")
	t.wantContent("dir/a", "in it")
}

func (t *tester) remove() {
	t.write("a", "x")
	t.ok(t.b.Remove(t.ctx, t.p("a")), "remove")
	t.missing("a")
	t.is(t.b.Remove(t.ctx, t.p("a")), fs.ErrNotExist, "remove of a missing file")
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.is(t.b.Remove(t.ctx, t.p("dir")), nil, "remove of a directory")
	t.mode("dir", fs.ModeDir)
}

func (t *tester) rmdir() {
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.write("dir/a", "x")
	t.is(t.b.Rmdir(t.ctx, t.p("dir")), nil, "rmdir of a directory that is not empty")
	t.wantContent("dir/a", "x")
	t.is(t.b.Rmdir(t.ctx, t.p("dir/a")), nil, "rmdir of a file")
	t.wantContent("dir/a", "x")
	t.ok(t.b.Remove(t.ctx, t.p("dir/a")), "remove")
	t.ok(t.b.Rmdir(t.ctx, t.p("dir")), "rmdir")
	t.missing("dir")
	t.is(t.b.Rmdir(t.ctx, t.p("dir")), fs.ErrNotExist, "rmdir of a missing directory")
}

func (t *tester) rename() {
	t.write("a", "x")
	t.ok(t.b.Rename(t.ctx, t.p("a"), t.p("b"), false), "rename")
	t.missing("a")
	t.wantContent("b", "x")
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.ok(t.b.Rename(t.ctx, t.p("b"), t.p("dir/c"), true), "rename into a directory")
	t.ok(t.b.Rename(t.ctx, t.p("dir"), t.p("other"), false), "rename of a directory")
	t.wantContent("other/c", "x")
	t.is(t.b.Rename(t.ctx, t.p("none"), t.p("d"), false), fs.ErrNotExist, "rename of a missing file")
	t.is(t.b.Rename(t.ctx, t.p("none"), t.p("d"), true), fs.ErrNotExist, "overwriting rename of a missing file")
	t.is(t.b.Rename(t.ctx, t.p("other"), t.p("other/below"), true), nil, "rename of a directory into itself")
}

func (t *tester) renameOver() {
	t.write("a", "a")
	t.write("b", "b")
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.ok(t.b.Mkdir(t.ctx, t.p("empty"), 0o755), "mkdir")
	t.is(t.b.Rename(t.ctx, t.p("a"), t.p("b"), false), fs.ErrExist, "rename over a file")
	t.is(t.b.Rename(t.ctx, t.p("dir"), t.p("empty"), false), fs.ErrExist, "rename over an empty directory")
	t.is(t.b.Rename(t.ctx, t.p("a"), t.p("empty"), true), nil, "overwriting rename of a file over a directory")
	t.wantContent("a", "a")
	t.wantContent("b", "b")
	t.mode("empty", fs.ModeDir)
	t.ok(t.b.Rename(t.ctx, t.p("a"), t.p("b"), true), "overwriting rename")
	t.missing("a")
	t.wantContent("b", "a")
}

func (t *tester) link() {
	t.write("a", "x")
	t.ok(t.b.Link(t.ctx, t.p("a"), t.p("b")), "link")
	t.is(t.b.Link(t.ctx, t.p("a"), t.p("b")), fs.ErrExist, "link to an existing name")
	t.is(t.b.Link(t.ctx, t.p("none"), t.p("c")), fs.ErrNotExist, "link of a missing file")
	t.write("b", "changed")
	t.wantContent("a", "changed")
	fa, fb := t.open("a", rw), t.open("b", rw)
	ia, oka := fa.(sftpserver.Identifier)
	ib, okb := fb.(sftpserver.Identifier)
	if oka && okb && ia.Identity() != ib.Identity() && ia.Identity() != any(t.p("a")) {
		t.Errorf("two names of a file have the identities %v and %v", ia.Identity(), ib.Identity())
	}
	t.ok(t.b.Remove(t.ctx, t.p("a")), "remove")
	t.wantContent("b", "changed")
}

func (t *tester) symlink() {
	t.write("file", "x")
	for name, target := range map[string]string{"rel": "file", "abs": t.p("file"), "up": "../" + base(t.dir) + "/file"} {
		if t.dir == "/" && name == "up" {
			target = "../file"
		}
		t.ok(t.b.Symlink(t.ctx, target, t.p(name)), "symlink")
		t.mode(name, fs.ModeSymlink)
		got, err := t.b.Readlink(t.ctx, t.p(name))
		if err != nil || got != target {
			t.Errorf("Readlink(%s) = %q, %v, want %q", name, got, err, target)
		}
		t.wantContent(name, "x")
		a, err := t.b.Stat(t.ctx, t.p(name), true)
		if err != nil || !a.FileMode().IsRegular() {
			t.Errorf("Stat(%s) = %+v, %v, want the file it leads to", name, a, err)
		}
	}
	t.write("abs", "through")
	t.wantContent("file", "through")
	var a sftp.Attrs
	a.SetSize(4)
	t.ok(t.b.SetStat(t.ctx, t.p("abs"), &a), "setstat through a link")
	t.wantContent("file", "thro")
	t.is(t.b.Symlink(t.ctx, "file", t.p("rel")), fs.ErrExist, "symlink over something")
	_, err := t.b.Open(t.ctx, t.p("rel"), create|sftp.OpenExcl, 0o644)
	t.is(err, fs.ErrExist, "exclusive creation through a link")
	_, err = t.b.Readlink(t.ctx, t.p("file"))
	t.is(err, nil, "readlink of a file")
	t.ok(t.b.Rename(t.ctx, t.p("rel"), t.p("moved"), false), "rename of a link")
	t.mode("moved", fs.ModeSymlink)
	t.ok(t.b.Remove(t.ctx, t.p("moved")), "remove of a link")
	t.wantContent("file", "thro")
}

// base returns the last component of a directory's path.
func base(dir string) string {
	for i := len(dir) - 1; i >= 0; i-- {
		if dir[i] == '/' {
			return dir[i+1:]
		}
	}
	return dir
}

func (t *tester) symlinkDir() {
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.ok(t.b.Mkdir(t.ctx, t.p("dir/sub"), 0o755), "mkdir")
	for name, target := range map[string]string{"rel": "dir", "abs": t.p("dir")} {
		t.ok(t.b.Symlink(t.ctx, target, t.p(name)), "symlink")
		t.write(name+"/a", name)
		t.wantContent("dir/a", name)
		if got := t.names(name, 10); len(got) != 2 {
			t.Errorf("%s lists %q, want a and sub", name, got)
		}
		t.ok(t.b.Mkdir(t.ctx, t.p(name+"/made"), 0o755), "mkdir through a link")
		t.ok(t.b.Rmdir(t.ctx, t.p(name+"/made")), "rmdir through a link")
		t.ok(t.b.Rename(t.ctx, t.p(name+"/a"), t.p(name+"/sub/b"), false), "rename through links")
		t.ok(t.b.Link(t.ctx, t.p(name+"/sub/b"), t.p(name+"/c")), "link through links")
		t.ok(t.b.Symlink(t.ctx, "c", t.p(name+"/l")), "symlink through a link")
		t.ok(t.b.Remove(t.ctx, t.p(name+"/l")), "remove through a link")
		t.ok(t.b.Remove(t.ctx, t.p(name+"/c")), "remove through a link")
		t.ok(t.b.Rename(t.ctx, t.p(name+"/sub/b"), t.p("dir/a"), true), "rename out of a link")
		t.is(t.b.Rmdir(t.ctx, t.p(name)), nil, "rmdir of a link")
		t.is(t.b.Mkdir(t.ctx, t.p(name), 0o755), fs.ErrExist, "mkdir over a link")
	}
}

func (t *tester) symlinkDangling() {
	for name, target := range map[string]string{"rel": "later", "abs": t.p("later")} {
		t.ok(t.b.Symlink(t.ctx, target, t.p(name)), "symlink")
		_, err := t.b.Open(t.ctx, t.p(name), sftp.OpenRead, 0)
		t.is(err, fs.ErrNotExist, "open through "+name)
		_, err = t.b.Stat(t.ctx, t.p(name), true)
		t.is(err, fs.ErrNotExist, "stat through "+name)
		t.write(name, name)
		t.wantContent("later", name)
		t.mode(name, fs.ModeSymlink)
		t.ok(t.b.Remove(t.ctx, t.p("later")), "remove")
	}
}

func (t *tester) symlinkLoop() {
	t.ok(t.b.Symlink(t.ctx, "b", t.p("a")), "symlink")
	t.ok(t.b.Symlink(t.ctx, t.p("a"), t.p("b")), "symlink")
	_, err := t.b.Stat(t.ctx, t.p("a"), true)
	t.is(err, nil, "stat of a loop")
	_, err = t.b.Open(t.ctx, t.p("a"), create, 0o644)
	t.is(err, nil, "open of a loop")
	_, err = t.b.RealPath(t.ctx, t.p("a"))
	t.is(err, nil, "realpath of a loop")
}

func (t *tester) realPath() {
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.write("dir/a", "x")
	t.ok(t.b.Symlink(t.ctx, t.p("dir"), t.p("abs")), "symlink")
	t.ok(t.b.Symlink(t.ctx, "abs/a", t.p("rel")), "symlink")
	for name, want := range map[string]string{
		"dir/a": "dir/a", "abs": "dir", "abs/a": "dir/a", "rel": "dir/a", "abs/none": "dir/none", "none": "none",
	} {
		got, err := t.b.RealPath(t.ctx, t.p(name))
		if err != nil || got != t.p(want) {
			t.Errorf("RealPath(%s) = %q, %v, want %q", name, got, err, t.p(want))
		}
	}
	_, err := t.b.RealPath(t.ctx, t.p("none/below"))
	t.is(err, fs.ErrNotExist, "realpath below a missing directory")
	if got, err := t.b.RealPath(t.ctx, "/"); got != "/" || err != nil {
		t.Errorf("RealPath(/) = %q, %v", got, err)
	}
}

func (t *tester) space() {
	b, ok := t.b.(sftpserver.StatVFSer)
	if !ok {
		return
	}
	t.write("a", "x")
	for _, name := range []string{".", "a"} {
		r, err := b.StatVFS(t.ctx, t.p(name))
		if err != nil || r.Frsize == 0 || r.Blocks == 0 || r.Bfree > r.Blocks {
			t.Errorf("StatVFS(%s) = %+v, %v, want sizes that make sense", name, r, err)
		}
	}
	_, err := b.StatVFS(t.ctx, t.p("none"))
	t.is(err, fs.ErrNotExist, "statvfs of a missing file")
}
