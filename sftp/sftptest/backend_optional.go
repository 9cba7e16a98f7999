package sftptest

import (
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// What a backend need not have is tried where it is.

func (t *tester) setLinkStat() {
	b, ok := t.b.(sftpserver.LinkSetter)
	if !ok {
		return
	}
	t.write("file", "12345")
	before := t.lstat("file")
	var a sftp.Attrs
	a.SetTimes(time.Unix(1_000_000_000, 0), time.Unix(1_100_000_000, 0))
	a.SetOwner(before.UID, before.GID)
	for name, target := range map[string]string{"rel": "file", "abs": t.p("file"), "dangling": "none"} {
		t.ok(t.b.Symlink(t.ctx, target, t.p(name)), "symlink")
		t.ok(b.SetLinkStat(t.ctx, t.p(name), &a), "setlinkstat of "+name)
		t.mode(name, fs.ModeSymlink)
		if got := t.lstat(name); got.MTime != a.MTime || got.ATime != a.ATime {
			t.Errorf("%s has the attributes %+v, want %+v", name, got, a)
		}
	}
	if got := t.lstat("file"); got.MTime != before.MTime {
		t.Errorf("setlinkstat of a link changed what it points to: %+v, before %+v", got, before)
	}
	var mode sftp.Attrs
	mode.SetPermissions(0o600)
	if err := b.SetLinkStat(t.ctx, t.p("rel"), &mode); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("setting the mode of a link: %v, want success or errors.ErrUnsupported", err)
	}
	if got := t.lstat("file"); got.Permissions != before.Permissions {
		t.Errorf("setting the mode of a link changed that of the file to %v", got.Permissions)
	}
	mode.SetTimes(time.Unix(1, 0), time.Unix(2, 0))
	t.ok(b.SetLinkStat(t.ctx, t.p("file"), &mode), "setlinkstat of a file")
	if got := t.lstat("file"); got.MTime != 2 || got.FileMode() != 0o600 {
		t.Errorf("setlinkstat of a file made it %+v", got)
	}
	t.ok(b.SetLinkStat(t.ctx, t.p("file"), &sftp.Attrs{}), "setlinkstat of nothing")
	t.ok(b.SetLinkStat(t.ctx, t.dir, ptr(times())), "setlinkstat of the directory")
	var size sftp.Attrs
	size.SetSize(1)
	t.is(b.SetLinkStat(t.ctx, t.p("file"), &size), nil, "setlinkstat of a size")
	t.wantContent("file", "12345")
	t.is(b.SetLinkStat(t.ctx, t.p("none"), ptr(times())), fs.ErrNotExist, "setlinkstat of a missing file")
}

func times() (a sftp.Attrs) {
	a.SetTimes(time.Unix(3, 0), time.Unix(4, 0))
	return a
}

// homes: wherever they are, they are paths that the backend takes.
func (t *tester) homes() {
	if b, ok := t.b.(sftpserver.HomeDirer); ok {
		if home := b.HomeDir(); !path.IsAbs(home) || path.Clean(home) != home {
			t.Errorf("HomeDir() = %q, want a clean absolute path", home)
		}
	}
	b, ok := t.b.(sftpserver.UserHomer)
	if !ok {
		return
	}
	for _, user := range []string{"no such user", "", "../root", "a/b"} {
		if home, err := b.UserHome(t.ctx, user); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("UserHome(%q) = %q, %v, want fs.ErrNotExist", user, home, err)
		}
	}
}

func (t *tester) ownerNames() {
	b, ok := t.b.(sftpserver.OwnerNamer)
	if !ok {
		return
	}
	const nobody = 0xfffffff0
	if u, g := b.UserName(t.ctx, nobody), b.GroupName(t.ctx, nobody); u != "" || g != "" {
		t.Errorf("the numbers %d are called %q and %q", uint32(nobody), u, g)
	}
	t.write("a", "x")
	a := t.lstat("a")
	d, err := t.b.OpenDir(t.ctx, t.dir)
	t.ok(err, "opendir")
	defer d.Close()
	list, err := d.ReadDir(10)
	t.ok(err, "readdir")
	for _, e := range list {
		if u, g := b.UserName(t.ctx, a.UID), b.GroupName(t.ctx, a.GID); e.Owner != u || e.Group != g {
			t.Errorf("%s belongs to %q and %q, whose numbers are called %q and %q", e.Name, e.Owner, e.Group, u, g)
		}
	}
}

func (t *tester) copyRange() {
	t.write("a", "0123456789")
	src, dst := t.open("a", sftp.OpenRead), t.open("b", create)
	c, ok := dst.(sftpserver.Copier)
	if !ok {
		return
	}
	for _, row := range []struct {
		srcOff, off, n int64
		copied         int64
		want           string
	}{
		{0, 0, 4, 4, "0123"},
		{8, 2, 100, 2, "0189"},
		{1, 6, 3, 3, "0189\x00\x00123"},
		{10, 0, 5, 0, "0189\x00\x00123"},
	} {
		n, err := c.CopyRange(src, row.srcOff, row.off, row.n)
		if errors.Is(err, errors.ErrUnsupported) {
			return // this file system cannot
		}
		if n != row.copied || err != nil {
			t.Errorf("CopyRange(%d, %d, %d) = %d, %v, want %d", row.srcOff, row.off, row.n, n, err, row.copied)
		}
		t.wantContent("b", row.want)
	}
}
